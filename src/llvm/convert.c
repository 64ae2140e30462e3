/* Conversions, exactly as nest/ops.def says, without the functions of a compiler's library that LLVM would call for
 * halves: by instructions where every CPU of the target has them, else on the bits. No step is rounded twice, and none
 * needs denormal floats, so that a caller who has turned them off gets the same halves. */
#include "llvm/lowering.h"

#include <math.h>

typedef struct converter {
    lower_module *m;
    LLVMBuilderRef b;
    int lanes;
    int zero; /* added to what becomes bytes, after it is rounded: before, ties would go to where the sum is even */
} converter;

static LLVMTypeRef vector_of(const converter *c, cvk_type type) { return lower_vector(c->m, type, c->lanes); }
static LLVMValueRef number(const converter *c, cvk_type type, double value) {
    return lower_splat_constant(c->m, type, c->lanes, value);
}

/* Bits of f32 as a vector of s32, and what one does with them. */
static LLVMTypeRef words(const converter *c) { return vector_of(c, TYPE_S32); }
static LLVMValueRef word(const converter *c, uint32_t bits) { return lower_splat_bits(words(c), bits); }
static LLVMValueRef to_bits(const converter *c, LLVMValueRef x) { return LLVMBuildBitCast(c->b, x, words(c), ""); }
static LLVMValueRef from_bits(const converter *c, LLVMValueRef bits) {
    return LLVMBuildBitCast(c->b, bits, vector_of(c, TYPE_F32), "");
}
static LLVMValueRef add(const converter *c, LLVMValueRef x, uint32_t bits) {
    return LLVMBuildAdd(c->b, x, word(c, bits), "");
}
static LLVMValueRef and (const converter *c, LLVMValueRef x, uint32_t bits) {
    return LLVMBuildAnd(c->b, x, word(c, bits), "");
}
static LLVMValueRef or (const converter *c, LLVMValueRef x, LLVMValueRef y) { return LLVMBuildOr(c->b, x, y, ""); }
static LLVMValueRef left(const converter *c, LLVMValueRef x, uint32_t by) {
    return LLVMBuildShl(c->b, x, word(c, by), "");
}
static LLVMValueRef right(const converter *c, LLVMValueRef x, uint32_t by) {
    return LLVMBuildLShr(c->b, x, word(c, by), "");
}
/* Of magnitudes, whose bits are in the order of the floats. */
static LLVMValueRef if_above(const converter *c, LLVMValueRef x, uint32_t bits, LLVMValueRef yes, LLVMValueRef no) {
    return LLVMBuildSelect(c->b, LLVMBuildICmp(c->b, LLVMIntSGT, x, word(c, bits), ""), yes, no, "");
}
static LLVMValueRef if_equal(const converter *c, LLVMValueRef x, uint32_t bits, LLVMValueRef yes, LLVMValueRef no) {
    return LLVMBuildSelect(c->b, LLVMBuildICmp(c->b, LLVMIntEQ, x, word(c, bits), ""), yes, no, "");
}

enum { SIGN = 0x7fffffff, INFINITE = 0x7f800000 };

/* F16C and NEON convert vectors of f16; each CPU of the target has one of them. */
static bool has_f16(const converter *c) { return c->m->target->cpu_features & (CVK_CPU_F16C | CVK_CPU_NEON); }

static LLVMTypeRef halves(const converter *c) {
    return LLVMVectorType(LLVMHalfTypeInContext(c->m->context), (unsigned)c->lanes);
}

/* Exponents are rebiased by adding; that of infinity and NaN twice, that of denormals by a subtraction in f32. */
static LLVMValueRef widen_f16(const converter *c, LLVMValueRef x) {
    enum { REBIAS = (127 - 15) << 23, EXPONENT = 0x7c00 << 13, ONE = 1 << 23, LEAST = (127 - 14) << 23 };
    if (has_f16(c)) return LLVMBuildFPExt(c->b, LLVMBuildBitCast(c->b, x, halves(c), ""), vector_of(c, TYPE_F32), "");
    LLVMValueRef bits = LLVMBuildZExt(c->b, x, words(c), ""), magnitude = left(c, and(c, bits, 0x7fff), 13);
    LLVMValueRef exponent = and(c, magnitude, EXPONENT), normal = add(c, magnitude, REBIAS);
    LLVMValueRef infinite = add(c, normal, REBIAS), least = from_bits(c, word(c, LEAST));
    LLVMValueRef denormal = to_bits(c, LLVMBuildFSub(c->b, from_bits(c, add(c, normal, ONE)), least, ""));
    LLVMValueRef widened = if_equal(c, exponent, EXPONENT, infinite, if_equal(c, exponent, 0, denormal, normal));
    return from_bits(c, or (c, widened, left(c, and(c, bits, 0x8000), 16)));
}

/* Half a unit, or just less where the unit's digit is even: that digit is a mask to AVX-512, and a number to others. */
static LLVMValueRef with_half(const converter *c, LLVMValueRef bits, uint32_t dropped, uint32_t half) {
    LLVMValueRef less = add(c, bits, half - 1);
    if (!(c->m->target->cpu_features & CVK_CPU_AVX512F))
        return LLVMBuildAdd(c->b, less, and(c, right(c, bits, dropped), 1), "");
    LLVMValueRef unit = and(c, bits, UINT32_C(1) << dropped);
    LLVMValueRef odd = LLVMBuildICmp(c->b, LLVMIntNE, unit, word(c, 0), "");
    return LLVMBuildSelect(c->b, odd, add(c, bits, half), less, "");
}

/* Rounded to nearest, ties to even. */
static LLVMValueRef rounded_bits(const converter *c, LLVMValueRef bits, uint32_t dropped, uint32_t rebias) {
    return right(c, with_half(c, bits, dropped, rebias + (UINT32_C(1) << (dropped - 1))), dropped);
}

/* Denormals are rounded by an addition in f32 whose result has their unit for its last digit. */
static LLVMValueRef narrow_f16(const converter *c, LLVMValueRef x) {
    enum { REBIAS = (127 - 15) << 23, LEAST = (127 - 14) << 23, BEYOND = (127 + 16) << 23 };
    enum { UNIT = (127 - 15 + 23 - 10 + 1) << 23 };
    if (has_f16(c)) return LLVMBuildBitCast(c->b, LLVMBuildFPTrunc(c->b, x, halves(c), ""), vector_of(c, TYPE_F16), "");
    LLVMValueRef bits = to_bits(c, x), magnitude = and(c, bits, SIGN), unit = from_bits(c, word(c, UNIT));
    LLVMValueRef sign = and(c, right(c, bits, 16), 0x8000);
    LLVMValueRef normal = rounded_bits(c, magnitude, 13, (uint32_t)-REBIAS);
    LLVMValueRef denormal = to_bits(c, LLVMBuildFAdd(c->b, from_bits(c, magnitude), unit, ""));
    denormal = add(c, denormal, (uint32_t)-UNIT);
    LLVMValueRef special = if_above(c, magnitude, INFINITE, word(c, 0x7e00), word(c, 0x7c00));
    LLVMValueRef narrowed = if_above(c, magnitude, LEAST - 1, normal, denormal);
    narrowed = if_above(c, magnitude, BEYOND - 1, special, narrowed);
    return LLVMBuildTrunc(c->b, or (c, narrowed, sign), vector_of(c, TYPE_F16), "");
}

static LLVMValueRef widen_bf16(const converter *c, LLVMValueRef x) {
    return from_bits(c, left(c, LLVMBuildZExt(c->b, x, words(c), ""), 16));
}

/* Whether it is one of f32 of AVX-512, which has instructions that others lack. */
static bool is_whole_vector(const converter *c, cvk_type type) {
    return type == TYPE_F32 && c->lanes == 16 && (c->m->target->cpu_features & CVK_CPU_AVX512F);
}

/* What becomes of NaN, quiet or signalling: two digits of a table, whose others leave a number as it is. */
typedef enum nan_becomes { NAN_BECOMES_NAN = 0x33, NAN_BECOMES_0 = 0x88 } nan_becomes;

/* By one instruction of AVX-512, instead of a comparison and a choice. NaN that stays such has one digit. */
static LLVMValueRef fix_nan(const converter *c, LLVMValueRef x, nan_becomes what) {
    enum { AS_THE_CALLER_ROUNDS = 4 };
    LLVMValueRef arguments[] = {x,
                                x,
                                word(c, what),
                                LLVMConstInt(c->m->i32, 0, false),
                                LLVMConstInt(LLVMInt16TypeInContext(c->m->context), 0xffff, false),
                                LLVMConstInt(c->m->i32, AS_THE_CALLER_ROUNDS, false)};
    return lower_intrinsic(c->m, c->b, "llvm.x86.avx512.mask.fixupimm.ps.512", NULL, 0, arguments, 6);
}

/* A NaN without its lower half, which is rounded to itself. */
static LLVMValueRef short_nan(const converter *c, LLVMValueRef x) {
    if (is_whole_vector(c, TYPE_F32)) return to_bits(c, fix_nan(c, x, NAN_BECOMES_NAN));
    LLVMValueRef bits = to_bits(c, x), nan = LLVMBuildFCmp(c->b, LLVMRealUNO, x, x, "");
    return LLVMBuildSelect(c->b, nan, or (c, and(c, bits, 0xffff0000), word(c, 0x400000)), bits, "");
}

/* On the bits everywhere: the instructions of AVX-512 take denormals for zeros. */
static LLVMValueRef narrow_bf16(const converter *c, LLVMValueRef x) {
    return LLVMBuildTrunc(c->b, rounded_bits(c, short_nan(c, x), 16, 0), vector_of(c, TYPE_BF16), "");
}

/* To f32, inexact results to the neighbour whose last digit is odd: rounded once more, to fewer digits, that gives what
 * the f64 itself rounds to. Round to nearest, and a step towards the f64 from an even neighbour. */
static LLVMValueRef round_to_odd(const converter *c, LLVMValueRef x) {
    LLVMTypeRef type = vector_of(c, TYPE_F64);
    LLVMValueRef nearest = LLVMBuildFPTrunc(c->b, x, vector_of(c, TYPE_F32), ""), bits = to_bits(c, nearest);
    LLVMValueRef back = LLVMBuildFPExt(c->b, nearest, type, "");
    LLVMValueRef inexact = LLVMBuildFCmp(c->b, LLVMRealONE, back, x, "");
    LLVMValueRef even = LLVMBuildICmp(c->b, LLVMIntEQ, and(c, bits, 1), word(c, 0), "");
    LLVMValueRef size[2] = {lower_intrinsic(c->m, c->b, "llvm.fabs", &type, 1, &x, 1),
                            lower_intrinsic(c->m, c->b, "llvm.fabs", &type, 1, &back, 1)};
    LLVMValueRef step = lower_select_less(c->b, TYPE_F64, size[0], size[1], word(c, UINT32_MAX), word(c, 1));
    step = LLVMBuildSelect(c->b, LLVMBuildAnd(c->b, inexact, even, ""), step, word(c, 0), "");
    return from_bits(c, LLVMBuildAdd(c->b, bits, step, ""));
}

/* Of a value that a s32 need not hold, NaN as 0 and the rest as the nearest end. */
static LLVMValueRef saturated(const converter *c, LLVMValueRef x) {
    LLVMTypeRef types[] = {LLVMVectorType(c->m->i32, (unsigned)c->lanes), LLVMTypeOf(x)};
    return lower_intrinsic(c->m, c->b, "llvm.fptosi.sat", types, 2, &x, 1);
}

/* The same of a s32, and the next for s32, on a CPU that has no f64. An integer that rounds up to 2^31 seems exact;
 * both round to the same half. */
static LLVMValueRef integer_to_odd(const converter *c, LLVMValueRef x) {
    LLVMValueRef nearest = LLVMBuildSIToFP(c->b, x, vector_of(c, TYPE_F32), ""), bits = to_bits(c, nearest);
    LLVMValueRef back = saturated(c, nearest), zero = word(c, 0);
    LLVMValueRef inexact = LLVMBuildICmp(c->b, LLVMIntNE, back, x, "");
    LLVMValueRef even = LLVMBuildICmp(c->b, LLVMIntEQ, and(c, bits, 1), zero, "");
    LLVMValueRef inwards = LLVMBuildXor(c->b, LLVMBuildICmp(c->b, LLVMIntSLT, x, back, ""),
                                        LLVMBuildICmp(c->b, LLVMIntSLT, x, zero, ""), "");
    LLVMValueRef step = LLVMBuildSelect(c->b, inwards, word(c, UINT32_MAX), word(c, 1), "");
    step = LLVMBuildSelect(c->b, LLVMBuildAnd(c->b, inexact, even, ""), step, zero, "");
    return from_bits(c, LLVMBuildAdd(c->b, bits, step, ""));
}

/* From 2^23 on a f32 is an integer; below, adding that leaves none of its fraction. */
static LLVMValueRef float_to_s32(const converter *c, LLVMValueRef x) {
    LLVMTypeRef type = LLVMTypeOf(x);
    LLVMValueRef far = number(c, TYPE_F32, 0x1p23);
    LLVMValueRef size = lower_intrinsic(c->m, c->b, "llvm.fabs", &type, 1, &x, 1);
    LLVMValueRef aside = lower_intrinsic(c->m, c->b, "llvm.copysign", &type, 1, (LLVMValueRef[]){far, x}, 2);
    LLVMValueRef rounded = LLVMBuildFSub(c->b, LLVMBuildFAdd(c->b, x, aside, ""), aside, "");
    return saturated(c, lower_select_less(c->b, TYPE_F32, size, far, rounded, x));
}

static LLVMValueRef without_nan(const converter *c, cvk_type type, LLVMValueRef x) {
    if (!type_is_float(type)) return x;
    if (is_whole_vector(c, type)) return fix_nan(c, x, NAN_BECOMES_0);
    LLVMValueRef ordered = LLVMBuildFCmp(c->b, LLVMRealORD, x, x, "");
    return LLVMBuildSelect(c->b, ordered, x, LLVMConstNull(LLVMTypeOf(x)), "");
}

/* NaN as 0, what lies below `low` as that. */
static LLVMValueRef at_least(const converter *c, cvk_type type, LLVMValueRef x, double low) {
    LLVMValueRef least = number(c, type, low);
    x = without_nan(c, type, x);
    return lower_select_less(c->b, type, x, least, least, x);
}

/* What lies outside low .. high as its end. */
static LLVMValueRef clamp(const converter *c, cvk_type type, LLVMValueRef x, double low, double high) {
    LLVMValueRef most = number(c, type, high);
    x = at_least(c, type, x, low);
    return lower_select_less(c->b, type, most, x, most, x);
}

static bool has_saturation(const converter *c, cvk_type from, cvk_type to) {
    return is_whole_vector(c, from) && type_bytes(to) == 1;
}

/* The same, where its maximum of NaN and 0 is 0 in one instruction. Of other CPUs LLVM takes one that lets signalling
 * NaN through. */
static LLVMValueRef at_least_by_maximum(const converter *c, LLVMValueRef x, double low) {
    LLVMValueRef least = number(c, TYPE_F32, low);
    return low == 0 ? lower_select_less(c->b, TYPE_F32, least, x, x, least) : at_least(c, TYPE_F32, x, low);
}

/* AVX-512 makes bytes of what counts from the least of them, as a number without sign; what is beyond 32 bits comes as
 * 2^31, and is more than they have still. */
static LLVMValueRef float_to_saturated(const converter *c, cvk_type to, LLVMValueRef x) {
    x = at_least_by_maximum(c, x, type_least(to) - c->zero);
    LLVMValueRef arguments[] = {x, LLVMConstNull(words(c)),
                                LLVMConstInt(LLVMInt16TypeInContext(c->m->context), 0xffff, false),
                                LLVMConstInt(c->m->i32, 4, false)};
    x = lower_intrinsic(c->m, c->b, "llvm.x86.avx512.mask.cvtps2dq.512", NULL, 0, arguments, 4);
    x = add(c, x, (uint32_t)(c->zero - (int)type_least(to)));
    LLVMTypeRef type = LLVMTypeOf(x), bytes = vector_of(c, to);
    x = lower_intrinsic(c->m, c->b, "llvm.umin", &type, 1, (LLVMValueRef[]){x, word(c, UINT8_MAX)}, 2);
    x = LLVMBuildTrunc(c->b, x, bytes, "");
    return LLVMBuildAdd(c->b, x, lower_splat_bits(bytes, (uint64_t)(int64_t)type_least(to)), "");
}

/* x + 3 2^(digits - 2) has the nearest integer of x in its low bits; of a f32 they hold 16, of a f64 32. */
static LLVMValueRef float_to_integer(const converter *c, cvk_type from, cvk_type to, LLVMValueRef x) {
    if (has_saturation(c, from, to)) return float_to_saturated(c, to, x);
    bool wide = from == TYPE_F32 && type_bytes(to) > 2;
    if (wide && !target_computes(c->m->target, TYPE_F64)) return float_to_s32(c, x);
    if (wide) {
        x = LLVMBuildFPExt(c->b, x, vector_of(c, TYPE_F64), "");
        from = TYPE_F64;
    }
    x = clamp(c, from, x, type_least(to) - c->zero, type_greatest(to) - c->zero);
    x = LLVMBuildFAdd(c->b, x, number(c, from, from == TYPE_F32 ? 0x3p22 : 0x3p51), "");
    LLVMTypeRef bits = LLVMVectorType(from == TYPE_F32 ? c->m->i32 : c->m->i64, (unsigned)c->lanes);
    x = LLVMBuildBitCast(c->b, x, bits, "");
    if (c->zero) x = LLVMBuildAdd(c->b, x, lower_splat_bits(bits, (uint64_t)c->zero), "");
    return LLVMBuildTrunc(c->b, x, vector_of(c, to), "");
}

static LLVMValueRef resize(const converter *c, cvk_type from, cvk_type to, LLVMValueRef x) {
    if (type_rows[from].bits == type_rows[to].bits) return x;
    if (type_rows[from].bits > type_rows[to].bits) return LLVMBuildTrunc(c->b, x, vector_of(c, to), "");
    bool with_sign = type_rows[from].kind == KIND_SIGNED;
    return (with_sign ? LLVMBuildSExt : LLVMBuildZExt)(c->b, x, vector_of(c, to), "");
}

static LLVMValueRef integer_to_bytes(const converter *c, cvk_type from, cvk_type to, LLVMValueRef x) {
    x = clamp(c, TYPE_S32, resize(c, from, TYPE_S32, x), type_least(to) - c->zero, type_greatest(to) - c->zero);
    return resize(c, TYPE_S32, to, add(c, x, (uint32_t)c->zero));
}

static LLVMValueRef integer_to_integer(const converter *c, cvk_type from, cvk_type to, LLVMValueRef x) {
    if (!type_holds(to, from))
        x = clamp(c, from, x, fmax(type_least(from), type_least(to)), fmin(type_greatest(from), type_greatest(to)));
    return resize(c, from, to, x);
}

static LLVMValueRef integer_to_float(const converter *c, cvk_type from, cvk_type to, LLVMValueRef x) {
    return LLVMBuildSIToFP(c->b, resize(c, from, TYPE_S32, x), vector_of(c, to), "");
}

/* To f32, for a rounding to a half that is to come: exact, or to odd. */
static LLVMValueRef before_half(const converter *c, cvk_type from, LLVMValueRef x) {
    if (from == TYPE_F32) return x;
    if (from == TYPE_F64) return round_to_odd(c, x);
    if (type_holds(TYPE_F32, from)) return integer_to_float(c, from, TYPE_F32, x);
    if (!target_computes(c->m->target, TYPE_F64)) return integer_to_odd(c, x);
    return round_to_odd(c, integer_to_float(c, from, TYPE_F64, x));
}

static LLVMValueRef convert(const converter *c, cvk_type from, cvk_type to, LLVMValueRef x) {
    if (from == to && c->zero == 0) return x;
    if (from == TYPE_F16) return convert(c, TYPE_F32, to, widen_f16(c, x));
    if (from == TYPE_BF16) return convert(c, TYPE_F32, to, widen_bf16(c, x));
    if (to == TYPE_F16) return narrow_f16(c, before_half(c, from, x));
    if (to == TYPE_BF16) return narrow_bf16(c, before_half(c, from, x));
    if (!type_is_float(from) && c->zero) return integer_to_bytes(c, from, to, x);
    if (!type_is_float(from))
        return type_is_float(to) ? integer_to_float(c, from, to, x) : integer_to_integer(c, from, to, x);
    if (!type_is_float(to)) return float_to_integer(c, from, to, x);
    return (to == TYPE_F64 ? LLVMBuildFPExt : LLVMBuildFPTrunc)(c->b, x, vector_of(c, to), "");
}

LLVMValueRef lower_convert(lower_module *m, LLVMBuilderRef builder, cvk_type from, cvk_type to, int zero,
                           LLVMValueRef a) {
    const converter c = {m, builder, (int)LLVMGetVectorSize(LLVMTypeOf(a)), zero};
    return convert(&c, from, to, a);
}
