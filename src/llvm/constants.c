/* Constants and what they point at. */
#include "llvm/constants.h"

#include <llvm-c/Target.h>
#include <string.h>

const char CONSTANT_ADDRESSES[] = ".data.rel.ro", CONSTANT_PLAIN[] = ".rodata";

void constant_add(constant_fields *f, LLVMValueRef value) { f->value[f->count++] = value; }
void constant_u32(constant_fields *f, uint32_t value) { constant_add(f, LLVMConstInt(f->m->i32, value, false)); }
void constant_u64(constant_fields *f, uint64_t value) { constant_add(f, LLVMConstInt(f->m->i64, value, false)); }

static LLVMValueRef add_constant(lower_module *m, const char *symbol, LLVMValueRef value, unsigned alignment) {
    LLVMValueRef global = LLVMAddGlobal(m->module, LLVMTypeOf(value), symbol);
    LLVMSetInitializer(global, value);
    LLVMSetGlobalConstant(global, true);
    LLVMSetAlignment(global, alignment);
    return global;
}

LLVMValueRef constant_end(constant_fields *f) {
    LLVMValueRef value = LLVMConstStructInContext(f->m->context, f->value, f->count, false);
    LLVMValueRef global = add_constant(f->m, f->symbol, value, 8);
    lower_place(f->m, global, CONSTANT_ADDRESSES, f->symbol);
    return global;
}

LLVMValueRef constant_private(lower_module *m, const char *symbol, const char *kind, LLVMValueRef value,
                              unsigned alignment) {
    LLVMValueRef global = add_constant(m, "", value, alignment);
    lower_place(m, global, kind, symbol);
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    LLVMSetUnnamedAddress(global, LLVMGlobalUnnamedAddr);
    return global;
}

void constant_string(constant_fields *f, const char *string) {
    LLVMValueRef bytes = LLVMConstStringInContext2(f->m->context, string, strlen(string), false);
    constant_add(f, constant_private(f->m, f->symbol, CONSTANT_PLAIN, bytes, 1));
}

void constant_shape(constant_fields *f, const int64_t shape[5]) {
    LLVMValueRef size[5];
    for (int i = 0; i < 5; i++) size[i] = LLVMConstInt(f->m->i64, (unsigned long long)shape[i], false);
    constant_add(f, LLVMConstArray2(f->m->i64, size, 5));
}

void constant_buffer(constant_fields *f, const cvk_buffer_info *b) {
    LLVMValueRef value[] = {LLVMConstInt(f->m->i64, b->bytes, false), LLVMConstInt(f->m->i32, b->alignment, false),
                            LLVMConstInt(f->m->i32, b->held, false)};
    constant_add(f, LLVMConstStructInContext(f->m->context, value, 3, false));
}

unsigned long long constant_size(constant_fields *f) {
    LLVMTypeRef type = LLVMTypeOf(LLVMConstStructInContext(f->m->context, f->value, f->count, false));
    return LLVMABISizeOfType(LLVMGetModuleDataLayout(f->m->module), type);
}
