/* The orders of a tile that are worth ranking: those that keep weights or input near and make tasks enough, and those
 * whose tasks pack their input first. */
#include "algo/direct/propose.h"
#include "algo/direct/traffic.h"

#include <math.h>

enum { SCRATCH_BYTES = 256 * 1024 };

static const plan_loop CHANNELS_OUTSIDE[] = {LOOP_N, LOOP_G, LOOP_OC, LOOP_OD, LOOP_OH, LOOP_OW};
static const plan_loop ROWS_OUTSIDE[] = {LOOP_N, LOOP_G, LOOP_OD, LOOP_OH, LOOP_OC, LOOP_OW};
static const plan_loop BLOCKED_ROWS[] = {LOOP_N, LOOP_G, LOOP_OD, LOOP_OC, LOOP_OH, LOOP_OW};
static const plan_loop PIXELS_OUTSIDE[] = {LOOP_N, LOOP_G, LOOP_OD, LOOP_OH, LOOP_OW, LOOP_OC};
static const plan_loop ROWS_OF_GROUPS[] = {LOOP_N, LOOP_OD, LOOP_OH, LOOP_G, LOOP_OC, LOOP_OW};

/* The tile of at most `most` that covers n in as few tiles with the least left over. */
int64_t propose_balanced(int64_t n, int64_t most) {
    int64_t tiles = (n + most - 1) / most;
    return (n + tiles - 1) / tiles;
}

void propose_plan(proposer *o, cvk_plan plan) {
    if (o->dot && plan.pack_rows) plan.pack_border |= dot_wants_border(&o->p, o->dot);
    for (int i = 0; i < o->list->count; i++)
        if (plan_equal(&o->list->plan[i], &plan)) return;
    if (!o->row->refuse(o->row, o->asked, o->aim.target, &plan)) plan_list_add(o->arena, o->list, plan);
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
    propose_plan(o, plan);
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
void propose_packed_columns(proposer *o, cvk_plan plan, bool transposed, int64_t cache_bytes) {
    const double share = 0.5 * (double)cache_bytes;
    int64_t width = ceil_div(o->p.axis[AXIS_W].out, plan.tile_ow), tiles = width;
    while (tiles > 1 && scratch_bytes(o, o->p.in_channels, plan.tile_oh, tiles * plan.tile_ow) > share) tiles--;
    tiles = propose_balanced(width, tiles);
    plan.pack_rows = plan.tile_oh;
    plan.pack_border = o->p.combine == COMBINE_SUM && o->p.border == PAD_ZEROS && o->p.accuracy != ACCURACY_STRICT &&
                       problem_is_padded(&o->p);
    plan.pack_transposed = transposed;
    plan.order = plan_order_of(ROWS_OUTSIDE);
    plan_order_insert(&plan.order, plan_level_of(&plan.order, LOOP_OC, false),
                      (plan_level){LOOP_OW, (int)(tiles * plan.tile_ow)});
    plan.tasks = plan_level_of(&plan.order, LOOP_OW, true) + 1;
    propose_plan(o, plan);
}

/* A task is a tile's channels, and as many rows as keep their input in half the second-level cache. */
static void add_packed_channels(proposer *o, cvk_plan plan, bool transposed, bool border) {
    const double share = 0.5 * (double)o->aim.target->l2_bytes;
    const problem_axis *h = &o->p.axis[AXIS_H];
    int64_t height = ceil_div(h->out, plan.tile_oh), tiles = height;
    while (tiles > 1 && scratch_bytes(o, plan.tile_oc, tiles * plan.tile_oh, o->p.axis[AXIS_W].out) > share) tiles--;
    tiles = propose_balanced(height, tiles);
    plan.pack_rows = (int)(tiles * plan.tile_oh);
    plan.pack_border = border;
    plan.pack_transposed = transposed;
    plan.order = plan_order_of(CHANNELS_OUTSIDE);
    int level = plan_level_of(&plan.order, LOOP_OH, false);
    if (tiles > 1) plan_order_insert(&plan.order, level, (plan_level){LOOP_OH, plan.pack_rows});
    plan.tasks = level + 1;
    propose_plan(o, plan);
}

/* ---- inputs that are narrower than what is summed in: each task widens what it reads of them once ---- */

static bool is_narrow(const proposer *o) { return o->p.x.type != o->p.sum; }

/* What a task covers: output positions, in whole tiles, and output channels. */
typedef struct share_of_task {
    int64_t rows, columns, channels;
} share_of_task;

int64_t propose_whole_tiles(int64_t n, int64_t size) { return ceil_div(n, size) * size; }

/* As many columns as keep their input in `bytes`, then as many rows of those; one tile at least. */
static share_of_task positions_in(const proposer *o, const cvk_plan *plan, double bytes) {
    const problem_axis *h = &o->p.axis[AXIS_H], *w = &o->p.axis[AXIS_W];
    int64_t columns = ceil_div(w->out, plan->tile_ow), rows = ceil_div(h->out, plan->tile_oh), c = columns, r = rows;
    while (c > 1 && scratch_bytes(o, o->p.in_channels, plan->tile_oh, c * plan->tile_ow) > bytes) c--;
    c = propose_balanced(columns, c);
    while (r > 1 && (c < columns || scratch_bytes(o, o->p.in_channels, r * plan->tile_oh, w->out) > bytes)) r--;
    return (share_of_task){propose_balanced(rows, r) * plan->tile_oh, c * plan->tile_ow,
                           propose_whole_tiles(o->p.out_channels, plan->tile_oc)};
}

void propose_level(plan_order *order, plan_loop loop, int64_t block) {
    order->level[order->count++] = (plan_level){loop, (int)block};
}

/* n, g, od and the blocks of the task; then its tiles, channels outside or inside. */
static plan_order order_of_share(const proposer *o, const share_of_task *s, bool channels_outside) {
    plan_order order = {.count = 0};
    propose_level(&order, LOOP_N, 0);
    propose_level(&order, LOOP_G, 0);
    propose_level(&order, LOOP_OD, 0);
    if (s->rows < o->p.axis[AXIS_H].out) propose_level(&order, LOOP_OH, s->rows);
    if (s->columns < o->p.axis[AXIS_W].out) propose_level(&order, LOOP_OW, s->columns);
    if (s->channels < o->p.out_channels) propose_level(&order, LOOP_OC, s->channels);
    if (channels_outside) propose_level(&order, LOOP_OC, 0);
    propose_level(&order, LOOP_OH, 0);
    propose_level(&order, LOOP_OW, 0);
    if (!channels_outside) propose_level(&order, LOOP_OC, 0);
    return order;
}

enum { TILE_LOOPS_OF_TASK = 3 }; /* oc, oh, ow */

static void add_share(proposer *o, cvk_plan plan, const share_of_task *s) {
    plan.pack_rows = (int)s->rows;
    for (int outside = 0; outside < 2; outside++) {
        plan.order = order_of_share(o, s, outside);
        plan.tasks = plan.order.count - TILE_LOOPS_OF_TASK;
        propose_plan(o, plan);
    }
}

enum { CHANNELS_WORTH_WIDENING = 64 };

/* Input that the first or the second level keeps, for all output channels, or for so many that widening it again for
 * the others is little. */
static void add_widened(proposer *o, const cvk_plan *plan) {
    const double near[] = {0.5 * (double)o->aim.target->l1_bytes, 0.5 * (double)o->aim.target->l2_bytes};
    for (int i = 0; i < 2; i++) {
        share_of_task s = positions_in(o, plan, near[i]);
        add_share(o, *plan, &s);
        s.channels = propose_whole_tiles(CHANNELS_WORTH_WIDENING, plan->tile_oc);
        if (s.channels < o->p.out_channels) add_share(o, *plan, &s);
    }
}

/* ---- orders ---- */

enum { SOME_TASKS = 32, MANY_TASKS = 512, MOST_SINGLE_TILES = 128, SOME_THREADS = 8 };

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
    propose_plan(o, plan);
}

/* All loops are: every tile is a task, which tells its place first, so they are to be few. */
static void add_tiles(proposer *o, cvk_plan plan) {
    plan.tasks = plan.order.count;
    propose_plan(o, plan);
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
        double cache = 0.5 * (double)o->aim.target->l2_bytes / half, one = input_bytes(o, loop, plan_unit(plan, loop));
        cvk_plan blocked = *plan;
        int64_t each = (int64_t)(cache / (one > 0 ? one : 1));
        int level = plan_level_of(&plan->order, LOOP_OC, false);
        if (each < tiles && insert_blocks(o, &blocked, level, loop, ceil_div(tiles, each < 2 ? 2 : each)))
            add_order(o, blocked);
    }
}

/* Of a step of a network, as many blocks of rows or columns as threads, or as many as some, so that each has its own,
 * and goes through their channels as if they were all there is. */
static void add_places(proposer *o, const cvk_plan *plan, plan_loop loop) {
    cvk_plan placed = *plan;
    const int level = plan_level_of(&plan->order, LOOP_OC, false);
    if (o->aim.step && insert_blocks(o, &placed, level, loop, o->aim.threads ? o->aim.threads : SOME_THREADS))
        add_order(o, placed);
}

bool propose_leaves_pages(const proposer *o) {
    double each;
    return traffic_leaves_pages(&o->p, &each);
}

/* Whether the input of a row of output, packed, stays in the second-level cache. */
static bool row_is_near(const proposer *o) {
    return scratch_bytes(o, o->p.in_channels, 1, o->p.axis[AXIS_W].out) < 0.5 * (double)o->aim.target->l2_bytes;
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
    const int64_t tiles = (int64_t)fmax(1, 0.5 * (double)o->aim.target->l2_bytes / matrix);
    const int64_t across = propose_balanced(columns, lesser(columns, tiles)),
                  down = propose_balanced(rows, lesser(rows, greater(1, tiles / columns)));
    plan.pack_transposed = o->row->lanes == LANES_COLUMNS && view_has_channels_together(&o->p.x) && o->p.x.channels > 1;
    add_share(o, plan,
              &(share_of_task){down * plan.tile_oh, across * plan.tile_ow,
                               propose_whole_tiles(o->p.out_channels, plan.tile_oc)});
}

void propose_orders(proposer *o, cvk_plan plan) {
    const bool together = view_has_channels_together(&o->p.x);
    if (o->family->unfolds) {
        add_unfolded(o, plan);
        return;
    }
    if (o->family->all_groups && !together) add_packed_channels(o, plan, true, false);
    if (o->row->lanes == LANES_COLUMNS && together && o->p.x.channels > 1)
        propose_packed_columns(o, plan, true, o->aim.target->l1_bytes);
    if (is_narrow(o) && o->family->channel_lanes && !o->family->all_groups) add_widened(o, &plan);
    if (!o->family->all_groups && propose_leaves_pages(o))
        propose_packed_columns(o, plan, false, o->aim.target->l2_bytes / 2);
    if (problem_has_border(&o->p) || groups_want_border(o)) {
        add_packed(o, plan, packed_rows(o));
        add_packed(o, plan, lesser(packed_rows(o), ceil_div(o->p.axis[AXIS_H].out, SOME_TASKS)));
        return;
    }
    if (problem_taps(&o->p) > 1 && direct_conflicts(&o->p, o->aim.target, &plan) > 0 && row_is_near(o))
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
    add_places(o, &plan, rows ? LOOP_OH : LOOP_OW);
}
