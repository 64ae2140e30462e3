/* Lane-by-lane arithmetic as LLVM instructions, with exactly the meaning nest/ops.def gives: no fast-math, nothing
 * re-associated, min and max by compare and select so that NaN goes where the table says. */
#include "llvm/lowering.h"

#include <string.h>

LLVMValueRef lower_intrinsic(lower_module *m, LLVMBuilderRef builder, const char *name, LLVMTypeRef *overload,
                             unsigned overloads, LLVMValueRef *arguments, unsigned count) {
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMTypeRef type = LLVMIntrinsicGetType(m->context, id, overload, overloads);
    LLVMValueRef function = LLVMGetIntrinsicDeclaration(m->module, id, overload, overloads);
    return LLVMBuildCall2(builder, type, function, arguments, count, "");
}

LLVMValueRef lower_splat_constant(lower_module *m, int lanes, float value) {
    LLVMValueRef all[NEST_MOST_LANES];
    for (int i = 0; i < lanes; i++) all[i] = LLVMConstReal(m->f32, (double)value);
    return LLVMConstVector(all, (unsigned)lanes);
}

static LLVMValueRef splat_integer(lower_module *m, int lanes, uint32_t value) {
    LLVMValueRef all[NEST_MOST_LANES];
    for (int i = 0; i < lanes; i++) all[i] = LLVMConstInt(m->i32, value, false);
    return LLVMConstVector(all, (unsigned)lanes);
}

static LLVMValueRef fused(lower_module *m, LLVMBuilderRef b, LLVMValueRef x, LLVMValueRef y, LLVMValueRef z) {
    if (!m->target->fused) return LLVMBuildFAdd(b, LLVMBuildFMul(b, x, y, ""), z, "");
    LLVMTypeRef type = LLVMTypeOf(x);
    return lower_intrinsic(m, b, "llvm.fma", &type, 1, (LLVMValueRef[]){x, y, z}, 3);
}

static LLVMValueRef compare_select(LLVMBuilderRef b, LLVMRealPredicate predicate, LLVMValueRef x, LLVMValueRef y) {
    return LLVMBuildSelect(b, LLVMBuildFCmp(b, predicate, x, y, ""), x, y, "");
}

/* 2^a for integral a: a + 3 * 2^22 has a in its low bits, which become the exponent. */
static LLVMValueRef exp2i(lower_module *m, LLVMBuilderRef b, LLVMValueRef a) {
    int lanes = (int)LLVMGetVectorSize(LLVMTypeOf(a));
    LLVMTypeRef integers = LLVMVectorType(m->i32, (unsigned)lanes);
    LLVMValueRef shifted = LLVMBuildFAdd(b, a, lower_splat_constant(m, lanes, 12582912.0f), "");
    LLVMValueRef bits = LLVMBuildBitCast(b, shifted, integers, "");
    bits = LLVMBuildAdd(b, bits, splat_integer(m, lanes, 127), "");
    bits = LLVMBuildShl(b, bits, splat_integer(m, lanes, 23), "");
    return LLVMBuildBitCast(b, bits, LLVMTypeOf(a), "");
}

static LLVMValueRef select_negative(LLVMBuilderRef b, LLVMValueRef x, LLVMValueRef y, LLVMValueRef z) {
    LLVMValueRef negative = LLVMBuildFCmp(b, LLVMRealOLT, x, LLVMConstNull(LLVMTypeOf(x)), "");
    return LLVMBuildSelect(b, negative, y, z, "");
}

LLVMValueRef lower_arithmetic(lower_module *m, LLVMBuilderRef b, op_kind kind, LLVMValueRef x, LLVMValueRef y,
                              LLVMValueRef z) {
    LLVMTypeRef type = LLVMTypeOf(x);
    switch (kind) {
    case OP_COPY: return x;
    case OP_FMA: return fused(m, b, x, y, z);
    case OP_ADD: return LLVMBuildFAdd(b, x, y, "");
    case OP_SUB: return LLVMBuildFSub(b, x, y, "");
    case OP_MUL: return LLVMBuildFMul(b, x, y, "");
    case OP_DIV: return LLVMBuildFDiv(b, x, y, "");
    case OP_MIN: return compare_select(b, LLVMRealOLT, x, y);
    case OP_MAX: return compare_select(b, LLVMRealOGT, x, y);
    case OP_SELECT_NEGATIVE: return select_negative(b, x, y, z);
    case OP_ABS: return lower_intrinsic(m, b, "llvm.fabs", &type, 1, &x, 1);
    case OP_COPYSIGN: return lower_intrinsic(m, b, "llvm.copysign", &type, 1, (LLVMValueRef[]){x, y}, 2);
    case OP_EXP2I: return exp2i(m, b, x);
    default: return LLVMGetUndef(type); /* not lane by lane: nest_check and lower_op let none come here */
    }
}
