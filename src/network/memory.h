/* Memory by lifetimes: where blocks that live for some steps lie, so that none disturbs another and all together take
 * little. Knows nothing of what is in them. */
#ifndef CVK_NETWORK_MEMORY_H
#define CVK_NETWORK_MEMORY_H

#include "base/arena.h"

#include <stdint.h>

enum { MEMORY_LINE = 64 }; /* blocks begin at a multiple of it, in bytes */

typedef struct memory_block {
    uint64_t bytes;
    int first, last; /* the steps it lives through */
    uint64_t at;     /* filled in */
} memory_block;

/* What steps want behind all that lives during them, besides blocks: bytes of each of so many; NULL: none. */
typedef struct memory_behind {
    const uint64_t *bytes;
    int steps;
} memory_behind;

/* Places all blocks; gives the bytes from the first to the end of the farthest, or of what is wanted behind. The same
 * blocks get the same places. */
uint64_t memory_place(arena *a, memory_block *blocks, int count, memory_behind behind);
/* What no placing can go below: the most that lives during one step, and is wanted behind it. */
uint64_t memory_bound(const memory_block *blocks, int count, memory_behind behind);
/* All of them side by side. */
uint64_t memory_sum(const memory_block *blocks, int count);
/* Where a block that lives during a step may lie behind all others. */
uint64_t memory_end_during(const memory_block *blocks, int count, int step);

#endif
