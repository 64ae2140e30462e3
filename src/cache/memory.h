/* The cache in memory: one compile a key, however many threads ask. */
#ifndef CVK_CACHE_MEMORY_H
#define CVK_CACHE_MEMORY_H

#include "jit/kernel.h"

enum { MEMORY_MOST_KERNELS = 1024 };

/* Makes what is not there; its own status is given on. */
typedef cvk_status memory_maker(void *context, cvk_diagnostics *d, cvk_kernel **kernel);

/* The kernel of a key, with a reference for the caller. While one thread makes it, others that ask for it wait; if that
 * fails, the next of them tries, so each has a message of its own. */
cvk_status memory_cache_get(const char *key, memory_maker *make, void *context, cvk_diagnostics *d,
                            cvk_kernel **kernel);

#endif
