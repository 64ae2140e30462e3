/* Who made what is kept: the file of libLLVM, as it was. A key has the version that convoke was built with; a
 * distribution may put another library of that version in its place, whose code is not the same. A kept object begins
 * with a line that names the file, and is used as long as that file is there unchanged: looking needs a stat, and no
 * LLVM. */
#ifndef CVK_CACHE_MAKER_H
#define CVK_CACHE_MAKER_H

#include <stdbool.h>
#include <stddef.h>

/* The object behind a line about the file, of malloc; NULL: no memory. An empty path, of a library that nobody can
 * name, is taken for unchanged. */
unsigned char *maker_sign(const char *path, const unsigned char *object, size_t size, size_t *signed_size);
/* The object in what maker_sign made, if the file is as it was then. */
bool maker_is_there(const unsigned char *bytes, size_t size, const unsigned char **object, size_t *object_size);

#endif
