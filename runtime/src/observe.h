/* Who is told of runs, as cvk_run sees it. */
#ifndef CVK_RUNTIME_OBSERVE_H
#define CVK_RUNTIME_OBSERVE_H

#include <convoke/observe.h>

#include <stdatomic.h>

extern _Atomic(cvk_run_observer *) run_observer; /* NULL: nobody */

/* Nanoseconds since some fixed time; 0 where there is no clock. */
uint64_t observe_now(void);

#endif
