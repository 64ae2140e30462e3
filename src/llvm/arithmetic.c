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

LLVMValueRef lower_fused(lower_module *m, LLVMBuilderRef b, LLVMValueRef x, LLVMValueRef y, LLVMValueRef z) {
    if (!m->target->fused) return LLVMBuildFAdd(b, LLVMBuildFMul(b, x, y, ""), z, "");
    LLVMTypeRef type = LLVMTypeOf(x);
    return lower_intrinsic(m, b, "llvm.fma", &type, 1, (LLVMValueRef[]){x, y, z}, 3);
}

/* How floats, signed and unsigned integers compare. */
typedef struct order {
    LLVMRealPredicate real;
    LLVMIntPredicate with_sign, without;
} order;

static const order LESS = {LLVMRealOLT, LLVMIntSLT, LLVMIntULT}, GREATER = {LLVMRealOGT, LLVMIntSGT, LLVMIntUGT};

static LLVMValueRef compare(LLVMBuilderRef b, order o, cvk_type type, LLVMValueRef x, LLVMValueRef y) {
    if (type_is_float(type)) return LLVMBuildFCmp(b, o.real, x, y, "");
    return LLVMBuildICmp(b, type_rows[type].kind == KIND_SIGNED ? o.with_sign : o.without, x, y, "");
}

static LLVMValueRef compare_select(LLVMBuilderRef b, order o, cvk_type type, LLVMValueRef x, LLVMValueRef y) {
    return LLVMBuildSelect(b, compare(b, o, type, x, y), x, y, "");
}

LLVMValueRef lower_select_less(LLVMBuilderRef b, cvk_type type, LLVMValueRef x, LLVMValueRef y, LLVMValueRef less,
                               LLVMValueRef otherwise) {
    return LLVMBuildSelect(b, compare(b, LESS, type, x, y), less, otherwise, "");
}

/* NaN is greater than all. One compare more than the machine's maximum, by which the second operand wins over NaN: of
 * y, which is news, so that what was greatest so far waits for no compare. */
static LLVMValueRef maximum(LLVMBuilderRef b, cvk_type type, LLVMValueRef x, LLVMValueRef y) {
    LLVMValueRef greatest = compare_select(b, GREATER, type, y, x);
    if (!type_is_float(type)) return greatest;
    return LLVMBuildSelect(b, LLVMBuildFCmp(b, LLVMRealUNO, y, y, ""), y, greatest, "");
}

/* Whatever is not at most y, where y is a number. */
static LLVMValueRef is_greater(lower_module *m, LLVMBuilderRef b, cvk_type type, LLVMValueRef x, LLVMValueRef y) {
    LLVMValueRef above = LLVMBuildFCmp(b, LLVMRealUGT, x, y, ""), number = LLVMBuildFCmp(b, LLVMRealORD, y, y, "");
    LLVMValueRef yes = lower_splat_constant(m, type, (int)LLVMGetVectorSize(LLVMTypeOf(x)), -1);
    return LLVMBuildSelect(b, LLVMBuildAnd(b, above, number, ""), yes, LLVMConstNull(LLVMTypeOf(x)), "");
}

/* 2^a for integral a: a + 3 * 2^22 (2^51) has a in its low bits, which become the exponent. */
static LLVMValueRef exp2i(lower_module *m, LLVMBuilderRef b, cvk_type type, LLVMValueRef a) {
    bool narrow = type == TYPE_F32;
    unsigned lanes = LLVMGetVectorSize(LLVMTypeOf(a));
    LLVMTypeRef integers = LLVMVectorType(narrow ? m->i32 : m->i64, lanes);
    LLVMValueRef shift = lower_splat_constant(m, type, (int)lanes, narrow ? 0x3p22 : 0x3p51);
    LLVMValueRef bits = LLVMBuildBitCast(b, LLVMBuildFAdd(b, a, shift, ""), integers, "");
    bits = LLVMBuildAdd(b, bits, lower_splat_bits(integers, narrow ? 127 : 1023), "");
    bits = LLVMBuildShl(b, bits, lower_splat_bits(integers, narrow ? 23 : 52), "");
    return LLVMBuildBitCast(b, bits, LLVMTypeOf(a), "");
}

static LLVMValueRef float_arithmetic(lower_module *m, LLVMBuilderRef b, op_kind kind, cvk_type element, LLVMValueRef x,
                                     LLVMValueRef y, LLVMValueRef z) {
    LLVMTypeRef type = LLVMTypeOf(x);
    switch (kind) {
    case OP_FMA: return lower_fused(m, b, x, y, z);
    case OP_ADD: return LLVMBuildFAdd(b, x, y, "");
    case OP_SUB: return LLVMBuildFSub(b, x, y, "");
    case OP_MUL: return LLVMBuildFMul(b, x, y, "");
    case OP_DIV: return LLVMBuildFDiv(b, x, y, "");
    case OP_SQRT: return lower_intrinsic(m, b, "llvm.sqrt", &type, 1, &x, 1);
    case OP_ABS: return lower_intrinsic(m, b, "llvm.fabs", &type, 1, &x, 1);
    case OP_COPYSIGN: return lower_intrinsic(m, b, "llvm.copysign", &type, 1, (LLVMValueRef[]){x, y}, 2);
    case OP_EXP2I: return exp2i(m, b, element, x);
    default: return LLVMGetUndef(type); /* not lane by lane: nest_check and lower_op let none come here */
    }
}

static LLVMValueRef integer_arithmetic(LLVMBuilderRef b, op_kind kind, LLVMValueRef x, LLVMValueRef y, LLVMValueRef z) {
    switch (kind) {
    case OP_FMA: return LLVMBuildAdd(b, LLVMBuildMul(b, x, y, ""), z, "");
    case OP_ADD: return LLVMBuildAdd(b, x, y, "");
    case OP_SUB: return LLVMBuildSub(b, x, y, "");
    case OP_MUL: return LLVMBuildMul(b, x, y, "");
    default: return LLVMGetUndef(LLVMTypeOf(x)); /* as above */
    }
}

LLVMValueRef lower_arithmetic(lower_module *m, LLVMBuilderRef b, op_kind kind, cvk_type type, LLVMValueRef x,
                              LLVMValueRef y, LLVMValueRef z) {
    switch (kind) {
    case OP_COPY: return x;
    case OP_MIN: return compare_select(b, LESS, type, x, y);
    case OP_MAX: return compare_select(b, GREATER, type, x, y);
    case OP_MAXIMUM: return maximum(b, type, x, y);
    case OP_GREATER: return is_greater(m, b, type, x, y);
    case OP_SELECT_NEGATIVE: return lower_select_less(b, type, x, LLVMConstNull(LLVMTypeOf(x)), y, z);
    default: break;
    }
    return type_is_float(type) ? float_arithmetic(m, b, kind, type, x, y, z) : integer_arithmetic(b, kind, x, y, z);
}

LLVMValueRef lower_shift(LLVMBuilderRef b, op_kind kind, cvk_type type, LLVMValueRef a, int amount) {
    LLVMValueRef by = lower_splat_bits(LLVMTypeOf(a), (uint64_t)amount);
    if (kind == OP_SHIFT_LEFT) return LLVMBuildShl(b, a, by, "");
    return type_rows[type].kind == KIND_SIGNED ? LLVMBuildAShr(b, a, by, "") : LLVMBuildLShr(b, a, by, "");
}
