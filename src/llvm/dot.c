/* Sums of products of neighbours: one instruction where the target has it, else in the lanes of the sums, each of which
 * holds its neighbours' bytes. What saturates (vpmaddubsw) is never used. */
#include "llvm/lowering.h"

typedef struct dotter {
    lower_module *m;
    LLVMBuilderRef b;
    LLVMTypeRef sums; /* a vector */
} dotter;

/* Field number i of `bits` bits in every lane of 32, widened by its own sign or by none. */
static LLVMValueRef field(const dotter *d, cvk_type type, LLVMValueRef lanes, unsigned i) {
    unsigned bits = (unsigned)type_rows[type].bits;
    LLVMValueRef top = LLVMBuildShl(d->b, lanes, lower_splat_bits(d->sums, 32 - bits * (i + 1)), "");
    LLVMValueRef by = lower_splat_bits(d->sums, 32 - bits);
    return type_rows[type].kind == KIND_SIGNED ? LLVMBuildAShr(d->b, top, by, "") : LLVMBuildLShr(d->b, top, by, "");
}

/* Bytes number `odd` and `odd` + 2 of every lane of 32, as two numbers of 16 bits. */
static LLVMValueRef alternate(const dotter *d, cvk_type type, LLVMValueRef lanes, bool odd) {
    LLVMTypeRef pairs = LLVMVectorType(LLVMInt16TypeInContext(d->m->context), 2 * LLVMGetVectorSize(d->sums));
    LLVMValueRef x = LLVMBuildBitCast(d->b, lanes, pairs, ""), eight = lower_splat_bits(pairs, 8);
    if (!odd) x = LLVMBuildShl(d->b, x, eight, "");
    return type_rows[type].kind == KIND_SIGNED ? LLVMBuildAShr(d->b, x, eight, "") : LLVMBuildLShr(d->b, x, eight, "");
}

/* ---- instructions ---- */

/* How one is called. */
typedef enum call_form {
    FORM_ADDS,    /* sums, a, b, whose factors are seen as the lanes they fill */
    FORM_FACTORS, /* sums, a, b, of types that its name has */
    FORM_SCALES,  /* the same on SVE's vectors */
    FORM_HALVES,  /* sums, a, b, whose factors are bf16 */
    FORM_WIDENS,  /* sums, a, b of f16, the lower lanes of as many as fill a register */
    FORM_PAIRS    /* a, b of 16 bits; what comes out is to be added */
} call_form;

static const struct instruction {
    uint64_t feature;
    unsigned lanes; /* of sums */
    cvk_type a, b;
    call_form form;
    const char *name;
} INSTRUCTIONS[] = {
    {CVK_CPU_AVX512VNNI, 16, TYPE_U8, TYPE_S8, FORM_ADDS, "llvm.x86.avx512.vpdpbusd.512"},
    {CVK_CPU_AVX512VNNI | CVK_CPU_AVXVNNI, 8, TYPE_U8, TYPE_S8, FORM_ADDS, "llvm.x86.avx512.vpdpbusd.256"},
    {CVK_CPU_AVX512VNNI | CVK_CPU_AVXVNNI, 4, TYPE_U8, TYPE_S8, FORM_ADDS, "llvm.x86.avx512.vpdpbusd.128"},
    {CVK_CPU_AVX512VNNI, 16, TYPE_S16, TYPE_S16, FORM_ADDS, "llvm.x86.avx512.vpdpwssd.512"},
    {CVK_CPU_AVX512VNNI | CVK_CPU_AVXVNNI, 8, TYPE_S16, TYPE_S16, FORM_ADDS, "llvm.x86.avx512.vpdpwssd.256"},
    {CVK_CPU_AVX512VNNI | CVK_CPU_AVXVNNI, 4, TYPE_S16, TYPE_S16, FORM_ADDS, "llvm.x86.avx512.vpdpwssd.128"},
    {CVK_CPU_AVX512BF16, 16, TYPE_BF16, TYPE_BF16, FORM_HALVES, "llvm.x86.avx512bf16.dpbf16ps.512"},
    {CVK_CPU_AVX512BF16, 8, TYPE_BF16, TYPE_BF16, FORM_HALVES, "llvm.x86.avx512bf16.dpbf16ps.256"},
    {CVK_CPU_AVX512BF16, 4, TYPE_BF16, TYPE_BF16, FORM_HALVES, "llvm.x86.avx512bf16.dpbf16ps.128"},
    {CVK_CPU_AVX512BW, 16, TYPE_S16, TYPE_S16, FORM_PAIRS, "llvm.x86.avx512.pmaddw.d.512"},
    {CVK_CPU_AVX2, 8, TYPE_S16, TYPE_S16, FORM_PAIRS, "llvm.x86.avx2.pmadd.wd"},
    {CVK_CPU_SSE2, 4, TYPE_S16, TYPE_S16, FORM_PAIRS, "llvm.x86.sse2.pmadd.wd"},
    {CVK_CPU_SIMD128, 4, TYPE_S16, TYPE_S16, FORM_PAIRS, "llvm.wasm.dot"},
    {CVK_CPU_DOTPROD, 4, TYPE_S8, TYPE_S8, FORM_FACTORS, "llvm.aarch64.neon.sdot"},
    {CVK_CPU_DOTPROD, 4, TYPE_U8, TYPE_U8, FORM_FACTORS, "llvm.aarch64.neon.udot"},
    {CVK_CPU_FP16FML, 4, TYPE_F16, TYPE_F16, FORM_WIDENS, "llvm.aarch64.neon.fmlal"},
    {CVK_CPU_SVE256, 8, TYPE_S8, TYPE_S8, FORM_SCALES, "llvm.aarch64.sve.sdot"},
    {CVK_CPU_SVE256, 8, TYPE_U8, TYPE_U8, FORM_SCALES, "llvm.aarch64.sve.udot"},
};

static const struct instruction *find(const dotter *d, cvk_type a, cvk_type b) {
    for (size_t i = 0; i < sizeof INSTRUCTIONS / sizeof *INSTRUCTIONS; i++) {
        const struct instruction *row = &INSTRUCTIONS[i];
        const bool has = d->m->target->cpu_features & row->feature;
        if (has && row->lanes == LLVMGetVectorSize(d->sums) && row->a == a && row->b == b) return row;
    }
    return NULL;
}

static LLVMValueRef call2(const dotter *d, const char *name, LLVMValueRef a, LLVMValueRef b) {
    return lower_intrinsic(d->m, d->b, name, NULL, 0, (LLVMValueRef[]){a, b}, 2);
}

static LLVMValueRef call_on_lanes(const dotter *d, const char *name, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c) {
    LLVMValueRef x = LLVMBuildBitCast(d->b, a, d->sums, ""), y = LLVMBuildBitCast(d->b, b, d->sums, "");
    return lower_intrinsic(d->m, d->b, name, NULL, 0, (LLVMValueRef[]){c, x, y}, 3);
}

/* Elsewhere bf16 is its bits. */
static LLVMValueRef call_on_halves(const dotter *d, const char *name, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c) {
    LLVMTypeRef halves = LLVMVectorType(LLVMBFloatTypeInContext(d->m->context), LLVMGetVectorSize(LLVMTypeOf(a)));
    LLVMValueRef x = LLVMBuildBitCast(d->b, a, halves, ""), y = LLVMBuildBitCast(d->b, b, halves, "");
    return lower_intrinsic(d->m, d->b, name, NULL, 0, (LLVMValueRef[]){c, x, y}, 3);
}

static LLVMValueRef call_on_factors(const dotter *d, const char *name, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c) {
    LLVMTypeRef types[] = {d->sums, LLVMTypeOf(a)};
    return lower_intrinsic(d->m, d->b, name, types, 2, (LLVMValueRef[]){c, a, b}, 3);
}

/* As many lanes again, of which nothing is said, and seen as f16. */
static LLVMValueRef filled_halves(const dotter *d, LLVMValueRef x) {
    enum { LANES = 8 };
    LLVMValueRef lane[LANES];
    const int count = (int)LLVMGetVectorSize(LLVMTypeOf(x));
    for (int l = 0; l < LANES; l++)
        lane[l] = l < count ? LLVMConstInt(d->m->i32, (unsigned)l, false) : LLVMGetPoison(d->m->i32);
    LLVMValueRef wide = LLVMBuildShuffleVector(d->b, x, LLVMGetPoison(LLVMTypeOf(x)), LLVMConstVector(lane, LANES), "");
    return LLVMBuildBitCast(d->b, wide, LLVMVectorType(LLVMHalfTypeInContext(d->m->context), LANES), "");
}

static LLVMValueRef call_on_lower(const dotter *d, const char *name, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c) {
    LLVMValueRef arguments[] = {c, filled_halves(d, a), filled_halves(d, b)};
    LLVMTypeRef types[] = {d->sums, LLVMTypeOf(arguments[1])};
    return lower_intrinsic(d->m, d->b, name, types, 2, arguments, 3);
}

/* The first lanes of a vector of SVE's, whose least length they fill. */
static LLVMValueRef scaled(const dotter *d, LLVMValueRef fixed) {
    LLVMTypeRef own = LLVMTypeOf(fixed);
    const unsigned least = LLVMGetVectorSize(own) / (unsigned)d->m->target->vscale;
    LLVMTypeRef scalable = LLVMScalableVectorType(LLVMGetElementType(own), least);
    LLVMValueRef arguments[] = {LLVMGetPoison(scalable), fixed, LLVMConstInt(d->m->i64, 0, false)};
    return lower_intrinsic(d->m, d->b, "llvm.vector.insert", (LLVMTypeRef[]){scalable, own}, 2, arguments, 3);
}

static LLVMValueRef call_on_scaled(const dotter *d, const char *name, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c) {
    LLVMValueRef arguments[] = {scaled(d, c), scaled(d, a), scaled(d, b)};
    LLVMTypeRef scalable = LLVMTypeOf(arguments[0]);
    LLVMValueRef all = lower_intrinsic(d->m, d->b, name, &scalable, 1, arguments, 3);
    LLVMValueRef first[] = {all, LLVMConstInt(d->m->i64, 0, false)};
    return lower_intrinsic(d->m, d->b, "llvm.vector.extract", (LLVMTypeRef[]){d->sums, scalable}, 2, first, 2);
}

static LLVMValueRef call(const dotter *d, const struct instruction *row, LLVMValueRef a, LLVMValueRef b,
                         LLVMValueRef c) {
    switch (row->form) {
    case FORM_ADDS: return call_on_lanes(d, row->name, a, b, c);
    case FORM_FACTORS: return call_on_factors(d, row->name, a, b, c);
    case FORM_SCALES: return call_on_scaled(d, row->name, a, b, c);
    case FORM_HALVES: return call_on_halves(d, row->name, a, b, c);
    case FORM_WIDENS: return call_on_lower(d, row->name, a, b, c);
    case FORM_PAIRS: break;
    }
    return LLVMBuildAdd(d->b, c, call2(d, row->name, a, b), "");
}

/* ---- without one ---- */

/* Bytes as pairs of 16 bits, where there is an instruction for those. */
static LLVMValueRef by_pairs(const dotter *d, const struct instruction *pairs, const cvk_type type[2], LLVMValueRef a,
                             LLVMValueRef b, LLVMValueRef c) {
    for (int odd = 0; odd < 2; odd++)
        c = call(d, pairs, alternate(d, type[0], a, odd), alternate(d, type[1], b, odd), c);
    return c;
}

static LLVMValueRef by_fields(const dotter *d, const cvk_type type[2], LLVMValueRef a, LLVMValueRef b, LLVMValueRef c) {
    LLVMValueRef x = LLVMBuildBitCast(d->b, a, d->sums, ""), y = LLVMBuildBitCast(d->b, b, d->sums, "");
    for (unsigned i = 0; i < 4 / (unsigned)type_bytes(type[0]); i++) {
        LLVMValueRef product = LLVMBuildMul(d->b, field(d, type[0], x, i), field(d, type[1], y, i), "");
        c = LLVMBuildAdd(d->b, c, product, "");
    }
    return c;
}

/* What it is for f16, of which there is one product. */
static LLVMValueRef by_widening(const dotter *d, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c) {
    LLVMValueRef x = lower_convert(d->m, d->b, TYPE_F16, TYPE_F32, 0, a);
    return lower_fused(d->m, d->b, x, lower_convert(d->m, d->b, TYPE_F16, TYPE_F32, 0, b), c);
}

LLVMValueRef lower_dot(lower_module *m, LLVMBuilderRef builder, cvk_type a_type, cvk_type b_type, LLVMValueRef a,
                       LLVMValueRef b, LLVMValueRef c) {
    const dotter d = {m, builder, LLVMTypeOf(c)};
    const cvk_type type[2] = {a_type, b_type};
    const struct instruction *one = find(&d, a_type, b_type), *turned = find(&d, b_type, a_type);
    if (one) return call(&d, one, a, b, c);
    if (turned) return call(&d, turned, b, a, c);
    if (a_type == TYPE_F16) return by_widening(&d, a, b, c);
    const struct instruction *pairs = find(&d, TYPE_S16, TYPE_S16);
    return pairs ? by_pairs(&d, pairs, type, a, b, c) : by_fields(&d, type, a, b, c);
}
