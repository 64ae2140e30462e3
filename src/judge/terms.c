/* The bound of several separable filters: the filter of their magnitudes, on magnitudes. */
#include "judge/terms.h"
#include "judge/places.h"

#include <math.h>

static const double UNDERFLOWS = 4; /* roundings of denormals that one on the way stands for */

/* Each term that was taken off what is left rounded that, too. */
double terms_roundings(const problem *p, const known_factors *f) {
    const double across = (double)p->axis[AXIS_W].taps, down = (double)problem_taps(p) / across;
    return down + f->terms * across + f->terms + 2 + p->post.bias + f->share;
}

typedef struct job {
    const problem *p;
    const naive_tensors *tensors;
    double *taps; /* what all terms' magnitudes come to */
    int64_t in[AXES], out[AXES], kernel[AXES];
    double roundings;
} job;

static int64_t product(const int64_t count[AXES]) { return count[0] * count[1] * count[2]; }

/* NaN where there is one. */
static double greatest(const job *j, int64_t n, int64_t channel) {
    double most = fabs(j->p->constant);
    int64_t at[AXES];
    for (int64_t i = 0; i < product(j->in) && !isnan(most); i++) {
        place_at(i, j->in, at);
        const double x = magnitude_at(j->p->x.type, j->tensors->input, view_element(&j->p->x, n, channel, at));
        if (!(x <= most)) most = x;
    }
    return most;
}

static double sum_at(const job *j, int64_t n, int64_t channel, const int64_t out[AXES], double border) {
    double sum = 0;
    for (int64_t i = 0; i < product(j->kernel); i++) {
        int64_t tap[AXES], at[AXES];
        bool there = true;
        place_at(i, j->kernel, tap);
        for (int a = 0; a < AXES; a++) {
            const problem_axis *axis = &j->p->axis[a];
            at[a] = out[a] * axis->step + tap[a] * axis->tap_step + axis->origin;
            there &= at[a] >= 0 && at[a] < axis->in;
        }
        const double x =
            there ? magnitude_at(j->p->x.type, j->tensors->input, view_element(&j->p->x, n, channel, at)) : border;
        sum += j->taps[i] != 0 ? j->taps[i] * x : 0;
    }
    return sum;
}

static double bound_of(const job *j, double sum) {
    const cvk_type type = j->p->sum;
    if (!isfinite(sum) || sum > type_greatest(type) / 4) return INFINITY;
    return j->roundings *
           (type_rows[type].unit_roundoff * sum + UNDERFLOWS * (double)product(j->kernel) * type_ulp(type, 0));
}

static void fill_channel(const job *j, int64_t n, int64_t group, double *rounding) {
    const problem *p = j->p;
    const int64_t channel = group * p->x.group, to = group * p->y.group;
    const double border = p->border != PAD_ZEROS ? greatest(j, n, channel) : 0;
    const double bias = p->post.bias ? magnitude_at(p->sum, j->tensors->bias, to) : 0;
    int64_t at[AXES];
    for (int64_t i = 0; i < product(j->out); i++) {
        place_at(i, j->out, at);
        rounding[view_element(&p->y, n, to, at)] = bound_of(j, sum_at(j, n, channel, at, border) + bias);
    }
}

static void set_taps(job *j, arena *a, const known_factors *f) {
    const int64_t across = j->kernel[AXIS_W];
    j->taps = arena_array(a, double, product(j->kernel));
    for (int64_t i = 0; i < product(j->kernel); i++) {
        j->taps[i] = 0;
        for (int t = 0; t < f->terms; t++) j->taps[i] += fabs(f->down[t][i / across] * f->across[t][i % across]);
    }
}

static bool fill(const problem *p, const naive_tensors *t, arena *a, double *rounding) {
    known_factors f;
    if (arena_guard(a)) return false;
    if (!known_separate(p, a, &f) || f.terms == 1) return true;
    job j = {.p = p, .tensors = t, .roundings = terms_roundings(p, &f)};
    for (int i = 0; i < AXES; i++) {
        j.in[i] = p->axis[i].in;
        j.out[i] = p->axis[i].out;
        j.kernel[i] = p->axis[i].taps;
    }
    set_taps(&j, a, &f);
    for (int64_t i = 0; i < p->n * p->groups; i++) fill_channel(&j, i / p->groups, i % p->groups, rounding);
    return true;
}

bool terms_rounding(const problem *p, const naive_tensors *t, double *rounding) {
    arena a;
    arena_init(&a);
    const bool good = fill(p, t, &a, rounding);
    arena_free(&a);
    return good;
}
