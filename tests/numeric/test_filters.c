/* Filters whose weights are known, in every padding mode, layout and type: every plan that makes something of the
 * values, and the one that is chosen. */
#include "trial.h"

#include <criterion/criterion.h>
#include <string.h>

typedef struct filter {
    const char *what, *keys, *weights;
} filter;

#define DIFFERENCE_OF_GAUSSIANS                                                                                        \
    "values: [[-0.00194872327, -0.00516532902, -0.00919713907, -0.0110834199, -0.00919713907, "                        \
    "-0.00516532902, -0.00194872327], [-0.00516532902, -0.0132611448, -0.0196861171, -0.019087397, "                   \
    "-0.0196861171, -0.0132611448, -0.00516532902], [-0.00919713907, -0.0196861171, 0.00776862483, "                   \
    "0.0599285873, 0.00776862483, -0.0196861171, -0.00919713907], [-0.0110834199, -0.019087397, "                      \
    "0.0599285873, 0.183122573, 0.0599285873, -0.019087397, -0.0110834199], [-0.00919713907, "                         \
    "-0.0196861171, 0.00776862483, 0.0599285873, 0.00776862483, -0.0196861171, -0.00919713907], "                      \
    "[-0.00516532902, -0.0132611448, -0.0196861171, -0.019087397, -0.0196861171, -0.0132611448, "                      \
    "-0.00516532902], [-0.00194872327, -0.00516532902, -0.00919713907, -0.0110834199, "                                \
    "-0.00919713907, -0.00516532902, -0.00194872327]]"

static const filter FILTERS[] = {
    {"Sobel", "input: [1, 1, 9, 21], out_channels: 1, kernel_size: 3",
     "values: [[1, 0, -1], [2, 0, -2], [1, 0, -1]], scale: 0.125"},
    {"Laplace", "input: [2, 1, 11, 17], out_channels: 1, kernel_size: 3", "values: [[0, 1, 0], [1, -4, 1], [0, 1, 0]]"},
    {"box", "input: [1, 3, 8, 40], out_channels: 3, groups: depthwise, kernel_size: 3",
     "values: [[1, 1, 1], [1, 1, 1], [1, 1, 1]], scale: 0.125"},
    {"binomial", "input: [1, 2, 19, 33], out_channels: 2, groups: depthwise, kernel_size: 5, dilation: [2, 1]",
     "values: [[1, 4, 6, 4, 1], [4, 16, 24, 16, 4], [6, 24, 36, 24, 6], [4, 16, 24, 16, 4], [1, 4, 6, 4, 1]], scale: 0.00390625"},
    {"a product that is rounded", "input: [1, 1, 14, 25], out_channels: 1, kernel_size: [4, 5], stride: [2, 1]",
     "values: [[0.017, 0.051, 0.085, 0.051, 0.017], [0.03, 0.09, 0.15, 0.09, 0.03], [0.011, 0.033, 0.055, 0.033, 0.011], "
     "[0.007, 0.021, 0.035, 0.021, 0.007]]"},
    {"one of each", "input: [1, 2, 7, 19], out_channels: 3, kernel_size: [1, 2]",
     "values: [[[[1, -1]], [[0, 0]]], [[[0.5, 2]], [[2, 0.5]]], [[[0, 0]], [[0, 3]]]]"},
    {"a signal", "input: [1, 4, 50], out_channels: 4, groups: depthwise, kernel_size: 6, stride: 2",
     "values: [[[1, 2, 3, 3, 2, 1]], [[1, 2, 3, -3, -2, -1]], [[0, 0, 1, 0, 0, 0]], [[0, 0, 0, 0, 0, 0]]]"},
    {"taps between vectors", "input: [1, 1, 6, 100], out_channels: 1, kernel_size: [2, 4], dilation: [1, 3]",
     "values: [[1, 2, 2, 1], [3, -1, 5, 7]]"},
    {"taps of the vectors after next", "input: [1, 1, 5, 70], out_channels: 1, kernel_size: [2, 19]",
     "values: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1], "
     "[2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2]]"},
    {"two products of a column and a row", "input: [1, 1, 13, 37], out_channels: 1, kernel_size: 5",
     "values: [[5, 4, 4, 4, 5], [4, 5, 8, 5, 4], [4, 8, 16, 8, 4], [4, 5, 8, 5, 4], [5, 4, 4, 4, 5]], "
     "scale: 0.0625"},
    {"a difference of Gaussians", "input: [2, 2, 17, 50], out_channels: 2, groups: depthwise, kernel_size: 7",
     DIFFERENCE_OF_GAUSSIANS},
    {"a difference of Gaussians, every other row",
     "input: [1, 1, 19, 41], out_channels: 1, kernel_size: 7, stride: [2, 1]", DIFFERENCE_OF_GAUSSIANS},
    {"three products", "input: [1, 1, 11, 35], out_channels: 1, kernel_size: 7, dilation: [1, 2]",
     "values: [[9, 1, 2, 1, 9, 4, 0], [0, 5, 1, 5, 0, 1, 3], [9, 6, 3, 6, 9, 5, 3], [18, 7, 5, 7, 18, "
     "9, 3], [0, 10, 2, 10, 0, 2, 6], [9, 1, 2, 1, 9, 4, 0], [27, 3, 6, 3, 27, 12, 1]]"},
    {"two products of a column of slices and a row", "input: [1, 1, 6, 7, 22], out_channels: 1, kernel_size: [3, 3, 5]",
     "values: [[[1, 2, 4, 2, 1], [4, 8, 16, 8, 4], [1, 2, 4, 2, 1]], [[9, 6, 12, 6, -3], [12, 24, 48, "
     "24, 12], [-3, 6, 12, 6, 9]], [[1, 2, 4, 2, 1], [4, 8, 16, 8, 4], [1, 2, 4, 2, 1]]]"},
    {"a volume", "input: [1, 1, 5, 6, 18], out_channels: 1, kernel_size: 3",
     "values: [[[1, 2, 1], [2, 4, 2], [1, 2, 1]], [[0, 0, 0], [0, 0, 0], [0, 0, 0]], [[-1, -2, -1], [-2, -4, -2], [-1, -2, -1]]]"},
};

static const char *const PADDINGS[] = {"padding_mode: zeros",     "padding_mode: reflect",
                                       "padding_mode: symmetric", "padding_mode: replicate",
                                       "padding_mode: circular",  "padding_mode: {constant: 2.5}"};
static const char *const REST[] = {
    "layout: channels_first", "layout: channels_last, bias: true, post_ops: [relu]",
    "layout: {input: blocked, output: channels_first}, accuracy: strict, flip_kernel: true", "dtype: f64, bias: true",
    "dtype: bf16, accuracy: fast"};

static bool is_wanted(const ranked_layer *plan, int rank) {
    const char *name = plan->plan.part[0].algorithm;
    return rank == 0 || strcmp(name, "constants") == 0 || strcmp(name, "separable") == 0;
}

enum { MOST_PLANS = 8 };

static void try_plans(const char *what, const cvk_spec *s, arena *a, data_kind kind) {
    ranked_layer *plans;
    int count, tried = 0;
    trial t;
    cr_assert(trial_open(&t, s, kind, false, 1), "%s", what);
    cr_assert_eq(compile_rank(a, s, (goal){.target = target_host()}, 0, NULL, &plans, &count), CVK_OK, "%s", what);
    for (int i = 0; i < count && tried < MOST_PLANS; i += 1 + tried) {
        if (!is_wanted(&plans[i], i)) continue;
        tried++;
        cr_expect(trial_kernel(&t, target_host(), &plans[i].plan, (trial_extras){.evaluator = true}), "%s: %s\n%s",
                  what, t.words, trial_yaml(a, s, &plans[i].plan));
    }
    trial_close(&t);
}

static void try_filter(const filter *f, const char *padding, const char *rest) {
    cvk_network *network;
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) cr_assert_fail("out of memory");
    const char *yaml = arena_format(&a, "{version: 1, layers: [{name: a, %s, padding: 1, %s, %s, weights: {%s}}]}",
                                    f->keys, padding, rest, f->weights);
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "filter.yaml", NULL, &network), CVK_OK, "%s", yaml);
    try_plans(f->what, cvk_network_layer(network, 0), &a, DATA_REALS);
    cvk_network_free(network);
    arena_free(&a);
}

/* Each filter in each padding mode, with one of the others; all of these come up. */
Test(filters, are_right_in_every_padding_mode) {
    enum {
        COUNT = sizeof FILTERS / sizeof *FILTERS,
        MODES = sizeof PADDINGS / sizeof *PADDINGS,
        OTHERS = sizeof REST / sizeof *REST
    };
    for (int f = 0; f < COUNT; f++)
        for (int p = 0; p < MODES; p++) try_filter(&FILTERS[f], PADDINGS[p], REST[(f + p) % OTHERS]);
}

Test(filters, of_integers_are_exact) {
    static const filter bytes = {"bytes", "input: [1, 1, 12, 30], out_channels: 1, kernel_size: 3",
                                 "values: [[3, 4, 5], [6, 8, 10], [3, 4, 5]]"};
    for (int p = 0; p < 5; p++)
        try_filter(
            &bytes, PADDINGS[p],
            "dtype: {input: u8, weights: s8, output: s32}, quantization: {input_zero_point: 128, weights_zero_point: 2}");
}
