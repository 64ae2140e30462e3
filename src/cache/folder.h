/* A folder that belongs to the user, closed to others' writing, and whole files in it: what the caches keep things in.
 * Symbolic links are not followed, and what somebody else may write is not read. */
#ifndef CVK_CACHE_FOLDER_H
#define CVK_CACHE_FOLDER_H

#include <convoke/runtime.h>

#include <stdbool.h>
#include <stddef.h>

/* What was odd, in words that may be cut; "" for nothing. */
typedef struct disk_trouble {
    char words[320];
} disk_trouble;
void disk_trouble_say(disk_trouble *trouble, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The folder of an absolute path, to be closed; -1, and `trouble` says why not. One that is not there, or "", is no
 * trouble. */
int cache_folder_open(const char *path, disk_trouble *trouble);
/* The same, made with mode 0700 if it is not there, and those above it. */
int cache_folder_make(const char *path, disk_trouble *trouble);

/* A file, read: CVK_OK, or CVK_ERROR_MEMORY. `*bytes`, to be freed and with a NUL behind them, is NULL where there is
 * none, or more than `most`, or one that is not to be trusted. */
cvk_status cache_folder_read(int folder, const char *name, size_t most, unsigned char **bytes, size_t *size,
                             disk_trouble *trouble);
/* Puts a file in the place of what has that name: whole, or not at all. */
bool cache_folder_write(int folder, const char *name, const void *bytes, size_t size, disk_trouble *trouble);

/* A lock that the system drops if the process dies; close it. -1: somebody else has it, or none can be had at
 * all, which `trouble` says. */
int cache_folder_lock(int folder, const char *name, disk_trouble *trouble);

#endif
