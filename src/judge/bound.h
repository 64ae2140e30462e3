/* How far an f32 kernel may be from the exact result: the only place where a tolerance is made.
 *
 * bound_direct gives it for the sum, bound_post carries it through one post-op after another, bound_ratio judges a
 * kernel's value by it. A bound of 0 asks for the same value; an infinite one, where f32 may overflow on the way, for
 * nothing. */
#ifndef CVK_JUDGE_BOUND_H
#define CVK_JUDGE_BOUND_H

#include "spec/spec.h"

/* |error| of a sum of `terms` products (the bias counts as one), in any order, with or without fused multiply-adds:
 * (terms + 2) u S and an underflow term, where u = 2^-24 and S = `magnitude` is the sum of the terms' magnitudes.
 * 0 where all data are `integers` and S < 2^24: then every partial sum is an f32.
 * Source: Jeannerod and Rump, Improved error bounds for inner products in floating-point arithmetic, 2013. */
double bound_direct(int64_t terms, double magnitude, bool integers);

/* |error| of f(x) where the kernel knows x within `error` and computes f in f32 as well as the table in bound.c
 * promises. `operand` as in post_apply. */
double bound_post(const post_op *op, double operand, double x, double error);

/* |got - expected| / bound: at most 1 if the kernel is right. NaN for NaN and equal infinities are 0, any other
 * mismatch of those is INFINITY. */
double bound_ratio(double expected, double bound, float got);

#endif
