/* The loop: trials are proposed, compiled ahead in workers on all CPUs but one, measured there one after another in
 * their order, recorded and told to the search in their order. So what a search sees does not depend on how fast
 * anything was, and a search that finds its first trials in the database goes on as if it had not been away. */
#include "tune/tuner.h"

#include "base/clock.h"
#include "compile.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const tune_limits tune_usual_limits = {
    .compile_seconds = 60,
    .judge_seconds = 60,
    .run_seconds = 2,
    .slow = 8,
    .bytes = (size_t)2 << 30,
    .turns = {.least = 9, .most = 41, .seconds = 0.01, .spread = 0.1, .hopeless = 1.2},
    .doubt = 0.05};

static const double SLOWEST_MACS_A_SECOND = 1e7, MOMENT = 0.1;

/* ---- trials on their way ---- */

typedef enum slot_state { SLOT_QUEUED, SLOT_COMPILING, SLOT_COMPILED, SLOT_MEASURING, SLOT_DONE } slot_state;

/* A trial that the search was not told of yet. */
typedef struct slot {
    slot_state state;
    int candidate, trial; /* trial -1: of a match */
    bool old;             /* it is in the database */
    bool foreign;         /* another shard's */
    record record;
    char why[TRIAL_WORDS];
    message object;
} slot;

enum { SLOTS = SEARCH_LAG + 1, MOST_COMPILERS = 16 };

typedef struct tuner {
    const tune_setup *setup;
    const tune_limits *limits;
    arena *arena;
    const cvk_spec *spec;
    trial_layer layer;
    worker_work compile_work, measure_work;
    worker *workers[MOST_COMPILERS + 1]; /* the last is the one that measures */
    slot *of_worker[MOST_COMPILERS + 1];
    int compilers;
    bool alone; /* there is one CPU: nothing is compiled while something is measured */
    candidates candidates;
    search search;
    slot slots[SLOTS];       /* of trial i: slots[i % SLOTS] */
    const record **recorded; /* of this layer, by number */
    uint64_t *recorded_hash;
    size_t recorded_count;
    record key;
    slot revived;      /* the best so far, compiled again, for it was measured in another life */
    message incumbent; /* its object; empty: there is none yet */
    double incumbent_seconds, incumbent_relative;
    int incumbent_candidate, champion; /* whose the object is, and whose it should be by what was told; -1: nobody's */
    double champion_relative;          /* NAN: there is none */
    int failed, tried;
    bool over; /* nothing more is proposed */
    double begin;
} tuner;

static worker *meter_of(const tuner *t) { return t->workers[t->compilers]; }

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

static int64_t now_in_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

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

static void fail_slot(slot *s, record_outcome outcome, const char *why) {
    s->state = SLOT_DONE;
    s->record.outcome = outcome;
    snprintf(s->why, sizeof s->why, "%s", why);
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
    t->incumbent_seconds = s->record.seconds;
}

/* ---- asking workers ---- */

static double macs_seconds(const tuner *t) { return (double)spec_macs(t->spec) / SLOWEST_MACS_A_SECOND; }

/* Before anything was measured, a run may take what the slowest machine takes; afterwards, some times the best. */
static double run_seconds(const tuner *t, double runs) {
    const double once = t->incumbent.size ? t->limits->slow * t->incumbent_seconds : macs_seconds(t);
    return t->limits->run_seconds + runs * once;
}

static bool ask(tuner *t, int which, slot *s, const message *request, double runs) {
    const double seconds[WORKER_STAGES] = {[STAGE_COMPILING] = t->limits->compile_seconds,
                                           [STAGE_JUDGING] = t->limits->judge_seconds + 4 * macs_seconds(t),
                                           [STAGE_RUNNING] = run_seconds(t, runs)};
    t->of_worker[which] = s;
    return worker_ask(t->workers[which], request, seconds);
}

static bool ask_compiler(tuner *t, int which, slot *s) {
    message request = {0};
    bool asked =
        trial_request(&request, &t->candidates.list[s->candidate].plan, false) && ask(t, which, s, &request, 4);
    message_free(&request);
    s->state = SLOT_COMPILING;
    return asked;
}

/* The first that can be measured meets itself: how the two differ is how well the machine can be measured. */
static bool ask_meter(tuner *t, slot *s) {
    const message *incumbent = t->incumbent.size ? &t->incumbent : &s->object;
    measure_request wanted = {s->object.size, incumbent->size, t->limits->slow, t->limits->doubt, t->limits->turns};
    message request = {0};
    if (incumbent == &s->object) wanted.turns.hopeless = 0;
    bool asked = message_add(&request, &wanted, sizeof wanted) &&
                 message_add(&request, s->object.bytes, s->object.size) &&
                 message_add(&request, incumbent->bytes, incumbent->size) &&
                 ask(t, t->compilers, s, &request, 8 * (3 + t->limits->turns.most));
    message_free(&request);
    s->state = SLOT_MEASURING;
    return asked;
}

static slot *first_in(tuner *t, slot_state state) {
    for (int i = t->search.told; i < t->search.trials; i++)
        if (t->slots[i % SLOTS].state == state) return &t->slots[i % SLOTS];
    return NULL;
}

static bool any_is_busy(const tuner *t) {
    for (int i = 0; i <= t->compilers; i++)
        if (worker_is_busy(t->workers[i])) return true;
    return false;
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
    const bool ready = first && first->state == SLOT_COMPILED && !worker_is_busy(meter_of(t));
    if (ready && !must_revive(t) && !(t->alone && any_is_busy(t))) good = ask_meter(t, first);
    for (int i = 0; i < t->compilers && good; i++) {
        if (worker_is_busy(t->workers[i]) || (t->alone && any_is_busy(t))) continue;
        slot *queued = first_in(t, SLOT_QUEUED);
        if (ready && must_revive(t) && t->revived.state != SLOT_COMPILING)
            good = revive(t, i);
        else if (queued)
            good = ask_compiler(t, i, queued);
    }
    return good;
}

/* ---- what workers say ---- */

static void take_compiled(slot *s, const message *reply) {
    compile_reply r;
    memcpy(&r, reply->bytes, sizeof r);
    s->record.compile_seconds = r.compile_seconds;
    s->record.check_seconds = r.check_seconds;
    if (r.outcome != OUTCOME_CORRECT)
        fail_slot(s, r.outcome, r.why);
    else if (message_add(&s->object, reply->bytes + sizeof r, reply->size - sizeof r))
        s->state = SLOT_COMPILED;
    else
        fail_slot(s, OUTCOME_COMPILE, cvk_status_text(CVK_ERROR_MEMORY));
}

static void take_measured(tuner *t, slot *s, const message *reply) {
    measure_reply r;
    memcpy(&r, reply->bytes, sizeof r);
    const turns_verdict *v = &r.verdict;
    s->record.measure_seconds = r.measure_seconds;
    if (r.outcome != OUTCOME_CORRECT && r.outcome != OUTCOME_TIMEOUT) return fail_slot(s, r.outcome, r.why);
    s->record.seconds = v->challenger;
    s->record.best_seconds = v->incumbent;
    s->record.ratio = v->ratio;
    s->record.low = v->low;
    s->record.high = v->high;
    s->record.turns = v->turns;
    s->record.wins = v->wins;
    s->record.chance = v->chance;
    s->record.relative = t->incumbent.size ? v->ratio * t->incumbent_relative : 1;
    if (r.outcome == OUTCOME_TIMEOUT) return fail_slot(s, OUTCOME_TIMEOUT, r.why);
    s->state = SLOT_DONE;
    if (s->trial >= 0 && is_crowned(t, &s->record, t->incumbent.size ? t->incumbent_relative : NAN)) enthrone(t, s);
}

static void take_death(slot *s, const worker_news *news) {
    static const char *const doing[WORKER_STAGES] = {"compiled", "checked", "run"};
    char why[TRIAL_WORDS];
    const record_outcome fault = news->stage == STAGE_COMPILING ? OUTCOME_COMPILE : OUTCOME_RUNTIME;
    const char *while_doing = doing[news->stage];
    switch (news->event) {
    case WORKER_TOO_LATE:
        snprintf(why, sizeof why, "it was killed: it took too long to be %s", while_doing);
        return fail_slot(s, OUTCOME_TIMEOUT, why);
    case WORKER_TOO_LARGE:
        snprintf(why, sizeof why, "it was killed: it took too much memory to be %s", while_doing);
        break;
    default:
        if (news->signal)
            snprintf(why, sizeof why, "%s while it was %s", strsignal(news->signal), while_doing);
        else
            snprintf(why, sizeof why, "its process ended while it was %s", while_doing);
    }
    fail_slot(s, fault, why);
}

static void take_news(tuner *t, const worker_news *news) {
    slot *s = t->of_worker[news->which];
    const bool measuring = news->which == t->compilers;
    const size_t least = measuring ? sizeof(measure_reply) : sizeof(compile_reply);
    t->tried += s->trial >= 0 && s != &t->revived && (measuring || news->event != WORKER_REPLIED);
    if (news->event != WORKER_REPLIED)
        take_death(s, news);
    else if (news->reply->size < least)
        fail_slot(s, OUTCOME_RUNTIME, "its worker gave no answer");
    else if (measuring)
        take_measured(t, s, news->reply);
    else
        take_compiled(s, news->reply);
    if (s == &t->revived) take_revived(t);
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
        s->record.time = now_in_milliseconds();
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

/* Until a worker has something to say, or a moment has passed. */
static void await_news(tuner *t) {
    const worker_news news = workers_wait(t->workers, t->compilers + 1, MOMENT);
    if (news.event != WORKER_NOTHING) take_news(t, &news);
}

static bool is_stopped(const tuner *t) { return *t->setup->stop != 0; }

static cvk_status search_all(tuner *t) {
    cvk_status status = advance(t);
    while (status == CVK_OK && !is_stopped(t) && t->search.told < t->search.trials) {
        if (!hand_out(t)) return no_worker(t);
        await_news(t);
        status = advance(t);
    }
    return status;
}

/* ---- the match ---- */

enum { CHALLENGERS = 3 };

/* A plan in the match, its object compiled once more and checked on both sides. */
typedef struct contender {
    slot slot;
    turns_verdict verdict;
    bool fit; /* it compiled, and was measured */
} contender;

/* Waits for what one worker was asked; false: it was stopped. */
static bool settle(tuner *t, int which) {
    while (worker_is_busy(t->workers[which]) && !is_stopped(t)) await_news(t);
    return !is_stopped(t);
}

static bool prepare(tuner *t, contender *c, int which) {
    message request = {0};
    *c = (contender){.slot = {.candidate = which, .trial = -1, .record = t->key, .state = SLOT_COMPILING}};
    bool asked = trial_request(&request, &t->candidates.list[which].plan, true) && ask(t, 0, &c->slot, &request, 4);
    message_free(&request);
    return asked && settle(t, 0) && c->slot.state == SLOT_COMPILED;
}

/* The next best that is faster than the model's pick, or -1. */
static int next_challenger(const tuner *t, double above) {
    int best = -1;
    for (int i = 0; i < t->search.told; i++) {
        const double relative = t->candidates.list[t->search.trial[i]].relative;
        if (!(relative > above) || !(relative < t->candidates.list[0].relative)) continue;
        if (best < 0 || relative < t->candidates.list[best].relative) best = t->search.trial[i];
    }
    return best;
}

/* A pick and a challenger, many turns. */
static bool play(tuner *t, contender *pick, contender *c) {
    const measure_request wanted = {c->slot.object.size, pick->slot.object.size, INFINITY, 0, turns_of_match};
    message request = {0};
    c->slot.state = SLOT_MEASURING;
    bool asked = message_add(&request, &wanted, sizeof wanted) &&
                 message_add(&request, c->slot.object.bytes, c->slot.object.size) &&
                 message_add(&request, pick->slot.object.bytes, pick->slot.object.size) &&
                 ask(t, t->compilers, &c->slot, &request, 8 * turns_of_match.most);
    message_free(&request);
    return asked && settle(t, t->compilers) && c->slot.record.outcome == OUTCOME_CORRECT;
}

static void describe_match(tuner *t, const contender *c, int challengers, record *r) {
    const record *m = &c->slot.record;
    r->plan = t->candidates.list[c->slot.candidate].text;
    r->seconds = m->seconds;
    r->best_seconds = m->best_seconds;
    r->ratio = m->ratio;
    r->low = m->low;
    r->high = m->high;
    r->turns = m->turns;
    r->wins = m->wins;
    r->chance = m->chance;
    r->level = turns_match_level / challengers;
    r->crowned = r->chance < r->level;
}

/* Of the challengers the one that is crowned, or that came nearest to it. */
static bool is_better(const record *a, const record *b) {
    if (a->crowned != b->crowned) return a->crowned;
    return a->ratio < b->ratio;
}

static void hold(tuner *t, contender *pick, record *to) {
    int chosen[CHALLENGERS], count = 0;
    double above = -1;
    while (count < CHALLENGERS && (chosen[count] = next_challenger(t, above)) >= 0)
        above = t->candidates.list[chosen[count++]].relative;
    for (int i = 0; i < count && !is_stopped(t); i++) {
        contender c;
        record r = *to;
        bool played = prepare(t, &c, chosen[i]) && play(t, pick, &c);
        if (played) describe_match(t, &c, count, &r);
        if (played && (i == 0 || to->turns == 0 || is_better(&r, to))) *to = r;
        message_free(&c.slot.object);
    }
}

/* How many trials of the layer there are that a winner could be among. */
static int64_t correct_trials(const tuner *t) {
    int64_t count = 0;
    for (int i = 0; i < t->candidates.count; i++) count += isfinite(t->candidates.list[i].relative);
    return count;
}

/* The last match, if it chose among as many as there are, and the model's pick was the one that it is now. */
static bool is_held(const tuner *t, int64_t among, record *match) {
    const record *last = NULL;
    for (size_t i = 0; i < t->setup->known->count; i++) {
        const record *r = &t->setup->known->record[i];
        if (r->kind == RECORD_MATCH && record_same_key(r, &t->key) && (!last || r->time >= last->time)) last = r;
    }
    if (last) *match = *last;
    return last && last->trial == among && strcmp(last->pick, t->candidates.list[0].text) == 0;
}

/* A pick that cannot be used has no match, and no winner. */
static cvk_status hold_match(tuner *t, record *to) {
    const int64_t among = correct_trials(t);
    contender pick;
    *to = record_new();
    if (!t->candidates.count || !isfinite(t->candidates.list[0].relative) || is_held(t, among, to)) return CVK_OK;
    record r = t->key;
    r.kind = RECORD_MATCH;
    r.plan = r.pick = t->candidates.list[0].text;
    r.ratio = 1;
    r.strategy = t->setup->strategy->name;
    r.seed = (int64_t)t->setup->seed;
    r.trial = among;
    if (prepare(t, &pick, 0)) hold(t, &pick, &r);
    message_free(&pick.slot.object);
    if (is_stopped(t)) return CVK_OK;
    r.time = now_in_milliseconds();
    *to = r;
    return database_append(t->setup->writer, &r, t->setup->diagnostics);
}

/* ---- a layer ---- */

/* One CPU is kept for measuring, another for each shard, lest those of one machine measure each other; the others
 * compile. Of a kernel on several threads, none is kept. */
static bool open_workers(tuner *t) {
    int cpus;
    const int last = worker_cpu((int)t->setup->shard.index, &cpus);
    const int kept = t->setup->aim.threads > 1 ? -1 : last;
    t->alone = last < 0 || kept < 0;
    t->compilers = cpus > MOST_COMPILERS ? MOST_COMPILERS : cpus > 1 ? cpus - 1 : 1;
    t->compile_work = (worker_work){trial_compile_begin, t->setup->compile, &t->layer, kept, true, t->limits->bytes};
    t->measure_work = (worker_work){trial_measure_begin, t->setup->measure, &t->layer, kept, false, t->limits->bytes};
    worker_stay_off(kept);
    for (int i = 0; i <= t->compilers; i++) {
        t->workers[i] = worker_new(i < t->compilers ? &t->compile_work : &t->measure_work);
        if (!t->workers[i]) return false;
    }
    return true;
}

static void close_workers(tuner *t) {
    for (int i = 0; i <= t->compilers; i++) worker_free(t->workers[i]);
    for (int i = 0; i < SLOTS; i++) message_free(&t->slots[i].object);
    message_free(&t->revived.object);
    message_free(&t->incumbent);
    worker_stay_off(-1);
}

static cvk_status run(tuner *t, tune_result *result) {
    cvk_status status = search_all(t);
    if (status == CVK_OK && !is_stopped(t)) status = hold_match(t, &result->match);
    return status;
}

static void summarise(const tuner *t, tune_result *result) {
    result->trials = t->search.told;
    result->failed = t->failed;
    result->tried = t->tried;
    result->stopped = is_stopped(t);
    result->seconds = clock_seconds() - t->begin;
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
    t->layer = (trial_layer){spec, setup->aim, setup->start_threads};
    t->key = record_of(a, spec, setup->aim);
    candidates_open(a, spec, setup->aim, &t->candidates);
    find_recorded(t);
    search_begin(&t->search, setup->strategy, &t->candidates, setup->knowledge, setup->seed);
    status = open_workers(t) ? run(t, result) : CVK_ERROR_MEMORY;
    summarise(t, result);
    close_workers(t);
    return status;
}
