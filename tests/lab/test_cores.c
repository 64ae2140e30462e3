/* The schedule of tasks on workers, against cases worked out by hand. A split is written down as it is meant, not asked
 * of cvk_split_tasks: what it says is tested elsewhere. */
#include "lab/cores.h"

#include <criterion/criterion.h>

static double scheduled(const double *seconds, cvk_split split) {
    double to = -1;
    cr_assert(cores_schedule(seconds, &split, &to));
    return to;
}

Test(cores, even_tasks_take_as_long_as_the_worker_with_most) {
    const double one[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    cr_assert_eq(scheduled(one, (cvk_split){12, 1, 1, 1}), 12);
    cr_assert_eq(scheduled(one, (cvk_split){12, 2, 2, 3}), 6);
    cr_assert_eq(scheduled(one, (cvk_split){12, 4, 4, 3}), 3);
    cr_assert_eq(scheduled(one, (cvk_split){12, 5, 5, 3}), 3, "12 tasks on 5 workers: two of them have three");
    cr_assert_eq(scheduled(one, (cvk_split){12, 12, 12, 1}), 1);
    cr_assert_eq(scheduled(one, (cvk_split){9, 4, 4, 1}), 3, "ranges of 2, 2, 2 and 3");
}

/* Ranges {5 1} {1 1}, in chunks of one task: the second worker is free at 2, and takes the other's second task. */
Test(cores, an_idle_worker_takes_the_chunks_of_another) {
    const double uneven[4] = {5, 1, 1, 1};
    cr_assert_eq(scheduled(uneven, (cvk_split){4, 2, 2, 2}), 5);
    cr_assert_eq(scheduled(uneven, (cvk_split){4, 2, 2, 1}), 6, "a range in one chunk is nobody else's");
}

/* Ranges {1 1 1 1} {4 4 4 4}: the first worker is free at 4, when the second takes its second chunk of 4; it has the
 * third and the second the fourth, or the other way round: 4 + 4 + 4. */
Test(cores, the_rest_is_shared_until_there_is_none) {
    const double halves[8] = {1, 1, 1, 1, 4, 4, 4, 4};
    cr_assert_eq(scheduled(halves, (cvk_split){8, 2, 2, 4}), 12);
}

/* Three ranges {9} {1} {1}: nobody can help with the one task. */
Test(cores, one_long_task_is_the_least_there_is) {
    const double long_one[3] = {9, 1, 1};
    cr_assert_eq(scheduled(long_one, (cvk_split){3, 3, 3, 1}), 9);
}

/* Two ranges and four workers: two of them begin with each. */
Test(cores, workers_that_share_a_range_share_its_chunks) {
    const double one[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    cr_assert_eq(scheduled(one, (cvk_split){8, 4, 2, 4}), 2);
}

/* Chunks of a range without tasks take no time: ranges of 1 and 2 tasks in 2 chunks each. */
Test(cores, empty_chunks_are_passed_over) {
    const double three[3] = {1, 2, 3};
    cr_assert_eq(scheduled(three, (cvk_split){3, 2, 2, 2}), 4, "the first worker has 1 + 3, the second 2");
}

Test(cores, no_tasks_take_no_time) {
    const double none[1] = {7};
    cr_assert_eq(scheduled(none, (cvk_split){0, 1, 1, 1}), 0);
}
