/* Residues: sums, products and quotients are exact. What is no polynomial, the comparisons and the functions of
 * post-ops, are symbols under the words of nest/ops.def and nest/math.def: the very nest that is compiled is judged,
 * and judge/formula.c says the same post-op in the same words. A post-op left out, taken twice, or out of order gives
 * other values, which would not show were such operations left out on both sides or compared as numbers. */
#include "nest/math.h"
#include "judge/residue.h"
#include "judge/ring.h"

RING_LANES(copy, residue, a)
/* Types make no difference, what stands for 0 does. */
RING_LANES(convert, residue, residue_add(a, residue_of_integer(amount)))
RING_LANES(fma_exact, residue, residue_fma(a, b, c))
RING_LANES(add, residue, residue_add(a, b))
RING_LANES(sub, residue, residue_sub(a, b))
RING_LANES(mul, residue, residue_mul(a, b))

static void quotient(void *to, const void *const *from, int lanes, int amount) {
    const residue *a = from[0], *b = from[1];
    (void)amount;
    residue over = 0, inverse = 0;
    for (int l = 0; l < lanes; l++) {
        if (b[l] != over) inverse = residue_inverse(over = b[l]);
        ((residue *)to)[l] = residue_mul(a[l], inverse);
    }
}

static void least(void *to, const void *const *from, int lanes, int amount) {
    uint64_t symbol = residue_symbol("min");
    (void)amount;
    const residue *a = from[0], *b = from[1];
    for (int l = 0; l < lanes; l++) ((residue *)to)[l] = residue_apply_commutative(symbol, a[l], b[l]);
}

static void greatest(void *to, const void *const *from, int lanes, int amount) {
    uint64_t symbol = residue_symbol("max");
    (void)amount;
    const residue *a = from[0], *b = from[1];
    for (int l = 0; l < lanes; l++) ((residue *)to)[l] = residue_apply_commutative(symbol, a[l], b[l]);
}

RING_LANES(maximum, residue, residue_is_greater(a, b) ? a : b)
RING_LANES(is_greater, residue, residue_is_greater(a, b) ? RESIDUE_PRIME - 1 : 0)

/* By `sources` of the operation. */
static void symbolic(const char *word, int sources, void *to, const void *const *from, int lanes) {
    uint64_t symbol = residue_symbol(word);
    const residue *a = from[0], *b = from[1], *c = from[2];
    for (int l = 0; l < lanes; l++)
        ((residue *)to)[l] = residue_apply(symbol, a[l], sources > 1 ? b[l] : 0, sources > 2 ? c[l] : 0);
}

#define SYMBOLIC(name, word, sources)                                                                                  \
    static void name(void *to, const void *const *from, int lanes, int amount) {                                       \
        (void)amount;                                                                                                  \
        symbolic(word, sources, to, from, lanes);                                                                      \
    }
SYMBOLIC(select_negative, "select_negative", 3)
SYMBOLIC(magnitude, "abs", 1)
SYMBOLIC(root, "sqrt", 1)
SYMBOLIC(with_sign, "copysign", 2)
SYMBOLIC(exp2i, "exp2i", 1)
SYMBOLIC(scale_half_up, "scale_half_up", 3)
SYMBOLIC(scale_double, "scale_double", 3)
#define NEST_MATH(name, word, ulp, formula) SYMBOLIC(call_##name, word, 1)
#include "nest/math.def"
#undef NEST_MATH

/* 2^61 is 1. */
RING_LANES(shift_left, residue, residue_mul(a, UINT64_C(1) << amount % 61))

static void shift_right(void *to, const void *const *from, int lanes, int amount) {
    uint64_t symbol = residue_symbol("shift_right");
    for (int l = 0; l < lanes; l++)
        ((residue *)to)[l] = residue_apply(symbol, ((const residue *)from[0])[l], (residue)amount, 0);
}

void ring_residue_dot(void *to, const void *a, const void *b, const void *c, int lanes, int n) {
    const residue *x = a, *y = b;
    for (int l = 0; l < lanes; l++) {
        residue sum = ((const residue *)c)[l];
        for (int i = l * n; i < (l + 1) * n; i++) sum = residue_fma(x[i], y[i], sum);
        ((residue *)to)[l] = sum;
    }
}

static residue ratio(int64_t over, int64_t under) {
    return residue_mul(residue_of_integer(over), residue_inverse(residue_of_integer(under)));
}

static void constant(const nest_op *op, void *lane) {
    *(residue *)lane = op->under ? ratio(op->over, op->under) : residue_of_double(op->value);
}

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
            [OP_MAXIMUM] = maximum,
            [OP_GREATER] = is_greater,
            [OP_ABS] = magnitude,
            [OP_SQRT] = root,
            [OP_EXP2I] = exp2i,
            [OP_SELECT_NEGATIVE] = select_negative,
            [OP_COPYSIGN] = with_sign,
            [OP_SHIFT_LEFT] = shift_left,
            [OP_SHIFT_RIGHT] = shift_right,
            [OP_SCALE_HALF_UP] = scale_half_up,
            [OP_SCALE_DOUBLE] = scale_double,
            [OP_CONVERT] = convert,
        },
    .call =
        {
#define NEST_MATH(name, word, ulp, formula) [MATH_##name] = call_##name,
#include "nest/math.def"
#undef NEST_MATH
        },
};
