/* One axis of a convolution, as arithmetic: which taps an output position sees, and which positions see the same. */
#ifndef CVK_PROBLEM_AXIS_H
#define CVK_PROBLEM_AXIS_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* Output position o, tap k reads input o * step + k * tap_step + origin. Outside 0 <= . < in the tap is absent, or the
 * problem's border says what it reads. step and tap_step are positive. */
typedef struct problem_axis {
    int64_t out, taps, in; /* counts */
    int64_t step, tap_step, origin;
    int64_t before, after; /* of a mean: taps so far outside of the input, absent as they are, are counted */
} problem_axis;

/* Whether every output is the input at its place: one tap, nothing skipped, nothing added. */
bool axis_is_plain(const problem_axis *a);
/* Positions that taps read in front of the input, and behind it. */
int64_t axis_before(const problem_axis *a);
int64_t axis_after(const problem_axis *a);

/* Tiles of one axis that see, and count, the same taps at the same places: `count` tiles from number `first` on,
 * `length` long. */
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

/* The axis in tiles of `tile` positions, the last of which may be shorter. */
span_list axis_spans(arena *a, const problem_axis *axis, int64_t tile);
/* The axis as `count` windows of so many input positions, from its first on `step` apart: which of their positions
 * exist is which taps are present. */
problem_axis axis_windows(const problem_axis *axis, int64_t count, int64_t step, int64_t positions);
/* Taps of position o that a mean counts. */
int64_t axis_counted(const problem_axis *a, int64_t o);
/* Consecutive positions low <= i < high of a span's tiles of which as many taps are counted. */
typedef struct count_run {
    int64_t low, high, taps;
} count_run;
typedef struct count_list {
    count_run *run;
    int count;
} count_list;
count_list axis_counts(arena *a, const problem_axis *axis, const axis_span *span);
/* The axis whose taps are present where this one's are counted. */
problem_axis axis_counting(const problem_axis *a);
/* The taps that a span's tiles see anywhere, in order. */
segment_list axis_segments(arena *a, const problem_axis *axis, const axis_span *span);

/* Where an axis is sampled: output o lies at (o step + origin) / divisor among the inputs. It is the input of the whole
 * number below; linear, that one and the next, as near as it lies to each. Outside of low <= o < high an edge stands
 * for it: the first input before, the last behind. step may be 0. */
typedef struct axis_sample {
    int64_t step, origin, divisor;
    bool linear;
} axis_sample;
typedef struct axis_edges {
    int64_t low, high;
} axis_edges;
axis_edges axis_sample_edges(const axis_sample *s, const problem_axis *axis);

/* Of a convolution run backwards (an output position scatters to the inputs it saw), the input positions congruent to
 * `residue` modulo the step: a convolution of its own, from what was the output to every step-th of what was the input,
 * whose taps all hit whole positions, so that no zero is ever multiplied. */
typedef struct axis_phase {
    problem_axis axis;             /* out: positions of that residue; in: what was the output */
    int64_t first_tap, tap_stride; /* its tap k is tap first_tap + k * tap_stride; the stride is negative */
    int64_t first_out, out_stride; /* its output j is position first_out + j * out_stride */
} axis_phase;

/* 0 <= residue < axis->step. A phase that no tap reaches has taps = 0. */
axis_phase axis_phase_of(const problem_axis *axis, int64_t residue);

#endif
