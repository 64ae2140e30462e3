/* Residues: sums, products and quotients are exact. What is no polynomial, the comparisons and the functions of
 * post-ops, are symbols under the words of nest/ops.def and nest/math.def: the very nest that is compiled is judged,
 * and ref/formula.c says the same post-op in the same words. A post-op left out, taken twice, or out of order gives
 * other values, which would not show were such operations left out on both sides or compared as numbers. */
#include "ref/residue.h"
#include "ref/ring.h"

#include "nest/math.h"

RING_LANES(copy, residue, a)
RING_LANES(fma_exact, residue, residue_fma(a, b, c))
RING_LANES(add, residue, residue_add(a, b))
RING_LANES(sub, residue, residue_sub(a, b))
RING_LANES(mul, residue, residue_mul(a, b))

static void quotient(void *to, const void *const *from, int lanes) {
    const residue *a = from[0], *b = from[1];
    residue over = 0, inverse = 0;
    for (int l = 0; l < lanes; l++) {
        if (b[l] != over) inverse = residue_inverse(over = b[l]);
        ((residue *)to)[l] = residue_mul(a[l], inverse);
    }
}

static void least(void *to, const void *const *from, int lanes) {
    uint64_t symbol = residue_symbol("min");
    const residue *a = from[0], *b = from[1];
    for (int l = 0; l < lanes; l++) ((residue *)to)[l] = residue_apply_commutative(symbol, a[l], b[l]);
}

static void greatest(void *to, const void *const *from, int lanes) {
    uint64_t symbol = residue_symbol("max");
    const residue *a = from[0], *b = from[1];
    for (int l = 0; l < lanes; l++) ((residue *)to)[l] = residue_apply_commutative(symbol, a[l], b[l]);
}

/* By `sources` of the operation. */
static void symbolic(const char *word, int sources, void *to, const void *const *from, int lanes) {
    uint64_t symbol = residue_symbol(word);
    const residue *a = from[0], *b = from[1], *c = from[2];
    for (int l = 0; l < lanes; l++)
        ((residue *)to)[l] = residue_apply(symbol, a[l], sources > 1 ? b[l] : 0, sources > 2 ? c[l] : 0);
}

#define SYMBOLIC(name, word, sources)                                                                                  \
    static void name(void *to, const void *const *from, int lanes) { symbolic(word, sources, to, from, lanes); }
SYMBOLIC(select_negative, "select_negative", 3)
SYMBOLIC(magnitude, "abs", 1)
SYMBOLIC(with_sign, "copysign", 2)
SYMBOLIC(exp2i, "exp2i", 1)
#define NEST_MATH(name, word, ulp, formula) SYMBOLIC(call_##name, word, 1)
#include "nest/math.def"
#undef NEST_MATH

static void constant(const nest_op *op, void *lane) { *(residue *)lane = residue_of_double((double)op->value); }

const ring ring_residue = {
    .bytes = sizeof(residue),
    .constant = constant,
    .lanewise =
        {
            [OP_COPY] = copy,
            [OP_FMA] = fma_exact,
            [OP_ADD] = add,
            [OP_SUB] = sub,
            [OP_MUL] = mul,
            [OP_DIV] = quotient,
            [OP_MIN] = least,
            [OP_MAX] = greatest,
            [OP_ABS] = magnitude,
            [OP_EXP2I] = exp2i,
            [OP_SELECT_NEGATIVE] = select_negative,
            [OP_COPYSIGN] = with_sign,
        },
    .call =
        {
#define NEST_MATH(name, word, ulp, formula) [MATH_##name] = call_##name,
#include "nest/math.def"
#undef NEST_MATH
        },
};
