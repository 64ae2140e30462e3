/* Winograd's minimal filtering F(m, r) on one to three axes at once. A task takes a block of tiles:
 *
 *     input      one pass an axis, the first from the input tensor, absent positions as zeros, each from one stage of
 *                scratch to the next:       stage[points of done axes][tiles or positions][input channels]
 *     products   for each point: sums[tile][oc] = sum over ic of stage[point][tile][ic] * weights[point][ic][oc]
 *     output     A' on every axis in registers, bias, post-ops, store; positions outside are not stored
 *
 * Products and output run once for each block of output channels, so that their sums stay in the second-level cache.
 * The weights are transformed when they are packed.
 *
 * With `tasks: 6` a block of output channels is a task too, and the input a phase of its own, whose tasks are slices of
 * the input channels of a block of tiles: small maps, of few blocks, have work for many cores, and no input is
 * transformed twice. The last stage is then the workspace, which holds those of all blocks. */
#ifndef CVK_ALGO_WINOGRAD_WINOGRAD_H
#define CVK_ALGO_WINOGRAD_WINOGRAD_H

#include "algo/algo.h"
#include "algo/channel_blocks.h"
#include "algo/epilogue.h"
#include "algo/winograd/transform.h"

/* One array in scratch or the workspace: for each axis its points (1 where not transformed yet) and its tiles or
 * positions. */
typedef struct winograd_stage {
    int tensor;
    affine base;   /* where the nest's first channel is */
    int64_t width; /* channels, rounded up to vectors */
    int64_t points[AXES], size[AXES];
} winograd_stage;

typedef struct winograd {
    nest_builder *b;
    const problem *p;
    const cvk_target *target;
    const cvk_plan *plan;
    int lanes;
    tensor_view x;
    int weights; /* tensor */
    epilogue out;
    channel_blocks oc;
    cook_toom f[AXES];
    bool active[AXES];                 /* axes with a kernel */
    int64_t tiles[AXES];               /* of the output */
    int64_t block[AXES], blocks[AXES]; /* tiles of a block; blocks */
    int64_t points, count;             /* of a tile; tiles of a block */
    bool phased;                       /* the input is a phase */
    int64_t slice;                     /* input channels that a task transforms at most */
    affine channel;                    /* the first of them, where a nest stands */
    int64_t channels;                  /* how many they are there */
    winograd_stage stage[AXES + 1];    /* stage[i] is what pass i reads; 0 is the input itself */
    int pass_axis[AXES], passes;
    int64_t staged;     /* elements of the stages in scratch */
    int64_t sums;       /* where the products begin in scratch */
    int64_t strip;      /* where rows of outputs do, on their way to columns side by side */
    int64_t row;        /* where a row of input does, on its way from there */
    int scratch;        /* tensor */
    affine n, at[AXES]; /* image; the block's numbers */
    int acc, xs, ws;    /* registers: sums, input, weights */
    int square;         /* registers: channels of columns, and columns of channels */
    int in, to, turn;   /* registers: a transform's input and output; a tile between axes */
    transform_registers parts;
} winograd;

/* Input positions along an axis that a block's tiles read. */
int64_t winograd_positions(const winograd *w, int axis);
/* Packed weights of the block that w->oc stands at. */
affine winograd_weights(const winograd *w, affine point, affine channel);
/* What the products read: all points of all tiles of a block. */
const winograd_stage *winograd_transformed(const winograd *w);
/* Elements of one point's weights, and how many points. */
int64_t winograd_packed_elements(const winograd *w);

/* G or A' on every axis of a dense block of registers, by turns from `in` to `turn` and back. Gives the array that
 * holds the result: taps become points, points become outputs. */
typedef enum winograd_matrix { WINOGRAD_WEIGHTS, WINOGRAD_OUTPUTS } winograd_matrix;
int winograd_in_registers(winograd *w, winograd_matrix which);

void winograd_input(winograd *w);
/* Whether rows of input are turned in scratch before they are transformed; the elements of one there. */
bool winograd_has_rows(const winograd *w);
int64_t winograd_row_elements(const winograd *w);
/* For the block of output channels that w->oc stands at. */
void winograd_products(winograd *w);
void winograd_output(winograd *w);
/* Whether the outputs of a row of tiles are turned in scratch before they are stored; its elements there. */
bool winograd_has_strips(const winograd *w);
int64_t winograd_strip_elements(const winograd *w);
nest *winograd_pack_weights(arena *a, const winograd *w);

#endif
