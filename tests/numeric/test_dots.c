/* Are sums of products of several input channels exact, in every nest, whatever the target? Layers of bytes, from any
 * zero points, in all layouts, with channels that fill no step, borders and groups; targets whose instructions differ in
 * what they take, most of which this machine does not run: their nests are evaluated, and judged as kernels are. */
#include "algo/space.h"
#include "random_layer.h"
#include "trial.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { LAYERS = 60, MOST_PLANS = 3, WALKS = 3, MOST_MACS = 20000 };

static const char *const TARGETS[] = {"x86-64-v4-vnni", "x86-64-v3-vnni", "x86-64-v4",           "x86-64-v3",
                                      "x86-64",         "aarch64-sve256", "aarch64-neon-dotprod", "wasm32-simd128"};
enum { TARGET_COUNT = sizeof TARGETS / sizeof *TARGETS };

static bool sums_bytes(const cvk_spec *s) {
    return !type_is_float(s->input_type) && spec_has_weights(s) && spec_macs(s) <= MOST_MACS && s->batch > 0;
}

typedef struct subject {
    arena arena;
    draws draws;
    trial trial;
    const cvk_target *target;
    int dots; /* plans with some */
} subject;

static void judge(subject *s, const layer_plan *plan, int number) {
    compile_unit unit;
    double worst = 0;
    const char *yaml = trial_yaml(&s->arena, s->trial.spec, plan);
    cr_assert_eq(compile_plan(&s->arena, s->trial.spec, (goal){.target = s->target}, plan, NULL, &unit, NULL), CVK_OK,
                 "layer %d, %s: no nests\n%s", number, s->target->name, yaml);
    cr_assert_eq(trial_nests(&s->trial, &unit, &worst), CVK_OK, "layer %d, %s: not run\n%s", number, s->target->name,
                 yaml);
    cr_assert_eq(worst, 0, "layer %d, %s: other sums\n%s", number, s->target->name, yaml);
    cr_assert(trial_stored(&s->trial, &unit.run, &unit.pack) && trial_identity(&s->trial, &unit),
              "layer %d, %s: %s\n%s", number, s->target->name, s->trial.words, yaml);
    s->dots += layer_plan_part(plan, 0)->dot > 0;
}

/* Some steps away from it, all of which is legal. */
static void walk(subject *s, const layer_plan *from, int number) {
    const problem p = problem_of(s->trial.spec, 0);
    cvk_plan at = *layer_plan_part(from, 0);
    for (int step = 0; step < WALKS && problem_count(s->trial.spec) == 1; step++) {
        plan_list next = {0};
        space_neighbours(&s->arena, &p, s->target, &at, &next);
        if (next.count == 0) return;
        at = next.plan[draw_from(&s->draws, 0, next.count - 1)];
        const layer_plan there = layer_plan_of(&at);
        judge(s, &there, number);
    }
}

static void try_target(subject *s, int number) {
    ranked_layer *plans;
    int count;
    cr_assert_eq(compile_rank(&s->arena, s->trial.spec, (goal){.target = s->target}, 0, NULL, &plans, &count), CVK_OK);
    for (int i = 0; i < count && i < MOST_PLANS; i++) {
        const ranked_layer *plan = &plans[draw_from(&s->draws, 0, count - 1)];
        judge(s, &plan->plan, number);
        if (i == 0) walk(s, &plan->plan, number);
    }
}

static int try_layer(uint64_t seed, int number) {
    subject s = {.draws = draws_for(seed, (uint64_t)number), .target = target_find(TARGETS[number % TARGET_COUNT])};
    cvk_spec spec = random_layer(&s.draws, "dots");
    while (!sums_bytes(&spec)) spec = random_layer(&s.draws, "dots");
    arena_init(&s.arena);
    cr_assert(!arena_guard(&s.arena), "out of memory");
    cr_assert(trial_open(&s.trial, &spec, DATA_INTEGERS, false, seed), "out of memory");
    try_target(&s, number);
    trial_close(&s.trial);
    arena_free(&s.arena);
    return s.dots;
}

Test(dots, nests_of_every_target_sum_bytes_exactly) {
    const uint64_t seed = (uint64_t)environment_number("CVK_SEED", 1);
    const int64_t layers = environment_number("CVK_CASES", LAYERS), one = environment_number("CVK_CASE", -1);
    int dots = 0;
    fprintf(stderr, "repeat: CVK_SEED=%lu CVK_CASES=%d tests/numeric/test_dots\n", (unsigned long)seed, (int)layers);
    for (int i = 0; i < layers; i++)
        if (one < 0 || i == one) dots += try_layer(seed, i);
    fprintf(stderr, "%d of the plans have sums of several products\n", dots);
    cr_assert(one >= 0 || dots > layers, "%d plans of %d layers alone sum several products", dots, (int)layers);
}
