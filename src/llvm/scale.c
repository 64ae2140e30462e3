/* Sums of 32 bits times a multiplier, rounded: the two scales of nest/ops.def. Products have 64 bits. x86 multiplies
 * every other lane of a register, so there they stay where they are; NEON has instructions that round; others have the
 * lanes of a vector twice as wide. */
#include "llvm/lowering.h"

typedef struct scaler {
    lower_module *m;
    LLVMBuilderRef b;
    LLVMTypeRef words; /* vector of s32 */
    int lanes;
} scaler;

static LLVMValueRef word(const scaler *s, int32_t value) {
    return lower_splat_bits(s->words, (uint64_t)(int64_t)value);
}
static LLVMValueRef same_as(LLVMValueRef x, int64_t value) { return lower_splat_bits(LLVMTypeOf(x), (uint64_t)value); }

static LLVMValueRef call(const scaler *s, const char *name, LLVMTypeRef *overload, unsigned overloads, LLVMValueRef a,
                         LLVMValueRef b) {
    return lower_intrinsic(s->m, s->b, name, overload, overloads, (LLVMValueRef[]){a, b}, 2);
}

/* Of two vectors alike. */
static LLVMValueRef pick(const scaler *s, const char *name, LLVMValueRef a, LLVMValueRef b) {
    LLVMTypeRef type = LLVMTypeOf(a);
    return call(s, name, &type, 1, a, b);
}

static LLVMValueRef limited(const scaler *s, LLVMValueRef x, int32_t low, int32_t high) {
    return pick(s, "llvm.smin", pick(s, "llvm.smax", x, word(s, low)), word(s, high));
}

/* ---- products of 64 bits ---- */

enum { MOST_PARTS = 2 };

static bool takes_every_other(const scaler *s) {
    return (s->m->target->cpu_features & CVK_CPU_SSE2) && s->lanes % 2 == 0;
}

static int parts_of(const scaler *s) { return takes_every_other(s) ? MOST_PARTS : 1; }

/* Lanes of one part, widened: those of even numbers, of odd ones, or all. */
static LLVMValueRef part_of(const scaler *s, LLVMValueRef x, int part) {
    const unsigned lanes = (unsigned)(s->lanes / parts_of(s));
    LLVMTypeRef wide = LLVMVectorType(s->m->i64, lanes);
    if (!takes_every_other(s)) return LLVMBuildSExt(s->b, x, wide, "");
    x = LLVMBuildBitCast(s->b, x, wide, "");
    if (part == 0) x = LLVMBuildShl(s->b, x, same_as(x, 32), "");
    return LLVMBuildAShr(s->b, x, same_as(x, 32), "");
}

/* The lower halves of all parts' lanes. */
static LLVMValueRef joined(const scaler *s, LLVMValueRef part[MOST_PARTS]) {
    if (!takes_every_other(s)) return LLVMBuildTrunc(s->b, part[0], s->words, "");
    LLVMValueRef even = LLVMBuildAnd(s->b, part[0], same_as(part[0], UINT32_MAX), "");
    LLVMValueRef odd = LLVMBuildShl(s->b, part[1], same_as(part[1], 32), "");
    return LLVMBuildBitCast(s->b, LLVMBuildOr(s->b, even, odd, ""), s->words, "");
}

static LLVMValueRef product(const scaler *s, LLVMValueRef a, LLVMValueRef b, int part) {
    return LLVMBuildMul(s->b, part_of(s, a, part), part_of(s, b, part), "");
}

static bool has_neon(const scaler *s) { return (s->m->target->cpu_features & CVK_CPU_NEON) && s->lanes == 4; }

/* ---- half up ---- */

/* floor((p + 2^(s-1)) / 2^s): nothing leaves 64 bits. */
static LLVMValueRef shifted_half_up(const scaler *s, LLVMValueRef p, LLVMValueRef shift) {
    LLVMValueRef half = LLVMBuildShl(s->b, same_as(p, 1), LLVMBuildSub(s->b, shift, same_as(p, 1), ""), "");
    return LLVMBuildAShr(s->b, LLVMBuildAdd(s->b, p, half, ""), shift, "");
}

static LLVMValueRef saturated(const scaler *s, LLVMValueRef x) {
    return pick(s, "llvm.smin", pick(s, "llvm.smax", x, same_as(x, INT32_MIN)), same_as(x, INT32_MAX));
}

/* Two lanes of NEON: a rounding shift to the left by less than nothing. */
static LLVMValueRef half_up_neon(const scaler *s, LLVMValueRef p, LLVMValueRef shift) {
    LLVMTypeRef narrow = LLVMVectorType(s->m->i32, 2);
    p = pick(s, "llvm.aarch64.neon.srshl", p, LLVMBuildNeg(s->b, shift, ""));
    return lower_intrinsic(s->m, s->b, "llvm.aarch64.neon.sqxtn", &narrow, 1, &p, 1);
}

static LLVMValueRef lanes_of(const scaler *s, LLVMValueRef a, LLVMValueRef b, int first, int count) {
    LLVMValueRef index[NEST_MOST_LANES];
    for (int i = 0; i < count; i++) index[i] = LLVMConstInt(s->m->i32, (unsigned)(first + i), false);
    return LLVMBuildShuffleVector(s->b, a, b, LLVMConstVector(index, (unsigned)count), "");
}

static LLVMValueRef scale_half_up_neon(const scaler *s, LLVMValueRef a, LLVMValueRef by, LLVMValueRef shift) {
    LLVMTypeRef wide = LLVMVectorType(s->m->i64, 2);
    LLVMValueRef half[2];
    for (int i = 0; i < 2; i++) {
        LLVMValueRef x = lanes_of(s, a, a, 2 * i, 2), m = lanes_of(s, by, by, 2 * i, 2);
        LLVMValueRef p = call(s, "llvm.aarch64.neon.smull", &wide, 1, x, m);
        half[i] = half_up_neon(s, p, LLVMBuildSExt(s->b, lanes_of(s, shift, shift, 2 * i, 2), wide, ""));
    }
    return lanes_of(s, half[0], half[1], 0, 4);
}

static LLVMValueRef scale_half_up(const scaler *s, LLVMValueRef a, LLVMValueRef by, LLVMValueRef shift) {
    shift = limited(s, shift, 1, 62);
    if (has_neon(s)) return scale_half_up_neon(s, a, by, shift);
    LLVMValueRef part[MOST_PARTS];
    for (int i = 0; i < parts_of(s); i++)
        part[i] = saturated(s, shifted_half_up(s, product(s, a, by, i), part_of(s, shift, i)));
    return joined(s, part);
}

/* ---- double ---- */

/* floor((2 a b + 2^31) / 2^32), which one product of all leaves 32 bits with. */
static LLVMValueRef doubling_high(const scaler *s, LLVMValueRef a, LLVMValueRef b) {
    LLVMTypeRef type = s->words;
    LLVMValueRef part[MOST_PARTS], least = word(s, INT32_MIN);
    if (has_neon(s)) return call(s, "llvm.aarch64.neon.sqrdmulh", &type, 1, a, b);
    for (int i = 0; i < parts_of(s); i++) {
        LLVMValueRef p = product(s, a, b, i);
        p = LLVMBuildAdd(s->b, p, same_as(p, INT64_C(1) << 30), "");
        part[i] = LLVMBuildLShr(s->b, p, same_as(p, 31), "");
    }
    LLVMValueRef both = LLVMBuildAnd(s->b, LLVMBuildICmp(s->b, LLVMIntEQ, a, least, ""),
                                     LLVMBuildICmp(s->b, LLVMIntEQ, b, least, ""), "");
    return LLVMBuildSelect(s->b, both, word(s, INT32_MAX), joined(s, part), "");
}

/* x / 2^shift: one more where the rest that a shift drops is more than half, or half of what is not negative. */
static LLVMValueRef shifted_away(const scaler *s, LLVMValueRef x, LLVMValueRef shift) {
    LLVMValueRef rests = LLVMBuildSub(s->b, LLVMBuildShl(s->b, word(s, 1), shift, ""), word(s, 1), "");
    LLVMValueRef negative = LLVMBuildLShr(s->b, x, word(s, 31), "");
    LLVMValueRef most = LLVMBuildAdd(s->b, LLVMBuildLShr(s->b, rests, word(s, 1), ""), negative, "");
    LLVMValueRef more = LLVMBuildICmp(s->b, LLVMIntSGT, LLVMBuildAnd(s->b, x, rests, ""), most, "");
    return LLVMBuildSub(s->b, LLVMBuildAShr(s->b, x, shift, ""), LLVMBuildSExt(s->b, more, s->words, ""), "");
}

/* The rounding shift of NEON takes ties up: what is negative is less by one before. */
static LLVMValueRef shifted_away_neon(const scaler *s, LLVMValueRef x, LLVMValueRef shift) {
    LLVMTypeRef type = s->words;
    LLVMValueRef left = LLVMBuildNeg(s->b, shift, "");
    LLVMValueRef less = LLVMBuildAShr(s->b, LLVMBuildAnd(s->b, x, left, ""), word(s, 31), "");
    x = call(s, "llvm.aarch64.neon.sqadd", &type, 1, x, less);
    return call(s, "llvm.aarch64.neon.srshl", &type, 1, x, left);
}

static LLVMValueRef scale_double(const scaler *s, LLVMValueRef a, LLVMValueRef by, LLVMValueRef shift) {
    LLVMValueRef left = limited(s, LLVMBuildNeg(s->b, shift, ""), 0, 31), right = limited(s, shift, 0, 31);
    LLVMValueRef high = doubling_high(s, pick(s, "llvm.sshl.sat", a, left), by);
    return has_neon(s) ? shifted_away_neon(s, high, right) : shifted_away(s, high, right);
}

LLVMValueRef lower_scale(lower_module *m, LLVMBuilderRef builder, op_kind kind, LLVMValueRef a, LLVMValueRef by,
                         LLVMValueRef shift) {
    const scaler s = {m, builder, LLVMTypeOf(a), (int)LLVMGetVectorSize(LLVMTypeOf(a))};
    return (kind == OP_SCALE_HALF_UP ? scale_half_up : scale_double)(&s, a, by, shift);
}
