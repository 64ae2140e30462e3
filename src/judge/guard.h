/* Buffers between two pages that nobody may touch: a byte too far, read or written, ends the program at once. */
#ifndef CVK_JUDGE_GUARD_H
#define CVK_JUDGE_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Where in its pages a buffer lies: against the guard after it, or against the one before it. */
typedef enum guard_side { GUARD_END, GUARD_START } guard_side;

typedef struct guarded {
    void *data; /* never NULL, also for 0 bytes */
    size_t bytes;
    unsigned char *pages; /* without the guards */
    size_t page_bytes;
} guarded;

/* Zeroed. `alignment` is a power of two, at most a page; GUARD_END gives no more than that. False: out of memory. */
bool guard_alloc(size_t bytes, size_t alignment, guard_side side, guarded *buffer);
/* The same in the pages of one allocated before, or of zeros, which is freed where they are not as many. */
bool guard_again(size_t bytes, size_t alignment, guard_side side, guarded *buffer);
/* Whether the bytes around the buffer that alignment or page size leave in its pages are as they were. */
bool guard_intact(const guarded *buffer);
void guard_free(guarded *buffer);

#endif
