/* The manifest that goes with an object, as JSON: what a build or another program has to know of its kernels.
 * docs/embedding.md describes it. */
#ifndef CVK_CLI_MANIFEST_H
#define CVK_CLI_MANIFEST_H

#include "cli/kernels.h"

/* `files` are the names of all that is written for the spec. The same kernels give the same bytes. */
cvk_status manifest_print(const kernel_list *k, const char *const *files, size_t count, text *out);

#endif
