/* An explanation of a layer: the plan, the others, the nest, the proof, the counts. */
#include "cli/describe.h"
#include "plan/brief.h"
#include "plan/fields.h"

#include <inttypes.h>

cvk_status describe_layer(arena *a, const cvk_spec *spec, const cvk_target *target, int limit, cvk_diagnostics *d,
                          description *to) {
    cvk_status status = algo_rank(a, spec, target, limit, d, &to->plans, &to->plan_count);
    if (status == CVK_OK) status = compile_plan(a, spec, target, &to->plans[0].plan, d, &to->unit, NULL);
    if (status == CVK_OK) status = nest_check(to->unit.run, d, &to->extent);
    if (status == CVK_OK) nest_count(to->unit.run, &to->counts);
    return status;
}

double describe_share(const ranked_plan *plan) { return plan->seconds_per_peak > 0 ? 1 / plan->seconds_per_peak : 0; }

double describe_loads_per_fma(const nest_counts *counts) {
    double loads = counts->ops[OP_LOAD] + counts->ops[OP_SPLAT];
    return counts->ops[OP_FMA] > 0 ? loads / counts->ops[OP_FMA] : 0;
}

double describe_traffic(const description *x) {
    const double *ops = x->counts.ops, lane = sizeof(float);
    return lane * (x->unit.run->lanes * (ops[OP_LOAD] + ops[OP_STORE]) + ops[OP_SPLAT]);
}

static void print_plans(const description *x, text *out) {
    text_add(out, "plan: %s\n  predicted: %.0f %% of the FMA peak, %.3g cycles\n", x->unit.info.plan,
             100 * describe_share(&x->plans[0]), x->plans[0].cycles);
    for (int i = 1; i < x->plan_count; i++) {
        text_add(out, "%s  ", i == 1 ? "runners-up, by predicted time:\n" : "");
        plan_print_brief(&x->plans[i].plan, out);
        text_add(out, ": %.2f times the time, %.0f %% of peak\n", x->plans[i].cycles / x->plans[0].cycles,
                 100 * describe_share(&x->plans[i]));
    }
}

/* Algorithms that cannot do the layer. */
static void print_refusals(const description *x, text *out) {
    const algorithm *row;
    bool first = true;
    for (int i = 0; (row = algo_row(i)); i++) {
        const char *why = NULL;
        if (row->applicable(x->unit.spec, x->unit.target, &why)) continue;
        text_add(out, "%s  %s/%s: %s\n", first ? "not applicable:\n" : "", row->name, plan_lanes_words[row->lanes],
                 why ? why : "");
        first = false;
    }
}

/* Where a buffer of that size can stay between two uses. */
static const char *level_of(const cvk_target *t, int64_t bytes) {
    return bytes <= t->l1_bytes ? "L1" : bytes <= t->l2_bytes ? "L2" : bytes <= t->l3_bytes ? "L3" : "memory";
}

static void print_proof(const description *x, text *out) {
    const nest *n = x->unit.run;
    text_add(out, "proof, bytes touched of each buffer:\n");
    for (int i = 0; i < n->tensor_count; i++) {
        const nest_tensor *t = &n->tensors[i];
        int64_t low = x->extent.low[t->role], high = x->extent.high[t->role], bytes = sizeof(float);
        if (high < low)
            text_add(out, "  %-8s none", t->name);
        else
            text_add(out, "  %-8s %" PRId64 " .. %" PRId64, t->name, low * bytes, (high + 1) * bytes - 1);
        text_add(out, " of %" PRId64 ", fits %s\n", t->elements * bytes, level_of(x->unit.target, t->elements * bytes));
    }
}

static void print_counts(const description *x, text *out) {
    const nest_counts *c = &x->counts;
    double lanes = c->ops[OP_FMA] * x->unit.run->lanes;
    text_add(out, "counts, all tasks:\n");
    for (int i = 0; i < OP_KINDS; i++)
        if (c->ops[i] > 0) text_add(out, "  %-10s %.0f\n", nest_op_name((op_kind)i), c->ops[i]);
    text_add(out, "  %.3f loads per fma; %.1f %% of the fma lanes do useful work; %.3g bytes loaded and stored\n",
             describe_loads_per_fma(c), lanes > 0 ? 100 * c->fma_lanes / lanes : 0, describe_traffic(x));
}

void describe_print(const description *x, text *out) {
    text_add(out, "layer: ");
    spec_print(x->unit.spec, out);
    text_add(out, "\ntarget: %s, %s\n", x->unit.target->name, x->unit.target->about);
    print_plans(x, out);
    print_refusals(x, out);
    text_add(out, "nest, %" PRId64 " tasks:\n", x->unit.run->tasks);
    nest_print(x->unit.run, out);
    print_proof(x, out);
    print_counts(x, out);
}
