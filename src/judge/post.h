/* Post-ops by their formulas, in double: the rows of base/post_ops.def. */
#ifndef CVK_JUDGE_POST_H
#define CVK_JUDGE_POST_H

#include "spec/spec.h"

/* f(x). `operand` is the addend of `add` and the factor of `scale`; the others do not look at it. NaN stays NaN;
 * at -infinity silu, gelu and gelu_tanh are their limit, -0. */
double post_apply(const post_op *op, double operand, double x);

#endif
