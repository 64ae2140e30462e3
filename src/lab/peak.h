/* The most that this machine's FMA units do: a kernel of nothing but fused multiply-adds. */
#ifndef CVK_LAB_PEAK_H
#define CVK_LAB_PEAK_H

#include "lab/probe.h"

/* Amounts are operations, two an FMA and lane. `p` is for probe_close in any case. */
cvk_status peak_open(arena *a, const lab *l, probe *p);

#endif
