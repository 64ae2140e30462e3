/* Are the counts exactly how often each operation is executed? */
#include "random_nest.h"
#include "walk.h"

#include <criterion/criterion.h>

static void tally(void *context, const nest_op *op, int64_t offset, int64_t low, int64_t high) {
    (void)offset;
    nest_counts *counts = context;
    counts->ops[op->kind]++;
    if (op->kind == OP_FMA) counts->fma_lanes += (double)(high - low), counts->fma_all_lanes += 8;
    if (op->kind == OP_LOAD || op->kind == OP_SPLAT || op->kind == OP_STORE) counts->bytes += 4 * (double)(high - low);
}

static void expect_walked_counts(const nest *n, const char *name) {
    nest_counts walked = {.bytes = 0}, counted;
    walk(n, tally, &walked);
    nest_count(n, &counted);
    for (op_kind kind = 0; kind < OP_KINDS; kind++)
        cr_expect_eq(counted.ops[kind], walked.ops[kind], "%s: %.0f %s counted, %.0f executed", name, counted.ops[kind],
                     nest_op_name(kind), walked.ops[kind]);
    cr_expect_eq(counted.fma_lanes, walked.fma_lanes, "%s: %.0f fma lanes counted, %.0f executed", name,
                 counted.fma_lanes, walked.fma_lanes);
    cr_expect_eq(counted.fma_all_lanes, walked.fma_all_lanes, "%s", name);
    cr_expect_eq(counted.bytes, walked.bytes, "%s: %.0f bytes counted, %.0f moved", name, counted.bytes, walked.bytes);
}

Test(count, random_nests_are_counted_as_a_plain_walk_counts_them) {
    uint64_t seed = random_seed(1), cases = random_cases(4000);
    for (uint64_t i = seed; i < seed + cases; i++) {
        arena a;
        arena_init(&a);
        cr_assert(!arena_guard(&a), "out of memory");
        const char *name = arena_format(&a, "CVK_SEED=%llu CVK_CASES=1 test_nest", (unsigned long long)i);
        expect_walked_counts(random_nest(&a, i), name);
        arena_free(&a);
    }
}

/* A clipped loop over kh inside oh, as padding makes it. */
static const nest *padded(arena *a, int64_t rows, int64_t taps, int64_t pad) {
    nest_builder b = nest_begin(a, "padded", ENTRY_TASKS, 64);
    int acc = nest_add_register(&b, "acc", TYPE_F32, 16, 1);
    affine oh = build_task(&b, "oh", rows);
    nest_range r = range_of(&b, 0, taps);
    range_clip_low(&b, &r, affine_sub(affine_constant(pad), oh), 1);
    range_clip_high(&b, &r, affine_sub(affine_constant(rows + pad), oh), 1);
    build_for(&b, VARIABLE_LOOP, "kh", r);
    build_loop(&b, "ic", 1000);
    build_fma(&b, reg(acc, affine_constant(0)), reg(acc, affine_constant(0)), reg(acc, affine_constant(0)), NULL);
    for (int i = 0; i < 3; i++) build_end(&b);
    return nest_finish(&b);
}

Test(count, loops_too_long_to_execute_are_counted_by_their_edges) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a), "out of memory");
    nest_counts counts;
    nest_count(padded(&a, 1 << 30, 3, 1), &counts);
    cr_expect_eq(counts.ops[OP_FMA], ((double)(1 << 30) * 3 - 2) * 1000, "%.0f", counts.ops[OP_FMA]);
    cr_expect_eq(counts.fma_lanes, 16 * counts.ops[OP_FMA]);
    arena_free(&a);
}

Test(count, a_nest_without_operations_or_with_an_empty_loop_counts_nothing) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a), "out of memory");
    nest_counts counts = {{1}, {1}, 1, 1, 1, 1};
    nest_builder b = nest_begin(&a, "empty", ENTRY_TASKS, 64);
    nest_count(nest_finish(&b), &counts);
    for (op_kind kind = 0; kind < OP_KINDS; kind++) cr_expect_eq(counts.ops[kind], 0);
    nest_count(padded(&a, 0, 3, 1), &counts);
    cr_expect_eq(counts.ops[OP_FMA], 0);
    arena_free(&a);
}

/* A vector of a row of `width`, `from` places after where a vector begins. */
static double astray_of(arena *a, int64_t width, int64_t from) {
    nest_builder b = nest_begin(a, "rows", ENTRY_TASKS, 64);
    int in = nest_add_tensor(&b, "in", ROLE_INPUT, TYPE_F32, 8 * width + 64, 4, false);
    int x = nest_add_register(&b, "x", TYPE_F32, 16, 1);
    affine row = build_task(&b, "row", 8), v = build_loop(&b, "v", 2);
    affine at = affine_offset(affine_add_scaled(affine_scale(v, 16), row, width), from);
    build_load(&b, reg(x, affine_constant(0)), access_at(in, at, 1), NULL);
    for (int i = 0; i < 2; i++) build_end(&b);
    nest_counts counts;
    nest_count(nest_finish(&b), &counts);
    return counts.astray;
}

Test(count, loads_that_begin_where_no_whole_vector_does_are_counted) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a), "out of memory");
    cr_expect_eq(astray_of(&a, 64, 0), 0);
    cr_expect_eq(astray_of(&a, 64, 32), 0);
    cr_expect_eq(astray_of(&a, 64, 1), 16, "one place on");
    cr_expect_eq(astray_of(&a, 63, 0), 16, "rows are no whole vectors");
    arena_free(&a);
}
