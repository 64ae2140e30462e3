/* A network's kernels are timed as its steps; several of one kernel are its share together. */
#include "cli/tune_items.h"

#include "chain.h"

#include "cli/session_main.h"
#include "judge/network.h"
#include "lab/network.h"

#include <math.h>

enum { RUNS = 7 };

static void add(tune_items *to, tune_item item) { to->item[to->count++] = item; }

/* The greatest share first; what is as great, in the order of the file. */
static void sort(tune_item *item, size_t count) {
    for (size_t i = 1; i < count; i++) {
        const tune_item one = item[i];
        size_t at = i;
        for (; at > 0 && item[at - 1].share < one.share; at--) item[at] = item[at - 1];
        item[at] = one;
    }
}

static void add_kernels(arena *a, const ready_network *r, const double *seconds, tune_items *to) {
    const int count = r->kernels.count;
    double *of = arena_array(a, double, count + 1), sum = 0;
    const network_parts **parts = arena_array(a, const network_parts *, count + 1);
    for (int i = r->steps->step_count - 1; i >= 0; i--) {
        of[r->kernels.of[i]] += seconds[i];
        parts[r->kernels.of[i]] = &r->steps->step[i].parts;
        sum += seconds[i];
    }
    for (int i = 0; i < count; i++)
        add(to, (tune_item){r->kernels.layer[i], *parts[i], of[i] / sum, of[i] / sum * count});
    sort(to->item + to->count - count, (size_t)count);
}

/* A network on its way to its shares. */
typedef struct timed {
    const session_file *file;
    lab lab;
    ready_network network;
    network_trial trial;
    network_buffers buffers;
    arena *kept; /* outlives the measuring */
    tune_items *to;
} timed;

static cli_exit time_opened(session *s, arena *a, timed *t) {
    ready_network_begin(t->kept, t->file->network, chain_near_bytes(s->target), &t->network);
    cvk_status status = ready_network_open(&t->lab, a, &t->network);
    if (status == CVK_OK)
        status = network_trial_open(t->network.steps, &t->network.info, 1, s->options->seed, &t->trial);
    if (status == CVK_OK) status = network_trial_bind(&t->trial, GUARD_START, 1, &t->buffers);
    double *seconds = arena_array(a, double, t->network.steps->step_count + 1);
    if (status == CVK_OK)
        status = ready_network_time(&t->network, &t->buffers.buffers, t->lab.threads, RUNS, a, seconds);
    if (status == CVK_OK) add_kernels(t->kept, &t->network, seconds, t->to);
    return session_fail(s, status);
}

/* Images of kernels are listed in the arena. */
static cli_exit time_guarded(session *s, arena *a, void *context) {
    timed *t = context;
    const cli_exit status = time_opened(s, a, t);
    network_buffers_free(&t->buffers);
    network_trial_close(&t->trial);
    ready_network_close(&t->network);
    return status;
}

static cli_exit add_network(session *s, arena *a, const session_file *file, tune_items *to) {
    timed t = {.file = file, .kept = a, .to = to};
    t.lab = (lab){.target = s->target,
                  .threads = &lab_one_thread,
                  .diagnostics = s->diagnostics,
                  .plan_threads = session_goal(s, s->target).threads};
    session_progress(s, 0, s->file_count, file->path);
    const cli_exit status = session_guarded(s, time_guarded, &t);
    session_progress_end(s);
    return status;
}

/* No network has more kernels than layers, inputs and outputs and what is read. */
static size_t most_items(const session *s) {
    size_t most = s->layer_count;
    for (const session_file *f = s->files; f < s->files + s->file_count; f++)
        if (session_has_network(s, f)) most += (size_t)network_most_steps(f->network);
    return most;
}

cli_exit tune_items_of(session *s, arena *a, tune_items *to) {
    cli_exit worst = CLI_DONE;
    *to = (tune_items){.item = arena_array(a, tune_item, most_items(s) + 1)};
    for (const session_file *f = s->files; f < s->files + s->file_count; f++)
        if (session_has_network(s, f)) worst = graver(worst, add_network(s, a, f, to));
    for (size_t i = 0; i < s->layer_count; i++)
        if (!session_in_network(s, &s->layers[i]))
            add(to, (tune_item){s->layers[i].spec, {1, &s->layers[i].spec}, NAN, 1});
    return worst;
}
