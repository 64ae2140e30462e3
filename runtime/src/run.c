/* The checked call: every argument is looked at, then the phases are run, one after another, each here or on the
 * caller's threads.
 *
 * Workers take chunks of neighbouring tasks from a shared counter, about four chunks each: a worker that is held up
 * leaves its share to the others. Which worker runs a task changes nothing in the output, since tasks are
 * independent. */
#include "check.h"
#include "observe.h"

#include <stdatomic.h>

enum { CHUNKS_PER_WORKER = 4 };

/* A kernel of fewer cycles is over before other threads have begun: waking them takes some ten microseconds. */
enum { LEAST_KILOCYCLES = 60 };

/* The tag that packed weights begin with. */
static cvk_status check_tag(const cvk_kernel_info *info, const void *packed, cvk_refusal *why) {
    uint64_t tag;
    if (!info->packed_tag || !info->packed_weights.bytes) return CVK_OK;
    __builtin_memcpy(&tag, packed, sizeof tag);
    if (tag == info->packed_tag) return CVK_OK;
    return check_refuse(why, (cvk_refusal){CVK_ERROR_WEIGHTS, "weights", NULL, info->packed_tag, tag});
}

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
    uint32_t phase, tasks;
    uint64_t chunks;
    atomic_size_t next; /* the first chunk nobody has taken */
} run_state;

static uint32_t chunk_begin(const run_state *r, uint64_t chunk) {
    return (uint32_t)(r->tasks * chunk / r->chunks); /* fits: chunks are at most tasks */
}

static void run_worker(void *argument, size_t worker) {
    run_state *r = argument;
    cvk_args args = *r->args;
    if (r->stride) args.scratch = (char *)args.scratch + worker * (size_t)r->stride;
    for (;;) {
        size_t chunk = atomic_fetch_add_explicit(&r->next, 1, memory_order_relaxed);
        if (chunk >= r->chunks) return;
        r->info->run(&args, r->phase, chunk_begin(r, chunk), chunk_begin(r, chunk + 1));
    }
}

/* The loop returns when all tasks are done: that is the barrier between phases. */
static void run_parallel(run_state *r, const cvk_parallel_for *parallel) {
    uint64_t workers = parallel->workers < r->tasks ? parallel->workers : r->tasks;
    uint64_t chunks = workers * CHUNKS_PER_WORKER;
    r->chunks = chunks < r->tasks ? chunks : r->tasks;
    atomic_init(&r->next, 0);
    parallel->loop(parallel->context, (size_t)workers, run_worker, r);
}

static bool is_small(const run_state *r) {
    uint64_t kilocycles = r->info->kilocycles * r->images; /* fits: both are of 32 bits */
    return kilocycles > 0 && kilocycles < LEAST_KILOCYCLES;
}

static void run_phases(run_state *r, const cvk_parallel_for *parallel) {
    bool alone = !parallel || parallel->workers == 1 || is_small(r);
    for (r->phase = 0; r->phase < r->info->phases; r->phase++) {
        r->tasks = (uint32_t)(r->info->tasks[r->phase] * r->images);
        if (!alone && r->tasks > 1)
            run_parallel(r, parallel);
        else if (r->tasks > 0)
            r->info->run(r->args, r->phase, 0, r->tasks);
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

cvk_status cvk_run(const cvk_kernel_info *info, const cvk_buffers *b, const cvk_parallel_for *parallel) {
    cvk_status status = cvk_check_run(info, b, parallel, NULL);
    if (status != CVK_OK) return status;
    run_state r = {.info = info, .images = info->batch_any ? b->batch : 1};
    if (!r.images || !has_tasks(info)) return CVK_OK;

    const cvk_args args = {
        .batch = b->batch,
#define CVK_BUFFER(NAME, member, needs, access, share) .member = b->member.data,
#include <convoke/buffers.def>
#undef CVK_BUFFER
    };
    r.args = &args;
    r.stride = cvk_scratch_bytes(info, 1);
    cvk_run_observer *observer = atomic_load_explicit(&run_observer, memory_order_acquire);
    if (__builtin_expect(observer != NULL, 0))
        run_observed(&r, parallel, observer);
    else
        run_phases(&r, parallel);
    return CVK_OK;
}
