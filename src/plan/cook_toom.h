/* The matrices of Winograd's minimal filtering F(m, r): m outputs of an r-tap correlation by alpha = m + r - 1
 * products,
 *
 *     y = A' [(G g) . (B' d)]
 *
 * from alpha - 1 interpolation points and infinity by the Cook-Toom construction, in exact rational arithmetic.
 * Source: Lavin and Gray, Fast algorithms for convolutional neural networks, 2015; Barabasz
 * et al., Error analysis and improving the accuracy of Winograd convolution, 2018. */
#ifndef CVK_PLAN_COOK_TOOM_H
#define CVK_PLAN_COOK_TOOM_H

#include <stdbool.h>
#include <stdint.h>

enum { COOK_TOOM_MOST = 10 }; /* alpha */

/* A coefficient; in lowest terms, under > 0. */
typedef struct ratio {
    int64_t over, under;
} ratio;

/* The nearest double: an f32 where the points are this few and small, or else the nearest rounded once more. */
double ratio_value(ratio r);

/* Rows of coefficients. */
typedef ratio cook_toom_matrix[COOK_TOOM_MOST][COOK_TOOM_MOST];

/* `a` is A' (m x alpha), `g` is G (alpha x r), `b` is B' (alpha x alpha). */
typedef struct cook_toom {
    int m, r, alpha;
    cook_toom_matrix a, g, b;
} cook_toom;

/* F(m, r); m = r = 1 is the identity. False where alpha is beyond COOK_TOOM_MOST or m or r below 1. */
bool cook_toom_make(int m, int r, cook_toom *f);

#endif
