/* A thread for each share of a loop. */
#ifndef NUMERIC_THREADS_H
#define NUMERIC_THREADS_H

#include <convoke/runtime.h>

/* For `workers` of 8 at most. Where no thread can be started, its share is done at once. */
cvk_parallel_for threads_for(uint32_t workers);

#endif
