/* convoke tune: a row a layer, what was tried and what won; Ctrl-C ends it between two records. */
#include "cli/tune.h"
#include "base/clock.h"
#include "cli/database.h"
#include "cli/session_main.h"
#include "cli/table.h"
#include "cli/tune_items.h"
#include "cli/verbs.h"
#include "cli/weights.h"
#include "compile.h"
#include "files/folders.h"
#include "tune/tuner.h"

#include <convoke/pthreadpool.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const column columns[] = {
    {"layer", NULL, 24},  {"share", "%.3f", 5},    {"trials", "%.0f", 6},   {"failed", "%.0f", 6},
    {"tried", "%.0f", 5}, {"a_second", "%.1f", 8}, {"model_us", "%.1f", 9}, {"best_us", "%.1f", 9},
    {"match", "%.3f", 6}, {"low", "%.3f", 6},      {"high", "%.3f", 6},     {"chance", "%.2g", 8},
    {"winner", NULL, 38}, {"plan", NULL, 0},
};

/* ---- how long ---- */

cli_exit tune_read_budget(const char *words, tune_budget *to) {
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}};
    char *end;
    *to = (tune_budget){INT_MAX, INFINITY};
    if (strcmp(words, "all") == 0) return CLI_DONE;
    errno = 0;
    const unsigned long number = strtoul(words, &end, 10);
    bool good = !errno && *words >= '0' && *words <= '9' && number <= INT_MAX;
    if (!*end) to->trials = (int)number;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (*end == units[i].unit && !end[1]) to->seconds = (double)number * units[i].seconds;
    if (good && (!*end || isfinite(to->seconds))) return CLI_DONE;
    session_say("--budget is a number of trials a layer, a time such as 90s, 5m or 2h, or all, not `%s`", words);
    return CLI_USAGE;
}

/* ---- Ctrl-C ---- */

static volatile sig_atomic_t stopped;

static void stop(int number) { stopped = number; }

/* What is being tried is given up; what was tried is on disk. The shell is told that it was the signal. */
static cli_exit leave_if_stopped(void) {
    if (!stopped) return CLI_DONE;
    session_say("stopped; the same command goes on from here");
    signal(stopped, SIG_DFL);
    raise(stopped);
    return CLI_INTERNAL;
}

/* ---- a run ---- */

typedef struct run {
    session *session;
    tune_setup setup;
    tune_budget budget;
    table table;
    record_list known;
    surrogate_knowledge knowledge;
    tune_items items;
    size_t at; /* which of them */
    double begin, shown;
} run;

static void show_progress(void *context, const tune_progress *p) {
    run *r = context;
    const double now = clock_seconds();
    static const double between = 0.1;
    if (now - r->shown < between) return;
    r->shown = now;
    char of[32] = "";
    if (p->budget < INT_MAX) snprintf(of, sizeof of, "/%d", p->budget);
    char words[256];
    snprintf(words, sizeof words, "%s: %d%s trials, %d failed, best %.3f of the model's, %.1f a second", p->name,
             p->trials, of, p->failed, p->relative, p->tried / fmax(p->seconds, 1e-3));
    session_progress(r->session, r->at, r->items.count, words);
}

static void add_row(run *r, arena *a, const tune_item *item, const tune_result *x) {
    const record *m = &x->match;
    const bool held = m->turns > 0;
    const char *winner = !*m->plan ? "no match" : m->crowned ? database_brief(a, m->plan) : "the model's";
    const cell row[] = {{item->spec->name, 0},
                        {NULL, item->share},
                        {NULL, x->trials},
                        {NULL, x->failed},
                        {NULL, x->tried},
                        {NULL, x->tried / fmax(x->seconds, 1e-3)},
                        {NULL, 1e6 * m->best_seconds},
                        {NULL, 1e6 * m->seconds},
                        {NULL, held ? m->ratio : NAN},
                        {NULL, m->low},
                        {NULL, m->high},
                        {NULL, m->chance},
                        {winner, 0},
                        {m->crowned ? m->plan : m->pick, 0}};
    session_progress_end(r->session);
    table_row(&r->table, row);
}

/* Time is shared among the layers that are left. */
static double until(const run *r) {
    const double left = r->begin + r->budget.seconds - clock_seconds();
    double weights = 0;
    for (size_t i = r->at; i < r->items.count; i++) weights += r->items.item[i].weight;
    return clock_seconds() + left * r->items.item[r->at].weight / weights;
}

static cli_exit tune_one(session *s, arena *a, void *context) {
    run *r = context;
    tune_result result;
    const tune_item *item = &r->items.item[r->at];
    known_tensors own;
    const cli_exit read = weights_own(s, a, item->parts.layer, item->parts.count, &own, &r->setup.weights);
    if (read != CLI_DONE) return read;
    r->setup.until = until(r);
    cvk_status status = tune_layer(&r->setup, &tune_usual_limits, a, item->spec, &result);
    if (status == CVK_OK && !result.stopped) add_row(r, a, item, &result);
    session_progress_end(s);
    return session_fail(s, status);
}

/* LLVM is loaded once, for all workers to have. What is wrong with the layer is said when its turn comes. */
static void load_compiler(const session *s) {
    cvk_object object;
    if (compile_layer(s->layers[0].spec, session_goal(s, s->target), NULL, NULL, &object, NULL) == CVK_OK)
        object_free(&object);
}

static cli_exit tune_all(session *s, arena *a, run *r) {
    load_compiler(s);
    cli_exit worst = tune_items_of(s, a, &r->items);
    if (!table_open(&r->table, "tune", columns, sizeof columns / sizeof *columns, s->format, stdout))
        return session_fail(s, CVK_ERROR_MEMORY);
    r->begin = clock_seconds();
    for (r->at = 0; r->at < r->items.count && !stopped; r->at++) worst = graver(worst, session_guarded(s, tune_one, r));
    table_extra(&r->table, "strategy", json_string(r->setup.strategy->name));
    table_extra(&r->table, "seed", json_integer((json_int_t)r->setup.seed));
    table_close(&r->table, s->diagnostics);
    return worst;
}

static cvk_parallel_for start_threads(uint32_t count) { return cvk_pthreadpool(pthreadpool_create(count)); }

static cli_exit read_setup(const session *s, run *r) {
    const cli_options *o = s->options;
    *r = (run){.session = (session *)s,
               .setup = {.aim = session_goal(s, s->target),
                         .seed = o->seed,
                         .stop = &stopped,
                         .start_threads = start_threads,
                         .diagnostics = s->diagnostics,
                         .compile = trial_compile,
                         .measure = trial_measure,
                         .shard = {0, 1}}};
    cli_exit status = tune_strategy(o->strategy, &r->setup.strategy);
    if (status == CLI_DONE) status = tune_read_budget(o->budget, &r->budget);
    if (status != CLI_DONE) return status;
    r->setup.budget = r->budget.trials;
    if (!o->shard || shard_read(o->shard, &r->setup.shard)) return CLI_DONE;
    session_say("--shard is I/N with I from 0 to N - 1, or auto in a task of a Slurm array or a rank of MPI, not `%s`",
                o->shard);
    return CLI_USAGE;
}

/* Names of strategies, and the one it might have been. */
cli_exit tune_strategy(const char *name, const strategy **to) {
    enum { MOST = 16 };
    const char *names[MOST];
    size_t count = 0;
    *to = strategy_find(name);
    if (*to) return CLI_DONE;
    for (const strategy *row; count < MOST && (row = strategy_row((int)count)); count++) names[count] = row->name;
    const char *near = text_nearest(name, names, count);
    session_say("there is no strategy `%s`%s%s%s", name, near ? "\n  hint: did you mean `" : "", near ? near : "",
                near ? "`?" : "");
    return CLI_USAGE;
}

/* The database, opened and read, for a run. */
static cli_exit with_database(session *s, arena *a, void *context) {
    run *r = context;
    const char *folder = s->options->database;
    if (!folders_make(folder)) {
        session_say("%s: cannot be made: %s", folder, strerror(errno));
        return CLI_IO;
    }
    cvk_status status = database_read(a, folder, s->diagnostics, &r->known);
    if (status != CVK_OK) return session_fail(s, status);
    r->setup.known = &r->known;
    r->setup.knowledge = &r->knowledge;
    r->setup.progress = show_progress;
    r->setup.progress_context = r;
    r->setup.writer = database_writer_new(folder);
    if (!r->setup.writer) return session_fail(s, CVK_ERROR_MEMORY);
    cli_exit done = tune_all(s, a, r);
    database_writer_free(r->setup.writer);
    return done;
}

static cli_exit tune_session(session *s) {
    run r;
    cli_exit status = read_setup(s, &r);
    if (status != CLI_DONE) return status;
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    status = session_guarded(s, with_database, &r);
    return stopped ? leave_if_stopped() : status;
}

cli_exit cli_tune(const cli_options *options) {
    if (options->simulate) return tune_simulate(options);
    if (options->fit) return tune_fit(options);
    return session_main(options, &(session_verb){.body = tune_session, .table = "tune", .runs = true});
}
