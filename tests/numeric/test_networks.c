/* Random networks: each step judged by the interpreter on what those before it put out, and all at once, in the memory
 * that was planned, the same bits. CVK_SEED and CVK_CASES choose others, CVK_CASE a single one. */
#include "lab/network.h"
#include "judge/network.h"
#include "random_network.h"
#include "threads.h"
#include "workers.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#ifndef NETWORKS
#define NETWORKS 300
#endif

typedef struct seeded {
    uint64_t seed;
} seeded;

/* A network being tried. */
typedef struct subject {
    const char *words; /* of the case */
    lab lab;
    arena arena;
    ready_network ready;
    network_trial trial;
} subject;

static bool fails(const subject *s, const char *what, const char *words) {
    fprintf(stderr, "%s: %s\n%s", what, words, s->words);
    return false;
}

static const char *first_words(const cvk_diagnostics *d, cvk_status status) {
    return cvk_diagnostics_count(d) ? cvk_diagnostics_get(d, 0)->message : cvk_status_text(status);
}

static bool try_step(subject *s, int step) {
    const char *words = NULL, *name = s->ready.steps->step[step].spec->name;
    const layer_plan *plan = &ready_network_unit(&s->ready, step)->plan;
    workers_expect_crash(s->words);
    for (int side = GUARD_END; side <= GUARD_START; side++) {
        verdict v = {0};
        const cvk_status status =
            network_trial_step(&s->trial, step, plan, (guard_side)side, &lab_one_thread, &v, &words);
        if (status != CVK_OK) return fails(s, name, cvk_status_text(status));
        if (words) return fails(s, name, arena_format(&s->arena, "%s, error/bound %g", words, v.ratio));
    }
    return true;
}

/* Twice in one memory. */
static bool try_whole(subject *s, guard_side side, const cvk_parallel_for *threads) {
    network_buffers b;
    const char *words = NULL;
    cvk_status status = network_trial_bind(&s->trial, side, threads->workers, &b);
    for (int again = 0; again < 2 && status == CVK_OK; again++)
        status = cvk_network_run(&s->ready.info, &b.buffers, threads);
    words = status == CVK_OK ? network_trial_compare(&s->trial, &b) : cvk_status_text(status);
    network_buffers_free(&b);
    return !words || fails(s, "at once", words);
}

static bool try_steps(subject *s) {
    const cvk_parallel_for threads = threads_for(3);
    for (int i = 0; i < s->ready.steps->step_count; i++)
        if (!try_step(s, i)) return false;
    return try_whole(s, GUARD_END, &lab_one_thread) && try_whole(s, GUARD_START, &threads);
}

static bool try_file(subject *s, const cvk_network *file, draws *d) {
    const int64_t batch = draw_from(d, 0, 3);
    const int64_t near = draw_chance(d, 50) ? 0 : INT64_MAX; /* chains wherever they may be, or nowhere */
    ready_network_begin(&s->arena, file, near, &s->ready);
    cvk_status status = ready_network_open(&s->lab, &s->arena, &s->ready);
    if (status != CVK_OK) return fails(s, "it does not compile", first_words(s->lab.diagnostics, status));
    status = network_trial_open(s->ready.steps, &s->ready.info, batch, draw_bits(d), &s->trial);
    return status == CVK_OK ? try_steps(s) : fails(s, "data", cvk_status_text(status));
}

static bool try_yaml(subject *s, const char *yaml, draws *d) {
    cvk_network *file;
    const cvk_status status = cvk_network_parse(yaml, strlen(yaml), "network", s->lab.diagnostics, &file);
    if (status != CVK_OK) return fails(s, "it does not read", first_words(s->lab.diagnostics, status));
    const bool right = try_file(s, file, d);
    network_trial_close(&s->trial);
    ready_network_close(&s->ready);
    cvk_network_free(file);
    return right;
}

/* `yaml`: the network, or NULL for a random one. */
static bool try_network(const char *yaml, draws *d, const char *repeat) {
    cvk_diagnostics *told = cvk_diagnostics_new();
    subject s = {.lab = {.target = target_host(), .threads = &lab_one_thread, .diagnostics = told}};
    arena_init(&s.arena);
    if (arena_guard(&s.arena)) return false;
    const char *words = yaml ? yaml : random_network(d, &s.arena);
    s.words = arena_format(&s.arena, "%s%s", words, repeat);
    workers_expect_crash(s.words);
    const bool right = try_yaml(&s, words, d);
    arena_free(&s.arena);
    cvk_diagnostics_free(told);
    return right;
}

static bool run_numbered(int number, void *context) {
    const unsigned long seed = (unsigned long)((seeded *)context)->seed;
    char repeat[128];
    draws d = draws_for(seed, (uint64_t)number);
    snprintf(repeat, sizeof repeat,
             "repeat: CVK_SEED=%lu CVK_CASE=%d tests/numeric/test_networks --filter 'networks/random*'\n", seed,
             number);
    return try_network(NULL, &d, repeat);
}

Test(networks, random_ones_are_right_step_by_step_and_at_once) {
    seeded all = {(uint64_t)environment_number("CVK_SEED", 1)};
    const int cases = (int)environment_number("CVK_CASES", NETWORKS);
    const int failures = workers_run(cases, run_numbered, &all);
    cr_assert_eq(failures, 0, "%d networks failed; see above", failures);
}

/* ---- found once ---- */

static void expect_right(const char *yaml) {
    draws d = draws_for(1, 1);
    cr_expect(try_network(yaml, &d, ""));
}

Test(networks, weights_that_are_known_are_judged_as_they_are) {
    expect_right("{version: 1, inputs: {x: [1, 1, 9, 9]}, outputs: [y], layers: [{name: y, input: x, out_channels: 1, "
                 "kernel_size: 3, weights: {values: [[1, 0, -1], [2, 0, -2], [1, 0, -1]]}}]}\n");
}

Test(networks, what_one_layer_ignores_is_not_brought_to_others) {
    expect_right("{version: 1, inputs: {x: [1, 1, 9, 20]}, outputs: [y, z], defaults: {out_channels: 1, kernel_size: "
                 "3}, layers: [{name: y, input: x, nan: ignore}, {name: z, input: x, weights: {values: [[1, 0, -1], "
                 "[2, 0, -2], [1, 0, -1]]}}]}\n");
}

/* They went through a multiplier, which nobody brought. */
Test(networks, bytes_are_copied_as_they_are) {
    expect_right(
        "{version: 1, inputs: {x: {shape: [2, 3, 5, 7], dtype: u8}, z: {shape: [2, 3, 5, 7], dtype: s8, layout: "
        "blocked}}, outputs: [both, z], layers: [{name: a, kind: max_pool, input: x, kernel_size: 1, dtype: u8, "
        "layout: blocked, quantization: {input_zero_point: 9}}, {name: both, kind: concat, input: [a, x]}]}\n");
}

/* None of them may begin within a block of another. */
Test(networks, what_lies_side_by_side_in_blocks_begins_with_one) {
    expect_right(
        "{version: 1, inputs: {x: [1, 3, 5, 5]}, outputs: [z], defaults: {out_channels: 5, kernel_size: 3}, "
        "layers: [{name: a, input: x, layout: blocked}, {name: b, input: x}, {name: both, kind: concat, input: "
        "[a, b]}, {name: z, input: both, kernel_size: 1}]}\n");
    expect_right("{version: 1, inputs: {x: [1, 3, 5, 5]}, outputs: {both: {layout: blocked}}, defaults: {out_channels: "
                 "20, kernel_size: 3}, layers: [{name: a, input: x}, {name: b, input: x}, {name: both, kind: concat, "
                 "input: [a, b]}]}\n");
}

/* What is behind the last of a block is zeros, which whoever computes it writes. */
Test(networks, the_last_of_those_side_by_side_may_end_within_a_block) {
    expect_right(
        "{version: 1, inputs: {x: [2, 3, 5, 5]}, outputs: {both: {layout: blocked}}, defaults: {out_channels: "
        "16, kernel_size: 3}, layers: [{name: a, input: x}, {name: b, input: x, out_channels: 5}, {name: both, "
        "kind: concat, input: [a, b]}]}\n");
}
