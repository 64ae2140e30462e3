/* Plans are compiled once more, and in each round, a process of its own, each challenger meets the pick in turns. */
#include "tune/match.h"

#include "base/clock.h"
#include "lab/rounds.h"

#include <math.h>
#include <string.h>

enum { CHALLENGERS = 3 };

typedef struct match {
    const tune_setup *setup;
    crew *crew;
    const search *search;
    const record *key;
} match;

typedef struct challenger {
    slot slot;
    rounds rounds;
    bool out; /* what it was compiled to, or its process, failed */
} challenger;

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

/* A round of a challenger against the pick. */
static bool play(match *m, const slot *pick, challenger *c) {
    const measure_request wanted = {.slow = INFINITY, .turns = turns_of_round};
    record *r = &c->slot.record;
    if (!crew_measure(m->crew, &c->slot, &pick->object, wanted) || !settle(m, m->crew->compilers)) return false;
    const turns_verdict round = {
        .challenger = r->seconds, .incumbent = r->best_seconds, .ratio = r->ratio, .turns = (int)r->turns};
    if (r->outcome == OUTCOME_CORRECT) rounds_add(&c->rounds, &round);
    return r->outcome == OUTCOME_CORRECT;
}

/* Each round is another process's, and begins with another challenger. */
static void play_rounds(match *m, const slot *pick, challenger *all, int count) {
    for (int round = 0; round < ROUNDS; round++) {
        crew_renew_meter(m->crew);
        for (int i = 0; i < count; i++) {
            challenger *c = &all[(round + i) % count];
            c->out = c->out || is_stopped(m) || !play(m, pick, c);
        }
    }
}

static void describe(const match *m, const challenger *c, int challengers, record *r) {
    const rounds_verdict v = rounds_judge(&c->rounds);
    r->plan = candidate_of(m, c->slot.candidate)->text;
    r->seconds = v.challenger;
    r->best_seconds = v.incumbent;
    r->ratio = v.ratio;
    r->low = v.low;
    r->high = v.high;
    r->turns = v.turns;
    r->rounds = v.rounds;
    r->wins = v.wins;
    r->chance = v.chance;
    r->level = turns_match_level / challengers;
    r->crowned = r->chance < r->level;
}

/* Of the challengers the one that is crowned, or that came nearest to it. */
static bool is_better(const record *a, const record *b) {
    if (a->crowned != b->crowned) return a->crowned;
    return a->ratio < b->ratio;
}

static int choose(match *m, challenger *to) {
    int count = 0, next;
    double above = -1;
    while (count < CHALLENGERS && (next = next_challenger(m, above)) >= 0) {
        to[count] = (challenger){.out = false};
        to[count].out = !prepare(m, &to[count].slot, next);
        above = candidate_of(m, next)->relative;
        count++;
    }
    return count;
}

static void hold(match *m, const slot *pick, record *to) {
    challenger all[CHALLENGERS];
    const record empty = *to;
    const int count = choose(m, all);
    if (count) play_rounds(m, pick, all, count);
    for (int i = 0; i < count; i++) {
        record r = empty;
        if (!all[i].out) describe(m, &all[i], count, &r);
        if (!all[i].out && (to->turns == 0 || is_better(&r, to))) *to = r;
        message_free(&all[i].slot.object);
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
