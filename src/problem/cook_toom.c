/* Cook-Toom: the points are 0, 1, -1, 2, -2, 1/2, -1/2, … and infinity. Column j of A' holds the powers of point j; row
 * j of G the same over N(j), the product of its distances to the others; row j of B' the coefficients of the polynomial
 * that vanishes at all other points. Infinity takes the highest coefficients. Signs and powers of two move from G to B'
 * where that makes B' integral, which costs no rounding. */
#include "problem/cook_toom.h"

#include "base/integers.h"

#include <stdint.h>
#include <string.h>

static const ratio POINTS[COOK_TOOM_MOST - 1] = {{0, 1}, {1, 1},  {-1, 1}, {2, 1}, {-2, 1},
                                                 {1, 2}, {-1, 2}, {4, 1},  {-4, 1}};

static ratio reduced(int64_t over, int64_t under) {
    int64_t d = common_divisor(over, under);
    if (under < 0) d = -d;
    return (ratio){over / d, under / d};
}

static ratio times(ratio a, ratio b) { return reduced(a.over * b.over, a.under * b.under); }
static ratio minus(ratio a, ratio b) { return reduced(a.over * b.under - b.over * a.under, a.under * b.under); }
static ratio inverse(ratio a) { return reduced(a.under, a.over); }
double ratio_value(ratio r) { return (double)r.over / (double)r.under; }

static ratio power(ratio a, int n) {
    ratio p = {1, 1};
    while (n-- > 0) p = times(p, a);
    return p;
}

/* Coefficients, lowest first, of the product of (x - point) over all finite points but `skip`. */
static void vanishing(int finite, int skip, ratio *coefficient) {
    memset(coefficient, 0, sizeof *coefficient * COOK_TOOM_MOST);
    for (int i = 0; i < COOK_TOOM_MOST; i++) coefficient[i] = (ratio){0, 1};
    coefficient[0] = (ratio){1, 1};
    for (int l = 0, degree = 0; l < finite; l++) {
        if (l == skip) continue;
        degree++;
        for (int i = degree; i >= 0; i--) {
            ratio lower = i > 0 ? coefficient[i - 1] : (ratio){0, 1};
            coefficient[i] = minus(lower, times(POINTS[l], coefficient[i]));
        }
    }
}

/* What a row of B' is multiplied by, and the row of G divided by: the least common denominator, with the sign that
 * makes N positive. */
static ratio row_scale(const ratio *row, int alpha, ratio n) {
    int64_t scale = 1;
    for (int i = 0; i < alpha; i++) scale = scale / common_divisor(scale, row[i].under) * row[i].under;
    return (ratio){n.over < 0 ? -scale : scale, 1};
}

static void finite_point(cook_toom *f, int j) {
    int finite = f->alpha - 1;
    ratio n = {1, 1}, row[COOK_TOOM_MOST];
    for (int l = 0; l < finite; l++)
        if (l != j) n = times(n, minus(POINTS[j], POINTS[l]));
    vanishing(finite, j, row);
    ratio scale = row_scale(row, f->alpha, n), weight = inverse(times(n, scale));
    for (int i = 0; i < f->alpha; i++) f->b[j][i] = times(row[i], scale);
    for (int i = 0; i < f->m; i++) f->a[i][j] = power(POINTS[j], i);
    for (int k = 0; k < f->r; k++) f->g[j][k] = times(power(POINTS[j], k), weight);
}

static void infinite_point(cook_toom *f) {
    int last = f->alpha - 1;
    ratio row[COOK_TOOM_MOST];
    vanishing(last, -1, row);
    ratio scale = row_scale(row, f->alpha, (ratio){1, 1});
    for (int i = 0; i < f->alpha; i++) f->b[last][i] = times(row[i], scale);
    f->a[f->m - 1][last] = (ratio){1, 1};
    f->g[last][f->r - 1] = inverse(scale);
}

static void clear(cook_toom *f) {
    memset(f, 0, sizeof *f);
    for (int i = 0; i < COOK_TOOM_MOST; i++)
        for (int k = 0; k < COOK_TOOM_MOST; k++) f->a[i][k].under = f->g[i][k].under = f->b[i][k].under = 1;
}

bool cook_toom_make(int m, int r, cook_toom *f) {
    clear(f);
    if (m < 1 || r < 1 || m + r - 1 > COOK_TOOM_MOST) return false;
    f->m = m, f->r = r, f->alpha = m + r - 1;
    for (int j = 0; j < f->alpha - 1; j++) finite_point(f, j);
    infinite_point(f);
    return true;
}
