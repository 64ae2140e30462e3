/* Borders folded back: what a transposed layer puts out where a border of its transpose would be belongs to the inside
 * position that this border repeats. Then come bias and post-ops. */
#ifndef CVK_ALGO_FOLD_H
#define CVK_ALGO_FOLD_H

#include "algo/algo.h"

/* All that comes out, `border` and all, stands in the workspace from element `begin` on, seen by `from`, of the type
 * that is summed in, whose positions count from `before` in front of the output's first. */
typedef struct fold {
    const char *name;
    view from, to, gate; /* gate: as a problem's */
    padding_mode border;
    int64_t n, begin, size[AXES], before[AXES], after[AXES];
    problem_epilogue post;
} fold;

/* Tasks are images, slices and rows. */
nest *fold_build(arena *a, const fold *f, const cvk_target *target);

#endif
