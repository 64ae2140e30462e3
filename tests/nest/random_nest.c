/* Random nests, by the builder and a generator whose state is the seed. */
#include "random_nest.h"

#include <stdlib.h>

typedef struct maker {
    nest_builder b;
    uint64_t state;
    int input, x, acc, depth;
    affine outer[16]; /* variables and quotients around, task loops first */
    bool unrolled[16];
    int outer_count;
} maker;

static uint64_t environment(const char *name, uint64_t otherwise) {
    const char *value = getenv(name);
    return value ? strtoull(value, NULL, 10) : otherwise;
}

uint64_t random_seed(uint64_t otherwise) { return environment("CVK_SEED", otherwise); }
uint64_t random_cases(uint64_t otherwise) { return environment("CVK_CASES", otherwise); }

/* low <= result <= high, by splitmix64. */
static int64_t pick(maker *m, int64_t low, int64_t high) {
    uint64_t z = m->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return low + (int64_t)((z ^ z >> 31) % (uint64_t)(high - low + 1));
}

static affine some_affine(maker *m, bool unrolled_alone) {
    affine e = affine_constant(pick(m, -4, 8));
    for (int i = 0; i < m->outer_count; i++)
        if ((m->unrolled[i] || !unrolled_alone) && pick(m, 0, 2) == 0)
            e = affine_add_scaled(e, m->outer[i], pick(m, -3, 3));
    return e;
}

static nest_range some_range(maker *m, int64_t trips, bool unrolled_alone) {
    nest_range r = range_of(&m->b, 0, trips);
    if (pick(m, 0, 1)) range_clip_low(&m->b, &r, some_affine(m, unrolled_alone), pick(m, 1, 3));
    if (pick(m, 0, 1)) range_clip_high(&m->b, &r, some_affine(m, unrolled_alone), pick(m, 1, 3));
    return r;
}

static void make_list(maker *m);

static void enter(maker *m, affine variable, bool unrolled) {
    m->outer[m->outer_count] = variable;
    m->unrolled[m->outer_count++] = unrolled;
}

static void make_loop(maker *m, bool unrolled) {
    int before = m->outer_count;
    variable_kind kind = unrolled ? VARIABLE_UNROLLED : VARIABLE_LOOP;
    enter(m, build_for(&m->b, kind, unrolled ? "u" : "i", some_range(m, pick(m, 1, 6), unrolled)), unrolled);
    make_list(m);
    build_end(&m->b);
    m->outer_count = before;
}

static void make_condition(maker *m) {
    build_if(&m->b, some_affine(m, false), NULL);
    make_list(m);
    build_end(&m->b);
}

static void make_op(maker *m) {
    nest_range lanes = some_range(m, 8, true);
    const nest_range *some_lanes = pick(m, 0, 1) ? &lanes : NULL;
    register_ref x = reg(m->x, affine_constant(0)), acc = reg(m->acc, affine_constant(0));
    affine offset = affine_offset(some_affine(m, false), RANDOM_BASE);
    nest_access at = access_at(m->input, offset, some_lanes ? pick(m, 0, 2) : pick(m, -2, 2));
    if (pick(m, 0, 1))
        build_load(&m->b, x, at, some_lanes);
    else
        build_fma(&m->b, acc, x, x, some_lanes);
}

static void make_list(maker *m) {
    int64_t statements = pick(m, 1, 2);
    if (m->depth == 5) statements = 0;
    m->depth++;
    for (int64_t i = 0; i < statements && m->outer_count < 12; i++) {
        int64_t which = pick(m, 0, 9);
        if (which < 4)
            make_loop(m, which == 0);
        else if (which < 6)
            make_condition(m);
        else if (which == 6 && m->outer_count)
            enter(m, build_quotient(&m->b, some_affine(m, false), pick(m, 2, 4)), false);
        else
            make_op(m);
    }
    make_op(m);
    m->depth--;
}

nest *random_nest(arena *a, uint64_t seed) {
    maker m = {.b = nest_begin(a, "random", ENTRY_TASKS, 32), .state = seed};
    m.input = nest_add_tensor(&m.b, "input", ROLE_INPUT, TYPE_F32, 2 * RANDOM_BASE, 4, false);
    m.x = nest_add_register(&m.b, "x", TYPE_F32, 8, 1);
    m.acc = nest_add_register(&m.b, "acc", TYPE_F32, 8, 1);
    enter(&m, build_task(&m.b, "t", pick(&m, 1, 5)), false);
    enter(&m, build_task(&m.b, "s", pick(&m, 1, 5)), false);
    make_list(&m);
    build_end(&m.b);
    build_end(&m.b);
    return nest_finish(&m.b);
}
