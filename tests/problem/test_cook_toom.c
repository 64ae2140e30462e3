/* Winograd's matrices compute what they are for: m outputs of an r-tap correlation, on integers, exactly. */
#include "problem/cook_toom.h"

#include <criterion/criterion.h>
#include <math.h>

/* y = A' [(G g) . (B' d)], in double. */
static void filter(const cook_toom *f, const double *d, const double *g, double *y) {
    double product[COOK_TOOM_MOST];
    for (int j = 0; j < f->alpha; j++) {
        double taps = 0, inputs = 0;
        for (int k = 0; k < f->r; k++) taps += ratio_value(f->g[j][k]) * g[k];
        for (int i = 0; i < f->alpha; i++) inputs += ratio_value(f->b[j][i]) * d[i];
        product[j] = taps * inputs;
    }
    for (int i = 0; i < f->m; i++) {
        y[i] = 0;
        for (int j = 0; j < f->alpha; j++) y[i] += ratio_value(f->a[i][j]) * product[j];
    }
}

static void filters(int m, int r) {
    cook_toom f;
    cr_assert(cook_toom_make(m, r, &f), "F(%d, %d)", m, r);
    cr_assert(f.m == m && f.r == r && f.alpha == m + r - 1, "F(%d, %d)", m, r);
    double d[COOK_TOOM_MOST], g[COOK_TOOM_MOST], y[COOK_TOOM_MOST];
    for (int i = 0; i < f.alpha; i++) d[i] = (i * 7 + 3) % 11 - 5;
    for (int k = 0; k < r; k++) g[k] = (k * 5 + 2) % 7 - 3;
    filter(&f, d, g, y);
    for (int i = 0; i < m; i++) {
        double direct = 0;
        for (int k = 0; k < r; k++) direct += d[i + k] * g[k];
        cr_expect(fabs(y[i] - direct) < 1e-8, "F(%d, %d), output %d: %g, not %g", m, r, i, y[i], direct);
    }
}

Test(cook_toom, filters_as_the_direct_sum_does) {
    for (int m = 1; m <= 8; m++)
        for (int r = 1; m + r - 1 <= 9; r++) filters(m, r);
}

Test(cook_toom, says_what_it_cannot_do) {
    cook_toom f;
    cr_expect(!cook_toom_make(0, 3, &f));
    cr_expect(!cook_toom_make(3, 0, &f));
    cr_expect(!cook_toom_make(COOK_TOOM_MOST, 2, &f));
}
