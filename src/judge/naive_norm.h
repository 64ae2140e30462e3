/* Norms and softmax from their formulas, a part of the naive interpreter. */
#ifndef CVK_JUDGE_NAIVE_NORM_H
#define CVK_JUDGE_NAIVE_NORM_H

#include "judge/naive.h"

/* Channels first <= i < last of all images before post-ops, to `output`, whose element 0 is the first of them; `bound`,
 * which may be NULL, gets how far a kernel may be from each. Of a group_norm or layer_norm: an input less the mean of
 * its set, over the square root of that one's variance + epsilon. */
void naive_norm_range(const cvk_spec *s, const void *input, int64_t first, int64_t last, long double *output,
                      double *bound);
/* Of a softmax: an input's exponential over the sum of those of all channels at its position. */
void naive_softmax_range(const cvk_spec *s, const void *input, int64_t first, int64_t last, long double *output,
                         double *bound);

#endif
