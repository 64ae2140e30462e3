/* The cost model: what a plan's nest will take, in cycles of one core. */
#ifndef CVK_ALGO_COST_H
#define CVK_ALGO_COST_H

#include "algo/algo.h"

/* The model's constants, rows of algo/cost.def: COST_CALL_CYCLES, … What differs between machines is none of them, but
 * a target's figures. */
#define COST(name, value, about) static const double COST_##name = value;
#include "algo/cost.def"
#undef COST

/* Instructions alone: ports, loads and, with that many independent sums, latency. `lanes`: of the type summed in. */
double cost_issue(const cvk_target *target, const nest_counts *counts, int lanes, double sums);
/* Bytes from the second- and third-level cache; and from beyond the second, of a tensor of that size. */
double cost_l2(const cvk_target *target, double bytes);
double cost_l3(const cvk_target *target, double bytes);
double cost_far(const cvk_target *target, double bytes, double size);
/* Cycles the problem's multiply-adds take at FMA peak. */
double cost_peak_cycles(const problem *p, const cvk_target *target);

#endif
