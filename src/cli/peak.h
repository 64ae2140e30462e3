/* The most that this machine's FMA units do: a kernel of nothing but fused multiply-adds. */
#ifndef CVK_CLI_PEAK_H
#define CVK_CLI_PEAK_H

#include "cli/probe.h"

/* In numbers of `type`. Amounts are operations, two an FMA and lane. `p` is for probe_close in any case. */
cvk_status peak_open(arena *a, const cvk_target *target, cvk_type type, const cvk_parallel_for *parallel,
                     cvk_diagnostics *d, probe *p);

#endif
