/* The observer of runs and the clock it is told by. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, in strict C11 too */
#include "observe.h"

#if __STDC_HOSTED__ && __has_include(<time.h>)
#include <time.h>
#endif

_Atomic(cvk_run_observer *) run_observer;

void cvk_observe_runs(cvk_run_observer *observer) {
    atomic_store_explicit(&run_observer, observer, memory_order_release);
}

#ifdef CLOCK_MONOTONIC
uint64_t observe_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}
#else
uint64_t observe_now(void) { return 0; }
#endif
