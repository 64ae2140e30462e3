/* What rounding may do to a layer computed by Winograd's minimal filtering: the a-priori bound
 *
 *     |error| <= c u |A'| [(|G| |g|) . (|B'| |d|)] summed over input channels
 *
 * with the absolute values of the matrices of problem/cook_toom.h along every axis, u the type's unit roundoff and c
 * the number of roundings on the longest way through the transforms and the sum. Source: Barabasz et al., Error
 * analysis and improving the accuracy of Winograd convolution, 2018. Where an input is not finite, the tile's outputs
 * are not bounded at all: the transforms mix what a tile covers. */
#ifndef CVK_JUDGE_WINOGRAD_H
#define CVK_JUDGE_WINOGRAD_H

#include "judge/naive.h"
#include "problem/problem.h"

typedef struct winograd_rounding winograd_rounding;

/* c: the taps of an axis are transformed by sums of r terms with rounded coefficients, inputs and points by sums of
 * alpha; between them stands the sum over the input channels. */
double winograd_roundings(const problem *p, const int m[AXES]);

/* m: outputs of a tile along each axis, 1 where the kernel is 1. The problem's views are those of the dense tensors,
 * and it has one group; it stays the caller's. NULL: out of memory. */
winograd_rounding *winograd_rounding_new(const problem *p, const int m[AXES], const naive_tensors *t);
void winograd_rounding_free(winograd_rounding *w);
/* Tiles of all images; tiles first <= i < last fill their outputs in rounding, where the problem has them. Threads may
 * share `w`. False: out of memory. */
int64_t winograd_rounding_tiles(const winograd_rounding *w);
bool winograd_rounding_range(const winograd_rounding *w, int64_t first, int64_t last, double *rounding);

#endif
