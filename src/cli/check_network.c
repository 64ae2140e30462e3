/* Steps one by one, each judged on what those before it put out; then all at once, in the memory that was planned, on
 * one thread and on all, which must put out the same bits. */
#include "cli/check_network.h"

#include "cli/fault.h"
#include "cli/session_main.h"
#include "cli/tuned.h"
#include "judge/network.h"
#include "plan/brief.h"

#include <math.h>

/* A network being checked. */
typedef struct checked {
    session *session;
    const session_file *file;
    table *table;
    ready_network network;
    network_trial trial;
    int64_t batch;
} checked;

static void add_row(const checked *c, const char *name, const verdict *v, const char *words, double predicted,
                    const char *plan) {
    const cell row[] = {{c->file->path, 0}, {name, 0}, {"reals", 0}, {NULL, v->error},  {NULL, v->ratio},
                        {"-", 0},           {"-", 0},  {words, 0},   {NULL, predicted}, {plan, 0}};
    session_progress_end(c->session);
    table_row(c->table, row);
}

static cli_exit check_step(checked *c, arena *a, int step) {
    const compile_unit *unit = ready_network_unit(&c->network, step);
    const char *name = c->network.steps->step[step].spec->name, *words = NULL;
    verdict v = {0};
    text brief = text_new(a);
    layer_plan_print_brief(&unit->plan, &brief);
    session_progress(c->session, (size_t)step, (size_t)c->network.steps->step_count, name);
    fault_expect(c->file->path, name, brief.bytes);
    cvk_status status = network_trial_step(&c->trial, step, &unit->plan, GUARD_END, &c->session->parallel, &v, &words);
    if (status == CVK_OK)
        status = network_trial_step(&c->trial, step, &unit->plan, GUARD_START, &c->session->parallel, &v, &words);
    fault_expect_none();
    add_row(c, name, &v, status != CVK_OK ? "FAILED" : words ? words : "ok", 1 / unit->predicted, brief.bytes);
    if (status != CVK_OK) return session_fail(c->session, status);
    return words ? CLI_WRONG : CLI_DONE;
}

/* Twice in one memory: what a run leaves is nothing to the next. */
static cvk_status run_planned(checked *c, guard_side side, const cvk_parallel_for *threads, const char **words) {
    network_buffers b;
    cvk_status status = network_trial_bind(&c->trial, side, threads->workers, &b);
    fault_expect(c->file->path, c->network.info.name, "of all");
    for (int again = 0; again < 2 && status == CVK_OK; again++)
        status = cvk_network_run(&c->network.info, &b.buffers, threads);
    fault_expect_none();
    if (status == CVK_OK && !*words) *words = network_trial_compare(&c->trial, &b);
    network_buffers_free(&b);
    return status;
}

static cli_exit check_whole(checked *c, arena *a) {
    const cvk_parallel_for *all = &c->session->parallel;
    const network_memory *m = &c->network.memory;
    const verdict none = {NAN, NAN};
    const char *words = NULL;
    cvk_status status = run_planned(c, GUARD_END, &lab_one_thread, &words);
    if (status == CVK_OK) status = run_planned(c, GUARD_START, all, &words);
    add_row(c, *c->network.info.name ? c->network.info.name : c->file->stem, &none,
            status != CVK_OK ? "FAILED"
            : words          ? words
                             : "ok",
            NAN,
            arena_format(a, "%d steps, %.1f KiB of workspace", c->network.steps->step_count, (double)m->peak / 1024));
    if (status != CVK_OK) return session_fail(c->session, status);
    return words ? CLI_WRONG : CLI_DONE;
}

static cli_exit check_opened(checked *c, arena *a) {
    session *s = c->session;
    const cli_exit tuned = tuned_network(s, a, c->file, &c->network);
    if (tuned != CLI_DONE) return tuned;
    cvk_status status = ready_network_open(&s->lab, a, &c->network);
    if (status == CVK_OK)
        status = network_trial_open(c->network.steps, &c->network.info, c->batch, s->options->seed, &c->trial);
    if (status != CVK_OK) return session_fail(s, status);
    cli_exit worst = CLI_DONE;
    for (int i = 0; i < c->network.steps->step_count; i++) worst = graver(worst, check_step(c, a, i));
    return graver(worst, check_whole(c, a));
}

static cli_exit check_guarded(session *s, arena *a, void *context) {
    (void)s;
    checked *c = context;
    const cli_exit status = check_opened(c, a);
    network_trial_close(&c->trial);
    ready_network_close(&c->network);
    return status;
}

cli_exit check_network(session *s, const session_file *file, table *t) {
    enum { SOME_IMAGES = 2 }; /* of a network for any batch */
    checked c = {.session = s, .file = file, .table = t, .batch = SOME_IMAGES};
    return session_guarded(s, check_guarded, &c);
}
