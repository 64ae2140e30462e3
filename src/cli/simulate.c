/* convoke tune --simulate: strategies compared on a database, in a table and a plot. */
#include "cli/convergence.h"
#include "cli/database.h"
#include "cli/session_main.h"
#include "cli/table.h"
#include "cli/tune.h"
#include "files/output.h"
#include "tune/simulate.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { MOST_STRATEGIES = 16, MOST_TRIALS = 1000, MOST_REPEATS = 10000 };
static const double NEAR = 0.98; /* of the optimum: as good as found */

/* The share of the optimum after so many trials, at the median, and the trials it takes to be near it. */
static const column columns[] = {
    {"strategy", NULL, 10},       {"after_5", "%.3f", 7},
    {"after_10", "%.3f", 8},      {"after_20", "%.3f", 8},
    {"after_40", "%.3f", 8},      {"after_50", "%.3f", 8},
    {"after_100", "%.3f", 9},     {"worst_tenth_50", "%.3f", 14},
    {"trials_to_98", "%.0f", 12}, {"three_quarters_to_98", "%.0f", 20},
    {"layers", "%.0f", 6},        {"repeats", "%.0f", 7},
};

typedef struct comparison {
    session *session;
    arena *arena;
    simulation simulation;
    const strategy *strategy[MOST_STRATEGIES];
    convergence_curve curve[MOST_STRATEGIES];
    size_t count;
    int trials, repeats;
    table table;
    json_t *curves;
} comparison;

static size_t runs_of(const comparison *c) { return c->simulation.count * (size_t)c->repeats; }

/* ---- figures ---- */

static double quantile_after(const comparison *c, const double *share, int trials, double of_runs) {
    if (trials > c->trials) return NAN;
    double *values = arena_copy(c->arena, share + (size_t)(trials - 1) * runs_of(c), sizeof *values * runs_of(c));
    return simulation_quantile(values, runs_of(c), of_runs);
}

/* The first trial after which a run is near the optimum; one more than all where it never is. */
static double trials_to_near(const comparison *c, const double *share, size_t run) {
    int t = 0;
    while (t < c->trials && share[(size_t)t * runs_of(c) + run] < NEAR) t++;
    return t + 1;
}

/* Over layers, of each layer's median. */
static double layers_to_near(const comparison *c, const double *share, double of_layers) {
    double *of_layer = arena_array(c->arena, double, c->simulation.count),
           *of_run = arena_array(c->arena, double, c->repeats);
    for (size_t l = 0; l < c->simulation.count; l++) {
        for (int r = 0; r < c->repeats; r++) of_run[r] = trials_to_near(c, share, l * (size_t)c->repeats + (size_t)r);
        of_layer[l] = simulation_quantile(of_run, (size_t)c->repeats, 0.5);
    }
    const double trials = simulation_quantile(of_layer, c->simulation.count, of_layers);
    return trials > c->trials ? NAN : trials;
}

static const double *curve_of(const comparison *c, const double *share, double of_runs) {
    double *curve = arena_array(c->arena, double, c->trials);
    for (int t = 0; t < c->trials; t++) curve[t] = quantile_after(c, share, t + 1, of_runs);
    return curve;
}

static json_t *json_curve(const comparison *c, const double *values) {
    json_t *list = json_array();
    for (int t = 0; t < c->trials; t++) json_array_append_new(list, json_real(values[t]));
    return list;
}

static void add_row(comparison *c, const strategy *s, const double *share) {
    static const int after[] = {5, 10, 20, 40, 50, 100};
    enum { AFTER = sizeof after / sizeof *after };
    cell row[sizeof columns / sizeof *columns] = {{s->name, 0}};
    int at = 1;
    for (int i = 0; i < AFTER; i++) row[at++].number = quantile_after(c, share, after[i], 0.5);
    row[at++].number = quantile_after(c, share, 50, 0.1);
    row[at++].number = layers_to_near(c, share, 0.5);
    row[at++].number = layers_to_near(c, share, 0.75);
    row[at++].number = (double)c->simulation.count;
    row[at].number = c->repeats;
    table_row(&c->table, row);
}

static void compare_one(comparison *c, size_t i) {
    const strategy *s = c->strategy[i];
    double *share = arena_array(c->arena, double, (size_t)c->trials *runs_of(c));
    session_progress(c->session, i, c->count, s->name);
    simulation_run(&c->simulation, s, c->trials, c->repeats, c->session->options->seed, share);
    session_progress_end(c->session);
    c->curve[i] =
        (convergence_curve){s->name, curve_of(c, share, 0.25), curve_of(c, share, 0.5), curve_of(c, share, 0.75)};
    json_object_set_new(c->curves, s->name,
                        json_pack("{s:o, s:o, s:o}", "low", json_curve(c, c->curve[i].low), "median",
                                  json_curve(c, c->curve[i].median), "high", json_curve(c, c->curve[i].high)));
    add_row(c, s, share);
}

static cli_exit draw(const comparison *c) {
    session *s = c->session;
    if (!s->options->svg) return CLI_DONE;
    const convergence plot = {
        c->curve, c->count, c->trials,
        arena_format(c->arena, "%zu layers, %d repeats: medians and quartiles", c->simulation.count, c->repeats)};
    text svg = text_new(c->arena);
    convergence_draw(&plot, &svg);
    const output_file file = {s->options->svg, svg.bytes, svg.length};
    return session_fail(s, output_write(&file, 1, s->diagnostics));
}

/* ---- what was asked for ---- */

static cli_exit read_strategies(comparison *c) {
    const char *list = c->session->options->strategy;
    for (const char *at = list; *at; at += strcspn(at, ",")) {
        at += *at == ',';
        const char *name = arena_string(c->arena, at, strcspn(at, ","));
        if (c->count == MOST_STRATEGIES) {
            session_say("--strategy takes %d of them at most", MOST_STRATEGIES);
            return CLI_USAGE;
        }
        cli_exit status = tune_strategy(name, &c->strategy[c->count++]);
        if (status != CLI_DONE) return status;
    }
    return CLI_DONE;
}

static cli_exit read_numbers(comparison *c) {
    const cli_options *o = c->session->options;
    tune_budget budget;
    cli_exit status = tune_read_budget(o->budget, &budget);
    if (status != CLI_DONE) return status;
    c->trials = budget.trials < MOST_TRIALS ? budget.trials : MOST_TRIALS;
    c->repeats = (int)o->repeat;
    if (c->trials >= 1 && o->repeat >= 1 && o->repeat <= MOST_REPEATS) return CLI_DONE;
    session_say("--simulate wants 1 to %d trials and --repeat 1 to %d", MOST_TRIALS, MOST_REPEATS);
    return CLI_USAGE;
}

static cli_exit open_simulation(comparison *c) {
    const cli_options *o = c->session->options;
    record_list list = {0};
    cli_exit status = database_gather(c->session, c->arena, o->specs, o->spec_count, &list);
    if (status != CLI_DONE) return status;
    simulation_open(c->arena, &list, &c->simulation);
    if (c->simulation.ignored)
        session_say("%zu plans do not fit their layers any more, and are left out", c->simulation.ignored);
    if (c->simulation.count) return CLI_DONE;
    session_say(
        "there is no layer with trials to replay; `convoke tune --strategy exhaustive --budget all` makes them");
    return CLI_INPUT;
}

static cli_exit compare_all(session *s, arena *a, void *context) {
    comparison *c = context;
    c->session = s;
    c->arena = a;
    cli_exit status = read_strategies(c);
    if (status == CLI_DONE) status = read_numbers(c);
    if (status == CLI_DONE) status = open_simulation(c);
    if (status != CLI_DONE) return status;
    if (!table_open(&c->table, "tune", columns, sizeof columns / sizeof *columns, s->format, stdout))
        return session_fail(s, CVK_ERROR_MEMORY);
    c->curves = json_object();
    for (size_t i = 0; i < c->count; i++) compare_one(c, i);
    table_extra(&c->table, "curves", c->curves);
    table_close(&c->table, s->diagnostics);
    return draw(c);
}

cli_exit tune_simulate(const cli_options *options) {
    comparison c = {.count = 0};
    return session_without_layers(options, options->format, compare_all, &c);
}
