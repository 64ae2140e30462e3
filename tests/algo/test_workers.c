/* Is a plan judged by the worker with most tasks, whatever the algorithm, and is the one chosen for many threads the
 * one that has work for them? */
#include "algo/cost.h"
#include "spec/spec.h"

#include <criterion/criterion.h>
#include <math.h>

static const double CYCLES = 64e6;

static double on(uint32_t workers, int64_t tasks) {
    const cost_phase one = {.share = 1, .tasks = tasks};
    return cost_on_workers(CYCLES, &one, 1, workers, (goal){0});
}

/* Within what barriers and calls cost. */
static void expect_near(double got, double cycles, const char *what) {
    cr_assert(got >= cycles && got < cycles + 20000, "%s: %g cycles, not %g", what, got, cycles);
}

Test(workers, the_one_with_most_tasks_says_how_long_it_takes) {
    expect_near(on(1, 64), CYCLES, "one worker");
    expect_near(on(2, 64), CYCLES / 2, "halves");
    expect_near(on(64, 64), CYCLES / 64, "a task each");
    expect_near(on(64, 65), CYCLES * 2 / 65, "one of them has two");
    expect_near(on(64, 4), CYCLES / 4, "four have one");
    expect_near(on(3, 4), CYCLES / 2, "one of three has two of four");
    expect_near(on(64, 1), CYCLES, "one task");
}

Test(workers, phases_wait_for_one_another) {
    const cost_phase phases[] = {{.share = 0.25, .tasks = 1}, {.share = 0.75, .tasks = 64}};
    expect_near(cost_on_workers(CYCLES, phases, 2, 64, (goal){0}), CYCLES / 4 + CYCLES * 0.75 / 64,
                "one task, then 64");
    const cost_phase one[] = {{.share = 1, .tasks = 64}};
    const cost_phase two[] = {{.share = 0.5, .tasks = 64}, {.share = 0.5, .tasks = 64}};
    cr_assert_gt(cost_on_workers(CYCLES, two, 2, 64, (goal){0}), cost_on_workers(CYCLES, one, 1, 64, (goal){0}),
                 "a barrier costs something");
}

/* A second phase that reads 3 MB, a million cycles' worth of fetching from others. */
static double carrying(double parts, uint32_t workers) {
    const cost_phase phases[] = {{.share = 0.5, .tasks = 64},
                                 {.share = 0.5, .tasks = 64, .carried = 3e6, .parts = parts}};
    return cost_on_workers(CYCLES, phases, 2, workers, (goal){0});
}

Test(workers, what_others_left_is_fetched) {
    expect_near(carrying(1, 1), CYCLES, "one worker left it to itself");
    expect_near(carrying(1, 2), CYCLES / 2 + 5e5, "two workers: half of it is the other's");
    expect_near(carrying(1, 64), CYCLES / 64 + 1e6 * 63 / 64, "64 workers: nearly all of it");
    expect_near(carrying(2, 2), CYCLES / 2, "two workers with a part each");
    expect_near(carrying(2, 4), CYCLES / 4 + 25e4, "four workers, two to a part: half of a half");
}

/* A step that reads and writes 3 MB, a million cycles' worth of fetching from others. */
static double of_step(cost_shares shares, uint32_t workers) {
    const cost_phase phase = {.share = 1, .tasks = 64, .shares = shares};
    return cost_on_workers(CYCLES, &phase, 1, workers, (goal){.target = target_find("x86-64-v4"), .step = true});
}

Test(workers, a_step_fetches_what_is_at_the_positions_of_others) {
    expect_near(of_step((cost_shares){.all_channels = 3e6, .places = 64}, 2), CYCLES / 2, "positions of its own");
    expect_near(of_step((cost_shares){.all_channels = 3e6, .places = 1}, 2), CYCLES / 2 + 5e5, "half is the other's");
    expect_near(of_step((cost_shares){.own_channels = 3e6, .places = 1}, 2), CYCLES / 2 + 25e4,
                "half of the half that has its channels");
    expect_near(of_step((cost_shares){.all_channels = 3e6, .places = 2}, 4), CYCLES / 4 + 25e4, "two to a part");
    expect_near(of_step((cost_shares){.all_channels = 3e6, .places = 1}, 1), CYCLES, "one worker");
    cr_assert_gt(of_step((cost_shares){.weights = 3e6, .places = 64}, 2),
                 of_step((cost_shares){.weights = 3e6, .places = 1}, 2) + 1e4, "both read all weights");
}

Test(workers, where_threads_are_not_known_one_core_loses_next_to_nothing) {
    const int64_t tasks[] = {1, 2, 3, 4, 8, 16, 63, 64, 65, 1000, 1000000};
    double before = INFINITY;
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        const cost_phase one = {.share = 1, .tasks = tasks[i]};
        const double judged = cost_judged(CYCLES, &one, 1, (goal){.threads = 0});
        cr_assert(judged >= CYCLES && judged <= 1.025 * CYCLES, "%ld tasks: %g", (long)tasks[i], judged / CYCLES);
        if (tasks[i] <= 64) cr_assert_lt(judged, before, "%ld tasks are no better than fewer", (long)tasks[i]);
        before = judged;
    }
}

static double of_two(double cycles, int64_t tasks, uint32_t threads) {
    const cost_phase one = {.share = 1, .tasks = tasks};
    return cost_judged(cycles, &one, 1, (goal){.threads = threads});
}

Test(workers, more_tasks_win_where_they_are_worth_it) {
    cr_assert_lt(of_two(CYCLES, 1, 1), of_two(1.01 * CYCLES, 64, 1), "one thread: the faster");
    cr_assert_lt(of_two(1.01 * CYCLES, 64, 0), of_two(CYCLES, 1, 0), "unknown: a hundredth is worth 64 tasks");
    cr_assert_lt(of_two(CYCLES, 1, 0), of_two(1.05 * CYCLES, 64, 0), "unknown: a twentieth is not");
    cr_assert_lt(of_two(1.5 * CYCLES, 64, 64), of_two(CYCLES, 1, 64), "64 threads: half as much again is");
}

enum { SIZE = 14 };

static cvk_spec map_of(int size, int channels, int out_channels, int groups, int kernel) {
    cvk_spec s = {.name = "small_map",
                  .rank = 2,
                  .batch = 1,
                  .in_channels = channels,
                  .out_channels = out_channels,
                  .groups = groups,
                  .accuracy = ACCURACY_DEFAULT,
                  .input_layout = CVK_CHANNELS_LAST,
                  .output_layout = CVK_CHANNELS_LAST};
    for (int axis = 0; axis < AXES; axis++) s.in_size[axis] = s.kernel[axis] = s.stride[axis] = s.dilation[axis] = 1;
    for (int axis = AXIS_H; axis <= AXIS_W; axis++) {
        s.in_size[axis] = size;
        s.kernel[axis] = kernel;
        s.pad_before[axis] = s.pad_after[axis] = kernel / 2;
    }
    return s;
}

/* A layer that Winograd does in one task or in many; the cost of either is the model's affair. Best first. */
static int plans_for(arena *a, uint32_t threads, int limit, ranked_plan **plans) {
    cvk_spec s = map_of(SIZE, 256, 256, 1, 3);
    cr_assert_eq(spec_finish(&s, NULL), CVK_OK);
    const problem p = problem_of(&s, 0);
    int count;
    const char *why;
    const goal aim = {.target = target_find("x86-64-v4"), .threads = threads};
    algo_rank(a, &p, aim, "auto", limit, plans, &count, &why);
    cr_assert_geq(count, 1);
    for (int i = 0; i < count; i++) (*plans)[i].nests = algo_build(a, &p, aim, &(*plans)[i].plan).nests;
    return count;
}

static ranked_plan chosen_for(arena *a, uint32_t threads) {
    ranked_plan *plans;
    plans_for(a, threads, 1, &plans);
    return plans[0];
}

/* Blocks of tiles, which is what both phases are about. */
static int64_t blocks(int tile, int block) { return ceil_div(ceil_div(SIZE, tile), block); }

Test(workers, tasks_keep_to_their_part_of_the_workspace) {
    arena a;
    arena_init(&a);
    cr_assert_eq(arena_guard(&a), false);
    ranked_plan *plans;
    int phased = 0, count = plans_for(&a, 0, 0, &plans);
    for (int i = 0; i < count; i++) {
        const nest_program *run = &plans[i].nests.run;
        const cvk_plan *p = &plans[i].plan;
        if (run->count == 1 || strcmp(p->algorithm, "winograd") != 0) continue;
        phased++;
        const int64_t expected = blocks(p->tile_oh, p->block_oh) * blocks(p->tile_ow, p->block_ow);
        cr_assert_eq(program_parts(run, 1, ROLE_WORKSPACE), expected, "plan %d has %ld parts, not %ld", i,
                     (long)program_parts(run, 1, ROLE_WORKSPACE), (long)expected);
    }
    cr_assert_gt(phased, 2);
    arena_free(&a);
}

static int64_t last_tasks(const ranked_plan *r) { return program_tasks(&r->nests.run, r->nests.run.count - 1); }

/* How many parts of its positions the tasks of the plan chosen for a step keep to. */
static int64_t places_of_step(int size, int channels, int out_channels, int groups, int kernel, uint32_t threads) {
    cvk_spec s = map_of(size, channels, out_channels, groups, kernel);
    cr_assert_eq(spec_finish(&s, NULL), CVK_OK);
    const problem p = problem_of(&s, 0);
    const goal aim = {.target = target_find("x86-64-v4"), .threads = threads, .step = true};
    arena a;
    arena_init(&a);
    cr_assert_eq(arena_guard(&a), false);
    ranked_plan *plans;
    int count;
    const char *why;
    algo_rank(&a, &p, aim, "auto", 1, &plans, &count, &why);
    cr_assert_eq(count, 1);
    const algorithm *row = algo_of(&plans[0].plan);
    cr_assert(row->tasks, "%s does not say", row->name);
    const int64_t places = row->tasks(row, &p, aim.target, &plans[0].plan).places;
    arena_free(&a);
    return places;
}

Test(workers, steps_keep_to_positions_that_their_workers_have) {
    cr_assert_geq(places_of_step(SIZE, 384, 384, 384, 3, 2), 2, "depthwise");
    cr_assert_geq(places_of_step(SIZE, 64, 384, 1, 1, 2), 2, "what widens");
    cr_assert_geq(places_of_step(SIZE, 384, 64, 1, 1, 2), 2, "what narrows");
    cr_assert_geq(places_of_step(SIZE, 384, 384, 384, 3, 4), 4, "depthwise, on four threads");
}

Test(workers, steps_of_many_weights_have_them_read_once) {
    cr_assert_eq(places_of_step(7, 2048, 512, 1, 1, 2), 1, "4 MB of weights, half a MB of positions");
}

Test(workers, a_plan_for_many_threads_has_work_for_them) {
    arena a;
    arena_init(&a);
    cr_assert_eq(arena_guard(&a), false);
    const ranked_plan one = chosen_for(&a, 1), unknown = chosen_for(&a, 0), many = chosen_for(&a, 64);
    cr_assert_leq(one.cycles, unknown.cycles, "on one thread nothing is faster");
    cr_assert_leq(unknown.cycles, 1.025 * one.cycles);
    cr_assert_lt(many.judged, one.cycles / 10, "64 threads are ten times as fast, as predicted");
    cr_assert_geq(last_tasks(&many), last_tasks(&unknown));
    cr_assert_geq(last_tasks(&unknown), last_tasks(&one));
    arena_free(&a);
}
