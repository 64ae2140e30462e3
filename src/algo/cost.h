/* The cost model: what a plan's nest will take, in cycles of one core. */
#ifndef CVK_ALGO_COST_H
#define CVK_ALGO_COST_H

#include "algo/algo.h"

double cost_cycles(const cvk_spec *spec, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests);
/* Cycles the layer's multiply-adds take at FMA peak. */
double cost_peak_cycles(const cvk_spec *spec, const cvk_target *target);

#endif
