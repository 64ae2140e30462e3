/* What more cores than there are here would make of a kernel: each of its tasks is timed alone on one core, then all
 * are scheduled as cvk_run would on so many workers, with barriers between the phases. That cores share the bandwidth
 * of memory, fetch from one another what a phase left, and share a machine's heat, is not thought of. */
#ifndef CVK_LAB_CORES_H
#define CVK_LAB_CORES_H

#include "lab/ready.h"

#include <convoke/split.h>

/* Seconds that the tasks of a phase take on the workers of a split, each of them as long as `seconds` says: when the
 * last worker finds nothing left to do. False: out of memory. */
bool cores_schedule(const double *seconds, const cvk_split *split, double *to);

/* How many times as fast as one core each of the `counts` numbers of cores is. Plans are those chosen for as many
 * threads, and for one thread on the one core; or, with `pinned`, all of them that of the lab's goal. The arena is used
 * for what is compiled. Nothing for a layer without tasks: `to` is left as it is. */
cvk_status cores_expect(const lab *l, const cvk_spec *spec, bool pinned, const uint32_t *cores, size_t counts, arena *a,
                        double *to);

#endif
