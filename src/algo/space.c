/* Steps from plan to plan, and the values of a field. Whether a step may be taken is for the algorithm to say. */
#include "algo/space.h"
#include "algo/direct/tile.h"
#include "plan/fields.h"

enum { MOST_NUMBER = 4096 }; /* of a field that is looked through value by value */

typedef struct space {
    arena *arena;
    const problem *p;
    problem merged;
    const cvk_target *target;
    plan_list *list;
} space;

static space space_of(arena *a, const problem *p, const cvk_target *target, plan_list *list) {
    return (space){a, p, problem_merged(p), target, list};
}

static int *number(cvk_plan *plan, const plan_field *f) { return (int *)((char *)plan + f->offset); }

/* Packed rows are those of a task, whatever the order makes of it. */
static void settle(const space *s, cvk_plan *plan) {
    if (plan->pack_rows > 0) plan->pack_rows = (int)pack_input_positions(&s->merged, plan, AXIS_H);
}

static bool is_listed(const plan_list *list, const cvk_plan *plan) {
    for (int i = 0; i < list->count; i++)
        if (plan_equal(&list->plan[i], plan)) return true;
    return false;
}

static bool add(const space *s, cvk_plan plan) {
    bool good = !algo_refuse(s->p, s->target, &plan) && !is_listed(s->list, &plan);
    if (good) plan_list_add(s->arena, s->list, plan);
    return good;
}

/* ---- numbers ---- */

/* Beyond, a larger value does what this one does, or nothing that a smaller one could not. */
static int most_of(const space *s, const cvk_plan *plan, const plan_field *f) {
    const problem_axis *axis = s->merged.axis, *asked = s->p->axis;
    const int lanes = target_lanes(s->target, s->p->sum);
    const problem seen = direct_problem(s->p, s->target, plan->lanes);
    const int64_t channels = plan->lanes == LANES_CHANNELS ? seen.x.channels : s->p->out_channels;
    const bool channel_lanes = plan->lanes == LANES_OUT_CHANNELS || plan->lanes == LANES_CHANNELS;
    const int64_t columns = axis[AXIS_W].out + (plan->lanes == LANES_COLUMNS ? lanes - 1 : 0);
    const struct {
        size_t offset;
        int64_t most;
    } rows[] = {
        {offsetof(cvk_plan, tile_oc), channels + (channel_lanes ? lanes - 1 : 0)},
        {offsetof(cvk_plan, tile_od), axis[AXIS_D].out},
        {offsetof(cvk_plan, tile_oh), axis[AXIS_H].out},
        {offsetof(cvk_plan, tile_ow), columns},
        {offsetof(cvk_plan, block_oh), ceil_div(asked[AXIS_H].out, plan->tile_oh)},
        {offsetof(cvk_plan, block_ow), ceil_div(asked[AXIS_W].out, plan->tile_ow)},
        {offsetof(cvk_plan, unroll_ic), s->p->in_channels},
        {offsetof(cvk_plan, tasks), plan->order.count},
        {offsetof(cvk_plan, pack_rows), axis[AXIS_H].out + plan->tile_oh - 1},
    };
    int64_t most = f->most;
    const int64_t here = *number((cvk_plan *)plan, f); /* tiles of fft are larger than what comes out */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].offset == f->offset && rows[i].most < most) most = greater(rows[i].most, here);
    return (int)(most < MOST_NUMBER ? most : MOST_NUMBER);
}

static bool add_number(const space *s, cvk_plan plan, const plan_field *f, int value) {
    *number(&plan, f) = value;
    if (f->offset != offsetof(cvk_plan, pack_rows)) settle(s, &plan);
    return add(s, plan);
}

static void add_numbers(const space *s, const cvk_plan *plan, const plan_field *f) {
    for (int value = f->least; value <= most_of(s, plan, f); value++) add_number(s, *plan, f, value);
}

/* The nearest legal value on each side. */
static void add_next_numbers(const space *s, const cvk_plan *plan, const plan_field *f) {
    cvk_plan here = *plan;
    int value = *number(&here, f), most = most_of(s, plan, f);
    for (int below = value - 1; below >= f->least; below--)
        if (add_number(s, here, f, below)) break;
    for (int above = value + 1; above <= most; above++)
        if (add_number(s, here, f, above)) break;
}

/* ---- the order ---- */

static void remove_level(plan_order *order, int at) {
    for (int i = at; i + 1 < order->count; i++) order->level[i] = order->level[i + 1];
    order->count--;
}

static void add_order(const space *s, cvk_plan plan) {
    settle(s, &plan);
    add(s, plan);
}

static void add_moves(const space *s, const cvk_plan *plan) {
    for (int from = 0; from < plan->order.count; from++)
        for (int to = 0; to < plan->order.count; to++) {
            cvk_plan moved = *plan;
            remove_level(&moved.order, from);
            plan_order_insert(&moved.order, to, plan->order.level[from]);
            add_order(s, moved);
        }
}

static int64_t count_of(const space *s, const cvk_plan *plan, plan_loop loop) {
    const problem seen = direct_problem(s->p, s->target, plan->lanes), *p = &seen;
    const int64_t channels = plan->lanes == LANES_CHANNELS ? p->x.channels : p->out_channels;
    const int64_t groups = plan->lanes == LANES_CHANNELS ? problem_multiplier(p) : p->groups;
    const int64_t count[PLAN_LOOPS] = {
        p->n, groups, channels, p->axis[AXIS_D].out, p->axis[AXIS_H].out, p->axis[AXIS_W].out, p->in_channels};
    return count[loop];
}

/* Blocks are a power of two of tiles, and there are several. */
static int64_t next_size(int64_t size) { return 2 * size; }

static void add_blocks_of(const space *s, const cvk_plan *plan, plan_loop loop) {
    for (int64_t size = plan_unit(plan, loop); size < count_of(s, plan, loop); size = next_size(size))
        for (int at = 0; at <= plan->order.count; at++) {
            cvk_plan blocked = *plan;
            plan_order_insert(&blocked.order, at, (plan_level){loop, (int)size});
            blocked.tasks += at < plan->tasks;
            add_order(s, blocked);
        }
}

static void add_sizes_of(const space *s, const cvk_plan *plan, int level) {
    const plan_level *l = &plan->order.level[level];
    for (int64_t size = plan_unit(plan, l->loop); size < count_of(s, plan, l->loop); size = next_size(size)) {
        cvk_plan sized = *plan;
        sized.order.level[level].block = (int)size;
        add_order(s, sized);
    }
}

static void add_without(const space *s, const cvk_plan *plan, int level) {
    cvk_plan without = *plan;
    remove_level(&without.order, level);
    without.tasks -= level < plan->tasks;
    add_order(s, without);
}

static void add_orders(const space *s, const cvk_plan *plan) {
    add_moves(s, plan);
    for (plan_loop loop = LOOP_N; loop <= LOOP_IC; loop++)
        if (plan_level_of(&plan->order, loop, true) < 0) add_blocks_of(s, plan, loop);
    for (int i = 0; i < plan->order.count; i++) {
        if (!plan->order.level[i].block) continue;
        add_sizes_of(s, plan, i);
        add_without(s, plan, i);
    }
}

/* ---- words and switches ---- */

static void add_switched(const space *s, cvk_plan plan, const plan_field *f) {
    bool *value = (bool *)((char *)&plan + f->offset);
    *value = !*value;
    add(s, plan);
}

static void add_names(const space *s, cvk_plan plan) {
    for (int i = 0; i < PLAN_ALGORITHMS; i++) {
        plan.algorithm = plan_algorithm_words[i];
        add(s, plan);
    }
}

static void add_lanes(const space *s, cvk_plan plan) {
    for (int i = 0; i < LANES_KINDS; i++) {
        plan.lanes = (plan_lanes)i;
        add(s, plan);
    }
}

void space_values(arena *a, const problem *p, const cvk_target *target, const cvk_plan *plan, int field,
                  plan_list *list) {
    const space s = space_of(a, p, target, list);
    const plan_field *f = plan_field_row(field);
    switch (f->kind) {
    case PLAN_NAME: add_names(&s, *plan); break;
    case PLAN_LANES: add_lanes(&s, *plan); break;
    case PLAN_INTEGER: add_numbers(&s, plan, f); break;
    case PLAN_SWITCH: add_switched(&s, *plan, f); break;
    case PLAN_ORDER: add_orders(&s, plan); break;
    }
    if (!is_listed(list, plan)) plan_list_add(a, list, *plan);
}

/* The first plan of each row that the plan is not of. */
static void add_other_rows(const space *s, const cvk_plan *plan) {
    const algorithm *row;
    for (int i = 0; (row = algo_row(i)); i++) {
        const char *why;
        plan_list proposed = {0};
        if (row == algo_of(plan) || !row->applicable(s->p, s->target, &why)) continue;
        row->propose(row, s->p, (goal){.target = s->target}, s->arena, &proposed);
        if (proposed.count) add(s, proposed.plan[0]);
    }
}

void space_neighbours(arena *a, const problem *p, const cvk_target *target, const cvk_plan *plan, plan_list *list) {
    const space s = space_of(a, p, target, list);
    const plan_field *f;
    for (int i = 0; (f = plan_field_row(i)); i++) {
        if (f->kind == PLAN_INTEGER) add_next_numbers(&s, plan, f);
        if (f->kind == PLAN_SWITCH) add_switched(&s, *plan, f);
        if (f->kind == PLAN_ORDER) add_orders(&s, plan);
    }
    add_other_rows(&s, plan);
    for (int i = 0; i < list->count; i++)
        if (plan_equal(&list->plan[i], plan)) list->plan[i--] = list->plan[--list->count];
}
