/* Bytes to a file, all of them. */
#ifndef CVK_BASE_WRITE_H
#define CVK_BASE_WRITE_H

#include <stdbool.h>
#include <stddef.h>

/* False: not all, and errno says why, but where a write took nothing and gave no reason. */
bool write_all(int file, const void *bytes, size_t size);

#endif
