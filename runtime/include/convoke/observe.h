/* convoke/observe.h: to be told of every run, for tracing and profiling.
 *
 * While there is no observer, a run pays for this one load of a pointer. libconvoke sets an observer that prints when
 * the environment says CONVOKE_VERBOSE=1; a program that sets its own afterwards replaces it. */
#ifndef CONVOKE_OBSERVE_H
#define CONVOKE_OBSERVE_H

#include <convoke/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Called after a cvk_run that succeeded, on the thread that called it, and perhaps on several at once. `nanoseconds` is
 * 0 where the runtime was compiled without a clock: freestanding, or for a system that has no CLOCK_MONOTONIC. */
typedef void cvk_run_observer(const cvk_kernel_info *info, uint32_t workers, uint64_t nanoseconds);

/* For the whole process; NULL is none. */
CVK_API void cvk_observe_runs(cvk_run_observer *observer);

#ifdef __cplusplus
}
#endif
#endif
