/* The most that this machine's FMA units do: a kernel of nothing but fused multiply-adds, made by the compiler itself.
 */
#ifndef CVK_CLI_PEAK_H
#define CVK_CLI_PEAK_H

#include "jit/load.h"
#include "target/target.h"

typedef struct peak {
    const cvk_kernel_info *info;
    jit_image image;
    cvk_parallel_for parallel;
    void *input, *output;
    double operations; /* of one run: two an FMA and lane */
} peak;

/* `p` is for peak_close in any case. */
cvk_status peak_open(const cvk_target *target, const cvk_parallel_for *parallel, cvk_diagnostics *d, peak *p);
void peak_run(const peak *p);
void peak_close(peak *p);

#endif
