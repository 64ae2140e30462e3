/* The arithmetic of one axis, against the formula itself: output o, tap k reads o step + k tap_step + origin, and is
 * present where that lies inside. Exhaustively over small numbers. */
#include "problem/axis.h"

#include <criterion/criterion.h>
#include <stdio.h>

static bool present(const problem_axis *a, int64_t o, int64_t k) {
    int64_t i = o * a->step + k * a->tap_step + a->origin;
    return i >= 0 && i < a->in;
}

static const char *words(const problem_axis *a) {
    static char text[160];
    snprintf(text, sizeof text, "out %d, taps %d, in %d, step %d, tap_step %d, origin %d", (int)a->out, (int)a->taps,
             (int)a->in, (int)a->step, (int)a->tap_step, (int)a->origin);
    return text;
}

/* Every axis of these ranges, whether a layer could have it or not. */
static void for_every_axis(void (*check)(arena *, const problem_axis *)) {
    arena memory;
    arena_init(&memory);
    if (arena_guard(&memory)) cr_assert_fail("out of memory");
    for (int out = 1; out <= 7; out++)
        for (int taps = 1; taps <= 4; taps++)
            for (int in = 1; in <= 7; in++)
                for (int step = 1; step <= 4; step++)
                    for (int tap_step = 1; tap_step <= 3; tap_step++)
                        for (int origin = -5; origin <= 2; origin++) {
                            problem_axis a = {out, taps, in, step, tap_step, origin, 0, 0};
                            arena_rewind(&memory);
                            check(&memory, &a);
                        }
    arena_free(&memory);
}

static void border_is_what_taps_read_outside(arena *memory, const problem_axis *a) {
    int64_t lowest = INT64_MAX, highest = INT64_MIN;
    (void)memory;
    for (int64_t o = 0; o < a->out; o++)
        for (int64_t k = 0; k < a->taps; k++) {
            int64_t i = o * a->step + k * a->tap_step + a->origin;
            lowest = i < lowest ? i : lowest;
            highest = i > highest ? i : highest;
        }
    cr_assert_eq(axis_before(a), lowest < 0 ? -lowest : 0, "%s", words(a));
    cr_assert_eq(axis_after(a), highest >= a->in ? highest - a->in + 1 : 0, "%s", words(a));
}

Test(axis, the_border_is_what_taps_read_outside) { for_every_axis(border_is_what_taps_read_outside); }

/* Whether tiles of `length` at two positions see the same taps at the same places. */
static bool same_taps(const problem_axis *a, int64_t start, int64_t other, int64_t length) {
    for (int64_t i = 0; i < length; i++)
        for (int64_t k = 0; k < a->taps; k++)
            if (present(a, start + i, k) != present(a, other + i, k)) return false;
    return true;
}

static void check_spans(arena *memory, const problem_axis *a, int64_t tile) {
    span_list list = axis_spans(memory, a, tile);
    int64_t next = 0;
    for (int i = 0; i < list.count; i++) {
        const axis_span *s = &list.span[i];
        cr_assert_eq(s->first * tile, next, "%s, tile %d: spans follow one another", words(a), (int)tile);
        cr_assert(s->count > 0 && s->length <= tile && (s->length == tile || i == list.count - 1), "%s", words(a));
        cr_assert(s->start_first == next && s->start_last == next + (s->count - 1) * tile, "%s", words(a));
        for (int64_t t = 1; t < s->count; t++)
            cr_assert(same_taps(a, next, next + t * tile, s->length), "%s, tile %d", words(a), (int)tile);
        next += (s->count - 1) * tile + s->length;
    }
    cr_assert_eq(next, a->out, "%s, tile %d: spans cover the axis", words(a), (int)tile);
}

static void spans_cover_the_axis(arena *memory, const problem_axis *a) {
    for (int64_t tile = 1; tile <= a->out + 1; tile++) check_spans(memory, a, tile);
}

Test(axis, tiles_of_a_span_see_the_same_taps_and_spans_cover_the_axis) { for_every_axis(spans_cover_the_axis); }

/* How often the segments name tap k at position i of a span's tiles. */
static int named(const segment_list *list, int64_t k, int64_t i) {
    int count = 0;
    for (int s = 0; s < list->count; s++) {
        const tap_segment *g = &list->segment[s];
        count += k >= g->first && k < g->last && i >= g->low && i < g->high;
    }
    return count;
}

static void segments_name_present_taps(arena *memory, const problem_axis *a) {
    for (int64_t tile = 1; tile <= a->out; tile++) {
        span_list spans = axis_spans(memory, a, tile);
        for (int s = 0; s < spans.count; s++) {
            segment_list list = axis_segments(memory, a, &spans.span[s]);
            for (int64_t k = 0; k < a->taps; k++)
                for (int64_t i = 0; i < spans.span[s].length; i++)
                    cr_assert_eq(named(&list, k, i), present(a, spans.span[s].start_first + i, k), "%s, tile %d",
                                 words(a), (int)tile);
        }
    }
}

Test(axis, segments_name_every_present_tap_once_and_no_other) { for_every_axis(segments_name_present_taps); }

enum { MOST_IN = 7, MOST_OUT = 7, MOST_TAPS = 4 };

/* The axis run backwards, position by position: which outputs each input met, and by which tap. */
static void phases_are_the_axis_backwards(arena *memory, const problem_axis *a) {
    int met[MOST_IN][MOST_OUT][MOST_TAPS] = {0};
    (void)memory;
    for (int64_t r = 0; r < a->step; r++) {
        axis_phase p = axis_phase_of(a, r);
        cr_assert(p.axis.step == 1 && p.axis.tap_step > 0 && p.axis.in == a->out, "%s", words(a));
        for (int64_t j = 0; j < p.axis.out; j++)
            for (int64_t t = 0; t < p.axis.taps; t++) {
                int64_t i = p.first_out + j * p.out_stride, k = p.first_tap + t * p.tap_stride;
                int64_t o = j * p.axis.step + t * p.axis.tap_step + p.axis.origin;
                cr_assert(i >= 0 && i < a->in && k >= 0 && k < a->taps, "%s", words(a));
                if (o >= 0 && o < p.axis.in) met[i][o][k]++;
            }
    }
    for (int64_t i = 0; i < a->in; i++)
        for (int64_t o = 0; o < a->out; o++)
            for (int64_t k = 0; k < a->taps; k++)
                cr_assert_eq(met[i][o][k], o * a->step + k * a->tap_step + a->origin == i, "%s", words(a));
}

Test(axis, the_phases_of_a_stride_are_the_axis_backwards_and_no_tap_is_wasted) {
    for_every_axis(phases_are_the_axis_backwards);
}
