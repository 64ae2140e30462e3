/* A run whose arguments have been checked. */
#ifndef CVK_RUNTIME_RUN_H
#define CVK_RUNTIME_RUN_H

#include <convoke/runtime.h>

/* All phases, here or on the caller's threads; `parallel` may be NULL. */
void run_kernel(const cvk_kernel_info *info, const cvk_args *args, const cvk_parallel_for *parallel);

#endif
