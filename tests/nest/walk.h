/* Executes a nest's loops and conditions plainly, one value after another, without running its operations: what counts
 * and proofs are compared with. Shares no code with them. */
#ifndef CVK_TESTS_NEST_WALK_H
#define CVK_TESTS_NEST_WALK_H

#include "nest/nest.h"

/* Called for every executed operation with at least one active lane; `offset` is the element of lane 0, low <= lane <
 * high are active. */
typedef void walk_visit(void *context, const nest_op *op, int64_t offset, int64_t low, int64_t high);

void walk(const nest *n, walk_visit *visit, void *context);

#endif
