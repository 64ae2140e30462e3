/* A run whose arguments have been checked. */
#ifndef CVK_RUNTIME_RUN_H
#define CVK_RUNTIME_RUN_H

#include <convoke/split.h>

/* How a phase is divided among workers: cvk_split_tasks or, of a step of a network, cvk_split_step. */
typedef cvk_split run_split(uint32_t tasks, uint32_t workers, uint64_t kilocycles, uint32_t phases);

/* All phases, here or on the caller's threads; `parallel` may be NULL. */
void run_kernel(const cvk_kernel_info *info, const cvk_args *args, const cvk_parallel_for *parallel, run_split *split);

#endif
