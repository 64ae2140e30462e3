/* The C header that goes with an object: a declaration a layer, with what a caller must know of it,
 * and sizes as macros. */
#ifndef CVK_CLI_HEADER_H
#define CVK_CLI_HEADER_H

#include "cli/kernels.h"

/* A C identifier: what may not stand in one becomes '_'. */
char *header_identifier(arena *a, const char *name);
void header_print(const kernel_list *k, text *out);

#endif
