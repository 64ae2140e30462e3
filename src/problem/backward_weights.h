/* The problems that gradients of a layer's weights are. */
#ifndef CVK_PROBLEM_BACKWARD_WEIGHTS_H
#define CVK_PROBLEM_BACKWARD_WEIGHTS_H

#include "problem/problem.h"

/* Of a layer whose direction is backward_weights. What stands for weights is the smaller of its two images: the
 * gradients of its output or, transposed, its input. Outputs are those of spec_result_elements, in which the gradients
 * of the weights come first. */
int backward_weights_count(const struct cvk_spec *s);
problem backward_weights_of(const struct cvk_spec *s, int index);

#endif
