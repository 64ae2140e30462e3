/* convoke explain: what was decided about each layer, as text, as JSON, or its plans as rows of CSV. */
#include "cli/describe.h"
#include "cli/explain_network.h"
#include "cli/table.h"
#include "cli/tuned.h"
#include "cli/session_main.h"
#include "cli/verbs.h"

#include <math.h>

enum { RUNNERS_UP = 8 };

static const column columns[] = {
    {"layer", NULL, 24},           {"threads", "%.0f", 7},      {"rank", "%.0f", 4},
    {"share_of_peak", "%.3f", 13}, {"cycles", "%.3g", 10},      {"judged_cycles", "%.3g", 13},
    {"predicted_us", "%.1f", 12},  {"measured_us", "%.1f", 11}, {"plan", NULL, 1},
};

static void add_plans(const description *x, arena *a, table *t) {
    for (int i = 0; i < x->plan_count; i++) {
        const ranked_layer *p = &x->plans[i];
        text plan = text_new(a);
        layer_plan_print(&p->plan, &plan);
        const cell row[] = {{x->unit.spec->name, 0},
                            {NULL, x->aim.threads},
                            {NULL, i + 1},
                            {NULL, describe_share(p)},
                            {NULL, p->cycles},
                            {NULL, p->judged},
                            {NULL, 1e6 * describe_predicted_seconds(x, i)},
                            {NULL, 1e6 * describe_measured_seconds(x, i)},
                            {plan.bytes, 0}};
        table_row(t, row);
    }
}

static json_t *json_proof(const description *x) {
    json_t *proof = json_object();
    for (int role = 0; role < ROLE_COUNT; role++) {
        const program_buffer b = program_needs(&x->unit.run, (nest_role)role);
        if (!b.name) continue;
        json_object_set_new(proof, b.name,
                            json_pack("{s:I, s:I, s:I}", "first_byte", (json_int_t)x->unit.extent.low[role],
                                      "last_byte", (json_int_t)x->unit.extent.high[role], "bytes",
                                      (json_int_t)b.bytes));
    }
    json_object_set_new(proof, "stored_once", json_boolean(x->stored));
    return proof;
}

static json_t *json_counts(const description *x) {
    json_t *counts = json_object();
    for (int i = 0; i < OP_KINDS; i++)
        if (x->unit.counts.ops[i] > 0)
            json_object_set_new(counts, nest_op_name((op_kind)i), json_real(x->unit.counts.ops[i]));
    json_object_set_new(counts, "loads_per_fma", json_real(describe_loads_per_fma(&x->unit.counts)));
    json_object_set_new(counts, "bytes_loaded_and_stored", json_real(describe_traffic(x)));
    return counts;
}

static json_t *json_layer(const description *x, arena *a) {
    text nest_text = text_new(a);
    program_print(&x->unit.run, &nest_text);
    return json_pack("{s:s, s:s?, s:s, s:I, s:s, s:f, s:s, s:o, s:o}", "layer", x->unit.spec->name, "plan_from",
                     x->origin, "target", x->unit.target->name, "threads", (json_int_t)x->aim.threads, "plan",
                     x->unit.info.plan, "share_of_peak", describe_share(&x->plans[0]), "nest", nest_text.bytes, "proof",
                     json_proof(x), "counts", json_counts(x));
}

/* Where explanations go that are not for people. */
typedef struct explained {
    const session_layer *layer;
    table table;
    json_t *layers;
} explained;

static void write_layer(const session *s, const description *x, arena *a, explained *to) {
    if (s->format == FORMAT_TEXT) {
        text out = text_new(a);
        describe_print(x, &out);
        printf("%s\n", out.bytes);
        return;
    }
    add_plans(x, a, &to->table);
    json_array_append_new(to->layers, json_layer(x, a));
}

static cli_exit explain_layer(session *s, arena *a, void *context) {
    explained *to = context;
    description x;
    cvk_status status = describe_layer(a, to->layer->spec, session_goal(s, s->target), s->options->all ? 0 : RUNNERS_UP,
                                       s->diagnostics, &x);
    x.origin = to->layer->origin;
    if (status == CVK_OK && s->options->measure) status = describe_measure(s, a, &x);
    if (status == CVK_OK) write_layer(s, &x, a, to);
    return session_fail(s, status);
}

static cli_exit explain_guarded(session *s, arena *a, void *context) {
    explained to = {.layers = context};
    cli_exit applied = tuned_apply(s, a, false);
    if (applied != CLI_DONE) return applied;
    bool is_table = s->format != FORMAT_TEXT;
    if (is_table && !table_open(&to.table, "explain", columns, sizeof columns / sizeof *columns, s->format, stdout))
        return session_fail(s, CVK_ERROR_MEMORY);
    cli_exit worst = CLI_DONE;
    for (size_t i = 0; i < s->layer_count; i++) {
        if (session_in_network(s, &s->layers[i]) && !is_table) continue;
        to.layer = &s->layers[i];
        worst = graver(worst, session_guarded(s, explain_layer, &to));
    }
    for (const session_file *f = s->files; f < s->files + s->file_count && !is_table; f++)
        if (session_has_network(s, f)) worst = graver(worst, explain_network(s, f));
    table_extra(&to.table, "layers", json_incref(to.layers));
    table_close(&to.table, s->diagnostics);
    return worst;
}

static cli_exit explain_all(session *s) {
    json_t *layers = json_array();
    cli_exit status = session_guarded(s, explain_guarded, layers);
    json_decref(layers);
    return status;
}

cli_exit cli_explain(const cli_options *options) {
    return session_main(options, &(session_verb){explain_all, "explain", .runs = options->measure});
}
