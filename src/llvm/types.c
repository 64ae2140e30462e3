/* LLVM's words for our types, and constants of them. */
#include "llvm/lowering.h"

static LLVMTypeRef element_type(LLVMContextRef x, cvk_type type) {
    if (type == TYPE_F32) return LLVMFloatTypeInContext(x);
    if (type == TYPE_F64) return LLVMDoubleTypeInContext(x);
    return LLVMIntTypeInContext(x, (unsigned)type_rows[type].bits);
}

void lower_types(lower_module *m) {
    for (cvk_type type = 0; type < TYPES; type++) m->element[type] = element_type(m->context, type);
    m->i64 = LLVMInt64TypeInContext(m->context);
    m->i32 = LLVMInt32TypeInContext(m->context);
    m->i8 = LLVMInt8TypeInContext(m->context);
    m->ptr = LLVMPointerTypeInContext(m->context, 0);
    m->nothing = LLVMVoidTypeInContext(m->context);
}

LLVMTypeRef lower_vector(lower_module *m, cvk_type type, int lanes) {
    return LLVMVectorType(m->element[type], (unsigned)lanes);
}

static LLVMValueRef splat(LLVMValueRef one, unsigned lanes) {
    LLVMValueRef all[NEST_MOST_LANES];
    for (unsigned i = 0; i < lanes; i++) all[i] = one;
    return LLVMConstVector(all, lanes);
}

LLVMValueRef lower_splat_constant(lower_module *m, cvk_type type, int lanes, double value) {
    LLVMValueRef one = type_is_computed_float(type) ? LLVMConstReal(m->element[type], value)
                                                    : LLVMConstInt(m->element[type], type_bits(type, value), false);
    return splat(one, (unsigned)lanes);
}

LLVMValueRef lower_splat_bits(LLVMTypeRef vector, uint64_t bits) {
    return splat(LLVMConstInt(LLVMGetElementType(vector), bits, false), LLVMGetVectorSize(vector));
}
