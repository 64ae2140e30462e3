/* Problems that differ only in where their tensors begin, as most phases of a transposed layer do, are ranked once. */
#include "layer.h"

#include "chain.h"

#include "algo/bias_gradient.h"
#include "algo/clear.h"
#include "algo/cost.h"
#include "algo/fold.h"
#include "algo/moments.h"
#include "algo/sum_parts.h"
#include "problem/backward_weights.h"
#include "problem/known.h"

#include <math.h>

/* The plans of one problem, or of all that are alike. */
typedef struct ranking {
    problem p;
    ranked_plan *plan;
    int count;
} ranking;

static const ranking *find_alike(const ranking *of, int count, const problem *p) {
    for (int i = 0; i < count; i++)
        if (problem_alike(&of[i].p, p)) return &of[i];
    return NULL;
}

/* False: there is no plan. */
static bool rank_problem(arena *a, const cvk_spec *spec, goal aim, int limit, ranking *of, int index,
                         const char **why) {
    const problem p = problem_of(spec, index);
    const ranking *alike = find_alike(of, index, &p);
    if (alike) {
        of[index] = *alike;
        return true;
    }
    of[index].p = p;
    algo_rank(a, &p, aim, spec->algorithm, limit, &of[index].plan, &of[index].count, why);
    return of[index].count > 0;
}

static double peak_seconds(const ranked_plan *r) {
    return r->seconds_per_peak > 0 ? r->cycles / r->seconds_per_peak : 0;
}

/* Adds what the model thinks of one problem; `peak` sums the cycles of all at the FMA peak. */
static void add_figures(ranked_layer *to, double *peak, const ranked_plan *of) {
    to->cycles += of->cycles;
    to->judged += of->judged;
    *peak += peak_seconds(of);
    to->seconds_per_peak = *peak > 0 ? to->cycles / *peak : 1;
}

/* Of each problem the plan of that rank, or its last. */
static ranked_layer plans_of_rank(arena *a, const ranking *of, int problems, int rank) {
    cvk_plan *part = arena_array(a, cvk_plan, problems);
    ranked_layer r = {.plan = {.count = problems, .part = part}};
    double peak = 0;
    for (int i = 0; i < problems; i++) {
        const ranked_plan *chosen = &of[i].plan[rank < of[i].count ? rank : of[i].count - 1];
        part[i] = chosen->plan;
        add_figures(&r, &peak, chosen);
    }
    return r;
}

void layer_rank(arena *a, const cvk_spec *spec, goal aim, int limit, ranked_layer **plans, int *count,
                const char **why) {
    if (spec_is_chain(spec)) {
        chain_rank(a, spec, aim, limit, plans, count, why);
        return;
    }
    const int problems = problem_count(spec);
    ranking *of = arena_array(a, ranking, problems);
    *count = 0;
    int most = 0;
    for (int i = 0; i < problems; i++) {
        if (!rank_problem(a, spec, aim, limit, of, i, why)) return;
        if (of[i].count > most) most = of[i].count;
    }
    *plans = arena_array(a, ranked_layer, most);
    for (*count = 0; *count < most; ++*count) (*plans)[*count] = plans_of_rank(a, of, problems, *count);
}

problem layer_problem(const cvk_spec *spec, const layer_plan *plan, int index) {
    return spec_is_chain(spec) ? chain_problem(spec, plan, index) : problem_of(spec, index);
}

const char *layer_refuse(const cvk_spec *spec, const cvk_target *target, const layer_plan *plan, int *problem_index) {
    if (spec_is_chain(spec)) return chain_refuse(spec, target, plan, problem_index);
    const int problems = problem_count(spec);
    *problem_index = 0;
    if (layer_plan_is_fused(plan)) return "bands are for chains of layers";
    if (plan->count > 1 && plan->count != problems) return "it has not as many plans as the layer has problems";
    for (int i = 0; i < problems; i++) {
        const problem p = problem_of(spec, i);
        const char *why = algo_refuse(&p, target, layer_plan_part(plan, i));
        *problem_index = i;
        if (why) return why;
    }
    return NULL;
}

/* Of a transposed layer: what comes out goes to the workspace, and a last phase folds its border back. */
static void fold_back(arena *a, const cvk_spec *s, const cvk_target *target, layer_nests *nests) {
    fold *f = arena_new(a, fold);
    *f = (fold){.name = s->name,
                .from = problem_unfolded(s),
                .to = problem_output(s, PITCH_OUTPUT),
                .addend = problem_output(s, PITCH_ADDEND),
                .gate = view_everywhere(s->output_type, s->output_layout, s->batch, s->out_channels, s->groups),
                .border = s->padding,
                .n = s->batch,
                .post = problem_epilogue_of(s)};
    for (int i = 0; i < AXES; i++) {
        f->size[i] = s->out_size[i];
        f->before[i] = s->pad_before[i];
        f->after[i] = s->pad_after[i];
    }
    nests->run = program_into_workspace(a, &nests->run, false, &f->begin);
    nests->run = program_then(a, &nests->run, fold_build(a, f, target));
}

/* Of any batch: a phase more, or one more nest in it, between packing and sums. */
static void clear_first(arena *a, const cvk_target *target, layer_nests *nests, clearing of) {
    clearing *c = arena_new(a, clearing);
    *c = of;
    nests->run = program_before_last(a, &nests->run, clear_build(a, c, target));
}

/* Sums taken in parts, or across, go to the workspace, and are added up at the end. */
static void sum_parts(arena *a, const cvk_spec *s, const cvk_target *target, layer_nests *nests) {
    part_sums *p = arena_new(a, part_sums);
    const gradient_matrix m = backward_weights_matrix(s);
    *p = (part_sums){.name = s->name,
                     .sum = spec_sum_type(s),
                     .output = spec_result_type(s),
                     .elements = spec_weights_elements(s),
                     .outputs = spec_result_elements(s),
                     .count = backward_weights_parts(s),
                     .accumulate = s->accumulate,
                     .across = backward_weights_across(s),
                     .groups = m.groups,
                     .rows = m.rows,
                     .columns = m.columns};
    nests->run = program_into_workspace(a, &nests->run, s->batch_any, &p->begin);
    if (s->batch_any)
        clear_first(a, target, nests, (clearing){s->name, ROLE_WORKSPACE, p->sum, p->begin, p->elements * p->count});
    nests->run = program_then(a, &nests->run, sum_parts_build(a, p, target));
}

/* Gradients of weights: what stands for weights comes with each run. */
static void pack_as_it_runs(arena *a, const cvk_spec *s, const cvk_target *target, layer_nests *nests) {
    const bool input = backward_weights_pack_input(s);
    nests->run = program_that_packs(a, &nests->run, &nests->pack, input ? ROLE_INPUT : ROLE_GRADIENT,
                                    input ? ROLE_GRADIENT : ROLE_INPUT);
    nests->pack.count = 0;
    if (backward_weights_wait(s)) sum_parts(a, s, target, nests);
    const int64_t weights = spec_weights_elements(s), all = spec_result_elements(s),
                  first = backward_weights_wait(s) ? weights : 0;
    if (s->batch_any && !s->accumulate && first < all)
        clear_first(a, target, nests, (clearing){s->name, ROLE_OUTPUT, spec_result_type(s), first, all - first});
    if (!s->bias) return;
    bias_gradient *g = arena_new(a, bias_gradient);
    *g = (bias_gradient){.name = s->name,
                         .v = view_dense(s->output_type, s->output_layout, s->batch, s->out_channels, 1, s->out_size),
                         .sum = spec_sum_type(s),
                         .output = spec_result_type(s),
                         .n = s->batch,
                         .size = {s->out_size[AXIS_D], s->out_size[AXIS_H], s->out_size[AXIS_W]},
                         .elements = spec_result_elements(s),
                         .accumulate = s->accumulate || s->batch_any};
    nests->run = program_with(a, &nests->run, bias_gradient_build(a, g, target));
}

/* Of a group_norm: what its problem takes away and multiplies with comes from two phases before. */
static void measure_first(arena *a, const cvk_spec *s, const cvk_target *target, layer_nests *nests) {
    const problem p = problem_of(s, 0);
    moments *m = arena_new(a, moments);
    *m = (moments){.name = s->name,
                   .x = p.x,
                   .sum = p.sum,
                   .n = s->batch,
                   .groups = s->groups,
                   .positions = problem_pixels(&p),
                   .epsilon = s->epsilon};
    nests->run = program_after(a, &nests->run, moments_of_groups(a, m, target));
    nests->run = program_after(a, &nests->run, moments_of_parts(a, m, target));
}

/* What the program does beside its problems' sums: packing as it runs, folding, adding parts up. */
static void count_phases(layer_nests *nests) {
    nest_counts all = {0}, more;
    for (int i = 0; i < nests->run.count; i++) {
        nest_counts phase;
        program_count_phase(&nests->run, i, &phase);
        nest_counts_add(&all, &phase);
    }
    more = all;
    for (int i = 0; i < OP_KINDS; i++) more.ops[i] -= nests->counts.ops[i];
    nests->beside = more;
    nests->counts = all;
}

static double cycles_beside(const cvk_spec *s, const cvk_target *target, const layer_nests *nests) {
    return cost_issue(target, &nests->beside, target_lanes(target, spec_sum_type(s)), INFINITY, true);
}

/* `peak` as in add_figures. */
static void add_phases(const cvk_spec *s, const cvk_target *target, layer_nests *nests, ranked_layer *to, double peak) {
    count_phases(nests);
    const double cycles = cycles_beside(s, target, nests);
    to->cycles += cycles;
    to->judged += cycles;
    if (peak > 0) to->seconds_per_peak = to->cycles / peak;
}

layer_nests layer_build(arena *a, const cvk_spec *spec, goal aim, const layer_plan *plan, ranked_layer *ranked) {
    if (spec_is_chain(spec)) return chain_build(a, spec, aim, plan, ranked);
    const int problems = problem_count(spec);
    nest_program *run = arena_array(a, nest_program, problems);
    nest **pack = arena_array(a, nest *, problems);
    ranked_plan *part = arena_array(a, ranked_plan, problems);
    layer_nests nests = {.part = part, .plan = *plan};
    ranked_layer figures = {.plan = *plan};
    double peak = 0;
    int packs = 0;
    for (int i = 0; i < problems; i++) {
        const problem p = problem_of(spec, i);
        part[i] = algo_build(a, &p, aim, layer_plan_part(plan, i));
        run[i] = part[i].nests.run;
        if (part[i].nests.pack) pack[packs++] = part[i].nests.pack;
        nest_counts_add(&nests.counts, &part[i].counts);
        add_figures(&figures, &peak, &part[i]);
    }
    nests.run = program_beside(a, run, problems);
    if (packs) nests.pack = pack_beside(a, pack, packs);
    if (spec->kind == LAYER_GROUP_NORM) measure_first(a, spec, aim.target, &nests);
    if (problem_folds(spec)) fold_back(a, spec, aim.target, &nests);
    if (spec->direction == DIRECTION_BACKWARD_WEIGHTS) pack_as_it_runs(a, spec, aim.target, &nests);
    add_phases(spec, aim.target, &nests, &figures, peak);
    if (ranked) *ranked = figures;
    return nests;
}

double layer_cycles(const cvk_spec *spec, const cvk_target *target, const layer_nests *nests) {
    if (spec_is_chain(spec)) return chain_cycles(spec, target, nests);
    double cycles = cycles_beside(spec, target, nests);
    for (int i = 0; i < problem_count(spec); i++) {
        const problem p = problem_of(spec, i);
        const ranked_plan *part = &nests->part[i];
        cycles += algo_of(&part->plan)->cycles(&p, target, &part->plan, &part->nests, &part->counts);
    }
    return cycles;
}

void layer_print_known(const cvk_spec *spec, text *out) {
    for (int i = 0; spec->known && i < problem_count(spec); i++) {
        const problem p = problem_of(spec, i);
        text_add(out, "weights%s", problem_count(spec) > 1 ? " of " : "");
        problem_print(spec, i, out);
        text_add(out, ": ");
        known_print(&p, out);
        text_add(out, "\n");
    }
}
