/* Where everything of a network lies, and the table that says so: what cvk_network_run goes through. */
#ifndef CVK_NETWORK_PLAN_H
#define CVK_NETWORK_PLAN_H

#include "network/memory.h"
#include "network/steps.h"

/* The workspace: a block for each storage in it, then one for each kernel that works in some. */
typedef struct network_memory {
    int count;
    memory_block *block;
    int *block_of;             /* of each storage, or -1 */
    int *work_of;              /* of each step, or -1 */
    uint64_t placed;           /* bytes of all blocks together */
    uint64_t peak, bound, sum; /* with one worker's scratch: as placed; the most that lives at once; side by side */
    uint64_t *scratch;         /* of each step, where that of its workers begins */
} network_memory;

/* `kernel` has a description for each step. Of any batch all figures are an image's. */
network_memory network_place(arena *a, const network_steps *n, const cvk_kernel_info *const *kernel);

/* Complete, but that steps point at `kernel`; arena-owned. */
cvk_network_info network_table(arena *a, const network_steps *n, const network_memory *m,
                               const cvk_kernel_info *const *kernel);

/* Where the arrays of a step's parts are that cvk_network_pack takes: in `of_role` those of each role stand one after
 * another, as the table lists them. Sets those of `dense`, by number, that are the step's. */
void network_find_arrays(const cvk_network_info *info, uint32_t step, const void *const of_role[CVK_ROLES],
                         cvk_const_buffer *dense);

#endif
