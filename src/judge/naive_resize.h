/* Resizing from its formula, a part of the naive interpreter. */
#ifndef CVK_JUDGE_NAIVE_RESIZE_H
#define CVK_JUDGE_NAIVE_RESIZE_H

#include "judge/naive.h"

/* Channels first <= i < last of all images before post-ops, to `output`, whose element 0 is the first of them; `bound`,
 * which may be NULL, gets how far a kernel may be from each. */
void naive_resize_range(const cvk_spec *s, const void *input, int64_t first, int64_t last, long double *output,
                        double *bound);

#endif
