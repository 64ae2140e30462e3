/* Files that appear whole or not at all. */
#ifndef CVK_CLI_OUTPUT_H
#define CVK_CLI_OUTPUT_H

#include <stddef.h>

typedef struct output_file {
    const char *path;
    const void *bytes;
    size_t size;
} output_file;

/* Writes all under temporary names beside their paths, then renames all. NULL, or the path that could not be written,
 * errno saying why; then no temporary is left. */
const char *output_write(const output_file *files, size_t count);

#endif
