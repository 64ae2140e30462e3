/* The most that this machine's multipliers do: a kernel of nothing but fused multiply-adds of one type, or, of integers,
 * sums of several products where the target has such instructions. */
#ifndef CVK_LAB_PEAK_H
#define CVK_LAB_PEAK_H

#include "lab/probe.h"

/* Of what is summed up in numbers of a type. Amounts are operations, two a product. `p` is for probe_close in any case. */
cvk_status peak_open(arena *a, const lab *l, cvk_type type, probe *p);

#endif
