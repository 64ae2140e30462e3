/* A cosine is the real part of a product of roots of unity, one for each bit of the angle, in numbers of twice a
 * double's digits: what is lost on the way is far below the last bit of what comes out. */
#include "base/turn.h"

#include <math.h>

/* high + low, |low| <= half an ulp of high. */
typedef struct pair {
    double high, low;
} pair;
typedef struct point {
    pair x, y;
} point;

static pair normal(double high, double low) {
    const double sum = high + low;
    return (pair){sum, low - (sum - high)};
}

static pair sum(pair a, pair b) {
    const double s = a.high + b.high, t = s - a.high, error = (a.high - (s - t)) + (b.high - t);
    return normal(s, error + a.low + b.low);
}

static pair minus(pair a) { return (pair){-a.high, -a.low}; }

static pair product(pair a, pair b) {
    const double p = a.high * b.high;
    return normal(p, fma(a.high, b.high, -p) + (a.high * b.low + a.low * b.high));
}

static pair square_root(pair a) {
    const double root = sqrt(a.high), rest = fma(-root, root, a.high) + a.low;
    return normal(root, rest / (2 * root));
}

static pair quotient(pair a, pair b) {
    const double q = a.high / b.high;
    const pair rest = sum(a, minus(product((pair){q, 0}, b)));
    return normal(q, rest.high / b.high);
}

/* From the root of a turn's part to that of half of it: cos(a/2) = sqrt((1 + cos a) / 2), sin(a/2) = sin a / 2
 * cos(a/2).
 */
static point halved(point p) {
    const pair twice = sum((pair){1, 0}, p.x), x = square_root((pair){twice.high / 2, twice.low / 2});
    return (point){x, quotient(p.y, (pair){2 * x.high, 2 * x.low})};
}

static point times(point a, point b) {
    return (point){sum(product(a.x, b.x), minus(product(a.y, b.y))), sum(product(a.x, b.y), product(a.y, b.x))};
}

/* part / 2^halvings <= 1/8. */
static point root_of(int64_t part, int halvings) {
    point root = {{0, 0}, {1, 0}}, all = {{1, 0}, {0, 0}}; /* a quarter of a turn, and none */
    for (int bit = halvings - 3; bit >= 0; bit--) {
        root = halved(root);
        if (part >> bit & 1) all = times(all, root);
    }
    return all;
}

double turn_cosine(int64_t part, int halvings) {
    const int fine = halvings < 3 ? 3 : halvings;
    const int64_t turn = INT64_C(1) << fine;
    part = part * (INT64_C(1) << (fine - halvings)) & (turn - 1);
    if (part > turn / 2) part = turn - part;
    const double sign = part > turn / 4 ? -1 : 1;
    if (part > turn / 4) part = turn / 2 - part;
    if (part <= turn / 8) return sign * root_of(part, fine).x.high;
    return sign * root_of(turn / 4 - part, fine).y.high;
}
