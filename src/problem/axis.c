/* Axes: taps present, tiles sorted into spans, taps into segments, and the phases of a stride. */
#include "problem/axis.h"

#include "base/integers.h"

#include <string.h>

bool axis_is_plain(const problem_axis *a) { return a->taps == 1 && a->step == 1 && a->origin == 0 && a->in == a->out; }

int64_t axis_before(const problem_axis *a) { return a->origin < 0 ? -a->origin : 0; }

int64_t axis_after(const problem_axis *a) {
    int64_t last = (a->out - 1) * a->step + (a->taps - 1) * a->tap_step + a->origin;
    return last < a->in ? 0 : last - a->in + 1;
}

/* Positions i of a tile beginning at `start` where tap k is present: low <= i < high, if there are any. As taps go on,
 * both ends go back, or stay. */
static tap_segment ends(const problem_axis *a, int64_t start, int64_t length, int64_t k) {
    int64_t base = -a->origin - k * a->tap_step - start * a->step;
    int64_t low = nearest_in(ceil_div(base, a->step), 0, length);
    int64_t high = nearest_in(floor_div(a->in - 1 + base, a->step) + 1, 0, length);
    return (tap_segment){k, k + 1, low, high};
}

/* The same; 0, 0 where nowhere. */
static tap_segment presence(const problem_axis *a, int64_t start, int64_t length, int64_t k) {
    tap_segment s = ends(a, start, length, k);
    if (s.low >= s.high) s.low = s.high = 0;
    return s;
}

/* The end of the taps from k on that have the ends of k's. */
static int64_t alike_until(const problem_axis *a, int64_t start, int64_t length, int64_t k) {
    const tap_segment s = ends(a, start, length, k);
    int64_t alike = k, other = a->taps;
    while (other - alike > 1) {
        const int64_t middle = alike + (other - alike) / 2;
        const tap_segment m = ends(a, start, length, middle);
        if (m.low == s.low && m.high == s.high)
            alike = middle;
        else
            other = middle;
    }
    return other;
}

/* Whether two tiles see the same: tap by tap, but for those that follow on one with the same ends in both. */
static bool same_taps(const problem_axis *a, int64_t start, int64_t other, int64_t length) {
    for (int64_t k = 0; k < a->taps; k = lesser(alike_until(a, start, length, k), alike_until(a, other, length, k))) {
        tap_segment p = presence(a, start, length, k), q = presence(a, other, length, k);
        if (p.low != q.low || p.high != q.high) return false;
    }
    return true;
}

problem_axis axis_counting(const problem_axis *a) {
    problem_axis counting = *a;
    counting.in += a->before + a->after;
    counting.origin += a->before;
    return counting;
}

/* Of two tiles. */
static bool same_counts(const problem_axis *a, int64_t start, int64_t other, int64_t length) {
    const problem_axis counting = axis_counting(a);
    return (a->before == 0 && a->after == 0) || same_taps(&counting, start, other, length);
}

static bool interior(const problem_axis *a, int64_t start, int64_t length) {
    return start * a->step + a->origin >= 0 &&
           (start + length - 1) * a->step + (a->taps - 1) * a->tap_step + a->origin < a->in;
}

/* Tiles from `first` on that see what tile `first` sees; interior ones are found without looking at their taps. */
static int64_t run_length(const problem_axis *a, int64_t tile, int64_t first, int64_t full) {
    int64_t start = first * tile, count = 1;
    bool inner = interior(a, start, tile);
    while (first + count < full) {
        int64_t next = (first + count) * tile;
        if (inner ? !interior(a, next, tile) : !same_taps(a, start, next, tile) || !same_counts(a, start, next, tile))
            break;
        count++;
    }
    return count;
}

static void add_span(arena *a, span_list *list, axis_span span) {
    if ((list->count & (list->count - 1)) == 0) {
        axis_span *grown = arena_array(a, axis_span, list->count ? 2 * list->count : 1);
        if (list->count) memcpy(grown, list->span, sizeof *grown * (size_t)list->count);
        list->span = grown;
    }
    list->span[list->count++] = span;
}

span_list axis_spans(arena *a, const problem_axis *axis, int64_t tile) {
    span_list list = {0};
    int64_t full = axis->out / tile, rest = axis->out % tile;
    for (int64_t first = 0, count; first < full; first += count) {
        count = run_length(axis, tile, first, full);
        add_span(a, &list, (axis_span){first, count, tile, first * tile, (first + count - 1) * tile});
    }
    if (rest) add_span(a, &list, (axis_span){full, 1, rest, full * tile, full * tile});
    return list;
}

problem_axis axis_windows(const problem_axis *axis, int64_t count, int64_t step, int64_t positions) {
    return (problem_axis){
        .out = count, .taps = positions, .in = axis->in, .step = step, .tap_step = 1, .origin = axis->origin};
}

segment_list axis_segments(arena *a, const problem_axis *axis, const axis_span *span) {
    const int64_t most = 2 * span->length + 1; /* each end takes so many places at most, one after another */
    segment_list list = {arena_array(a, tap_segment, axis->taps < most ? axis->taps : most), 0};
    for (int64_t k = 0, next; k < axis->taps; k = next) {
        tap_segment s = presence(axis, span->start_first, span->length, k);
        s.last = next = alike_until(axis, span->start_first, span->length, k);
        if (s.low != s.high) list.segment[list.count++] = s;
    }
    return list;
}

int64_t axis_counted(const problem_axis *a, int64_t o) {
    const problem_axis c = axis_counting(a);
    const int64_t begin = o * c.step + c.origin;
    const int64_t first = nearest_in(ceil_div(-begin, c.tap_step), 0, c.taps);
    return nearest_in(floor_div(c.in - 1 - begin, c.tap_step) + 1, first, c.taps) - first;
}

count_list axis_counts(arena *a, const problem_axis *axis, const axis_span *span) {
    count_list list = {arena_array(a, count_run, span->length), 0};
    for (int64_t i = 0; i < span->length; i++) {
        const int64_t taps = axis_counted(axis, span->start_first + i);
        count_run *last = list.count ? &list.run[list.count - 1] : NULL;
        if (last && last->taps == taps)
            last->high = i + 1;
        else
            list.run[list.count++] = (count_run){i, i + 1, taps};
    }
    return list;
}

/* The first output at input `at` or behind it. */
static int64_t first_sampled(const axis_sample *s, int64_t at, int64_t out) {
    const int64_t left = at * s->divisor - s->origin;
    if (left <= 0) return 0;
    return s->step > 0 ? nearest_in(ceil_div(left, s->step), 0, out) : out;
}

axis_edges axis_sample_edges(const axis_sample *s, const problem_axis *axis) {
    const int64_t low = first_sampled(s, 0, axis->out), high = first_sampled(s, axis->in - s->linear, axis->out);
    return (axis_edges){low, high < low ? low : high};
}

static int64_t greatest_divisor(int64_t a, int64_t b) { return b ? greatest_divisor(b, a % b) : a; }

/* The least tap that hits positions of the residue, or `taps` where none does. They repeat with the step. */
static int64_t first_tap_of(const problem_axis *a, int64_t residue) {
    for (int64_t k = 0; k < a->taps && k < a->step; k++)
        if (floor_mod(k * a->tap_step + a->origin - residue, a->step) == 0) return k;
    return a->taps;
}

/* Position residue + j step was read by tap k of output j - (k tap_step + origin - residue) / step. Taps are taken from
 * the last to the first, so that they read forward again. */
axis_phase axis_phase_of(const problem_axis *a, int64_t residue) {
    int64_t common = greatest_divisor(a->step, a->tap_step), stride = a->step / common,
            least = first_tap_of(a, residue);
    int64_t taps = least < a->taps ? ceil_div(a->taps - least, stride) : 0, last = least + (taps - 1) * stride;
    return (axis_phase){
        .axis = {.out = a->in > residue ? ceil_div(a->in - residue, a->step) : 0,
                 .taps = taps,
                 .in = a->out,
                 .step = 1,
                 .tap_step = a->tap_step / common,
                 .origin = taps ? -(last * a->tap_step + a->origin - residue) / a->step : 0},
        .first_tap = last,
        .tap_stride = -stride,
        .first_out = residue,
        .out_stride = a->step,
    };
}
