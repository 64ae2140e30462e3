/* A surrogate: a ridge regression of what the model errs by on the nest's counts and the plan's numbers, against those
 * of the layer's first plan. Without any lesson it is the model. Each result is a lesson, kept for the next layer. */
#include "tune/search.h"

#include <math.h>

enum { N = CANDIDATE_FEATURES, EXPLORE = 8, CENTRES = 3 };
static const double RIDGE = 3, FORGET = 0.5; /* what a lesson is worth on the next layer */

static void difference(const search *s, int which, double x[N]) {
    for (int i = 0; i < N; i++) x[i] = s->candidates->list[which].features[i] - s->candidates->list[0].features[i];
}

/* Solves (products + RIDGE I) weights = sums, which is positive definite, by Cholesky's factors. */
static void solve(surrogate_knowledge *k) {
    double l[N][N], y[N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++) {
            double sum = k->products[i][j] + (i == j ? RIDGE : 0);
            for (int m = 0; m < j; m++) sum -= l[i][m] * l[j][m];
            l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
        }
    for (int i = 0; i < N; i++) {
        y[i] = k->sums[i];
        for (int m = 0; m < i; m++) y[i] -= l[i][m] * y[m];
        y[i] /= l[i][i];
    }
    for (int i = N - 1; i >= 0; i--) {
        k->weights[i] = y[i];
        for (int m = i + 1; m < N; m++) k->weights[i] -= l[m][i] * k->weights[m];
        k->weights[i] /= l[i][i];
    }
}

static double model_of(const search *s, int which) {
    return log(s->candidates->list[which].judged / s->candidates->list[0].judged);
}

/* What was learned of layers before counts for less. */
static void begin_layer(surrogate_knowledge *k) {
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) k->products[i][j] *= FORGET;
        k->sums[i] *= FORGET;
    }
}

static void learn(search *s, int which) {
    surrogate_knowledge *k = s->knowledge;
    const double relative = s->candidates->list[which].relative;
    double x[N];
    if (which == 0 && k->lessons) begin_layer(k);
    if (!isfinite(relative)) return;
    difference(s, which, x);
    const double error = log(relative) - model_of(s, which);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) k->products[i][j] += x[i] * x[j];
        k->sums[i] += x[i] * error;
    }
    k->lessons++;
    solve(k);
}

/* The logarithm of the time over the first plan's that is to be expected. */
static double expected(const search *s, int which) {
    double x[N], sum = model_of(s, which);
    difference(s, which, x);
    for (int i = 0; i < N; i++) sum += s->knowledge->weights[i] * x[i];
    return sum;
}

/* Lists the neighbours of the best, so that they are among those to choose from. */
static void widen(search *s) {
    double above = -1;
    for (int i = 0; i < CENTRES; i++) {
        int best = -1;
        for (int t = 0; t < s->told; t++) {
            const double relative = s->candidates->list[s->trial[t]].relative;
            if (isfinite(relative) && relative > above && (best < 0 || relative < s->candidates->list[best].relative))
                best = s->trial[t];
        }
        if (best < 0) return;
        candidates_step(s->candidates, best);
        above = s->candidates->list[best].relative;
    }
}

/* Any unseen one; -1. */
static int explore(search *s) {
    int left = 0;
    for (int i = 0; i < s->candidates->count; i++) left += !s->candidates->list[i].seen;
    int skip = left ? search_random(s, left) : 0;
    for (int i = 0; left && i < s->candidates->count; i++)
        if (!s->candidates->list[i].seen && skip-- == 0) return i;
    return -1;
}

static int next(search *s) {
    widen(s);
    if (s->trials % EXPLORE == EXPLORE - 1) return explore(s);
    int best = -1;
    double least = INFINITY;
    for (int i = 0; i < s->candidates->count; i++) {
        if (s->candidates->list[i].seen) continue;
        const double value = expected(s, i);
        if (best < 0 || value < least) {
            best = i;
            least = value;
        }
    }
    return best;
}

const strategy_moves strategy_surrogate = {next, learn};
