/* The plans of a layer: one for each of the problems that it is (problem/problem.h). What `schedule:` says. */
#ifndef CVK_PLAN_LAYER_PLAN_H
#define CVK_PLAN_LAYER_PLAN_H

#include "plan/plan.h"
#include "base/terms.h"

/* In the order of the problems; one alone is for all of them. */
typedef struct layer_plan {
    int count;
    const cvk_plan *part;
    int band[AXES]; /* of a chain: slices, rows and columns of the last layer's output for which a task computes all
                       layers; 0: the whole of one layer comes after the whole of the one before */
} layer_plan;

bool layer_plan_is_fused(const layer_plan *p);

/* That of a problem. */
const cvk_plan *layer_plan_part(const layer_plan *p, int problem);
/* For a layer of one problem, or all of whose problems take the same: that plan, which stays the caller's. */
layer_plan layer_plan_of(const cvk_plan *plan);

/* A plan where all are the same, else a list of them; fused, {band: {od: 1, oh: 4, ow: 56}, plans: [of each]}. */
void layer_plan_print(const layer_plan *p, text *out);
/* In a few words: the first, and how many more there are. */
void layer_plan_print_brief(const layer_plan *p, text *out);
/* Reads a plan or a list of plans back, as plan_parse does. */
cvk_status layer_plan_parse(const node *schedule, arena *a, cvk_diagnostics *d, layer_plan *plan);
bool layer_plan_equal(const layer_plan *a, const layer_plan *b);

#endif
