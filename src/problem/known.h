/* Weights that are known when a kernel is compiled: what there is to gain from their values. */
#ifndef CVK_PROBLEM_KNOWN_H
#define CVK_PROBLEM_KNOWN_H

#include "problem/problem.h"

/* A weight, as far from what stands for 0 as it is. */
double known_weight(const problem *p, int64_t group, int64_t oc, int64_t ic, const int64_t tap[AXES]);
/* Whether all groups are weighed alike. */
bool known_groups_alike(const problem *p);
int64_t known_present(const problem *p); /* weights of all groups that are not 0 */

/* Whether `times` `over` is exactly `of`, of numbers of the type that is summed in, and if so what it is. */
bool known_quotient(cvk_type sum, double of, double over, double *times);

/* A filter of one channel as the product of two: kernel[kd][kh][kw] = down[kd][kh] across[kw], which round it by a
 * share of what its direct sums may round. */
typedef struct known_factors {
    double *down, *across;
    bool exact; /* not rounded at all */
} known_factors;
/* False: it is none. The arena owns what they point at. */
bool known_separate(const problem *p, arena *a, known_factors *to);

/* The factors' products where the weights of the problem stand, each the exact sum of two doubles. */
void known_multiply(const problem *p, const known_factors *f, double *to);

/* In a few words: "6 of 9 taps, 3 products, antisymmetric columns". */
void known_print(const problem *p, text *out);

#endif
