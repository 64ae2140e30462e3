/* The disk cache: objects kept for other processes. It makes compiling faster and nothing else: whatever is odd,
 * missing, damaged or forbidden is a miss. Want of memory alone is not: who has none for an entry has none for LLVM,
 * which would end the process. */
#ifndef CVK_CACHE_DISK_H
#define CVK_CACHE_DISK_H

#include "cache/folder.h"

#include <limits.h>
#include <stdbool.h>

typedef struct disk_cache {
    char directory[PATH_MAX]; /* absolute; "" is no cache */
    uint64_t most_bytes;
} disk_cache;

/* An entry that was read. */
typedef struct disk_entry {
    unsigned char *bytes;        /* free them */
    const unsigned char *object; /* inside `bytes`; NULL is a miss */
    size_t object_size;
} disk_entry;

/* The directory by the environment: CONVOKE_CACHE, else $XDG_CACHE_HOME/convoke, else ~/.cache/convoke; "" where there
 * is none. `given` replaces it if not NULL, but not where CONVOKE_CACHE says off. False: `given`, or CONVOKE_CACHE, is
 * not an absolute path; a relative one would depend on where a program is started. As XDG has it, its variable is
 * ignored then. `trouble` says so. */
bool disk_cache_locate(const char *given, char directory[PATH_MAX], disk_trouble *trouble);

/* CVK_OK, found or not, or CVK_ERROR_MEMORY. `trouble` says why what is there is not used. */
cvk_status disk_cache_load(const disk_cache *cache, const char *key, disk_entry *entry, disk_trouble *trouble);
/* `trouble` says why nothing was kept. */
void disk_cache_store(const disk_cache *cache, const char *key, const unsigned char *object, size_t object_size,
                      disk_trouble *trouble);

#endif
