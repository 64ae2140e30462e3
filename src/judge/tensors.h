/* A kernel's buffers: filled from dense arrays in logical order, guarded on both sides, read back in logical order. */
#ifndef CVK_JUDGE_TENSORS_H
#define CVK_JUDGE_TENSORS_H

#include "judge/guard.h"
#include "judge/naive.h"

typedef struct tensors {
    const cvk_spec *spec;
    guarded dense;             /* weights */
    guarded buffer[CVK_ROLES]; /* of a run, by role */
    cvk_buffers buffers;       /* the same, as cvk_run takes them */
} tensors;

/* Allocates, converts to the kernel's layouts, packs the weights; what is written is all NaN. `t` is for
 * tensors_free in any case. A kernel for any batch is bound to that of `s`, as spec_of_batch makes it. */
cvk_status tensors_bind(const cvk_spec *s, const cvk_kernel_info *info, const naive_tensors *data, guard_side side,
                        uint32_t workers, tensors *t);
/* The same in the memory of a `t` that was bound before, or of zeros, where its buffers are as large. */
cvk_status tensors_rebind(const cvk_spec *s, const cvk_kernel_info *info, const naive_tensors *data, guard_side side,
                          uint32_t workers, tensors *t);
void tensors_free(tensors *t);

/* What is odd about the memory after a run, or NULL: bytes around a buffer disturbed, fill channels that are not zero.
 */
const char *tensors_damage(const tensors *t);
/* The output in logical order, of the layer's type: outputs of channel i of all images' channels, as naive_range counts
 * them. */
void tensors_read(const tensors *t, int64_t i, void *to);
/* The same of the indices. */
void tensors_read_places(const tensors *t, int64_t i, int32_t *to);

#endif
