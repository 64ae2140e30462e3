/* What a direct plan takes at least: the model's cycles of the operations that its nests cannot be without, which are
 * known before there are any. */
#include "algo/direct/tile.h"

/* Outputs that have tap k inside the input. */
static int64_t outputs_with(const problem_axis *a, int64_t k) {
    const int64_t at = k * a->tap_step + a->origin;
    const int64_t first = greater(ceil_div(-at, a->step), 0),
                  last = lesser(floor_div(a->in - 1 - at, a->step), a->out - 1);
    return greater(last - first + 1, 0);
}

static double pairs_inside(const problem_axis *a) {
    double all = 0;
    for (int64_t k = 0; k < a->taps && a->step > 0; k++) all += (double)outputs_with(a, k);
    return all;
}

/* Of sums of products alone: pools and integers have operations of their own. */
static double multiply_adds(const problem *p, const cvk_plan *plan) {
    double all = (double)(p->n * p->groups * p->out_channels * p->in_channels);
    if (p->combine != COMBINE_SUM || plan->dot || !type_is_float(p->sum)) return 0;
    for (int a = 0; a < AXES; a++) all *= pairs_inside(&p->axis[a]);
    return all;
}

static double outputs_of(const problem *p) {
    double all = (double)(p->n * p->groups * p->out_channels);
    for (int a = 0; a < AXES; a++) all *= (double)p->axis[a].out;
    return all;
}

/* A vector of columns, once loaded, may meet all taps and as many output channels as there are in a tile. */
static double columns_loaded(const problem *p, const cvk_plan *plan, double fmas) {
    return plan->lanes == LANES_COLUMNS ? fmas / ((double)problem_taps(p) * plan->tile_oc) : 0;
}

double direct_least(const problem *asked, const cvk_target *target, const cvk_plan *plan) {
    const problem p = direct_problem(asked, target, plan->lanes);
    const int lanes = target_lanes(target, p.sum);
    nest_counts counts = {.ops = {0}};
    counts.ops[OP_FMA] = multiply_adds(&p, plan) / lanes;
    counts.ops[OP_STORE] = outputs_of(&p) / lanes;
    counts.ops[OP_LOAD] = columns_loaded(&p, plan, counts.ops[OP_FMA]);
    return direct_cycles(asked, target, plan, NULL, &counts);
}
