/* A plan: everything an algorithm decided about one layer. A plain value; prints as a `schedule:` and reads back.
 *
 *     {algorithm: direct, lanes: out_channels, tile: {oc: 32, od: 1, oh: 1, ow: 14}, block: {oh: 1, ow: 1},
 *      unroll: {ic: 1, kw: false}, order: [n, g, oc, od, oh], tasks: 5, pack: {input_rows: 0}}
 */
#ifndef CVK_PLAN_PLAN_H
#define CVK_PLAN_PLAN_H

#include "base/node.h"
#include "base/text.h"

/* What the lanes of a vector register hold. */
typedef enum plan_lanes { LANES_OUT_CHANNELS, LANES_COLUMNS, LANES_CHANNELS, LANES_KINDS } plan_lanes;

/* The loops over tiles of the output; the column tiles of a row are always innermost. */
typedef enum plan_loop { LOOP_N, LOOP_G, LOOP_OC, LOOP_OD, LOOP_OH, PLAN_LOOPS } plan_loop;

typedef struct cvk_plan {
    const char *algorithm; /* a row of algo/algorithms.def */
    plan_lanes lanes;
    int tile_oc; /* output channels of a register tile */
    int tile_od, tile_oh,
        tile_ow;            /* output slices, rows and columns of a register tile; of a transformed one for winograd */
    int block_oh, block_ow; /* winograd: tiles whose products are taken together; 1 elsewhere */
    int unroll_ic;          /* input channels per iteration of the reduction */
    bool unroll_kw;         /* all taps of a kernel row in one iteration; else one */
    plan_loop order[PLAN_LOOPS]; /* outermost first; a permutation */
    int tasks;                   /* how many of `order`, from the outermost, are split among workers */
    int pack_rows; /* > 0: a task first copies the input rows for that many output rows to scratch; 0: none */
} cvk_plan;

void plan_print(const cvk_plan *p, text *out);
/* Reads a schedule back; an error names the place. Whether the plan fits its layer is for the algorithm to say. */
cvk_status plan_parse(const node *schedule, arena *a, cvk_diagnostics *d, cvk_plan *plan);
bool plan_equal(const cvk_plan *a, const cvk_plan *b);

#endif
