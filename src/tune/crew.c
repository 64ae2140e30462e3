/* Asking workers, each stage with its time, and putting down what becomes of it. */
#include "tune/crew.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const tune_limits tune_usual_limits = {
    .compile_seconds = 60,
    .judge_seconds = 60,
    .run_seconds = 2,
    .slow = 8,
    .bytes = (size_t)2 << 30,
    .turns = {.least = 5, .most = 21, .seconds = 0.01, .spread = 0.1, .hopeless = 0.9},
    .doubt = 0.05};

static const double SLOWEST_MACS_A_SECOND = 1e7, MOMENT = 0.1;

/* ---- asking ---- */

static double macs_seconds(const crew *c) { return (double)spec_macs(c->layer.spec) / SLOWEST_MACS_A_SECOND; }

/* Before anything was measured, a run may take what the slowest machine takes; afterwards, some times the best. */
static double run_seconds(const crew *c, double runs) {
    const double once = c->best_seconds > 0 ? c->limits->slow * c->best_seconds : macs_seconds(c);
    return c->limits->run_seconds + runs * once;
}

static bool ask(crew *c, int which, slot *s, const message *request, double runs) {
    const double seconds[WORKER_STAGES] = {[STAGE_COMPILING] = c->limits->compile_seconds,
                                           [STAGE_JUDGING] = c->limits->judge_seconds + 4 * macs_seconds(c),
                                           [STAGE_RUNNING] = run_seconds(c, runs)};
    c->of_worker[which] = s;
    return worker_ask(c->workers[which], request, seconds);
}

bool crew_compile(crew *c, int which, slot *s, const layer_plan *plan) {
    message request = {0};
    bool asked = trial_request(&request, plan) && ask(c, which, s, &request, 4);
    message_free(&request);
    s->state = SLOT_COMPILING;
    return asked;
}

bool crew_measure(crew *c, slot *s, const message *incumbent, measure_request wanted) {
    message request = {0};
    wanted.challenger_bytes = s->object.size;
    wanted.incumbent_bytes = incumbent->size;
    bool asked = message_add(&request, &wanted, sizeof wanted) &&
                 message_add(&request, s->object.bytes, s->object.size) &&
                 message_add(&request, incumbent->bytes, incumbent->size) &&
                 ask(c, c->compilers, s, &request, 8 * (3 + wanted.turns.most));
    message_free(&request);
    s->state = SLOT_MEASURING;
    return asked;
}

void crew_renew_meter(crew *c) { worker_renew(c->workers[c->compilers]); }

bool crew_is_busy(const crew *c, int which) { return worker_is_busy(c->workers[which]); }

bool crew_any_is_busy(const crew *c) {
    for (int i = 0; i <= c->compilers; i++)
        if (crew_is_busy(c, i)) return true;
    return false;
}

/* ---- what workers say ---- */

static void fail_slot(slot *s, record_outcome outcome, const char *why) {
    s->state = SLOT_DONE;
    s->record.outcome = outcome;
    snprintf(s->why, sizeof s->why, "%s", why);
}

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

static void take_measured(slot *s, const message *reply) {
    measure_reply r;
    memcpy(&r, reply->bytes, sizeof r);
    const turns_verdict *v = &r.verdict;
    s->record.measure_seconds = r.measure_seconds;
    if (r.outcome != OUTCOME_CORRECT && r.outcome != OUTCOME_TIMEOUT) return fail_slot(s, r.outcome, r.why);
    s->measured = true;
    s->record.seconds = v->challenger;
    s->record.best_seconds = v->incumbent;
    s->record.ratio = v->ratio;
    s->record.low = v->low;
    s->record.high = v->high;
    s->record.turns = v->turns;
    s->record.wins = v->wins;
    s->record.chance = v->chance;
    s->state = SLOT_DONE;
    if (r.outcome == OUTCOME_TIMEOUT) fail_slot(s, OUTCOME_TIMEOUT, r.why);
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

slot *crew_await(crew *c) {
    const worker_news news = workers_wait(c->workers, c->compilers + 1, MOMENT);
    if (news.event == WORKER_NOTHING) return NULL;
    slot *s = c->of_worker[news.which];
    const bool measuring = news.which == c->compilers;
    const size_t least = measuring ? sizeof(measure_reply) : sizeof(compile_reply);
    if (news.event != WORKER_REPLIED)
        take_death(s, &news);
    else if (news.reply->size < least)
        fail_slot(s, OUTCOME_RUNTIME, "its worker gave no answer");
    else if (measuring)
        take_measured(s, news.reply);
    else
        take_compiled(s, news.reply);
    return s;
}

/* ---- opening ---- */

/* One CPU is kept for measuring, another for each shard, lest those of one machine measure each other; the others
 * compile. Of a kernel on several threads, none is kept. */
bool crew_open(crew *c, const tune_setup *setup, const tune_limits *limits, const cvk_spec *spec) {
    int cpus;
    const int last = worker_cpu((int)setup->shard.index, &cpus);
    const int kept = setup->aim.threads > 1 ? -1 : last;
    *c = (crew){.limits = limits, .layer = {spec, setup->aim, setup->weights, setup->start_threads}};
    c->alone = last < 0 || kept < 0;
    c->compilers = cpus > MOST_COMPILERS ? MOST_COMPILERS : cpus > 1 ? cpus - 1 : 1;
    c->compile_work = (worker_work){trial_compile_begin, setup->compile, &c->layer, kept, true, limits->bytes};
    c->measure_work = (worker_work){trial_measure_begin, setup->measure, &c->layer, kept, false, limits->bytes};
    worker_stay_off(kept);
    for (int i = 0; i <= c->compilers; i++) {
        c->workers[i] = worker_new(i < c->compilers ? &c->compile_work : &c->measure_work);
        if (!c->workers[i]) return false;
    }
    return true;
}

void crew_close(crew *c) {
    for (int i = 0; i <= c->compilers; i++) worker_free(c->workers[i]);
    worker_stay_off(-1);
}
