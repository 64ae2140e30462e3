/* The constants of an object: cvk_kernel_info, field by field in the order of the struct, its strings private; sets of
 * them; tensors. */
#include "llvm/lowering.h"

#include <llvm-c/Target.h>
#include <stddef.h>
#include <string.h>

enum { MOST_FIELDS = 48 };

typedef struct fields {
    lower_module *m;
    const char *symbol; /* of the constant */
    LLVMValueRef value[MOST_FIELDS];
    unsigned count;
} fields;

static void add(fields *f, LLVMValueRef value) { f->value[f->count++] = value; }
static void add_u32(fields *f, uint32_t value) { add(f, LLVMConstInt(f->m->i32, value, false)); }
static void add_u64(fields *f, uint64_t value) { add(f, LLVMConstInt(f->m->i64, value, false)); }

/* Data that holds addresses is written to once, when the program is loaded. */
static const char ADDRESSES[] = ".data.rel.ro", PLAIN[] = ".rodata";

static LLVMValueRef add_constant(lower_module *m, const char *symbol, LLVMValueRef value, unsigned alignment) {
    LLVMValueRef global = LLVMAddGlobal(m->module, LLVMTypeOf(value), symbol);
    LLVMSetInitializer(global, value);
    LLVMSetGlobalConstant(global, true);
    LLVMSetAlignment(global, alignment);
    return global;
}

static LLVMValueRef add_symbol(fields *f) {
    LLVMValueRef value = LLVMConstStructInContext(f->m->context, f->value, f->count, false);
    LLVMValueRef global = add_constant(f->m, f->symbol, value, 8);
    lower_place(f->m, global, ADDRESSES, f->symbol);
    return global;
}

/* What only the constant `symbol` points at. */
static LLVMValueRef add_private(lower_module *m, const char *symbol, const char *kind, LLVMValueRef value,
                                unsigned alignment) {
    LLVMValueRef global = add_constant(m, "", value, alignment);
    lower_place(m, global, kind, symbol);
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    LLVMSetUnnamedAddress(global, LLVMGlobalUnnamedAddr);
    return global;
}

static void add_string(fields *f, const char *string) {
    LLVMValueRef bytes = LLVMConstStringInContext2(f->m->context, string, strlen(string), false);
    add(f, add_private(f->m, f->symbol, PLAIN, bytes, 1));
}

static void add_shape(fields *f, const int64_t shape[5]) {
    LLVMValueRef size[5];
    for (int i = 0; i < 5; i++) size[i] = LLVMConstInt(f->m->i64, (unsigned long long)shape[i], false);
    add(f, LLVMConstArray2(f->m->i64, size, 5));
}

static void add_buffer(fields *f, const cvk_buffer_info *b) {
    LLVMValueRef value[] = {LLVMConstInt(f->m->i64, b->bytes, false), LLVMConstInt(f->m->i32, b->alignment, false),
                            LLVMConstInt(f->m->i32, b->held, false)};
    add(f, LLVMConstStructInContext(f->m->context, value, 3, false));
}

/* What sizeof says on the target, whose pointers may be smaller than ours. */
static unsigned long long size_of_fields(fields *f) {
    LLVMTypeRef type = LLVMTypeOf(LLVMConstStructInContext(f->m->context, f->value, f->count, false));
    return LLVMABISizeOfType(LLVMGetModuleDataLayout(f->m->module), type);
}

/* A field added to the struct and forgotten here changes its size. */
enum {
    WORDS = 12 + CVK_MOST_PHASES, /* from input_layout to tasks */
    HEAD = 8 + 2 * 8 + 3 * 40 + 4 * WORDS,
    POINTERS = 6,
    BUFFERS = 1 + CVK_ROLES
};
_Static_assert(sizeof(cvk_buffer_info) == 16, "info.c writes three fields");
_Static_assert(offsetof(cvk_kernel_info, name) == HEAD && HEAD % 8 == 0 && POINTERS % 2 == 0, "there are no gaps");
_Static_assert(offsetof(cvk_kernel_info, weights) == HEAD + POINTERS * sizeof(void *), "before the buffers");
_Static_assert(sizeof(cvk_kernel_info) == offsetof(cvk_kernel_info, weights) + 16 * BUFFERS, "info.c writes it all");
_Static_assert(4 + 1 + 3 + WORDS + POINTERS + BUFFERS <= MOST_FIELDS, "and has room for it");

static void add_words(fields *f, const cvk_kernel_info *info) {
    const uint32_t words[] = {(uint32_t)info->input_layout,
                              (uint32_t)info->output_layout,
                              (uint32_t)info->input_dtype,
                              (uint32_t)info->weights_dtype,
                              (uint32_t)info->output_dtype,
                              info->spatial_rank,
                              info->addends,
                              info->scales,
                              info->batch_any,
                              info->kilocycles,
                              info->phases,
                              (uint32_t)info->operation};
    _Static_assert(sizeof words / sizeof words[0] + CVK_MOST_PHASES == WORDS, "the words before the phases'");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) add_u32(f, words[i]);
    for (int p = 0; p < CVK_MOST_PHASES; p++) add_u32(f, info->tasks[p]);
}

LLVMValueRef lower_info(lower_module *m, const char *symbol, const cvk_kernel_info *info, LLVMValueRef run,
                        LLVMValueRef pack) {
    fields f = {.m = m, .symbol = symbol};
    add_u32(&f, 0); /* struct_size: when the fields are known */
    add_u32(&f, info->abi_version);
    add_u64(&f, info->cpu_features);
    add_u64(&f, info->packed_tag);
    add_shape(&f, info->input_shape);
    add_shape(&f, info->weights_shape);
    add_shape(&f, info->output_shape);
    add_words(&f, info);
    add_string(&f, info->name);
    add_string(&f, info->target);
    add_string(&f, info->plan);
    add(&f, run);
    add(&f, pack);
    add(&f, LLVMConstNull(m->ptr));
    add_buffer(&f, &info->weights);
#define CVK_BUFFER(NAME, member, needs, access, share) add_buffer(&f, &info->needs);
#include <convoke/buffers.def>
#undef CVK_BUFFER
    f.value[0] = LLVMConstInt(m->i32, size_of_fields(&f), false);
    return add_symbol(&f);
}

_Static_assert(offsetof(cvk_kernel_set, variants) + sizeof(void *) == sizeof(cvk_kernel_set),
               "lower_set writes it all");

void lower_set(lower_module *m, const char *symbol, LLVMValueRef *infos, size_t count) {
    for (size_t i = 0; i < count; i++) LLVMSetLinkage(infos[i], LLVMInternalLinkage);
    fields f = {.m = m, .symbol = symbol};
    add_u32(&f, CVK_ABI_VERSION);
    add_u32(&f, (uint32_t)count);
    add(&f, add_private(m, symbol, ADDRESSES, LLVMConstArray2(m->ptr, infos, count), 8));
    add_symbol(&f);
}

/* All targets are little-endian, as we are; as bytes, because a constant of floats is made one object a float. */
LLVMValueRef lower_data(lower_module *m, const char *symbol, const void *data, int64_t bytes) {
    LLVMValueRef value = LLVMConstStringInContext2(m->context, data, (size_t)bytes, true);
    return add_private(m, arena_format(m->arena, "%s.data", symbol), PLAIN, value, 64);
}
