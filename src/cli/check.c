/* convoke check: compiles layers, runs them between guard pages, and compares them with the interpreter. */
#include "judge/random_data.h"
#include "cli/reference.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "compile.h"
#include "plan/brief.h"
#include "judge/rounding.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { MOST_DRAWS = 8 };
static const double MOST_ZEROS = 0.7;

static const column columns[] = {
    {"file", NULL, 0},           {"layer", NULL, 24},   {"data", NULL, 8},        {"max_error", "%.3g", 9},
    {"error/bound", "%.3f", 11}, {"verdict", NULL, 10}, {"predicted", "%.2f", 9}, {"plan", NULL, 1},
};

/* One layer being checked. */
typedef struct checked {
    session *session;
    const session_layer *layer;
    table *table;
    data_kind kind;
    uint64_t seed;
    layer_data data;
    reference reference;
} checked;

/* A kernel that leaves its buffers meets a guard page: the last words say whose it was. */
static char last_words[512];

static void on_fault(int signal_number) {
    (void)signal_number;
    ssize_t ignored = write(STDERR_FILENO, last_words, strlen(last_words));
    (void)ignored;
    _exit(CLI_WRONG);
}

static void expect_fault(const checked *c, const char *plan) {
    snprintf(last_words, sizeof last_words, "convoke: %s: layer %s touched memory outside its buffers; plan %s\n",
             c->layer->file->path, c->layer->spec->name, plan);
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
}

static void expect_no_fault(void) {
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
}

/* Runs and judges with all buffers against their guards on one side. `words`: what is wrong, or NULL. */
static cvk_status run_side(const checked *c, const cvk_kernel_info *info, guard_side side, verdict *v,
                           const char **words) {
    const cvk_parallel_for *threads = &c->session->parallel;
    tensors t;
    expect_fault(c, info->plan);
    cvk_status status = tensors_bind(c->layer->spec, info, &c->data.tensors, side, threads->workers, &t);
    if (status == CVK_OK) status = cvk_run(info, &t.buffers, threads);
    expect_no_fault();
    if (status == CVK_OK && !reference_judge(&c->reference, &t, threads, v)) status = CVK_ERROR_MEMORY;
    if (status == CVK_OK && !*words) *words = v->ratio <= 1 ? tensors_damage(&t) : "WRONG";
    tensors_free(&t);
    return status;
}

/* `predicted`: the share of the FMA peak, which is how a slow layer shows. */
static void add_row(const checked *c, const char *plan, double predicted, const verdict *v, const char *words) {
    static const char *const kinds[] = {"integers", "reals"};
    const cell row[] = {{c->layer->file->path, 0}, {c->layer->spec->name, 0},
                        {kinds[c->kind], 0},       {NULL, v->error},
                        {NULL, v->ratio},          {words, 0},
                        {NULL, predicted},         {plan, 0}};
    session_progress_end(c->session);
    table_row(c->table, row);
}

static cli_exit check_plan(const checked *c, arena *a, const ranked_plan *plan) {
    text brief = text_new(a);
    plan_print_brief(&plan->plan, &brief);
    cvk_kernel *kernel;
    session *s = c->session;
    verdict v = {0};
    const char *words = NULL;
    cvk_status status = compile_kernel(c->layer->spec, s->target, &plan->plan, s->diagnostics, &kernel, NULL);
    const cvk_kernel_info *info = status == CVK_OK ? cvk_kernel_get_info(kernel) : NULL;
    if (status == CVK_OK) status = run_side(c, info, GUARD_END, &v, &words);
    if (status == CVK_OK) status = run_side(c, info, GUARD_START, &v, &words);
    cvk_kernel_free(kernel);
    if (status == CVK_OK && c->reference.zeros > MOST_ZEROS) words = "ZEROS";
    add_row(c, brief.bytes, 1 / plan->seconds_per_peak, &v, status != CVK_OK ? "FAILED" : words ? words : "ok");
    if (status != CVK_OK) return session_fail(s, status);
    return words ? CLI_WRONG : CLI_DONE;
}

/* Draws until the reference has something to say. */
static bool prepare(checked *c, const cvk_plan *plan) {
    for (int i = 0; i < MOST_DRAWS; i++) {
        reference_free(&c->reference);
        data_free(&c->data);
        if (!data_draw(c->layer->spec, c->kind, c->seed + ((uint64_t)i << 32), &c->data)) return false;
        if (!reference_run(c->layer->spec, plan, &c->data.tensors, &c->session->parallel, &c->reference)) return false;
        if (c->reference.zeros <= MOST_ZEROS) return true;
    }
    session_progress_end(c->session);
    session_say("%s: layer %s: %.0f %% of the reference output are zeros, which proves nothing", c->layer->file->path,
                c->layer->spec->name, 100 * c->reference.zeros);
    return true;
}

static cli_exit check_plans(checked *c, arena *a) {
    session *s = c->session;
    ranked_plan *plans;
    int count;
    int limit = s->options->all_plans ? 0 : 1;
    cvk_status status = compile_rank(a, c->layer->spec, s->target, limit, s->diagnostics, &plans, &count);
    cli_exit worst = CLI_DONE;
    if (status != CVK_OK) {
        add_row(c, "none", NAN, &(verdict){0}, "FAILED");
        worst = session_fail(s, status);
        count = 0;
    }
    for (int i = 0; i < count; i++) {
        const cvk_plan *plan = &plans[i].plan;
        bool judged = i > 0 && rounding_is_shared(plan, &plans[i - 1].plan);
        if (judged || prepare(c, plan))
            worst = graver(worst, check_plan(c, a, &plans[i]));
        else
            worst = graver(worst, session_fail(s, CVK_ERROR_MEMORY));
    }
    reference_free(&c->reference);
    data_free(&c->data);
    return worst;
}

static cli_exit check_layer(session *s, size_t index, table *t) {
    uint64_t seed = s->options->seed + index;
    checked c = {.session = s, .layer = &s->layers[index], .table = t, .seed = seed, .kind = (data_kind)(seed & 1)};
    session_progress(s, index, s->layer_count, c.layer->spec->name);
    arena a;
    arena_init(&a);
    cli_exit status;
    if (arena_guard(&a))
        status = session_fail(s, CVK_ERROR_MEMORY);
    else
        status = check_plans(&c, &a);
    arena_free(&a);
    return status;
}

static cli_exit check_all(session *s) {
    table t;
    cli_exit worst = CLI_DONE;
    if (!table_open(&t, "check", columns, sizeof columns / sizeof *columns, s->format, stdout))
        return session_fail(s, CVK_ERROR_MEMORY);
    for (size_t i = 0; i < s->layer_count; i++) worst = graver(worst, check_layer(s, i, &t));
    if (s->format == FORMAT_TEXT)
        printf("%zu layers, target %s, %u threads, seed %lu\n", s->layer_count, s->target->name, s->parallel.workers,
               s->options->seed);
    table_extra(&t, "seed", json_integer((json_int_t)s->options->seed));
    table_extra(&t, "target", json_string(s->target->name));
    table_close(&t, s->diagnostics);
    return worst;
}

cli_exit cli_check(const cli_options *options) {
    session s;
    cli_exit status = session_open(options, &s);
    if (status == CLI_DONE) status = session_can_run(&s);
    if (status != CLI_DONE) table_failed("check", &s);
    if (status == CLI_DONE) status = session_start_threads(&s);
    if (status == CLI_DONE) status = check_all(&s);
    session_close(&s);
    return status;
}
