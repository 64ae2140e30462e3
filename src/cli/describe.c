/* An explanation of a layer: the plan, the others, the nest, the proof, the counts. */
#include "cli/describe.h"
#include "lab/peak.h"
#include "nest/stored.h"
#include "plan/fields.h"
#include "judge/rounding.h"

#include <inttypes.h>
#include <math.h>

static cvk_status describe_stored(description *x, cvk_diagnostics *d) {
    cvk_status status = program_certify_stored(&x->unit.run, STORED_MOST_CHECKING, d);
    x->stored = status == CVK_OK;
    return status == CVK_ERROR_UNSUPPORTED ? CVK_OK : status;
}

cvk_status describe_layer(arena *a, const cvk_spec *spec, goal aim, int limit, cvk_diagnostics *d, description *to) {
    *to = (description){.aim = aim};
    cvk_status status = compile_rank(a, spec, aim, limit, d, &to->plans, &to->plan_count);
    if (status == CVK_OK) status = compile_plan(a, spec, aim, &to->plans[0].plan, d, &to->unit, NULL);
    if (status == CVK_OK) status = describe_stored(to, d);
    return status;
}

static cvk_status time_plans(const lab *l, arena *a, description *x) {
    probe peak;
    cvk_status status = peak_open(a, l, spec_sum_type(x->unit.spec), &peak);
    if (status == CVK_OK)
        status = trial_run(l, x->unit.spec, x->plans, x->measured_count, &peak, a, x->times, &x->peak);
    probe_close(&peak);
    return status;
}

cvk_status describe_measure(const session *s, arena *a, description *x) {
    const int most = MEASURE_MOST - 1;
    const lab alone = {.target = s->target, .threads = &lab_one_thread, .diagnostics = s->diagnostics};
    x->measured_count = x->plan_count < most ? x->plan_count : most;
    x->times = arena_array(a, plan_time, x->measured_count);
    return time_plans(&alone, a, x);
}

double describe_predicted_seconds(const description *x, int i) {
    return x->peak > 0 ? x->plans[i].seconds_per_peak * 2 * (double)spec_macs(x->unit.spec) / x->peak : NAN;
}

double describe_measured_seconds(const description *x, int i) {
    return x->peak > 0 && i < x->measured_count ? x->times[i].seconds : NAN;
}

double describe_share(const ranked_layer *plan) { return plan->seconds_per_peak > 0 ? 1 / plan->seconds_per_peak : 0; }

double describe_loads_per_fma(const nest_counts *counts) {
    double loads = counts->ops[OP_LOAD] + counts->ops[OP_SPLAT];
    return counts->ops[OP_FMA] > 0 ? loads / counts->ops[OP_FMA] : 0;
}

double describe_traffic(const description *x) { return x->unit.counts.bytes; }

static void print_aim(const description *x, text *out) {
    if (x->aim.threads)
        text_add(out, "  chosen for: %u threads, which take %.3g cycles\n", x->aim.threads, x->plans[0].judged);
    else
        text_add(out, "  chosen for: any number of threads\n");
}

/* That of each problem, where there are several. */
static void print_plan(const description *x, text *out) {
    const int problems = problem_count(x->unit.spec);
    text_add(out, problems > 1 ? "plans, one for each problem:\n" : "plan: ");
    for (int i = 0; i < problems; i++) {
        text_add(out, problems > 1 ? "  " : "");
        problem_print(x->unit.spec, i, out);
        text_add(out, problems > 1 ? ": " : "");
        plan_print(layer_plan_part(&x->unit.plan, i), out);
        text_add(out, "\n");
    }
}

static void print_plans(const description *x, text *out) {
    print_plan(x, out);
    text_add(out, "  predicted: %.0f %% of the FMA peak, %.3g cycles\n", 100 * describe_share(&x->plans[0]),
             x->plans[0].cycles);
    print_aim(x, out);
    if (x->origin) text_add(out, "  the plan is %s\n", x->origin);
    for (int i = 1; i < x->plan_count; i++) {
        text_add(out, "%s  ", i == 1 ? "runners-up, by predicted time:\n" : "");
        layer_plan_print_brief(&x->plans[i].plan, out);
        text_add(out, ": %.2f times the time, %.0f %% of peak\n", x->plans[i].judged / x->plans[0].judged,
                 100 * describe_share(&x->plans[i]));
    }
}

static void print_times(const description *x, text *out) {
    if (!(x->peak > 0)) return;
    text_add(out, "microseconds, one thread, FMA peak %.1f GFLOP/s:\n  predicted   measured  plan\n", 1e-9 * x->peak);
    for (int i = 0; i < x->measured_count; i++) {
        text_add(out, "  %9.1f  %9.1f  ", 1e6 * describe_predicted_seconds(x, i),
                 1e6 * describe_measured_seconds(x, i));
        layer_plan_print_brief(&x->plans[i].plan, out);
        text_add(out, "\n");
    }
}

/* Why an algorithm can do none of the layer's problems, said of the first; NULL: it can do one. */
static const char *refused(const description *x, const algorithm *row) {
    const char *why = NULL, *first = NULL;
    for (int i = 0; i < problem_count(x->unit.spec); i++) {
        const problem p = problem_of(x->unit.spec, i);
        if (row->applicable(&p, x->unit.target, &why)) return NULL;
        if (!first) first = why ? why : "";
    }
    return first;
}

/* Algorithms that cannot do the layer. */
static void print_refusals(const description *x, text *out) {
    const algorithm *row;
    bool first = true;
    for (int i = 0; (row = algo_row(i)); i++) {
        const char *why = refused(x, row);
        if (!why) continue;
        text_add(out, "%s  %s/%s: %s\n", first ? "not applicable:\n" : "", row->name, plan_lanes_words[row->lanes],
                 why);
        first = false;
    }
}

/* Where a buffer of that size can stay between two uses. */
static const char *level_of(const cvk_target *t, int64_t bytes) {
    return bytes <= t->l1_bytes ? "L1" : bytes <= t->l2_bytes ? "L2" : bytes <= t->l3_bytes ? "L3" : "memory";
}

static void print_proof(const description *x, text *out) {
    text_add(out, "proof, bytes touched of each buffer:\n");
    for (int role = 0; role < ROLE_COUNT; role++) {
        const program_buffer b = program_needs(&x->unit.run, (nest_role)role);
        int64_t low = x->unit.extent.low[role], high = x->unit.extent.high[role];
        if (!b.name) continue;
        if (high < low)
            text_add(out, "  %-8s none", b.name);
        else
            text_add(out, "  %-8s %" PRId64 " .. %" PRId64, b.name, low, high);
        text_add(out, " of %" PRId64 ", fits %s\n", b.bytes, level_of(x->unit.target, b.bytes));
    }
    const char *passed =
        x->unit.run.count > 1 ? "; what a phase reads of the workspace, an earlier one has stored" : "";
    if (x->stored)
        text_add(out, "  each output is stored once, and none is read before%s\n", passed);
    else
        text_add(out, "  too many outputs to prove that each is stored once\n");
}

static void print_counts(const description *x, text *out) {
    const nest_counts *c = &x->unit.counts;
    text_add(out, "counts, all tasks:\n");
    for (int i = 0; i < OP_KINDS; i++)
        if (c->ops[i] > 0) text_add(out, "  %-10s %.0f\n", nest_op_name((op_kind)i), c->ops[i]);
    text_add(out, "  %.3f loads per fma; %.1f %% of the fma lanes do useful work; %.3g bytes loaded and stored\n",
             describe_loads_per_fma(c), c->fma_all_lanes > 0 ? 100 * c->fma_lanes / c->fma_all_lanes : 0,
             describe_traffic(x));
}

static int64_t all_tasks(const nest_program *p) {
    int64_t tasks = 0;
    for (int i = 0; i < p->count; i++) tasks += program_tasks(p, i);
    return tasks;
}

void describe_print(const description *x, text *out) {
    text_add(out, "layer: ");
    spec_print(x->unit.spec, out);
    text_add(out, "\ntarget: %s, %s\n", x->unit.target->name, x->unit.target->about);
    layer_print_known(x->unit.spec, out);
    print_plans(x, out);
    print_times(x, out);
    print_refusals(x, out);
    text_add(out, "nest, %" PRId64 " tasks:\n", all_tasks(&x->unit.run));
    program_print(&x->unit.run, out);
    print_proof(x, out);
    rounding_print(x->unit.spec, &x->unit.plan, out);
    print_counts(x, out);
}
