/* nest_math: needs only the kind; gives a branch-free program of nest operations, whose results are right with and
 * without fused multiply-adds (the largest errors measured stand in nest/math.def).
 *
 * The programs share one exponential. x = n ln 2 + r with |r| <= 0.3475, n found by adding and taking away 3 2^22; ln 2
 * is 355/512 (9 bits, so that n times it is exact) and a rest. e^r - 1 = r + r^2 P(r). 2^n is applied in two factors,
 * so that results below 2^-126 are rounded once. All arguments of the exponential are <= 0: nothing overflows. Where
 * its argument is computed it comes in two parts, whose sum has about 30 bits; without, the tails would lose 7 bits.
 *
 * Tails are computed as such: x f(x) = max(x, 0) - |x| f(-|x|) for f = sigmoid, the normal distribution, and
 * (1 + tanh u) / 2 = sigmoid(2 u). NaN passes since constants stand first in min and max. x f(x) at -Inf is NaN, as the
 * formula has it there, -Inf times 0: x - min(x, 0) stands for max(x, 0), and is NaN where that would be 0.
 *
 * The coefficients come from linear least squares on Chebyshev nodes in double, weighted anew (Lawson's algorithm)
 * until the greatest relative error was least, and rounded to float one after another, the others being fitted again:
 *   P, degree 4, |r| <= 0.3475: e^r - 1 within 2^-26.1
 *   Q, degree 8, 0 <= t <= 1: log(1 + t) = t + t^2 Q(t) within 2^-27.5
 *   N, D, degrees 3 and 4, 0 <= a <= 14.6: 1 / (2 e^(a^2 / 2) Phi(-a)) = 1 + a (C + N(a) / D(a)) within 2^-26.4. D and
 * C, near sqrt(pi / 2), are those of the nearest rational function; N was fitted to them. All of N is negative and all
 * of D positive, so that neither cancels. */
#include "nest/math.h"

#include <string.h>

/* Steps are numbers; a helper makes one and returns it. Where it takes a number, it makes the constant, too. */
typedef struct program {
    arena *arena;
    int count, capacity;
    math_step *step;
} program;

static const int ARGUMENT = 0;

static int add_step(program *p, math_step s) {
    if (p->count == p->capacity) {
        p->capacity = p->capacity ? 2 * p->capacity : 64;
        math_step *grown = arena_array(p->arena, math_step, p->capacity);
        if (p->count) memcpy(grown, p->step, sizeof *grown * (size_t)p->count);
        p->step = grown;
    }
    p->step[p->count] = s;
    return p->count++;
}

static int constant(program *p, float value) {
    return add_step(p, (math_step){.kind = OP_CONST, .value = (double)value});
}
static int apply(program *p, op_kind kind, int a, int b, int c) {
    return add_step(p, (math_step){.kind = kind, .a = a, .b = b, .c = c});
}

static int fma3(program *p, int a, int b, int c) { return apply(p, OP_FMA, a, b, c); }
static int add(program *p, int a, int b) { return apply(p, OP_ADD, a, b, 0); }
static int sub(program *p, int a, int b) { return apply(p, OP_SUB, a, b, 0); }
static int mul(program *p, int a, int b) { return apply(p, OP_MUL, a, b, 0); }
static int quotient(program *p, int a, int b) { return apply(p, OP_DIV, a, b, 0); }
static int absolute(program *p, int a) { return apply(p, OP_ABS, a, 0, 0); }
static int exp2i(program *p, int a) { return apply(p, OP_EXP2I, a, 0, 0); }
static int with_sign(program *p, int a, int b) { return apply(p, OP_COPYSIGN, a, b, 0); }
static int if_negative(program *p, int a, int b, int c) { return apply(p, OP_SELECT_NEGATIVE, a, b, c); }

static int plus(program *p, int a, float number) { return add(p, a, constant(p, number)); }
static int times(program *p, int a, float number) { return mul(p, a, constant(p, number)); }
static int at_least(program *p, float number, int a) { return apply(p, OP_MAX, constant(p, number), a, 0); }
static int at_most(program *p, float number, int a) { return apply(p, OP_MIN, constant(p, number), a, 0); }
static int times_plus(program *p, int a, float factor, float term) {
    int f = constant(p, factor), t = constant(p, term);
    return fma3(p, a, f, t);
}
static int add_times(program *p, int sum, int a, float factor) { return fma3(p, a, constant(p, factor), sum); }

/* coefficient[0] + x (coefficient[1] + …) */
static int polynomial(program *p, int x, const float *coefficient, int count) {
    int sum = times_plus(p, x, coefficient[count - 1], coefficient[count - 2]);
    for (int i = count - 3; i >= 0; i--) sum = fma3(p, sum, x, constant(p, coefficient[i]));
    return sum;
}
#define POLYNOMIAL(p, x, coefficients) polynomial(p, x, coefficients, (int)(sizeof coefficients / sizeof *coefficients))

/* a rounded to a multiple of 2^-bits, given 3 2^(22 - bits); |a| must be below a third of that. */
static int rounded(program *p, int a, float shift) {
    int s = constant(p, shift);
    return sub(p, add(p, a, s), s);
}

static const float EXP_P[] = {0x1.fffffep-2F, 0x1.5554b2p-3F, 0x1.5556f8p-5F, 0x1.1226d8p-7F, 0x1.6b96f4p-10F};
static const float LOG_Q[] = {-0x1.ffffd2p-2F, 0x1.554ddp-2F,  -0x1.ff23e8p-3F, 0x1.934b6ep-3F, -0x1.3a43ep-3F,
                              0x1.b4b094p-4F,  -0x1.d6b76p-5F, 0x1.492126p-6F,  -0x1.af5e5p-9F};
static const float TAIL_N[] = {-0x1.d2584ap-2F, -0x1.0d203ep-2F, -0x1.239a22p-4F, -0x1.0e2172p-7F};
static const float TAIL_D[] = {0x1p+0F, 0x1.c11012p-1F, 0x1.77a348p-2F, 0x1.4d5fa6p-4F, 0x1.0e60b8p-7F};
static const float TAIL_C_HIGH = 0x1.40dp+0F, TAIL_C_LOW = 0x1.084p-13F;

static const float INTEGER_SHIFT = 0x3p22F;
static const float LOG2_E = 0x1.715476p+0F;
static const float LN2_HIGH = 0x1.63p-1F, LN2_LOW = -0x1.bd0106p-13F;

/* e^x = (1 + q) 2^n */
typedef struct exponential {
    int q, n;
} exponential;

/* x = high + low, <= 0. `low` may be 0 for none, which no computed part is. */
static exponential exponential_of(program *p, int high, int low) {
    int x = low ? add(p, high, low) : high;
    int n = rounded(p, times(p, x, LOG2_E), INTEGER_SHIFT);
    int r = add_times(p, high, n, -LN2_HIGH);
    r = low ? add(p, r, add_times(p, low, n, -LN2_LOW)) : add_times(p, r, n, -LN2_LOW);
    int square = mul(p, r, r);
    return (exponential){fma3(p, square, POLYNOMIAL(p, r, EXP_P), r), n};
}

/* 2^n = first * last, n >= -252: the first is 1 but for n < -126. */
typedef struct power {
    int first, last;
} power;

static power power_of(program *p, int n) {
    int main_part = at_least(p, -126, n);
    int first = exp2i(p, sub(p, n, main_part));
    return (power){first, exp2i(p, main_part)};
}

/* e^x for x <= 0. */
static int exp_of(program *p, const exponential *e, const power *scale) {
    return mul(p, mul(p, plus(p, e->q, 1), scale->first), scale->last);
}

/* e^x - 1 for -30 <= x <= 0: q 2^n + (2^n - 1). */
static int exp_minus_1(program *p, int x) {
    exponential e = exponential_of(p, x, 0);
    int scale = exp2i(p, e.n);
    return fma3(p, e.q, scale, plus(p, scale, -1));
}

/* e^-|x|; at `limit` it is 0. */
static int exp_of_minus_magnitude(program *p, float limit) {
    exponential e = exponential_of(p, times(p, at_most(p, limit, absolute(p, ARGUMENT)), -1), 0);
    power scale = power_of(p, e.n);
    return exp_of(p, &e, &scale);
}

/* max(x, 0) - tail, with the sign of x; at -Inf NaN. */
static int without_tail(program *p, int tail) {
    int positive = sub(p, ARGUMENT, at_most(p, 0, ARGUMENT));
    return with_sign(p, sub(p, positive, tail), ARGUMENT);
}

/* a e^x / (1 + e^x): the tail of a product with a sigmoid. */
static int sigmoid_tail(program *p, int a, const exponential *e) {
    power scale = power_of(p, e->n);
    int below = plus(p, exp_of(p, e, &scale), 1);
    int above = mul(p, fma3(p, a, e->q, a), scale.first);
    return mul(p, quotient(p, above, below), scale.last);
}

static void sigmoid(program *p) {
    int e = exp_of_minus_magnitude(p, 105);
    int above = if_negative(p, ARGUMENT, e, constant(p, 1));
    quotient(p, above, plus(p, e, 1));
}

/* With m = e^(-2 |x|) - 1: |tanh x| = |m / (m + 2)|. */
static void hyperbolic_tangent(program *p) {
    int m = exp_minus_1(p, times(p, at_most(p, 10, absolute(p, ARGUMENT)), -2));
    with_sign(p, quotient(p, m, plus(p, m, 2)), ARGUMENT);
}

static void silu(program *p) {
    int a = at_most(p, 110, absolute(p, ARGUMENT));
    exponential e = exponential_of(p, times(p, a, -1), 0);
    without_tail(p, sigmoid_tail(p, a, &e));
}

/* a Phi(-a) = a/2 e^(-a^2 / 2) / (1 + a (C + N / D)): the second quotient is small, so that its error is, too.
 * a = h + l, h a multiple of 2^-7 of 11 bits, so that h^2 and h times the 13 leading bits of C are exact:
 * a^2 = h^2 + l (a + h). */
static void gelu(program *p) {
    int a = at_most(p, 14.5F, absolute(p, ARGUMENT));
    int h = rounded(p, a, 0x3p15F), l = sub(p, a, h);
    int high = mul(p, times(p, h, -0.5F), h);
    int low = times(p, mul(p, l, add(p, a, h)), -0.5F);
    exponential e = exponential_of(p, high, low);
    power scale = power_of(p, e.n);
    int n = POLYNOMIAL(p, a, TAIL_N);
    int slope = plus(p, quotient(p, n, POLYNOMIAL(p, a, TAIL_D)), TAIL_C_LOW);
    int rest = fma3(p, a, slope, times(p, l, TAIL_C_HIGH));
    int below = add(p, rest, times_plus(p, h, TAIL_C_HIGH, 1));
    int half = times(p, a, 0.5F);
    int above = mul(p, fma3(p, half, e.q, half), scale.first);
    without_tail(p, mul(p, quotient(p, above, below), scale.last));
}

/* -2 u = C1 a + C3 a^3. a = h + l, h a multiple of 2^-5 below 11, so of 9 bits: C1 h + C3 h^3 = h (g + rest), g a
 * multiple of 2^-11 of 15 bits, so h g is exact; C1 h^2 is exact for the 7 leading bits of C3. The difference of the
 * cubics is l (C1 + C3 (a^2 + a h + h^2)). */
static const float C1 = -0x1.988454p+0F, C1_HIGH = -0x1.988p+0F, C1_LOW = -0x1.14cf5p-14F;
static const float C3 = -0x1.2444f2p-4F, C3_HIGH = -0x1.24p-4F, C3_LOW = -0x1.13ca94p-14F;

static exponential gelu_tanh_exponential(program *p, int a) {
    int h = rounded(p, a, 0x3p17F), l = sub(p, a, h), square = mul(p, h, h);
    int slope = times_plus(p, fma3(p, a, add(p, a, h), square), C3, C1);
    int g = rounded(p, times_plus(p, square, C3, C1), 0x3p11F);
    int exact = add_times(p, sub(p, constant(p, C1_HIGH), g), square, C3_HIGH);
    int rest = add(p, exact, times_plus(p, square, C3_LOW, C1_LOW));
    int low = fma3(p, h, rest, mul(p, l, slope));
    return exponential_of(p, mul(p, h, g), low);
}

static void gelu_tanh(program *p) {
    int a = at_most(p, 11, absolute(p, ARGUMENT));
    exponential e = gelu_tanh_exponential(p, a);
    without_tail(p, sigmoid_tail(p, a, &e));
}

static void elu(program *p) {
    int below = exp_minus_1(p, at_most(p, 0, at_least(p, -18, ARGUMENT)));
    if_negative(p, ARGUMENT, below, ARGUMENT);
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|) */
static void softplus(program *p) {
    int t = exp_of_minus_magnitude(p, 105);
    int square = mul(p, t, t);
    int rest = fma3(p, square, POLYNOMIAL(p, t, LOG_Q), t);
    add(p, at_least(p, 0, ARGUMENT), rest);
}

static void (*const MAKE[TYPES][MATH_KINDS])(program *) = {
    [TYPE_F32] = {[MATH_SIGMOID] = sigmoid,
                  [MATH_TANH] = hyperbolic_tangent,
                  [MATH_SILU] = silu,
                  [MATH_GELU] = gelu,
                  [MATH_GELU_TANH] = gelu_tanh,
                  [MATH_ELU] = elu,
                  [MATH_SOFTPLUS] = softplus},
};

bool nest_math_exists(math_kind kind, cvk_type type) { return MAKE[type][kind] != NULL; }

math_program nest_math(arena *a, math_kind kind, cvk_type type) {
    program p = {.arena = a};
    apply(&p, OP_COPY, 0, 0, 0); /* step 0 is the argument, whatever stands here */
    MAKE[type][kind](&p);
    return (math_program){type, p.count, p.step};
}

static const char *const MATH_NAME[] = {
#define NEST_MATH(name, word, ulp, formula) word,
#include "nest/math.def"
#undef NEST_MATH
};

const char *nest_math_name(math_kind kind) { return MATH_NAME[kind]; }
