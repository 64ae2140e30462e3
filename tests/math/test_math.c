/* Are the math post-ops as exact as nest/math.def says? Each function is called by a nest that the evaluator runs, with
 * and without fused multiply-adds, on every 1021st float (on all of them where CVK_EXHAUSTIVE is set), and compared
 * with the C library in double. */
#include "nest/build.h"
#include "nest/math.h"
#include "judge/nest_eval.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 14 };

static const double ULP[] = {
#define NEST_MATH(name, word, ulp, formula) ulp,
#include "nest/math.def"
#undef NEST_MATH
};

static double sigmoid_of(double x) { return 1 / (1 + exp(-x)); }
static double silu_of(double x) { return x / (1 + exp(-x)); }
static double gelu_of(double x) { return 0.5 * x * erfc(-x / sqrt(2)); }
static double gelu_tanh_of(double x) { return x / (1 + exp(-2 * sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }
static double elu_of(double x) { return x < 0 ? expm1(x) : x; }
static double softplus_of(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }

static double (*const REFERENCE[MATH_KINDS])(double) = {
    [MATH_SIGMOID] = sigmoid_of,     [MATH_TANH] = tanh,  [MATH_SILU] = silu_of,        [MATH_GELU] = gelu_of,
    [MATH_GELU_TANH] = gelu_tanh_of, [MATH_ELU] = elu_of, [MATH_SOFTPLUS] = softplus_of};

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* output[i] = function(input[i]) for BLOCK elements. */
static nest *nest_calling(arena *a, math_kind kind) {
    nest_builder b = nest_begin(a, nest_math_name(kind), ENTRY_TASKS, 64);
    int input = nest_add_tensor(&b, "input", ROLE_INPUT, TYPE_F32, BLOCK, 4, false);
    int output = nest_add_tensor(&b, "output", ROLE_OUTPUT, TYPE_F32, BLOCK, 4, true);
    register_ref x = reg(nest_add_register(&b, "x", TYPE_F32, NEST_MOST_LANES, 1), affine_constant(0));
    affine offset = affine_scale(build_loop(&b, "i", BLOCK / NEST_MOST_LANES), NEST_MOST_LANES);
    build_load(&b, x, access_at(input, offset, 1), NULL);
    build_call(&b, kind, x, x);
    build_store(&b, access_at(output, offset, 1), x, NULL);
    build_end(&b);
    return nest_finish(&b);
}

static void run(const nest *n, float *input, float *output, bool fused) {
    void *tensors[ROLE_COUNT] = {[ROLE_INPUT] = input, [ROLE_OUTPUT] = output};
    cr_assert_eq(nest_eval(n, tensors, 0, n->tasks, eval_as(fused)), CVK_OK);
}

/* In units in the last place of the exact value as a float; below 2^-126 in units of 2^-149. */
static double ulps(float got, double exact) {
    if (isinf(got) || isnan(got)) return (double)got == exact ? 0 : INFINITY;
    int exponent;
    frexp(exact, &exponent);
    return fabs((double)got - exact) / ldexp(1, exponent - 1 < -126 ? -149 : exponent - 24);
}

typedef struct worst {
    double normal, denormal; /* largest errors in ulp, by the size of the result */
    float normal_at, denormal_at;
} worst;

static void judge(worst *w, float x, float got, double exact) {
    double error = ulps(got, exact);
    bool denormal = fabs(exact) < 0x1p-126;
    if (denormal && error > w->denormal) w->denormal = error, w->denormal_at = x;
    if (!denormal && error > w->normal) w->normal = error, w->normal_at = x;
}

static void judge_block(math_kind kind, const float *input, const float *output, worst *w) {
    for (int i = 0; i < BLOCK; i++) {
        if (isnan(input[i])) cr_assert(isnan(output[i]), "%s(NaN) is %a", nest_math_name(kind), (double)output[i]);
        if (!isfinite(input[i])) continue;
        judge(w, input[i], output[i], REFERENCE[kind]((double)input[i]));
    }
}

/* The arena and the nest of one function; released by arena_free. */
static const nest *set_up(arena *a, math_kind kind) {
    arena_init(a);
    cr_assert(!arena_guard(a), "out of memory");
    return nest_calling(a, kind);
}

static void sweep(math_kind kind, uint64_t step) {
    arena a;
    const nest *n = set_up(&a, kind);
    static float input[BLOCK], output[BLOCK];
    worst w[2] = {0};
    for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += BLOCK * step) {
        for (uint64_t i = 0; i < BLOCK; i++) input[i] = float_of((uint32_t)(bits + i * step));
        for (int fused = 0; fused < 2; fused++) {
            run(n, input, output, fused);
            judge_block(kind, input, output, &w[fused]);
        }
    }
    for (int fused = 0; fused < 2; fused++) {
        const char *name = nest_math_name(kind), *mode = fused ? "fused" : "not fused";
        cr_log_info("%s, %s: %.3f ulp at %a, %.3f of denormals at %a", name, mode, w[fused].normal,
                    (double)w[fused].normal_at, w[fused].denormal, (double)w[fused].denormal_at);
        cr_expect_leq(w[fused].normal, ULP[kind], "%s(%a), %s", name, (double)w[fused].normal_at, mode);
        cr_expect_leq(w[fused].denormal, ULP[kind], "%s(%a), %s", name, (double)w[fused].denormal_at, mode);
    }
    arena_free(&a);
}

Test(math, every_function_keeps_the_error_that_its_row_promises) {
    uint64_t step = getenv("CVK_EXHAUSTIVE") ? 1 : 1021;
    for (math_kind kind = 0; kind < MATH_KINDS; kind++) sweep(kind, step);
}

/* Bit for bit, zeros with their signs; NaN is NaN. */
static bool same(float a, float b) { return isnan(b) ? isnan(a) : memcmp(&a, &b, sizeof a) == 0; }

typedef struct special {
    math_kind kind;
    float at_infinity, at_minus_infinity, at_zero, at_minus_zero;
} special;

static const special SPECIAL[] = {
    {MATH_SIGMOID, 1, 0, 0.5F, 0.5F},
    {MATH_TANH, 1, -1, 0, -0.0F},
    {MATH_SILU, INFINITY, NAN, 0, -0.0F},
    {MATH_GELU, INFINITY, NAN, 0, -0.0F},
    {MATH_GELU_TANH, INFINITY, NAN, 0, -0.0F},
    {MATH_ELU, INFINITY, -1, 0, -0.0F},
    {MATH_SOFTPLUS, INFINITY, 0, 0x1.62e43p-1F, 0x1.62e43p-1F},
};

Test(math, infinities_zeros_and_nan_give_what_ieee_makes_of_the_formula) {
    cr_assert_eq(sizeof SPECIAL / sizeof *SPECIAL, (size_t)MATH_KINDS);
    for (const special *s = SPECIAL; s < SPECIAL + MATH_KINDS; s++) {
        arena a;
        const nest *n = set_up(&a, s->kind);
        static float input[BLOCK] = {INFINITY, -INFINITY, 0, -0.0F, NAN, -NAN}, output[BLOCK];
        const float expected[] = {s->at_infinity, s->at_minus_infinity, s->at_zero, s->at_minus_zero, NAN, NAN};
        for (int fused = 0; fused < 2; fused++) {
            run(n, input, output, fused);
            for (int i = 0; i < 6; i++)
                cr_expect(same(output[i], expected[i]), "%s(%g) is %a", nest_math_name(s->kind), (double)input[i],
                          (double)output[i]);
        }
        arena_free(&a);
    }
}

Test(math, the_largest_and_smallest_arguments_are_exact_to_the_promised_error_too) {
    static float input[BLOCK] = {FLT_MAX,        -FLT_MAX,         FLT_MIN,           -FLT_MIN,    FLT_TRUE_MIN,
                                 -FLT_TRUE_MIN,  0x1.fffffcp-127F, -0x1.fffffcp-127F, 1,           -1,
                                 0x1.fffffep-1F, -0x1.fffffep-1F,  0x1p-24F,          -0x1p-24F,   88.72284F,
                                 -88.72284F,     -87.33655F,       -103.97208F,       -103.97209F, -104};
    static float output[BLOCK];
    for (math_kind kind = 0; kind < MATH_KINDS; kind++) {
        arena a;
        const nest *n = set_up(&a, kind);
        for (int fused = 0; fused < 2; fused++) {
            run(n, input, output, fused);
            for (int i = 0; i < 20; i++)
                cr_expect_leq(ulps(output[i], REFERENCE[kind]((double)input[i])), ULP[kind], "%s(%a) is %a",
                              nest_math_name(kind), (double)input[i], (double)output[i]);
        }
        arena_free(&a);
    }
}

/* What lowering may rely on. */
Test(math, programs_use_lane_wise_operations_of_earlier_steps_alone) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a), "out of memory");
    for (math_kind kind = 0; kind < MATH_KINDS; kind++) {
        math_program p = nest_math(&a, kind, TYPE_F32);
        for (int i = 1; i < p.count; i++) {
            const math_step *s = &p.step[i];
            bool listed = s->kind == OP_CONST || (s->kind >= OP_FMA && s->kind <= OP_EXP2I);
            cr_expect(listed, "%s, step %d is %s", nest_math_name(kind), i, nest_op_name(s->kind));
            cr_expect(s->a < i && s->b < i && s->c < i && s->a >= 0 && s->b >= 0 && s->c >= 0, "%s, step %d",
                      nest_math_name(kind), i);
        }
    }
    arena_free(&a);
}
