/* Plans that are left out because they cannot be the best: what they take at least is no more than what they take, and
 * so the best is what it is among all. */
#include "algo/algo.h"
#include "base/text.h"
#include "convoke/convoke.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char *const layers[] = {
    "input: [2, 6, 7, 9], out_channels: 20, kernel_size: 3, padding: 1",
    "input: [1, 32, 5, 12], out_channels: 40, kernel_size: 1, layout: channels_last",
    "input: [1, 32, 14, 14], out_channels: 32, kernel_size: 3, padding: 1, layout: channels_last",
    "input: [1, 40, 21, 19], out_channels: 40, groups: 40, kernel_size: 5, stride: 2, padding: 2, layout: channels_last",
    "input: [1, 4, 12, 20], out_channels: 8, kernel_size: 7, dilation: 2, padding: 6, post_ops: [silu]",
    "input: [1, 8, 4, 6, 6], out_channels: 16, kernel_size: 3, padding: 1, groups: 2",
    "input: [1, 5, 9, 8], out_channels: 7, kernel_size: 3, padding: 2, padding_mode: reflect",
    "input: [1, 3, 500], out_channels: 4, kernel_size: 65, padding: 32",
    "input: [1, 24, 9, 9], out_channels: 12, kernel_size: 3, stride: 2, transposed: true",
    "input: [1, 24, 14, 14], kind: max_pool, kernel_size: 3, stride: 2, padding: 1",
    "input: [1, 24, 14, 14], out_channels: 12, kernel_size: 3, dtype: bf16",
    "input: [1, 32, 14, 14], out_channels: 48, kernel_size: 3, dtype: {input: u8, weights: s8, output: u8}, quantization: {}",
};
static const char *const targets[] = {"x86-64-v4", "aarch64-neon"};
static const uint32_t threads[] = {0, 2};

typedef struct subject {
    arena *a;
    const problem *p;
    goal aim;
    const char *layer;
} subject;

static void plans_take_no_less(const subject *s, const ranked_plan *plans, int count) {
    for (int i = 0; i < count; i++) {
        const algorithm *row = algo_of(&plans[i].plan);
        const double least = row->least ? row->least(s->p, s->aim.target, &plans[i].plan) : 0;
        text words = text_new(s->a);
        plan_print(&plans[i].plan, &words);
        cr_expect(least <= plans[i].cycles * (1 + 1e-9), "%s, %s: %s: %g at least, and takes %g", s->layer,
                  s->aim.target->name, words.bytes, least, plans[i].cycles);
    }
}

static void one_is_the_first_of_all(const subject *s, const ranked_plan *all) {
    ranked_plan *one;
    int count;
    const char *why;
    algo_rank(s->a, s->p, s->aim, "auto", 1, &one, &count, &why);
    cr_expect_eq(count, 1);
    cr_expect(plan_equal(&one->plan, &all->plan), "%s, %s, %u threads: another is the best", s->layer,
              s->aim.target->name, s->aim.threads);
}

static void judge(arena *a, const problem *p, const char *layer, const cvk_target *target) {
    for (size_t k = 0; k < sizeof threads / sizeof *threads; k++) {
        const subject s = {a, p, {.target = target, .threads = threads[k]}, layer};
        ranked_plan *plans;
        int count;
        const char *why;
        algo_rank(a, p, s.aim, "auto", 0, &plans, &count, &why);
        cr_assert(count > 0, "%s: %s", layer, why);
        plans_take_no_less(&s, plans, count);
        one_is_the_first_of_all(&s, plans);
    }
}

Test(least, no_plan_takes_less_and_none_that_is_best_is_left_out) {
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        char yaml[512];
        cvk_network *network;
        arena a;
        arena_init(&a);
        snprintf(yaml, sizeof yaml, "version: 1\nlayers:\n  - {name: a, %s}\n", layers[i]);
        cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "test.yaml", NULL, &network), CVK_OK, "%s", yaml);
        const problem p = problem_of(cvk_network_layer(network, 0), 0);
        for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) judge(&a, &p, layers[i], target_find(targets[t]));
        cvk_network_free(network);
        arena_free(&a);
    }
}
