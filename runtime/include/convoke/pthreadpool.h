/* convoke/pthreadpool.h: cvk_run on the threads of a pthreadpool. Include and link pthreadpool yourself.
 *
 *     cvk_parallel_for threads = cvk_pthreadpool(pool);
 *     cvk_run(info, &buffers, &threads);
 *
 * The pool stays the caller's and must outlive the run. NULL is legal: the calling thread alone. */
#ifndef CONVOKE_PTHREADPOOL_H
#define CONVOKE_PTHREADPOOL_H

#include <convoke/runtime.h>
#include <pthreadpool.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void cvk_pthreadpool_loop(void *context, size_t n, cvk_parallel_body *body, void *argument) {
#ifdef __cplusplus
    pthreadpool_t pool = static_cast<pthreadpool_t>(context);
#else
    pthreadpool_t pool = context;
#endif
    pthreadpool_parallelize_1d(pool, body, argument, n, 0);
}

static inline cvk_parallel_for cvk_pthreadpool(pthreadpool_t pool) {
    cvk_parallel_for parallel;
    parallel.loop = cvk_pthreadpool_loop;
    parallel.context = pool;
    parallel.workers = pthreadpool_get_threads_count(pool) & UINT32_MAX;
    return parallel;
}

#ifdef __cplusplus
}
#endif
#endif
