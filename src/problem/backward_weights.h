/* The problems that gradients of a layer's weights are. */
#ifndef CVK_PROBLEM_BACKWARD_WEIGHTS_H
#define CVK_PROBLEM_BACKWARD_WEIGHTS_H

#include "problem/problem.h"

/* Of a layer whose direction is backward_weights. What stands for weights is, of its two images, the gradients
 * of its output or, transposed, its input; where the kernel is of one tap, that of fewer channels. Outputs are those of
 * spec_result_elements, in which the gradients of the weights come first. */
/* For any batch the problems are those of one image, and each is added to what the images before it gave. */
int backward_weights_count(const struct cvk_spec *s);
/* What is summed over, images and rows, is in so many parts that one's share of both images stays in a cache, as far as
 * their sums are not much beside them. Of more than one, each puts its sums behind those of the one before: the
 * weights' elements each. */
int backward_weights_parts(const struct cvk_spec *s);
/* The gradients of the weights as a matrix for each group, dense by rows. */
typedef struct gradient_matrix {
    int64_t groups, rows, columns;
} gradient_matrix;
gradient_matrix backward_weights_matrix(const struct cvk_spec *s);
/* Whether sums wait for a last phase: of several parts, or because each group's are dense by columns, where lanes are
 * side by side, which by rows would be far apart. */
bool backward_weights_wait(const struct cvk_spec *s);
bool backward_weights_across(const struct cvk_spec *s);
/* Whether what stands for weights is the layer's input, and not the gradients of its output. */
bool backward_weights_pack_input(const struct cvk_spec *s);
problem backward_weights_of(const struct cvk_spec *s, int index);

#endif
