/* Is every half what goes into a kernel, and the nearest half what comes out? A kernel of one weight, 1, has nothing to
 * sum: all patterns of a half go through it, and f32 about every half and every tie between two. */
#include "compile.h"
#include "trial.h"

#include "judge/tensors.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATTERNS = 1 << 16, ABOUT = 6, MOST_PLANS = 12 };

/* The number of a finite half, or of what would come next, by its definition. */
static double number_of(cvk_type type, unsigned magnitude) {
    const int digits = type == TYPE_F16 ? 10 : 7, bias = type == TYPE_F16 ? 15 : 127;
    const int exponent = (int)(magnitude >> digits), fraction = (int)(magnitude & ((1u << digits) - 1));
    return exponent ? ldexp((1 << digits) + fraction, exponent - bias - digits) : ldexp(fraction, 1 - bias - digits);
}

static unsigned infinity_of(cvk_type type) { return type == TYPE_F16 ? 0x7c00 : 0x7f80; }

/* All patterns. */
static void fill_patterns(uint16_t *to) {
    for (unsigned i = 0; i < PATTERNS; i++) to[i] = (uint16_t)i;
}

/* About pattern i: the half, the tie between it and the next, and the floats next to each. */
static void fill_ties(cvk_type type, float *to, uint16_t *expected) {
    for (unsigned i = 0; i < PATTERNS; i++, to += ABOUT, expected += ABOUT) {
        const unsigned sign = i & 0x8000, half = i & 0x7fff, infinite = infinity_of(type);
        const unsigned at = half < infinite ? half : infinite - 1; /* NaN and infinity stand for the largest */
        const double s = sign ? -1 : 1, x = number_of(type, at), tie = (x + number_of(type, at + 1)) / 2;
        const float exact = (float)(s * x), middle = (float)(s * tie), far = (float)s * INFINITY;
        const unsigned next = at + 1, even = at & 1 ? next : at;
        const float values[ABOUT] = {
            exact,  nextafterf(exact, far),  nextafterf(middle, 0),
            middle, nextafterf(middle, far), half > infinite ? NAN : half == infinite ? far : exact};
        /* between the least denormals of bf16 there is no more than one float */
        const bool room = (double)middle == s * tie && (double)values[1] * s < tie;
        const unsigned nearest[ABOUT] = {at, at, at, even, next, half >= infinite ? half : at};
        for (int k = 0; k < ABOUT; k++) {
            to[k] = room || k == 0 || k == ABOUT - 1 ? values[k] : exact;
            expected[k] = (uint16_t)(sign | (room || k == 0 || k == ABOUT - 1 ? nearest[k] : at));
        }
    }
}

/* The same number, -0 being 0, or NaN both. */
static bool same_half(cvk_type type, uint16_t a, uint16_t b) {
    const unsigned infinite = infinity_of(type), x = a & 0x7fff, y = b & 0x7fff;
    return a == b || (x == 0 && y == 0) || (x > infinite && y > infinite);
}

static void expect(const char *how, cvk_type type, int64_t count, const uint16_t *expected, const uint16_t *got) {
    for (int64_t i = 0; i < count; i++)
        cr_assert(same_half(type, expected[i], got[i]), "%s: element %d is %04x, not %04x", how, (int)i, got[i],
                  expected[i]);
}

static void run_plan(const cvk_spec *s, const cvk_target *target, const layer_plan *plan, const void *input,
                     const uint16_t *expected, int64_t count) {
    const naive_tensors data = {
        .input = input, .weights = s->weights_type == TYPE_F16 ? &(uint16_t){0x3c00} : (const void *)&(float){1}};
    cvk_kernel *kernel;
    tensors t;
    cr_assert_eq(compile_kernel(s, (goal){.target = target}, plan, NULL, &kernel, NULL), CVK_OK);
    const cvk_kernel_info *info = cvk_kernel_get_info(kernel);
    cr_assert_eq(tensors_bind(s, info, &data, GUARD_END, 1, &t), CVK_OK);
    cr_assert_eq(cvk_run(info, &t.buffers, NULL), CVK_OK);
    uint16_t *got = malloc((size_t)count * sizeof *got);
    cr_assert(got);
    tensors_read(&t, 0, got);
    char how[512];
    snprintf(how, sizeof how, "%s to %s on %s, %s", type_name(s->input_type), type_name(s->output_type), target->name,
             info->plan);
    expect(how, s->output_type, count, expected, got);
    free(got);
    tensors_free(&t);
    cvk_kernel_free(kernel);
}

/* By the interpreter, and by plans for every target that runs here. */
static void run_layer(cvk_spec *s, const void *input, const uint16_t *expected, int64_t count) {
    const uint16_t one[] = {0x3c00};
    const float whole[] = {1};
    uint16_t *got = malloc((size_t)count * sizeof *got);
    cr_assert_eq(spec_finish(s, NULL), CVK_OK);
    cr_assert_eq(
        cvk_reference(s, input, s->weights_type == TYPE_F16 ? (const void *)one : whole, NULL, NULL, NULL, got),
        CVK_OK);
    expect("the interpreter", s->output_type, count, expected, got);
    free(got);
    const cvk_target *target;
    for (int i = 0; (target = target_row(i)); i++) {
        arena a;
        ranked_layer *plans;
        int plan_count;
        if (!target_runs_here(target)) continue;
        arena_init(&a);
        if (arena_guard(&a)) cr_assert_fail("out of memory");
        cr_assert_eq(compile_rank(&a, s, (goal){.target = target}, MOST_PLANS, NULL, &plans, &plan_count), CVK_OK);
        for (int k = 0; k < plan_count; k++) run_plan(s, target, &plans[k].plan, input, expected, count);
        arena_free(&a);
    }
}

static cvk_spec copying(cvk_type input, cvk_type output, cvk_layout layout, int64_t count) {
    return (cvk_spec){.name = "copying",
                      .rank = 1,
                      .batch = 1,
                      .in_channels = 1,
                      .out_channels = 1,
                      .groups = 1,
                      .in_size = {1, 1, count},
                      .kernel = {1, 1, 1},
                      .stride = {1, 1, 1},
                      .dilation = {1, 1, 1},
                      .input_layout = layout,
                      .output_layout = layout,
                      .input_type = input,
                      .weights_type = output == TYPE_F16 ? TYPE_F16 : TYPE_F32,
                      .output_type = output,
                      .at = {.file = ""}};
}

Test(halves, every_pattern_comes_out_as_it_went_in) {
    static uint16_t patterns[PATTERNS];
    fill_patterns(patterns);
    for (cvk_type type = TYPE_F16; type <= TYPE_BF16; type++)
        for (cvk_layout layout = CVK_CHANNELS_FIRST; layout <= CVK_CHANNELS_LAST; layout++) {
            cvk_spec s = copying(type, type, layout, PATTERNS);
            run_layer(&s, patterns, patterns, PATTERNS);
        }
}

Test(halves, what_is_stored_is_the_nearest_ties_to_even) {
    static float values[PATTERNS * ABOUT];
    static uint16_t expected[PATTERNS * ABOUT];
    for (cvk_type type = TYPE_F16; type <= TYPE_BF16; type++) {
        fill_ties(type, values, expected);
        cvk_spec s = copying(TYPE_F32, type, CVK_CHANNELS_FIRST, PATTERNS * ABOUT);
        run_layer(&s, values, expected, PATTERNS * ABOUT);
    }
}
