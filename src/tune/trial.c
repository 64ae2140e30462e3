/* Both halves as the workers do them. What a worker keeps between requests, it keeps to its end: data, the
 * interpreter's results, the incumbent. */
#include "tune/trial.h"

#include "base/clock.h"
#include "judge/random_data.h"
#include "judge/reference.h"
#include "judge/rounding.h"
#include "lab/ready.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

enum { MOST_REFERENCES = 8 };

/* ---- requests ---- */

bool trial_request(message *to, const layer_plan *plan) {
    compile_request request = {.plans = plan->count};
    memcpy(request.band, plan->band, sizeof request.band);
    return message_add(to, &request, sizeof request) &&
           message_add(to, plan->part, sizeof *plan->part * (size_t)plan->count);
}

layer_plan trial_requested(const compile_request *request) {
    layer_plan plan = {.count = request->plans, .part = request->plan};
    memcpy(plan.band, request->band, sizeof plan.band);
    return plan;
}

static layer_plan plan_of(const message *request) { return trial_requested((const void *)request->bytes); }

/* ---- the first half ---- */

/* What the interpreter says of plans that round alike. */
typedef struct judged {
    message request; /* one that asked for such plans */
    reference reference;
} judged;

typedef struct compiler {
    const trial_layer *layer;
    cvk_spec spec; /* with a batch */
    layer_data data;
    judged judged[MOST_REFERENCES];
    int count;
    tensors bound[2]; /* by guard_side: most plans' buffers are as large as the last one's */
} compiler;

void *trial_compile_begin(void *layer) {
    compiler *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->layer = layer;
    c->spec = spec_of_batch(c->layer->spec, 1);
    if (!data_draw(&c->spec, DATA_REALS, 1, &c->data)) return NULL;
    data_give(&c->data, c->layer->known);
    return c;
}

static const reference *reference_of(compiler *c, const message *request) {
    const layer_plan plan = plan_of(request);
    for (int i = 0; i < c->count; i++) {
        const layer_plan before = plan_of(&c->judged[i].request);
        if (rounding_is_shared(&before, &plan)) return &c->judged[i].reference;
    }
    judged fresh = {0};
    if (!message_add(&fresh.request, request->bytes, request->size) ||
        !reference_run(&c->spec, &plan, &c->data.tensors, &lab_one_thread, &fresh.reference)) {
        message_free(&fresh.request);
        return NULL;
    }
    judged *to = &c->judged[c->count < MOST_REFERENCES ? c->count++ : MOST_REFERENCES - 1];
    reference_free(&to->reference);
    message_free(&to->request);
    *to = fresh;
    return &to->reference;
}

static void say(compile_reply *r, record_outcome outcome, const char *words) {
    r->outcome = outcome;
    snprintf(r->why, sizeof r->why, "%s", words);
}

static void say_status(compile_reply *r, record_outcome outcome, cvk_status status, const cvk_diagnostics *d) {
    const cvk_diagnostic *first = cvk_diagnostics_get(d, 0);
    say(r, outcome, first ? first->message : cvk_status_text(status));
}

/* One run with the buffers against the guards of one side. */
static void run_side(compiler *c, const cvk_kernel_info *info, guard_side side, compile_reply *r) {
    tensors *t = &c->bound[side];
    cvk_status status = tensors_rebind(&c->spec, info, &c->data.tensors, side, 1, t);
    if (status == CVK_OK) status = cvk_run(info, &t->buffers, &lab_one_thread);
    const char *damage = status == CVK_OK ? tensors_damage(t) : NULL;
    if (status != CVK_OK) say(r, OUTCOME_RUNTIME, cvk_status_text(status));
    if (damage) say(r, OUTCOME_CORRECTNESS, damage);
}

static void judge_outputs(const reference *expected, const tensors *t, compile_reply *r) {
    verdict v = {0};
    if (!reference_judge(expected, t, &lab_one_thread, &v))
        return say(r, OUTCOME_RUNTIME, cvk_status_text(CVK_ERROR_MEMORY));
    if (v.ratio <= 1) return;
    r->outcome = OUTCOME_CORRECTNESS;
    snprintf(r->why, sizeof r->why, "an error of %.3g, %.3g times what rounding may do", v.error, v.ratio);
}

static bool same_bits(cvk_buffer a, cvk_buffer b) {
    return a.bytes == b.bytes && (!a.bytes || memcmp(a.data, b.data, (size_t)a.bytes) == 0);
}

/* With the buffers against the guards of either side: judged once, since what is right has the same bits wherever its
 * buffers lie. */
static void run_both_sides(compiler *c, const cvk_kernel_info *info, const reference *expected,
                           volatile worker_state *state, compile_reply *r) {
    const tensors *end = &c->bound[GUARD_END], *start = &c->bound[GUARD_START];
    worker_enter(state, STAGE_RUNNING);
    run_side(c, info, GUARD_END, r);
    if (r->outcome == OUTCOME_CORRECT) run_side(c, info, GUARD_START, r);
    worker_enter(state, STAGE_JUDGING);
    if (r->outcome == OUTCOME_CORRECT) judge_outputs(expected, end, r);
    if (r->outcome == OUTCOME_CORRECT && !(same_bits(end->buffers.output, start->buffers.output) &&
                                           same_bits(end->buffers.indices, start->buffers.indices)))
        say(r, OUTCOME_CORRECTNESS, "other results where its buffers lie elsewhere");
}

static void check(compiler *c, const message *request, const cvk_object *object, volatile worker_state *state,
                  compile_reply *r) {
    jit_image image = {0};
    const void *info = NULL;
    worker_enter(state, STAGE_JUDGING);
    const reference *expected = reference_of(c, request);
    if (!expected) return say(r, OUTCOME_RUNTIME, cvk_status_text(CVK_ERROR_MEMORY));
    cvk_status status = jit_load(object->bytes, object->size, "layer", NULL, &image, &info);
    if (status != CVK_OK) say(r, OUTCOME_COMPILE, cvk_status_text(status));
    if (status == CVK_OK) run_both_sides(c, info, expected, state, r);
    jit_unload(&image);
}

static cvk_status make_object(compiler *c, arena *a, const layer_plan *plan, cvk_diagnostics *d, cvk_object *object,
                              compile_reply *r) {
    static const char *const symbol[] = {"layer"};
    compile_unit unit;
    int problem_index;
    if (arena_guard(a)) return CVK_ERROR_MEMORY;
    const char *why = layer_refuse(c->layer->spec, c->layer->aim.target, plan, &problem_index);
    if (why) say(r, OUTCOME_CONSTRAINTS, why);
    if (why) return CVK_ERROR_SPEC;
    cvk_status status = compile_plan(a, c->layer->spec, c->layer->aim, plan, d, &unit, NULL);
    if (status == CVK_OK) status = compile_emit(&unit, symbol, 1, 1, NULL, EMIT_OBJECT, d, object, NULL);
    if (status != CVK_OK) say_status(r, OUTCOME_COMPILE, status, d);
    return status;
}

static void compile_and_check(compiler *c, const message *request, cvk_object *object, volatile worker_state *state,
                              compile_reply *r) {
    const layer_plan plan = plan_of(request);
    arena a;
    arena_init(&a);
    cvk_diagnostics *d = cvk_diagnostics_new();
    const double begin = clock_seconds();
    worker_enter(state, STAGE_COMPILING);
    cvk_status status = make_object(c, &a, &plan, d, object, r);
    const double made = clock_seconds();
    r->compile_seconds = made - begin;
    if (status == CVK_ERROR_MEMORY) say(r, OUTCOME_COMPILE, cvk_status_text(status));
    if (status == CVK_OK) check(c, request, object, state, r);
    r->check_seconds = clock_seconds() - made;
    cvk_diagnostics_free(d);
    arena_free(&a);
}

void trial_compile(void *kept, const message *request, message *reply, volatile worker_state *state) {
    compile_reply r = {.outcome = OUTCOME_CORRECT};
    cvk_object object = {0};
    compile_and_check(kept, request, &object, state, &r);
    message_add(reply, &r, sizeof r);
    if (r.outcome == OUTCOME_CORRECT) message_add(reply, object.bytes, object.size);
    object_free(&object);
}

/* ---- the second half ---- */

typedef struct meter {
    const trial_layer *layer;
    cvk_parallel_for threads;
    lab lab;
    layer_data data;
    message object; /* of the incumbent */
    ready incumbent;
} meter;

/* A process gets the pages that the one before it left, and with them its places in the caches. Behind some others,
 * which it keeps, it gets others. */
static void take_other_pages(void) {
    enum { MOST = 4096 };
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint16_t count = 0;
    if (getrandom(&count, sizeof count, GRND_NONBLOCK) != sizeof count) return;
    const size_t bytes = (1 + count % MOST) * page;
    volatile char *kept = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (kept == MAP_FAILED) return;
    madvise((void *)kept, bytes, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < bytes; i += page) kept[i] = 1;
}

void *trial_measure_begin(void *layer) {
    meter *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    take_other_pages();
    m->layer = layer;
    const goal aim = m->layer->aim;
    m->threads = aim.threads > 1 ? m->layer->start_threads(aim.threads) : lab_one_thread;
    m->lab = (lab){.target = aim.target, .threads = &m->threads, .plan_threads = aim.threads};
    const cvk_spec drawn = spec_of_batch(m->layer->spec, 1);
    m->lab.known = m->layer->known;
    return ready_data(&m->lab, &drawn, &m->data) ? m : NULL;
}

static cvk_status load(meter *m, const unsigned char *bytes, size_t size, ready *to) {
    const cvk_object object = {(unsigned char *)bytes, size};
    return ready_load(&m->lab, m->layer->spec, &object, &m->data.tensors, to);
}

static cvk_status load_incumbent(meter *m, const unsigned char *bytes, size_t size) {
    if (m->object.size == size && memcmp(m->object.bytes, bytes, size) == 0) return CVK_OK;
    if (m->object.size) ready_close(&m->incumbent);
    m->object.size = 0;
    cvk_status status = load(m, bytes, size, &m->incumbent);
    if (status == CVK_OK && !message_add(&m->object, bytes, size)) status = CVK_ERROR_MEMORY;
    if (status != CVK_OK) ready_close(&m->incumbent);
    return status;
}

static double time_once(const measured *m) {
    const double begin = clock_seconds();
    m->run(m->context);
    const double seconds = clock_seconds() - begin;
    if (m->rest) m->rest(m->context);
    return seconds;
}

/* Of a few runs the fastest, the first of which meets cold caches; no more once it is below `enough`. */
static double time_briefly(const measured *m, double enough) {
    enum { RUNS = 4 };
    double least = time_once(m);
    for (int i = 1; i < RUNS && least > enough; i++) {
        const double seconds = time_once(m);
        if (seconds < least) least = seconds;
    }
    return least;
}

static void meet(const measured *challenger, const measured *incumbent, const measure_request *wanted,
                 measure_reply *r) {
    turns t;
    const double best = time_once(incumbent), ours = time_briefly(challenger, wanted->slow * best);
    if (ours > wanted->slow * best) {
        r->outcome = OUTCOME_TIMEOUT;
        r->verdict = (turns_verdict){.challenger = ours, .incumbent = best, .ratio = ours / best, .turns = 1};
        snprintf(r->why, sizeof r->why, "%.1f times the best", ours / best);
        return;
    }
    turns_take(challenger, incumbent, &wanted->turns, &t);
    r->verdict = turns_judge(&t, 1);
    if (!(r->verdict.chance < wanted->doubt)) return;
    turns_take(challenger, incumbent, &wanted->turns, &t);
    r->verdict = turns_judge(&t, 1);
}

void trial_measure(void *kept, const message *request, message *reply, volatile worker_state *state) {
    meter *m = kept;
    measure_request wanted;
    measure_reply r = {.outcome = OUTCOME_CORRECT};
    ready challenger = {0};
    const double begin = clock_seconds();
    memcpy(&wanted, request->bytes, sizeof wanted);
    const unsigned char *objects = request->bytes + sizeof wanted;
    worker_enter(state, STAGE_RUNNING);
    cvk_status status = load_incumbent(m, objects + wanted.challenger_bytes, wanted.incumbent_bytes);
    if (status == CVK_OK) status = load(m, objects, wanted.challenger_bytes, &challenger);
    if (status != CVK_OK) {
        r.outcome = OUTCOME_RUNTIME;
        snprintf(r.why, sizeof r.why, "%s", cvk_status_text(status));
    } else if (challenger.info->tasks[0]) {
        const measured ours = ready_measured(&challenger), best = ready_measured(&m->incumbent);
        meet(&ours, &best, &wanted, &r);
    }
    ready_close(&challenger);
    r.measure_seconds = clock_seconds() - begin;
    message_add(reply, &r, sizeof r);
}
