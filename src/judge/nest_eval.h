/* Runs a nest on real buffers, op by op: the second judge. Slow and plain. */
#ifndef CVK_JUDGE_NEST_EVAL_H
#define CVK_JUDGE_NEST_EVAL_H

#include "nest/program.h"

/* Tensors by role, as the nest's entry has them; sizes are the nest's own. `fused`: fma rounds once. Stops with
 * CVK_ERROR_INTERNAL at the first access outside its tensor, read of an undefined register, or malformed op. */
cvk_status nest_eval(const nest *n, float *const tensors[ROLE_COUNT], int64_t first_task, int64_t last_task,
                     bool fused);

/* All tasks of all phases. */
cvk_status nest_eval_program(const nest_program *p, float *const tensors[ROLE_COUNT], bool fused);

#endif
