/* The plans worth ranking: register tiles that leave no spill, balanced over the output, in orders that keep weights or
 * input near and make tasks enough. Only constants and pools of channels stream their output: elsewhere nothing was
 * gained by it on any machine so far. */
#include "algo/cost.h"
#include "algo/direct/tile.h"
#include "algo/direct/traffic.h"

#include "problem/known.h"

#include <math.h>
#include <string.h>

enum {
    MOST_UNROLLED_TAPS = 7,
    MOST_DEPTHWISE_TAPS = 32,
    MOST_GROUPED_TAPS = 5,
    MOST_UNROLLED_CHANNELS = 4,
    LOADED_AHEAD = 4,
    MOST_SHARING_CHANNELS = 4,
    MOST_SLIDING_VECTORS = 2,
    MOST_CHANNEL_BLOCKS = 8,
    SCRATCH_BYTES = 256 * 1024
};

static const plan_loop CHANNELS_OUTSIDE[] = {LOOP_N, LOOP_G, LOOP_OC, LOOP_OD, LOOP_OH, LOOP_OW};
static const plan_loop ROWS_OUTSIDE[] = {LOOP_N, LOOP_G, LOOP_OD, LOOP_OH, LOOP_OC, LOOP_OW};
static const plan_loop BLOCKED_ROWS[] = {LOOP_N, LOOP_G, LOOP_OD, LOOP_OC, LOOP_OH, LOOP_OW};
static const plan_loop PIXELS_OUTSIDE[] = {LOOP_N, LOOP_G, LOOP_OD, LOOP_OH, LOOP_OW, LOOP_OC};
static const plan_loop ROWS_OF_GROUPS[] = {LOOP_N, LOOP_OD, LOOP_OH, LOOP_G, LOOP_OC, LOOP_OW};

typedef struct proposer {
    const problem *asked;
    const cvk_target *target;
    arena *arena;
    const algorithm *row;
    const family *family;
    plan_list *list;
    problem p;             /* its axes merged */
    const target_dot *dot; /* of the plans that are proposed; NULL: none */
} proposer;

/* The tile of at most `most` that covers n in as few tiles with the least left over. */
static int64_t balanced(int64_t n, int64_t most) {
    int64_t tiles = (n + most - 1) / most;
    return (n + tiles - 1) / tiles;
}

static void add_if_good(proposer *o, cvk_plan plan) {
    if (o->dot && plan.pack_rows) plan.pack_border |= dot_wants_border(&o->p, o->dot);
    for (int i = 0; i < o->list->count; i++)
        if (plan_equal(&o->list->plan[i], &plan)) return;
    if (!o->row->refuse(o->row, o->asked, o->target, &plan)) plan_list_add(o->arena, o->list, plan);
}

static int64_t scratch_element(const proposer *o) { return type_bytes(o->dot ? o->dot->x : o->p.sum); }

/* As many rows of output as keep the packed input in the second-level cache, in whole tiles. */
static int64_t packed_rows(const proposer *o) {
    const problem_axis *h = &o->p.axis[AXIS_H];
    int64_t channels = o->family->all_groups ? o->p.x.channels : o->p.in_channels;
    int64_t width = o->p.axis[AXIS_W].in + axis_before(&o->p.axis[AXIS_W]) + axis_after(&o->p.axis[AXIS_W]);
    int64_t row = scratch_element(o) * channels * o->p.axis[AXIS_D].taps * width;
    int64_t rows = SCRATCH_BYTES / (row > 0 ? row : 1) / h->step;
    return lesser(rows < 1 ? 1 : rows, h->out);
}

/* With packed input a task is a block of rows, of all groups if one copy serves them all. */
static void add_packed(proposer *o, cvk_plan plan, int64_t rows) {
    plan.pack_rows = (int)(ceil_div(rows, plan.tile_oh) * plan.tile_oh);
    plan.order = plan_order_of(o->family->all_groups ? ROWS_OF_GROUPS : ROWS_OUTSIDE);
    plan.order.level[plan_level_of(&plan.order, LOOP_OH, false)].block = plan.pack_rows;
    plan_order_insert(&plan.order, plan_level_of(&plan.order, LOOP_OW, false), (plan_level){LOOP_OH, 0});
    plan.tasks = plan_level_of(&plan.order, LOOP_OH, true) + 1;
    add_if_good(o, plan);
}

/* Bytes of scratch for so many channels of what so many rows and columns of output see. */
static double scratch_bytes(const proposer *o, int64_t channels, int64_t rows, int64_t columns) {
    const problem_axis *a = o->p.axis;
    int64_t seen = a[AXIS_D].taps;
    seen *= (rows - 1) * a[AXIS_H].step + (a[AXIS_H].taps - 1) * a[AXIS_H].tap_step + 1;
    seen *= (columns - 1) * a[AXIS_W].step + (a[AXIS_W].taps - 1) * a[AXIS_W].tap_step + 1;
    return (double)(scratch_element(o) * channels * seen);
}

/* A task is the rows of a tile, and of columns as many tiles as keep its input in half a cache; with the border, so
 * that all tiles of a row have the same taps. */
static void add_packed_columns(proposer *o, cvk_plan plan, bool transposed, int64_t cache_bytes) {
    const double share = 0.5 * (double)cache_bytes;
    int64_t width = ceil_div(o->p.axis[AXIS_W].out, plan.tile_ow), tiles = width;
    while (tiles > 1 && scratch_bytes(o, o->p.in_channels, plan.tile_oh, tiles * plan.tile_ow) > share) tiles--;
    tiles = balanced(width, tiles);
    plan.pack_rows = plan.tile_oh;
    plan.pack_border = o->p.combine == COMBINE_SUM && o->p.border == PAD_ZEROS && o->p.accuracy != ACCURACY_STRICT &&
                       problem_is_padded(&o->p);
    plan.pack_transposed = transposed;
    plan.order = plan_order_of(ROWS_OUTSIDE);
    plan_order_insert(&plan.order, plan_level_of(&plan.order, LOOP_OC, false),
                      (plan_level){LOOP_OW, (int)(tiles * plan.tile_ow)});
    plan.tasks = plan_level_of(&plan.order, LOOP_OW, true) + 1;
    add_if_good(o, plan);
}

/* A task is a tile's channels, and as many rows as keep their input in half the second-level cache. */
static void add_packed_channels(proposer *o, cvk_plan plan, bool transposed, bool border) {
    const double share = 0.5 * (double)o->target->l2_bytes;
    const problem_axis *h = &o->p.axis[AXIS_H];
    int64_t height = ceil_div(h->out, plan.tile_oh), tiles = height;
    while (tiles > 1 && scratch_bytes(o, plan.tile_oc, tiles * plan.tile_oh, o->p.axis[AXIS_W].out) > share) tiles--;
    tiles = balanced(height, tiles);
    plan.pack_rows = (int)(tiles * plan.tile_oh);
    plan.pack_border = border;
    plan.pack_transposed = transposed;
    plan.order = plan_order_of(CHANNELS_OUTSIDE);
    int level = plan_level_of(&plan.order, LOOP_OH, false);
    if (tiles > 1) plan_order_insert(&plan.order, level, (plan_level){LOOP_OH, plan.pack_rows});
    plan.tasks = level + 1;
    add_if_good(o, plan);
}

/* ---- inputs that are narrower than what is summed in: each task widens what it reads of them once ---- */

static bool is_narrow(const proposer *o) { return o->p.x.type != o->p.sum; }

/* What a task covers: output positions, in whole tiles, and output channels. */
typedef struct share_of_task {
    int64_t rows, columns, channels;
} share_of_task;

static int64_t whole_tiles(int64_t n, int64_t size) { return ceil_div(n, size) * size; }

/* As many columns as keep their input in `bytes`, then as many rows of those; one tile at least. */
static share_of_task positions_in(const proposer *o, const cvk_plan *plan, double bytes) {
    const problem_axis *h = &o->p.axis[AXIS_H], *w = &o->p.axis[AXIS_W];
    int64_t columns = ceil_div(w->out, plan->tile_ow), rows = ceil_div(h->out, plan->tile_oh), c = columns, r = rows;
    while (c > 1 && scratch_bytes(o, o->p.in_channels, plan->tile_oh, c * plan->tile_ow) > bytes) c--;
    c = balanced(columns, c);
    while (r > 1 && (c < columns || scratch_bytes(o, o->p.in_channels, r * plan->tile_oh, w->out) > bytes)) r--;
    return (share_of_task){balanced(rows, r) * plan->tile_oh, c * plan->tile_ow,
                           whole_tiles(o->p.out_channels, plan->tile_oc)};
}

static void put_level(plan_order *order, plan_loop loop, int64_t block) {
    order->level[order->count++] = (plan_level){loop, (int)block};
}

/* n, g, od and the blocks of the task; then its tiles, channels outside or inside. */
static plan_order order_of_share(const proposer *o, const share_of_task *s, bool channels_outside) {
    plan_order order = {.count = 0};
    put_level(&order, LOOP_N, 0);
    put_level(&order, LOOP_G, 0);
    put_level(&order, LOOP_OD, 0);
    if (s->rows < o->p.axis[AXIS_H].out) put_level(&order, LOOP_OH, s->rows);
    if (s->columns < o->p.axis[AXIS_W].out) put_level(&order, LOOP_OW, s->columns);
    if (s->channels < o->p.out_channels) put_level(&order, LOOP_OC, s->channels);
    if (channels_outside) put_level(&order, LOOP_OC, 0);
    put_level(&order, LOOP_OH, 0);
    put_level(&order, LOOP_OW, 0);
    if (!channels_outside) put_level(&order, LOOP_OC, 0);
    return order;
}

enum { TILE_LOOPS_OF_TASK = 3 }; /* oc, oh, ow */

static void add_share(proposer *o, cvk_plan plan, const share_of_task *s) {
    plan.pack_rows = (int)s->rows;
    for (int outside = 0; outside < 2; outside++) {
        plan.order = order_of_share(o, s, outside);
        plan.tasks = plan.order.count - TILE_LOOPS_OF_TASK;
        add_if_good(o, plan);
    }
}

enum { CHANNELS_WORTH_WIDENING = 64 };

/* Input that the first or the second level keeps, for all output channels, or for so many that widening it again for
 * the others is little. */
static void add_widened(proposer *o, const cvk_plan *plan) {
    const double near[] = {0.5 * (double)o->target->l1_bytes, 0.5 * (double)o->target->l2_bytes};
    for (int i = 0; i < 2; i++) {
        share_of_task s = positions_in(o, plan, near[i]);
        add_share(o, *plan, &s);
        s.channels = whole_tiles(CHANNELS_WORTH_WIDENING, plan->tile_oc);
        if (s.channels < o->p.out_channels) add_share(o, *plan, &s);
    }
}

/* ---- orders ---- */

enum { SOME_TASKS = 32, MANY_TASKS = 512, MOST_SINGLE_TILES = 128 };

static int64_t tiles_of(const proposer *o, const cvk_plan *plan, plan_loop loop) {
    return ceil_div(o->p.axis[loop - LOOP_OD].out, plan_unit(plan, loop));
}

/* Blocks of a loop, as even as they can be, right before `level`; none where they would be one, or single tiles. */
static bool insert_blocks(const proposer *o, cvk_plan *plan, int level, plan_loop loop, int64_t blocks) {
    int64_t tiles = tiles_of(o, plan, loop), each = ceil_div(tiles, blocks < 1 ? 1 : blocks);
    if (each >= tiles || each < 2) return false;
    plan_order_insert(&plan->order, level, (plan_level){loop, (int)(each * plan_unit(plan, loop))});
    return true;
}

/* All loops are tasks but the innermost. */
static void add_order(proposer *o, cvk_plan plan) {
    plan.tasks = plan.order.count - 1;
    add_if_good(o, plan);
}

/* All loops are: every tile is a task, which tells its place first, so they are to be few. */
static void add_tiles(proposer *o, cvk_plan plan) {
    plan.tasks = plan.order.count;
    add_if_good(o, plan);
}

static int64_t tasks_but_columns(const proposer *o, const cvk_plan *plan) {
    int64_t channels = o->family->all_groups ? o->p.x.channels : o->p.out_channels;
    int64_t groups = o->family->all_groups ? problem_multiplier(&o->p) : o->p.groups;
    return o->p.n * groups * ceil_div(channels, plan->tile_oc) * o->p.axis[AXIS_D].out * tiles_of(o, plan, LOOP_OH);
}

/* Long rows in pieces, where there is little else to share. */
static void add_tasks(proposer *o, cvk_plan plan) {
    int64_t tasks = tasks_but_columns(o, &plan);
    add_order(o, plan);
    if (tasks == 0) return;
    if (tasks < MOST_SINGLE_TILES && tasks * tiles_of(o, &plan, LOOP_OW) <= MOST_SINGLE_TILES) add_tiles(o, plan);
    for (int64_t wanted = SOME_TASKS; wanted <= MANY_TASKS; wanted *= 2) {
        cvk_plan split = plan;
        if (tasks < wanted && insert_blocks(o, &split, split.order.count - 1, LOOP_OW, ceil_div(wanted, tasks)))
            add_order(o, split);
    }
}

/* Bytes of input that so many rows or columns of output read. */
static double input_bytes(const proposer *o, plan_loop loop, int64_t positions) {
    const problem_axis *w = &o->p.axis[AXIS_W], *along = &o->p.axis[loop - LOOP_OD];
    double channels = (double)(o->family->all_groups ? o->p.x.channels : o->p.in_channels);
    double others = (double)o->p.axis[AXIS_D].taps * (double)(loop == LOOP_OW ? o->p.axis[AXIS_H].taps : w->in);
    return type_bytes(o->p.x.type) * channels * others * (double)(positions * along->step);
}

/* So that blocks of channels one after another find the input of a block of rows or columns in the second-level cache:
 * the whole of its share, or half of it. */
static void add_blocks_for_cache(proposer *o, const cvk_plan *plan, plan_loop loop) {
    int64_t tiles = tiles_of(o, plan, loop);
    for (int half = 1; half <= 2; half++) {
        double cache = 0.5 * (double)o->target->l2_bytes / half, one = input_bytes(o, loop, plan_unit(plan, loop));
        cvk_plan blocked = *plan;
        int64_t each = (int64_t)(cache / (one > 0 ? one : 1));
        int level = plan_level_of(&plan->order, LOOP_OC, false);
        if (each < tiles && insert_blocks(o, &blocked, level, loop, ceil_div(tiles, each < 2 ? 2 : each)))
            add_order(o, blocked);
    }
}

/* Then they are better packed; and where channels are images, a few in one iteration gain nothing on so many taps. */
static bool leaves_pages(const proposer *o) {
    double each;
    return traffic_leaves_pages(&o->p, &each);
}

/* Whether the input of a row of output, packed, stays in the second-level cache. */
static bool row_is_near(const proposer *o) {
    return scratch_bytes(o, o->p.in_channels, 1, o->p.axis[AXIS_W].out) < 0.5 * (double)o->target->l2_bytes;
}

/* Whether what a dot leaves to add is for taps that are all there. */
static bool groups_want_border(const proposer *o) {
    const bool alone = o->family->dots == DOTS_GROUPS || o->family->reduces_lanes; /* no widened plans have it */
    return o->dot && alone && dot_wants_border(&o->p, o->dot);
}

/* A task's matrix stays in half the second-level cache. */
static void add_unfolded(proposer *o, cvk_plan plan) {
    const problem_axis *h = &o->p.axis[AXIS_H], *w = &o->p.axis[AXIS_W];
    const double matrix =
        (double)(scratch_element(o) * o->p.in_channels * problem_taps(&o->p)) * plan.tile_oh * plan.tile_ow;
    const int64_t columns = ceil_div(w->out, plan.tile_ow), rows = ceil_div(h->out, plan.tile_oh);
    const int64_t tiles = (int64_t)fmax(1, 0.5 * (double)o->target->l2_bytes / matrix);
    const int64_t across = balanced(columns, lesser(columns, tiles)),
                  down = balanced(rows, lesser(rows, greater(1, tiles / columns)));
    plan.pack_transposed = o->row->lanes == LANES_COLUMNS && view_has_channels_together(&o->p.x) && o->p.x.channels > 1;
    add_share(
        o, plan,
        &(share_of_task){down * plan.tile_oh, across * plan.tile_ow, whole_tiles(o->p.out_channels, plan.tile_oc)});
}

static void add_orders(proposer *o, cvk_plan plan) {
    const bool together = view_has_channels_together(&o->p.x);
    if (o->family->unfolds) {
        add_unfolded(o, plan);
        return;
    }
    if (o->family->all_groups && !together) add_packed_channels(o, plan, true, false);
    if (o->row->lanes == LANES_COLUMNS && together && o->p.x.channels > 1)
        add_packed_columns(o, plan, true, o->target->l1_bytes);
    if (is_narrow(o) && o->family->channel_lanes && !o->family->all_groups) add_widened(o, &plan);
    if (!o->family->all_groups && leaves_pages(o)) add_packed_columns(o, plan, false, o->target->l2_bytes / 2);
    if (problem_has_border(&o->p) || groups_want_border(o)) {
        add_packed(o, plan, packed_rows(o));
        add_packed(o, plan, lesser(packed_rows(o), ceil_div(o->p.axis[AXIS_H].out, SOME_TASKS)));
        return;
    }
    if (problem_taps(&o->p) > 1 && direct_conflicts(&o->p, o->target, &plan) > 0 && row_is_near(o))
        add_packed(o, plan, packed_rows(o));
    plan.order = plan_order_of(CHANNELS_OUTSIDE);
    add_tasks(o, plan);
    bool rows = o->p.axis[AXIS_D].out > 1 || tiles_of(o, &plan, LOOP_OH) > 1;
    plan.order = plan_order_of(ROWS_OUTSIDE);
    if (rows) add_tasks(o, plan);
    if (o->family->all_groups) {
        plan.order = plan_order_of(PIXELS_OUTSIDE);
        add_order(o, plan);
        return;
    }
    add_blocks_for_cache(o, &plan, LOOP_OW);
    plan.order = plan_order_of(BLOCKED_ROWS);
    if (rows) add_blocks_for_cache(o, &plan, LOOP_OH);
}

/* Pixels of many channels are many streams at once, of which a core's own prefetching finds none that comes from afar.
 */
static bool wants_prefetch(const proposer *o) {
    const view *x = &o->p.x;
    return problem_taps(&o->p) == 1 && o->family->channel_lanes && !o->family->all_groups && x->block == 1 &&
           view_has_channels_together(x) && type_bytes(x->type) * x->elements > o->target->l2_bytes / 2;
}

/* Lanes over channels of a dense layer read one scalar a tap and pixel. Taps of a row share scalars, which a compiler
 * keeps in registers that the sums need: so there one tap an iteration, and few input channels unrolled instead.
 * Elsewhere what taps share is worth keeping. */
static void add_taps(proposer *o, cvk_plan plan) {
    const bool rows = o->family->row && o->family->all_groups;
    bool dense_channels = o->family->channel_lanes && !rows;
    int64_t taps = o->p.axis[AXIS_W].taps;
    int64_t steps = ceil_div(o->p.in_channels, o->dot ? o->dot->factors : 1);
    bool few = steps <= MOST_UNROLLED_CHANNELS && !leaves_pages(o);
    plan.unroll_ic = dense_channels && !o->family->all_groups && few ? (int)steps : 1;
    plan.unroll_kw = !dense_channels && taps <= (rows ? MOST_DEPTHWISE_TAPS : MOST_UNROLLED_TAPS);
    add_orders(o, plan);
    plan.prefetch = wants_prefetch(o);
    if (plan.prefetch) add_orders(o, plan);
    const bool grouped = o->family->all_groups && !o->family->row && taps > 1 && taps <= MOST_GROUPED_TAPS &&
                         o->p.axis[AXIS_W].step <= o->p.axis[AXIS_W].tap_step; /* or columns share no input */
    if ((plan.unroll_kw && taps > 3) || grouped) {
        plan.unroll_kw = grouped;
        add_orders(o, plan);
    }
}

/* Registers left for sums when `held` others are in use; without fused multiply-add a product needs one too. */
static int free_registers(const cvk_target *t, int held) { return t->registers - held - (t->fused ? 0 : 1); }

enum { NAN_CONSTANTS = 3, NAN_SUMS = 3 };

/* Registers of a sum: where NaN is left out, those of the weights, too. */
static int registers_of_sum(const proposer *o) { return o->p.combine == COMBINE_NUMBERS ? NAN_SUMS : 1; }

/* Registers that a tile of so many channel vectors keeps beside its sums: weights and an input; of a depthwise tile the
 * weights of some taps for one vector after another, those of the next, and inputs that LLVM loads ahead. */
static int held(const proposer *o, int vectors) {
    int64_t taps = o->p.axis[AXIS_W].taps, some = slid_taps(&o->p.axis[AXIS_W]);
    if (o->p.combine == COMBINE_NUMBERS) return vectors + NAN_CONSTANTS + 1;
    if (o->p.combine != COMBINE_SUM) return LOADED_AHEAD + (o->p.indices ? LOADED_AHEAD : 0);
    if (o->family->row && o->family->all_groups) return (int)lesser(taps, 2 * some) + LOADED_AHEAD;
    const bool products = o->dot && o->dot->operations > 1 && o->target->fused; /* wait in one to be added */
    return o->family->all_groups ? (int)lesser(o->p.in_channels, 4) + 2 : vectors + 1 + products;
}

/* Several slices, where one is less than a tile has room for. */
static void add_slices(proposer *o, cvk_plan plan, int64_t most_pixels) {
    int64_t depth = o->p.axis[AXIS_D].out, slices = most_pixels / ((int64_t)plan.tile_oh * plan.tile_ow);
    if (plan.tile_oh < o->p.axis[AXIS_H].out || depth == 1 || slices < 2) return;
    plan.tile_od = (int)balanced(depth, lesser(depth, slices));
    add_taps(o, plan);
}

enum { FEW_PIXELS = 4, MOST_ROWS = 3 };

/* A tile of some rows of channels of all groups reads the input rows that several see once; one of few pixels is a
 * column. */
static void add_rows(proposer *o, cvk_plan plan, int64_t most_pixels) {
    const int64_t height = o->p.axis[AXIS_H].out, most = most_pixels < FEW_PIXELS ? most_pixels : MOST_ROWS;
    if (!o->family->all_groups || o->p.axis[AXIS_H].taps == 1 || height == 1) return;
    for (int64_t rows = most_pixels < FEW_PIXELS ? most : 2; 2 <= rows && rows <= most; rows++) {
        plan.tile_oh = (int)lesser(rows, height);
        plan.tile_ow = (int)balanced(o->p.axis[AXIS_W].out, most_pixels / rows);
        add_taps(o, plan);
    }
}

/* A pool's rows come from afar together where little is read of each. */
static void add_narrow(proposer *o, cvk_plan plan, int64_t most_pixels) {
    if (problem_weighs(&o->p)) return;
    plan.tile_oh = (int)lesser(lesser(most_pixels, 2), o->p.axis[AXIS_H].out);
    plan.tile_ow = 1;
    add_taps(o, plan);
}

static void add_channel_tile(proposer *o, cvk_plan plan, int64_t most_pixels) {
    int64_t width = o->p.axis[AXIS_W].out, height = o->p.axis[AXIS_H].out;
    add_narrow(o, plan, most_pixels);
    if (width >= most_pixels) {
        add_rows(o, plan, most_pixels);
        plan.tile_oh = 1;
        plan.tile_ow = (int)balanced(width, most_pixels);
        add_taps(o, plan);
        plan.tile_ow = (int)most_pixels;
        add_taps(o, plan);
        return;
    }
    plan.tile_ow = (int)width;
    plan.tile_oh = (int)balanced(height, lesser(height, most_pixels / width));
    add_taps(o, plan);
    add_slices(o, plan, most_pixels);
    plan.tile_oh = 1;
    add_taps(o, plan);
}

/* A kernel row at once, with its weights in registers. */
static void add_sliding_tile(proposer *o, cvk_plan plan, int vectors) {
    const problem_axis *w = &o->p.axis[AXIS_W];
    int64_t pixels = free_registers(o->target, (int)slid_taps(w) * vectors + LOADED_AHEAD) / vectors;
    if (w->taps == 1 || w->step > w->tap_step || pixels < 2) return;
    plan.tile_ow = (int)balanced(w->out, lesser(w->out, pixels));
    plan.tile_oh =
        w->out < pixels ? (int)balanced(o->p.axis[AXIS_H].out, lesser(o->p.axis[AXIS_H].out, pixels / w->out)) : 1;
    plan.unroll_ic = 1;
    plan.unroll_kw = true;
    add_orders(o, plan);
}

/* The least code there is: one pixel, nothing unrolled, every edge clipped as it runs. */
static void add_smallest(proposer *o, cvk_plan plan) {
    plan.tile_oh = plan.tile_ow = 1;
    plan.unroll_ic = 1;
    plan.unroll_kw = false;
    add_orders(o, plan);
}

/* Whether output that its input has gone through the caches with is better put past them. */
static bool streams(const problem *p, const cvk_target *target) {
    return cost_streams(target, view_bytes(&p->x) + view_bytes(&p->y));
}

enum { MOST_VECTORS = 4, MOST_DEPTHWISE_VECTORS = 8, MOST_POOLED_VECTORS = 16 };

static int most_vectors(const proposer *o) {
    if (!problem_weighs(&o->p)) return MOST_POOLED_VECTORS;
    return o->family->row && o->family->all_groups ? MOST_DEPTHWISE_VECTORS : MOST_VECTORS;
}

enum { MOST_ROWS_OF_WINDOWS = 4, MOST_VECTORS_OF_WINDOWS = 2, MOST_HELD_WEIGHTS = 12, MOST_WINDOW_CHANNELS = 512 };

/* Bytes of windows of so many rows of tiles. */
static int64_t window_bytes(const proposer *o, const cvk_plan *plan, int64_t tiles, int64_t channels) {
    cvk_plan packed = *plan;
    packed.pack_rows = (int)(tiles * plan->tile_oh);
    return row_dot_scratch(&o->p, &packed, o->dot, channels, target_lanes(o->target, o->p.sum)).elements *
           type_bytes(o->dot->x);
}

/* A task is so many channels, and as many rows as keep their windows in `bytes`. */
static void add_windows(proposer *o, cvk_plan plan, int64_t channels, int64_t bytes) {
    const int64_t height = ceil_div(o->p.axis[AXIS_H].out, plan.tile_oh), all = o->p.x.channels;
    int64_t tiles = height;
    while (tiles > 1 && window_bytes(o, &plan, tiles, lesser(channels, all)) > bytes) tiles--;
    tiles = balanced(height, tiles);
    plan.pack_rows = (int)(tiles * plan.tile_oh);
    plan.pack_border = problem_is_padded(&o->p);
    put_level(&plan.order, LOOP_N, 0);
    put_level(&plan.order, LOOP_G, 0);
    if (channels < all) put_level(&plan.order, LOOP_OC, channels);
    put_level(&plan.order, LOOP_OD, 0);
    if (tiles < height) put_level(&plan.order, LOOP_OH, plan.pack_rows);
    plan.tasks = plan.order.count;
    put_level(&plan.order, LOOP_OC, 0);
    put_level(&plan.order, LOOP_OH, 0);
    put_level(&plan.order, LOOP_OW, 0);
    add_if_good(o, plan);
}

/* Channels of the registers that become windows, or all. */
static void add_window_tasks(proposer *o, const cvk_plan *plan) {
    const int64_t some = whole_tiles((int64_t)o->dot->factors * target_lanes(o->target, o->p.sum), plan->tile_oc);
    const int64_t near[] = {o->target->l1_bytes / 2, o->target->l2_bytes / 8};
    for (int i = 0; i < 2; i++) {
        add_windows(o, *plan, some, near[i]);
        if (some < o->p.x.channels && o->p.x.channels <= MOST_WINDOW_CHANNELS)
            add_windows(o, *plan, whole_tiles(o->p.x.channels, plan->tile_oc), near[i]);
    }
}

/* Whether no row of a tile takes more dots than one alone would. */
static bool rows_share_windows(const proposer *o, int64_t rows) {
    return row_dot_meetings(&o->p, o->dot, rows) == rows * row_dot_meetings(&o->p, o->dot, 1);
}

/* Tiles of windows of rows: as many columns as leave registers for weights. */
static void propose_windows(proposer *o) {
    const int64_t lanes = target_lanes(o->target, o->p.sum), width = o->p.axis[AXIS_W].out;
    cvk_plan plan = {.algorithm = o->row->name,
                     .lanes = o->row->lanes,
                     .tile_od = 1,
                     .block_oh = 1,
                     .block_ow = 1,
                     .unroll_ic = 1,
                     .unroll_kw = true,
                     .unroll_kh = true,
                     .dot = o->dot->factors};
    for (int64_t v = 1; v <= lesser(MOST_VECTORS_OF_WINDOWS, ceil_div(o->p.x.channels, lanes)); v++)
        for (int64_t rows = 1; rows <= lesser(o->p.axis[AXIS_H].out, MOST_ROWS_OF_WINDOWS); rows++) {
            const int64_t weights = lesser(slid_taps(&o->p.axis[AXIS_W]) * rows * v, MOST_HELD_WEIGHTS);
            const int64_t most = free_registers(o->target, (int)weights + 2) / (v * rows);
            if (most < 1 || !rows_share_windows(o, rows)) continue;
            plan.tile_oc = (int)(v * lanes);
            plan.tile_oh = (int)rows;
            plan.tile_ow = (int)balanced(width, lesser(width, most));
            add_window_tasks(o, &plan);
        }
}

/* Registers of whole groups, with either the inputs or the weights of a tap beside the sums. */
static void propose_groups(proposer *o) {
    const int64_t width = o->p.axis[AXIS_W].out, height = o->p.axis[AXIS_H].out;
    const int64_t c = o->p.in_channels;
    int64_t most = 1;
    while ((most + 1) * c + lesser(most + 1, c) <= free_registers(o->target, 2)) most++;
    cvk_plan plan = {.algorithm = o->row->name,
                     .lanes = o->row->lanes,
                     .tile_oc = o->dot->factors * target_lanes(o->target, o->p.sum),
                     .tile_od = 1,
                     .tile_oh = 1,
                     .block_oh = 1,
                     .block_ow = 1,
                     .unroll_ic = 1,
                     .dot = o->dot->factors};
    for (int64_t pixels = most; pixels >= 1; pixels = pixels > 2 ? pixels - 2 : pixels - 1) {
        plan.tile_ow = (int)balanced(width, lesser(width, pixels));
        plan.tile_oh = (int)(width < pixels ? balanced(height, lesser(height, pixels / width)) : 1);
        add_orders(o, plan);
    }
}

static void propose_tiles(proposer *o) {
    const family *f = o->family;
    int lanes = target_lanes(o->target, o->p.sum);
    int64_t channels = f->all_groups ? o->p.x.channels : o->p.out_channels, sums = f->all_groups ? o->p.in_channels : 1;
    int filled = tile_channel_lanes(&o->p, lanes, f);
    int64_t vectors = ceil_div(channels, filled);
    cvk_plan plan = {.algorithm = o->row->name,
                     .lanes = o->row->lanes,
                     .tile_od = 1,
                     .block_oh = 1,
                     .block_ow = 1,
                     .dot = o->dot ? o->dot->factors : 0,
                     .stream = !problem_weighs(o->asked) && streams(o->asked, o->target)};
    for (int most_in_one = 1; most_in_one <= most_vectors(o) && most_in_one <= vectors; most_in_one++) {
        const int v = problem_weighs(&o->p) ? most_in_one : (int)balanced(vectors, most_in_one);
        int64_t most = free_registers(o->target, held(o, v)) / (v * sums * registers_of_sum(o));
        plan.tile_oc = v * filled;
        if (most >= 1) add_channel_tile(o, plan, most);
        if (!f->all_groups && f->row && v <= MOST_SLIDING_VECTORS) add_sliding_tile(o, plan, v);
    }
    plan.tile_oc = filled;
    add_smallest(o, plan);
}

/* Products one by one may be as fast: what sums several of halves takes a core that much longer than a multiply-add. */
static bool dots_are_slow(const cvk_target *target, const target_dot *d) {
    return type_is_float(d->x) && d->factors * target->figures->half_dots_a_cycle <= target->figures->fma_a_cycle;
}

/* With whatever sums several products at once, where something does; of kernel rows and groups, also without. */
void propose_channel_tiles(const algorithm *row, const problem *p, const cvk_target *target, arena *a,
                           plan_list *list) {
    proposer o = {p, target, a, row, row->family, list, direct_problem(p, target, row->lanes), NULL};
    static void (*const propose[])(proposer *) = {
        [DOTS_CHANNELS] = propose_tiles, [DOTS_ROWS] = propose_windows, [DOTS_GROUPS] = propose_groups};
    const int before = list->count;
    const target_dot *d;
    bool slow = false;
    for (int i = 0; row->family->dots && (d = target_dot_row(target, i)); i++) {
        o.dot = dot_of(&o.p, target, d->factors);
        if (o.dot != d) continue;
        propose[row->family->dots](&o);
        slow |= dots_are_slow(target, d);
    }
    o.dot = NULL;
    if (slow || list->count == before || row->family->all_groups) propose_tiles(&o);
}

static void add_packed_rows(proposer *o, cvk_plan plan) {
    plan.unroll_ic = 1;
    plan.unroll_kw = o->p.axis[AXIS_W].taps <= MOST_UNROLLED_TAPS;
    add_packed_columns(o, plan, false, o->target->l1_bytes);
    plan.unroll_kw = !plan.unroll_kw;
    add_packed_columns(o, plan, false, o->target->l1_bytes);
}

/* Rows of a tile share what the taps of a kernel column read. */
static void add_column_rows(proposer *o, cvk_plan plan) {
    const problem_axis *h = &o->p.axis[AXIS_H];
    int64_t vectors = ceil_div(plan.tile_ow, target_lanes(o->target, o->p.sum)), taps = slid_taps(h);
    plan.unroll_kh = true;
    for (plan.tile_oc = 1; plan.tile_oc <= lesser(o->p.out_channels, MOST_SHARING_CHANNELS); plan.tile_oc++) {
        int64_t free = free_registers(o->target, (int)(plan.tile_oc * taps + vectors + LOADED_AHEAD - 1));
        int64_t rows = lesser(h->out, free / (plan.tile_oc * vectors * registers_of_sum(o)));
        if (rows < 2) return;
        plan.tile_oh = (int)balanced(h->out, rows);
        if (plan.tile_oh > 1) add_taps(o, plan);
        if (plan.tile_oh > 1 && !view_has_channels_together(&o->p.x)) add_packed_rows(o, plan);
    }
}

/* Weights wait in registers for the pixels of a tile, if there are several. */
static void add_in_channel_tile(proposer *o, cvk_plan plan) {
    const int64_t width = o->p.axis[AXIS_W].out, height = o->p.axis[AXIS_H].out;
    int64_t pixels = free_registers(o->target, plan.tile_oc + 2) / plan.tile_oc;
    if (pixels < 1) pixels = free_registers(o->target, 2) / plan.tile_oc;
    if (pixels < 1) return;
    plan.tile_ow = (int)balanced(width, lesser(width, pixels));
    plan.tile_oh = width < pixels ? (int)balanced(height, lesser(height, pixels / width)) : 1;
    add_orders(o, plan);
}

/* Blocks of output channels for which a vector of inputs serves all, and some for which more pixels share weights. */
static void propose_reducing(proposer *o) {
    const int64_t most = lesser(o->p.out_channels, target_lanes(o->target, o->p.sum));
    cvk_plan plan = {.algorithm = o->row->name,
                     .lanes = o->row->lanes,
                     .tile_od = 1,
                     .tile_oh = 1,
                     .tile_ow = 1,
                     .block_oh = 1,
                     .block_ow = 1,
                     .unroll_ic = 1,
                     .dot = o->dot ? o->dot->factors : 0};
    for (int64_t blocks = ceil_div(o->p.out_channels, most);
         blocks <= o->p.out_channels && blocks <= MOST_CHANNEL_BLOCKS; blocks++) {
        plan.tile_oc = (int)ceil_div(o->p.out_channels, blocks);
        add_in_channel_tile(o, plan);
    }
    plan.tile_oc = plan.tile_oh = plan.tile_ow = 1;
    add_orders(o, plan);
}

void propose_in_channel_tiles(const algorithm *row, const problem *p, const cvk_target *target, arena *a,
                              plan_list *list) {
    proposer o = {p, target, a, row, row->family, list, problem_merged(p), NULL};
    const target_dot *d;
    propose_reducing(&o);
    for (int i = 0; (d = target_dot_row(target, i)); i++) {
        o.dot = dot_of(&o.p, target, d->factors);
        if (o.dot == d) propose_reducing(&o);
    }
}

void propose_column_tiles(const algorithm *row, const problem *p, const cvk_target *target, arena *a, plan_list *list) {
    int lanes = target_lanes(target, p->sum);
    proposer o = {p, target, a, row, row->family, list, problem_merged(p), NULL};
    int64_t width = ceil_div(o.p.axis[AXIS_W].out, lanes);
    cvk_plan plan = {
        .algorithm = row->name, .lanes = row->lanes, .tile_od = 1, .tile_oh = 1, .block_oh = 1, .block_ow = 1};
    for (int v = 1; v <= 4 && v <= width; v++) {
        int64_t most = free_registers(target, v + 1) / (v * registers_of_sum(&o));
        if (most < 1 && v > 1) break;
        if (most < 1) most = 1;
        if (most > 8) most = 8;
        plan.tile_ow = v * lanes;
        plan.tile_oc = (int)balanced(o.p.out_channels, most);
        add_taps(&o, plan);
        if (o.p.axis[AXIS_H].taps > 1 && o.family->column) add_column_rows(&o, plan);
    }
}

enum { MOST_HELD_CONSTANTS = 5, MOST_JOINED_VECTORS = 4 };

enum { MOST_TAPS_BESIDE = 2 };

/* Whether two passes a term make so much less of a filter that no tile of its taps is worth a look. */
static bool is_separable(const problem *p, const cvk_target *target) {
    const algorithm *row;
    const char *why;
    const int64_t across = p->axis[AXIS_W].taps, down = problem_taps(p) / across;
    for (int i = 0; (row = algo_row(i)); i++)
        if (strcmp(row->name, "separable") == 0 && row->applicable(p, target, &why))
            return MOST_TAPS_BESIDE * known_terms(p) * (across + down) < known_present(p) / p->groups;
    return false;
}

/* Rows of a tile share what columns of the kernel make of an input row. */
void propose_constant_tiles(const algorithm *row, const problem *p, const cvk_target *target, arena *a,
                            plan_list *list) {
    static const int ROWS[] = {1, 2, 3, 4, 6, 8};
    const int lanes = target_lanes(target, p->sum);
    proposer o = {p, target, a, row, row->family, list, direct_problem(p, target, row->lanes), NULL};
    const int64_t width = ceil_div(o.p.axis[AXIS_W].out, lanes), height = o.p.axis[AXIS_H].out;
    const int64_t least = height > 1 && o.p.axis[AXIS_H].taps > 1 ? 2 : 1; /* rows, where they share */
    cvk_plan plan = {.algorithm = row->name,
                     .lanes = row->lanes,
                     .tile_od = 1,
                     .block_oh = 1,
                     .block_ow = 1,
                     .unroll_ic = 1,
                     .unroll_kw = true,
                     .stream = streams(p, target)};
    const int before = list->count;
    const bool one = is_separable(p, target);
    for (int v = 1; v <= MOST_JOINED_VECTORS && v <= width && !(one && list->count > before); v++)
        for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS && ROWS[i] <= height; i++) {
            if (ROWS[i] < least || (one && (list->count > before || ROWS[i] < lesser(4, height)))) continue;
            plan.tile_ow = v * lanes;
            plan.tile_oh = ROWS[i];
            const int64_t waiting = v > 1 ? v : 0; /* whole vectors of a row */
            const int64_t held = lesser(o.p.axis[AXIS_H].taps, MOST_HELD_CONSTANTS) + LOADED_AHEAD - 1 + waiting;
            const int64_t most = free_registers(target, (int)held) / (v * ROWS[i]);
            plan.tile_oc = (int)lesser(o.p.out_channels, most);
            if (most < 1) continue;
            add_orders(&o, plan);
            if (problem_is_padded(&o.p)) add_packed_columns(&o, plan, false, target->l1_bytes);
        }
}
