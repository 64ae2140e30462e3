/* A plan: everything an algorithm decided about one layer. A plain value; prints as a `schedule:` and reads back.
 *
 *     {algorithm: direct, lanes: out_channels, tile: {oc: 32, od: 1, oh: 1, ow: 14}, block: {oh: 1, ow: 1},
 *      unroll: {ic: 1, kw: false, kh: false}, dot: 0, order: [n, g, {ow: 448}, oc, od, oh, ow], tasks: 7, pack: {input_rows: 0,
 * border: false, transposed: false}, prefetch: false, stream: false}
 */
#ifndef CVK_PLAN_PLAN_H
#define CVK_PLAN_PLAN_H

#include "base/node.h"
#include "base/text.h"

/* What the lanes of a vector register hold. */
typedef enum plan_lanes {
    LANES_OUT_CHANNELS,
    LANES_COLUMNS,
    LANES_CHANNELS,
    LANES_IN_CHANNELS,
    LANES_KINDS
} plan_lanes;

/* The loops over tiles of the output, and the input channels that the reduction of a tile runs over. */
typedef enum plan_loop { LOOP_N, LOOP_G, LOOP_OC, LOOP_OD, LOOP_OH, LOOP_OW, LOOP_IC, PLAN_LOOPS } plan_loop;

/* A place in the order of loops. `block` > 0: the loop over blocks of so many images, groups, channels or positions;
 * 0: the one over the tiles of the block around it, or of all there is. */
typedef struct plan_level {
    plan_loop loop;
    int block;
} plan_level;

/* Every loop but ic, which is the reduction's own, and a block of each. */
enum { PLAN_TILE_LOOPS = PLAN_LOOPS - 1, PLAN_MOST_LEVELS = PLAN_TILE_LOOPS + PLAN_LOOPS };

/* Outermost first. */
typedef struct plan_order {
    int count;
    plan_level level[PLAN_MOST_LEVELS];
} plan_order;

typedef struct cvk_plan {
    const char *algorithm; /* a row of algo/algorithms.def */
    plan_lanes lanes;
    int tile_oc; /* output channels of a register tile */
    int tile_od, tile_oh,
        tile_ow;            /* output slices, rows and columns of a register tile; of a transformed one for winograd */
    int block_oh, block_ow; /* winograd: tiles whose products are taken together; 1 elsewhere */
    int unroll_ic;          /* input channels per iteration of the reduction */
    bool unroll_kw;         /* all taps of a kernel row in one iteration; else one */
    bool unroll_kh;         /* all taps of a kernel column, for each of which the rows of a tile share input */
    int dot;                /* > 0: a lane sums the products of so many input channels in one instruction */
    plan_order order;       /* every loop over tiles once, and before it, where it is blocked, that over its blocks */
    int tasks;              /* how many of `order`, from the outermost, are split among workers */
    int pack_rows;          /* > 0: a task first copies the input of its so many output rows to scratch; 0: none */
    bool pack_border;       /* the zeros around it too */
    bool pack_transposed;   /* channels lie together there if they do not in the input, or the other way round */
    bool prefetch;          /* the input of the next tile of columns is asked for while this one is computed */
    bool stream;            /* stores of the output bypass the caches, where the target can */
} cvk_plan;

/* Of what the blocks of a loop count, as much as a tile has: images, groups, channels or positions; of ic, an
 * iteration. */
int plan_unit(const cvk_plan *p, plan_loop loop);
/* Where a level stands in the order; -1: it does not. `blocks`: the one over blocks. */
int plan_level_of(const plan_order *order, plan_loop loop, bool blocks);
/* Tile loops in that order, without blocks. */
plan_order plan_order_of(const plan_loop loop[PLAN_TILE_LOOPS]);
/* Puts a level in front of level `at`. The order has room. */
void plan_order_insert(plan_order *order, int at, plan_level level);

/* A plan with nothing chosen: one of everything, all loops tasks. */
cvk_plan plan_plain(const char *algorithm, plan_lanes lanes);

void plan_print(const cvk_plan *p, text *out);
/* Reads a schedule back; an error names the place. Whether the plan fits its layer is for the algorithm to say. `ow`
 * may be left out of the order, and is then innermost; so may `prefetch` and
 * `stream`. */
cvk_status plan_parse(const node *schedule, arena *a, cvk_diagnostics *d, cvk_plan *plan);
/* A number written as everywhere in a spec, 0|[1-9][0-9]*, from `least` to `most`; false: it is none. */
bool plan_whole(const node *n, int least, int most, int *to);
bool plan_equal(const cvk_plan *a, const cvk_plan *b);
bool plan_order_equal(const plan_order *a, const plan_order *b);

#endif
