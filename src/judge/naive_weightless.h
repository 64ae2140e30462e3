/* Layers without weights: pools, norms, what is resized, and what only goes through post-ops. */
#ifndef CVK_JUDGE_NAIVE_WEIGHTLESS_H
#define CVK_JUDGE_NAIVE_WEIGHTLESS_H

#include "judge/naive.h"

/* As naive_range, which asks it. */
void naive_weightless_range(const cvk_spec *s, const naive_tensors *t, int64_t first, int64_t last, long double *output,
                            double *bound);

#endif
