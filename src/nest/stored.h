/* The certificate of stores: what a tensor holds after a run is what was computed, all of it and nothing twice. */
#ifndef CVK_NEST_STORED_H
#define CVK_NEST_STORED_H

#include "nest/program.h"

/* How many elements a tensor may have, a bit or a few for each being kept, and how often it may be read. Walking takes
 * about a millisecond for a hundred thousand accesses: next to nothing where a kernel is compiled, and any time in a
 * check. */
#define STORED_MOST_COMPILING (INT64_C(1) << 22)
#define STORED_MOST_CHECKING (INT64_C(1) << 30)

/* CVK_OK: run to their ends, the nests store every element of the tensor with this role exactly once, and each task
 * loads none but those it has stored. So no two tasks write the same element, either. Walks through every store and
 * load of it, and nothing else, which is exact and takes nanoseconds a vector. Else a diagnostic names an element and
 * the statement. CVK_ERROR_UNSUPPORTED, with none: the tensor has more than `most` elements, or is loaded more often.
 * The nests are of one phase, and nest_check accepts them. */
cvk_status nest_certify_stored(const nest *const *nests, int count, nest_role role, int64_t most, cvk_diagnostics *d);

/* The same of what each of these nests packs, into a place of its own: ROLE_PACK_TO. */
cvk_status pack_certify_stored(const nest_phase *pack, int64_t most, cvk_diagnostics *d);

/* The same of the output after the last phase that writes it. And of what every phase does to the output and to the
 * workspace: no element is stored twice; what a task loads it has stored itself, or an earlier phase has, and no task
 * of this one, but for what it adds to, which no other stores and it stores once, after it has read it. So a run gives
 * the same whatever its tasks' order, and reads nothing that was there before it but what is added to.
 * CVK_ERROR_UNSUPPORTED: this could not be said of both, but of neither the opposite. */
cvk_status program_certify_stored(const nest_program *p, int64_t most, cvk_diagnostics *d);

#endif
