/* The cost model: what a plan's nest will take, in cycles of one core. */
#ifndef CVK_ALGO_COST_H
#define CVK_ALGO_COST_H

#include "algo/algo.h"

/* Bytes a core gets from its second- and third-level cache in a cycle. */
#define COST_L2_BYTES_A_CYCLE 40.0
#define COST_L3_BYTES_A_CYCLE 12.0

/* Instructions alone: ports, loads and, with that many independent sums, latency. `lanes`: of the type summed in. */
double cost_issue(const cvk_target *target, const nest_counts *counts, int lanes, double sums);
/* Cycles the problem's multiply-adds take at FMA peak. */
double cost_peak_cycles(const problem *p, const cvk_target *target);

#endif
