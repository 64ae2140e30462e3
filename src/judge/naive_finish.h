/* What becomes of a finished sum. */
#ifndef CVK_JUDGE_NAIVE_FINISH_H
#define CVK_JUDGE_NAIVE_FINISH_H

#include "judge/naive.h"

/* Of image n and output channel oc, at position `at` of the channel: from the sum to the output, and the bound with it,
 * which may be NULL. */
void naive_finish(const cvk_spec *s, const naive_tensors *t, int64_t n, int64_t oc, int64_t at, long double *value,
                  double *bound);

#endif
