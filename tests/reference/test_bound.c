/* Does the permitted error cover what right f32 kernels do, and little more? */
#include "judge/bound.h"
#include "judge/naive.h"
#include "judge/post.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t state = 1;

static uint32_t draw(void) { return (state = state * 1664525u + 1013904223u) >> 8; }

/* -1 .. 1, all 24 bits in use. */
static float draw_float(void) { return (float)draw() / 0x1p23f - 1; }

Test(bound, sums_of_small_integers_are_exact) {
    cr_assert_eq(bound_direct(TYPE_F32, 9, 0x1p24 - 1, true), 0);
    cr_assert_gt(bound_direct(TYPE_F32, 9, 0x1p24, true), 0);
    cr_assert_gt(bound_direct(TYPE_F32, 9, 100, false), 0);
}

Test(bound, any_order_of_summation_keeps_it) {
    enum { MOST = 2000 };
    static float x[MOST], w[MOST];
    double largest = 0;
    for (int n = 1; n <= MOST; n += 1 + n / 8)
        for (int repeat = 0; repeat < 50; repeat++) {
            double exact = 0, magnitude = 0;
            float forward = 0, fused = 0, backward = 0;
            for (int i = 0; i < n; i++) {
                /* terms of falling size of one sign: forward sums lose the most */
                x[i] = (draw_float() + 2) * (repeat % 2 ? 1 : draw_float());
                w[i] = draw_float() + 1;
                exact += (double)x[i] * (double)w[i];
                magnitude += fabs((double)x[i] * (double)w[i]);
                forward += x[i] * w[i];
                fused = fmaf(x[i], w[i], fused);
            }
            for (int i = n; i-- > 0;) backward += x[i] * w[i];
            double bound = bound_direct(TYPE_F32, n, magnitude, false);
            const float sums[] = {forward, fused, backward};
            for (int i = 0; i < 3; i++) {
                double ratio = bound_ratio(exact, bound, (double)sums[i]);
                cr_assert_leq(ratio, 1, "%d terms, way %d", n, i);
                largest = fmax(largest, ratio);
            }
        }
    cr_assert_gt(largest, 0.1, "the bound is so loose (%g) that it finds nothing", largest);
}

Test(bound, sums_of_f64_keep_theirs_and_find_one_that_is_a_little_worse) {
    enum { MOST = 500 };
    double largest = 0;
    for (int n = 1; n <= MOST; n += 1 + n / 8)
        for (int repeat = 0; repeat < 50; repeat++) {
            long double exact = 0, magnitude = 0;
            double forward = 0;
            for (int i = 0; i < n; i++) {
                const double x = ((double)draw_float() + 2) * (1 + (double)draw_float() * 0x1p-25),
                             w = (double)draw_float() + 1;
                exact += (long double)x * (long double)w;
                magnitude += fabsl((long double)x * (long double)w);
                forward += x * w;
            }
            double bound = bound_direct(TYPE_F64, n, magnitude, false), ratio = bound_ratio(exact, bound, forward);
            cr_assert_leq(ratio, 1, "%d terms", n);
            cr_assert_gt(bound_ratio(exact, bound, forward + 2.5 * bound), 1);
            largest = fmax(largest, ratio);
        }
    cr_assert_gt(largest, 0.02, "the bound is so loose (%g) that it finds nothing", largest);
    cr_assert_eq(bound_direct(TYPE_F64, 9, 0x1p53L - 1, true), 0);
    cr_assert_gt(bound_direct(TYPE_F64, 9, 0x1p53L, true), 0);
    cr_assert(isinf(bound_direct(TYPE_F64, 4, 2e308L, false)));
}

Test(bound, tiny_products_may_underflow) {
    const float x = 0x1.000002p-75f, w = 0x1.000002p-75f;
    double bound = bound_direct(TYPE_F32, 1, (double)x * (double)w, false);
    cr_assert_leq(bound_ratio((double)x * (double)w, bound, (double)(x * w)), 1);
    cr_assert_leq(bound, 0x1p-148);
}

Test(bound, where_f32_may_overflow_nothing_is_asked) {
    cr_assert(isinf(bound_direct(TYPE_F32, 4, 4e38, false)));
    cr_assert_eq(bound_ratio(1, INFINITY, INFINITY), 0);
    cr_assert_eq(bound_direct(TYPE_F32, 4, INFINITY, false), 0, "infinite data come out as IEEE says");
}

Test(bound, ratio_knows_what_is_wrong) {
    static const struct {
        double expected, bound;
        float got;
        double ratio;
    } cases[] = {
        {1, 0, 1, 0},
        {0, 0, -0.0f, 0},
        {1, 0.5, 1.25f, 0.5},
        {1, 0.5, 2, 2},
        {1, 0, 2, INFINITY},
        {NAN, 0, NAN, 0},
        {NAN, 0, 1, INFINITY},
        {1, 1, NAN, INFINITY},
        {1, 0, NAN, INFINITY},
        {INFINITY, 0, INFINITY, 0},
        {INFINITY, 0, -INFINITY, INFINITY},
        {INFINITY, 0, FLT_MAX, INFINITY},
        {1, 1, INFINITY, INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert(bound_ratio(cases[i].expected, cases[i].bound, (double)cases[i].got) == cases[i].ratio, "case %zu",
                  i);
}

/* NaN stays NaN. */
static float between(float x, float low, float high) { return x < low ? low : x > high ? high : x; }

/* Post-ops as a good kernel computes them: simple ones step by step in f32, the others with their error in the last
 * place alone. */
static float plain(const post_op *op, float operand, float x) {
    const double wide = (double)x;
    switch (op->kind) {
    case POST_ADD: return x + operand;
    case POST_RELU: return x < 0 ? 0 : x;
    case POST_RELU6: return between(x, 0, 6);
    case POST_LEAKY_RELU: return x < 0 ? (float)op->a * x : x;
    case POST_CLAMP: return between(x, (float)op->a, (float)op->b);
    case POST_SIGMOID: return (float)(0.5 + 0.5 * tanh(wide / 2));
    case POST_TANH: return tanhf(x);
    case POST_SILU: return (float)(wide * (0.5 + 0.5 * tanh(wide / 2)));
    case POST_GELU: return (float)(wide * 0.5 * (1 + erf(wide * M_SQRT1_2)));
    case POST_GELU_TANH: return (float)(wide * 0.5 * (1 + tanh(0.7978845608028654 * (wide + 0.044715 * pow(wide, 3)))));
    case POST_HARD_SWISH: return x * (between(x + 3, 0, 6) * (1.0f / 6));
    case POST_HARD_SIGMOID: return between(x + 3, 0, 6) * (1.0f / 6);
    case POST_ELU: return x < 0 ? expm1f(x) : x;
    case POST_SOFTPLUS: return (float)log1p(exp(wide));
    case POST_SCALE:
    case POST_MULTIPLY:
    case POST_GATE: return x * operand;
    case POST_SHIFT: return x + operand;
    case POST_BLEND: return (float)(1 - op->a) * x + (float)op->a * operand;
    case POST_TIMES: return (float)op->a * x;
    case POST_PLUS: return x + (float)op->a;
    default: return NAN;
    }
}

/* Where the textbook formulas above, even in double, have digits left and do not overflow. */
static bool is_plain(post_kind kind, float x) {
    bool tail = kind == POST_SIGMOID || kind == POST_SILU || kind == POST_GELU || kind == POST_GELU_TANH;
    return !(tail && x < -4) && !(kind == POST_SOFTPLUS && x > 700);
}

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static post_op op_of(int kind) {
    return (post_op){(post_kind)kind, kind == POST_CLAMP ? -1.5 : (double)0.3f, (double)2.7f};
}

Test(bound, post_ops_written_plainly_keep_their_promise) {
    for (int kind = 0; kind < POST_KINDS; kind++) {
        const post_op op = op_of(kind);
        for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += 16411) {
            const float x = float_of((uint32_t)bits), operand = draw_float();
            if (!is_plain(op.kind, x)) continue;
            double y = (double)post_apply(&op, (double)operand, (double)x);
            double bound = bound_post(TYPE_F32, &op, (double)operand, (double)x, 0);
            double ratio = bound_ratio(y, bound, (double)plain(&op, operand, x));
            cr_assert_leq(ratio, 1, "%s(%a): %a, not %a", spec_post_name(op.kind), (double)x,
                          (double)plain(&op, operand, x), y);
        }
    }
}

Test(bound, post_ops_carry_the_error_of_what_they_are_given) {
    for (int kind = 0; kind < POST_KINDS; kind++) {
        const post_op op = op_of(kind);
        for (int i = 0; i < 100000; i++) {
            const float operand = draw_float(), x = draw_float() * 10,
                        error = fabsf(draw_float()) * (i % 2 ? 1 : 1e-4f);
            const float off = x + error * draw_float();
            if (!is_plain(op.kind, off)) continue;
            double y = (double)post_apply(&op, (double)operand, (double)x);
            double given = fmax(fabs((double)off - (double)x), (double)error);
            double bound = bound_post(TYPE_F32, &op, (double)operand, (double)x, given);
            cr_assert_leq(bound_ratio(y, bound, (double)plain(&op, operand, off)), 1, "%s(%a +- %a)",
                          spec_post_name(op.kind), (double)x, given);
        }
    }
}

Test(bound, no_post_op_is_permitted_much) {
    for (int kind = 0; kind < POST_KINDS; kind++) {
        const post_op op = op_of(kind);
        for (int i = 0; i < 10000; i++) {
            const float x = draw_float() * 20;
            double y = (double)post_apply(&op, 0.7, (double)x);
            double bound = bound_post(TYPE_F32, &op, 0.7, (double)x, 0);
            if (kind == POST_BLEND) y = fmax(fabs(y), fabs((double)x)); /* its terms may cancel */
            cr_assert_leq(bound, 8 * 0x1p-24 * fabs(y) + 0x1p-147, "%s(%a)", spec_post_name(op.kind), (double)x);
        }
    }
}

/* Values from a table of 30 digits: tails, where a formula taken word by word cancels. */
Test(post, tails_are_exact) {
    static const struct {
        post_kind kind;
        double x, y;
    } cases[] = {
        {POST_SIGMOID, -5, 6.69285092428485555936e-3},     {POST_SILU, -5, -3.34642546214242777968e-2},
        {POST_SOFTPLUS, -5, 6.71534848911806861642e-3},    {POST_SIGMOID, -20, 2.06115361819020358143e-9},
        {POST_SILU, -20, -4.12230723638040716286e-8},      {POST_SOFTPLUS, -20, 2.06115362031438070324e-9},
        {POST_SIGMOID, -80, 1.80485138784541517231e-35},   {POST_SILU, -80, -1.44388111027633213785e-33},
        {POST_SOFTPLUS, -80, 1.80485138784541517231e-35},  {POST_GELU, -5, -1.43325785939596955837e-6},
        {POST_GELU_TANH, -5, -2.29179619662950604559e-7},  {POST_GELU, -9, -1.01572956535845658296e-18},
        {POST_GELU_TANH, -9, -1.33645959473487254998e-28}, {POST_ELU, -1e-10, -9.99999999950000000002e-11},
        {POST_TANH, 1e-10, 1.00000000000000000000e-10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double y = (double)post_apply(&(post_op){.kind = cases[i].kind}, 0, cases[i].x);
        cr_assert(fabs(y - cases[i].y) <= 1e-12 * fabs(cases[i].y), "%s(%g): %.17g", spec_post_name(cases[i].kind),
                  cases[i].x, y);
    }
}

/* The formulas of base/post_ops.def as they stand there, in double, with whatever IEEE makes of them. */
static double literally(post_kind kind, double x) {
    const double u = sqrt(2 / M_PI) * (x + 0.044715 * x * x * x), h = fmin(6, fmax(0, x + 3));
    switch (kind) {
    case POST_RELU: return fmax(0, x);
    case POST_RELU6: return fmin(6, fmax(0, x));
    case POST_LEAKY_RELU: return x < 0 ? 0 * x : x;
    case POST_CLAMP: return fmin(0, fmax(0, x));
    case POST_SIGMOID: return 1 / (1 + exp(-x));
    case POST_TANH: return tanh(x);
    case POST_SILU: return x / (1 + exp(-x));
    case POST_GELU: return x / 2 * (1 + erf(x / sqrt(2)));
    case POST_GELU_TANH: return x / 2 * (1 + tanh(u));
    case POST_HARD_SWISH: return x * h / 6;
    case POST_HARD_SIGMOID: return h / 6;
    case POST_ELU: return x < 0 ? exp(x) - 1 : x;
    case POST_SOFTPLUS: return log(1 + exp(x));
    case POST_BLEND: return (1 - 0) * x + 0 * 0.0; /* all parameters are 0 here */
    case POST_TIMES: return 0 * x;
    default: return x + 0; /* operand 0 for add */
    }
}

Test(post, at_the_infinities_they_are_what_ieee_makes_of_the_formula) {
    for (int kind = 0; kind < POST_KINDS; kind++) {
        if (kind == POST_SCALE || kind == POST_MULTIPLY || kind == POST_GATE) continue; /* the product itself */
        const post_op op = {.kind = (post_kind)kind};
        for (double sign = -1; sign <= 1; sign += 2) {
            double y = (double)post_apply(&op, 0, sign * (double)INFINITY),
                   formula = literally((post_kind)kind, sign * (double)INFINITY);
            cr_expect(isnan(formula) ? isnan(y) : y == formula, "%s(%g inf) is %g, not %g", spec_post_name(op.kind),
                      sign, y, formula);
        }
    }
}

Test(post, nan_stays_nan) {
    for (int kind = 0; kind < POST_KINDS; kind++) {
        const post_op op = op_of(kind);
        cr_assert(isnan(post_apply(&op, 1, NAN)), "%s", spec_post_name(op.kind));
    }
}

Test(bound, operations_that_round_once_are_exact_where_the_result_is_a_float) {
    const post_op add = {.kind = POST_ADD}, scale = {.kind = POST_SCALE}, relu = {.kind = POST_RELU};
    cr_assert_eq(bound_post(TYPE_F32, &add, 3, 1000, 0), 0);
    cr_assert_eq(bound_post(TYPE_F32, &scale, 0.5, 1000, 0), 0);
    cr_assert_eq(bound_post(TYPE_F32, &relu, 0, -7, 0), 0);
    cr_assert_gt(bound_post(TYPE_F32, &add, (double)0.1f, 1000, 0), 0);
    cr_assert_eq(bound_post(TYPE_F32, &relu, 0, -7, 1), 0);
    cr_assert_gt(bound_post(TYPE_F32, &add, 3, 1000, 1), 1);
}

Test(bound, results_of_f64_that_round_to_zero_or_to_the_least_number_are_permitted) {
    const post_op scale = {.kind = POST_SCALE};
    const double products[] = {0x1p-1074, 0x3p-1074, 0x1p-1022};
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        const long double y = post_apply(&scale, 0.5, products[i]);
        const double bound = bound_post(TYPE_F64, &scale, 0.5, products[i], 0);
        cr_expect_leq(bound_ratio(y, bound, 0.5 * products[i]), 1, "half of %a", products[i]);
        cr_expect_leq(bound, 0x1p-1074, "half of %a", products[i]);
    }
}

/* Two groups: the first of integers, the second of fractions. Only the first is held to the bit. */
Test(bound, the_interpreter_sees_which_channels_are_integers) {
    const cvk_spec s = {.batch = 1,
                        .in_channels = 2,
                        .out_channels = 4,
                        .groups = 2,
                        .in_size = {1, 1, 2},
                        .kernel = {1, 1, 1},
                        .stride = {1, 1, 1},
                        .dilation = {1, 1, 1},
                        .out_size = {1, 1, 2}};
    const float x[] = {1, 2, 0.5f, 3}, w[] = {2, 0.25f, 2, 3};
    long double y[8];
    double bound[8];
    naive_run(&s, &(naive_tensors){.input = x, .weights = w}, y, bound);
    for (int i = 0; i < 8; i++) cr_assert_eq(bound[i] == 0, i / 2 == 0, "output %d", i);
}
