/* Does the evaluator do what ops.def says, operation by operation, and stop where no kernel may go? */
#include "by_hand.h"
#include "judge/nest_eval.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { LANES = 8, ELEMENTS = 64 };

/* A nest under construction with registers r[0..16] of 8 lanes, and the buffers it runs on: input[i] = i + 1. */
typedef struct bench {
    arena arena;
    nest_builder b;
    int input, output, r;
    float from[ELEMENTS], to[ELEMENTS];
} bench;

static void set_up(bench *t) {
    arena_init(&t->arena);
    cr_assert(!arena_guard(&t->arena), "out of memory");
    t->b = nest_begin(&t->arena, "test", ENTRY_TASKS, 4 * LANES);
    t->input = nest_add_tensor(&t->b, "input", ROLE_INPUT, TYPE_F32, ELEMENTS, 4, false);
    t->output = nest_add_tensor(&t->b, "output", ROLE_OUTPUT, TYPE_F32, ELEMENTS, 4, true);
    t->r = nest_add_register(&t->b, "r", TYPE_F32, LANES, 16);
    for (int i = 0; i < ELEMENTS; i++) t->from[i] = (float)(i + 1), t->to[i] = -1;
}

static register_ref r(const bench *t, int64_t index) { return reg(t->r, affine_constant(index)); }
static nest_access in(const bench *t, int64_t offset, int64_t stride) {
    return access_at(t->input, affine_constant(offset), stride);
}
static nest_access out(const bench *t, int64_t offset, int64_t stride) {
    return access_at(t->output, affine_constant(offset), stride);
}
static nest_range lanes(bench *t, int64_t low, int64_t high) { return range_of(&t->b, low, high); }

static cvk_status run_tasks(bench *t, int64_t first, int64_t last, bool fused) {
    void *tensors[ROLE_COUNT] = {[ROLE_INPUT] = t->from, [ROLE_OUTPUT] = t->to};
    return nest_eval(t->b.nest, tensors, first, last, eval_as(fused));
}
static cvk_status run(bench *t) { return run_tasks(t, 0, t->b.nest->tasks, true); }

static bool same(float a, float b) { return isnan(b) ? isnan(a) : memcmp(&a, &b, sizeof a) == 0; }

static void expect_output(const bench *t, const char *name, const float *expected, int count) {
    for (int i = 0; i < count; i++)
        cr_expect(same(t->to[i], expected[i]), "%s: element %d is %g, not %g", name, i, (double)t->to[i],
                  (double)expected[i]);
}

/* Lane by lane operations, in the words of ops.def. */
static float copy_of(float a, float b, float c) { return (void)b, (void)c, a; }
static float fma_of(float a, float b, float c) { return fmaf(a, b, c); }
static float add_of(float a, float b, float c) { return (void)c, a + b; }
static float sub_of(float a, float b, float c) { return (void)c, a - b; }
static float mul_of(float a, float b, float c) { return (void)c, a * b; }
static float div_of(float a, float b, float c) { return (void)c, a / b; }
static float min_of(float a, float b, float c) { return (void)c, isless(a, b) ? a : b; }
static float max_of(float a, float b, float c) { return (void)c, isgreater(a, b) ? a : b; }
static float maximum_of(float a, float b, float c) { return (void)c, isnan(b) || isgreater(b, a) ? b : a; }
static float greater_of(float a, float b, float c) {
    return (void)c, isgreater(a, b) || (isnan(a) && !isnan(b)) ? -1 : 0;
}
static float select_of(float a, float b, float c) { return isless(a, 0.0F) ? b : c; }
static float abs_of(float a, float b, float c) { return (void)b, (void)c, fabsf(a); }
static float sqrt_of(float a, float b, float c) { return (void)b, (void)c, sqrtf(a); }
static float copysign_of(float a, float b, float c) { return (void)c, copysignf(a, b); }

static float (*const FORMULA[OP_KINDS])(float, float, float) = {
    [OP_COPY] = copy_of,
    [OP_FMA] = fma_of,
    [OP_ADD] = add_of,
    [OP_SUB] = sub_of,
    [OP_MUL] = mul_of,
    [OP_DIV] = div_of,
    [OP_MIN] = min_of,
    [OP_MAX] = max_of,
    [OP_ABS] = abs_of,
    [OP_SQRT] = sqrt_of,
    [OP_SELECT_NEGATIVE] = select_of,
    [OP_COPYSIGN] = copysign_of,
    [OP_MAXIMUM] = maximum_of,
    [OP_GREATER] = greater_of,
};

static const float INTERESTING[] = {0,        -0.0F,     1,       -1,       1.5F,    -0x1.234566p3F,
                                    INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, FLT_MIN, -0x1p-149F,
                                    1e-20F,   3,         -7,      NAN};
enum { INTERESTING_COUNT = sizeof INTERESTING / sizeof *INTERESTING };

static void expect_formula(op_kind kind, const float *a, const float *b, const float *c) {
    bench t;
    set_up(&t);
    for (int i = 0; i < LANES; i++) t.from[i] = a[i], t.from[LANES + i] = b[i], t.from[2 * LANES + i] = c[i];
    for (int i = 0; i < 3; i++) build_load(&t.b, r(&t, i), in(&t, LANES * i, 1), NULL);
    build_op(&t.b, kind, r(&t, 3), r(&t, 0), r(&t, 1));
    last_op(&t.b)->c = r(&t, 2);
    build_store(&t.b, out(&t, 0, 1), r(&t, 3), NULL);
    cr_expect_eq(run(&t), CVK_OK, "%s", nest_op_name(kind));
    for (int i = 0; i < LANES; i++)
        cr_expect(same(t.to[i], FORMULA[kind](a[i], b[i], c[i])), "%s of %g, %g, %g is %g", nest_op_name(kind),
                  (double)a[i], (double)b[i], (double)c[i], (double)t.to[i]);
    arena_free(&t.arena);
}

Test(eval, lane_by_lane_operations_follow_their_formulas_for_every_pair_of_special_values) {
    for (op_kind kind = 0; kind < OP_KINDS; kind++) {
        if (!FORMULA[kind]) continue;
        for (int i = 0; i < INTERESTING_COUNT; i++)
            for (int j = 0; j < INTERESTING_COUNT; j += LANES) {
                float a[LANES], b[LANES], c[LANES];
                for (int l = 0; l < LANES; l++) {
                    a[l] = INTERESTING[i];
                    b[l] = INTERESTING[(j + l) % INTERESTING_COUNT];
                    c[l] = INTERESTING[(i + j + 3 * l) % INTERESTING_COUNT];
                }
                expect_formula(kind, a, b, c);
            }
    }
}

Test(eval, numbers_follow_the_loops_they_depend_on) {
    bench t;
    set_up(&t);
    affine i = build_loop(&t.b, "i", 3);
    build_number(&t.b, r(&t, 0), affine_offset(affine_scale(i, 100), -7), 2);
    build_store(&t.b, access_at(t.output, affine_scale(i, LANES), 1), r(&t, 0), NULL);
    build_end(&t.b);
    cr_expect_eq(run(&t), CVK_OK);
    for (int at = 0; at < 3 * LANES; at++)
        cr_expect_eq(t.to[at], (float)(100 * (at / LANES) - 7 + 2 * (at % LANES)), "element %d is %g", at,
                     (double)t.to[at]);
    arena_free(&t.arena);
}

Test(eval, a_maximum_of_some_lanes_leaves_the_others) {
    bench t;
    set_up(&t);
    for (int l = 0; l < LANES; l++) t.from[l] = 1, t.from[LANES + l] = l == 1 ? NAN : 5;
    nest_range lanes = range_of(&t.b, 1, 3);
    build_load(&t.b, r(&t, 0), in(&t, 0, 1), NULL);
    build_load(&t.b, r(&t, 1), in(&t, LANES, 1), NULL);
    build_maximum(&t.b, r(&t, 0), r(&t, 1), &lanes);
    build_store(&t.b, out(&t, 0, 1), r(&t, 0), NULL);
    cr_expect_eq(run(&t), CVK_OK);
    for (int l = 0; l < LANES; l++)
        cr_expect(same(t.to[l], l == 1 ? NAN : l == 2 ? 5 : 1), "lane %d is %g", l, (double)t.to[l]);
    arena_free(&t.arena);
}

Test(eval, exp2i_is_exact_for_every_normal_exponent) {
    for (int first = -126; first <= 127; first += LANES) {
        bench t;
        set_up(&t);
        for (int i = 0; i < LANES; i++) t.from[i] = (float)(first + i);
        build_load(&t.b, r(&t, 0), in(&t, 0, 1), NULL);
        build_op(&t.b, OP_EXP2I, r(&t, 0), r(&t, 0), r(&t, 0));
        build_store(&t.b, out(&t, 0, 1), r(&t, 0), NULL);
        cr_expect_eq(run(&t), CVK_OK);
        for (int i = 0; i < LANES && first + i <= 127; i++)
            cr_expect_eq(t.to[i], ldexpf(1, first + i), "2^%d is %a", first + i, (double)t.to[i]);
        arena_free(&t.arena);
    }
}

Test(eval, fma_rounds_once_or_twice_as_told) {
    bench t;
    set_up(&t);
    t.from[0] = 1 + 0x1p-12F;
    t.from[1] = -1 - 0x1p-11F;
    build_splat(&t.b, r(&t, 0), in(&t, 0, 1));
    build_splat(&t.b, r(&t, 1), in(&t, 1, 1));
    build_fma(&t.b, r(&t, 1), r(&t, 0), r(&t, 0), NULL);
    build_store(&t.b, out(&t, 0, 1), r(&t, 1), NULL);
    cr_expect_eq(run_tasks(&t, 0, 1, true), CVK_OK);
    cr_expect_eq(t.to[0], 0x1p-24F, "fused: %a", (double)t.to[0]);
    cr_expect_eq(run_tasks(&t, 0, 1, false), CVK_OK);
    cr_expect_eq(t.to[0], 0, "not fused: %a", (double)t.to[0]);
    arena_free(&t.arena);
}

Test(eval, loads_splats_and_constants_fill_their_lanes) {
    bench t;
    set_up(&t);
    nest_range middle = lanes(&t, 2, 5), wide = lanes(&t, -3, 99), none = lanes(&t, 5, 2);
    build_load(&t.b, r(&t, 0), in(&t, 1, 2), NULL);
    build_load(&t.b, r(&t, 1), in(&t, 7, -1), NULL);
    build_load(&t.b, r(&t, 2), in(&t, -2, 1), &middle);
    build_load(&t.b, r(&t, 3), in(&t, 0, 1), &wide);
    build_load(&t.b, r(&t, 4), in(&t, 1000, 1), &none);
    build_splat(&t.b, r(&t, 5), in(&t, 6, 1));
    build_const(&t.b, r(&t, 6), 0.5F);
    for (int i = 0; i < 7; i++) build_store(&t.b, out(&t, LANES * i, 1), r(&t, i), NULL);
    cr_expect_eq(run(&t), CVK_OK);
    const float expected[] = {2, 4, 6, 8, 10, 12, 14, 16, 8, 7, 6,    5,    4,    3,    2,    1,    0,    0,   1,
                              2, 3, 0, 0, 0,  1,  2,  3,  4, 5, 6,    7,    8,    0,    0,    0,    0,    0,   0,
                              0, 0, 7, 7, 7,  7,  7,  7,  7, 7, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F};
    expect_output(&t, "loads", expected, 7 * LANES);
    arena_free(&t.arena);
}

Test(eval, lane_ranges_leave_memory_and_accumulators_and_clear_what_keep_drops) {
    bench t;
    set_up(&t);
    nest_range low = lanes(&t, 0, 3), high = lanes(&t, 6, 8), none = lanes(&t, 0, 0);
    build_load(&t.b, r(&t, 0), in(&t, 0, 1), NULL);
    build_store(&t.b, out(&t, 0, 1), r(&t, 0), &low);
    build_load(&t.b, r(&t, 1), in(&t, 0, 1), NULL);
    build_fma(&t.b, r(&t, 1), r(&t, 0), r(&t, 0), &high);
    build_fma(&t.b, r(&t, 9), r(&t, 9), r(&t, 9), &none);
    build_store(&t.b, out(&t, LANES, 1), r(&t, 1), NULL);
    build_keep(&t.b, r(&t, 1), r(&t, 0), &low);
    build_store(&t.b, out(&t, 2 * LANES, 1), r(&t, 1), NULL);
    cr_expect_eq(run(&t), CVK_OK);
    const float expected[] = {1, 2, 3, -1, -1, -1, -1, -1, 1, 2, 3, 4, 5, 6, 56, 72, 1, 2, 3, 0, 0, 0, 0, 0, -1};
    expect_output(&t, "lane ranges", expected, 3 * LANES + 1);
    arena_free(&t.arena);
}

Test(eval, shuffles_pick_from_both_sources) {
    bench t;
    set_up(&t);
    static const int PATTERN[] = {15, 0, 8, 7, 1, 1, 9, 3};
    build_load(&t.b, r(&t, 0), in(&t, 0, 1), NULL);
    build_load(&t.b, r(&t, 1), in(&t, LANES, 1), NULL);
    build_op(&t.b, OP_SHUFFLE, r(&t, 0), r(&t, 0), r(&t, 1));
    last_op(&t.b)->pattern = PATTERN;
    build_store(&t.b, out(&t, 0, 1), r(&t, 0), NULL);
    cr_expect_eq(run(&t), CVK_OK);
    const float expected[] = {16, 1, 9, 8, 2, 2, 10, 4};
    expect_output(&t, "shuffle", expected, LANES);
    arena_free(&t.arena);
}

Test(eval, transposes_work_in_place_and_apart) {
    for (int to = 0; to <= 8; to += 8) {
        bench t;
        set_up(&t);
        for (int i = 0; i < LANES; i++) build_load(&t.b, r(&t, i), in(&t, LANES * i, 1), NULL);
        build_transpose(&t.b, r(&t, to), r(&t, 0));
        for (int i = 0; i < LANES; i++) build_store(&t.b, out(&t, LANES * i, 1), r(&t, to + i), NULL);
        cr_expect_eq(run(&t), CVK_OK);
        float expected[ELEMENTS];
        for (int i = 0; i < ELEMENTS; i++) expected[i] = (float)(i % LANES * LANES + i / LANES + 1);
        expect_output(&t, to ? "apart" : "in place", expected, ELEMENTS);
        arena_free(&t.arena);
    }
}

/* output[8 t + i] = i for task t = 4 a + b, by loops and an unrolled one; a condition keeps i < 7. */
static void build_tasks(bench *t) {
    affine a = build_task(&t->b, "a", 2), b = build_task(&t->b, "b", 4);
    affine base = affine_add_scaled(affine_scale(a, 32), b, 8);
    affine i = affine_add_scaled(build_loop(&t->b, "i", 4), build_unrolled(&t->b, "u", 2), 4);
    nest_range first = range_of(&t->b, 0, 1);
    build_if(&t->b, affine_offset(affine_scale(i, -1), 6), "all but the last");
    build_splat(&t->b, r(t, 0), access_at(t->input, i, 1));
    build_store(&t->b, access_at(t->output, affine_add(base, i), 1), r(t, 0), &first);
    for (int k = 0; k < 5; k++) build_end(&t->b);
}

Test(eval, tasks_run_alone_in_the_order_of_their_loops) {
    bench t;
    set_up(&t);
    build_tasks(&t);
    cr_assert_eq(t.b.nest->tasks, 8);
    cr_expect_eq(run_tasks(&t, 5, 7, true), CVK_OK);
    for (int i = 0; i < ELEMENTS; i++) {
        bool touched = i / 8 >= 5 && i / 8 < 7 && i % 8 < 7;
        cr_expect_eq(t.to[i], touched ? (float)(i % 8 + 1) : -1.0F, "element %d is %g", i, (double)t.to[i]);
    }
    cr_expect_eq(run_tasks(&t, 3, 3, true), CVK_OK, "no task is nothing to do");
    cr_expect_eq(run_tasks(&t, -1, 3, true), CVK_ERROR_ARGUMENT);
    cr_expect_eq(run_tasks(&t, 0, 9, true), CVK_ERROR_ARGUMENT);
    arena_free(&t.arena);
}

Test(eval, lanes_that_a_range_drops_need_not_be_defined) {
    bench t;
    set_up(&t);
    static const int PATTERN[] = {0, 1, 2, 3, 4, 5, -1, -1};
    nest_range six = lanes(&t, 0, 6), wide = lanes(&t, -1, 99);
    build_load(&t.b, r(&t, 0), in(&t, 0, 1), NULL);
    build_op(&t.b, OP_SHUFFLE, r(&t, 1), r(&t, 0), r(&t, 0));
    last_op(&t.b)->pattern = PATTERN;
    build_store(&t.b, out(&t, 0, 1), r(&t, 1), &six);
    build_keep(&t.b, r(&t, 2), r(&t, 1), &six);
    build_store(&t.b, out(&t, LANES, 1), r(&t, 2), &wide);
    cr_expect_eq(run(&t), CVK_OK);
    const float expected[] = {1, 2, 3, 4, 5, 6, -1, -1, 1, 2, 3, 4, 5, 6, 0, 0};
    expect_output(&t, "dropped lanes", expected, 2 * LANES);
    arena_free(&t.arena);
}

/* A 3 x 3 convolution over 5 x 7 with padding 1 and stride 2, tiles of 4 pixels across rows, rows and columns found by
 * quotients, taps kept by conditions on both axes. */
static void build_convolution(bench *t) {
    affine tile = build_task(&t->b, "tile", 3), c = build_unrolled(&t->b, "c", 4);
    affine p = affine_add(affine_scale(tile, 4), c);
    affine oh = build_quotient(&t->b, p, 4), ow = affine_add_scaled(p, oh, -4);
    build_const(&t->b, reg(t->r, c), 0);
    affine kh = build_loop(&t->b, "kh", 3), kw = build_unrolled(&t->b, "kw", 3);
    affine y = affine_offset(affine_add_scaled(kh, oh, 2), -1), x = affine_offset(affine_add_scaled(kw, ow, 2), -1);
    affine conditions[] = {y, affine_offset(affine_scale(y, -1), 4), x, affine_offset(affine_scale(x, -1), 6)};
    for (int i = 0; i < 4; i++) build_if(&t->b, conditions[i], "inside the input");
    build_splat(&t->b, r(t, 8), access_at(t->input, affine_add_scaled(x, y, 7), 1));
    build_splat(&t->b, r(t, 9), access_at(t->input, affine_offset(affine_add_scaled(kw, kh, 3), 40), 1));
    build_fma(&t->b, reg(t->r, c), r(t, 8), r(t, 9), NULL);
    for (int i = 0; i < 6; i++) build_end(&t->b);
    nest_range first = range_of(&t->b, 0, 1);
    build_store(&t->b, access_at(t->output, p, 1), reg(t->r, c), &first);
    build_end(&t->b);
    build_end(&t->b);
}

Test(eval, a_padded_strided_convolution_by_quotients_and_conditions_is_right) {
    bench t;
    set_up(&t);
    build_convolution(&t);
    cr_expect_eq(nest_check(t.b.nest, NULL, NULL), CVK_OK);
    cr_expect_eq(run(&t), CVK_OK);
    for (int p = 0; p < 12; p++) {
        float sum = 0;
        for (int k = 0; k < 9; k++) {
            int y = p / 4 * 2 + k / 3 - 1, x = p % 4 * 2 + k % 3 - 1;
            if (y >= 0 && y < 5 && x >= 0 && x < 7) sum += t.from[7 * y + x] * t.from[40 + k];
        }
        cr_expect_eq(t.to[p], sum, "pixel %d is %g, not %g", p, (double)t.to[p], (double)sum);
    }
    arena_free(&t.arena);
}

/* What no kernel may do, each after a harmless load of r[0]. */
static void read_past_the_end(bench *t) { build_load(&t->b, r(t, 1), in(t, ELEMENTS - LANES + 1, 1), NULL); }
static void read_before_the_start(bench *t) { build_splat(&t->b, r(t, 1), in(t, -1, 1)); }
static void write_past_the_end(bench *t) { build_store(&t->b, out(t, ELEMENTS - LANES + 1, 1), r(t, 0), NULL); }
static void write_the_input(bench *t) { build_store(&t->b, in(t, 0, 1), r(t, 0), NULL); }
static void write_undefined(bench *t) { build_store(&t->b, out(t, 0, 1), r(t, 1), NULL); }
static void add_undefined(bench *t) { build_op(&t->b, OP_ADD, r(t, 0), r(t, 0), r(t, 1)); }
static void accumulate_undefined(bench *t) { build_fma(&t->b, r(t, 1), r(t, 0), r(t, 0), NULL); }
static void call_undefined(bench *t) { build_call(&t->b, MATH_TANH, r(t, 1), r(t, 1)); }
static void register_past_the_array(bench *t) { build_const(&t->b, r(t, 16), 0); }
static void register_before_the_array(bench *t) { build_const(&t->b, r(t, -1), 0); }
static void no_register(bench *t) { build_const(&t->b, reg(-1, affine_constant(0)), 0); }
static void transpose_past_the_array(bench *t) { build_transpose(&t->b, r(t, 9), r(t, 0)); }
static void no_tensor(bench *t) { build_splat(&t->b, r(t, 0), access_at(7, affine_constant(0), 1)); }
static void no_buffer(bench *t) {
    build_splat(&t->b, r(t, 0),
                access_at(nest_add_tensor(&t->b, "bias", ROLE_BIAS, TYPE_F32, 1, 4, false), affine_constant(0), 1));
}
static void other_width(bench *t) {
    int narrow = nest_add_register(&t->b, "narrow", TYPE_F32, 4, 1);
    build_op(&t->b, OP_COPY, reg(narrow, affine_constant(0)), r(t, 0), r(t, 0));
}
static void undefined_lane_of_a_shuffle(bench *t) {
    static const int PATTERN[] = {0, 1, 2, 3, 4, 5, 6, -1};
    build_op(&t->b, OP_SHUFFLE, r(t, 1), r(t, 0), r(t, 0));
    last_op(&t->b)->pattern = PATTERN;
    build_op(&t->b, OP_ADD, r(t, 1), r(t, 1), r(t, 0));
    build_store(&t->b, out(t, 0, 1), r(t, 1), NULL);
}
static void undefined_column_of_a_transpose(bench *t) {
    build_transpose(&t->b, r(t, 8), r(t, 0));
    build_store(&t->b, out(t, 0, 1), r(t, 8), NULL);
}
static void shuffle_without_pattern(bench *t) { build_op(&t->b, OP_SHUFFLE, r(t, 0), r(t, 0), r(t, 0)); }
static void unknown_operation(bench *t) { build_op(&t->b, OP_KINDS, r(t, 0), r(t, 0), r(t, 0)); }
static void unknown_function(bench *t) { build_call(&t->b, MATH_KINDS, r(t, 0), r(t, 0)); }

#define FAULT(function) {#function, function}
static const struct fault {
    const char *name;
    void (*build)(bench *);
} FAULTS[] = {
    FAULT(read_past_the_end),
    FAULT(read_before_the_start),
    FAULT(write_past_the_end),
    FAULT(write_the_input),
    FAULT(write_undefined),
    FAULT(add_undefined),
    FAULT(accumulate_undefined),
    FAULT(call_undefined),
    FAULT(register_past_the_array),
    FAULT(register_before_the_array),
    FAULT(no_register),
    FAULT(transpose_past_the_array),
    FAULT(no_tensor),
    FAULT(no_buffer),
    FAULT(other_width),
    FAULT(undefined_lane_of_a_shuffle),
    FAULT(undefined_column_of_a_transpose),
    FAULT(shuffle_without_pattern),
    FAULT(unknown_operation),
    FAULT(unknown_function),
};

Test(eval, it_stops_at_what_no_kernel_may_do) {
    for (size_t i = 0; i < sizeof FAULTS / sizeof *FAULTS; i++) {
        bench t;
        set_up(&t);
        build_load(&t.b, r(&t, 0), in(&t, 0, 1), NULL);
        FAULTS[i].build(&t);
        build_store(&t.b, out(&t, 0, 0), r(&t, 0), NULL);
        cr_expect_eq(run(&t), CVK_ERROR_INTERNAL, "%s: went on", FAULTS[i].name);
        cr_expect_eq(t.to[0], -1, "%s: stopped late", FAULTS[i].name);
        arena_free(&t.arena);
    }
}

Test(eval, registers_are_undefined_again_in_the_next_task_and_prefetches_may_point_anywhere) {
    bench t;
    set_up(&t);
    affine a = build_task(&t.b, "a", 2);
    build_prefetch(&t.b, in(&t, -1000000, 1));
    build_if(&t.b, affine_scale(a, -1), "the first task");
    build_const(&t.b, r(&t, 0), 1);
    build_end(&t.b);
    build_store(&t.b, out(&t, 0, 1), r(&t, 0), NULL);
    build_end(&t.b);
    cr_expect_eq(run_tasks(&t, 0, 1, true), CVK_OK);
    cr_expect_eq(run_tasks(&t, 0, 2, true), CVK_ERROR_INTERNAL);
    arena_free(&t.arena);
}
