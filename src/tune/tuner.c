/* The loop: trials are proposed, compiled ahead in workers on all CPUs but one, measured there one after another in
 * their order, recorded and told to the search in their order. So what a search sees does not depend on how fast
 * anything was, and a search that finds its first trials in the database goes on as if it had not been away. */
#include "tune/tuner.h"

#include "base/clock.h"
#include "compile.h"
#include "tune/match.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLOTS = SEARCH_LAG + 1 };

typedef struct tuner {
    const tune_setup *setup;
    const tune_limits *limits;
    arena *arena;
    const cvk_spec *spec;
    crew crew;
    candidates candidates;
    search search;
    slot slots[SLOTS];       /* those that the search was not told of yet: of trial i, slots[i % SLOTS] */
    const record **recorded; /* of this layer, by number */
    uint64_t *recorded_hash;
    size_t recorded_count;
    record key;
    slot revived;      /* the best so far, compiled again, for it was measured in another life */
    message incumbent; /* its object; empty: there is none yet */
    double incumbent_relative;
    int incumbent_candidate, champion; /* whose the object is, and whose it should be by what was told; -1: nobody's */
    double champion_relative;          /* NAN: there is none */
    int failed, tried;
    bool over; /* nothing more is proposed */
    double begin;
} tuner;

/* ---- what was recorded before ---- */

static void find_recorded(tuner *t) {
    const record_list *list = t->setup->known;
    t->recorded = arena_array(t->arena, const record *, list->count + 1);
    t->recorded_hash = arena_array(t->arena, uint64_t, list->count + 1);
    for (size_t i = 0; i < list->count; i++) {
        const record *r = &list->record[i];
        if (r->kind != RECORD_TRIAL || !record_same_key(r, &t->key)) continue;
        t->recorded_hash[t->recorded_count] = candidates_hash(r->plan);
        t->recorded[t->recorded_count++] = r;
    }
}

static const record *recorded(const tuner *t, const candidate *c) {
    for (size_t i = 0; i < t->recorded_count; i++)
        if (t->recorded_hash[i] == c->hash && strcmp(t->recorded[i]->plan, c->text) == 0) return t->recorded[i];
    return NULL;
}

/* ---- records ---- */

static record begin_record(tuner *t, int trial, const candidate *c) {
    record r = t->key;
    r.plan = c->text;
    r.cycles = c->cycles;
    r.judged = c->judged;
    r.strategy = t->setup->strategy->name;
    r.seed = (int64_t)t->setup->seed;
    r.trial = trial;
    if (t->setup->shard.count > 1)
        r.shard = arena_format(t->arena, "%u/%u", t->setup->shard.index, t->setup->shard.count);
    return r;
}

/* ---- proposing ---- */

/* A failure's time is without end; a trial that was stopped for being slow has one, by a single run. */
static double relative_of(const record *r) {
    if (r->outcome == OUTCOME_CORRECT) return r->relative;
    return INFINITY;
}

static void propose(tuner *t) {
    const int trial = t->search.trials, next = search_next(&t->search);
    if (next < 0) {
        t->over = true;
        return;
    }
    const candidate *c = &t->candidates.list[next];
    slot *s = &t->slots[trial % SLOTS];
    const record *before = recorded(t, c);
    s->candidate = next;
    s->trial = trial;
    s->old = before != NULL;
    s->measured = false;
    s->foreign = !before && trial > 0 && !shard_has(&t->setup->shard, c->hash);
    s->state = s->old || s->foreign ? SLOT_DONE : SLOT_QUEUED;
    s->record = before ? *before : begin_record(t, trial, c);
    s->why[0] = 0;
    s->object.size = 0;
}

static bool may_propose(const tuner *t) {
    return !t->over && t->search.trials < t->setup->budget && t->search.trials - t->search.told <= SEARCH_LAG;
}

/* Whether a result makes its plan the best so far: the first there is, or one that is faster by more than chance. */
static bool is_crowned(const tuner *t, const record *r, double best) {
    if (r->outcome != OUTCOME_CORRECT) return false;
    return isnan(best) || (r->relative < best && r->chance < t->limits->doubt);
}

/* What the next are measured with. */
static void enthrone(tuner *t, slot *s) {
    message swap = t->incumbent;
    t->incumbent = s->object;
    s->object = swap;
    t->incumbent_candidate = s->candidate;
    t->incumbent_relative = s->record.relative;
    t->crew.best_seconds = s->record.seconds;
}

/* ---- handing out ---- */

/* The first that can be measured meets itself: how the two differ is how well the machine can be measured. */
static bool ask_meter(tuner *t, slot *s) {
    const message *incumbent = t->incumbent.size ? &t->incumbent : &s->object;
    measure_request wanted = {.slow = t->limits->slow, .doubt = t->limits->doubt, .turns = t->limits->turns};
    if (incumbent == &s->object) wanted.turns.hopeless = 0;
    return crew_measure(&t->crew, s, incumbent, wanted);
}

static bool ask_compiler(tuner *t, int which, slot *s) {
    return crew_compile(&t->crew, which, s, &t->candidates.list[s->candidate].plan);
}

static slot *first_in(tuner *t, slot_state state) {
    for (int i = t->search.told; i < t->search.trials; i++)
        if (t->slots[i % SLOTS].state == state) return &t->slots[i % SLOTS];
    return NULL;
}

/* Where the incumbent was measured in another life, or in another shard's. */
static bool must_revive(const tuner *t) { return t->champion >= 0 && t->champion != t->incumbent_candidate; }

static bool revive(tuner *t, int which) {
    slot *s = &t->revived;
    const record *before = recorded(t, &t->candidates.list[t->champion]);
    message_free(&s->object);
    *s = (slot){.candidate = t->champion, .record = before ? *before : t->key};
    return ask_compiler(t, which, s);
}

/* What the compiler made of it; what cannot be had again leaves its place to the next that is measured. */
static void take_revived(tuner *t) {
    slot *s = &t->revived;
    if (s->state == SLOT_COMPILED) {
        enthrone(t, s);
    } else {
        t->champion = t->incumbent_candidate;
        t->champion_relative = t->incumbent.size ? t->incumbent_relative : NAN;
    }
    s->state = SLOT_DONE;
}

/* Measures in the order of the trials: the first of those not told, once it is compiled. */
static bool hand_out(tuner *t) {
    slot *first = t->search.told < t->search.trials ? &t->slots[t->search.told % SLOTS] : NULL;
    bool good = true;
    const bool ready = first && first->state == SLOT_COMPILED && !crew_is_busy(&t->crew, t->crew.compilers);
    if (ready && !must_revive(t) && !(t->crew.alone && crew_any_is_busy(&t->crew))) good = ask_meter(t, first);
    for (int i = 0; i < t->crew.compilers && good; i++) {
        if (crew_is_busy(&t->crew, i) || (t->crew.alone && crew_any_is_busy(&t->crew))) continue;
        slot *queued = first_in(t, SLOT_QUEUED);
        if (ready && must_revive(t) && t->revived.state != SLOT_COMPILING)
            good = revive(t, i);
        else if (queued)
            good = ask_compiler(t, i, queued);
    }
    return good;
}

/* ---- what came of it ---- */

static void take_measured(tuner *t, slot *s) {
    s->record.relative = t->incumbent.size ? s->record.ratio * t->incumbent_relative : 1;
    record_settle(&s->record);
    if (is_crowned(t, &s->record, t->incumbent.size ? t->incumbent_relative : NAN)) enthrone(t, s);
}

static void take_news(tuner *t, slot *s) {
    if (s == &t->revived) return take_revived(t);
    t->tried += s->state == SLOT_DONE;
    if (s->measured) take_measured(t, s);
}

/* ---- telling ---- */

static void report(const tuner *t) {
    const tune_progress p = {.name = t->spec->name,
                             .trials = t->search.told,
                             .failed = t->failed,
                             .tried = t->tried,
                             .budget = t->setup->budget,
                             .relative = t->search.best >= 0 ? t->candidates.list[t->search.best].relative : NAN,
                             .seconds = clock_seconds() - t->begin};
    if (t->setup->progress) t->setup->progress(t->setup->progress_context, &p);
}

/* A record on disk before the search hears of it. */
static cvk_status tell(tuner *t, slot *s) {
    cvk_status status = CVK_OK;
    if (!s->old && !s->foreign) {
        s->record.why = s->why;
        s->record.time = clock_wall_milliseconds();
        status = database_append(t->setup->writer, &s->record, t->setup->diagnostics);
    }
    if (status != CVK_OK) return status;
    t->failed += !s->foreign && s->record.outcome != OUTCOME_CORRECT;
    if (!s->foreign && is_crowned(t, &s->record, t->champion_relative)) {
        t->champion = s->candidate;
        t->champion_relative = s->record.relative;
    }
    search_tell(&t->search, s->foreign ? NAN : relative_of(&s->record));
    report(t);
    return CVK_OK;
}

/* One result, then proposals until the search has to wait again, and so on: what it knows at each proposal is then the
 * same however fast the results came. */
static cvk_status advance(tuner *t) {
    cvk_status status = CVK_OK;
    for (;;) {
        while (may_propose(t)) propose(t);
        if (status != CVK_OK || t->search.told == t->search.trials) return status;
        slot *first = &t->slots[t->search.told % SLOTS];
        if (first->state != SLOT_DONE) return status;
        status = tell(t, first);
        if (clock_seconds() > t->setup->until) t->over = true;
    }
}

static cvk_status no_worker(const tuner *t) {
    diag_error(t->setup->diagnostics, E_PROCESS, (place){.file = ""}, NULL, "no worker process can be made: %s",
               strerror(errno));
    return CVK_ERROR_MEMORY;
}

static bool is_stopped(const tuner *t) { return *t->setup->stop != 0; }

static cvk_status search_all(tuner *t) {
    cvk_status status = advance(t);
    while (status == CVK_OK && !is_stopped(t) && t->search.told < t->search.trials) {
        if (!hand_out(t)) return no_worker(t);
        slot *s = crew_await(&t->crew);
        if (s) take_news(t, s);
        status = advance(t);
    }
    return status;
}

/* ---- a layer ---- */

static void close(tuner *t) {
    crew_close(&t->crew);
    for (int i = 0; i < SLOTS; i++) message_free(&t->slots[i].object);
    message_free(&t->revived.object);
    message_free(&t->incumbent);
}

static cvk_status run(tuner *t, tune_result *result) {
    cvk_status status = search_all(t);
    result->seconds = clock_seconds() - t->begin;
    if (status == CVK_OK && !is_stopped(t))
        status = match_hold(t->setup, &t->crew, &t->search, &t->key, &result->match);
    return status;
}

static void summarise(const tuner *t, tune_result *result) {
    result->trials = t->search.told;
    result->failed = t->failed;
    result->tried = t->tried;
    result->stopped = is_stopped(t);
}

/* Whether there is a plan at all; if not, the diagnostics say why. */
static cvk_status check_layer(const tune_setup *setup, arena *a, const cvk_spec *spec) {
    ranked_layer *pick;
    int count;
    return compile_rank(a, spec, setup->aim, 1, setup->diagnostics, &pick, &count);
}

cvk_status tune_layer(const tune_setup *setup, const tune_limits *limits, arena *a, const cvk_spec *spec,
                      tune_result *result) {
    tuner *t = arena_new(a, tuner);
    *result = (tune_result){.match = record_new()};
    *t = (tuner){.setup = setup, .limits = limits, .arena = a, .spec = spec, .begin = clock_seconds()};
    t->incumbent_candidate = t->champion = -1;
    t->champion_relative = NAN;
    cvk_status status = check_layer(setup, a, spec);
    if (status != CVK_OK) return status;
    t->key = record_of(a, spec, setup->aim);
    candidates_open(a, spec, setup->aim, &t->candidates);
    find_recorded(t);
    search_begin(&t->search, setup->strategy, &t->candidates, setup->knowledge, setup->seed);
    status = crew_open(&t->crew, setup, limits, spec) ? run(t, result) : CVK_ERROR_MEMORY;
    summarise(t, result);
    close(t);
    return status;
}
