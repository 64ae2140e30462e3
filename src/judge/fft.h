/* What rounding may do to a layer computed by fast transforms of tiles: the a-priori bound
 *
 *     |error| <= u [(12 L + 3 m + 4) A + 6 L B + |bias|],    A = sum of |x|_2 |w|_2,  B = sum of |x|_2 |w|_1
 *
 * over the m tiles of the input and parts of the kernel that an output's tile is summed over, input channel by input
 * channel, with the 2-norm of a tile and the 1- and 2-norms of a part of a filter; L is the number of levels, log2 of a
 * tile's complex points, and u the type's unit roundoff.
 *
 * A level is a matrix that is unitary but for a factor: u = a + c b, v = a - c b. Computed as v = 2 a - u, by
 * multiply-adds that may round after each step, with constants rounded once, it errs by at most 6 u of the norm of what
 * comes out; and so does its inverse. So a transform of L levels errs by 6 L u of its result's norm. By Parseval and
 * Cauchy and Schwarz the errors of the two spectra reach an output with 12 L u A, those of products and sums, of
 * complex numbers in 2 m steps, with sqrt 2 (2 m + 1) u A. The way back errs by 6 L u of the norm of all outputs of the
 * tile, those that wrapped around with them, which is at most B (Young). Source: Higham, Accuracy and Stability of
 * Numerical Algorithms, 2002, chapter 24, for the shape of the argument. Where an input of the tiles is not finite,
 * nothing is bounded. */
#ifndef CVK_JUDGE_FFT_H
#define CVK_JUDGE_FFT_H

#include "judge/naive.h"
#include "problem/problem.h"

/* 12 L + 3 m + 4, and 6 L. */
void fft_roundings(const problem *p, const int size[AXES], double *of_two, double *of_one);

/* Fills the outputs that the problem has in `rounding`, by tiles of that size. The problem's views are those of the
 * dense tensors. False: out of memory. */
bool fft_rounding(const problem *p, const int size[AXES], const naive_tensors *t, double *rounding);

#endif
