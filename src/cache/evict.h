/* Keeping the disk cache within its size. */
#ifndef CVK_CACHE_EVICT_H
#define CVK_CACHE_EVICT_H

#include <stdint.h>

/* Removes the least recently used entries of an open directory if there are more than `most_bytes`, and what writers
 * that were killed left behind. */
void evict(int directory, uint64_t most_bytes);

#endif
