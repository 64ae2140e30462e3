/* A tuner that is killed at random points and begun again makes the trials of one that was not, for every strategy. */
#include "fake.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIALS = 40 };

/* How many results the search has heard of, as one that is killed leaves it. */
static int *shared_count(void) {
    int *count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)count, MAP_FAILED);
    *count = 0;
    return count;
}

static void count_told(void *context, const tune_progress *p) { *(volatile int *)context = p->trials; }

static void expect_all_told_recorded(fake *f, int told) {
    f->known = (record_list){0};
    cr_assert_eq(database_read(&f->arena, f->folder.path, NULL, &f->known), CVK_OK);
    cr_assert_geq((int)fake_trials(f).count, told, "a record of which the search had heard is lost");
    cr_assert_eq(f->known.repeats, 0, "a record is there twice");
}

/* Kills it some milliseconds after it began, `kills` times, then lets it end. */
static void tune_and_kill(fake *f, long kills, unsigned *seed) {
    int *told = shared_count();
    f->setup.progress = count_told;
    f->setup.progress_context = told;
    for (long i = 0; i < kills; i++) {
        pid_t tuner = fork();
        cr_assert_geq(tuner, 0);
        if (tuner == 0) {
            fake_tune(f);
            _exit(0);
        }
        usleep((useconds_t)(20000 + rand_r(seed) % 60000));
        kill(tuner, SIGKILL);
        waitpid(tuner, NULL, 0);
        expect_all_told_recorded(f, *told);
    }
    fake_tune(f);
    expect_all_told_recorded(f, TRIALS);
    munmap(told, sizeof *told);
}

static void expect_same_trials(fake *once, fake *often, const char *name) {
    const record_list a = fake_trials(once), b = fake_trials(often);
    cr_assert_eq(a.count, b.count, "%s: %zu trials, not %zu", name, b.count, a.count);
    for (size_t i = 0; i < a.count; i++) {
        cr_assert_str_eq(a.record[i].plan, b.record[i].plan, "%s: trial %zu", name, i);
        cr_assert_eq(a.record[i].trial, b.record[i].trial);
        cr_assert_eq(a.record[i].relative, b.record[i].relative, "%s: trial %zu", name, i);
    }
}

static void keep_best(void *context, const tune_progress *p) { *(double *)context = p->relative; }

/* A search that were told more digits than are written might try another plan once it is begun again. */
Test(resume, a_search_is_told_what_is_recorded_to_the_last_bit) {
    fake f;
    double told = NAN, least = INFINITY;
    fake_open(&f, one_layer, "random", TRIALS);
    f.setup.progress = keep_best;
    f.setup.progress_context = &told;
    fake_tune(&f);
    const record_list trials = fake_trials(&f);
    for (size_t i = 0; i < trials.count; i++) least = fmin(least, trials.record[i].relative);
    cr_assert_eq(told, least, "%.17g is recorded as %.17g", told, least);
    fake_close(&f);
}

Test(resume, kills_at_random_points_change_no_trial, .timeout = 280) {
    unsigned seed = (unsigned)amount("CVK_SEED", 1);
    const strategy *row;
    for (int i = 0; (row = strategy_row(i)); i++) {
        fake once, often;
        fake_open(&once, one_layer, row->name, TRIALS);
        fake_open(&often, one_layer, row->name, TRIALS);
        fake_tune(&once);
        tune_and_kill(&often, amount("CVK_KILLS", 30) / 6, &seed);
        expect_same_trials(&once, &often, row->name);
        fake_close(&once);
        fake_close(&often);
    }
}

static volatile sig_atomic_t stop_now;
static void stop_after_some(void *context, const tune_progress *p) {
    if (p->tried == *(int *)context) stop_now = 1;
}

Test(resume, a_stop_is_between_two_records) {
    fake once, often;
    int after = 9;
    fake_open(&once, one_layer, "tabu", TRIALS);
    fake_open(&often, one_layer, "tabu", TRIALS);
    fake_tune(&once);
    often.setup.stop = &stop_now;
    often.setup.progress = stop_after_some;
    often.setup.progress_context = &after;
    for (stop_now = 0, often.result.stopped = true; often.result.stopped; stop_now = 0) {
        fake_tune(&often);
        cr_assert_eq(often.known.torn, 0);
        if (often.result.stopped) cr_assert_eq(often.result.match.turns, 0, "a match that was not to its end");
    }
    expect_same_trials(&once, &often, "tabu");
    fake_close(&once);
    fake_close(&often);
}
