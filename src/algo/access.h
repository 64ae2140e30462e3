/* Tensors in a nest: offsets by a view's strides, and vectors of channels or columns in and out of memory. */
#ifndef CVK_ALGO_ACCESS_H
#define CVK_ALGO_ACCESS_H

#include "nest/build.h"
#include "problem/view.h"

/* Bytes to which tensors of the caller's are aligned, and those of our own making. */
/* A caller's tensors are aligned as their elements are. */
enum { SCRATCH_ALIGNMENT = 64 };

/* A view and the tensor of the nest that it shows. */
typedef struct tensor_view {
    int tensor;
    view v;
    bool streams; /* what is stored to it bypasses the caches */
} tensor_view;

typedef struct position {
    affine at[AXES];
} position;

/* `channel` is a channel number: of all groups, one after another. */
affine view_offset(nest_builder *b, const view *v, affine n, affine channel, const position *p);

/* Which elements the lanes of a vector register hold: lane l is channel + l * channel_step at column + l * column_step.
 */
typedef struct lane_map {
    affine n, channel;
    position at;
    int64_t channel_step, column_step;
    int repeat; /* > 0: lane l is channel + l mod repeat at column + l / repeat, which lie one after another */
    const nest_range *valid; /* lanes that exist; NULL: all */
} lane_map;

/* Loads and stores by one access where the lanes are evenly spaced in memory, else lane by lane. */
void view_load(nest_builder *b, const tensor_view *v, const lane_map *m, register_ref to, register_ref scratch);
void view_store(nest_builder *b, const tensor_view *v, const lane_map *m, register_ref from);

/* A square of registers, the first so many of an array, of which `count` are filled: the rest become zeros, and the
 * square is turned into the registers that follow it. Where lanes are not side by side on both sides of a copy. */
void square_turn(nest_builder *b, int registers, int64_t count);

#endif
