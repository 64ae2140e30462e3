/* Candidates that crash, hang, eat memory or give wrong results are records, and nothing else. */
#include "fake.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum fault { FAULT_NONE, FAULT_CRASH, FAULT_HANG, FAULT_MEMORY, FAULT_WRONG, FAULT_LEAVE, FAULTS } fault;

/* Of `one_in` plans one has a fault, and each kind its turn; the model's pick has none. */
static int one_in;
static uint64_t spared, salt; /* a layer, so that the same plan fares otherwise in the next */

static fault fault_of(const char *plan, int half) {
    const uint64_t own = candidates_hash(plan), hash = (own ^ salt) * UINT64_C(0x9E3779B97F4A7C15);
    if (own == spared || (hash >> 8) % (uint64_t)one_in) return FAULT_NONE;
    const fault f = (fault)((hash >> 32) % FAULTS);
    return (int)(hash >> 40 & 1) == half ? f : FAULT_NONE;
}

static void suffer(fault f) {
    if (f == FAULT_CRASH) raise(SIGSEGV);
    if (f == FAULT_LEAVE) _exit(0);
    if (f == FAULT_HANG)
        for (;;) pause();
    if (f == FAULT_MEMORY)
        for (;;) memset(malloc(1 << 20), 1, 1 << 20);
}

static void compile_faulty(void *kept, const message *request, message *reply, volatile worker_state *state) {
    fake_compile(kept, request, reply, state);
    const fault f = fault_of((const char *)reply->bytes + sizeof(compile_reply), 0);
    suffer(f);
    if (f != FAULT_WRONG) return;
    const compile_reply wrong = {.outcome = OUTCOME_CORRECTNESS, .why = "an error of 7"};
    reply->size = 0;
    message_add(reply, &wrong, sizeof wrong);
}

static void measure_faulty(void *kept, const message *request, message *reply, volatile worker_state *state) {
    worker_enter(state, STAGE_RUNNING);
    suffer(fault_of((const char *)request->bytes + sizeof(measure_request), 1));
    fake_measure(kept, request, reply, state);
}

static void open_faulty(fake *f, const char *yaml, int budget, int rate) {
    fake_open(f, yaml, "exhaustive", budget);
    one_in = rate;
    f->setup.compile = compile_faulty;
    f->setup.measure = measure_faulty;
    f->limits.compile_seconds = f->limits.run_seconds = 2; /* what is well has to end in it on a busy machine too */
    f->limits.slow = 1;
    f->limits.bytes = (size_t)48 << 20;
    candidates c;
    candidates_open(&f->arena, f->spec, f->setup.aim, &c);
    spared = c.list[0].hash;
}

/* What a record of a plan has to say, by its fault. */
static bool is_told(const record *r) {
    const fault early = fault_of(r->plan, 0), late = fault_of(r->plan, 1);
    const fault f = early ? early : late == FAULT_WRONG ? FAULT_NONE : late;
    switch (f) {
    case FAULT_NONE: return r->outcome == OUTCOME_CORRECT && r->seconds > 0;
    case FAULT_CRASH: return r->outcome == (early ? OUTCOME_COMPILE : OUTCOME_RUNTIME) && strstr(r->why, "egmentation");
    case FAULT_HANG: return r->outcome == OUTCOME_TIMEOUT && strstr(r->why, "too long");
    case FAULT_MEMORY: /* a slow machine has no time to eat much */
        return strstr(r->why, "too much memory") || strstr(r->why, "too long");
    case FAULT_WRONG: return r->outcome == OUTCOME_CORRECTNESS && strcmp(r->why, "an error of 7") == 0;
    case FAULT_LEAVE: return r->outcome == (early ? OUTCOME_COMPILE : OUTCOME_RUNTIME) && strstr(r->why, "ended");
    case FAULTS: break;
    }
    return false;
}

static void expect_no_children(void) {
    cr_assert(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a process is left");
}

Test(faults, each_kind_is_told_and_the_tuner_goes_on, .timeout = 200) {
    fake f;
    open_faulty(&f, one_layer, INT_MAX, 8);
    fake_tune(&f);
    const record_list trials = fake_trials(&f);
    cr_assert_eq((int)trials.count, f.result.trials);
    int seen[FAULTS] = {0};
    for (size_t i = 0; i < trials.count; i++) {
        const record *r = &trials.record[i];
        cr_expect_eq(r->trial, (int64_t)i);
        cr_expect(is_told(r), "trial %zu: %s, \"%s\"", i, record_outcome_words[r->outcome], r->why);
        const fault early = fault_of(r->plan, 0), late = fault_of(r->plan, 1);
        seen[early ? early : late]++;
    }
    for (int i = 0; i < FAULTS; i++) cr_expect_gt(seen[i], 0, "no fault of kind %d was tried", i);
    expect_no_children();
    fake_close(&f);
}

static long resident_pages(void) {
    long all, resident = 0;
    malloc_trim(0);
    FILE *statm = fopen("/proc/self/statm", "r");
    cr_assert(statm && fscanf(statm, "%ld %ld", &all, &resident) == 2);
    fclose(statm);
    return resident;
}

/* Layers of other widths have other plans. */
Test(faults, thousands_of_trials_lose_none_leave_no_process_and_take_no_more_memory, .timeout = 280) {
    const long wanted = amount("CVK_TRIALS", 1200);
    long tried = 0, failed = 0, first = 0;
    for (int channels = 16; tried < wanted; channels += 16) {
        char yaml[160];
        snprintf(yaml, sizeof yaml,
                 "version: 1\nlayers: [{name: one, input: [1, 32, 14, 14], out_channels: %d, kernel_size: 3}]\n",
                 channels);
        fake f;
        salt = (uint64_t)channels;
        open_faulty(&f, yaml, INT_MAX, 100);
        fake_tune(&f);
        const record_list trials = fake_trials(&f);
        cr_assert_eq((int)trials.count, f.result.trials, "none lost, none doubled");
        cr_assert(f.known.torn == 0 && f.known.repeats == 0);
        for (size_t i = 0; i < trials.count; i++) {
            cr_assert_eq(trials.record[i].trial, (int64_t)i);
            cr_assert(is_told(&trials.record[i]), "%s", trials.record[i].why);
        }
        tried += f.result.tried;
        failed += f.result.failed;
        fake_close(&f);
        expect_no_children();
        if (!first && tried > wanted / 2) first = resident_pages();
    }
    const long spare = SANITIZED ? 1 << 17 : 1 << 12; /* pages: sanitizers keep for a while what was freed */
    cr_assert_lt(resident_pages(), first + spare, "more memory than after half of them");
    printf("%ld trials, %ld of them failed\n", tried, failed);
}
