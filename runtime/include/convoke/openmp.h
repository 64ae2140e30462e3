/* convoke/openmp.h: cvk_run on OpenMP's threads. Compile with OpenMP switched on (-fopenmp).
 *
 *     cvk_parallel_for threads = cvk_openmp();
 *     cvk_run(info, &buffers, &threads);
 */
#ifndef CONVOKE_OPENMP_H
#define CONVOKE_OPENMP_H

#ifndef _OPENMP
#error "convoke/openmp.h needs OpenMP: compile with -fopenmp"
#endif

#include <convoke/runtime.h>
#include <omp.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void cvk_openmp_loop(void *context, size_t n, cvk_parallel_body *body, void *argument) {
    (void)context;
    const long long count = (long long)n;
#pragma omp parallel for schedule(static, 1)
    for (long long i = 0; i < count; i++) body(argument, (size_t)i);
}

static inline cvk_parallel_for cvk_openmp(void) {
    cvk_parallel_for parallel;
    parallel.loop = cvk_openmp_loop;
    parallel.context = NULL;
    parallel.workers = (uint32_t)omp_get_max_threads();
    return parallel;
}

#ifdef __cplusplus
}
#endif
#endif
