/* The algorithms' view of a layer: axes merged, tiles sorted into spans, taps into segments. */
#include "algo/problem.h"

#include <string.h>

static bool untouched(const problem_axis *a) {
    return a->kernel == 1 && a->stride == 1 && a->pad == 0 && a->in == a->out;
}

static void merge(problem_axis *outer, problem_axis *inner) {
    if (!untouched(outer) || !untouched(inner)) return;
    inner->in *= outer->in;
    inner->out *= outer->out;
    outer->in = outer->out = 1;
}

problem problem_of(const cvk_spec *s) {
    problem p = {.spec = s,
                 .batch = s->batch,
                 .groups = s->groups,
                 .in_channels = spec_group_in(s),
                 .out_channels = spec_group_out(s),
                 .taps = spec_taps(s)};
    for (int a = 0; a < AXES; a++)
        p.axis[a] =
            (problem_axis){s->in_size[a], s->out_size[a], s->kernel[a], s->stride[a], s->dilation[a], s->pad_before[a]};
    merge(&p.axis[AXIS_H], &p.axis[AXIS_W]);
    merge(&p.axis[AXIS_D], &p.axis[AXIS_H]);
    return p;
}

bool problem_has_border(const cvk_spec *s) {
    bool padded = false;
    for (int a = 0; a < AXES; a++) padded |= s->pad_before[a] > 0 || s->pad_after[a] > 0;
    return padded && s->padding != PAD_ZEROS;
}

affine input_position(const problem_axis *axis, affine o, affine k) {
    return affine_offset(affine_add(affine_scale(o, axis->stride), affine_scale(k, axis->dilation)), -axis->pad);
}

static int64_t clamp(int64_t v, int64_t low, int64_t high) { return v < low ? low : v > high ? high : v; }

/* Positions i of a tile beginning at `start` where tap k is present: low <= i < high; 0, 0 where nowhere. */
static tap_segment presence(const problem_axis *a, int64_t start, int64_t length, int64_t k) {
    int64_t base = a->pad - k * a->dilation - start * a->stride;
    int64_t low = clamp(ceil_div(base, a->stride), 0, length);
    int64_t high = clamp(floor_div(a->in - 1 + base, a->stride) + 1, 0, length);
    if (low >= high) low = high = 0;
    return (tap_segment){k, k + 1, low, high};
}

static bool same_taps(const problem_axis *a, int64_t start, int64_t other, int64_t length) {
    for (int64_t k = 0; k < a->kernel; k++) {
        tap_segment p = presence(a, start, length, k), q = presence(a, other, length, k);
        if (p.low != q.low || p.high != q.high) return false;
    }
    return true;
}

static bool interior(const problem_axis *a, int64_t start, int64_t length) {
    return start * a->stride >= a->pad &&
           (start + length - 1) * a->stride + (a->kernel - 1) * a->dilation - a->pad < a->in;
}

/* Tiles from `first` on that see what tile `first` sees; interior ones are found without looking at their taps. */
static int64_t run_length(const problem_axis *a, int64_t tile, int64_t first, int64_t full) {
    int64_t start = first * tile, count = 1;
    bool inner = interior(a, start, tile);
    while (first + count < full) {
        int64_t next = (first + count) * tile;
        if (inner ? !interior(a, next, tile) : !same_taps(a, start, next, tile)) break;
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

span_list spans_of(arena *a, const problem_axis *axis, int64_t tile) {
    span_list list = {0};
    int64_t full = axis->out / tile, rest = axis->out % tile;
    for (int64_t first = 0, count; first < full; first += count) {
        count = run_length(axis, tile, first, full);
        add_span(a, &list, (axis_span){first, count, tile, first * tile, (first + count - 1) * tile});
    }
    if (rest) add_span(a, &list, (axis_span){full, 1, rest, full * tile, full * tile});
    return list;
}

segment_list segments_of(arena *a, const problem_axis *axis, const axis_span *span) {
    segment_list list = {arena_array(a, tap_segment, axis->kernel), 0};
    for (int64_t k = 0; k < axis->kernel; k++) {
        tap_segment s = presence(axis, span->start_first, span->length, k);
        tap_segment *last = list.count ? &list.segment[list.count - 1] : NULL;
        if (s.low == s.high) continue;
        if (last && last->last == k && last->low == s.low && last->high == s.high)
            last->last = k + 1;
        else
            list.segment[list.count++] = s;
    }
    return list;
}

nest_range positions_of_tap(nest_builder *b, const problem_axis *axis, const axis_span *span, affine k, affine first,
                            int64_t count) {
    nest_range r = range_of(b, 0, count);
    int64_t s = axis->stride;
    affine base = affine_offset(affine_add_scaled(affine_scale(k, -axis->dilation), first, -s), axis->pad);
    range_clip_high(b, &r, affine_offset(affine_scale(first, -1), span->length), 1);
    range_clip_low(b, &r, affine_offset(base, -span->start_first * s), s);
    range_clip_high(b, &r, affine_offset(base, axis->in - 1 + s - span->start_last * s), s);
    return r;
}

nest_range positions_of_segment(nest_builder *b, const tap_segment *segment, affine first, int64_t count) {
    nest_range r = range_of(b, 0, count);
    affine back = affine_scale(first, -1);
    range_clip_low(b, &r, affine_offset(back, segment->low), 1);
    range_clip_high(b, &r, affine_offset(back, segment->high), 1);
    return r;
}

nest_range present_taps(nest_builder *b, const problem_axis *axis, affine o) {
    nest_range r = range_of(b, 0, axis->kernel);
    affine base = affine_offset(affine_scale(o, -axis->stride), axis->pad);
    range_clip_low(b, &r, base, axis->dilation);
    range_clip_high(b, &r, affine_offset(base, axis->in - 1 + axis->dilation), axis->dilation);
    return r;
}
