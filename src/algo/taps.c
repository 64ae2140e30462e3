/* An axis in a nest: problem/axis.h's arithmetic over expressions instead of numbers. */
#include "algo/taps.h"

affine input_position(const problem_axis *axis, affine o, affine k) {
    return affine_offset(affine_add(affine_scale(o, axis->step), affine_scale(k, axis->tap_step)), axis->origin);
}

/* Clips positions, counted from `first` of a span's tiles, to those where tap k is present. */
static void clip_to_input(nest_builder *b, nest_range *r, const problem_axis *axis, const axis_span *span, affine k,
                          affine first) {
    int64_t s = axis->step;
    affine base = affine_offset(affine_add_scaled(affine_scale(k, -axis->tap_step), first, -s), -axis->origin);
    range_clip_low(b, r, affine_offset(base, -span->start_first * s), s);
    range_clip_high(b, r, affine_offset(base, axis->in - 1 + s - span->start_last * s), s);
}

nest_range positions_inside(nest_builder *b, const problem_axis *axis, const axis_span *span, affine k, int64_t count) {
    nest_range r = range_of(b, 0, count);
    clip_to_input(b, &r, axis, span, k, affine_constant(0));
    return r;
}

nest_range positions_of_tap(nest_builder *b, const problem_axis *axis, const axis_span *span, affine k, affine first,
                            int64_t count) {
    nest_range r = range_of(b, 0, count);
    range_clip_high(b, &r, affine_offset(affine_scale(first, -1), span->length), 1);
    clip_to_input(b, &r, axis, span, k, first);
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
    nest_range r = range_of(b, 0, axis->taps);
    affine base = affine_offset(affine_scale(o, -axis->step), -axis->origin);
    range_clip_low(b, &r, base, axis->tap_step);
    range_clip_high(b, &r, affine_offset(base, axis->in - 1 + axis->tap_step), axis->tap_step);
    return r;
}

bool open_inside(nest_builder *b, const problem_axis *axis, affine o, int64_t k) {
    const affine at = input_position(axis, o, affine_constant(k));
    const affine left = affine_offset(affine_scale(at, -1), axis->in - 1);
    if (nest_maximum(b->nest, b->scope, at) < 0 || nest_maximum(b->nest, b->scope, left) < 0) return false;
    build_if(b, at, NULL);
    build_if(b, left, NULL);
    return true;
}

void close_inside(nest_builder *b) {
    build_end(b);
    build_end(b);
}
