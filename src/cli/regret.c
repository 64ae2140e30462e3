/* convoke bench --regret: the pick of the cost model against the clock's. */
#include "cli/regret.h"
#include "cli/suite.h"
#include "lab/trial.h"

#include <math.h>

static const column columns[] = {
    {"file", NULL, 0},    {"layer", NULL, 24},           {"us", "%.1f", 9},        {"best_us", "%.1f", 9},
    {"ratio", "%.3f", 6}, {"fastest_ratio", "%.3f", 13}, {"best_rank", "%.0f", 9}, {"plans", "%.0f", 5},
    {"plan", NULL, 38},   {"best_plan", NULL, 1},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* What came of all layers. */
typedef struct regrets {
    const session_layer **layer;
    double *ratio;
    size_t count;
} regrets;

static int best_of(const plan_time *times, int count) {
    int best = 0;
    for (int i = 1; i < count; i++)
        if (times[i].seconds < times[best].seconds) best = i;
    return best;
}

/* The least of all fastest runs may belong to another plan than the least median. */
static double least_fastest(const plan_time *times, int count) {
    double least = times[0].fastest;
    for (int i = 1; i < count; i++) least = fmin(least, times[i].fastest);
    return least;
}

static const char *brief(const layer_plan *plan, arena *a) {
    text words = text_new(a);
    layer_plan_print_brief(plan, &words);
    return words.bytes;
}

static void add_row(table *t, const session_layer *layer, const ranked_layer *plans, const plan_time *times, int count,
                    arena *a) {
    const int best = best_of(times, count);
    const cell row[COLUMNS] = {{layer->file->path, 0},
                               {layer->spec->name, 0},
                               {NULL, 1e6 * times[0].seconds},
                               {NULL, 1e6 * times[best].seconds},
                               {NULL, times[0].seconds / times[best].seconds},
                               {NULL, times[0].fastest / least_fastest(times, count)},
                               {NULL, best + 1},
                               {NULL, count},
                               {brief(&plans[0].plan, a), 0},
                               {brief(&plans[best].plan, a), 0}};
    table_row(t, row);
}

static cvk_status regret_layer(session *s, const session_layer *layer, arena *a, table *t, regrets *r) {
    ranked_layer *plans;
    int count;
    cvk_status status = compile_rank(a, layer->spec, session_goal(s, s->target), (int)s->options->regret + 1,
                                     s->diagnostics, &plans, &count);
    if (status != CVK_OK) return status;
    plan_time *times = arena_array(a, plan_time, count);
    status = trial_run(&s->lab, layer->spec, plans, count, NULL, a, times, NULL);
    session_progress_end(s);
    if (status != CVK_OK || !(times[0].seconds > 0)) return status;
    add_row(t, layer, plans, times, count, a);
    r->layer[r->count] = layer;
    r->ratio[r->count++] = times[0].seconds / times[best_of(times, count)].seconds;
    return status;
}

cli_exit regret_all(session *s, arena *a) {
    table t;
    if (!table_open(&t, "bench", columns, COLUMNS, s->format, stdout)) return session_fail(s, CVK_ERROR_MEMORY);
    regrets r = {arena_array(a, const session_layer *, s->layer_count), arena_array(a, double, s->layer_count), 0};
    cli_exit worst = CLI_DONE;
    for (size_t i = 0; i < s->layer_count; i++) {
        session_progress(s, i, s->layer_count, s->layers[i].spec->name);
        worst = graver(worst, session_fail(s, regret_layer(s, &s->layers[i], a, &t, &r)));
    }
    const suite_figure figure = {"regret", "time of the chosen plan over the best's", "%.3f", true, r.ratio};
    table_extra(&t, "suites", suite_report(s, r.layer, r.count, &figure, 1));
    table_close(&t, s->diagnostics);
    return worst;
}
