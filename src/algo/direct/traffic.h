/* What a plan's loops move: bytes that come into each cache level from the one behind it, in a run that follows on
 * another. */
#ifndef CVK_ALGO_DIRECT_TRAFFIC_H
#define CVK_ALGO_DIRECT_TRAFFIC_H

#include "algo/algo.h"

typedef struct traffic {
    double l1, l2, l3; /* bytes into the first, second and third level */
    double l3_input;   /* those of the input, where other problems of the layer were at its tensors meanwhile */
    double runs;       /* of lines one after another that come from behind the second level */
    double pieces;     /* of runs, each of a tile */
    double pages;      /* times that a tile's reduction comes to another page than the last, where it has more of them
                          than are remembered */
    double row_lines;  /* lines of output, of rows that are pages apart */
    double input_sets; /* the share of the first level's sets that the input comes to lie in */
} traffic;

/* `p` has its axes merged. */
traffic traffic_of(const problem *p, const cvk_target *target, const cvk_plan *plan);

/* Of gradients of weights, positions are taps, and images are channels: whether they lie on more pages than are
 * remembered, and the share of taps that are on `each` another than the one before. */
bool traffic_leaves_pages(const problem *p, double *each);

#endif
