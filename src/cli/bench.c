/* convoke bench: a row of figures a layer, then geometric means a file, then what compiling took. */
#include "base/clock.h"
#include "lab/peak.h"
#include "cli/bench_network.h"
#include "cli/peers.h"
#include "cli/regret.h"
#include "cli/roofline.h"
#include "cli/suite.h"
#include "cli/tables.h"
#include "cli/tuned.h"
#include "lab/timing.h"
#include "cli/session_main.h"
#include "cli/verbs.h"
#include "cli/weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A layer of the session, and what came of it. */
typedef struct result {
    const session_layer *layer;
    timing timing;
} result;

/* Of the ways that are right for any weights, the faster. */
static const peer_timing *best_peer(const timing *t) {
    const peer_timing *direct = &t->peer[PEER_DIRECT], *winograd = &t->peer[PEER_WINOGRAD];
    return winograd->seconds < direct->seconds || isnan(direct->seconds) ? winograd : direct;
}

static const char *file_of(const result *r) { return r->layer->file->path; }
static const char *layer_of(const result *r) { return r->layer->spec->name; }
static const char *direct_by(const result *r) { return r->timing.peer[PEER_DIRECT].variant; }
static const char *winograd_by(const result *r) { return r->timing.peer[PEER_WINOGRAD].variant; }
static const char *separable_by(const result *r) { return r->timing.peer[PEER_SEPARABLE].variant; }
static const char *best_by(const result *r) { return best_peer(&r->timing)->variant; }
static const char *plan_of(const result *r) { return r->timing.plan; }

static double gflops_in(const timing *t, double seconds) { return 1e-9 * t->operations / seconds; }
static double microseconds(const timing *t) { return 1e6 * t->seconds; }
static double gflops(const timing *t) { return gflops_in(t, t->seconds); }
/* Pools have no multiply-adds for a peak of those. */
static double of_peak(const timing *t) { return !spec_weighs(t->spec) ? NAN : t->operations / t->seconds / t->peak; }
static double of_roof(const timing *t) { return t->roof_seconds / t->seconds; }
static double roof_gflops(const timing *t) { return 1e-9 * t->present / t->roof_seconds; }
static double strict_us(const timing *t) { return 1e6 * t->strict_seconds; }
static double strict_of_roof(const timing *t) { return t->roof_seconds / t->strict_seconds; }
static double predicted(const timing *t) { return !spec_weighs(t->spec) ? NAN : t->predicted; }
static double speedup(const timing *t) { return t->single_seconds / t->seconds; }
static double direct_us(const timing *t) { return 1e6 * t->peer[PEER_DIRECT].seconds; }
static double direct_gflops(const timing *t) { return gflops_in(t, t->peer[PEER_DIRECT].seconds); }
static double over_direct(const timing *t) { return t->peer[PEER_DIRECT].seconds / t->seconds; }
static double strict_over_direct(const timing *t) { return t->peer[PEER_DIRECT].seconds / t->strict_seconds; }
static double winograd_us(const timing *t) { return 1e6 * t->peer[PEER_WINOGRAD].seconds; }
static double winograd_gflops(const timing *t) { return gflops_in(t, t->peer[PEER_WINOGRAD].seconds); }
static double over_winograd(const timing *t) { return t->peer[PEER_WINOGRAD].seconds / t->seconds; }
static double separable_us(const timing *t) { return 1e6 * t->peer[PEER_SEPARABLE].seconds; }
static double over_separable(const timing *t) { return t->peer[PEER_SEPARABLE].seconds / t->seconds; }
static double over_best(const timing *t) { return best_peer(t)->seconds / t->seconds; }
static double operations(const timing *t) { return t->operations; }
static double present(const timing *t) { return t->present; }
static double tensor_bytes(const timing *t) { return t->bytes; }
static double peak_gflops(const timing *t) { return 1e-9 * t->peak; }
static double compile_ms(const timing *t) { return 1e3 * timing_compile_seconds(&t->times); }
static double object_size(const timing *t) { return t->object_bytes; }

/* Threads are worth their while from about here. */
static const double LARGE_OPERATIONS = 0.2e9;
static double large_speedup(const timing *t) { return t->operations >= LARGE_OPERATIONS ? speedup(t) : NAN; }
static double small_speedup(const timing *t) { return t->operations < LARGE_OPERATIONS ? speedup(t) : NAN; }

/* When people see a column; programs always do. What --cores asks for is there if it is asked for. */
typedef enum shown { ALWAYS, WITH_PEER, WITH_WINOGRAD, WITH_SEPARABLE, WITH_THREADS, WITH_CORES } shown;

/* Width 0: for programs only. What a column says is a text or a number; WITH_CORES stands for as many columns as
 * --cores has numbers. */
static const struct bench_column {
    column column;
    shown shown;
    double (*number)(const timing *t);
    const char *(*text)(const result *r);
} all_columns[] = {
    {{"file", NULL, 0}, ALWAYS, .text = file_of},
    {{"layer", NULL, 24}, ALWAYS, .text = layer_of},
    {{"us", "%.1f", 9}, ALWAYS, .number = microseconds},
    {{"gflops", "%.1f", 7}, ALWAYS, .number = gflops},
    {{"of_peak", "%.3f", 7}, ALWAYS, .number = of_peak},
    {{"of_roof", "%.3f", 7}, ALWAYS, .number = of_roof},
    {{"predicted", "%.3f", 9}, ALWAYS, .number = predicted},
    {{"speedup", "%.2f", 7}, WITH_THREADS, .number = speedup},
    {{NULL, "%.2f", 11}, WITH_CORES, .number = NULL},
    {{"direct_us", "%.1f", 0}, WITH_PEER, .number = direct_us},
    {{"direct_gflops", "%.1f", 0}, WITH_PEER, .number = direct_gflops},
    {{"over_direct", "%.2f", 11}, WITH_PEER, .number = over_direct},
    {{"strict_over_direct", "%.2f", 0}, WITH_PEER, .number = strict_over_direct},
    {{"direct_by", NULL, 0}, WITH_PEER, .text = direct_by},
    {{"winograd_us", "%.1f", 0}, WITH_WINOGRAD, .number = winograd_us},
    {{"winograd_gflops", "%.1f", 0}, WITH_WINOGRAD, .number = winograd_gflops},
    {{"over_winograd", "%.2f", 13}, WITH_WINOGRAD, .number = over_winograd},
    {{"winograd_by", NULL, 0}, WITH_WINOGRAD, .text = winograd_by},
    {{"separable_us", "%.1f", 0}, WITH_SEPARABLE, .number = separable_us},
    {{"over_separable", "%.2f", 14}, WITH_SEPARABLE, .number = over_separable},
    {{"separable_by", NULL, 0}, WITH_SEPARABLE, .text = separable_by},
    {{"over_best", "%.2f", 9}, WITH_PEER, .number = over_best},
    {{"best_by", NULL, 36}, WITH_PEER, .text = best_by},
    {{"strict_us", "%.1f", 0}, ALWAYS, .number = strict_us},
    {{"strict_of_roof", "%.3f", 0}, ALWAYS, .number = strict_of_roof},
    {{"operations", "%.0f", 0}, ALWAYS, .number = operations},
    {{"operations_of_input", "%.0f", 0}, ALWAYS, .number = present},
    {{"bytes", "%.0f", 0}, ALWAYS, .number = tensor_bytes},
    {{"peak_gflops", "%.1f", 0}, ALWAYS, .number = peak_gflops},
    {{"roof_gflops", "%.1f", 0}, ALWAYS, .number = roof_gflops},
    {{"compile_ms", "%.1f", 10}, ALWAYS, .number = compile_ms},
    {{"object_bytes", "%.0f", 12}, ALWAYS, .number = object_size},
    {{"plan", NULL, 1}, ALWAYS, .text = plan_of},
};
enum { COLUMN_ROWS = sizeof all_columns / sizeof *all_columns, MOST_COLUMNS = COLUMN_ROWS + TIMING_MOST_CORES };

/* One run of the verb. */
typedef struct bench {
    session *session;
    timing_setup setup;
    probe peak[TYPES]; /* of the types that layers have */
    evictor evictor;
    roof roof;
    arena *arena;
    uint32_t cores[TIMING_MOST_CORES];
    column columns[MOST_COLUMNS];
    size_t column_count;
    tables tables;
    double first_compile; /* seconds, LLVM's start included */
    result *results;
    size_t count;
} bench;

static void add_row(bench *b, const result *r) {
    cell row[MOST_COLUMNS];
    size_t count = 0;
    for (size_t i = 0; i < COLUMN_ROWS; i++) {
        const struct bench_column *c = &all_columns[i];
        if (c->shown == WITH_CORES)
            for (size_t k = 0; k < b->setup.core_count; k++) row[count++] = (cell){NULL, r->timing.expected[k]};
        else
            row[count++] = c->text ? (cell){c->text(r), 0} : (cell){NULL, c->number(&r->timing)};
    }
    tables_row(&b->tables, row);
}

/* A peer that computes something else is no rival. */
static cli_exit report_wrong(session *s, const session_layer *layer, const timing *t) {
    if (!t->wrong_peers) return CLI_DONE;
    session_progress_end(s);
    session_say("%s: another result, and so no figures, of %s", layer->spec->name, t->wrong_peers);
    return CLI_WRONG;
}

static cli_exit time_layers(bench *b) {
    session *s = b->session;
    cli_exit worst = CLI_DONE;
    for (size_t i = 0; i < s->layer_count; i++) {
        result *r = &b->results[b->count];
        r->layer = &s->layers[i];
        session_progress(s, i, s->layer_count, s->layers[i].spec->name);
        known_tensors own;
        cli_exit read = weights_own(s, b->arena, &s->layers[i].spec, 1, &own, &s->lab.known);
        if (read != CLI_DONE) return graver(worst, read);
        cvk_status status = timing_run(&s->lab, s->layers[i].spec, &b->setup, b->arena, &r->timing);
        if (status == CVK_OK && r->timing.seconds > 0) {
            add_row(b, r);
            b->count++;
        }
        worst = graver(worst, report_wrong(s, &s->layers[i], &r->timing));
        if (status != CVK_OK) session_progress_end(s);
        worst = graver(worst, session_fail(s, status));
    }
    return worst;
}

/* What is said of the layers of a file together. */
static const struct summary {
    suite_figure figure;
    double (*of)(const timing *t);
} summaries[] = {
    {{"gflops", "GFLOP/s", "%.1f", false, NULL}, gflops},
    {{"of_peak", "share of the FMA peak", "%.3f", false, NULL}, of_peak},
    {{"of_roof", "share of the roof of direct sums", "%.3f", false, NULL}, of_roof},
    {{"strict_of_roof", "the same, strict", "%.3f", false, NULL}, strict_of_roof},
    {{"over_best", "times as fast as the best of the peers", "%.2f", false, NULL}, over_best},
    {{"over_direct", "times as fast as their direct convolution", "%.2f", false, NULL}, over_direct},
    {{"strict_over_direct", "the same, strict", "%.2f", false, NULL}, strict_over_direct},
    {{"over_winograd", "times as fast as their Winograd", "%.2f", false, NULL}, over_winograd},
    {{"over_separable", "times as fast as their separable filters", "%.2f", false, NULL}, over_separable},
    {{"speedup", "times one thread, layers from 0.2 GFLOP", "%.2f", false, NULL}, large_speedup},
    {{"small_speedup", "times one thread, smaller layers", "%.2f", false, NULL}, small_speedup},
};
enum { SUMMARIES = sizeof summaries / sizeof *summaries };

/* "expected_16" */
static const char *expected_name(const bench *b, size_t k) {
    return arena_format(b->arena, "expected_%u", b->cores[k]);
}

static const char *expected_words(const bench *b, size_t k) {
    return arena_format(b->arena, "times one core, to be expected of %u", b->cores[k]);
}

static void add_figure(bench *b, suite_figure *to, const suite_figure *figure) {
    *to = *figure;
    to->value = arena_array(b->arena, double, b->count + 1);
}

static void summarise_suites(bench *b) {
    suite_figure figures[SUMMARIES + TIMING_MOST_CORES];
    const size_t cores = b->setup.core_count;
    const session_layer **layers = arena_array(b->arena, const session_layer *, b->count + 1);
    for (size_t i = 0; i < b->count; i++) layers[i] = b->results[i].layer;
    for (size_t k = 0; k < SUMMARIES; k++) {
        add_figure(b, &figures[k], &summaries[k].figure);
        for (size_t i = 0; i < b->count; i++) figures[k].value[i] = summaries[k].of(&b->results[i].timing);
    }
    for (size_t k = 0; k < cores; k++) {
        const suite_figure figure = {expected_name(b, k), expected_words(b, k), "%.2f", false, NULL};
        add_figure(b, &figures[SUMMARIES + k], &figure);
        for (size_t i = 0; i < b->count; i++) figures[SUMMARIES + k].value[i] = b->results[i].timing.expected[k];
    }
    tables_extra(&b->tables, "suites", suite_report(b->session, layers, b->count, figures, SUMMARIES + cores));
}

static double plan_seconds(const timing *t) { return t->times.plan; }
static double lower_seconds(const timing *t) { return t->times.emit.lower; }
static double optimise_seconds(const timing *t) { return t->times.emit.optimise; }
static double generate_seconds(const timing *t) { return t->times.emit.generate; }
static double load_seconds(const timing *t) { return t->times.load; }
static double all_seconds(const timing *t) { return timing_compile_seconds(&t->times); }

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
    json_t *all = json_pack("{s:f}", "first_ms", 1e3 * b->first_compile);
    if (b->session->format == FORMAT_TEXT)
        printf("first compile, LLVM's start included: %.1f ms; then, one thread:\n", 1e3 * b->first_compile);
    double *values = arena_array(b->arena, double, b->count + 1);
    for (size_t k = 0; k < sizeof statistics / sizeof *statistics && b->count; k++) {
        const struct statistic *s = &statistics[k];
        for (size_t i = 0; i < b->count; i++) values[i] = s->factor * s->of(&b->results[i].timing);
        double median = measure_median(values, b->count), worst = values[b->count - 1];
        if (b->session->format == FORMAT_TEXT)
            printf("%-9s median %8.2f %s, worst %8.2f %s\n", s->name, median, s->unit, worst, s->unit);
        json_object_set_new(all, s->name,
                            json_pack("{s:f, s:f, s:s}", "median", median, "worst", worst, "unit", s->unit));
    }
    tables_extra(&b->tables, "compiling", all);
}

/* Padding is not counted, in either coordinate, so direct sums stay under the roof. What was chosen has a dot of its
 * own where it sums otherwise. */
static void place_dots(const timing *t, roofline_dot dot[SERIES]) {
    const double seconds[SERIES] = {[SERIES_STRICT] = t->strict_seconds,
                                    [SERIES_CHOSEN] = t->seconds < t->strict_seconds ? t->seconds : NAN,
                                    [SERIES_DIRECT] = t->peer[PEER_DIRECT].seconds,
                                    [SERIES_WINOGRAD] = t->peer[PEER_WINOGRAD].seconds};
    for (int i = 0; i < SERIES; i++)
        dot[i] = (roofline_dot){t->present / t->bytes, t->present / seconds[i], (roofline_series)i};
}

static bool has_type(const session *s, cvk_type type) {
    for (size_t i = 0; i < s->layer_count; i++)
        if (spec_sum_type(s->layers[i].spec) == type) return true;
    return false;
}

/* "f32", "f32 and f64" */
static const char *types_in_words(bench *b) {
    const char *words = "";
    for (int type = 0; type < TYPES; type++)
        if (has_type(b->session, (cvk_type)type))
            words = arena_format(b->arena, "%s%s%s", words, *words ? " and " : "", type_name((cvk_type)type));
    return words;
}

/* Whose the rivals' dots are: "oneDNN 2.6.3", or "best rival". */
static const char *rivals_in_words(const peer_list *peers) {
    if (!peers->count) return "";
    return peers->count > 1 ? "best rival" : peers->of[0]->title();
}

static cli_exit draw_roofline(bench *b) {
    session *s = b->session;
    cvk_status status = roof_reach(&b->roof, b->arena, &s->lab, INFINITY);
    if (status != CVK_OK) return session_fail(s, status);
    roofline r = {.roof = &b->roof, .threads = s->parallel.workers, .target = s->target->name};
    r.types = types_in_words(b);
    r.dots = arena_array(b->arena, roofline_dot, b->count * SERIES + 1);
    r.peer = rivals_in_words(&b->setup.peers);
    for (size_t i = 0; i < b->count; i++, r.count += SERIES) {
        place_dots(&b->results[i].timing, &r.dots[r.count]);
        r.peak = fmax(r.peak, b->results[i].timing.peak);
    }
    text out = text_new(b->arena);
    roofline_draw(&r, &out);
    return tables_write_file(s, s->options->svg, out.bytes, out.length);
}

/* What was measured of the machine: the greatest peak, and the levels that the layers reach. */
static void report_roofs(bench *b) {
    static const char *const rates[LEVELS] = {"l1_gigabytes_a_second", "l2_gigabytes_a_second", "l3_gigabytes_a_second",
                                              "memory_gigabytes_a_second"};
    double peak = 0;
    for (size_t i = 0; i < b->count; i++) peak = fmax(peak, b->results[i].timing.peak);
    json_t *all = json_pack("{s:f}", "peak_gflops", 1e-9 * peak);
    for (int i = 0; i < LEVELS; i++) {
        const double rate = b->roof.bandwidth[i];
        json_object_set_new(all, rates[i], rate > 0 ? json_real(1e-9 * rate) : json_null());
    }
    tables_extra(&b->tables, "roofs", all);
}

static json_t *peer_titles(const peer_list *peers) {
    json_t *titles = json_array();
    for (size_t i = 0; i < peers->count; i++) json_array_append_new(titles, json_string(peers->of[i]->title()));
    return titles;
}

static void add_column(bench *b, const column *c, bool show) {
    b->columns[b->column_count] = *c;
    if (!show) b->columns[b->column_count].width = 0;
    b->column_count++;
}

/* Columns that nothing is in are not shown to people. */
static void choose_columns(bench *b) {
    const bool show[] = {[ALWAYS] = true,
                         [WITH_PEER] = b->setup.peers.count > 0,
                         [WITH_WINOGRAD] = peer_list_ways(&b->setup.peers) >> PEER_WINOGRAD & 1,
                         [WITH_SEPARABLE] = peer_list_ways(&b->setup.peers) >> PEER_SEPARABLE & 1,
                         [WITH_THREADS] = b->session->parallel.workers > 1};
    for (size_t i = 0; i < COLUMN_ROWS; i++) {
        column c = all_columns[i].column;
        if (all_columns[i].shown != WITH_CORES) add_column(b, &c, show[all_columns[i].shown]);
        for (size_t k = 0; all_columns[i].shown == WITH_CORES && k < b->setup.core_count; k++) {
            c.name = expected_name(b, k);
            add_column(b, &c, true);
        }
    }
}

static cli_exit open_tables(bench *b) {
    session *s = b->session;
    choose_columns(b);
    const cli_exit opened = tables_open(s, "bench", b->columns, b->column_count, 0, &b->tables);
    if (opened != CLI_DONE) return opened;
    tables_extra(&b->tables, "conditions",
                 json_pack("{s:s, s:o, s:i, s:i, s:I, s:b, s:b, s:s}", "target", s->target->name, "peers",
                           peer_titles(&b->setup.peers), "threads", (int)s->parallel.workers, "plans_for",
                           (int)s->lab.plan_threads, "batch", (json_int_t)(s->lab.batch ? s->lab.batch : 1), "cold",
                           s->options->cold, "plain", s->options->plain, "accuracy",
                           s->options->accuracy ? s->options->accuracy : "each layer's own"));
    return CLI_DONE;
}

/* Before anything else has needed LLVM. What is wrong with the layer is said when its turn comes. */
static void time_first_compile(bench *b) {
    cvk_diagnostics *ignored = cvk_diagnostics_new();
    compile_times times;
    double begin = clock_seconds();
    timing_compile(b->session->layers[0].spec, session_goal(b->session, b->session->target), ignored, &times);
    b->first_compile = clock_seconds() - begin;
    cvk_diagnostics_free(ignored);
}

static cvk_status open_peaks(bench *b) {
    session *s = b->session;
    cvk_status status = CVK_OK;
    for (int type = 0; type < TYPES && !status; type++)
        if (has_type(s, (cvk_type)type)) status = peak_open(b->arena, &s->lab, (cvk_type)type, &b->peak[type]);
    return status;
}

static cli_exit bench_all(bench *b) {
    session *s = b->session;
    b->results = arena_array(b->arena, result, s->layer_count + 1);
    if (s->options->cold && !evict_open(&b->evictor)) return session_fail(s, CVK_ERROR_MEMORY);
    if (s->options->cold) b->setup.evict = &b->evictor;
    time_first_compile(b);
    cvk_status status = open_peaks(b);
    if (status != CVK_OK) return session_fail(s, status);
    b->setup.peak = b->peak;
    b->roof = roof_of(&s->lab, s->options->cold);
    b->setup.roof = &b->roof;
    cli_exit worst = open_tables(b);
    if (worst != CLI_DONE) return worst;
    worst = time_layers(b);
    summarise_suites(b);
    summarise_compiling(b);
    if (s->options->svg && b->count) worst = graver(worst, draw_roofline(b));
    report_roofs(b);
    return graver(worst, tables_close(&b->tables));
}

/* An option that says nothing about what --regret does, or NULL. */
static const char *forbidden_to_regret(const cli_options *o) {
    const struct {
        bool given;
        const char *word;
    } others[] = {{o->peer.count > 0, "--peer"}, {o->csv, "--csv"},     {o->json, "--json"},  {o->svg, "--svg"},
                  {o->cold, "--cold"},           {o->cores, "--cores"}, {o->tuned, "--tuned"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].given) return others[i].word;
    return NULL;
}

/* What an option forbids to another. */
static cli_exit check_options(const session *s) {
    const cli_options *o = s->options;
    if (o->cold && s->parallel.workers > 1) {
        session_say("--cold wants --threads 1: waking threads would be timed as well");
        return CLI_USAGE;
    }
    if (o->cold && o->cores) {
        session_say("--cores goes without --cold: tasks are timed as a run finds the caches");
        return CLI_USAGE;
    }
    if (o->regret >= MEASURE_MOST) {
        session_say("--regret is less than %d", MEASURE_MOST);
        return CLI_USAGE;
    }
    if (o->regret && forbidden_to_regret(o)) {
        session_say("--regret goes without %s", forbidden_to_regret(o));
        return CLI_USAGE;
    }
    return CLI_DONE;
}

static cli_exit read_cores(bench *b) {
    const cli_options *o = b->session->options;
    b->setup.cores = b->cores;
    b->setup.pinned = o->threads > 0;
    if (!o->cores) return CLI_DONE;
    unsigned long numbers[TIMING_MOST_CORES];
    if (!options_numbers("bench", "--cores", o->cores, GOAL_MOST_THREADS, numbers, TIMING_MOST_CORES,
                         &b->setup.core_count))
        return CLI_USAGE;
    for (size_t i = 0; i < b->setup.core_count; i++) b->cores[i] = (uint32_t)numbers[i];
    return CLI_DONE;
}

static bool has_any_batch(const session *s) {
    for (size_t i = 0; i < s->layer_count; i++)
        if (s->layers[i].spec->batch_any) return true;
    return false;
}

/* Whether the layers with so many images are layers still; what is wrong has been said. */
static cli_exit check_batches(session *s) {
    cli_exit worst = CLI_DONE;
    for (size_t i = 0; i < s->layer_count; i++) {
        cvk_spec one = spec_of_batch(s->layers[i].spec, s->lab.batch);
        if (s->layers[i].spec->batch_any) worst = graver(worst, session_fail(s, spec_finish(&one, s->diagnostics)));
    }
    return worst;
}

static cli_exit read_batch(session *s) {
    if (!s->options->batch) return CLI_DONE;
    unsigned long batch;
    size_t count;
    if (!options_numbers("bench", "--batch", s->options->batch, INT32_MAX, &batch, 1, &count)) return CLI_USAGE;
    if (!has_any_batch(s)) {
        session_say("--batch is for layers whose batch is any, and there is none among these");
        return CLI_USAGE;
    }
    s->lab.batch = (int64_t)batch;
    return check_batches(s);
}

static cli_exit bench_guarded(session *s, arena *a, void *context) {
    bench *b = context;
    b->arena = a;
    cli_exit status = suite_override(s, a);
    if (status == CLI_DONE) status = tuned_apply(s, a, true);
    if (status != CLI_DONE) return status;
    return s->options->regret ? regret_all(s, a) : bench_all(b);
}

static bool all_are_networks(const session *s) {
    bool all = true;
    for (size_t i = 0; i < s->layer_count; i++) all &= session_in_network(s, &s->layers[i]);
    return all;
}

static cli_exit bench_session(session *s) {
    cli_exit status = check_options(s);
    bench b = {.session = s, .setup.peers.plain = s->options->plain};
    if (status == CLI_DONE) status = read_cores(&b);
    if (status == CLI_DONE) status = read_batch(s);
    if (status == CLI_DONE && all_are_networks(s)) return bench_networks(s);
    if (status == CLI_DONE) status = peers_open_all(&s->options->peer, &b.setup.peers);
    if (status != CLI_DONE) return status;
    status = session_guarded(s, bench_guarded, &b);
    for (int type = 0; type < TYPES; type++) probe_close(&b.peak[type]);
    evict_close(&b.evictor);
    tables_free(&b.tables);
    return status;
}

cli_exit cli_bench(const cli_options *options) {
    return session_main(options, &(session_verb){bench_session, "bench", .runs = true, .threads = true});
}
