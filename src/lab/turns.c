/* Turns begin with each in turn: what one leaves to the other, it leaves as often. */
#include "lab/turns.h"
#include "base/clock.h"

#include <math.h>

const turns_wanted turns_of_match = {.least = 41, .most = 101, .seconds = 0.2};
const double turns_match_level = 0.01;

static void take_turn(const measured *challenger, const measured *incumbent, const int runs[2], turns *t) {
    const bool first = t->count % 2 == 0, again = t->count > 0; /* who had the last turn's end begins */
    if (first) t->challenger[t->count] = measure_sample(challenger, runs[0], again);
    t->incumbent[t->count] = measure_sample(incumbent, runs[1], again && !first);
    if (!first) t->challenger[t->count] = measure_sample(challenger, runs[0], false);
    t->count++;
}

static bool loses_all(const turns *t, double beyond) {
    for (int i = 0; i < t->count; i++)
        if (t->challenger[i] <= beyond * t->incumbent[i]) return false;
    return true;
}

/* Far behind in two turns or a little in some more: what is close by gets all of them. */
static bool is_hopeless(const turns *t, const turns_wanted *w) {
    return w->hopeless > 0 && t->count >= TURNS_FEWEST && loses_all(t, 1 + w->hopeless / (t->count * t->count));
}

static bool is_steady(const turns *t, const turns_wanted *w) {
    if (!(w->spread > 0)) return true;
    const turns_verdict v = turns_judge(t, 1);
    return v.high - v.low <= w->spread * v.ratio;
}

static bool enough(const turns *t, const turns_wanted *w, double seconds) {
    if (t->count == w->most || t->count == TURNS_MOST || is_hopeless(t, w)) return true;
    return t->count >= w->least && seconds >= w->seconds && is_steady(t, w);
}

void turns_take(const measured *challenger, const measured *incumbent, const turns_wanted *wanted, turns *to) {
    const int runs[] = {measure_runs(challenger), measure_runs(incumbent)};
    const double begin = clock_seconds();
    to->count = 0;
    while (!enough(to, wanted, clock_seconds() - begin)) take_turn(challenger, incumbent, runs, to);
}

/* Of sorted values. */
static double quantile(const double *sorted, int count, double share) {
    const double at = share * (count - 1);
    const int below = (int)at, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

double turns_chance(int wins, int count) {
    double log_all = count * log(2), chance = 0;
    for (int k = wins; k <= count; k++)
        chance += exp(lgamma(count + 1.0) - lgamma(k + 1.0) - lgamma(count - k + 1.0) - log_all);
    return fmin(chance, 1);
}

turns_verdict turns_judge(const turns *t, double handicap) {
    double ratio[TURNS_MOST], ours[TURNS_MOST], theirs[TURNS_MOST];
    turns_verdict v = {.turns = t->count};
    for (int i = 0; i < t->count; i++) {
        ours[i] = handicap * t->challenger[i];
        theirs[i] = t->incumbent[i];
        ratio[i] = ours[i] / theirs[i];
        v.wins += ours[i] < theirs[i];
    }
    const size_t count = (size_t)t->count;
    v.challenger = measure_median(ours, count);
    v.incumbent = measure_median(theirs, count);
    v.ratio = measure_median(ratio, count); /* sorts them */
    v.low = count ? quantile(ratio, t->count, 0.25) : 0;
    v.high = count ? quantile(ratio, t->count, 0.75) : 0;
    v.chance = turns_chance(v.wins, t->count);
    return v;
}
