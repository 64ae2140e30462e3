/* The whole is timed by itself; the steps in turn, in other runs of it, each where the one before left the caches. */
#include "cli/bench_network.h"

#include "base/clock.h"
#include "cli/session_main.h"
#include "judge/network.h"
#include "lab/measure.h"
#include "lab/network.h"

#include <stdio.h>
#include <string.h>

enum { RUNS = 15, BAR = 40 };

/* A network being timed. */
typedef struct timed {
    session *session;
    const session_file *file;
    ready_network network;
    network_trial trial;
    network_buffers buffers;
} timed;

static double operations_of(const timed *t, int step) {
    const cvk_spec s = spec_of_batch(t->network.steps->step[step].spec, t->trial.batch);
    return spec_has_weights(&s) ? 2 * (double)spec_macs(&s) : 0;
}

static cvk_status run_steps(const timed *t, uint32_t first, uint32_t end) {
    return cvk_network_run_steps(&t->network.info, &t->buffers.buffers, first, end, &t->session->parallel);
}

static double time_whole(const timed *t) {
    double seconds[RUNS];
    for (int i = 0; i < RUNS; i++) {
        const double start = clock_seconds();
        run_steps(t, 0, t->network.info.steps);
        seconds[i] = clock_seconds() - start;
    }
    return measure_median(seconds, RUNS);
}

/* The median of each step. */
static void time_steps(const timed *t, arena *a, double *median) {
    const uint32_t steps = t->network.info.steps;
    double *seconds = arena_array(a, double, steps *RUNS + 1);
    for (int run = 0; run < RUNS; run++)
        for (uint32_t i = 0; i < steps; i++) {
            const double start = clock_seconds();
            run_steps(t, i, i + 1);
            seconds[i * RUNS + (uint32_t)run] = clock_seconds() - start;
        }
    for (uint32_t i = 0; i < steps; i++) median[i] = measure_median(&seconds[i * RUNS], RUNS);
}

/* Each step's bar begins where the one before ended. */
static void print_bar(double from, double to) {
    const int begin = (int)(from * (double)BAR + 0.5), end = (int)(to * (double)BAR + 0.5);
    for (int i = 0; i < BAR; i++) putchar(i >= begin && i < (end > begin ? end : begin + 1) ? '#' : '.');
    putchar('\n');
}

static void print_steps(const timed *t, const double *seconds) {
    double sum = 0, before = 0;
    for (uint32_t i = 0; i < t->network.info.steps; i++) sum += seconds[i];
    printf("%-24s %9s %6s %9s\n", "step", "us", "share", "gflops");
    for (uint32_t i = 0; i < t->network.info.steps; i++) {
        const double rate = 1e-9 * operations_of(t, (int)i) / seconds[i];
        printf("%-24s %9.1f %5.1f%% %9.1f ", t->network.info.step[i].name, 1e6 * seconds[i], 100 * seconds[i] / sum,
               rate);
        print_bar(before / sum, (before + seconds[i]) / sum);
        before += seconds[i];
    }
}

static cli_exit time_bound(timed *t, arena *a) {
    double operations = 0, *seconds = arena_array(a, double, t->network.info.steps + 1);
    const cvk_status status = run_steps(t, 0, t->network.info.steps); /* the first is not counted */
    if (status != CVK_OK) return session_fail(t->session, status);
    const double whole = time_whole(t);
    time_steps(t, a, seconds);
    for (int i = 0; i < t->network.steps->step_count; i++) operations += operations_of(t, i);
    print_steps(t, seconds);
    printf("%s: %.3f ms a run, %.1f GFLOP/s, %u threads; %.1f KiB of workspace\n", t->file->path, 1e3 * whole,
           1e-9 * operations / whole, t->session->parallel.workers, (double)t->network.memory.peak / 1024);
    return CLI_DONE;
}

static cli_exit bench_opened(timed *t, arena *a) {
    session *s = t->session;
    const int64_t batch = s->lab.batch ? s->lab.batch : 1;
    cvk_status status = ready_network_open(&s->lab, t->file->network, a, &t->network);
    if (status == CVK_OK)
        status = network_trial_open(t->network.steps, &t->network.info, batch, s->options->seed, &t->trial);
    if (status == CVK_OK) status = network_trial_bind(&t->trial, GUARD_START, s->parallel.workers, &t->buffers);
    return status == CVK_OK ? time_bound(t, a) : session_fail(s, status);
}

static cli_exit bench_guarded(session *s, arena *a, void *context) {
    (void)s;
    timed *t = context;
    const cli_exit status = bench_opened(t, a);
    network_buffers_free(&t->buffers);
    network_trial_close(&t->trial);
    ready_network_close(&t->network);
    return status;
}

cli_exit bench_network(session *s, const session_file *file) {
    timed t = {.session = s, .file = file};
    return session_guarded(s, bench_guarded, &t);
}
