/* The permitted rounding of a layer's sums, by the plan that computes them. */
#ifndef CVK_JUDGE_ROUNDING_H
#define CVK_JUDGE_ROUNDING_H

#include "plan/layer_plan.h"
#include "judge/naive.h"

/* What naive_tensors.rounding wants for a plan: NULL for those that sum directly, else heap-owned, one a sum. `threads`
 * may be NULL. False: out of memory. */
bool rounding_of_plan(const cvk_spec *s, const layer_plan *plan, const naive_tensors *t,
                      const cvk_parallel_for *threads, double **rounding);
/* The bound in words, for `explain`. */
void rounding_print(const cvk_spec *s, const layer_plan *plan, text *out);
/* Of weights that are known, and which a plan rounds to be factors of them, those that it computes by, each as the sum
 * of IDENTITY_PARTS numbers, for judge/identity.h. NULL: it rounds none. */
const double *rounding_of_weights(arena *a, const cvk_spec *s, const layer_plan *plan);
/* Whether two plans of a layer round alike: then one reference judges both. */
bool rounding_is_shared(const layer_plan *a, const layer_plan *b);

#endif
