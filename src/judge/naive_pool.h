/* Pools from their formulas, a part of the naive interpreter. */
#ifndef CVK_JUDGE_NAIVE_POOL_H
#define CVK_JUDGE_NAIVE_POOL_H

#include "judge/naive.h"

/* One channel of one image: what stands in each of its windows before post-ops, how far a kernel may be from that, and,
 * of maxima, where the first of the greatest is, NaN being greater than all. Any of the three may be NULL. */
void naive_pool_channel(const cvk_spec *s, const void *input, long double *output, double *bound, int32_t *places);

#endif
