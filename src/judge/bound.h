/* How far a kernel may be from the exact result: the only place where a tolerance is made.
 *
 * bound_direct gives it for the sum, bound_post carries it through one post-op after another, bound_store through the
 * store, bound_ratio judges a kernel's value by it. A bound of 0 asks for the same value; an infinite one, where the
 * type may overflow on the way, for nothing. */
#ifndef CVK_JUDGE_BOUND_H
#define CVK_JUDGE_BOUND_H

#include "spec/spec.h"

/* |error| of a sum of `terms` products (the bias counts as one), in any order, with or without fused multiply-adds:
 * (terms + 2) u S and an underflow term, where u is the type's unit roundoff (2^-24 of f32, 2^-53 of f64) and S =
 * `magnitude` is the sum of the terms' magnitudes. 0 where all data are `integers` and S < 1/u: then every partial sum
 * is exact. Source: Jeannerod and Rump, Improved error bounds for inner products in floating-point arithmetic, 2013. */
double bound_direct(cvk_type type, int64_t terms, long double magnitude, bool integers);

/* The same where a kernel has other inputs than the exact ones, which move the sum by `doubt` at most. */
double bound_inherited(cvk_type type, int64_t terms, long double magnitude, long double doubt, bool integers);

/* Of numbers: the greatest magnitude, and whether there are some below 2^-126, but for 0. */
typedef struct extent {
    double most;
    bool small;
} extent;
extent extent_of(cvk_type type, const void *x, int64_t n);

/* How far a sum of `terms` products of such numbers is moved by instructions that sum pairs of bf16 up and take what is
 * below 2^-126 for 0 (target/dots.def): 2^-126 for each addition and for what it begins with, and the products of
 * numbers that small. 0 of layers whose sums no such instruction may serve. */
double bound_flushed(const cvk_spec *s, int64_t terms, extent x, extent w);

/* |error| of a mean over `counted`, of the sum of `terms` numbers, in any order, rounded once more by the division:
 * (terms + 1) u S / counted and an underflow term. Where all numbers are `integers` and S < 1/u the sum is exact, and
 * the mean as near as a number of the type can be. Source: Rump, Error estimation of floating-point summation and dot
 * product, 2012: at most (terms - 1) u S for the sum. */
double bound_mean(cvk_type type, int64_t terms, long double sum, long double magnitude, int64_t counted, bool integers);

/* A sum, or a sum of weights, and how far a kernel may be from it. */
typedef struct estimate {
    long double value;
    double error;
} estimate;

/* |error| of numbers all / met, each within its error, and where nothing is `left_out`, so that the kernel has the same
 * bits of both weights, within that of the numbers: the quotient is rounded, and so is the product. Where `met` may be
 * 0 nothing is asked for. */
double bound_reweighed(cvk_type type, estimate numbers, estimate all, estimate met, bool left_out);

/* |error| of a sum that is weighed on so many axes, one inside the other, by two weights each, the sum of whose terms'
 * magnitudes it is: a weight, a product and an addition round on each. */
double bound_weighed(cvk_type type, int axes, long double magnitude);

/* What a set of numbers has, exactly. */
typedef struct spread_about {
    long double mean, variance;
    double epsilon;
    int64_t count;
} spread_about;

/* |error| of (x - mean) / sqrt(variance + epsilon) where no sum is of a chain of more than so many additions, and a
 * few: means are taken first, of parts and of their means, and squares around them. With R the root of the mean square,
 * d = (chain + 8) u R is how far the computed mean may be. Squares of parts are taken around means as far off: by
 * Cauchy and Schwarz the variance then moves by no more than 4 d sqrt(variance) + 4 d^2, and rounds by (chain + 8) u of
 * it. What follows rounds once a step. docs/trust.md derives it. */
double bound_normalised(cvk_type type, int64_t chain, long double x, const spread_about *set);

/* |error| of exp(below) / sum of `count` exponentials, none greater than 1: `below`, a difference, rounds, and its
 * exponential moves by as much, `mean_below` on the weighted average; the function keeps its promise; sums and the
 * quotient round. */
double bound_share(cvk_type type, int64_t count, long double below, long double mean_below, long double y);

/* |error| of f(x) where the kernel knows x within `error` and computes f in `type` as well as nest/math.def and
 * the table in bound.c promise. `operand` as in post_apply. */
double bound_post(cvk_type type, const post_op *op, long double operand, long double x, double error);

/* What is known of a result within `error`, once it is stored: rounded from what is summed in to `type`, it moves by at
 * most half an ulp more. Where nothing is uncertain `value` becomes what is stored; where it surely overflows,
 * infinity; where that is not sure, nothing is asked for. */
void bound_store(cvk_type sum, cvk_type type, long double *value, double *error);

/* |got - expected| / bound: at most 1 if the kernel is right. NaN for NaN and equal infinities are 0, any other
 * mismatch of those is INFINITY. */
double bound_ratio(long double expected, double bound, double got);

/* What a comparison found, at its worst. */
typedef struct verdict {
    double error, ratio; /* |error|, and |error| over its bound: at most 1 is right */
} verdict;
void verdict_worsen(verdict *v, const verdict *by);
/* Judges `count` elements of the type, worsens the verdict, and gives the first that is wrong, or -1. */
int64_t bound_judge(cvk_type type, int64_t count, const long double *expected, const double *bound, const void *got,
                    verdict *v);

#endif
