/* What the tests of the cache share: a folder that is gone afterwards, and amounts from the environment. */
#ifndef CVK_TESTS_CACHE_FOLDER_H
#define CVK_TESTS_CACHE_FOLDER_H

#include "cache/disk.h"

#include <criterion/criterion.h>

/* A new cache in a new folder of its own. */
disk_cache folder_make(void);
/* Removes the folder and the files in it. */
void folder_remove(const disk_cache *cache);
/* The one entry's path; the test fails if there is not exactly one. */
void folder_entry(const disk_cache *cache, char path[PATH_MAX]);
size_t folder_count(const disk_cache *cache, const char *ending);

/* Whether a load finds exactly these bytes; the test fails if it finds others. */
bool folder_finds(const disk_cache *cache, const char *key, const void *object, size_t size);

long amount(const char *variable, long otherwise);

#endif
