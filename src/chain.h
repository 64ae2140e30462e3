/* A chain as the problems of its layers: in bands of its output, for each of which a task computes all of them, what is
 * between them in scratch; or one after the other, what is between them in the workspace. The cost model says which. */
#ifndef CVK_CHAIN_H
#define CVK_CHAIN_H

#include "layer.h"

/* As layer_rank, layer_refuse, layer_build and layer_cycles, for a spec that is a chain. */
void chain_rank(arena *a, const cvk_spec *spec, goal aim, int limit, ranked_layer **plans, int *count,
                const char **why);
const char *chain_refuse(const cvk_spec *spec, const cvk_target *target, const layer_plan *plan, int *problem_index);
layer_nests chain_build(arena *a, const cvk_spec *spec, goal aim, const layer_plan *plan, ranked_layer *ranked);
double chain_cycles(const cvk_spec *spec, const cvk_target *target, const layer_nests *nests);
/* The problem that a plan's part is for: a layer's, or what most bands have of it. */
problem chain_problem(const cvk_spec *spec, const layer_plan *plan, int index);

/* Bytes of what one layer writes and the next reads that may still be near, on a core of a target: beyond, a chain is
 * worth its bands. */
int64_t chain_near_bytes(const cvk_target *target);

#endif
