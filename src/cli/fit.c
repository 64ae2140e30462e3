/* convoke tune --fit: the figures of this machine's core from what was recorded on it. */
#include "cli/database.h"
#include "cli/session_main.h"
#include "cli/table.h"
#include "cli/tune.h"
#include "lab/calibration.h"
#include "tune/fit.h"

#include <math.h>

static const column columns[] = {
    {"layer", NULL, 24}, {"plans", "%.0f", 5}, {"before", "%.3f", 6}, {"left_out", "%.3f", 8}, {"fitted", "%.3f", 6},
};

static void add_layer(table *t, const fit_layer *l) {
    const cell row[] = {{l->name, 0}, {NULL, l->plans}, {NULL, l->before}, {NULL, l->after}, {NULL, l->fitted}};
    table_row(t, row);
}

/* Geometric means over the layers. */
typedef struct means {
    double before, left_out, fitted;
} means;

static means means_of(const fit_result *r) {
    means m = {0, 0, 0};
    for (size_t i = 0; i < r->count; i++) {
        m.before += log(r->layers[i].before) / (double)r->count;
        m.left_out += log(r->layers[i].after) / (double)r->count;
        m.fitted += log(r->layers[i].fitted) / (double)r->count;
    }
    return (means){exp(m.before), exp(m.left_out), exp(m.fitted)};
}

static json_t *json_figures(const machine_figures *f) {
    json_t *all = json_object();
    const figure_field *field;
    for (int i = 0; (field = figure_row(i)); i++) json_object_set_new(all, field->name, json_real(figure_get(f, i)));
    return all;
}

static void print_figures(const machine_figures *before, const machine_figures *after) {
    const figure_field *field;
    for (int i = 0; (field = figure_row(i)); i++)
        printf("  %-22s %8.4g  %8.4g  %s\n", field->name, figure_get(before, i), figure_get(after, i), field->unit);
}

static void report_fit(session *s, table *t, const fit_result *r, const cvk_target *target) {
    const means m = means_of(r);
    for (size_t i = 0; i < r->count; i++) add_layer(t, &r->layers[i]);
    if (s->format == FORMAT_TEXT) {
        printf("regret, geometric means: %.3f before, %.3f on layers left out of the fit, %.3f on all\n", m.before,
               m.left_out, m.fitted);
        printf("error of predicted times: %.1f %% before, %.1f %% fitted\nfigures of a core, before and fitted:\n",
               100 * r->error_before, 100 * r->error);
        print_figures(target->figures, &r->figures);
    }
    table_extra(t, "regret",
                json_pack("{s:f, s:f, s:f}", "before", m.before, "left_out", m.left_out, "fitted", m.fitted));
    table_extra(t, "figures_before", json_figures(target->figures));
    table_extra(t, "figures", json_figures(&r->figures));
}

/* Only what helps layers that it was not fitted to. */
static cli_exit keep(session *s, table *t, const fit_result *r) {
    const means m = means_of(r);
    char words[CALIBRATION_WORDS];
    if (!(m.left_out <= m.before)) {
        session_say("layers that were left out of the fit fare worse by it; the figures stay");
        table_extra(t, "kept", json_null());
        return CLI_DONE;
    }
    const bool kept = calibration_keep(target_host(), NULL, &r->figures, words);
    table_extra(t, "kept", kept ? json_string(words) : json_null());
    if (kept && s->format == FORMAT_TEXT) printf("kept in %s, for --target host\n", words);
    if (kept) return CLI_DONE;
    session_say("the figures cannot be kept: %s", words);
    return CLI_IO;
}

static cli_exit fit_all(session *s, arena *a, void *context) {
    (void)context;
    const cli_options *o = s->options;
    const cvk_target *target = calibration_of(target_host(), NULL);
    record_list list = {0};
    fit_result r;
    table t;
    cli_exit status = database_gather(s, a, o->specs, o->spec_count, &list);
    if (status != CLI_DONE) return status;
    fit_figures(a, &list, target, &r);
    if (r.ignored) session_say("%zu trials of other machines, targets, threads and versions are left out", r.ignored);
    if (r.count < 2) {
        session_say("a fit wants the trials of two layers at least, recorded on this machine");
        return CLI_INPUT;
    }
    if (!table_open(&t, "tune", columns, sizeof columns / sizeof *columns, s->format, stdout))
        return session_fail(s, CVK_ERROR_MEMORY);
    report_fit(s, &t, &r, target);
    status = keep(s, &t, &r);
    table_close(&t, s->diagnostics);
    return status;
}

cli_exit tune_fit(const cli_options *options) {
    return session_without_layers(options, options->format, fit_all, NULL);
}
