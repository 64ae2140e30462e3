/* convoke check: compiles layers, runs them between guard pages, and compares them with the interpreter. */
#include "judge/random_data.h"
#include "judge/reference.h"
#include "cli/check_network.h"
#include "cli/fault.h"
#include "cli/table.h"
#include "cli/tuned.h"
#include "cli/session_main.h"
#include "cli/verbs.h"
#include "cli/weights.h"
#include "compile.h"
#include "nest/stored.h"
#include "judge/identity.h"
#include "judge/rounding.h"

#include <math.h>
#include <string.h>

enum { MOST_DRAWS = 8 };
static const double MOST_ZEROS = 0.7;
static const int64_t MOST_EXACT_MACS = 300000000; /* of a layer: some seconds */

static const column columns[] = {
    {"file", NULL, 0},           {"layer", NULL, 24},   {"data", NULL, 8},         {"max_error", "%.3g", 9},
    {"error/bound", "%.3f", 11}, {"identity", NULL, 9}, {"stored_once", NULL, 11}, {"verdict", NULL, 10},
    {"predicted", "%.2f", 9},    {"plan", NULL, 1},
};

/* Of a layer for any batch, these are tried. */
static const int64_t BATCHES[] = {1, 2, 3, 7};
enum { MOST_SAMPLES = sizeof BATCHES / sizeof *BATCHES };

/* Data for a layer, and what it makes of them. */
typedef struct sample {
    cvk_spec spec; /* the layer with a batch */
    layer_data data;
    reference reference;
} sample;

/* One layer being checked. */
typedef struct checked {
    session *session;
    const session_layer *layer;
    table *table;
    data_kind kind;
    uint64_t seed;
    int samples;
    sample sample[MOST_SAMPLES];
    identity *identity;         /* NULL: the layer is too large */
    const known_tensors *known; /* its own weights, or NULL */
} checked;

/* What is said of one plan. */
typedef struct finding {
    verdict verdict;
    const char *identity, *stored; /* in a word */
    const char *words;             /* in one word, what is wrong, or NULL */
} finding;

static const char TOO_LARGE[] = "too large";

static cvk_status broken(const checked *c, finding *f, const char *what, const char *words) {
    session_progress_end(c->session);
    session_say("%s: layer %s: %s: %s", c->layer->file->path, c->layer->spec->name, what, words);
    f->words = "WRONG";
    return CVK_OK;
}

/* By the weights that the plan computes by. */
static cvk_status compare_exactly(const checked *c, arena *a, const compile_unit *unit, char words[IDENTITY_WORDS]) {
    const cvk_parallel_for *threads = &c->session->parallel;
    const double *rounded = rounding_of_weights(a, unit->spec, &unit->plan);
    if (!rounded) return identity_judge(c->identity, &unit->pack, &unit->run, threads, words);
    identity *own = identity_new(unit->spec, rounded, c->seed, threads);
    cvk_status status = own ? identity_judge(own, &unit->pack, &unit->run, threads, words) : CVK_ERROR_MEMORY;
    identity_free(own);
    return status;
}

/* Over residues, the plan's nests are the layer's formula. */
static cvk_status judge_exactly(const checked *c, arena *a, const compile_unit *unit, finding *f) {
    char words[IDENTITY_WORDS];
    f->identity = TOO_LARGE;
    if (!c->identity) return CVK_OK;
    cvk_status status = compare_exactly(c, a, unit, words);
    f->identity = status != CVK_OK ? "FAILED" : *words ? "BROKEN" : "ok";
    return status == CVK_OK && *words ? broken(c, f, "identity", words) : status;
}

/* Every element of the output and of the packed weights is stored once, and phases read what earlier ones stored. */
static cvk_status certify(const checked *c, const compile_unit *unit, finding *f) {
    cvk_diagnostics *d = c->session->diagnostics;
    cvk_status status = program_certify_stored(&unit->run, STORED_MOST_CHECKING, d);
    if (status == CVK_OK) status = pack_certify_stored(&unit->pack, STORED_MOST_CHECKING, d);
    f->stored = status == CVK_OK ? "ok" : status == CVK_ERROR_UNSUPPORTED ? TOO_LARGE : "BROKEN";
    return status == CVK_ERROR_UNSUPPORTED ? CVK_OK : status;
}

/* Runs and judges with all buffers against their guards on one side. `words`: what is wrong, or NULL. */
static cvk_status run_side(const checked *c, const sample *m, const cvk_kernel_info *info, guard_side side, verdict *v,
                           const char **words) {
    const cvk_parallel_for *threads = &c->session->parallel;
    tensors t;
    fault_expect(c->layer->file->path, c->layer->spec->name, info->plan);
    cvk_status status = tensors_bind(&m->spec, info, &m->data.tensors, side, threads->workers, &t);
    if (status == CVK_OK) status = cvk_run(info, &t.buffers, threads);
    fault_expect_none();
    if (status == CVK_OK && !reference_judge(&m->reference, &t, threads, v)) status = CVK_ERROR_MEMORY;
    if (status == CVK_OK && !*words) *words = v->ratio <= 1 ? tensors_damage(&t) : "WRONG";
    tensors_free(&t);
    return status;
}

/* `predicted`: the share of the FMA peak, which is how a slow layer shows. */
static void add_row(const checked *c, const char *plan, double predicted, const finding *f) {
    static const char *const kinds[] = {"integers", "reals"};
    const cell row[] = {{c->layer->file->path, 0},
                        {c->layer->spec->name, 0},
                        {kinds[c->kind], 0},
                        {NULL, f->verdict.error},
                        {NULL, f->verdict.ratio},
                        {f->identity, 0},
                        {f->stored, 0},
                        {f->words, 0},
                        {NULL, predicted},
                        {plan, 0}};
    session_progress_end(c->session);
    table_row(c->table, row);
}

/* Compiles and runs. */
static cvk_status check_kernel(const checked *c, const layer_plan *plan, finding *f) {
    cvk_kernel *kernel;
    session *s = c->session;
    cvk_status status = compile_kernel(c->layer->spec, session_goal(s, s->target), plan, s->diagnostics, &kernel, NULL);
    const cvk_kernel_info *info = status == CVK_OK ? cvk_kernel_get_info(kernel) : NULL;
    for (const sample *m = c->sample; m < c->sample + c->samples; m++) {
        if (status == CVK_OK) status = run_side(c, m, info, GUARD_END, &f->verdict, &f->words);
        if (status == CVK_OK) status = run_side(c, m, info, GUARD_START, &f->verdict, &f->words);
    }
    cvk_kernel_free(kernel);
    return status;
}

static cli_exit check_plan(const checked *c, arena *a, const ranked_layer *plan) {
    text brief = text_new(a);
    layer_plan_print_brief(&plan->plan, &brief);
    finding f = {.identity = "-", .stored = "-"};
    session *s = c->session;
    compile_unit unit;
    cvk_status status =
        compile_plan(a, c->layer->spec, session_goal(s, s->target), &plan->plan, s->diagnostics, &unit, NULL);
    if (status == CVK_OK) status = certify(c, &unit, &f);
    if (status == CVK_OK) status = judge_exactly(c, a, &unit, &f);
    if (status == CVK_OK) status = check_kernel(c, &plan->plan, &f);
    for (int i = 0; i < c->samples; i++)
        if (status == CVK_OK && c->sample[i].reference.zeros > MOST_ZEROS) f.words = "ZEROS";
    bool right = !f.words;
    if (!f.words) f.words = "ok";
    if (status != CVK_OK) f.words = "FAILED";
    add_row(c, brief.bytes, 1 / plan->seconds_per_peak, &f);
    if (status != CVK_OK) return session_fail(c->session, status);
    return right ? CLI_DONE : CLI_WRONG;
}

/* Draws until the reference has something to say. */
static bool prepare_sample(const checked *c, sample *m, const layer_plan *plan) {
    for (int i = 0; i < MOST_DRAWS; i++) {
        reference_free(&m->reference);
        data_free(&m->data);
        if (!data_draw(&m->spec, c->kind, c->seed + ((uint64_t)i << 32), &m->data)) return false;
        data_give(&m->data, c->known);
        if (!reference_run(&m->spec, plan, &m->data.tensors, &c->session->parallel, &m->reference)) return false;
        if (m->reference.zeros <= MOST_ZEROS) return true;
    }
    session_progress_end(c->session);
    session_say("%s: layer %s: %.0f %% of the reference output are zeros, which proves nothing", c->layer->file->path,
                c->layer->spec->name, 100 * m->reference.zeros);
    return true;
}

static bool prepare(checked *c, const layer_plan *plan) {
    for (int i = 0; i < c->samples; i++)
        if (!prepare_sample(c, &c->sample[i], plan)) return false;
    return true;
}

static void choose_samples(checked *c) {
    c->samples = c->layer->spec->batch_any ? MOST_SAMPLES : 1;
    for (int i = 0; i < c->samples; i++) c->sample[i].spec = spec_of_batch(c->layer->spec, BATCHES[i]);
}

static void free_samples(checked *c) {
    for (int i = 0; i < c->samples; i++) {
        reference_free(&c->sample[i].reference);
        data_free(&c->sample[i].data);
    }
}

static bool is_exact_in_time(const cvk_spec *s) { return spec_macs(s) <= MOST_EXACT_MACS; }

static cli_exit check_plans(session *s, arena *a, void *context) {
    checked *c = context;
    known_tensors own;
    const cli_exit read = weights_own(s, a, &c->layer->spec, 1, &own, &c->known);
    if (read != CLI_DONE) return read;
    if (c->known) c->kind = DATA_REALS;
    ranked_layer *plans;
    int count;
    int limit = s->options->all_plans ? 0 : 1;
    cvk_status status =
        compile_rank(a, c->layer->spec, session_goal(s, s->target), limit, s->diagnostics, &plans, &count);
    cli_exit worst = CLI_DONE;
    if (status != CVK_OK) {
        add_row(c, "none", NAN, &(finding){.identity = "-", .stored = "-", .words = "FAILED"});
        worst = session_fail(s, status);
        count = 0;
    }
    bool exactly = count > 0 && is_exact_in_time(c->layer->spec);
    if (exactly) c->identity = identity_new(c->layer->spec, NULL, c->seed, &s->parallel);
    if (exactly && !c->identity) {
        worst = session_fail(s, CVK_ERROR_MEMORY);
        count = 0;
    }
    for (int i = 0; i < count; i++) {
        const layer_plan *plan = &plans[i].plan;
        bool judged = i > 0 && rounding_is_shared(plan, &plans[i - 1].plan);
        if (judged || prepare(c, plan))
            worst = graver(worst, check_plan(c, a, &plans[i]));
        else
            worst = graver(worst, session_fail(s, CVK_ERROR_MEMORY));
    }
    identity_free(c->identity);
    free_samples(c);
    return worst;
}

static cli_exit check_layer(session *s, size_t index, table *t) {
    uint64_t seed = s->options->seed + index;
    checked c = {.session = s, .layer = &s->layers[index], .table = t, .seed = seed, .kind = (data_kind)(seed & 1)};
    choose_samples(&c);
    session_progress(s, index, s->layer_count, c.layer->spec->name);
    return session_guarded(s, check_plans, &c);
}

static void print_summary(const session *s) {
    size_t large = 0;
    for (size_t i = 0; i < s->layer_count; i++) large += !is_exact_in_time(s->layers[i].spec);
    printf("%zu layers, target %s, %u threads, seed %lu\n", s->layer_count, s->target->name, s->parallel.workers,
           s->options->seed);
    if (large)
        printf("identity was not judged where a layer has over %.0e multiply-adds: %zu of them\n",
               (double)MOST_EXACT_MACS, large);
}

static cli_exit check_guarded(session *s, arena *a, void *context) {
    (void)context;
    table t;
    cli_exit worst = tuned_apply(s, a, false);
    if (worst != CLI_DONE) return worst;
    if (!table_open(&t, "check", columns, sizeof columns / sizeof *columns, s->format, stdout))
        return session_fail(s, CVK_ERROR_MEMORY);
    for (size_t i = 0; i < s->layer_count; i++)
        if (!session_in_network(s, &s->layers[i])) worst = graver(worst, check_layer(s, i, &t));
    for (const session_file *f = s->files; f < s->files + s->file_count; f++)
        if (session_has_network(s, f)) worst = graver(worst, check_network(s, f, &t));
    if (s->format == FORMAT_TEXT) print_summary(s);
    table_extra(&t, "seed", json_integer((json_int_t)s->options->seed));
    table_extra(&t, "target", json_string(s->target->name));
    table_close(&t, s->diagnostics);
    return worst;
}

static cli_exit check_all(session *s) { return session_guarded(s, check_guarded, NULL); }

cli_exit cli_check(const cli_options *options) {
    return session_main(options, &(session_verb){check_all, "check", .runs = true, .threads = true});
}
