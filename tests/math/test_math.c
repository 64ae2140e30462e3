/* Are the math post-ops as exact as nest/math.def says? Each function is called by a nest that the evaluator runs, with
 * and without fused multiply-adds, and compared with the C library: of f32 on every 1021st float (on all of them where
 * CVK_EXHAUSTIVE is set) in double, of f64 on 147 thousand numbers (a thousand times as many) in long double. */
#include "nest/build.h"
#include "nest/math.h"
#include "judge/nest_eval.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 14 };

static const double ULP[] = {
#define NEST_MATH(name, word, ulp, formula) ulp,
#include "nest/math.def"
#undef NEST_MATH
};

/* The formulas with more digits than the type has, so that none cancels: for f32 in double, which is fast; for f64 in
 * long double. `s` is the suffix of its functions. */
#define REFERENCES(name, wide, s)                                                                                      \
    static wide name##_decay(wide x) { return exp##s(-fabs##s(x)); }                                                   \
    static wide name##_sigmoid(wide x) { return 1 / (1 + exp##s(-x)); }                                                \
    static wide name##_silu(wide x) { return x / (1 + exp##s(-x)); }                                                   \
    static wide name##_gelu(wide x) { return x / 2 * erfc##s(-x / sqrt##s(2)); }                                       \
    static wide name##_gelu_tanh(wide x) {                                                                             \
        return x / (1 + exp##s(-2 * sqrt##s(2 / acos##s(-1)) * (x + (wide)0.044715L * x * x * x)));                    \
    }                                                                                                                  \
    static wide name##_elu(wide x) { return x < 0 ? expm1##s(x) : x; }                                                 \
    static wide name##_softplus(wide x) { return fmax##s(x, 0) + log1p##s(exp##s(-fabs##s(x))); }                      \
    static long double name(math_kind kind, double at) {                                                               \
        static wide (*const function[MATH_KINDS])(wide) = {                                                            \
            [MATH_DECAY] = name##_decay, [MATH_SIGMOID] = name##_sigmoid,  [MATH_TANH] = tanh##s,                      \
            [MATH_SILU] = name##_silu,   [MATH_GELU] = name##_gelu,        [MATH_GELU_TANH] = name##_gelu_tanh,        \
            [MATH_ELU] = name##_elu,     [MATH_SOFTPLUS] = name##_softplus};                                           \
        return (long double)function[kind]((wide)at);                                                                  \
    }
REFERENCES(in_double, double, )
REFERENCES(in_long_double, long double, l)

/* Numbers `first`, `first` + `step`, … of all `count`, by their bits. */
typedef struct sample {
    uint64_t first, step, count;
} sample;

typedef struct format {
    cvk_type type;
    int digits;
    long double least; /* normal number */
    long double (*reference)(math_kind kind, double x);
    bool is_judged; /* the reference has more digits */
    sample sample[4];
} format;

/* Of f64 all over, and densely from 2^-70 to 2^11 with both signs. */
static const format FORMATS[] = {
    {TYPE_F32, 24, 0x1p-126L, in_double, true, {{0, 1021, (UINT64_C(1) << 32) / 1021}}},
    {TYPE_F64,
     53,
     0x1p-1022L,
     in_long_double,
     LDBL_MANT_DIG > DBL_MANT_DIG,
     {{0, (UINT64_C(1) << 48) + 0x123456789, 1 << 14},
      {UINT64_C(0x3b90000000000000), 6080000000023, 1 << 16},
      {UINT64_C(0xbb90000000000000), 6080000000023, 1 << 16}}},
};
enum { FORMAT_COUNT = sizeof FORMATS / sizeof *FORMATS };

static double number_of(cvk_type type, uint64_t bits) {
    float narrow;
    double wide;
    const uint32_t low = (uint32_t)bits;
    memcpy(&narrow, &low, sizeof narrow);
    memcpy(&wide, &bits, sizeof wide);
    return type == TYPE_F32 ? (double)narrow : wide;
}

/* A nest that does output[i] = function(input[i]) for BLOCK elements, and what it reads and writes. */
typedef struct bench {
    arena arena;
    const format *format;
    math_kind kind;
    const nest *nest;
    double input[BLOCK], output[BLOCK];
    float narrow_input[BLOCK], narrow_output[BLOCK]; /* of f32, what the nest reads and writes */
} bench;

static const nest *nest_calling(arena *a, math_kind kind, cvk_type type) {
    enum { LANES = NEST_MOST_LANES };
    nest_builder b = nest_begin(a, nest_math_name(kind), ENTRY_TASKS, 64);
    int input = nest_add_tensor(&b, "input", ROLE_INPUT, type, BLOCK, type_bytes(type), false);
    int output = nest_add_tensor(&b, "output", ROLE_OUTPUT, type, BLOCK, type_bytes(type), true);
    register_ref x = reg(nest_add_register(&b, "x", type, LANES, 1), affine_constant(0));
    affine offset = affine_scale(build_loop(&b, "i", BLOCK / LANES), LANES);
    build_load(&b, x, access_at(input, offset, 1), NULL);
    build_call(&b, kind, x, x);
    build_store(&b, access_at(output, offset, 1), x, NULL);
    build_end(&b);
    return nest_finish(&b);
}

/* Released by arena_free. */
static bench *set_up(const format *f, math_kind kind) {
    static bench b;
    memset(&b, 0, sizeof b);
    b.format = f, b.kind = kind;
    arena_init(&b.arena);
    cr_assert(!arena_guard(&b.arena), "out of memory");
    b.nest = nest_calling(&b.arena, kind, f->type);
    return &b;
}

static void run(bench *b, bool fused) {
    const bool narrow = b->format->type == TYPE_F32;
    void *tensors[ROLE_COUNT] = {[ROLE_INPUT] = b->input, [ROLE_OUTPUT] = b->output};
    if (narrow) tensors[ROLE_INPUT] = b->narrow_input, tensors[ROLE_OUTPUT] = b->narrow_output;
    for (int i = 0; narrow && i < BLOCK; i++) b->narrow_input[i] = (float)b->input[i];
    cr_assert_eq(nest_eval(b->nest, tensors, 0, b->nest->tasks, eval_as(fused)), CVK_OK);
    for (int i = 0; narrow && i < BLOCK; i++) b->output[i] = (double)b->narrow_output[i];
}

/* In units in the last place of the exact value; where it is denormal, of the least number. */
static double ulps(const format *f, double got, long double exact) {
    if (isinf(got) || isnan(got)) return got == exact ? 0 : INFINITY;
    int exponent;
    frexpl(fmaxl(fabsl(exact), f->least), &exponent);
    return (double)(fabsl(got - exact) / ldexpl(1, exponent - f->digits));
}

typedef struct worst {
    double normal, denormal; /* largest errors in ulp, by the size of the result */
    double normal_at, denormal_at;
} worst;

static void judge(worst *w, const format *f, double x, double got, long double exact) {
    double error = ulps(f, got, exact);
    bool denormal = fabsl(exact) < f->least;
    if (denormal && error > w->denormal) w->denormal = error, w->denormal_at = x;
    if (!denormal && error > w->normal) w->normal = error, w->normal_at = x;
}

static void judge_block(const bench *b, const long double *exact, worst *w) {
    for (int i = 0; i < BLOCK; i++) {
        const double x = b->input[i];
        if (isnan(x)) cr_assert(isnan(b->output[i]), "%s(NaN) is %a", nest_math_name(b->kind), b->output[i]);
        if (isfinite(x) && b->format->is_judged) judge(w, b->format, x, b->output[i], exact[i]);
    }
}

static void sweep_block(bench *b, worst w[2]) {
    static long double exact[BLOCK];
    for (int i = 0; i < BLOCK; i++) exact[i] = b->format->reference(b->kind, b->input[i]);
    for (int fused = 0; fused < 2; fused++) {
        run(b, fused);
        judge_block(b, exact, &w[fused]);
    }
}

static void sweep(const format *f, math_kind kind, uint64_t finer) {
    bench *b = set_up(f, kind);
    worst w[2] = {0};
    for (const sample *s = f->sample; s->count; s++)
        for (uint64_t i = 0; i < s->count * finer; i += BLOCK) {
            const uint64_t step = s->step / finer ? s->step / finer : 1;
            for (uint64_t k = 0; k < BLOCK; k++) b->input[k] = number_of(f->type, s->first + (i + k) * step);
            sweep_block(b, w);
        }
    for (int fused = 0; fused < 2; fused++) {
        const char *name = nest_math_name(kind), *mode = fused ? "fused" : "not fused", *type = type_name(f->type);
        cr_log_info("%s of %s, %s: %.3f ulp at %a, %.3f of denormals at %a", name, type, mode, w[fused].normal,
                    w[fused].normal_at, w[fused].denormal, w[fused].denormal_at);
        cr_expect_leq(w[fused].normal, ULP[kind], "%s(%a) of %s, %s", name, w[fused].normal_at, type, mode);
        cr_expect_leq(w[fused].denormal, ULP[kind], "%s(%a) of %s, %s", name, w[fused].denormal_at, type, mode);
    }
    arena_free(&b->arena);
}

Test(math, every_function_keeps_the_error_that_its_row_promises) {
    const uint64_t finer = getenv("CVK_EXHAUSTIVE") ? 1021 : 1;
    for (const format *f = FORMATS; f < FORMATS + FORMAT_COUNT; f++) {
        if (!f->is_judged)
            printf("errors of %s are skipped: long double has no more digits here\n", type_name(f->type));
        for (math_kind kind = 0; kind < MATH_KINDS; kind++) sweep(f, kind, finer);
    }
}

/* Bit for bit, zeros with their signs; NaN is NaN. */
static bool same(double a, double b) { return isnan(b) ? isnan(a) : memcmp(&a, &b, sizeof a) == 0; }

typedef struct special {
    math_kind kind;
    double at_infinity, at_minus_infinity, at_zero, at_minus_zero;
} special;

static const special SPECIAL[] = {
    {MATH_DECAY, 0, 0, 1, 1},
    {MATH_SIGMOID, 1, 0, 0.5, 0.5},
    {MATH_TANH, 1, -1, 0, -0.0},
    {MATH_SILU, INFINITY, NAN, 0, -0.0},
    {MATH_GELU, INFINITY, NAN, 0, -0.0},
    {MATH_GELU_TANH, INFINITY, NAN, 0, -0.0},
    {MATH_ELU, INFINITY, -1, 0, -0.0},
    {MATH_SOFTPLUS, INFINITY, 0, M_LN2, M_LN2},
};

static void try_special(const special *s, const format *f) {
    bench *b = set_up(f, s->kind);
    const double input[] = {INFINITY, -INFINITY, 0, -0.0, NAN, -NAN};
    const double expected[] = {s->at_infinity, s->at_minus_infinity, s->at_zero, s->at_minus_zero, NAN, NAN};
    memcpy(b->input, input, sizeof input);
    for (int fused = 0; fused < 2; fused++) {
        run(b, fused);
        for (int i = 0; i < 6; i++)
            cr_expect(same(b->output[i], type_round(f->type, expected[i])), "%s(%g) of %s is %a",
                      nest_math_name(s->kind), input[i], type_name(f->type), b->output[i]);
    }
    arena_free(&b->arena);
}

Test(math, infinities_zeros_and_nan_give_what_ieee_makes_of_the_formula) {
    cr_assert_eq(sizeof SPECIAL / sizeof *SPECIAL, (size_t)MATH_KINDS);
    for (int i = 0; i < FORMAT_COUNT * MATH_KINDS; i++)
        try_special(&SPECIAL[i / FORMAT_COUNT], &FORMATS[i % FORMAT_COUNT]);
}

/* The ends of the types, and about where exponentials, and products with them, become denormal and 0. */
static const double EXTREMES[] = {FLT_MAX,
                                  FLT_MIN,
                                  FLT_TRUE_MIN,
                                  0x1.fffffcp-127,
                                  1,
                                  0x1.fffffep-1,
                                  0x1p-24,
                                  88.72284F,
                                  87.33655F,
                                  103.97208F,
                                  103.97209F,
                                  104,
                                  DBL_MAX,
                                  DBL_MIN,
                                  DBL_TRUE_MIN,
                                  0x1.ffffffffffffep-1023,
                                  0x1.fffffffffffffp-1,
                                  0x1p-53,
                                  36.7,
                                  37.5,
                                  38.5,
                                  38.6,
                                  708.3964185322641,
                                  709.782712893384,
                                  744.4400719213812,
                                  745.1332191019412,
                                  750,
                                  760};
enum { EXTREMES_TRIED = sizeof EXTREMES / sizeof *EXTREMES };

Test(math, the_largest_and_smallest_arguments_are_exact_to_the_promised_error_too) {
    for (int i = 0; i < FORMAT_COUNT * MATH_KINDS; i++) {
        const math_kind kind = (math_kind)(i / FORMAT_COUNT);
        const format *f = &FORMATS[i % FORMAT_COUNT];
        bench *b = set_up(f, kind);
        for (int k = 0; k < 2 * EXTREMES_TRIED; k++)
            b->input[k] = type_round(f->type, k % 2 ? -EXTREMES[k / 2] : EXTREMES[k / 2]);
        for (int fused = 0; fused < 2; fused++) {
            run(b, fused);
            for (int k = 0; k < 2 * EXTREMES_TRIED && f->is_judged; k++)
                if (isfinite(b->input[k]))
                    cr_expect_leq(ulps(f, b->output[k], f->reference(kind, b->input[k])), ULP[kind],
                                  "%s(%a) of %s is %a", nest_math_name(kind), b->input[k], type_name(f->type),
                                  b->output[k]);
        }
        arena_free(&b->arena);
    }
}

/* What lowering may rely on. */
Test(math, programs_use_lane_wise_operations_of_earlier_steps_alone) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a), "out of memory");
    for (int which = 0; which < FORMAT_COUNT * MATH_KINDS; which++) {
        const math_kind kind = (math_kind)(which / FORMAT_COUNT);
        math_program p = nest_math(&a, kind, FORMATS[which % FORMAT_COUNT].type);
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
