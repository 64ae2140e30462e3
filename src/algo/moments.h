/* Mean and deviation of groups of channels, each over all positions of an image: what a group_norm takes away and
 * divides by. In two phases: of each channel in parts of its positions, a mean of its own and the squares of what is
 * left around it, so that nothing cancels; then those of a group together, in their order. */
#ifndef CVK_ALGO_MOMENTS_H
#define CVK_ALGO_MOMENTS_H

#include "algo/algo.h"

/* A part has from 64 to 2,048 positions, but the last. */
typedef struct moments {
    const char *name;
    view x; /* whose positions follow on one another */
    cvk_type sum;
    int64_t n, groups, positions;
    double epsilon;
} moments;

/* The phases. They leave the means of an image's channels, which begin at the workspace's first element, and behind
 * those of all images 1 / sqrt(variance + epsilon), both as view_by_channel sees them. */
nest *moments_of_parts(arena *a, const moments *m, const cvk_target *target);
nest *moments_of_groups(arena *a, const moments *m, const cvk_target *target);

#endif
