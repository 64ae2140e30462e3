/* Where elements are, and what becomes of a problem's axes. */
#include "problem/problem.h"
#include "spec/spec.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static int64_t element(const view *v, int64_t n, int64_t c, const int64_t at[AXES]) {
    int64_t offset = v->base + n * v->n + c / v->block * v->channel + c % v->block * v->in_block;
    for (int a = 0; a < AXES; a++) offset += at[a] * v->axis[a];
    return offset;
}

static void same_as_the_layout(cvk_layout layout, int64_t channels, const int64_t size[AXES]) {
    const view v = view_dense(TYPE_F32, layout, 2, channels, 1, size);
    int64_t at[AXES], last = 0;
    for (int64_t n = 0; n < 2; n++)
        for (int64_t c = 0; c < channels; c++)
            for (at[0] = 0; at[0] < size[0]; at[0]++)
                for (at[1] = 0; at[1] < size[1]; at[1]++)
                    for (at[2] = 0; at[2] < size[2]; at[2]++) {
                        int64_t expected = spec_offset(layout, channels, size, n, c, at);
                        cr_assert_eq(element(&v, n, c, at), expected, "layout %d", layout);
                        last = expected > last ? expected : last;
                    }
    cr_assert_lt(last, v.elements);
    cr_assert_eq(v.elements, 2 * (channels + view_fill(&v)) * size[0] * size[1] * size[2]);
}

Test(view, says_of_every_layout_where_its_elements_are) {
    for (int layout = CVK_CHANNELS_FIRST; layout <= CVK_BLOCKED; layout++)
        for (int64_t channels = 1; channels <= 33; channels += 4)
            same_as_the_layout((cvk_layout)layout, channels, (const int64_t[]){2, 3, 5});
}

typedef void with_problem(const problem *p);

static void with_layer(const char *keys, with_problem *check) {
    char yaml[512];
    cvk_network *network;
    snprintf(yaml, sizeof yaml, "{version: 1, layers: [{name: a, %s}]}", keys);
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "", NULL, &network), CVK_OK, "%s", keys);
    const problem p = problem_of(cvk_network_layer(network, 0), 0);
    check(&p);
    cvk_network_free(network);
}

static void has_one_long_row(const problem *p) {
    const problem m = problem_merged(p);
    cr_expect(m.axis[AXIS_D].out == 1 && m.axis[AXIS_H].out == 1 && m.axis[AXIS_W].out == 3 * 5);
    cr_expect_eq(problem_pixels(&m), problem_pixels(p));
}

static void has_one_long_row_of_all_slices(const problem *p) {
    const problem m = problem_merged(p);
    cr_expect(m.axis[AXIS_D].out == 1 && m.axis[AXIS_H].out == 1 && m.axis[AXIS_W].out == 2 * 3 * 5);
}

static void keeps_its_rows(const problem *p) {
    const problem m = problem_merged(p);
    cr_expect_eq(memcmp(m.axis, p->axis, sizeof m.axis), 0);
}

Test(problem, axes_that_nothing_touches_become_one) {
    with_layer("input: [1, 4, 3, 5], out_channels: 8, kernel_size: 1", has_one_long_row);
    with_layer("input: [1, 4, 2, 3, 5], out_channels: 8, kernel_size: 1", has_one_long_row_of_all_slices);
    with_layer("input: [1, 4, 3, 5], out_channels: 8, kernel_size: [1, 3], padding: [0, 1]", keeps_its_rows);
    with_layer("input: [1, 4, 3, 5], out_channels: 8, kernel_size: 1, stride: [1, 2]", keeps_its_rows);
    with_layer("input: [1, 4, 3, 5], out_channels: 8, kernel_size: 1, padding: [1, 0]", keeps_its_rows);
}

static void has_each_input_twice(const problem *p) {
    const problem r = problem_repeated(p);
    cr_expect(r.groups == 8 && r.out_channels == 1 && r.in_channels == 1 && problem_multiplier(&r) == 1);
    cr_expect(view_repeats(&r.x) && !view_repeats(&p->x) && r.x.channels == 8 && r.x.block == 2);
    cr_expect_eq(r.x.elements, p->x.elements);
    cr_expect_eq(problem_multiply_adds(&r), problem_multiply_adds(p));
}

Test(problem, of_a_channel_multiplier_each_input_channel_is_seen_as_often_as_it_is_used) {
    with_layer("input: [1, 4, 5, 5], out_channels: 8, groups: 4, kernel_size: 3, layout: channels_last",
               has_each_input_twice);
}

static void finds_every_tap_present(const problem *p) {
    const problem q = problem_with_border_packed(p);
    for (int a = 0; a < AXES; a++)
        cr_expect(axis_before(&q.axis[a]) == 0 && axis_after(&q.axis[a]) == 0 && q.axis[a].out == p->axis[a].out);
    cr_expect(problem_has_border(p) && !problem_has_border(&q));
}

Test(problem, with_its_border_packed_finds_every_tap_present) {
    with_layer("input: [1, 2, 5, 6], out_channels: 3, kernel_size: 3, padding: [[2, 1], [0, 2]], stride: 2, "
               "padding_mode: reflect",
               finds_every_tap_present);
}

static void reads_weights_backwards(const problem *p) {
    const int64_t first[AXES] = {0, 0, 0}, last[AXES] = {0, 2, 4};
    cr_expect_eq(element(&p->w, 0, 0, first), 14);
    cr_expect_eq(element(&p->w, 0, 0, last), 0);
    cr_expect_eq(element(&p->w, 1, 1, last), 2 * 15 + 15);
}

Test(problem, flipped_weights_have_negative_strides) {
    with_layer("input: [1, 2, 7, 7], out_channels: 3, kernel_size: [3, 5], flip_kernel: true", reads_weights_backwards);
}
