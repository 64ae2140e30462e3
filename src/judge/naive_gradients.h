/* Gradients of weights and bias from their formulas, a part of the naive interpreter. */
#ifndef CVK_JUDGE_NAIVE_GRADIENTS_H
#define CVK_JUDGE_NAIVE_GRADIENTS_H

#include "judge/naive.h"

/* How many there are: the weights', then the bias'. */
int64_t naive_gradients(const cvk_spec *s);
/* As naive_range, with channels of one gradient. */
void naive_gradients_range(const cvk_spec *s, const naive_tensors *t, int64_t first, int64_t last, long double *output,
                           double *bound);

/* Adds what the output holds at element i to a value, and carries its bound, which may be NULL, along. */
void naive_add_before(const cvk_spec *s, const naive_tensors *t, int64_t i, long double *value, double *bound);

#endif
