/* The space of plans: what it lists is legal, complete for numbers, and within reach of its neighbours. */
#include "algo/space.h"
#include "plan/fields.h"
#include "convoke/convoke.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char *const layers[] = {
    "input: [2, 6, 7, 9], out_channels: 20, kernel_size: 3, padding: 1",
    "input: [1, 32, 5, 12], out_channels: 40, kernel_size: 1, layout: channels_last",
    "input: [1, 8, 4, 6, 6], out_channels: 16, kernel_size: 3, padding: 1, groups: 2",
    "input: [1, 24, 40], out_channels: 24, groups: 24, kernel_size: 5, stride: 2",
    "input: [1, 5, 9, 8], out_channels: 7, kernel_size: 3, padding: 2, padding_mode: reflect",
};
enum { LAYERS = sizeof layers / sizeof *layers };

typedef struct subject {
    arena memory;
    cvk_network *network;
    problem p;
    const cvk_target *target;
    ranked_plan *plans;
    int count;
} subject;

static void open_layer(subject *s, const char *keys) {
    char yaml[512];
    snprintf(yaml, sizeof yaml, "version: 1\nlayers:\n  - {name: a, %s}\n", keys);
    arena_init(&s->memory);
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "test.yaml", NULL, &s->network), CVK_OK, "%s", yaml);
    s->p = problem_of(cvk_network_layer(s->network, 0), 0);
    s->target = target_find("x86-64-v3");
    const char *why;
    algo_rank(&s->memory, &s->p, (goal){.target = s->target}, "auto", 0, &s->plans, &s->count, &why);
    cr_assert(s->count > 0, "%s", why);
}

static void close_layer(subject *s) {
    cvk_network_free(s->network);
    arena_free(&s->memory);
}

static const char *print(subject *s, const cvk_plan *plan) {
    text t = text_new(&s->memory);
    plan_print(plan, &t);
    return t.bytes;
}

static bool has(const plan_list *list, const cvk_plan *plan) {
    for (int i = 0; i < list->count; i++)
        if (plan_equal(&list->plan[i], plan)) return true;
    return false;
}

static plan_list neighbours(subject *s, const cvk_plan *plan) {
    plan_list list = {0};
    space_neighbours(&s->memory, &s->p, s->target, plan, &list);
    return list;
}

static void are_legal_and_different(subject *s, const cvk_plan *plan, const plan_list *list) {
    for (int i = 0; i < list->count; i++) {
        const char *why = algo_refuse(&s->p, s->target, &list->plan[i]);
        cr_assert_null(why, "%s: %s", print(s, &list->plan[i]), why);
        cr_assert_not(plan_equal(&list->plan[i], plan), "%s is its own neighbour", print(s, plan));
        for (int k = 0; k < i; k++)
            cr_assert_not(plan_equal(&list->plan[i], &list->plan[k]), "%s twice", print(s, &list->plan[i]));
    }
}

static void for_each_layer(void (*check)(subject *s)) {
    for (int i = 0; i < LAYERS; i++) {
        subject s;
        open_layer(&s, layers[i]);
        check(&s);
        close_layer(&s);
    }
}

static void has_good_neighbours(subject *s) {
    for (int i = 0; i < s->count; i++) {
        plan_list list = neighbours(s, &s->plans[i].plan);
        cr_assert(list.count >= 3, "%s has %d neighbours", print(s, &s->plans[i].plan), list.count);
        are_legal_and_different(s, &s->plans[i].plan, &list);
    }
}

Test(space, neighbours_are_legal_and_all_different) { for_each_layer(has_good_neighbours); }

/* Blocks whose size is a power of two of tiles. */
static bool has_usual_blocks(const cvk_plan *p) {
    const int unit[PLAN_LOOPS] = {1, 1, p->tile_oc, p->tile_od, p->tile_oh, p->tile_ow, p->unroll_ic};
    for (int i = 0; i < p->order.count; i++) {
        int tiles = p->order.level[i].block / unit[p->order.level[i].loop];
        if (tiles & (tiles - 1)) return false;
    }
    return true;
}

/* Two steps, of which one is there and one back. */
static void goes_both_ways(subject *s) {
    const cvk_plan *plan = &s->plans[0].plan;
    if (!has_usual_blocks(plan)) return;
    plan_list there = neighbours(s, plan);
    for (int i = 0; i < there.count; i++) {
        if (algo_of(&there.plan[i]) != algo_of(plan)) continue;
        plan_list back = neighbours(s, &there.plan[i]);
        cr_expect(has(&back, plan), "%s leads to %s, which does not lead back", print(s, plan),
                  print(s, &there.plan[i]));
    }
}

Test(space, steps_within_an_algorithm_go_both_ways) { for_each_layer(goes_both_ways); }

/* Every other row's first plan is a step away, so that all algorithms are within reach. */
static void reaches_every_row(subject *s) {
    plan_list list = neighbours(s, &s->plans[0].plan);
    const algorithm *row;
    const char *why;
    for (int i = 0; (row = algo_row(i)); i++) {
        bool found = row == algo_of(&s->plans[0].plan) || !row->applicable(&s->p, s->target, &why);
        for (int k = 0; k < list.count; k++) found |= algo_of(&list.plan[k]) == row;
        cr_expect(found, "row %d, %s, is out of reach", i, row->name);
    }
}

Test(space, every_algorithm_that_applies_is_a_step_away) { for_each_layer(reaches_every_row); }

/* Of a number, by trying every number there is. */
static void lists_every_value(subject *s, const cvk_plan *plan, int field) {
    const plan_field *f = plan_field_row(field);
    plan_list list = {0};
    space_values(&s->memory, &s->p, s->target, plan, field, &list);
    cr_assert(has(&list, plan), "%s is not among its own values of %s", print(s, plan), f->key);
    int last = -1;
    for (int i = 0; i < list.count; i++) {
        int value = *(const int *)((const char *)&list.plan[i] + f->offset);
        cr_expect(value > last, "%s: %d after %d", f->key, value, last);
        last = value;
    }
    if (f->offset == offsetof(cvk_plan, tile_oh) && plan->pack_rows) return; /* input_rows follows it */
    for (int value = f->least; value <= 64 && value <= f->most; value++) {
        cvk_plan other = *plan;
        *(int *)((char *)&other + f->offset) = value;
        bool legal = !algo_refuse(&s->p, s->target, &other) && value <= last;
        cr_expect_eq(legal, has(&list, &other), "%s: %s = %d is %s", print(s, plan), f->key, value,
                     legal ? "left out" : "listed");
    }
}

static void lists_every_number(subject *s) {
    const plan_field *f;
    for (int i = 0; i < s->count; i += 3)
        for (int field = 0; (f = plan_field_row(field)); field++)
            if (f->kind == PLAN_INTEGER) lists_every_value(s, &s->plans[i].plan, field);
}

Test(space, every_legal_number_is_listed_in_order) { for_each_layer(lists_every_number); }

/* Each loop can come to stand outermost, and each can be had in blocks, in some steps over orders alone. */
static bool reach(subject *s, cvk_plan plan, int steps, bool (*there)(const cvk_plan *, plan_loop), plan_loop loop) {
    if (there(&plan, loop)) return true;
    if (steps == 0) return false;
    int order = 0;
    while (plan_field_row(order)->kind != PLAN_ORDER) order++;
    plan_list list = {0};
    space_values(&s->memory, &s->p, s->target, &plan, order, &list);
    for (int i = 0; i < list.count; i++)
        if (there(&list.plan[i], loop)) return true;
    return false;
}

static bool is_outermost(const cvk_plan *p, plan_loop loop) { return p->order.level[0].loop == loop; }
static bool is_blocked(const cvk_plan *p, plan_loop loop) { return plan_level_of(&p->order, loop, true) >= 0; }

Test(space, every_loop_can_be_outermost_and_in_blocks) {
    subject s;
    open_layer(&s, "input: [2, 64, 6, 8, 40], out_channels: 64, kernel_size: 1, groups: 2, stride: [2, 2, 2]");
    cvk_plan plan = {0};
    for (int i = 0; i < s.count && !plan.algorithm; i++)
        if (s.plans[i].plan.lanes == LANES_OUT_CHANNELS && s.plans[i].plan.unroll_ic == 1) plan = s.plans[i].plan;
    plan.tile_oc = 8, plan.tile_ow = 4, plan.tile_oh = 2;
    cr_assert_null(algo_refuse(&s.p, s.target, &plan));
    for (plan_loop loop = LOOP_N; loop <= LOOP_IC; loop++) {
        cr_expect(reach(&s, plan, 1, is_blocked, loop), "%s in blocks", plan_loop_words[loop]);
        if (loop != LOOP_IC) cr_expect(reach(&s, plan, 1, is_outermost, loop), "%s outermost", plan_loop_words[loop]);
    }
    close_layer(&s);
}
