/* The certificate of stores: what a tensor holds after a run is what was computed, all of it and nothing twice. */
#ifndef CVK_NEST_STORED_H
#define CVK_NEST_STORED_H

#include "nest/program.h"

/* How many elements a tensor may have: a bit each is kept. Walking through them takes about a millisecond a million of
 * vectors' worth: next to nothing where a kernel is compiled, and any time in a check. */
#define STORED_MOST_COMPILING (INT64_C(1) << 22)
#define STORED_MOST_CHECKING (INT64_C(1) << 30)

/* CVK_OK: run to their ends, the nests store every element of the tensor with this role exactly once, and load none
 * that is not stored yet. So no two tasks write the same element, either. Walks through every store and load of it, and
 * nothing else, which is exact and takes nanoseconds a vector. Else a diagnostic names an element and the statement.
 * CVK_ERROR_UNSUPPORTED, with none: the tensor has more than `most` elements. The nests are of one phase, and
 * nest_check accepts them.
 */
cvk_status nest_certify_stored(const nest *const *nests, int count, nest_role role, int64_t most, cvk_diagnostics *d);
/* The same of the last phase that may write the tensor. */
cvk_status program_certify_stored(const nest_program *p, nest_role role, int64_t most, cvk_diagnostics *d);

#endif
