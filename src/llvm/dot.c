/* Sums of products of neighbours: one instruction where the target has it, else in the lanes of the sums, each of which
 * holds its neighbours' bytes. What saturates (vpmaddubsw) is never used. */
#include "llvm/lowering.h"

#include <string.h>

typedef struct dotter {
    lower_module *m;
    LLVMBuilderRef b;
    LLVMTypeRef sums; /* vector of s32 */
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

/* x86's products of 16 bits, added in pairs without saturation; NULL where there is none of this width. */
static const char *pair_products(const dotter *d) {
    static const struct row {
        unsigned lanes;
        uint64_t feature;
        const char *name;
    } ROWS[] = {{4, CVK_CPU_SSE2, "llvm.x86.sse2.pmadd.wd"},
                {8, CVK_CPU_AVX2, "llvm.x86.avx2.pmadd.wd"},
                {16, CVK_CPU_AVX512BW, "llvm.x86.avx512.pmaddw.d.512"}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (LLVMGetVectorSize(d->sums) == ROWS[i].lanes && (d->m->target->cpu_features & ROWS[i].feature))
            return ROWS[i].name;
    return NULL;
}

static LLVMValueRef call2(const dotter *d, const char *name, LLVMValueRef a, LLVMValueRef b) {
    return lower_intrinsic(d->m, d->b, name, NULL, 0, (LLVMValueRef[]){a, b}, 2);
}

static LLVMValueRef by_pairs(const dotter *d, const char *name, cvk_type type[2], LLVMValueRef a, LLVMValueRef b,
                             LLVMValueRef c) {
    if (type_bytes(type[0]) == 2) return LLVMBuildAdd(d->b, c, call2(d, name, a, b), "");
    for (int odd = 0; odd < 2; odd++) {
        LLVMValueRef x = alternate(d, type[0], a, odd), y = alternate(d, type[1], b, odd);
        c = LLVMBuildAdd(d->b, c, call2(d, name, x, y), "");
    }
    return c;
}

static LLVMValueRef by_fields(const dotter *d, cvk_type type[2], LLVMValueRef a, LLVMValueRef b, LLVMValueRef c) {
    for (unsigned i = 0; i < 4 / (unsigned)type_bytes(type[0]); i++) {
        LLVMValueRef product = LLVMBuildMul(d->b, field(d, type[0], a, i), field(d, type[1], b, i), "");
        c = LLVMBuildAdd(d->b, c, product, "");
    }
    return c;
}

LLVMValueRef lower_dot(lower_module *m, LLVMBuilderRef builder, cvk_type a_type, cvk_type b_type, LLVMValueRef a,
                       LLVMValueRef b, LLVMValueRef c) {
    const dotter d = {m, builder, LLVMTypeOf(c)};
    cvk_type type[2] = {a_type, b_type};
    const char *pairs = pair_products(&d);
    if (pairs) return by_pairs(&d, pairs, type, a, b, c);
    LLVMValueRef x = LLVMBuildBitCast(builder, a, d.sums, ""), y = LLVMBuildBitCast(builder, b, d.sums, "");
    return by_fields(&d, type, x, y, c);
}
