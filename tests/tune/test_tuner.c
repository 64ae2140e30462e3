/* A layer tuned: trials, records, the match. */
#include "fake.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

Test(tuner, every_trial_is_a_record_in_its_order) {
    fake f;
    fake_open(&f, one_layer, "local", 30);
    fake_tune(&f);
    const record_list trials = fake_trials(&f);
    cr_assert_eq(trials.count, 30);
    for (size_t i = 0; i < trials.count; i++) {
        const record *r = &trials.record[i];
        cr_expect_eq(r->trial, (int64_t)i);
        cr_expect_float_eq(r->seconds, fake_seconds(r->plan), 1e-9);
        cr_expect_float_eq(r->relative, fake_seconds(r->plan) / fake_seconds(trials.record[0].plan), 1e-6);
        cr_expect(strcmp(r->strategy, "local") == 0 && r->judged > 0 && r->seed == 7 && r->time > 0);
    }
    cr_assert(f.result.tried == 30 && f.result.trials == 30 && f.result.failed == 0);
    fake_close(&f);
}

Test(tuner, the_best_is_held_against_the_pick_and_crowned) {
    fake f;
    fake_open(&f, one_layer, "random", 60);
    fake_tune(&f);
    const record_list trials = fake_trials(&f);
    double best = INFINITY;
    for (size_t i = 0; i < trials.count; i++) best = fmin(best, trials.record[i].seconds);
    const record *m = &f.known.record[f.known.count - 1];
    cr_assert_eq(m->kind, RECORD_MATCH);
    cr_assert(m->crowned && m->chance < m->level);
    cr_assert_float_eq(m->seconds, best, 1e-9);
    cr_assert_str_eq(m->pick, trials.record[0].plan);
    fake_close(&f);
}

/* Nothing is faster than the pick. */
static void measure_all_alike(void *kept, const message *request, message *reply, volatile worker_state *state) {
    (void)kept;
    (void)request;
    worker_enter(state, STAGE_RUNNING);
    const measure_reply r = {.verdict = {1e-3, 1e-3, 1, 1, 1, 41, 20, turns_chance(20, 41)}};
    message_add(reply, &r, sizeof r);
}

/* Trials find a plan faster, and the match does not. */
static void measure_lucky(void *kept, const message *request, message *reply, volatile worker_state *state) {
    (void)kept;
    measure_request wanted;
    memcpy(&wanted, request->bytes, sizeof wanted);
    worker_enter(state, STAGE_RUNNING);
    const bool match = isinf(wanted.slow);
    measure_reply r = {.verdict = {0.9e-3, 1e-3, 0.9, 0.9, 0.9, 9, 9, turns_chance(9, 9)}};
    if (match) r.verdict = (turns_verdict){1e-3, 1e-3, 1.001, 0.9, 1.1, 41, 20, turns_chance(20, 41)};
    message_add(reply, &r, sizeof r);
}

Test(tuner, the_pick_stays_where_nobody_wins_by_more_than_chance) {
    void (*const measures[])(void *, const message *, message *, volatile worker_state *) = {measure_all_alike,
                                                                                             measure_lucky};
    for (int i = 0; i < 2; i++) {
        fake f;
        fake_open(&f, one_layer, "model", 12);
        f.setup.measure = measures[i];
        fake_tune(&f);
        const record *m = &f.known.record[f.known.count - 1];
        cr_assert(m->kind == RECORD_MATCH && !m->crowned);
        fake_close(&f);
    }
}

Test(tuner, a_second_run_tries_nothing_again_and_holds_no_second_match) {
    fake f;
    fake_open(&f, one_layer, "tabu", 25);
    fake_tune(&f);
    const size_t before = f.known.count;
    fake_tune(&f);
    cr_assert(f.result.tried == 0 && f.result.trials == 25);
    cr_assert_eq(f.known.count, before);
    cr_assert(*f.result.match.plan, "the match is found");
    f.setup.budget = 30;
    fake_tune(&f);
    cr_assert_eq(f.result.tried, 5);
    cr_assert_eq(f.known.count, before + 6, "five trials and a match");
    fake_close(&f);
}

static int trials_of(const char *how, uint32_t index, uint32_t count, const char **plans) {
    fake f;
    fake_open(&f, one_layer, how, 80);
    f.setup.shard = (shard){index, count};
    fake_tune(&f);
    const record_list trials = fake_trials(&f);
    static char texts[4][80][512];
    int kept = 0;
    for (size_t i = 0; i < trials.count; i++) {
        if (count > 1 && index > 0 && trials.record[i].trial == 0) continue; /* the pick, which all shards need */
        snprintf(texts[index + (count > 1)][kept], 512, "%s", trials.record[i].plan);
        plans[kept] = texts[index + (count > 1)][kept];
        kept++;
    }
    fake_close(&f);
    return kept;
}

static bool is_among(const char *plan, const char *const *plans, int count) {
    for (int i = 0; i < count; i++)
        if (strcmp(plan, plans[i]) == 0) return true;
    return false;
}

Test(tuner, shards_try_what_one_process_tries_each_plan_in_one_of_them) {
    static const char *const names[] = {"exhaustive", "random", "model"};
    for (int n = 0; n < 3; n++) {
        const char *whole[80], *part[3][80];
        int count[3], all = trials_of(names[n], 0, 1, whole), together = 0;
        for (uint32_t i = 0; i < 3; i++) together += count[i] = trials_of(names[n], i, 3, part[i]);
        cr_expect_eq(together, all, "%s: %d of %d", names[n], together, all);
        for (uint32_t i = 0; i < 3; i++) {
            cr_expect_gt(count[i], 0);
            for (int k = 0; k < count[i]; k++) cr_expect(is_among(part[i][k], whole, all), "%s", part[i][k]);
        }
    }
}

Test(tuner, a_layer_that_no_plan_can_do_is_refused) {
    fake f;
    fake_open(
        &f,
        "version: 1\nlayers: [{name: one, input: [1, 4, 9, 9], out_channels: 4, kernel_size: 3, stride: 2, algorithm: "
        "winograd}]\n",
        "local", 5);
    cvk_diagnostics *d = cvk_diagnostics_new();
    f.setup.diagnostics = d;
    cr_assert_eq(tune_layer(&f.setup, &f.limits, &f.arena, f.spec, &f.result), CVK_ERROR_UNSUPPORTED);
    cr_assert_eq(cvk_diagnostics_count(d), 1);
    cvk_diagnostics_free(d);
    fake_close(&f);
}

/* The model has changed its mind since. */
Test(tuner, another_pick_meets_the_best_again) {
    fake f;
    fake_open(&f, one_layer, "random", 20);
    fake_tune(&f);
    const record_list trials = fake_trials(&f);
    database_writer *w = database_writer_new(f.folder.path);
    record m = f.known.record[f.known.count - 1];
    m.pick = trials.record[7].plan;
    m.time += 1000000;
    cr_assert_eq(database_append(w, &m, NULL), CVK_OK);
    database_writer_free(w);
    const size_t before = f.known.count + 1;
    fake_tune(&f);
    cr_assert_eq(f.result.tried, 0);
    cr_assert_eq(f.known.count, before + 1, "a match more");
    cr_assert_str_eq(f.result.match.pick, trials.record[0].plan);
    fake_close(&f);
}
