/* A layer as the algorithms see it: one group's channels, three axes, and as few of them as the layer allows. */
#ifndef CVK_ALGO_PROBLEM_H
#define CVK_ALGO_PROBLEM_H

#include "nest/build.h"
#include "plan/plan.h"
#include "target/target.h"

enum { BLOCK_CHANNELS = 16 }; /* of the blocked layout */

/* One axis of the convolution: output position o, tap k reads input position o * stride + k * dilation - pad. */
typedef struct problem_axis {
    int64_t in, out, kernel, stride, dilation, pad;
} problem_axis;

typedef struct problem {
    const cvk_spec *spec;
    int64_t batch, groups, in_channels, out_channels; /* channels of one group */
    int64_t taps;
    problem_axis axis[AXES];
} problem;

/* Neighbouring axes that no tap, stride or padding touches are merged into one, which is then long: a 1x1 layer of
 * 7 x 7 pixels is one of 1 x 49, and its tiles span rows. */
problem problem_of(const cvk_spec *spec);
/* Whether taps read a border that is not there: padding, and of another mode than zeros. */
bool problem_has_border(const cvk_spec *spec);

/* A tensor in memory: where a channel and a position are. */
typedef struct tensor_view {
    int tensor;
    cvk_layout layout;
    int64_t channels;
    int64_t size[AXES];
    int64_t base; /* element at which it begins */
} tensor_view;

typedef struct position {
    affine at[AXES];
} position;

int64_t view_pixels(const tensor_view *v);
int64_t view_elements(const tensor_view *v, int64_t batch);
int64_t view_column_stride(const tensor_view *v); /* elements from a column to the next */
affine view_offset(nest_builder *b, const tensor_view *v, affine n, affine channel, const position *p);

/* Which elements the lanes of a vector register hold: lane l is channel + l * channel_step at column + l * column_step.
 */
typedef struct lane_map {
    affine n, channel;
    position at;
    int64_t channel_step, column_step;
    const nest_range *valid; /* lanes that exist; NULL: all */
} lane_map;

/* Whether the lanes are evenly spaced in memory. A channel vector that may straddle blocks is not. */
bool view_is_even(const tensor_view *v, const lane_map *m, int lanes);
/* Loads and stores by one access where the lanes are evenly spaced, else lane by lane. */
void view_load(nest_builder *b, const tensor_view *v, const lane_map *m, register_ref to, register_ref scratch);
void view_store(nest_builder *b, const tensor_view *v, const lane_map *m, register_ref from);

/* Tiles of one axis that see the same taps at the same places: `count` tiles from number `first` on, `length` long. */
typedef struct axis_span {
    int64_t first, count, length;
    int64_t start_first, start_last; /* output positions where the first and the last of them begin */
} axis_span;

/* Consecutive taps that are present at the same positions low <= i < high of a span's tiles. */
typedef struct tap_segment {
    int64_t first, last; /* taps first <= k < last */
    int64_t low, high;
} tap_segment;

typedef struct span_list {
    axis_span *span;
    int count;
} span_list;
typedef struct segment_list {
    tap_segment *segment;
    int count;
} segment_list;

span_list spans_of(arena *a, const problem_axis *axis, int64_t tile);
segment_list segments_of(arena *a, const problem_axis *axis, const axis_span *span);
/* Of `count` positions of a span's tiles, from `first` on, those where a tap is present: tap k, an affine expression of
 * unrolled variables, or all taps of a segment. Relative to `first`. */
nest_range positions_of_tap(nest_builder *b, const problem_axis *axis, const axis_span *span, affine k, affine first,
                            int64_t count);
nest_range positions_of_segment(nest_builder *b, const tap_segment *segment, affine first, int64_t count);
/* The taps present at output position o: kernel range clipped by what lies inside the input. */
nest_range present_taps(nest_builder *b, const problem_axis *axis, affine o);
/* Input position of tap k at output position o. */
affine input_position(const problem_axis *axis, affine o, affine k);

#endif
