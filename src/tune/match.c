/* Plans are compiled once more, and each challenger meets the pick in turn. */
#include "tune/match.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>

enum { CHALLENGERS = 3 };

typedef struct match {
    const tune_setup *setup;
    crew *crew;
    const search *search;
    const record *key;
} match;

static bool is_stopped(const match *m) { return *m->setup->stop != 0; }
static const candidate *candidate_of(const match *m, int which) { return &m->search->candidates->list[which]; }

/* Waits for what one worker was asked; false: it was stopped. */
static bool settle(match *m, int which) {
    while (crew_is_busy(m->crew, which) && !is_stopped(m)) crew_await(m->crew);
    return !is_stopped(m);
}

/* Compiled once more. */
static bool prepare(match *m, slot *s, int which) {
    *s = (slot){.candidate = which, .trial = -1, .record = *m->key};
    return crew_compile(m->crew, 0, s, &candidate_of(m, which)->plan) && settle(m, 0) && s->state == SLOT_COMPILED;
}

/* The next best that is faster than the model's pick, or -1. */
static int next_challenger(const match *m, double above) {
    int best = -1;
    for (int i = 0; i < m->search->told; i++) {
        const double relative = candidate_of(m, m->search->trial[i])->relative;
        if (!(relative > above) || !(relative < candidate_of(m, 0)->relative)) continue;
        if (best < 0 || relative < candidate_of(m, best)->relative) best = m->search->trial[i];
    }
    return best;
}

/* A pick and a challenger, many turns. */
static bool play(match *m, const slot *pick, slot *s) {
    const measure_request wanted = {.slow = INFINITY, .turns = turns_of_match};
    return crew_measure(m->crew, s, &pick->object, wanted) && settle(m, m->crew->compilers) &&
           s->record.outcome == OUTCOME_CORRECT;
}

static void describe(const match *m, const slot *s, int challengers, record *r) {
    const record *of = &s->record;
    r->plan = candidate_of(m, s->candidate)->text;
    r->seconds = of->seconds;
    r->best_seconds = of->best_seconds;
    r->ratio = of->ratio;
    r->low = of->low;
    r->high = of->high;
    r->turns = of->turns;
    r->wins = of->wins;
    r->chance = of->chance;
    r->level = turns_match_level / challengers;
    r->crowned = r->chance < r->level;
}

/* Of the challengers the one that is crowned, or that came nearest to it. */
static bool is_better(const record *a, const record *b) {
    if (a->crowned != b->crowned) return a->crowned;
    return a->ratio < b->ratio;
}

static void hold(match *m, const slot *pick, record *to) {
    int chosen[CHALLENGERS], count = 0;
    double above = -1;
    while (count < CHALLENGERS && (chosen[count] = next_challenger(m, above)) >= 0)
        above = candidate_of(m, chosen[count++])->relative;
    for (int i = 0; i < count && !is_stopped(m); i++) {
        slot s;
        record r = *to;
        bool played = prepare(m, &s, chosen[i]) && play(m, pick, &s);
        if (played) describe(m, &s, count, &r);
        if (played && (i == 0 || to->turns == 0 || is_better(&r, to))) *to = r;
        message_free(&s.object);
    }
}

/* How many trials of the layer there are that a winner could be among. */
static int64_t correct_trials(const match *m) {
    int64_t count = 0;
    for (int i = 0; i < m->search->candidates->count; i++) count += isfinite(candidate_of(m, i)->relative);
    return count;
}

/* The last match, if it chose among as many as there are, and the model's pick was the one that it is now. */
static bool is_held(const match *m, int64_t among, record *to) {
    const record *last = NULL;
    for (size_t i = 0; i < m->setup->known->count; i++) {
        const record *r = &m->setup->known->record[i];
        if (r->kind == RECORD_MATCH && record_same_key(r, m->key) && (!last || r->time >= last->time)) last = r;
    }
    if (last) *to = *last;
    return last && last->trial == among && strcmp(last->pick, candidate_of(m, 0)->text) == 0;
}

cvk_status match_hold(const tune_setup *setup, crew *c, const search *s, const record *key, record *to) {
    match m = {setup, c, s, key};
    const int64_t among = correct_trials(&m);
    slot pick = {0};
    *to = record_new();
    if (!s->candidates->count || !isfinite(candidate_of(&m, 0)->relative) || is_held(&m, among, to)) return CVK_OK;
    record r = *key;
    r.kind = RECORD_MATCH;
    r.plan = r.pick = candidate_of(&m, 0)->text;
    r.ratio = 1;
    r.strategy = setup->strategy->name;
    r.seed = (int64_t)setup->seed;
    r.trial = among;
    if (prepare(&m, &pick, 0)) hold(&m, &pick, &r);
    message_free(&pick.object);
    if (is_stopped(&m)) return CVK_OK;
    r.time = clock_wall_milliseconds();
    *to = r;
    return database_append(setup->writer, &r, setup->diagnostics);
}
