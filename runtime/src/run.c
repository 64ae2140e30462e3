/* The checked call: every argument is looked at, then the tasks are run, here or on the caller's threads.
 *
 * Workers take chunks of neighbouring tasks from a shared counter, about four chunks each: a worker that is held up
 * leaves its share to the others. Which worker runs a task changes nothing in the output, since tasks are
 * independent. */
#include "check.h"
#include "observe.h"

#include <stdatomic.h>
#include <stdbool.h>

enum { CHUNKS_PER_WORKER = 4 };

/* A kernel of fewer cycles is over before other threads have begun: waking them takes some ten microseconds. */
enum { LEAST_KILOCYCLES = 60 };

/* Every worker's scratch starts at a multiple of this. Wraps to 0 only for sizes no machine has. */
static uint64_t scratch_stride(const cvk_kernel_info *info) {
    uint64_t mask = info->scratch.alignment - UINT64_C(1);
    return (info->scratch.bytes + mask) & ~mask;
}

uint64_t cvk_scratch_bytes(const cvk_kernel_info *info, uint32_t workers) {
    uint64_t bytes;
    if (!info || !info->scratch.bytes) return 0;
    uint64_t stride = scratch_stride(info);
    if (stride < info->scratch.bytes || __builtin_mul_overflow(stride, workers, &bytes)) return UINT64_MAX;
    return bytes;
}

static cvk_status check_run(const cvk_kernel_info *info, const cvk_buffers *b, uint32_t workers) {
    const check_buffer buffers[] = {
        {b->input.data, b->input.bytes, info->input.bytes, info->input.alignment},
        {b->weights.data, b->weights.bytes, info->packed_weights.bytes, info->packed_weights.alignment},
        {b->bias.data, b->bias.bytes, info->bias.bytes, info->bias.alignment},
        {b->scale.data, b->scale.bytes, info->scale.bytes, info->scale.alignment},
        {b->addend.data, b->addend.bytes, info->addend.bytes, info->addend.alignment},
        {b->output.data, b->output.bytes, info->output.bytes, info->output.alignment},
        {b->scratch.data, b->scratch.bytes, cvk_scratch_bytes(info, workers), info->scratch.alignment},
    };
    return check_buffers(buffers, sizeof buffers / sizeof *buffers, 2);
}

/* What the workers of one run share. */
typedef struct run_state {
    const cvk_kernel_info *info;
    const cvk_args *args;
    uint64_t stride; /* of scratch */
    uint64_t chunks;
    atomic_size_t next; /* the first chunk nobody has taken */
} run_state;

static uint32_t chunk_begin(const run_state *r, uint64_t chunk) {
    return (uint32_t)(r->info->tasks * chunk / r->chunks); /* fits: chunks are at most tasks */
}

static void run_worker(void *argument, size_t worker) {
    run_state *r = argument;
    cvk_args args = *r->args;
    if (r->stride) args.scratch = (char *)args.scratch + worker * (size_t)r->stride;
    for (;;) {
        size_t chunk = atomic_fetch_add_explicit(&r->next, 1, memory_order_relaxed);
        if (chunk >= r->chunks) return;
        r->info->run(&args, chunk_begin(r, chunk), chunk_begin(r, chunk + 1));
    }
}

static void run_parallel(const cvk_kernel_info *info, const cvk_args *args, const cvk_parallel_for *parallel) {
    uint64_t workers = parallel->workers < info->tasks ? parallel->workers : info->tasks;
    uint64_t chunks = workers * CHUNKS_PER_WORKER;
    run_state state = {.info = info, .args = args};
    state.stride = info->scratch.bytes ? scratch_stride(info) : 0;
    state.chunks = chunks < info->tasks ? chunks : info->tasks;
    parallel->loop(parallel->context, (size_t)workers, run_worker, &state);
}

static void run_tasks(const cvk_kernel_info *info, const cvk_args *args, const cvk_parallel_for *parallel) {
    bool small = info->kilocycles > 0 && info->kilocycles < LEAST_KILOCYCLES;
    if (parallel && parallel->workers > 1 && info->tasks > 1 && !small)
        run_parallel(info, args, parallel);
    else
        info->run(args, 0, info->tasks);
}

static void run_observed(const cvk_kernel_info *info, const cvk_args *args, const cvk_parallel_for *parallel,
                         cvk_run_observer *observer) {
    uint64_t start = observe_now();
    run_tasks(info, args, parallel);
    observer(info, parallel ? parallel->workers : 1, observe_now() - start);
}

cvk_status cvk_run(const cvk_kernel_info *info, const cvk_buffers *b, const cvk_parallel_for *parallel) {
    cvk_status status = check_kernel(info);
    if (status != CVK_OK) return status;
    if (!b || b->struct_size != sizeof *b || !info->run) return CVK_ERROR_ARGUMENT;
    if (parallel && (!parallel->loop || !parallel->workers)) return CVK_ERROR_ARGUMENT;
    status = check_run(info, b, parallel ? parallel->workers : 1);
    if (status != CVK_OK || !info->tasks) return status;

    const cvk_args args = {b->input.data,  b->weights.data, b->bias.data,   b->scale.data,
                           b->addend.data, b->output.data,  b->scratch.data};
    cvk_run_observer *observer = atomic_load_explicit(&run_observer, memory_order_acquire);
    if (__builtin_expect(observer != NULL, 0))
        run_observed(info, &args, parallel, observer);
    else
        run_tasks(info, &args, parallel);
    return CVK_OK;
}
