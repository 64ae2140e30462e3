/* Sums that were taken in parts, one or more, added up in the order of the parts. */
#ifndef CVK_ALGO_SUM_PARTS_H
#define CVK_ALGO_SUM_PARTS_H

#include "algo/algo.h"

/* `count` parts of `elements` each stand one after another in the workspace, from element `begin` on; their sums are
 * the first of `outputs` elements that the layer puts out, or are added to what those hold. */
typedef struct part_sums {
    const char *name;
    cvk_type sum, output;
    int64_t begin, elements, outputs;
    int count;
    bool accumulate;
    bool across; /* parts have the matrix of each group by columns, where the output has it by rows */
    int64_t groups, rows, columns;
} part_sums;

nest *sum_parts_build(arena *a, const part_sums *p, const cvk_target *target);

#endif
