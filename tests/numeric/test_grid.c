/* The small grid: widths around the vector, few channels, small kernels, uneven padding; every two values of every two
 * of these together, several times over. Each layer is tried with the plan that is chosen and with one at random. */
#include "campaign.h"
#include "pairwise.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Covers of one grid; a sanitized build, several times as slow, makes one. */
#ifndef COVERS
#define COVERS 4
#endif
enum { MOST_ROWS = 4000 };

typedef enum factor {
    WIDTH,
    IN_CHANNELS,
    OUT_CHANNELS,
    KERNEL,
    STRIDE,
    DILATION,
    BEFORE,
    AFTER,
    HEIGHT,
    KERNEL_ROWS,
    ABOVE,
    BELOW,
    LAYOUT_IN,
    LAYOUT_OUT,
    GROUPING,
    BIAS,
    FACTORS
} factor;

static const int levels[FACTORS] = {
    [WIDTH] = 33,    [IN_CHANNELS] = 17, [OUT_CHANNELS] = 17, [KERNEL] = 5,      [STRIDE] = 3, [DILATION] = 3,
    [BEFORE] = 5,    [AFTER] = 5,        [HEIGHT] = 5,        [KERNEL_ROWS] = 3, [ABOVE] = 3,  [BELOW] = 3,
    [LAYOUT_IN] = 3, [LAYOUT_OUT] = 3,   [GROUPING] = 3,      [BIAS] = 2};

typedef enum grouping { DENSE, TWO_GROUPS, DEPTHWISE } grouping;

static void set_channels(const int *row, cvk_spec *s) {
    int64_t in = row[IN_CHANNELS] + 1, out = row[OUT_CHANNELS] + 1;
    int64_t groups = row[GROUPING] == DENSE ? 1 : row[GROUPING] == TWO_GROUPS ? 2 : in;
    if (row[GROUPING] == DEPTHWISE) out = in * (1 + out % 2);
    s->groups = groups;
    s->in_channels = row[GROUPING] == TWO_GROUPS ? 2 * in : in;
    s->out_channels = row[GROUPING] == TWO_GROUPS ? 2 * out : out;
}

static cvk_spec layer_of(const int *row) {
    cvk_spec s = {.name = "layer",
                  .rank = 2,
                  .batch = 1,
                  .in_size = {1, row[HEIGHT] + 1, row[WIDTH] + 1},
                  .kernel = {1, row[KERNEL_ROWS] + 1, row[KERNEL] + 1},
                  .stride = {1, 1, row[STRIDE] + 1},
                  .dilation = {1, 1, row[DILATION] + 1},
                  .pad_before = {0, row[ABOVE], row[BEFORE]},
                  .pad_after = {0, row[BELOW], row[AFTER]},
                  .input_layout = (cvk_layout)row[LAYOUT_IN],
                  .output_layout = (cvk_layout)row[LAYOUT_OUT],
                  .accuracy = ACCURACY_DEFAULT,
                  .bias = row[BIAS],
                  .at = {.file = ""}};
    set_channels(row, &s);
    return s;
}

static bool allowed(const int *row) {
    cvk_spec s = layer_of(row);
    return spec_finish(&s, NULL) == CVK_OK;
}

static cvk_spec layer(draws *d, int number, const void *layers) {
    (void)d;
    cvk_spec s = layer_of((const int *)layers + (size_t)number * FACTORS);
    spec_finish(&s, NULL);
    return s;
}

Test(numeric, small_grid) {
    const pairwise plan = {FACTORS, levels, allowed};
    int *rows = malloc(sizeof *rows * FACTORS * MOST_ROWS);
    int count = 0, missing = 0;
    campaign c = {.test = "numeric/small_grid",
                  .seed = (uint64_t)environment_number("CVK_SEED", 1),
                  .layer = layer,
                  .layers = rows,
                  .plans = 2,
                  .other_plans = 1};
    cr_assert_not_null(rows);
    for (uint64_t i = 0; i < COVERS; i++) {
        draws d = draws_for(c.seed, i);
        count += pairwise_cover(&plan, &d, rows + count * FACTORS, MOST_ROWS - count, &missing);
        cr_assert_eq(missing, 0, "%d pairs of values stand nowhere together", missing);
    }
    c.cases = count;
    campaign_tally done;
    int failures = campaign_run(&c, &done);
    free(rows);
    cr_assert_eq(failures, 0, "%d layers failed; see above", failures);
}
