/* Does every sum become the byte that the formula says? A kernel of one weight, 1, over 256 inputs and 2^16 biases, 256
 * apart, has 2^24 sums one after another, by every target that runs here and by lanes of either kind. The formulas are
 * written once more, as those whose they are write them. */
#include "compile.h"
#include "judge/naive_quantized.h"
#include "judge/tensors.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { INPUTS = 256, CHANNELS = 1 << 16, SUMS = INPUTS * CHANNELS, SAMPLE = 61 };

typedef struct step {
    rounding_mode rounding;
    cvk_type type;
    int zero;
    int32_t first; /* sum */
    float m;       /* of nearest_even */
    int32_t by, shift;
} step;

static double saturated(const step *s, double x) { return fmin(fmax(x, type_least(s->type)), type_greatest(s->type)); }

/* ONNX Runtime, FBGEMM: nearbyint. */
static double nearest_even(const step *s, int32_t sum) {
    const float scaled = (float)sum * s->m;
    return saturated(s, (double)(isnan(scaled) ? 0 : nearbyintf(scaled)) + s->zero);
}

/* XNNPACK's rndnu. */
static double half_up(const step *s, int32_t sum) {
    const int64_t half = INT64_C(1) << (s->shift - 1);
    return saturated(s, (double)(((int64_t)sum * s->by + half) >> s->shift) + s->zero);
}

/* gemmlowp. */
static double doubled(const step *s, int32_t sum) {
    const int64_t left = (int64_t)sum * (INT64_C(1) << (s->shift < 0 ? -s->shift : 0));
    const int64_t x = left > INT32_MAX ? INT32_MAX : left < INT32_MIN ? INT32_MIN : left, product = x * s->by;
    const bool overflow = x == s->by && s->by == INT32_MIN;
    const int64_t nudge = product >= 0 ? 1 << 30 : 1 - (1 << 30);
    const int32_t high = overflow ? INT32_MAX : (int32_t)((product + nudge) / (INT64_C(1) << 31));
    const int exponent = s->shift < 0 ? 0 : s->shift;
    const int64_t mask = (INT64_C(1) << exponent) - 1, threshold = (mask >> 1) + (high < 0);
    return saturated(s, (double)((high >> exponent) + ((high & mask) > threshold)) + s->zero);
}

static double expected(const step *s, int32_t sum) {
    static double (*const FORMULA[ROUNDINGS])(const step *, int32_t) = {nearest_even, half_up, doubled};
    return FORMULA[s->rounding](s, sum);
}

static cvk_spec layer_of(const step *s, cvk_layout layout) {
    cvk_spec spec = {.name = "last_step",
                     .rank = 1,
                     .batch = 1,
                     .in_channels = 1,
                     .out_channels = CHANNELS,
                     .groups = 1,
                     .in_size = {1, 1, INPUTS},
                     .kernel = {1, 1, 1},
                     .stride = {1, 1, 1},
                     .dilation = {1, 1, 1},
                     .input_layout = layout,
                     .output_layout = layout,
                     .input_type = TYPE_U8,
                     .weights_type = TYPE_S8,
                     .output_type = s->type,
                     .output_zero = s->zero,
                     .rounding = s->rounding,
                     .one_multiplier = true,
                     .bias = true,
                     .at = {.file = ""}};
    cr_assert_eq(spec_finish(&spec, NULL), CVK_OK);
    return spec;
}

/* Of all sums, in their order, as they are in memory. */
static uint8_t bytes[SUMS];

static void fill_bytes(const step *s) {
    for (int32_t i = 0; i < SUMS; i++) bytes[i] = (uint8_t)(int)expected(s, s->first + i);
}

static void expect_sample(const cvk_spec *spec, const step *s, const naive_tensors *t) {
    for (int32_t i = 0; i < SUMS; i += SAMPLE) {
        long double y = naive_scaled(spec, t, 0, s->first + i);
        naive_store_byte(spec, &y, NULL);
        if ((uint8_t)(int)y != bytes[i]) cr_assert_fail("the interpreter makes %g of %d", (double)y, s->first + i);
    }
}

static void expect_channel(const step *s, const cvk_kernel_info *info, int64_t oc, const uint8_t *got) {
    const uint8_t *right = bytes + oc * INPUTS;
    for (int x = 0; memcmp(got, right, INPUTS) != 0 && x < INPUTS; x++)
        if (got[x] != right[x])
            cr_assert_fail("%s, %s: %d becomes %02x, not %02x, by %g, or %d and %d, from %d on", info->target,
                           info->plan, s->first + (int32_t)oc * INPUTS + x, got[x], right[x], (double)s->m, s->by,
                           s->shift, s->zero);
}

static void run_on(const cvk_target *target, const cvk_spec *spec, const step *s, const naive_tensors *data) {
    cvk_kernel *kernel;
    tensors t;
    cr_assert_eq(compile_kernel(spec, (goal){.target = target}, NULL, NULL, &kernel, NULL), CVK_OK);
    const cvk_kernel_info *info = cvk_kernel_get_info(kernel);
    cr_assert_eq(tensors_bind(spec, info, data, GUARD_END, 1, &t), CVK_OK);
    cr_assert_eq(cvk_run(info, &t.buffers, NULL), CVK_OK);
    uint8_t got[INPUTS];
    for (int64_t oc = 0; oc < CHANNELS; oc++) {
        tensors_read(&t, oc, got);
        expect_channel(s, info, oc, got);
    }
    tensors_free(&t);
    cvk_kernel_free(kernel);
}

static void try_step(const step *s, cvk_layout layout) {
    static uint8_t input[INPUTS];
    static int32_t bias[CHANNELS];
    static int8_t weights[CHANNELS];
    for (int i = 0; i < INPUTS; i++) input[i] = (uint8_t)i;
    for (int i = 0; i < CHANNELS; i++) bias[i] = s->first + i * INPUTS, weights[i] = 1;
    const cvk_spec spec = layer_of(s, layout);
    const naive_tensors data = {.input = input,
                                .weights = weights,
                                .bias = bias,
                                .scale = s->rounding == ROUND_NEAREST_EVEN ? (const void *)&s->m : &s->by,
                                .shift = &s->shift};
    const cvk_target *target;
    fill_bytes(s);
    expect_sample(&spec, s, &data);
    for (int i = 0; (target = target_row(i)); i++)
        if (target_runs_here(target)) run_on(target, &spec, s, &data);
}

static void try_all(const step *steps, size_t count) {
    for (size_t i = 0; i < count; i++) try_step(&steps[i], i % 2 ? CVK_CHANNELS_LAST : CVK_CHANNELS_FIRST);
}
#define TRY(steps) try_all(steps, sizeof(steps) / sizeof *(steps))

enum { MIDDLE = -(1 << 23), LEAST = INT32_MIN, MOST = INT32_MAX - SUMS + 1, ONE = 1 << 30 };

Test(last_step, nearest_even) {
    static const step STEPS[] = {
        {ROUND_NEAREST_EVEN, TYPE_U8, 77, MIDDLE, 0x1p-16F, 0, 0},
        {ROUND_NEAREST_EVEN, TYPE_S8, 0, MIDDLE, 0x1.8p-17F, 0, 0},
        {ROUND_NEAREST_EVEN, TYPE_S8, -51, MIDDLE, -0x1.234568p-16F, 0, 0},
        {ROUND_NEAREST_EVEN, TYPE_U8, 0, MIDDLE, 0x1p-149F, 0, 0},
        {ROUND_NEAREST_EVEN, TYPE_U8, 255, MIDDLE, 0x1p127F, 0, 0},
        {ROUND_NEAREST_EVEN, TYPE_S8, -128, MOST, 0x1.000002p-24F, 0, 0},
        {ROUND_NEAREST_EVEN, TYPE_S8, 127, LEAST, INFINITY, 0, 0},
    };
    TRY(STEPS);
}

Test(last_step, half_up) {
    static const step STEPS[] = {
        {ROUND_HALF_UP, TYPE_U8, 77, MIDDLE, 0, ONE, 46},
        {ROUND_HALF_UP, TYPE_S8, -51, MIDDLE, 0, ONE / 2 * 3, 47},
        {ROUND_HALF_UP, TYPE_S8, 0, MIDDLE, 0, -1234567891, 46},
        {ROUND_HALF_UP, TYPE_U8, 255, MIDDLE, 0, 1, 1},
        {ROUND_HALF_UP, TYPE_S8, 127, LEAST, 0, INT32_MIN, 62},
        {ROUND_HALF_UP, TYPE_U8, 0, MOST, 0, INT32_MAX, 1},
        {ROUND_HALF_UP, TYPE_S8, -128, LEAST, 0, INT32_MAX, 55},
    };
    TRY(STEPS);
}

Test(last_step, doubled) {
    static const step STEPS[] = {
        {ROUND_DOUBLE, TYPE_U8, 77, MIDDLE, 0, ONE, 15},
        {ROUND_DOUBLE, TYPE_S8, -51, MIDDLE, 0, ONE / 2 * 3, 16},
        {ROUND_DOUBLE, TYPE_S8, 0, MIDDLE, 0, -1234567891, 15},
        {ROUND_DOUBLE, TYPE_U8, 255, MIDDLE, 0, 257, 0},
        {ROUND_DOUBLE, TYPE_S8, 127, LEAST, 0, INT32_MIN, 24},
        {ROUND_DOUBLE, TYPE_U8, 0, MIDDLE, 0, 65537, -9},
        {ROUND_DOUBLE, TYPE_S8, -128, MOST, 0, INT32_MAX, 31},
    };
    TRY(STEPS);
}
