/* Is every task of a phase in one chunk, whatever the numbers, and run once by cvk_run whichever worker comes first? */
#include <convoke/split.h>

#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

enum { MOST_TASKS = 100, MOST_WORKERS = 140 };

static const uint64_t kilocycles[] = {0, 1, 59, 60, 100, 500, 100000};
enum { COSTS = sizeof kilocycles / sizeof *kilocycles };

static void expect_cover(uint32_t tasks, uint32_t workers, uint64_t cost) {
    const cvk_split s = cvk_split_tasks(tasks, workers, cost, 1);
    uint32_t next = 0, fewest = UINT32_MAX, most = 0;
    cr_assert(s.workers >= 1 && s.workers <= workers && s.ranges >= 1 && s.ranges <= s.workers && s.chunks >= 1);
    cr_assert_leq(s.ranges, CVK_MOST_RANGES);
    for (uint32_t r = 0; r < s.ranges; r++) {
        uint32_t begin = cvk_split_begin(&s, r, 0), size = cvk_split_begin(&s, r, s.chunks) - begin;
        for (uint32_t c = 0; c < s.chunks; c++) {
            const uint32_t first = cvk_split_begin(&s, r, c), last = cvk_split_begin(&s, r, c + 1);
            if (first != next || last < first)
                cr_assert_fail("%u tasks, %u workers: a gap or an overlap", tasks, workers);
            next = last;
        }
        fewest = size < fewest ? size : fewest;
        most = size > most ? size : most;
    }
    cr_assert_eq(next, tasks, "%u tasks, %u workers: %u of them are in chunks", tasks, workers, next);
    cr_assert_leq(most - fewest, 1, "%u tasks, %u workers: a range of %u and one of %u", tasks, workers, fewest, most);
}

Test(split, every_task_is_in_one_chunk_for_all_small_numbers) {
    for (uint32_t tasks = 0; tasks <= MOST_TASKS; tasks++)
        for (uint32_t workers = 1; workers <= MOST_WORKERS; workers++)
            for (int i = 0; i < COSTS; i++) expect_cover(tasks, workers, kilocycles[i]);
}

Test(split, the_greatest_numbers_do_not_wrap) {
    const uint32_t tasks[] = {UINT32_MAX, UINT32_MAX - 1, 1u << 31}, workers[] = {1, 2, 63, 64, 65, 1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        for (size_t k = 0; k + 1 < sizeof workers / sizeof *workers; k++)
            for (int c = 0; c < COSTS; c++) expect_cover(tasks[i], workers[k], kilocycles[c]);
    const cvk_split s = cvk_split_tasks(UINT32_MAX, UINT32_MAX, 0, 1);
    cr_assert_eq(cvk_split_begin(&s, s.ranges - 1, s.chunks), UINT32_MAX);
}

Test(split, small_kernels_get_few_workers_and_few_chunks) {
    cr_assert_eq(cvk_split_tasks(1000, 64, 59, 1).workers, 1, "over before others have begun");
    cr_assert_eq(cvk_split_tasks(1000, 64, 60, 1).workers, 3);
    cr_assert_eq(cvk_split_tasks(1000, 64, 60000, 1).workers, 64);
    cr_assert_eq(cvk_split_tasks(1000, 64, 499, 2).workers, 1, "what it hands on costs more than it gains");
    cr_assert_eq(cvk_split_tasks(1000, 64, 500, 2).workers, 25);
    cr_assert_eq(cvk_split_tasks(1000, 64, 0, 1).workers, 64, "nothing is known");
    cr_assert_eq(cvk_split_tasks(5, 64, 60000, 1).workers, 5, "no worker without a task");
    cr_assert_eq(cvk_split_tasks(1, 64, 60000, 1).workers, 1);
    const cvk_split small = cvk_split_tasks(1000, 64, 60, 1), large = cvk_split_tasks(1000, 64, 60000, 1);
    cr_assert_lt(small.chunks, 5);
    cr_assert_eq(large.chunks, 4);
    cr_assert_eq(cvk_split_tasks(128, 64, 60000, 1).chunks, 2, "no chunk is less than a task");
}

Test(split, steps_of_a_network_find_their_workers_awake) {
    cr_assert_eq(cvk_split_step(1000, 2, 9, 1).workers, 1);
    cr_assert_eq(cvk_split_step(1000, 2, 10, 1).workers, 2);
    cr_assert_eq(cvk_split_step(1000, 64, 59, 1).workers, 11);
    cr_assert_eq(cvk_split_step(1000, 64, 60000, 1).workers, 64);
    cr_assert_eq(cvk_split_step(1000, 64, 499, 2).workers, 1, "what it hands on costs more than it gains");
    const cvk_split one = cvk_split_tasks(1000, 64, 60000, 1), step = cvk_split_step(1000, 64, 60000, 1);
    cr_assert_arr_eq(&one, &step, sizeof one, "what is long is divided alike");
}

/* ---- cvk_run ---- */

static unsigned char runs[MOST_TASKS];
static uint32_t first_of_worker[MOST_WORKERS];

/* Its scratch says which worker it is. */
static void count(const cvk_args *args, uint32_t phase, uint32_t first, uint32_t last) {
    const size_t worker = (size_t)((const char *)args->scratch - (const char *)args->output);
    (void)phase;
    for (uint32_t t = first; t < last; t++) runs[t]++;
    if (worker < MOST_WORKERS && first_of_worker[worker] == UINT32_MAX) first_of_worker[worker] = first;
}

static char scratch[MOST_WORKERS];

static const cvk_kernel_info counted = {.struct_size = sizeof counted,
                                        .abi_version = CVK_ABI_VERSION,
                                        .phases = 1,
                                        .scratch = {.bytes = 1, .alignment = 1},
                                        .run = count};

/* Every worker on this thread, from `context` on. */
static void in_turn(void *context, size_t n, cvk_parallel_body *body, void *argument) {
    const size_t first = *(const size_t *)context % n;
    for (size_t i = 0; i < n; i++) body(argument, (first + i) % n);
}

static void expect_run(uint32_t tasks, uint32_t workers, size_t first) {
    cvk_kernel_info info = counted;
    info.tasks[0] = tasks;
    const cvk_parallel_for parallel = {in_turn, &first, workers};
    const cvk_buffers b = {.struct_size = sizeof b, .output = {scratch, 0}, .scratch = {scratch, sizeof scratch}};
    memset(runs, 0, sizeof runs);
    memset(first_of_worker, 0xFF, sizeof first_of_worker);
    cr_assert_eq(cvk_run(&info, &b, &parallel), CVK_OK);
    for (uint32_t t = 0; t < tasks; t++)
        if (runs[t] != 1) cr_assert_fail("%u tasks, %u workers: task %u was run %d times", tasks, workers, t, runs[t]);
}

Test(split, cvk_run_runs_every_task_once_for_all_small_numbers) {
    for (uint32_t tasks = 0; tasks <= MOST_TASKS; tasks++)
        for (uint32_t workers = 1; workers <= MOST_WORKERS; workers += 1 + workers / 20)
            expect_run(tasks, workers, (size_t)tasks * 7 + workers);
}

Test(split, a_worker_that_comes_begins_with_its_own_range) {
    for (size_t first = 0; first < 4; first++) {
        expect_run(100, 4, first);
        cr_assert_eq(first_of_worker[first], 25 * first, "worker %zu began with task %u", first,
                     first_of_worker[first]);
    }
}

static uint32_t done_by_first;

/* As long as the others do not come. */
static void count_after_first(void *context, size_t n, cvk_parallel_body *body, void *argument) {
    const size_t first = *(const size_t *)context;
    body(argument, first);
    for (uint32_t t = 0; t < 100; t++) done_by_first += runs[t];
    for (size_t i = 0; i < n; i++)
        if (i != first) body(argument, i);
}

Test(split, a_worker_whose_fellows_are_held_up_does_all_of_it) {
    cvk_kernel_info info = counted;
    info.tasks[0] = 100;
    const cvk_buffers b = {.struct_size = sizeof b, .output = {scratch, 0}, .scratch = {scratch, sizeof scratch}};
    for (size_t first = 0; first < 7; first++) {
        const cvk_parallel_for parallel = {count_after_first, &first, 7};
        memset(runs, 0, sizeof runs);
        done_by_first = 0;
        cr_assert_eq(cvk_run(&info, &b, &parallel), CVK_OK);
        cr_assert_eq(done_by_first, 100, "worker %zu did %u of 100 tasks", first, done_by_first);
    }
}
