/* Numbers of a model that lie in files beside it. A file's name is not trusted: it leads into the model's folder or
 * those below it, through no link, to a regular file. */
#ifndef CVK_IMPORT_EXTERNAL_H
#define CVK_IMPORT_EXTERNAL_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct external_files {
    arena *arena;
    const char *model;     /* its path */
    uint64_t bytes_left;   /* that may still be read: as many as the files have, however often they are named */
    const char *known[16]; /* the files that count in it */
    int known_count;
} external_files;

/* So many bytes of the file from one on, or all that are there where `length` is 0; NULL: `why` says why not. */
const void *external_read(external_files *f, const char *location, uint64_t offset, uint64_t *length, const char **why);

#endif
