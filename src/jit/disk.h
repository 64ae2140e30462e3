/* The disk cache: objects kept for other processes. It makes compiling faster and nothing else: whatever is odd,
 * missing, damaged or forbidden is a miss, and nothing here fails. */
#ifndef CVK_JIT_DISK_H
#define CVK_JIT_DISK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct disk_cache {
    char directory[PATH_MAX]; /* absolute; "" is no cache */
    uint64_t most_bytes;
} disk_cache;

/* An entry that was read; `object` is inside `bytes`. */
typedef struct disk_entry {
    unsigned char *bytes; /* free them */
    const unsigned char *object;
    size_t object_size;
} disk_entry;

/* The directory by the environment: CONVOKE_CACHE, else $XDG_CACHE_HOME/convoke, else ~/.cache/convoke. `given`
 * replaces it if not NULL, but not where CONVOKE_CACHE says off. False: there is none. */
bool disk_cache_locate(const char *given, char directory[PATH_MAX]);

bool disk_cache_load(const disk_cache *cache, const char *key, disk_entry *entry);
void disk_cache_store(const disk_cache *cache, const char *key, const unsigned char *object, size_t object_size);

#endif
