/* The checked call: every argument is looked at, then the phases are run, one after another, each here or on the
 * caller's threads.
 *
 * convoke/split.h says which tasks a worker takes. Which worker runs a task changes nothing in the output, since tasks
 * are independent. */
#include "check.h"
#include "observe.h"
#include "run.h"

#include <convoke/split.h>
#include <stdalign.h>
#include <stdatomic.h>

static cvk_status check_all(const cvk_kernel_info *info, const cvk_buffers *b, uint32_t workers, cvk_refusal *why) {
    enum { READ, WRITE };
    check_buffer buffers[] = {
#define CVK_BUFFER(NAME, member, needs, access, share)                                                                 \
    {#member, b->member.data, b->member.bytes, 0, 1, access == WRITE},
#include <convoke/buffers.def>
#undef CVK_BUFFER
    };
    for (int i = 0; i < CVK_ROLES; i++) {
        const cvk_buffer_info needs = cvk_buffer_needs(info, (cvk_role)i, b->batch, workers);
        buffers[i].needed = needs.bytes;
        buffers[i].alignment = needs.alignment;
    }
    cvk_status status = check_buffers(buffers, CVK_ROLES, why);
    return status == CVK_OK ? check_tag(info, b->weights.data, why) : status;
}

static uint32_t most_tasks(const cvk_kernel_info *info) {
    uint32_t most = 1;
    for (uint32_t p = 0; p < info->phases; p++)
        if (info->tasks[p] > most) most = info->tasks[p];
    return most;
}

/* Tasks are numbered by 32 bits; a kernel for a fixed number of images may be told it again. */
static cvk_status check_batch(const cvk_kernel_info *info, const cvk_buffers *b, cvk_refusal *why) {
    uint64_t most = info->batch_any ? UINT32_MAX / most_tasks(info) : (uint64_t)info->input_shape[0];
    bool right = info->batch_any ? b->batch <= most : !b->batch || b->batch == most;
    return right ? CVK_OK : check_refuse(why, (cvk_refusal){CVK_ERROR_ARGUMENT, "batch", NULL, most, b->batch});
}

static const char *wrong_argument(const cvk_kernel_info *info, const cvk_buffers *b, const cvk_parallel_for *parallel) {
    if (!b) return "buffers";
    if (b->struct_size != sizeof *b) return "buffers->struct_size";
    if (!info->run) return "info->run";
    return parallel && (!parallel->loop || !parallel->workers) ? "parallel" : NULL;
}

cvk_status cvk_check_run(const cvk_kernel_info *info, const cvk_buffers *b, const cvk_parallel_for *parallel,
                         cvk_refusal *why) {
    if (why) *why = (cvk_refusal){.status = CVK_OK};
    cvk_status status = check_kernel(info, why);
    if (status != CVK_OK) return status;
    const char *wrong = wrong_argument(info, b, parallel);
    if (wrong) return check_refuse(why, (cvk_refusal){CVK_ERROR_ARGUMENT, .what = wrong});
    status = check_batch(info, b, why);
    return status == CVK_OK ? check_all(info, b, parallel ? parallel->workers : 1, why) : status;
}

/* One run, and the phase it is in. */
typedef struct run_state {
    const cvk_kernel_info *info;
    const cvk_args *args;
    uint64_t images; /* that the description's tasks are to be multiplied by */
    uint64_t stride; /* of scratch */
    run_split *split;
    uint32_t phase;
} run_state;

enum { CACHE_LINE = 64 };

/* The first chunk of a range that nobody has taken; on a line of its own, which only its worker writes until others
 * have nothing left to do. */
typedef struct range_state {
    alignas(CACHE_LINE) atomic_uint next;
} range_state;

/* A phase that several workers run. */
typedef struct shared_phase {
    const run_state *run;
    cvk_split split;
    range_state range[CVK_MOST_RANGES];
} shared_phase;

static void run_range(shared_phase *s, const cvk_args *args, uint32_t range) {
    atomic_uint *next = &s->range[range].next;
    /* Asked first without writing: others are looking for what is left as well. */
    while (atomic_load_explicit(next, memory_order_relaxed) < s->split.chunks) {
        uint32_t chunk = atomic_fetch_add_explicit(next, 1, memory_order_relaxed);
        if (chunk >= s->split.chunks) return;
        uint32_t first = cvk_split_begin(&s->split, range, chunk), last = cvk_split_begin(&s->split, range, chunk + 1);
        if (first < last) s->run->info->run(args, s->run->phase, first, last);
    }
}

static void run_worker(void *argument, size_t worker) {
    shared_phase *s = argument;
    cvk_args args = *s->run->args;
    if (s->run->stride) args.scratch = (char *)args.scratch + worker * (size_t)s->run->stride;
    const uint32_t ranges = s->split.ranges, home = (uint32_t)worker % ranges;
    for (uint32_t r = home; r < ranges; r++) run_range(s, &args, r);
    for (uint32_t r = 0; r < home; r++) run_range(s, &args, r);
}

/* The loop returns when all tasks are done: that is the barrier between phases. */
static void run_parallel(const run_state *r, const cvk_split *split, const cvk_parallel_for *parallel) {
    shared_phase s;
    s.run = r;
    s.split = *split;
    for (uint32_t i = 0; i < split->ranges; i++) atomic_init(&s.range[i].next, 0);
    parallel->loop(parallel->context, split->workers, run_worker, &s);
}

static void run_phases(run_state *r, const cvk_parallel_for *parallel) {
    const uint64_t kilocycles = r->info->kilocycles * r->images; /* fits: both are of 32 bits */
    for (r->phase = 0; r->phase < r->info->phases; r->phase++) {
        const uint32_t tasks = (uint32_t)cvk_phase_tasks(r->info, r->phase, r->images);
        const cvk_split split = r->split(tasks, parallel ? parallel->workers : 1, kilocycles, r->info->phases);
        if (split.workers > 1)
            run_parallel(r, &split, parallel);
        else if (tasks > 0)
            r->info->run(r->args, r->phase, 0, tasks);
    }
}

static void run_observed(run_state *r, const cvk_parallel_for *parallel, cvk_run_observer *observer) {
    uint64_t start = observe_now();
    run_phases(r, parallel);
    observer(r->info, parallel ? parallel->workers : 1, observe_now() - start);
}

static bool has_tasks(const cvk_kernel_info *info) {
    for (uint32_t p = 0; p < info->phases; p++)
        if (info->tasks[p]) return true;
    return false;
}

void run_kernel(const cvk_kernel_info *info, const cvk_args *args, const cvk_parallel_for *parallel, run_split *split) {
    run_state r = {.info = info,
                   .args = args,
                   .split = split,
                   .images = info->batch_any ? args->batch : 1,
                   .stride = cvk_scratch_bytes(info, 1)};
    if (!has_tasks(info)) return;
    cvk_run_observer *observer = atomic_load_explicit(&run_observer, memory_order_acquire);
    if (__builtin_expect(observer != NULL, 0))
        run_observed(&r, parallel, observer);
    else
        run_phases(&r, parallel);
}

cvk_status cvk_run(const cvk_kernel_info *info, const cvk_buffers *b, const cvk_parallel_for *parallel) {
    cvk_status status = cvk_check_run(info, b, parallel, NULL);
    if (status != CVK_OK) return status;
    const cvk_args args = {
        .batch = b->batch,
#define CVK_BUFFER(NAME, member, needs, access, share) .member = b->member.data,
#include <convoke/buffers.def>
#undef CVK_BUFFER
    };
    run_kernel(info, &args, parallel, cvk_split_tasks);
    return CVK_OK;
}
