/* What known weights have in common. */
#include "problem/known.h"

#include "base/types.h"

#include <math.h>
#include <string.h>

double known_weight(const problem *p, int64_t group, int64_t oc, int64_t ic, const int64_t tap[AXES]) {
    int64_t at = p->w.base + ic * p->w.n + (oc + group * p->w.group) * p->w.channel;
    for (int a = 0; a < AXES; a++) at += tap[a] * p->w.axis[a];
    const char *weights = p->known;
    return type_read(p->w.type, weights + at * type_bytes(p->w.type)) - p->w.zero;
}

/* The weights of a problem one after another: their number, and where number i stands. */
typedef struct spot {
    int64_t group, oc, ic, tap[AXES];
} spot;

static int64_t count_of(const problem *p) {
    return p->groups * p->out_channels * p->in_channels * problem_taps(p);
}

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
}
