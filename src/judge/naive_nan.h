/* Sums that leave NaN out, from their formula, a part of the naive interpreter. */
#ifndef CVK_JUDGE_NAIVE_NAN_H
#define CVK_JUDGE_NAIVE_NAN_H

#include "judge/naive.h"

/* One output of a channel, before bias and post-ops, from the first input channel of its group and its weights, whose
 * input channels are `taps` apart; how far a kernel may be from it is put into `bound`, which may be NULL. */
long double naive_without_nan(const cvk_spec *s, const void *input, const void *weights, const int64_t output[AXES],
                              double *bound);

#endif
