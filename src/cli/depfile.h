/* The rule for make and ninja that `compile -MD` writes: what the outputs depend on. */
#ifndef CVK_CLI_DEPFILE_H
#define CVK_CLI_DEPFILE_H

#include "files/output.h"
#include "cli/session.h"

/* Every output depends on every spec, on the arrays of weights that are compiled in, and on the database of --tuned.
 * Each of those is also a target without a rule, so that what is gone makes the outputs old and does not stop the
 * build. */
text depfile_print(const session *s, arena *a, const output_file *outputs, size_t count);

#endif
