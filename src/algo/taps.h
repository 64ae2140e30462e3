/* An axis in a nest: ranges of taps and of positions as the builder's ranges. */
#ifndef CVK_ALGO_TAPS_H
#define CVK_ALGO_TAPS_H

#include "nest/build.h"
#include "problem/axis.h"

/* Input position of tap k at output position o. */
affine input_position(const problem_axis *axis, affine o, affine k);
/* Opens the conditions under which tap k is present at output position o. False: it nowhere is, and none were opened.
 */
bool open_inside(nest_builder *b, const problem_axis *axis, affine o, int64_t k);
void close_inside(nest_builder *b);
/* The taps present at output position o: the kernel's range clipped by what lies inside the input. */
nest_range present_taps(nest_builder *b, const problem_axis *axis, affine o);
/* Of `count` positions from a span's tiles' first on, and beyond their last, those where tap k would be present. */
nest_range positions_inside(nest_builder *b, const problem_axis *axis, const axis_span *span, affine k, int64_t count);
/* Of `count` positions of a span's tiles, from `first` on, those where a tap is present: tap k, an affine expression of
 * unrolled variables, or all taps of a segment. Relative to `first`. */
nest_range positions_of_tap(nest_builder *b, const problem_axis *axis, const axis_span *span, affine k, affine first,
                            int64_t count);
nest_range positions_of_segment(nest_builder *b, const tap_segment *segment, affine first, int64_t count);

#endif
