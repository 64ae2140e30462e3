/* A layer as the list of its problems: a plan for each, and the one program that their nests make.
 *
 * Problems are ranked one by one. Plan number i of a layer is what suits each of its problems i-th best. */
#ifndef CVK_LAYER_H
#define CVK_LAYER_H

#include "algo/algo.h"
#include "spec/spec.h"

/* Plans with what the cost model thinks of them, as ranked_plan has it, of all problems together. */
typedef struct ranked_layer {
    layer_plan plan;
    double seconds_per_peak, cycles, judged;
} ranked_layer;

/* What plans become; arena-owned. */
typedef struct layer_nests {
    nest_program run;
    nest_phase pack;
    nest_counts counts;      /* of run */
    const ranked_plan *part; /* each problem's, as it was built; of a chain in bands, those of one class of them after
                                those of another */
    layer_plan plan;         /* what was built */
    nest_counts beside;      /* operations of phases that are no problem's */
} layer_nests;

/* At most `limit` (0: all), best first, by the algorithms that the layer names. None: `why` says why there is none for
 * one of its problems. */
void layer_rank(arena *a, const cvk_spec *spec, goal aim, int limit, ranked_layer **plans, int *count,
                const char **why);
/* What a plan's part is for: a problem of the layer, or of a chain in bands, what most of them have of it. */
problem layer_problem(const cvk_spec *spec, const layer_plan *plan, int index);
/* Why plans do not fit, or NULL; and the problem of which this is said. */
const char *layer_refuse(const cvk_spec *spec, const cvk_target *target, const layer_plan *plan, int *problem_index);
/* Builds plans that fit. `ranked`, if not NULL, gets what the model thinks of them. */
layer_nests layer_build(arena *a, const cvk_spec *spec, goal aim, const layer_plan *plan, ranked_layer *ranked);
/* What the cost model thinks of what was built, by the figures of that target: cycles of one core. */
double layer_cycles(const cvk_spec *spec, const cvk_target *target, const layer_nests *nests);

/* What there is to gain from weights that are known, a line for each problem; nothing of others. */
void layer_print_known(const cvk_spec *spec, text *out);

#endif
