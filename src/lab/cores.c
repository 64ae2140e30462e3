/* Times tasks one by one, and schedules them. */
#include "lab/cores.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

/* ---- scheduling ---- */

/* One worker: until when it is busy, and the range it takes chunks of. */
typedef struct worker {
    double until;
    uint32_t home, tried; /* ranges home, ..., home + tried - 1 are at their end */
} worker;

typedef struct schedule {
    const double *seconds;
    const cvk_split *split;
    uint32_t *next; /* of each range: the first chunk nobody has taken */
    worker *workers;
} schedule;

static worker *first_idle(const schedule *s) {
    worker *first = s->workers;
    for (worker *w = first + 1; w < s->workers + s->split->workers; w++)
        if (w->until < first->until) first = w;
    return first;
}

/* The worker's next chunk; false: there is none. */
static bool take_chunk(schedule *s, worker *w) {
    for (; w->tried < s->split->ranges; w->tried++) {
        const uint32_t range = (w->home + w->tried) % s->split->ranges;
        if (s->next[range] == s->split->chunks) continue;
        const uint32_t chunk = s->next[range]++;
        const uint32_t last = cvk_split_begin(s->split, range, chunk + 1);
        for (uint32_t t = cvk_split_begin(s->split, range, chunk); t < last; t++) w->until += s->seconds[t];
        return true;
    }
    return false;
}

/* As long as the worker that is idle first finds a chunk; the others, once they are, will find none either. */
static double run_schedule(schedule *s) {
    for (uint32_t i = 0; i < s->split->workers; i++) s->workers[i] = (worker){.home = i % s->split->ranges};
    while (take_chunk(s, first_idle(s))) continue;
    double end = 0;
    for (uint32_t i = 0; i < s->split->workers; i++)
        if (s->workers[i].until > end) end = s->workers[i].until;
    return end;
}

bool cores_schedule(const double *seconds, const cvk_split *split, double *to) {
    schedule s = {seconds, split, calloc(split->ranges, sizeof *s.next), calloc(split->workers, sizeof *s.workers)};
    const bool complete = s.next && s.workers;
    if (complete) *to = run_schedule(&s);
    free(s.next);
    free(s.workers);
    return complete;
}

/* ---- timing ---- */

static const double FEWEST_RUNS = 5, MOST_RUNS = 25;
static const double ALL_SECONDS = 0.2; /* of all runs together, if the fewest are not longer */

/* Of handing a phase to other threads that are awake and waiting for the last of them. */
static const double BARRIER_SECONDS = 2.5e-6;

/* A plan and what its tasks take. */
typedef struct timed {
    layer_plan plan;
    uint64_t kilocycles; /* predicted */
    uint32_t phases, tasks[CVK_MOST_PHASES];
    double phase_seconds[CVK_MOST_PHASES]; /* all tasks of it in one call */
    double *seconds[CVK_MOST_PHASES];      /* of each task; they add up to those of the phase */
} timed;

static cvk_args args_of(const ready *r) {
    const cvk_buffers *b = &r->tensors.buffers;
    return (cvk_args){
        .batch = b->batch,
#define CVK_BUFFER(NAME, member, needs, access, share) .member = b->member.data,
#include <convoke/buffers.def>
#undef CVK_BUFFER
    };
}

/* What several runs take: of each phase, and of each of all tasks, one value a run. */
typedef struct samples {
    int runs;
    double *phase, *task;
} samples;

/* A run of whole phases, then one task by task, each after the other so that both find the caches alike. */
static void sample_run(const timed *t, const ready *r, const samples *s, int run) {
    const cvk_args args = args_of(r);
    for (uint32_t p = 0; p < t->phases; p++) {
        double begin = clock_seconds();
        r->info->run(&args, p, 0, t->tasks[p]);
        s->phase[(int)p * s->runs + run] = clock_seconds() - begin;
    }
    double *to = s->task + run;
    for (uint32_t p = 0; p < t->phases; p++) {
        double begin = clock_seconds();
        for (uint32_t i = 0; i < t->tasks[p]; i++, to += s->runs) {
            r->info->run(&args, p, i, i + 1);
            const double end = clock_seconds();
            *to = end - begin;
            begin = end;
        }
    }
}

/* Medians; the clock's own time and the calls' are taken out by the phase's, which has neither. */
static void summarise(timed *t, const samples *s) {
    double *from = s->task;
    for (uint32_t p = 0; p < t->phases; p++) {
        double sum = 0;
        t->phase_seconds[p] = measure_median(s->phase + (int)p * s->runs, (size_t)s->runs);
        for (uint32_t i = 0; i < t->tasks[p]; i++, from += s->runs)
            sum += t->seconds[p][i] = measure_median(from, (size_t)s->runs);
        for (uint32_t i = 0; i < t->tasks[p]; i++) t->seconds[p][i] *= sum > 0 ? t->phase_seconds[p] / sum : 0;
    }
}

static int runs_for(double seconds) {
    const double runs = ALL_SECONDS / 2 / (seconds > 1e-6 ? seconds : 1e-6);
    return (int)(runs < FEWEST_RUNS ? FEWEST_RUNS : runs > MOST_RUNS ? MOST_RUNS : runs);
}

static cvk_status time_tasks(const ready *r, timed *t) {
    size_t tasks = 0;
    for (uint32_t p = 0; p < t->phases; p++) tasks += t->tasks[p];
    double phase[CVK_MOST_PHASES], *task = calloc(tasks, sizeof *task);
    samples s = {1, phase, task};
    if (task) sample_run(t, r, &s, 0); /* warms up, and says how long a run takes */
    double seconds = 0;
    for (uint32_t p = 0; task && p < t->phases; p++) seconds += phase[p];
    free(task);
    if (!task) return CVK_ERROR_MEMORY;
    s.runs = runs_for(seconds);
    s.phase = calloc((size_t)s.runs * t->phases, sizeof *s.phase);
    s.task = calloc((size_t)s.runs * tasks, sizeof *s.task);
    const bool complete = s.phase && s.task;
    for (int i = 0; complete && i < s.runs; i++) sample_run(t, r, &s, i);
    if (complete) summarise(t, &s);
    free(s.phase);
    free(s.task);
    return complete ? CVK_OK : CVK_ERROR_MEMORY;
}

static cvk_status allocate(timed *t) {
    for (uint32_t p = 0; p < t->phases; p++) {
        t->seconds[p] = calloc(t->tasks[p] + 1, sizeof *t->seconds[p]);
        if (!t->seconds[p]) return CVK_ERROR_MEMORY;
    }
    return CVK_OK;
}

/* `t` is for free_timed in any case. */
static cvk_status time_plan(const lab *l, const cvk_spec *spec, const layer_plan *plan, arena *a, timed *t) {
    ready r;
    *t = (timed){.plan = *plan};
    cvk_status status = ready_open(l, spec, plan, a, &r);
    if (status == CVK_OK) {
        const uint64_t images = r.info->batch_any ? (uint64_t)r.spec.batch : 1;
        t->kilocycles = r.info->kilocycles * images;
        t->phases = r.info->phases;
        for (uint32_t p = 0; p < t->phases; p++) t->tasks[p] = (uint32_t)cvk_phase_tasks(r.info, p, images);
        status = allocate(t);
    }
    if (status == CVK_OK) status = time_tasks(&r, t);
    ready_close(&r);
    return status;
}

static void free_timed(timed *t) {
    for (uint32_t p = 0; p < CVK_MOST_PHASES; p++) free(t->seconds[p]);
}

/* ---- both ---- */

/* Seconds of a run on so many cores. */
static cvk_status expect(const timed *t, uint32_t cores, double *seconds) {
    *seconds = 0;
    for (uint32_t p = 0; p < t->phases; p++) {
        const cvk_split split = cvk_split_tasks(t->tasks[p], cores, t->kilocycles, t->phases);
        double phase = t->phase_seconds[p];
        if (split.workers > 1 && !cores_schedule(t->seconds[p], &split, &phase)) return CVK_ERROR_MEMORY;
        *seconds += phase + (split.workers > 1 ? BARRIER_SECONDS : 0);
    }
    return CVK_OK;
}

/* The plans of a layer that have been timed; each once, whatever it was chosen for. */
typedef struct plans {
    timed *plan;
    size_t count;
} plans;

static cvk_status find_plan(const lab *l, const cvk_spec *spec, uint32_t threads, arena *a, plans *all,
                            const timed **found) {
    ranked_layer *best;
    int count;
    cvk_status status =
        compile_rank(a, spec, (goal){.target = l->target, .threads = threads}, 1, l->diagnostics, &best, &count);
    if (status != CVK_OK) return status;
    for (size_t i = 0; i < all->count; i++)
        if (layer_plan_equal(&all->plan[i].plan, &best->plan)) {
            *found = &all->plan[i];
            return CVK_OK;
        }
    *found = &all->plan[all->count];
    return time_plan(l, spec, &best->plan, a, &all->plan[all->count++]);
}

static cvk_status expect_all(const lab *l, const cvk_spec *spec, bool pinned, const uint32_t *cores, size_t counts,
                             arena *a, plans *all, double *to) {
    const timed *t;
    double alone, together;
    cvk_status status = find_plan(l, spec, pinned ? l->plan_threads : 1, a, all, &t);
    if (status != CVK_OK || !t->tasks[0]) return status;
    status = expect(t, 1, &alone);
    for (size_t i = 0; i < counts && status == CVK_OK; i++) {
        status = find_plan(l, spec, pinned ? l->plan_threads : cores[i], a, all, &t);
        if (status == CVK_OK) status = expect(t, cores[i], &together);
        if (status == CVK_OK) to[i] = alone / together;
    }
    return status;
}

cvk_status cores_expect(const lab *l, const cvk_spec *spec, bool pinned, const uint32_t *cores, size_t counts, arena *a,
                        double *to) {
    const lab alone = lab_alone(l);
    plans all = {arena_array(a, timed, counts + 1), 0};
    lab_rest(l);
    cvk_status status = expect_all(&alone, spec, pinned, cores, counts, a, &all, to);
    for (size_t i = 0; i < all.count; i++) free_timed(&all.plan[i]);
    return status;
}
