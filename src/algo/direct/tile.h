/* Direct convolution: the walk over the output in register tiles and, for each tile, over the taps that are present. A
 * family fills in what differs: what the lanes hold.
 *
 *     for order[0..4]                     tiles of the output; the outermost `tasks` of them are tasks
 *       [copy input rows to scratch]      plan.pack_rows
 *       variants of channels, rows        full blocks and the rest; row tiles that see the same taps
 *         for column spans, their tiles
 *           begin
 *           for kd, kh, ic, unrolled kw   or kd, kh, kw, ic
 *             body                        one tap of one input channel for the whole tile
 *           finish
 */
#ifndef CVK_ALGO_DIRECT_TILE_H
#define CVK_ALGO_DIRECT_TILE_H

#include "algo/algo.h"
#include "algo/channel_blocks.h"
#include "algo/epilogue.h"
#include "algo/taps.h"

struct tile;

/* One tap. Its rows are a range of the tile's rows; its columns depend on it. */
typedef struct tap {
    affine kd, kh, kw, ic;
    nest_range rows;
    const tap_segment *columns; /* NULL: those of tap kw */
} tap;

typedef struct family {
    void (*begin)(struct tile *);
    void (*body)(struct tile *, const tap *);
    void (*finish)(struct tile *);
    void (*registers)(struct tile *); /* declares what the three use */
    bool channel_lanes;               /* lanes are consecutive output channels */
    bool depthwise; /* blocks are of channels of all groups; the group loop runs over the multiplier */
} family;

typedef struct tile {
    nest_builder *b;
    const family *family;
    const cvk_target *target;
    const cvk_plan *plan;
    problem whole; /* as it was asked for, its axes merged */
    problem p;     /* as the taps see it: with a packed border there is no padding left, and x is in scratch */
    int lanes;

    tensor_view x;      /* what the body reads: the input, or its copy in scratch */
    int input, weights; /* tensors */
    epilogue out;
    channel_blocks oc;

    affine n, od, oh, ow; /* oh, ow: the tile's first row and column */
    affine packed_row;    /* input row of `p` at which the scratch begins */
    const axis_span *rows, *columns;

    int acc, xs, ws, square; /* register arrays: sums, input, weights, a tile transposed */
} tile;

/* The members of a row of algo/algorithms.def, by its family. Direct convolution can do every problem. */
bool direct_applicable(const problem *p, const cvk_target *target, const char **why);
algo_nests direct_build(const algorithm *row, arena *a, const problem *p, const cvk_target *target,
                        const cvk_plan *plan);
const char *direct_refuse(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan);
double direct_cycles(const problem *p, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests,
                     const nest_counts *counts);
/* propose.c: register tiles that fit the target's registers, each in the loop orders worth ranking. */
void propose_channel_tiles(const algorithm *row, const problem *p, const cvk_target *target, arena *a, plan_list *list);
void propose_column_tiles(const algorithm *row, const problem *p, const cvk_target *target, arena *a, plan_list *list);

/* tile.c: what follows from the plan; where a tile and its taps are. */
tile tile_make(const problem *p, const cvk_target *target, const cvk_plan *plan, const family *f);
int64_t tile_rows(const tile *t);
int64_t tile_row_tiles(const tile *t); /* of the whole output */
/* Columns are clipped as they run: the taps of a tile of one column are a range of a loop. */
bool tile_clips_columns(const tile *t);
position tile_output(const tile *t, affine row, affine column);
nest_range tap_columns(tile *t, const tap *k, affine first, int64_t count);
/* Where tap k of a pixel reads t->x: image, channel number (of input channel ic, or the block's own), position. */
lane_map tap_input(const tile *t, const tap *k, affine row, affine column);
affine tap_weights(const tile *t, const tap *k); /* packed weights of the block */

/* reduce.c: one tile, from begin to finish. */
void reduce_tile(tile *t);

/* channel_tile.c: for families whose lanes are channels. */
void channel_tile_registers(tile *t);
void channel_tile_begin(tile *t);
void channel_tile_finish(tile *t);
/* The sums of channel vector `vector` at a pixel of the tile. */
register_ref channel_tile_sum(const tile *t, affine vector, affine row, affine column);

/* pack_weights.c */
nest *pack_weights_build(arena *a, const tile *t);
int64_t packed_weights_elements(const tile *t);
/* pack_input.c: copies what the rows of a task need, border and all. */
problem pack_input_problem(const problem *p, const cvk_plan *plan, const family *f);
void pack_input_build(tile *t, affine first_row);

#endif
