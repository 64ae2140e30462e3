/* Pools from their formulas, a part of the naive interpreter. */
#ifndef CVK_JUDGE_NAIVE_POOL_H
#define CVK_JUDGE_NAIVE_POOL_H

#include "judge/naive.h"

/* The map of a channel, D H W: numbers of the layer's type; or of a later layer of a chain finer ones, and how far a
 * kernel's may be from them, which may be NULL. */
typedef struct naive_map {
    const void *values;
    const long double *finer;
    const double *doubt;
} naive_map;

/* One channel of one image: what stands in each of its windows before post-ops, how far a kernel may be from that, and,
 * of maxima, where the first of the greatest is, NaN being greater than all. Any of the three may be NULL. */
void naive_pool_channel(const cvk_spec *s, const naive_map *input, long double *output, double *bound, int32_t *places);

#endif
