/* What one core of this machine does in a cycle, measured: a few milliseconds a figure. */
#ifndef CVK_LAB_FIGURES_H
#define CVK_LAB_FIGURES_H

#include "base/diag.h"
#include "target/target.h"

/* Of code for `t`, which this machine runs, on the calling thread. Throughputs are rounded to whole numbers (below 3/4
 * to eighths), latencies to whole cycles, bytes to eight steps from a power of two to the next, so that noise does not
 * make other plans. A figure that no machine has (target/figure_fields.def), or that is learned, is the target's own
 * instead. */
cvk_status figures_measure(const cvk_target *t, cvk_diagnostics *d, machine_figures *to);

#endif
