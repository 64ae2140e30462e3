/* The interval is that of a further value of a normal distribution whose mean and variance are only known by n values,
 * mean ± t s √(1 + 1/n), on logarithms of ratios: Hahn and Meeker, Statistical Intervals (1991), "to contain a single
 * future observation". */
#include "lab/rounds.h"

#include <math.h>
#include <string.h>

const turns_wanted turns_of_round = {.least = 4, .most = 8, .seconds = 0.2 / ROUNDS};

/* Student's t of n - 1 degrees of freedom, beyond which it is once in forty times, by n. */
static const double STUDENT[ROUNDS + 1] = {[2] = 12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691,
                                           2.36462,       2.30600, 2.26216, 2.22814, 2.20099};

void rounds_add(rounds *r, const turns_verdict *round) {
    r->challenger[r->count] = round->challenger;
    r->incumbent[r->count] = round->incumbent;
    r->ratio[r->count] = round->ratio;
    r->turns += round->turns;
    r->count++;
}

static double median_of(const double *values, int count) {
    double sorted[ROUNDS];
    memcpy(sorted, values, sizeof *values * (size_t)count);
    return measure_median(sorted, (size_t)count);
}

/* Of less than two rounds it has no end. */
static void predict(const double *ratio, int n, double *low, double *high) {
    double mean = 0, squares = 0;
    for (int i = 0; i < n; i++) mean += log(ratio[i]) / n;
    for (int i = 0; i < n; i++) squares += pow(log(ratio[i]) - mean, 2);
    const double beyond = n < 2 ? INFINITY : STUDENT[n] * sqrt(squares / (n - 1) * (1 + 1.0 / n));
    *low = exp(mean - beyond);
    *high = exp(mean + beyond);
}

rounds_verdict rounds_judge(const rounds *r) {
    rounds_verdict v = {.rounds = r->count, .turns = r->turns};
    v.challenger = median_of(r->challenger, r->count);
    v.incumbent = median_of(r->incumbent, r->count);
    v.ratio = median_of(r->ratio, r->count);
    for (int i = 0; i < r->count; i++) v.wins += r->ratio[i] < 1;
    v.chance = turns_chance(v.wins, r->count);
    predict(r->ratio, r->count, &v.low, &v.high);
    return v;
}
