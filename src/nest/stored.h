/* The certificate of stores: what a tensor holds after a run is what was computed, all of it and nothing twice. */
#ifndef CVK_NEST_STORED_H
#define CVK_NEST_STORED_H

#include "nest/nest.h"

/* Tensors up to this many elements are walked through: a bit each. */
#define STORED_MOST_ELEMENTS (INT64_C(1) << 30)

/* CVK_OK: run to their ends, the nests store every element of the tensor with this role exactly once, and load none
 * that is not stored yet. So no two tasks write the same element, either. Walks through every store and load of it, and
 * nothing else, which is exact and takes nanoseconds a vector. Else a diagnostic names an element and the statement.
 * CVK_ERROR_UNSUPPORTED, with none: the tensor is too large. The nests are of one phase, and nest_check accepts them.
 */
cvk_status nest_certify_stored(const nest *const *nests, int count, nest_role role, cvk_diagnostics *d);

#endif
