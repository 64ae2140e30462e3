/* The most that this machine's FMA units do: a kernel of nothing but fused multiply-adds of one type. */
#ifndef CVK_LAB_PEAK_H
#define CVK_LAB_PEAK_H

#include "lab/probe.h"

/* Amounts are operations, two an FMA and lane. `p` is for probe_close in any case. */
cvk_status peak_open(arena *a, const lab *l, cvk_type type, probe *p);

#endif
