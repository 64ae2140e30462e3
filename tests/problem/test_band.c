/* The arithmetic of bands, against the formula itself: whatever the band, each of its outputs sees the inputs that it
 * sees in the whole, all of which the layer before puts out in that band. */
#include "problem/band.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { LINKS = 2 };

/* What an output sees by a tap, in the whole: its input's place, or -1. */
static int64_t seen(const problem_axis *a, int64_t o, int64_t k) {
    const int64_t i = o * a->step + k * a->tap_step + a->origin;
    return i >= 0 && i < a->in ? i : -1;
}

static void expect_same_sight(const problem_axis *whole, const band_axis *band, int64_t number, const char *words) {
    const int64_t out = band->out + number * band->out_step, in = band->in + number * band->in_step;
    for (int64_t o = 0; o < band->axis.out; o++) {
        for (int64_t k = 0; k < whole->taps; k++) {
            const int64_t here = seen(&band->axis, o, k), there = seen(whole, out + o, k);
            cr_assert_eq(here < 0 ? -1 : here + in, there, "%s: output %d, tap %d", words, (int)(out + o), (int)k);
        }
        cr_assert_eq(axis_counted(&band->axis, o), axis_counted(whole, out + o), "%s: output %d", words,
                     (int)(out + o));
    }
}

static void expect_bands(arena *a, const problem link[LINKS], int64_t size) {
    const problem_axis *x = &link[0].axis[AXIS_H], *y = &link[1].axis[AXIS_H];
    char words[200];
    snprintf(words, sizeof words, "out %d, taps %d, step %d, tap_step %d, origin %d of %d, in bands of %d", (int)y->out,
             (int)y->taps, (int)y->step, (int)y->tap_step, (int)y->origin, (int)x->out, (int)size);
    const band_list bands = bands_of(a, link, LINKS, AXIS_H, size);
    int64_t next = 0;
    for (int i = 0; i < bands.count; i++)
        for (int64_t number = 0; number < bands.band[i].count; number++) {
            const band_axis *first = &bands.band[i].link[0], *last = &bands.band[i].link[1];
            cr_assert_eq(last->out + number * last->out_step, next, "%s", words);
            cr_assert_eq(first->out + number * first->out_step, last->in + number * last->in_step, "%s", words);
            cr_assert_eq(first->axis.out, last->axis.in, "%s", words);
            expect_same_sight(x, first, number, words);
            expect_same_sight(y, last, number, words);
            next += last->axis.out;
        }
    cr_assert_eq(next, y->out, "%s", words);
}

static problem_axis axis(int64_t in, int64_t taps, int64_t step, int64_t tap_step, int64_t before, int64_t after) {
    const int64_t room = in + before + after - ((taps - 1) * tap_step + 1);
    return (problem_axis){.out = room < 0 ? 0 : room / step + 1,
                          .taps = taps,
                          .in = in,
                          .step = step,
                          .tap_step = tap_step,
                          .origin = -before,
                          .before = before,
                          .after = after};
}

Test(band, outputs_see_in_a_band_what_they_see_in_the_whole) {
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) cr_assert_fail("out of memory");
    for (int taps = 1; taps <= 4; taps++)
        for (int step = 1; step <= 3; step++)
            for (int tap_step = 1; tap_step <= 2; tap_step++)
                for (int before = 0; before <= 3; before++)
                    for (int after = 0; after <= 3; after++) {
                        problem link[LINKS] = {{.axis[AXIS_H] = axis(9, 3, 1 + before % 2, 1, 1, 1)}};
                        const int64_t between = link[0].axis[AXIS_H].out;
                        link[1].axis[AXIS_H] = axis(between, taps, step, tap_step, before, after);
                        const int64_t out = link[1].axis[AXIS_H].out;
                        for (int64_t size = 1; size <= out; size++) expect_bands(&a, link, size);
                        arena_rewind(&a);
                    }
    arena_free(&a);
}
