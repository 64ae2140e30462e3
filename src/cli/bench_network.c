/* The whole is timed by itself, in turns with a rival; the steps in other runs of it, each where the one before left
 * the caches. */
#include "cli/bench_network.h"

#include "base/clock.h"
#include "cli/onnxruntime.h"
#include "cli/session_main.h"
#include "cli/tables.h"
#include "cli/tuned.h"
#include "cli/waterfall.h"
#include "judge/network.h"
#include "lab/measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RUNS = 15 };

/* The last is a picture for people, of characters. */
static const column columns[] = {{"file", NULL, 0},         {"step", NULL, 24},    {"us", "%.1f", 9},
                                 {"share", "%.3f", 6},      {"gflops", "%.1f", 9}, {"begin_us", "%.1f", 0},
                                 {"operations", "%.0f", 0}, {"layers", NULL, 0},   {"", NULL, 1}};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* A network being timed; medians in seconds. */
typedef struct timed {
    session *session;
    tables *tables;
    json_t *networks; /* of the documents */
    const session_file *file;
    ready_network network;
    network_trial trial;
    network_buffers buffers;
    onnxruntime peer;
    double whole, other; /* the rival's; NAN: there is none */
    waterfall_step *step;
} timed;

static int steps_of(const timed *t) { return t->network.steps->step_count; }
static const cvk_spec *layer_of(const timed *t, int step) { return t->network.steps->step[step].spec; }

static double operations_of(const timed *t, int step) {
    const cvk_spec s = spec_of_batch(layer_of(t, step), t->trial.batch);
    return spec_has_weights(&s) ? 2 * (double)spec_macs(&s) : 0;
}

static double operations_of_all(const timed *t) {
    double operations = 0;
    for (int i = 0; i < steps_of(t); i++) operations += operations_of(t, i);
    return operations;
}

/* ---- timing ---- */

static cvk_status run(const timed *t) {
    return cvk_network_run(&t->network.info, &t->buffers.buffers, &t->session->parallel);
}

static void time_whole(timed *t) {
    double ours[RUNS], theirs[RUNS];
    for (int i = 0; i < RUNS; i++) {
        if (t->peer.process) run(t); /* what it left of the caches is not counted */
        const double start = clock_seconds();
        run(t);
        ours[i] = clock_seconds() - start;
        if (!t->peer.process) continue;
        lab_rest(&t->session->lab);
        theirs[i] = onnxruntime_run(&t->peer);
    }
    t->whole = measure_median(ours, RUNS);
    t->other = t->peer.process ? measure_median(theirs, RUNS) : NAN;
}

static cvk_status time_steps(timed *t, arena *a) {
    double *seconds = arena_array(a, double, steps_of(t) + 1);
    const cvk_status status =
        ready_network_time(&t->network, &t->buffers.buffers, &t->session->parallel, RUNS, a, seconds);
    t->step = arena_array(a, waterfall_step, steps_of(t) + 1);
    for (int i = 0; i < steps_of(t); i++)
        t->step[i] = (waterfall_step){t->network.info.step[i].name, seconds[i], spec_has_weights(layer_of(t, i))};
    return status;
}

/* ---- telling ---- */

static double sum_of_steps(const timed *t) {
    double sum = 0;
    for (int i = 0; i < steps_of(t); i++) sum += t->step[i].seconds;
    return sum;
}

/* The layers of the file that a step is, in words. */
static const char *layers_in(arena *a, const network_parts *parts) {
    text words = text_new(a);
    for (int i = 0; i < parts->count; i++) text_add(&words, "%s%s", i ? " " : "", parts->layer[i]->name);
    return words.length ? words.bytes : "";
}

static void add_rows(const timed *t, arena *a) {
    const double sum = sum_of_steps(t);
    double before = 0;
    for (int i = 0; i < steps_of(t); i++) {
        const waterfall_step *s = &t->step[i];
        const double operations = operations_of(t, i);
        const cell row[COLUMNS] = {{t->file->path, 0},
                                   {s->name, 0},
                                   {NULL, 1e6 * s->seconds},
                                   {NULL, s->seconds / sum},
                                   {NULL, s->weighs ? 1e-9 * operations / s->seconds : NAN},
                                   {NULL, 1e6 * before},
                                   {NULL, operations},
                                   {layers_in(a, &t->network.steps->step[i].parts), 0},
                                   {waterfall_bar(a, before / sum, (before + s->seconds) / sum), 0}};
        tables_row(t->tables, row);
        before += s->seconds;
    }
}

static double share_without_weights(const timed *t) {
    double others = 0;
    for (int i = 0; i < steps_of(t); i++) others += t->step[i].weighs ? 0 : t->step[i].seconds;
    return others / sum_of_steps(t);
}

static json_t *number_or_null(double number) { return isnan(number) ? json_null() : json_real(number); }

static void add_network(const timed *t) {
    const network_memory *m = &t->network.memory;
    json_array_append_new(
        t->networks,
        json_pack("{s:s, s:s, s:i, s:f, s:f, s:f, s:I, s:I, s:f, s:s, s:o, s:o}", "file", t->file->path, "target",
                  t->session->target->name, "threads", (int)t->session->parallel.workers, "ms", 1e3 * t->whole,
                  "gflops", 1e-9 * operations_of_all(t) / t->whole, "share_without_weights", share_without_weights(t),
                  "workspace_bytes", (json_int_t)m->peak, "workspace_bound_bytes", (json_int_t)m->bound, "compile_ms",
                  1e3 * t->network.compile_seconds, "peer", t->peer.version, "peer_ms", number_or_null(1e3 * t->other),
                  "over_peer", number_or_null(t->other / t->whole)));
}

static void tell_whole(const timed *t) {
    if (t->session->format != FORMAT_TEXT) return;
    printf("%s: %.3f ms a run, %.1f GFLOP/s, %u thread%s; %.3f of it in steps without weights; %.1f KiB of workspace; "
           "compiled in %.0f ms\n",
           t->file->path, 1e3 * t->whole, 1e-9 * operations_of_all(t) / t->whole, t->session->parallel.workers,
           t->session->parallel.workers > 1 ? "s" : "", share_without_weights(t), (double)t->network.memory.peak / 1024,
           1e3 * t->network.compile_seconds);
    if (t->peer.process)
        printf("onnxruntime-node %s: %.3f ms a run, %.2f times as long\n", t->peer.version, 1e3 * t->other,
               t->other / t->whole);
}

static cli_exit draw(const timed *t, arena *a) {
    const char *path = t->session->options->svg;
    text out = text_new(a);
    if (!path) return CLI_DONE;
    waterfall_draw(arena_format(a, "%s: %.2f ms, %u thread%s, %s; blue: steps with weights", t->file->stem,
                                1e3 * t->whole, t->session->parallel.workers,
                                t->session->parallel.workers > 1 ? "s" : "", t->session->target->name),
                   t->step, steps_of(t), &out);
    return tables_write_file(t->session, path, out.bytes, out.length);
}

/* ---- a network ---- */

static cli_exit time_bound(timed *t, arena *a) {
    const cvk_status status = time_steps(t, a);
    if (status != CVK_OK) return session_fail(t->session, status);
    time_whole(t);
    if (t->peer.process && isnan(t->other)) {
        session_say(ONNXRUNTIME " ended before it had run");
        return CLI_UNSUPPORTED;
    }
    add_rows(t, a);
    add_network(t);
    tell_whole(t);
    return draw(t, a);
}

static cli_exit bench_opened(timed *t, arena *a) {
    session *s = t->session;
    const int64_t batch = s->lab.batch ? s->lab.batch : 1;
    cli_exit done = tuned_network(s, a, t->file, &t->network);
    if (done != CLI_DONE) return done;
    cvk_status status = ready_network_open(&s->lab, a, &t->network);
    if (status == CVK_OK)
        status = network_trial_open(t->network.steps, &t->network.info, batch, s->options->seed, &t->trial);
    if (status == CVK_OK) status = network_trial_bind(&t->trial, GUARD_START, s->parallel.workers, &t->buffers);
    if (status != CVK_OK) return session_fail(s, status);
    if (s->options->peer.count)
        done = onnxruntime_open(s->options->model, &t->network.info, batch, s->parallel.workers, a, &t->peer);
    return done == CLI_DONE ? time_bound(t, a) : done;
}

static cli_exit bench_guarded(session *s, arena *a, void *context) {
    (void)s;
    timed *t = context;
    const cli_exit status = bench_opened(t, a);
    onnxruntime_close(&t->peer);
    network_buffers_free(&t->buffers);
    network_trial_close(&t->trial);
    ready_network_close(&t->network);
    return status;
}

/* ---- all of them ---- */

static cli_exit refuse(const char *words) {
    session_say("%s", words);
    return CLI_USAGE;
}

static cli_exit check_options(const session *s) {
    const cli_options *o = s->options;
    for (int i = 0; i < o->peer.count; i++)
        if (strcmp(o->peer.text[i], ONNXRUNTIME) != 0)
            return refuse("of networks the one peer is " ONNXRUNTIME "; `--layer .` has the layers one by one");
    if (o->peer.count && !o->model)
        return refuse("--peer " ONNXRUNTIME " wants --model FILE, the network as it has it");
    if (o->model && !o->peer.count) return refuse("--model is for --peer " ONNXRUNTIME);
    if ((o->model || o->svg) && s->file_count > 1) return refuse("--model and --svg are for one network at a time");
    if (o->cold || o->cores || o->regret || o->plain || o->accuracy)
        return refuse(
            "--cold, --cores, --regret, --plain and --accuracy are for layers; `--layer .` has all one by one");
    return CLI_DONE;
}

cli_exit bench_networks(session *s) {
    tables all;
    cli_exit worst = check_options(s);
    if (worst == CLI_DONE) worst = tables_open(s, "bench", columns, COLUMNS - 1, 1, &all);
    if (worst != CLI_DONE) return worst;
    json_t *networks = json_array();
    for (const session_file *f = s->files; f < s->files + s->file_count; f++) {
        timed t = {.session = s, .tables = &all, .networks = networks, .file = f};
        worst = graver(worst, session_guarded(s, bench_guarded, &t));
    }
    tables_extra(&all, "networks", networks);
    worst = graver(worst, tables_close(&all));
    tables_free(&all);
    return worst;
}
