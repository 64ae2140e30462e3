/* nest_math: needs only the kind and the type; gives a branch-free program of nest operations, whose results are right
 * with and without fused multiply-adds (the largest errors measured stand in nest/math.def). f32 and f64 have one text,
 * whose numbers are columns of FORMAT; what is said below of f32 holds of f64 with the bits it has more.
 *
 * The programs share one exponential. x = n ln 2 + r with |r| <= 0.3475, n found by adding and taking away 3 2^22; ln 2
 * is 355/512 (9 bits, so that n times it is exact; of f64 42 bits) and a rest. e^r - 1 = r + r^2 P(r). 2^n is applied
 * in two factors, so that results below 2^-126 are rounded once. All arguments of the exponential are <= 0: nothing
 * overflows. Where its argument is computed it comes in two parts, whose sum has about 30 bits; without, the tails
 * would lose 7 bits.
 *
 * Tails are computed as such: x f(x) = max(x, 0) - |x| f(-|x|) for f = sigmoid, the normal distribution, and
 * (1 + tanh u) / 2 = sigmoid(2 u). NaN passes since constants stand first in min and max. x f(x) at -Inf is NaN, as the
 * formula has it there, -Inf times 0: x - min(x, 0) stands for max(x, 0), and is NaN where that would be 0.
 *
 * The coefficients come from linear least squares on Chebyshev nodes in double, weighted anew (Lawson's algorithm)
 * until the greatest relative error was least, and rounded to float one after another, the others being fitted again:
 *   P, degree 4, |r| <= 0.3475: e^r - 1 within 2^-26.1
 *   Q, degree 8, 0 <= t <= 1: log(1 + t) = t + t^2 Q(t) within 2^-27.5
 * Those of f64 are Taylor's for P, whose 12 terms give 2^-57.7, and of the polynomial through 23 Chebyshev nodes for Q,
 * in exact arithmetic, within 2^-57.4 once rounded. N, D, degrees 3 and 4, 0 <= a <= 14.6: 1 / (2 e^(a^2 / 2) Phi(-a))
 * = 1 + a (C + N(a) / D(a)) within 2^-26.4. D and C, near sqrt(pi / 2), are those of the nearest rational function; N
 * was fitted to them. Of f64, degrees 10 and 11, 0 <= a <= 39: N / D takes the values of the function at the 22
 * Chebyshev nodes of a / (a + 4), with C = sqrt(pi / 2) to 80 bits; D was rounded, and N fitted to it by least squares,
 * one coefficient rounded after another: within 2^-60.2. All of N is negative and all of D positive, so that neither
 * cancels. */
#include "nest/math.h"

#include <string.h>

/* c[0] + c[1] x + … */
typedef struct series {
    int count;
    const double *c;
} series;

/* The numbers of the programs of one type. */
typedef struct format {
    cvk_type type;
    double integer_shift;  /* added and taken away, it rounds to an integer */
    double least_exponent; /* of a normal number */
    double ln2_high, ln2_low, log2_e;
    series exp_p, log_q;
    double exp_limit;     /* from here on e^-x is 0, */
    double product_limit; /* and x e^-x */
    double one_limit;     /* 1 - e^-x is 1 */
    struct {              /* 1 / (2 e^(a^2 / 2) Phi(-a)) = 1 + a (C + N(a) / D(a)), see gelu */
        double limit, h_shift, c_high, c_low;
        series n, d;
    } tail;
    struct { /* -2 u = c1 a + c3 a^3 of gelu_tanh, see there */
        double limit, h_shift, g_shift, c1, c1_high, c1_low, c3, c3_high, c3_low;
    } cubic;
} format;

/* Steps are numbers; a helper makes one and returns it. Where it takes a number, it makes the constant, too. */
typedef struct program {
    arena *arena;
    const format *f;
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

static int constant(program *p, double value) { return add_step(p, (math_step){.kind = OP_CONST, .value = value}); }
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

static int plus(program *p, int a, double number) { return add(p, a, constant(p, number)); }
static int times(program *p, int a, double number) { return mul(p, a, constant(p, number)); }
static int at_least(program *p, double number, int a) { return apply(p, OP_MAX, constant(p, number), a, 0); }
static int at_most(program *p, double number, int a) { return apply(p, OP_MIN, constant(p, number), a, 0); }
static int times_plus(program *p, int a, double factor, double term) {
    int f = constant(p, factor), t = constant(p, term);
    return fma3(p, a, f, t);
}
static int add_times(program *p, int sum, int a, double factor) { return fma3(p, a, constant(p, factor), sum); }

/* c[0] + x (c[1] + …) */
static int polynomial(program *p, int x, series s) {
    int sum = times_plus(p, x, s.c[s.count - 1], s.c[s.count - 2]);
    for (int i = s.count - 3; i >= 0; i--) sum = fma3(p, sum, x, constant(p, s.c[i]));
    return sum;
}
#define SERIES(coefficients) {(int)(sizeof coefficients / sizeof *coefficients), coefficients}

/* a rounded to a multiple of 2^-bits, given 3 2^(22 - bits); |a| must be below a third of that. */
static int rounded(program *p, int a, double shift) {
    int s = constant(p, shift);
    return sub(p, add(p, a, s), s);
}

static const double EXP_F32[] = {0x1.fffffep-2, 0x1.5554b2p-3, 0x1.5556f8p-5, 0x1.1226d8p-7, 0x1.6b96f4p-10};
static const double LOG_F32[] = {-0x1.ffffd2p-2, 0x1.554ddp-2,  -0x1.ff23e8p-3, 0x1.934b6ep-3, -0x1.3a43ep-3,
                                 0x1.b4b094p-4,  -0x1.d6b76p-5, 0x1.492126p-6,  -0x1.af5e5p-9};
static const double EXP_F64[] = {0x1p-1,
                                 0x1.5555555555555p-3,
                                 0x1.5555555555555p-5,
                                 0x1.1111111111111p-7,
                                 0x1.6c16c16c16c17p-10,
                                 0x1.a01a01a01a01ap-13,
                                 0x1.a01a01a01a01ap-16,
                                 0x1.71de3a556c734p-19,
                                 0x1.27e4fb7789f5cp-22,
                                 0x1.ae64567f544e4p-26,
                                 0x1.1eed8eff8d898p-29,
                                 0x1.6124613a86d09p-33};
static const double LOG_F64[] = {-0x1p-1,
                                 0x1.555555555555p-2,
                                 -0x1.ffffffffff8f6p-3,
                                 0x1.999999997a8eap-3,
                                 -0x1.55555550c65b9p-3,
                                 0x1.249248baef551p-3,
                                 -0x1.fffff320e68edp-4,
                                 0x1.c71be2951a079p-4,
                                 -0x1.9994f9d7b728ep-4,
                                 0x1.743fd24aacdf3p-4,
                                 -0x1.54c437257d158p-4,
                                 0x1.38d618cab670fp-4,
                                 -0x1.1d69101de6b85p-4,
                                 0x1.fcadc545bd4dfp-5,
                                 -0x1.aefb37b52bab9p-5,
                                 0x1.4f4fe3266b163p-5,
                                 -0x1.cce51cd116d9ep-6,
                                 0x1.0cb3c5ce55d18p-6,
                                 -0x1.fd0d66e165c0bp-8,
                                 0x1.74283009671aap-9,
                                 -0x1.87190d296a8f8p-11,
                                 0x1.0588f9e2a4db1p-13,
                                 -0x1.4d2bb3b28bb25p-17};
static const double TAIL_N_F32[] = {-0x1.d2584ap-2, -0x1.0d203ep-2, -0x1.239a22p-4, -0x1.0e2172p-7};
static const double TAIL_D_F32[] = {0x1p+0, 0x1.c11012p-1, 0x1.77a348p-2, 0x1.4d5fa6p-4, 0x1.0e60b8p-7};
static const double TAIL_N_F64[] = {-0x1.d25c218302f75p-2,  -0x1.553f7e2a6078fp-1,  -0x1.f17849f6142c5p-2,
                                    -0x1.d2cd14cbf3d6dp-3,  -0x1.3545c0e6f1f7ep-4,  -0x1.2cd5317e60f8dp-6,
                                    -0x1.b239b085128d2p-9,  -0x1.cb635c964ac7fp-12, -0x1.55e1420bf370cp-15,
                                    -0x1.45153f012d0c9p-19, -0x1.2ef8c57149e26p-24};
static const double TAIL_D_F64[] = {0x1p+0,
                                    0x1.c3706219620f9p+0,
                                    0x1.8b062766129b3p+0,
                                    0x1.bd73d8e73f205p-1,
                                    0x1.64833eef3544p-2,
                                    0x1.a749eeff372a5p-4,
                                    0x1.7ba1171a1cfaap-6,
                                    0x1.0130a3bc4309ep-8,
                                    0x1.0272f4307adc2p-11,
                                    0x1.70461bf63b054p-15,
                                    0x1.50f2ff17f9428p-19,
                                    0x1.2ef8c57149235p-24};

static const format FORMAT[] = {
    {.type = TYPE_F32,
     .integer_shift = 0x3p22,
     .least_exponent = -126,
     .ln2_high = 0x1.63p-1,
     .ln2_low = -0x1.bd0106p-13,
     .log2_e = 0x1.715476p+0,
     .exp_p = SERIES(EXP_F32),
     .log_q = SERIES(LOG_F32),
     .exp_limit = 105,
     .product_limit = 110,
     .one_limit = 18,
     .tail = {.limit = 14.5,
              .h_shift = 0x3p15,
              .c_high = 0x1.40dp+0,
              .c_low = 0x1.084p-13,
              .n = SERIES(TAIL_N_F32),
              .d = SERIES(TAIL_D_F32)},
     .cubic = {.limit = 11,
               .h_shift = 0x3p17,
               .g_shift = 0x3p11,
               .c1 = -0x1.988454p+0,
               .c1_high = -0x1.988p+0,
               .c1_low = -0x1.14cf5p-14,
               .c3 = -0x1.2444f2p-4,
               .c3_high = -0x1.24p-4,
               .c3_low = -0x1.13ca94p-14}},
    {.type = TYPE_F64,
     .integer_shift = 0x3p51,
     .least_exponent = -1022,
     .ln2_high = 0x1.62e42fefa38p-1,
     .ln2_low = 0x1.ef35793c7673p-45,
     .log2_e = 0x1.71547652b82fep+0,
     .exp_p = SERIES(EXP_F64),
     .log_q = SERIES(LOG_F64),
     .exp_limit = 750,
     .product_limit = 760,
     .one_limit = 40,
     .tail = {.limit = 38.6,
              .h_shift = 0x3p31,
              .c_high = 0x1.40d932p+0,
              .c_low = -0x1.3b1f4d3506b7cp-33,
              .n = SERIES(TAIL_N_F64),
              .d = SERIES(TAIL_D_F64)},
     .cubic = {.limit = 22,
               .h_shift = 0x3p36,
               .g_shift = 0x3p24,
               .c1 = -0x1.9884533d43651p+0,
               .c1_high = -0x1.9884533d42p+0,
               .c1_low = -0x1.6508d0fcb3c5p-40,
               .c3 = -0x1.2444f2a4d8b4bp-4,
               .c3_high = -0x1.244p-4,
               .c3_low = -0x1.3ca9362d2bd27p-18}},
};

/* e^x = (1 + q) 2^n */
typedef struct exponential {
    int q, n;
} exponential;

/* x = high + low, <= 0. `low` may be 0 for none, which no computed part is. */
static exponential exponential_of(program *p, int high, int low) {
    int x = low ? add(p, high, low) : high;
    const format *f = p->f;
    int n = rounded(p, times(p, x, f->log2_e), f->integer_shift);
    int r = add_times(p, high, n, -f->ln2_high);
    r = low ? add(p, r, add_times(p, low, n, -f->ln2_low)) : add_times(p, r, n, -f->ln2_low);
    int square = mul(p, r, r);
    return (exponential){fma3(p, square, polynomial(p, r, f->exp_p), r), n};
}

/* 2^n = first * last, n >= -252 (-2044): the first is 1 but for n < -126 (-1022). */
typedef struct power {
    int first, last;
} power;

static power power_of(program *p, int n) {
    int main_part = at_least(p, p->f->least_exponent, n);
    int first = exp2i(p, sub(p, n, main_part));
    return (power){first, exp2i(p, main_part)};
}

/* e^x for x <= 0. */
static int exp_of(program *p, const exponential *e, const power *scale) {
    return mul(p, mul(p, plus(p, e->q, 1), scale->first), scale->last);
}

/* e^x - 1 for -80 <= x <= 0: q 2^n + (2^n - 1). */
static int exp_minus_1(program *p, int x) {
    exponential e = exponential_of(p, x, 0);
    int scale = exp2i(p, e.n);
    return fma3(p, e.q, scale, plus(p, scale, -1));
}

/* e^-|x|; at `limit` it is 0. */
static int exp_of_minus_magnitude(program *p, double limit) {
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

static void decay(program *p) { exp_of_minus_magnitude(p, p->f->exp_limit); }

static void sigmoid(program *p) {
    int e = exp_of_minus_magnitude(p, p->f->exp_limit);
    int above = if_negative(p, ARGUMENT, e, constant(p, 1));
    quotient(p, above, plus(p, e, 1));
}

/* With m = e^(-2 |x|) - 1: |tanh x| = |m / (m + 2)|. */
static void hyperbolic_tangent(program *p) {
    int m = exp_minus_1(p, times(p, at_most(p, p->f->one_limit / 2 + 1, absolute(p, ARGUMENT)), -2));
    with_sign(p, quotient(p, m, plus(p, m, 2)), ARGUMENT);
}

static void silu(program *p) {
    int a = at_most(p, p->f->product_limit, absolute(p, ARGUMENT));
    exponential e = exponential_of(p, times(p, a, -1), 0);
    without_tail(p, sigmoid_tail(p, a, &e));
}

/* a Phi(-a) = a/2 e^(-a^2 / 2) / (1 + a (C + N / D)): the second quotient is small, so that its error is, too. a = h +
 * l, h a multiple of 2^-7 of 11 bits, so that h^2 and h times the 13 leading bits of C are exact: a^2 = h^2 + l (a +
 * h). Of f64: h a multiple of 2^-20 of 26 bits, 27 bits of C. */
static void gelu(program *p) {
    const format *f = p->f;
    int a = at_most(p, f->tail.limit, absolute(p, ARGUMENT));
    int h = rounded(p, a, f->tail.h_shift), l = sub(p, a, h);
    int high = mul(p, times(p, h, -0.5), h);
    int low = times(p, mul(p, l, add(p, a, h)), -0.5);
    exponential e = exponential_of(p, high, low);
    power scale = power_of(p, e.n);
    int n = polynomial(p, a, f->tail.n);
    int slope = plus(p, quotient(p, n, polynomial(p, a, f->tail.d)), f->tail.c_low);
    int rest = fma3(p, a, slope, times(p, l, f->tail.c_high));
    int below = add(p, rest, times_plus(p, h, f->tail.c_high, 1));
    int half = times(p, a, 0.5);
    int above = mul(p, fma3(p, half, e.q, half), scale.first);
    without_tail(p, mul(p, quotient(p, above, below), scale.last));
}

/* -2 u = C1 a + C3 a^3. a = h + l, h a multiple of 2^-5 below 11, so of 9 bits: C1 h + C3 h^3 = h (g + rest), g a
 * multiple of 2^-11 of 15 bits, so h g is exact; C1 h^2 is exact for the 7 leading bits of C3. The difference of the
 * cubics is l (C1 + C3 (a^2 + a h + h^2)). Of f64: h a multiple of 2^-15 of 20 bits, g of 2^-27 of 33, 13 bits of C3.
 */
static exponential gelu_tanh_exponential(program *p, int a) {
    const format *f = p->f;
    int h = rounded(p, a, f->cubic.h_shift), l = sub(p, a, h), square = mul(p, h, h);
    int slope = times_plus(p, fma3(p, a, add(p, a, h), square), f->cubic.c3, f->cubic.c1);
    int g = rounded(p, times_plus(p, square, f->cubic.c3, f->cubic.c1), f->cubic.g_shift);
    int exact = add_times(p, sub(p, constant(p, f->cubic.c1_high), g), square, f->cubic.c3_high);
    int rest = add(p, exact, times_plus(p, square, f->cubic.c3_low, f->cubic.c1_low));
    int low = fma3(p, h, rest, mul(p, l, slope));
    return exponential_of(p, mul(p, h, g), low);
}

static void gelu_tanh(program *p) {
    int a = at_most(p, p->f->cubic.limit, absolute(p, ARGUMENT));
    exponential e = gelu_tanh_exponential(p, a);
    without_tail(p, sigmoid_tail(p, a, &e));
}

static void elu(program *p) {
    int below = exp_minus_1(p, at_most(p, 0, at_least(p, -p->f->one_limit, ARGUMENT)));
    if_negative(p, ARGUMENT, below, ARGUMENT);
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|) */
static void softplus(program *p) {
    int t = exp_of_minus_magnitude(p, p->f->exp_limit);
    int square = mul(p, t, t);
    int rest = fma3(p, square, polynomial(p, t, p->f->log_q), t);
    add(p, at_least(p, 0, ARGUMENT), rest);
}

static void (*const MAKE[MATH_KINDS])(program *) = {
    [MATH_DECAY] = decay, [MATH_SIGMOID] = sigmoid,  [MATH_TANH] = hyperbolic_tangent,
    [MATH_SILU] = silu,   [MATH_GELU] = gelu,        [MATH_GELU_TANH] = gelu_tanh,
    [MATH_ELU] = elu,     [MATH_SOFTPLUS] = softplus};

static const format *format_of(cvk_type type) {
    for (size_t i = 0; i < sizeof FORMAT / sizeof *FORMAT; i++)
        if (FORMAT[i].type == type) return &FORMAT[i];
    return NULL;
}

bool nest_math_exists(cvk_type type) { return format_of(type); }

math_program nest_math(arena *a, math_kind kind, cvk_type type) {
    program p = {.arena = a, .f = format_of(type)};
    apply(&p, OP_COPY, 0, 0, 0); /* step 0 is the argument, whatever stands here */
    MAKE[kind](&p);
    return (math_program){type, p.count, p.step};
}

static const char *const MATH_NAME[] = {
#define NEST_MATH(name, word, ulp, formula) word,
#include "nest/math.def"
#undef NEST_MATH
};

const char *nest_math_name(math_kind kind) { return MATH_NAME[kind]; }
