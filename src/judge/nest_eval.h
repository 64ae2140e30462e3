/* Runs nests on real buffers, operation by operation: the second judge. */
#ifndef CVK_JUDGE_NEST_EVAL_H
#define CVK_JUDGE_NEST_EVAL_H

#include "nest/program.h"

/* In what numbers. Residues (judge/residue.h) take the place of every type: all tensors hold them. */
typedef enum eval_numbers { EVAL_ROUNDED, EVAL_FUSED, EVAL_RESIDUES } eval_numbers;

/* As the target has them: `fused`, fma rounds once. */
static inline eval_numbers eval_as(bool fused) { return fused ? EVAL_FUSED : EVAL_ROUNDED; }

/* Tensors by role, as the nest's entry has them; sizes are the nest's own. Stops with CVK_ERROR_INTERNAL at the first
 * access outside its tensor or read of an undefined register; does not start where an operation is malformed. */
cvk_status nest_eval(const nest *n, void *const tensors[ROLE_COUNT], int64_t first_task, int64_t last_task,
                     eval_numbers numbers);

/* All tasks of several nests. */
cvk_status nest_eval_phase(const nest_phase *phase, void *const tensors[ROLE_COUNT], eval_numbers numbers);
/* All tasks of all phases. */
cvk_status nest_eval_program(const nest_program *p, void *const tensors[ROLE_COUNT], eval_numbers numbers);

#endif
