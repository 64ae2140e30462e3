/* What the direct algorithms have in common: the walk over the output in register tiles and, for each tile, over the
 * taps that are present. A family fills in what differs: what the lanes hold.
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
#ifndef CVK_ALGO_TILING_H
#define CVK_ALGO_TILING_H

#include "algo/algo.h"
#include "algo/problem.h"

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
    const cvk_spec *spec;
    const cvk_target *target;
    const cvk_plan *plan;
    problem p; /* axes as the taps see them: with a packed border there is no padding left */
    int lanes;

    tensor_view source, in, out;      /* source: the input tensor; in: what the body reads, source or scratch */
    int weights, bias, scale, addend; /* tensors; -1: none */

    int64_t groups, channels, covered, blocks; /* trips of the group loop; channels blocked, and with fill; blocks */
    affine n, group, block, od, oh, ow;        /* of the tile: oh, ow are its first row and column */
    affine packed_row;                         /* padded input row at which the scratch begins */
    int64_t valid, covers;                     /* channels of this block that exist; that are stored */
    const axis_span *rows, *columns;

    int acc, x, w, t, spare; /* register arrays: sums, input, weights, temporaries of the epilogue, a tile transposed */
} tile;

/* The members of a row of algo/algorithms.def, by its family. Direct convolution can do every layer. */
bool tiling_applicable(const cvk_spec *spec, const cvk_target *target, const char **why);
algo_nests tiling_build(const algorithm *row, arena *a, const cvk_spec *spec, const cvk_target *target,
                        const cvk_plan *plan);
const char *tiling_refuse(const algorithm *row, const cvk_spec *spec, const cvk_target *target, const cvk_plan *plan);

/* The parts of tiling_build, for an algorithm with a walk of its own: what follows from the plan; the tensors. */
tile tile_make(const cvk_spec *spec, const cvk_target *target, const cvk_plan *plan, const family *f);
void tile_declare(tile *t, int64_t packed_elements);
enum { SCRATCH_ALIGNMENT = 64 };

/* For the families. */
int tile_vectors(const tile *t);                     /* channel vectors stored in this block */
nest_range tile_valid_lanes(tile *t, affine vector); /* of channel vector number `vector` */
affine tile_channel(const tile *t);                  /* first output channel */
int64_t tile_channel_step(const tile *t);            /* from a channel of the block to the next */
nest_range tap_columns(tile *t, const tap *k, affine first, int64_t count);
position tap_input(const tile *t, const tap *k, affine row, affine column); /* in `in` */
affine tap_weights(const tile *t, const tap *k);                            /* packed weights of the block */
position tile_output(const tile *t, affine row, affine column);

/* channel_tile.c: for families whose lanes are channels. */
void channel_tile_registers(tile *t);
void channel_tile_begin(tile *t);
void channel_tile_finish(tile *t);
/* The sums of channel vector `vector` at a pixel of the tile. */
register_ref channel_tile_sum(const tile *t, affine vector, affine row, affine column);
int64_t tile_row_count(const tile *t);

/* propose.c: register tiles that fit the target's registers, each in the loop orders worth ranking. */
void propose_channel_tiles(const algorithm *row, const cvk_spec *spec, const cvk_target *target, arena *a,
                           plan_list *list);
void propose_column_tiles(const algorithm *row, const cvk_spec *spec, const cvk_target *target, arena *a,
                          plan_list *list);

/* pack_weights.c */
nest *pack_weights_build(arena *a, const tile *t, const char *name);
int64_t packed_weights_elements(const tile *t);
/* pack_input.c: copies what the rows of a task need, border and all. */
void pack_input_view(tile *t, int64_t rows);
void pack_input_build(tile *t, affine first_row);
int64_t pack_input_channels(const tile *t);

/* epilogue.c: a finished vector's post-ops and its store; bias for the first sums. */
void epilogue_registers(tile *t);
void epilogue_store(tile *t, register_ref value, const lane_map *m);
/* The bias of the channels in `m`, or zeros: what sums begin with. */
void epilogue_bias(tile *t, register_ref to, const lane_map *m);
/* Zeros for the last block's missing channels, where no channel vector covers them. */
void epilogue_fill(tile *t);

#endif
