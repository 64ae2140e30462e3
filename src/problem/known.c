/* What known weights have in common. */
#include "problem/known.h"

#include "base/types.h"

#include <math.h>

static int64_t place_of(const problem *p, int64_t group, int64_t oc, int64_t ic, const int64_t tap[AXES]) {
    int64_t at = p->w.base + ic * p->w.n + (oc + group * p->w.group) * p->w.channel;
    for (int a = 0; a < AXES; a++) at += tap[a] * p->w.axis[a];
    return at;
}

double known_weight(const problem *p, int64_t group, int64_t oc, int64_t ic, const int64_t tap[AXES]) {
    const char *weights = p->known;
    return type_read(p->w.type, weights + place_of(p, group, oc, ic, tap) * type_bytes(p->w.type)) - p->w.zero;
}

/* The weights of a problem one after another: their number, and where number i stands. */
typedef struct spot {
    int64_t group, oc, ic, tap[AXES];
} spot;

static int64_t count_of(const problem *p) { return p->groups * p->out_channels * p->in_channels * problem_taps(p); }

static spot spot_of(const problem *p, int64_t i) {
    spot s;
    for (int a = AXES - 1; a >= 0; a--) {
        s.tap[a] = i % p->axis[a].taps;
        i /= p->axis[a].taps;
    }
    s.ic = i % p->in_channels, i /= p->in_channels;
    s.oc = i % p->out_channels;
    s.group = i / p->out_channels;
    return s;
}

static double at(const problem *p, const spot *s) { return known_weight(p, s->group, s->oc, s->ic, s->tap); }

bool known_groups_alike(const problem *p) {
    const int64_t each = count_of(p) / p->groups;
    for (int64_t i = each; i < count_of(p); i++) {
        const spot first = spot_of(p, i % each), here = spot_of(p, i);
        if (at(p, &first) != at(p, &here)) return false;
    }
    return true;
}

int64_t known_present(const problem *p) {
    int64_t present = 0;
    for (int64_t i = 0; i < count_of(p); i++) {
        const spot s = spot_of(p, i);
        present += at(p, &s) != 0;
    }
    return present;
}

bool known_quotient(cvk_type sum, double of, double over, double *times) {
    *times = type_round(sum, of / over);
    return fabs(*times) > 0x1p-64 && fabs(*times) < 0x1p64 && fma(*times, over, -of) == 0;
}

/* ---- products of a column and a row ---- */

/* The kernel that all groups have, row after row: `down` of them, of `across` columns. */
typedef struct matrix {
    int64_t down, across;
    double *at;
} matrix;

static matrix matrix_of(const problem *p, arena *a) {
    const int64_t taps = problem_taps(p), across = p->axis[AXIS_W].taps;
    const matrix m = {taps / across, across, arena_array(a, double, taps)};
    for (int64_t i = 0; i < taps; i++) {
        const spot s = spot_of(p, i);
        m.at[i] = at(p, &s);
    }
    return m;
}

static int64_t greatest_of(const matrix *m) {
    int64_t greatest = 0;
    for (int64_t i = 1; i < m->down * m->across; i++)
        if (fabs(m->at[i]) > fabs(m->at[greatest])) greatest = i;
    return greatest;
}

static int64_t as_frequent(const double *row, int64_t count, double magnitude) {
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++) found += fabs(row[i]) == magnitude;
    return found;
}

static bool divides(cvk_type sum, const double *row, int64_t count, double by) {
    double times;
    for (int64_t i = 0; i < count; i++)
        if (row[i] != 0 && !known_quotient(sum, row[i], by, &times)) return false;
    return true;
}

/* What a row is divided by: of the magnitudes that divide all of it the most frequent, which then needs no product;
 * where there is none, the greatest. */
static double divisor_of(cvk_type sum, const double *row, int64_t count) {
    double by = 0, greatest = 0;
    for (int64_t i = 0; i < count; i++) {
        const double magnitude = fabs(row[i]);
        greatest = fmax(greatest, magnitude);
        if (magnitude == 0 || !divides(sum, row, count, magnitude)) continue;
        if (by == 0 || as_frequent(row, count, magnitude) > as_frequent(row, count, by)) by = magnitude;
    }
    return by != 0 ? by : greatest;
}

/* ---- how near products are ---- */

enum { MOST_SHARE = 16, MOST_GROWTH = 4 };
static const double LEAST_ROUNDED = 0x1p-64;

/* How far the product of the factors may be from a weight, in its units of rounding: columns and rows one after another
 * round at most down + across + 1 times, so direct sums leave that much of their own down across + 2. */
static double spared(const matrix *m) { return fmin(4, (double)(m->down * m->across + 1 - m->down - m->across)); }

/* What all terms' magnitudes come to in place i. */
static double magnitude_of(const matrix *m, const known_factors *f, int64_t i) {
    double sum = 0;
    for (int t = 0; t < f->terms; t++) sum += fabs(f->down[t][i / m->across] * f->across[t][i % m->across]);
    return sum;
}

/* By what is left of a kernel when its terms are taken away: how far they are from it, and how much larger. */
static void measure(cvk_type sum, const matrix *m, const matrix *rest, known_factors *f) {
    const double unit = type_rows[sum].unit_roundoff;
    double terms = 0, kernel = 0;
    f->exact = true;
    f->share = 0;
    for (int64_t i = 0; i < m->down * m->across; i++) {
        const double all = magnitude_of(m, f, i), of = f->terms == 1 ? fabs(m->at[i]) : all, off = fabs(rest->at[i]);
        f->exact &= off == 0;
        if (off != 0) f->share = fmax(f->share, of < LEAST_ROUNDED ? INFINITY : off / (unit * of));
        terms += all;
        kernel += fabs(m->at[i]);
    }
    f->growth = terms / kernel;
}

static bool approximates(cvk_type sum, const matrix *m, const known_factors *f) {
    if (!f->exact && !type_is_float(sum)) return false;
    return f->terms == 1 ? f->share <= spared(m) : f->share <= MOST_SHARE && f->growth <= MOST_GROWTH;
}

/* ---- one term after another: the column and the row of what is greatest in the rest, which is then 0 there ---- */

/* False: nothing is left. */
static bool take_term(cvk_type sum, arena *a, matrix *rest, known_factors *f) {
    const int64_t pivot = greatest_of(rest), column = pivot % rest->across;
    const double *row = rest->at + pivot - column, by = divisor_of(sum, row, rest->across);
    if (by == 0) return false;
    double *down = f->down[f->terms] = arena_array(a, double, rest->down);
    double *across = f->across[f->terms] = arena_array(a, double, rest->across);
    for (int64_t i = 0; i < rest->across; i++) across[i] = type_round(sum, row[i] / by);
    for (int64_t i = 0; i < rest->down; i++)
        down[i] = type_round(sum, rest->at[i * rest->across + column] / across[column]);
    for (int64_t i = 0; i < rest->down * rest->across; i++)
        rest->at[i] = fma(-down[i / rest->across], across[i % rest->across], rest->at[i]);
    f->terms++;
    return true;
}

/* Whether so many terms are less than the taps themselves; one has always been worth a try. */
static bool is_less(const problem *p, const matrix *m, int terms) {
    return terms == 1 || terms * (m->down + m->across) < known_present(p) / p->groups;
}

bool known_separate(const problem *p, arena *a, known_factors *to) {
    const bool alone = p->known && p->in_channels == 1 && p->out_channels == 1 && known_groups_alike(p);
    if (!alone || p->axis[AXIS_W].taps == 1 || problem_taps(p) == p->axis[AXIS_W].taps) return false;
    const matrix m = matrix_of(p, a);
    matrix rest = matrix_of(p, a);
    *to = (known_factors){0};
    while (to->terms < KNOWN_MOST_TERMS && is_less(p, &m, to->terms + 1)) {
        if (!take_term(p->sum, a, &rest, to)) return false;
        measure(p->sum, &m, &rest, to);
        if (approximates(p->sum, &m, to)) return true;
    }
    return false;
}

int known_terms(const problem *p) {
    arena a;
    known_factors f = {0};
    arena_init(&a);
    const bool separates = !arena_guard(&a) && known_separate(p, &a, &f);
    arena_free(&a);
    return separates ? f.terms : 0;
}

void known_multiply(const problem *p, const known_factors *f, double *to) {
    const int64_t each = problem_taps(p);
    for (int64_t i = 0; i < count_of(p); i++) {
        const spot s = spot_of(p, i);
        const int64_t tap = i % each, across = p->axis[AXIS_W].taps;
        double *product = to + KNOWN_PARTS * place_of(p, s.group, s.oc, s.ic, s.tap);
        for (int k = 0; k < KNOWN_PARTS; k++) product[k] = 0;
        for (int t = 0; t < f->terms; t++) {
            const double column = f->down[t][tap / across], row = f->across[t][tap % across];
            product[2 * t] = column * row;
            product[2 * t + 1] = fma(column, row, -product[2 * t]);
        }
        product[1] += p->w.zero;
    }
}

/* ---- in words ---- */

/* Magnitudes that want a product: all but 1. */
static int64_t products_of(const problem *p) {
    int64_t products = 0;
    for (int64_t i = 0; i < count_of(p); i++) {
        const spot s = spot_of(p, i);
        const double magnitude = fabs(at(p, &s));
        bool seen = magnitude == 0 || magnitude == 1;
        for (int64_t k = 0; k < i && !seen; k++) {
            const spot before = spot_of(p, k);
            seen = fabs(at(p, &before)) == magnitude;
        }
        products += !seen;
    }
    return products;
}

/* Whether the kernel is `sign` times itself, mirrored along an axis. */
static bool mirrors(const problem *p, int axis, double sign) {
    for (int64_t i = 0; i < count_of(p); i++) {
        spot s = spot_of(p, i);
        const double here = at(p, &s);
        s.tap[axis] = p->axis[axis].taps - 1 - s.tap[axis];
        if (here != sign * at(p, &s)) return false;
    }
    return p->axis[axis].taps > 1;
}

static void print_terms(const problem *p, text *out) {
    known_factors f;
    if (!known_separate(p, out->arena, &f)) return;
    text_add(out, f.terms == 1 ? ", a column by a row" : ", %d columns by rows", f.terms);
    if (f.terms > 1 && !f.exact)
        text_add(out, ", rounded by %.1f u, %.2f times the kernel's magnitude", f.share, f.growth);
    else if (!f.exact)
        text_add(out, ", rounded");
}

void known_print(const problem *p, text *out) {
    static const char *const NAMES[AXES] = {"slices", "rows", "columns"};
    text_add(out, "%lld of %lld taps, %lld product%s", (long long)known_present(p), (long long)count_of(p),
             (long long)products_of(p), products_of(p) == 1 ? "" : "s");
    for (int a = 0; a < AXES; a++) {
        if (mirrors(p, a, 1))
            text_add(out, ", symmetric %s", NAMES[a]);
        else if (mirrors(p, a, -1))
            text_add(out, ", antisymmetric %s", NAMES[a]);
    }
    print_terms(p, out);
}
