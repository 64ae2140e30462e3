/* The C header that goes with an object: a declaration a layer, with what a caller must know of it. */
#ifndef CVK_CLI_HEADER_H
#define CVK_CLI_HEADER_H

#include "compile.h"

/* A C identifier: what may not stand in one becomes '_'. */
char *header_identifier(arena *a, const char *name);
/* `stem` names the include guard; layer l, which is units[t * layers + l] for target t, is declared as symbols[l]. */
void header_print(const char *stem, const compile_unit *units, const char *const *symbols, size_t layers,
                  size_t targets, text *out);

#endif
