/* Replaying: the same search, lag included, told times from a table. */
#include "tune/simulate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- layers from records ---- */

/* A trial of the layer is a candidate, once; its index, or -1. */
static int add_trial(arena *a, simulated_layer *l, const record *r, simulation *s) {
    layer_plan plan;
    int problem_index;
    candidates *c = &l->candidates;
    const int there = candidates_find(c, candidates_hash(r->plan));
    if (there >= 0) return there;
    if (!record_plan(a, r->plan, &plan) || layer_refuse(c->spec, c->aim.target, &plan, &problem_index)) {
        s->ignored++;
        return -1;
    }
    const int at = candidates_add(c, &plan);
    if (r->judged > 0) c->list[at].judged = r->judged; /* by the figures that there were */
    l->relative[at] = r->outcome == OUTCOME_CORRECT && r->relative > 0 ? r->relative : INFINITY;
    return at;
}

/* The first trial of any search was of the model's pick, and is that of a replay. */
static void put_pick_first(simulated_layer *l, int pick) {
    candidates *c = &l->candidates;
    if (pick <= 0) return;
    const candidate first = c->list[pick];
    const double relative = l->relative[pick];
    memmove(&c->list[1], &c->list[0], sizeof first * (size_t)pick);
    memmove(&l->relative[1], &l->relative[0], sizeof relative * (size_t)pick);
    c->list[0] = first;
    l->relative[0] = relative;
}

static bool is_trial_of(const record *r, const record *key) {
    return r->kind == RECORD_TRIAL && record_same_key(r, key);
}

/* False: too little is known of it. */
static bool open_layer(arena *a, const record_list *list, const record *key, simulation *s, simulated_layer *l) {
    const cvk_spec *spec = record_spec(a, key);
    const cvk_target *target = target_find(key->target);
    int correct = 0, pick = -1;
    if (!spec || !target) return false;
    candidates_close(a, spec, (goal){.target = target, .threads = (uint32_t)key->threads}, &l->candidates);
    l->name = key->name;
    l->relative = arena_array(a, double, list->count + 1);
    for (size_t i = 0; i < list->count; i++) {
        const record *r = &list->record[i];
        const int at = is_trial_of(r, key) ? add_trial(a, l, r, s) : -1;
        if (at >= 0 && r->trial == 0 && pick < 0) pick = at;
    }
    put_pick_first(l, pick);
    l->optimum = INFINITY;
    for (int i = 0; i < l->candidates.count; i++) {
        l->optimum = fmin(l->optimum, l->relative[i]);
        correct += isfinite(l->relative[i]);
    }
    return correct >= SIMULATION_FEWEST;
}

static bool is_among(const record *const *keys, size_t count, const record *r) {
    for (size_t i = 0; i < count; i++)
        if (record_same_key(keys[i], r)) return true;
    return false;
}

void simulation_open(arena *a, const record_list *list, simulation *to) {
    const record **keys = arena_array(a, const record *, list->count + 1);
    size_t known = 0;
    *to = (simulation){.layers = arena_array(a, simulated_layer, list->count + 1)};
    for (size_t i = 0; i < list->count; i++) {
        const record *r = &list->record[i];
        if (r->kind != RECORD_TRIAL || is_among(keys, known, r)) continue;
        keys[known++] = r;
        to->count += open_layer(a, list, r, to, &to->layers[to->count]);
    }
}

/* ---- replaying ---- */

/* Past the end of a search its best stays what it is. */
static void replay(simulated_layer *l, const strategy *how, surrogate_knowledge *knowledge, uint64_t seed, int trials,
                   int stride, double *share) {
    search s;
    bool over = false;
    double best = INFINITY;
    candidates_forget(&l->candidates);
    search_begin(&s, how, &l->candidates, knowledge, seed);
    for (int t = 0; t < trials; t++) {
        while (!over && s.trials - s.told <= SEARCH_LAG) over = search_next(&s) < 0;
        if (s.told < s.trials) {
            const double relative = l->relative[s.trial[s.told]];
            best = fmin(best, relative);
            search_tell(&s, relative);
        }
        share[(size_t)t * (size_t)stride] = isfinite(best) ? l->optimum / best : 0;
    }
}

void simulation_run(simulation *s, const strategy *how, int trials, int repeats, uint64_t seed, double *share) {
    const int runs = (int)s->count * repeats;
    for (int r = 0; r < repeats; r++) {
        surrogate_knowledge knowledge = {.lessons = 0};
        for (size_t l = 0; l < s->count; l++)
            replay(&s->layers[l], how, &knowledge, seed + (uint64_t)r, trials, runs,
                   share + l * (size_t)repeats + (size_t)r);
    }
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double simulation_quantile(double *values, size_t n, double share) {
    if (!n) return NAN;
    qsort(values, n, sizeof *values, compare);
    const double at = share * (double)(n - 1);
    const size_t below = (size_t)at, above = below + 1 < n ? below + 1 : below;
    return values[below] + (at - (double)below) * (values[above] - values[below]);
}
