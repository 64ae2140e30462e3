/* A match is held in processes that differ, and says by how much. */
#include "fake.h"

#include "lab/rounds.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_CALLS = 3 * ROUNDS };

/* Seen by all processes. */
typedef struct machine {
    int processes;                          /* that measured a match */
    int calls, process_of_call[MOST_CALLS]; /* of a match */
    char plan_of_call[MOST_CALLS][256];     /* the challenger's */
    int calls_till_stop, calls_till_crash;  /* 0: never */
    uint64_t seed;                          /* of what processes differ by */
    volatile sig_atomic_t stop;
} machine;
static machine *shared;

static const double SPREAD = 0.05;

/* What a process differs by from the mean of all: normal, by the number of the process. */
static double bias_of(uint64_t seed, int process) {
    double sum = -6;
    uint64_t state = seed * 1000 + (uint64_t)process;
    for (int i = 0; i < 12; i++) {
        state = (state ^ state >> 29) * UINT64_C(0x9E3779B97F4A7C15) + UINT64_C(0xD1B54A32D192ED03);
        sum += (double)(state >> 11) / 9007199254740992.0;
    }
    return exp(SPREAD * sum);
}

/* The parent has none, so a worker that is forked of it gets the next. */
static int process_number(void) {
    static int number;
    if (!number) number = ++shared->processes;
    return number;
}

static void note_call(const char *plan) {
    const int call = shared->calls++;
    if (call >= MOST_CALLS) return;
    shared->process_of_call[call] = process_number();
    snprintf(shared->plan_of_call[call], sizeof shared->plan_of_call[call], "%s", plan);
}

/* Quartiles as narrow as those of turns in one process. */
static void measure_by_process(void *kept, const message *request, message *reply, volatile worker_state *state) {
    measure_request wanted;
    measure_reply r;
    memcpy(&wanted, request->bytes, sizeof wanted);
    fake_measure(kept, request, reply, state);
    if (!isinf(wanted.slow)) return;
    note_call((const char *)request->bytes + sizeof wanted);
    if (shared->calls == shared->calls_till_stop) shared->stop = 1;
    if (shared->calls == shared->calls_till_crash) raise(SIGSEGV);
    memcpy(&r, reply->bytes, sizeof r);
    r.verdict.ratio *= bias_of(shared->seed, process_number());
    r.verdict.low = 0.995 * r.verdict.ratio;
    r.verdict.high = 1.005 * r.verdict.ratio;
    reply->size = 0;
    message_add(reply, &r, sizeof r);
}

static void open_machine(fake *f, int budget) {
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)shared, MAP_FAILED);
    memset(shared, 0, sizeof *shared);
    fake_open(f, one_layer, "random", budget);
    f->setup.measure = measure_by_process;
    f->setup.stop = &shared->stop;
}

static void close_machine(fake *f) {
    fake_close(f);
    munmap(shared, sizeof *shared);
}

static const record *match_of(const fake *f) {
    const record *last = &f->known.record[f->known.count - 1];
    return last->kind == RECORD_MATCH ? last : NULL;
}

static void expect_no_children(void) {
    cr_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a process is left");
}

static int times_met(int process, const char *plan) {
    int count = 0;
    for (int i = 0; i < shared->calls; i++)
        count += shared->process_of_call[i] == process && strcmp(shared->plan_of_call[i], plan) == 0;
    return count;
}

Test(match, each_challenger_meets_the_pick_once_in_each_of_so_many_processes) {
    fake f;
    open_machine(&f, 20);
    fake_tune(&f);
    cr_assert_eq(shared->processes, ROUNDS);
    cr_assert_eq(shared->calls, 3 * ROUNDS);
    for (int i = 0; i < shared->calls; i++)
        for (int process = 1; process <= ROUNDS; process++)
            cr_expect_eq(times_met(process, shared->plan_of_call[i]), 1);
    const record *m = match_of(&f);
    cr_assert(m && m->rounds == ROUNDS && m->turns == ROUNDS * turns_of_round.least && m->wins <= ROUNDS);
    expect_no_children();
    close_machine(&f);
}

static double further(const fake *f, const record *m) {
    (void)f;
    return fake_seconds(m->plan) / fake_seconds(m->pick) * bias_of(shared->seed, ROUNDS + 1);
}

Test(match, its_interval_holds_what_one_more_process_finds_and_quartiles_would_not) {
    enum { REPEATS = 24 };
    int within = 0, within_quartiles = 0;
    for (uint64_t seed = 1; seed <= REPEATS; seed++) {
        fake f;
        open_machine(&f, 20);
        shared->seed = seed;
        fake_tune(&f);
        const record *m = match_of(&f);
        cr_assert(m && m->ratio > 0);
        const double found = further(&f, m), one = fake_seconds(m->plan) / fake_seconds(m->pick) * bias_of(seed, 1);
        within += found >= m->low && found <= m->high;
        within_quartiles += found >= 0.995 * one && found <= 1.005 * one;
        close_machine(&f);
    }
    cr_expect_geq(within, 0.9 * REPEATS, "%d of %d", within, REPEATS);
    cr_expect_lt(within_quartiles, 0.5 * REPEATS, "%d of %d", within_quartiles, REPEATS);
}

Test(match, that_is_stopped_leaves_no_process_and_no_record) {
    for (int after = 1; after <= 3 * ROUNDS; after += 7) {
        fake f;
        open_machine(&f, 20);
        shared->calls_till_stop = after;
        fake_tune(&f);
        cr_expect(!match_of(&f) && !*f.result.match.plan && f.result.stopped);
        cr_expect_leq(shared->calls, after + 1);
        expect_no_children();
        shared->stop = 0;
        shared->calls = shared->calls_till_stop = 0;
        fake_tune(&f);
        cr_expect(match_of(&f) && f.result.tried == 0, "the next holds it from its first round");
        cr_expect_eq(shared->calls, 3 * ROUNDS);
        close_machine(&f);
    }
}

Test(match, a_challenger_whose_process_dies_in_a_round_is_out_and_the_others_are_not) {
    fake f;
    open_machine(&f, 20);
    shared->calls_till_crash = 7;
    fake_tune(&f);
    const record *m = match_of(&f);
    cr_assert(m && m->rounds == ROUNDS);
    cr_assert_str_neq(m->plan, shared->plan_of_call[6]);
    expect_no_children();
    close_machine(&f);
}

/* As they were written before there were rounds. */
Test(match, of_one_process_is_still_a_match) {
    fake f;
    open_machine(&f, 20);
    fake_tune(&f);
    record old = *match_of(&f);
    old.rounds = 0;
    old.wins = old.turns = 101;
    old.time += 1000;
    database_writer *w = database_writer_new(f.folder.path);
    cr_assert_eq(database_append(w, &old, NULL), CVK_OK);
    database_writer_free(w);
    shared->calls = 0;
    fake_tune(&f);
    cr_expect_eq(shared->calls, 0, "it is not held again");
    cr_expect(f.result.match.rounds == 0 && f.result.match.turns == 101);
    close_machine(&f);
}
