/* What the command writes. One rule for all of it.
 *
 * A regular file, or none yet: it appears whole or not at all, by temporary and rename, with the mode and, where the
 * user may, the owner of the file that it replaces, or the mode of any new file.
 *
 * A symbolic link: it stays; what it leads to is written.
 *
 * A device, a pipe, /dev/stdout: it is written through, from its beginning to its end.
 *
 * A directory, a socket: it is refused.
 *
 * A file the user may not write is refused, wherever it lies; so is a file that has no write permission at all, even
 * where the user is root, for somebody took it away. */
#ifndef CVK_FILES_OUTPUT_H
#define CVK_FILES_OUTPUT_H

#include "base/diag.h"

#include <stddef.h>

typedef struct output_file {
    const char *path;
    const void *bytes;
    size_t size;
} output_file;

/* Writes all of them, `count` of 1 or more, or none of the regular files. CVK_ERROR_IO with a diagnostic, or
 * CVK_ERROR_MEMORY: then every regular file is as it was and no temporary is left. */
cvk_status output_write(const output_file *files, size_t count, cvk_diagnostics *diagnostics);

#endif
