/* Post-ops by their formulas, in long double, which is finer than every type that is judged: the rows of
 * base/post_ops.def. */
#ifndef CVK_JUDGE_POST_H
#define CVK_JUDGE_POST_H

#include "spec/spec.h"

/* f(x). `operand` is what a row that reads something reads; the others do not look at it. NaN stays NaN;
 * at -infinity silu, gelu and gelu_tanh are their limit, -0. */
long double post_apply(const post_op *op, long double operand, long double x);

#endif
