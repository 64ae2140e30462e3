/* What rounding may do to a filter that is summed as several separable ones, whose kernels are its own together: the
 * a-priori bound
 *
 *     |error| <= c u T,    T = the sum over taps and terms of |down across x|, and |bias|
 *
 * Down, a term rounds once a tap; across, where all terms are summed one after another, once a tap and term; and the
 * terms' kernels may be off by a share of u each (problem/known.h). Terms cancel one another, so T is more than the sum
 * of |w x|, as often as known_factors.growth says. A border may read any input of the channel, and counts as the
 * greatest; where an input that is met is not finite nothing is bounded, for a tap that is 0 may be the sum of terms
 * that are not. */
#ifndef CVK_JUDGE_TERMS_H
#define CVK_JUDGE_TERMS_H

#include "judge/naive.h"
#include "problem/known.h"

double terms_roundings(const problem *p, const known_factors *f); /* c */
/* Fills the outputs that the problem has in `rounding`, where there are several terms; of one, leaves them to direct
 * sums. The problem's views are those of the dense tensors. False: out of memory. */
bool terms_rounding(const problem *p, const naive_tensors *t, double *rounding);

#endif
