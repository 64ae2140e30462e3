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

/* A filter of one channel as the sum of few products of a column and a row, which may round it:
 *
 *     kernel[kd][kh][kw] = sum over t of down[t][kd][kh] across[t][kw]
 *
 * A single product rounds it by a share of what its direct sums may round. Several cancel one another: together their
 * magnitudes come to `growth` times those of the kernel, and each weight is off by at most `share` units of rounding of
 * its terms' magnitudes. */
enum { KNOWN_MOST_TERMS = 4, KNOWN_PARTS = 2 * KNOWN_MOST_TERMS };
typedef struct known_factors {
    int terms;
    double *down[KNOWN_MOST_TERMS], *across[KNOWN_MOST_TERMS];
    bool exact; /* not rounded at all */
    double share, growth;
} known_factors;
/* With as few terms as do; false: it is none that is less than the kernel itself. The arena owns what they point at. */
bool known_separate(const problem *p, arena *a, known_factors *to);
int known_terms(const problem *p); /* 0: it is none, or there is no memory to find out */

/* The factors' products where the weights of the problem stand, each the exact sum of KNOWN_PARTS doubles. */
void known_multiply(const problem *p, const known_factors *f, double *to);

/* In a few words: "6 of 9 taps, 3 products, antisymmetric columns, a column by a row". */
void known_print(const problem *p, text *out);

#endif
