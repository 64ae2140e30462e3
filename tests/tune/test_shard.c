/* Who a process is among others. */
#include "tune/shard.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void expect(const char *words, uint32_t index, uint32_t count) {
    shard s;
    cr_assert(shard_read(words, &s), "%s", words);
    cr_assert(s.index == index && s.count == count, "%s is %u of %u", words, s.index, s.count);
}

Test(shard, is_read_from_words) {
    shard s;
    expect("0/1", 0, 1);
    expect("3/8", 3, 8);
    static const char *const wrong[] = {"", "1", "1/", "/2", "2/2", "-1/2", "1/2x", "a/b", "99999999999/3", "Auto"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) cr_expect(!shard_read(wrong[i], &s), "%s", wrong[i]);
}

Test(shard, auto_reads_the_launchers_environment) {
    shard s;
    static const char *const all[] = {"SLURM_ARRAY_TASK_ID",
                                      "SLURM_ARRAY_TASK_COUNT",
                                      "SLURM_ARRAY_TASK_MIN",
                                      "SLURM_PROCID",
                                      "SLURM_NTASKS",
                                      "OMPI_COMM_WORLD_RANK",
                                      "OMPI_COMM_WORLD_SIZE",
                                      "PMI_RANK",
                                      "PMI_SIZE"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) unsetenv(all[i]);
    cr_expect(!shard_read("auto", &s), "nobody says who it is");
    setenv("SLURM_PROCID", "1", 1);
    setenv("SLURM_NTASKS", "2", 1);
    expect("auto", 1, 2);
    setenv("OMPI_COMM_WORLD_RANK", "5", 1);
    setenv("OMPI_COMM_WORLD_SIZE", "6", 1);
    expect("auto", 5, 6);
    setenv("SLURM_ARRAY_TASK_ID", "12", 1);
    setenv("SLURM_ARRAY_TASK_COUNT", "4", 1);
    setenv("SLURM_ARRAY_TASK_MIN", "10", 1);
    expect("auto", 2, 4);
    setenv("SLURM_ARRAY_TASK_ID", "many", 1);
    expect("auto", 5, 6);
}

Test(shard, every_plan_is_of_one_shard) {
    for (uint64_t hash = 0; hash < 100; hash++) {
        int owners = 0;
        for (uint32_t i = 0; i < 7; i++) owners += shard_has(&(shard){i, 7}, hash * UINT64_C(0x9E3779B97F4A7C15));
        cr_assert_eq(owners, 1);
    }
    cr_assert(shard_has(&(shard){0, 1}, 12345));
}
