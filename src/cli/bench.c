/* convoke bench: a row of figures a layer, then geometric means a file, then what compiling took. */
#include "cli/measure.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/timing.h"
#include "cli/verbs.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const column columns[] = {
    {"file", NULL, 0},          {"layer", NULL, 24},          {"us", "%.1f", 9},
    {"gflops", "%.1f", 7},      {"of_peak", "%.3f", 7},       {"predicted", "%.2f", 9},
    {"peer_us", "%.1f", 9},     {"ratio", "%.2f", 6},         {"peer", NULL, 6},
    {"compile_ms", "%.1f", 10}, {"object_bytes", "%.0f", 12}, {"plan", NULL, 1},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static const peer *const peers[] = {
#ifdef CVK_PEER_ONEDNN
    &peer_onednn,
#endif
    NULL, /* a table is not empty */
};

/* One run of the verb. */
typedef struct bench {
    session *session;
    const peer *peer; /* or NULL */
    peak peak;
    arena arena;
    table table, csv; /* csv: into csv_text, or without a file */
    char *csv_text;
    size_t csv_size;
    timing *timings;
    size_t count;
} bench;

static void add_row(bench *b, const timing *t) {
    const cell row[COLUMNS] = {{t->layer->file->path, 0},
                               {t->layer->spec->name, 0},
                               {NULL, 1e6 * t->seconds},
                               {NULL, t->gflops},
                               {NULL, t->of_peak},
                               {NULL, t->predicted},
                               {NULL, 1e6 * t->peer_seconds},
                               {NULL, t->peer_seconds / t->seconds},
                               {t->variant, 0},
                               {NULL, 1e3 * timing_compile_seconds(&t->times)},
                               {NULL, t->object_bytes},
                               {t->plan, 0}};
    session_progress_end(b->session);
    table_row(&b->table, row);
    if (b->csv.file) table_row(&b->csv, row);
}

static cli_exit time_layers(bench *b) {
    session *s = b->session;
    cli_exit worst = CLI_DONE;
    for (size_t i = 0; i < s->layer_count; i++) {
        timing *t = &b->timings[b->count];
        session_progress(s, i, s->layer_count, s->layers[i].spec->name);
        cvk_status status = timing_run(s, &s->layers[i], b->peer, &b->peak, &b->arena, t);
        if (status == CVK_OK && t->seconds > 0) {
            add_row(b, t);
            b->count++;
        }
        if (status != CVK_OK) session_progress_end(s);
        worst = graver(worst, session_fail(s, status));
    }
    return worst;
}

/* Geometric means over the layers of one file. */
typedef struct means {
    double gflops, of_peak, ratio;
    int layers, compared;
} means;

static means means_of(const bench *b, const session_file *file) {
    means m = {0};
    for (size_t i = 0; i < b->count; i++) {
        const timing *t = &b->timings[i];
        if (t->layer->file != file) continue;
        m.layers++;
        m.gflops += log(t->gflops);
        m.of_peak += log(t->of_peak);
        if (isnan(t->peer_seconds)) continue;
        m.compared++;
        m.ratio += log(t->peer_seconds / t->seconds);
    }
    m.gflops = exp(m.gflops / m.layers);
    m.of_peak = exp(m.of_peak / m.layers);
    m.ratio = m.compared ? exp(m.ratio / m.compared) : NAN;
    return m;
}

static void summarise_files(bench *b) {
    json_t *list = json_array();
    for (size_t i = 0; i < b->session->file_count; i++) {
        const session_file *file = &b->session->files[i];
        means m = means_of(b, file);
        if (!m.layers) continue;
        if (b->session->format == FORMAT_TEXT) {
            printf("%s: geometric means of %d layers: %.1f GFLOP/s, %.1f %% of the FMA peak", file->stem, m.layers,
                   m.gflops, 100 * m.of_peak);
            if (m.compared) printf(", %.2f times as fast as %s (%d layers)", m.ratio, b->peer->name, m.compared);
            putchar('\n');
        }
        json_array_append_new(list, json_pack("{s:s, s:f, s:f, s:o, s:i}", "file", file->path, "gflops", m.gflops,
                                              "of_peak", m.of_peak, "ratio",
                                              m.compared ? json_real(m.ratio) : json_null(), "layers", m.layers));
    }
    table_extra(&b->table, "means", list);
}

static double plan_seconds(const timing *t) { return t->times.plan; }
static double lower_seconds(const timing *t) { return t->times.emit.lower; }
static double optimise_seconds(const timing *t) { return t->times.emit.optimise; }
static double generate_seconds(const timing *t) { return t->times.emit.generate; }
static double load_seconds(const timing *t) { return t->times.load; }
static double all_seconds(const timing *t) { return timing_compile_seconds(&t->times); }
static double object_size(const timing *t) { return t->object_bytes; }

/* What is known of compiling the layers, each figure with its unit. */
static const struct statistic {
    const char *name, *unit;
    double factor;
    double (*of)(const timing *t);
} statistics[] = {
    {"plan", "ms", 1e3, plan_seconds},          {"lower", "ms", 1e3, lower_seconds},
    {"optimise", "ms", 1e3, optimise_seconds},  {"generate", "ms", 1e3, generate_seconds},
    {"load", "ms", 1e3, load_seconds},          {"compile", "ms", 1e3, all_seconds},
    {"object", "KiB", 1.0 / 1024, object_size},
};

static void summarise_compiling(bench *b) {
    json_t *all = json_object();
    double *values = arena_array(&b->arena, double, b->count + 1);
    for (size_t k = 0; k < sizeof statistics / sizeof *statistics && b->count; k++) {
        const struct statistic *s = &statistics[k];
        for (size_t i = 0; i < b->count; i++) values[i] = s->factor * s->of(&b->timings[i]);
        double median = measure_median(values, b->count), worst = values[b->count - 1];
        if (b->session->format == FORMAT_TEXT)
            printf("%-9s median %8.2f %s, worst %8.2f %s\n", s->name, median, s->unit, worst, s->unit);
        json_object_set_new(all, s->name,
                            json_pack("{s:f, s:f, s:s}", "median", median, "worst", worst, "unit", s->unit));
    }
    table_extra(&b->table, "compiling", all);
}

static cli_exit write_csv(bench *b) {
    fclose(b->csv.file);
    const output_file file = {b->session->options->csv, b->csv_text, b->csv_size};
    const char *failed = output_write(&file, 1);
    if (failed) session_say("%s: cannot be written: %s", failed, strerror(errno));
    return failed ? CLI_IO : CLI_DONE;
}

static cli_exit bench_all(bench *b) {
    session *s = b->session;
    b->timings = arena_array(&b->arena, timing, s->layer_count + 1);
    cvk_status status = peak_open(s->target, &s->parallel, s->diagnostics, &b->peak);
    if (status == CVK_OK && !table_open(&b->table, "bench", columns, COLUMNS, s->format, stdout))
        status = CVK_ERROR_MEMORY;
    if (status != CVK_OK) return session_fail(s, status);
    FILE *csv = s->options->csv ? open_memstream(&b->csv_text, &b->csv_size) : NULL;
    if (csv) table_open(&b->csv, "bench", columns, COLUMNS, FORMAT_CSV, csv);
    cli_exit worst = time_layers(b);
    summarise_files(b);
    summarise_compiling(b);
    table_close(&b->table, s->diagnostics);
    return b->csv.file ? graver(worst, write_csv(b)) : worst;
}

static cli_exit choose_peer(session *s, const peer **chosen) {
    const char *name = s->options->peer;
    if (!name) return CLI_DONE;
    for (size_t i = 0; peers[i]; i++)
        if (strcmp(name, peers[i]->name) == 0) {
            *chosen = peers[i];
            return CLI_DONE;
        }
    bool known = strcmp(name, "onednn") == 0;
    session_say(known ? "the peer `%s` is not built in" : "there is no peer `%s`", name);
    return known ? CLI_UNSUPPORTED : CLI_USAGE;
}

static cli_exit bench_session(session *s) {
    bench b = {.session = s};
    cli_exit status = choose_peer(s, &b.peer);
    if (status != CLI_DONE) return status;
    if (!target_runs_here(s->target)) return session_fail(s, CVK_ERROR_CPU);
    arena_init(&b.arena);
    if (arena_guard(&b.arena))
        status = session_fail(s, CVK_ERROR_MEMORY);
    else
        status = bench_all(&b);
    peak_close(&b.peak);
    free(b.csv_text);
    arena_free(&b.arena);
    return status;
}

cli_exit cli_bench(const cli_options *options) {
    session s;
    cli_exit status = session_open(options, &s);
    if (status != CLI_DONE) table_failed("bench", &s);
    if (status == CLI_DONE) status = session_start_threads(&s);
    if (status == CLI_DONE) status = bench_session(&s);
    session_close(&s);
    return status;
}
