/* Emptying the caches: the beginning of a run on data that nobody has touched lately. */
#ifndef CVK_LAB_EVICT_H
#define CVK_LAB_EVICT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct evictor {
    unsigned char *memory;
    size_t bytes;
} evictor;

/* False: out of memory. */
bool evict_open(evictor *e);
/* Of the calling thread's core, and what it shares with others. */
void evict_run(const void *evictor);
void evict_close(evictor *e);

/* Sends some memory out of all caches. False, and nothing is done, where the architecture lets no program do so. */
bool evict_lines(const void *memory, size_t bytes);

/* Bytes more than all caches of this machine hold. */
size_t evict_bytes(void);

#endif
