/* Neighbouring positions of a tile share input: with all their taps along an axis at hand, each input position is
 * loaded once and meets every tap that reads it. Position c reads input c step + k tap_step with tap k. With g the
 * greatest common divisor of the two steps, taps k = phase + q step / g of one phase meet on what tap `phase` reads at
 * a position v, which is c + q tap_step / g.
 *
 *     for the phases, unrolled v:  load;  for unrolled q:  position v - q tap_step / g, tap phase + q step / g */
#include "algo/direct/tile.h"

slide slide_of(const tile *t, int axis, int64_t first, int64_t count) {
    const problem_axis *a = &t->p.axis[axis];
    int64_t g = common_divisor(a->step, a->tap_step);
    return (slide){.axis = axis, .first = first, .count = count, .taps = a->step / g, .positions = a->tap_step / g};
}

enum { MOST_SLID_TAPS = 7 };

/* As even as they can be. */
int64_t slid_taps(const problem_axis *axis) { return ceil_div(axis->taps, ceil_div(axis->taps, MOST_SLID_TAPS)); }

int64_t slide_phases(const slide *s) { return s->taps < s->count ? s->taps : s->count; }

/* Taps of a phase. */
static int64_t taps_of(const slide *s, int64_t phase) { return (s->count - 1 - phase) / s->taps + 1; }

int64_t slide_inputs(const tile *t, const slide *s, int64_t phase) {
    return t->span[s->axis]->length + (taps_of(s, phase) - 1) * s->positions;
}

affine slide_open_inputs(tile *t, const slide *s, int64_t phase, affine *k) {
    const axis_span *span = t->span[s->axis];
    int64_t most = slide_inputs(t, s, phase);
    *k = affine_constant(s->first + phase);
    return build_for(t->b, VARIABLE_UNROLLED, "v", positions_inside(t->b, &t->p.axis[s->axis], span, *k, most));
}

affine slide_open_taps(tile *t, const slide *s, int64_t phase, affine at, affine *k) {
    nest_range r = range_of(t->b, 0, taps_of(s, phase));
    range_clip_low(t->b, &r, affine_offset(at, 1 - t->span[s->axis]->length), s->positions);
    range_clip_high(t->b, &r, affine_offset(at, s->positions), s->positions);
    affine q = build_for(t->b, VARIABLE_UNROLLED, "q", r);
    *k = affine_offset(affine_scale(q, s->taps), s->first + phase);
    return affine_add_scaled(at, q, -s->positions);
}
