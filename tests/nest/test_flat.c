/* Does a flat nest execute what the nest does, operation by operation, in its order? */
#include "nest/flat.h"
#include "random_nest.h"
#include "walk.h"

#include <criterion/criterion.h>

/* What was executed, in order. */
typedef struct record {
    uint64_t hash, count;
    const nest *nest;
} record;

static void note(record *r, const nest_op *op, int64_t offset, int64_t low, int64_t high) {
    const uint64_t parts[] = {(uint64_t)(uintptr_t)op, (uint64_t)offset, (uint64_t)low, (uint64_t)high};
    for (int i = 0; i < 4; i++) r->hash = (r->hash ^ parts[i]) * UINT64_C(0x9E3779B97F4A7C15) + 1;
    r->count++;
}

static void visit(void *context, const nest_op *op, int64_t offset, int64_t low, int64_t high) {
    note(context, op, offset, low, high);
}

static bool run(void *context, const flat_op *o, int64_t at) {
    int64_t low = __builtin_ctzll(o->active), high = low + __builtin_popcountll(o->active);
    note(context, o->op, at, low, o->op->kind == OP_SPLAT ? 1 : high);
    return true;
}

static bool prepare(void *context, flat_op *o) {
    (void)context;
    if (o->active || (o->op->to.array < 0 && o->op->kind != OP_STORE)) o->run = run;
    return true;
}

static void expect_same_walk(arena *a, const nest *n, const char *name) {
    record plain = {0}, flattened = {0};
    walk(n, visit, &plain);
    const flat *f = flat_make(a, n, prepare, &flattened);
    cr_assert_not_null(f, "%s: not flattened", name);
    flat_state *s = flat_begin(a, f, &flattened);
    for (int64_t task = 0; task < n->tasks; task++) cr_assert(flat_task(s, task));
    cr_expect_eq(flattened.count, plain.count, "%s: %llu operations, not %llu", name,
                 (unsigned long long)flattened.count, (unsigned long long)plain.count);
    cr_expect_eq(flattened.hash, plain.hash, "%s: other operations, offsets, lanes, or order", name);
}

Test(flat, random_nests_execute_as_a_plain_walk_does) {
    uint64_t seed = random_seed(1), cases = random_cases(4000);
    for (uint64_t i = seed; i < seed + cases; i++) {
        arena a;
        arena_init(&a);
        cr_assert(!arena_guard(&a), "out of memory");
        const char *name = arena_format(&a, "CVK_SEED=%llu CVK_CASES=1 test_nest", (unsigned long long)i);
        expect_same_walk(&a, random_nest(&a, i), name);
        arena_free(&a);
    }
}

/* a q + b r for q, r = quotient and rest of quotients of sums of loops and unrolled variables. */
Test(flat, quotients_of_quotients_follow_their_loops) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a), "out of memory");
    nest_builder b = nest_begin(&a, "quotients", ENTRY_TASKS, 32);
    int t = nest_add_tensor(&b, "input", ROLE_INPUT, TYPE_F32, 1000000, 4, false);
    int r = nest_add_register(&b, "r", TYPE_F32, 8, 1);
    affine n = build_task(&b, "n", 5), i = build_loop(&b, "i", 11), u = build_unrolled(&b, "u", 3);
    affine sum = affine_offset(affine_add(affine_add_scaled(affine_scale(n, 7), i, 3), u), -20);
    affine q = build_quotient(&b, sum, 4), inner = build_quotient(&b, affine_add_scaled(i, q, 5), 3);
    affine at = affine_add_scaled(affine_add_scaled(q, inner, 100), i, -2);
    build_loop(&b, "k", 2);
    build_splat(&b, reg(r, affine_constant(0)), access_at(t, affine_offset(at, 5000), 1));
    for (int k = 0; k < 4; k++) build_end(&b);
    expect_same_walk(&a, nest_finish(&b), "quotients");
    arena_free(&a);
}
