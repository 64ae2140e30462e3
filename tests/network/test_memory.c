/* Memory by lifetimes, on random blocks: CVK_SEED and CVK_CASES in the environment choose others. */
#include "../numeric/draw.h"
#include "network/memory.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MOST_BLOCKS = 60 };
static const memory_behind nothing = {NULL, 0};

static bool overlap(const memory_block *a, const memory_block *b) {
    const bool together = a->first <= b->last && b->first <= a->last;
    return together && a->at < b->at + b->bytes && b->at < a->at + a->bytes;
}

/* A chain of steps with side branches, as networks have them. */
static int draw_blocks(draws *d, memory_block *blocks) {
    const int count = (int)draw_from(d, 0, MOST_BLOCKS);
    for (int i = 0; i < count; i++)
        blocks[i] = (memory_block){.bytes = (uint64_t)draw_from(d, 0, INT64_C(1) << draw_from(d, 0, 20)),
                                   .first = i,
                                   .last = i + 1 + (draw_chance(d, 20) ? (int)draw_from(d, 0, 20) : 0)};
    return count;
}

static void expect_apart(const memory_block *blocks, int count, uint64_t end) {
    for (int k = 0; k < count; k++) {
        cr_assert_eq(blocks[k].at % MEMORY_LINE, 0);
        cr_assert_leq(blocks[k].at + blocks[k].bytes, end);
        for (int j = 0; j < k; j++) cr_assert(!overlap(&blocks[j], &blocks[k]), "blocks %d and %d", j, k);
    }
}

Test(memory, no_two_blocks_that_live_at_one_time_overlap) {
    const uint64_t cases = (uint64_t)environment_number("CVK_CASES", 300);
    const uint64_t seed = (uint64_t)environment_number("CVK_SEED", 1);
    double worst = 1, sum = 0;
    cr_log_info("CVK_SEED=%lu CVK_CASES=%lu", (unsigned long)seed, (unsigned long)cases);
    for (uint64_t i = 0; i < cases; i++) {
        draws d = draws_for(seed, i);
        memory_block blocks[MOST_BLOCKS + 1];
        const int count = draw_blocks(&d, blocks);
        arena a;
        arena_init(&a);
        cr_assert(!arena_guard(&a));
        const uint64_t end = memory_place(&a, blocks, count, nothing), bound = memory_bound(blocks, count, nothing);
        expect_apart(blocks, count, end);
        cr_assert(bound <= end && end <= memory_sum(blocks, count), "case %lu", (unsigned long)i);
        const double over = bound ? (double)end / (double)bound : 1;
        if (over > worst) worst = over;
        sum += over;
        arena_free(&a);
    }
    cr_log_info("peak over bound: mean %.4f, worst %.3f", sum / (double)cases, worst);
    cr_assert_lt(sum / (double)cases, 1.02, "mean of peak over bound");
    cr_assert_lt(worst, 1.25, "worst of peak over bound");
}

Test(memory, a_chain_takes_no_more_than_its_two_largest_neighbours) {
    memory_block blocks[] = {{100, 0, 1, 0}, {5000, 1, 2, 0}, {300, 2, 3, 0}, {4000, 3, 4, 0}, {64, 4, 5, 0}};
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    cr_expect_eq(memory_place(&a, blocks, 5, nothing), memory_bound(blocks, 5, nothing));
    cr_expect_eq(memory_bound(blocks, 5, nothing), 5056 + 320);
    arena_free(&a);
}

/* The second step wants much behind it, so what lives then is to lie low. */
Test(memory, what_steps_want_behind_is_placed_too) {
    const uint64_t wanted[] = {0, 5120, 0};
    const memory_behind behind = {wanted, 3};
    memory_block blocks[] = {{4096, 0, 0, 0}, {1024, 0, 1, 0}, {1024, 1, 2, 0}};
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    cr_expect_eq(memory_bound(blocks, 3, behind), 2048 + 5120);
    cr_expect_eq(memory_place(&a, blocks, 3, behind), 2048 + 5120);
    cr_expect_eq(memory_end_during(blocks, 3, 1), 2048);
    arena_free(&a);
}
