/* The plans worth ranking: register tiles that leave no spill, balanced over the output, in the orders of orders.c.
 * Only constants and pools of channels stream their output: elsewhere nothing was gained by it on any machine so far.
 */
#include "algo/direct/propose.h"
#include "algo/cost.h"

#include "problem/known.h"

enum {
    MOST_UNROLLED_TAPS = 7,
    MOST_DEPTHWISE_TAPS = 32,
    MOST_GROUPED_TAPS = 5,
    MOST_UNROLLED_CHANNELS = 4,
    LOADED_AHEAD = 4,
    MOST_SHARING_CHANNELS = 4,
    MOST_SLIDING_VECTORS = 2,
    MOST_CHANNEL_BLOCKS = 8
};

/* Pixels of many channels are many streams at once, of which a core's own prefetching finds none that comes from afar.
 */
static bool wants_prefetch(const proposer *o) {
    const view *x = &o->p.x;
    return problem_taps(&o->p) == 1 && o->family->channel_lanes && !o->family->all_groups && x->block == 1 &&
           view_has_channels_together(x) && type_bytes(x->type) * x->elements > o->aim.target->l2_bytes / 2;
}

/* Lanes over channels of a dense layer read one scalar a tap and pixel. Taps of a row share scalars, which a compiler
 * keeps in registers that the sums need: so there one tap an iteration, and few input channels unrolled instead.
 * Elsewhere what taps share is worth keeping. */
static void add_taps(proposer *o, cvk_plan plan) {
    const bool rows = o->family->row && o->family->all_groups;
    bool dense_channels = o->family->channel_lanes && !rows;
    int64_t taps = o->p.axis[AXIS_W].taps;
    int64_t steps = ceil_div(o->p.in_channels, o->dot ? o->dot->factors : 1);
    bool few = steps <= MOST_UNROLLED_CHANNELS && !propose_leaves_pages(o);
    plan.unroll_ic = dense_channels && !o->family->all_groups && few ? (int)steps : 1;
    plan.unroll_kw = !dense_channels && taps <= (rows ? MOST_DEPTHWISE_TAPS : MOST_UNROLLED_TAPS);
    propose_orders(o, plan);
    plan.prefetch = wants_prefetch(o);
    if (plan.prefetch) propose_orders(o, plan);
    const bool grouped = o->family->all_groups && !o->family->row && taps > 1 && taps <= MOST_GROUPED_TAPS &&
                         o->p.axis[AXIS_W].step <= o->p.axis[AXIS_W].tap_step; /* or columns share no input */
    if ((plan.unroll_kw && taps > 3) || grouped) {
        plan.unroll_kw = grouped;
        propose_orders(o, plan);
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
    const bool products = o->dot && o->dot->operations > 1 && o->aim.target->fused; /* wait in one to be added */
    return o->family->all_groups ? (int)lesser(o->p.in_channels, 4) + 2 : vectors + 1 + products;
}

/* Several slices, where one is less than a tile has room for. */
static void add_slices(proposer *o, cvk_plan plan, int64_t most_pixels) {
    int64_t depth = o->p.axis[AXIS_D].out, slices = most_pixels / ((int64_t)plan.tile_oh * plan.tile_ow);
    if (plan.tile_oh < o->p.axis[AXIS_H].out || depth == 1 || slices < 2) return;
    plan.tile_od = (int)propose_balanced(depth, lesser(depth, slices));
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
        plan.tile_ow = (int)propose_balanced(o->p.axis[AXIS_W].out, most_pixels / rows);
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
        plan.tile_ow = (int)propose_balanced(width, most_pixels);
        add_taps(o, plan);
        plan.tile_ow = (int)most_pixels;
        add_taps(o, plan);
        return;
    }
    plan.tile_ow = (int)width;
    plan.tile_oh = (int)propose_balanced(height, lesser(height, most_pixels / width));
    add_taps(o, plan);
    add_slices(o, plan, most_pixels);
    plan.tile_oh = 1;
    add_taps(o, plan);
}

/* A kernel row at once, with its weights in registers. */
static void add_sliding_tile(proposer *o, cvk_plan plan, int vectors) {
    const problem_axis *w = &o->p.axis[AXIS_W];
    int64_t pixels = free_registers(o->aim.target, (int)slid_taps(w) * vectors + LOADED_AHEAD) / vectors;
    if (w->taps == 1 || w->step > w->tap_step || pixels < 2) return;
    plan.tile_ow = (int)propose_balanced(w->out, lesser(w->out, pixels));
    plan.tile_oh = w->out < pixels
                       ? (int)propose_balanced(o->p.axis[AXIS_H].out, lesser(o->p.axis[AXIS_H].out, pixels / w->out))
                       : 1;
    plan.unroll_ic = 1;
    plan.unroll_kw = true;
    propose_orders(o, plan);
}

/* The least code there is: one pixel, nothing unrolled, every edge clipped as it runs. */
static void add_smallest(proposer *o, cvk_plan plan) {
    plan.tile_oh = plan.tile_ow = 1;
    plan.unroll_ic = 1;
    plan.unroll_kw = false;
    propose_orders(o, plan);
}

/* Whether output that its input has gone through the caches with is better put past them. */
static bool streams(const problem *p, const cvk_target *target) {
    return cost_streams(target, view_bytes(&p->x) + view_bytes(&p->y));
}

enum { SHORT_REDUCTION = 64, TILES_AT_ONCE = 2 };

/* Tiles of few sums, of which a core has two at once: where tiles end soon, so that what becomes of the sums of one is
 * done beside the next. Dots of halves take longer than multiply-adds, so that few sums would wait for themselves;
 * those of two operations leave nothing to be done beside them. */
static void add_small_tile(proposer *o, const cvk_plan *plan, int vectors, int64_t most) {
    const machine_figures *f = o->aim.target->figures;
    const int64_t pixels = most / TILES_AT_ONCE;
    if (!o->dot || type_is_float(o->dot->x) || o->dot->operations > 1) return;
    if (problem_taps(&o->p) * ceil_div(o->p.in_channels, o->dot->factors) > SHORT_REDUCTION) return;
    if ((double)(vectors * pixels) > f->fma_latency * f->fma_a_cycle) add_channel_tile(o, *plan, pixels);
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
    return row_dot_scratch(&o->p, &packed, o->dot, channels, target_lanes(o->aim.target, o->p.sum)).elements *
           type_bytes(o->dot->x);
}

/* A task is so many channels, and as many rows as keep their windows in `bytes`. */
static void add_windows(proposer *o, cvk_plan plan, int64_t channels, int64_t bytes) {
    const int64_t height = ceil_div(o->p.axis[AXIS_H].out, plan.tile_oh), all = o->p.x.channels;
    int64_t tiles = height;
    while (tiles > 1 && window_bytes(o, &plan, tiles, lesser(channels, all)) > bytes) tiles--;
    tiles = propose_balanced(height, tiles);
    plan.pack_rows = (int)(tiles * plan.tile_oh);
    plan.pack_border = problem_is_padded(&o->p);
    propose_level(&plan.order, LOOP_N, 0);
    propose_level(&plan.order, LOOP_G, 0);
    if (channels < all) propose_level(&plan.order, LOOP_OC, channels);
    propose_level(&plan.order, LOOP_OD, 0);
    if (tiles < height) propose_level(&plan.order, LOOP_OH, plan.pack_rows);
    plan.tasks = plan.order.count;
    propose_level(&plan.order, LOOP_OC, 0);
    propose_level(&plan.order, LOOP_OH, 0);
    propose_level(&plan.order, LOOP_OW, 0);
    propose_plan(o, plan);
}

/* Channels of the registers that become windows, or all. */
static void add_window_tasks(proposer *o, const cvk_plan *plan) {
    const int64_t some =
        propose_whole_tiles((int64_t)o->dot->factors * target_lanes(o->aim.target, o->p.sum), plan->tile_oc);
    const int64_t near[] = {o->aim.target->l1_bytes / 2, o->aim.target->l2_bytes / 8};
    for (int i = 0; i < 2; i++) {
        add_windows(o, *plan, some, near[i]);
        if (some < o->p.x.channels && o->p.x.channels <= MOST_WINDOW_CHANNELS)
            add_windows(o, *plan, propose_whole_tiles(o->p.x.channels, plan->tile_oc), near[i]);
    }
}

/* Whether no row of a tile takes more dots than one alone would. */
static bool rows_share_windows(const proposer *o, int64_t rows) {
    return row_dot_meetings(&o->p, o->dot, rows) == rows * row_dot_meetings(&o->p, o->dot, 1);
}

/* Tiles of windows of rows: as many columns as leave registers for weights. */
static void propose_windows(proposer *o) {
    const int64_t lanes = target_lanes(o->aim.target, o->p.sum), width = o->p.axis[AXIS_W].out;
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
            const int64_t most = free_registers(o->aim.target, (int)weights + 2) / (v * rows);
            if (most < 1 || !rows_share_windows(o, rows)) continue;
            plan.tile_oc = (int)(v * lanes);
            plan.tile_oh = (int)rows;
            plan.tile_ow = (int)propose_balanced(width, lesser(width, most));
            add_window_tasks(o, &plan);
        }
}

/* Registers of whole groups, with either the inputs or the weights of a tap beside the sums. */
static void propose_groups(proposer *o) {
    const int64_t width = o->p.axis[AXIS_W].out, height = o->p.axis[AXIS_H].out;
    const int64_t c = o->p.in_channels;
    int64_t most = 1;
    while ((most + 1) * c + lesser(most + 1, c) <= free_registers(o->aim.target, 2)) most++;
    cvk_plan plan = {.algorithm = o->row->name,
                     .lanes = o->row->lanes,
                     .tile_oc = o->dot->factors * target_lanes(o->aim.target, o->p.sum),
                     .tile_od = 1,
                     .tile_oh = 1,
                     .block_oh = 1,
                     .block_ow = 1,
                     .unroll_ic = 1,
                     .dot = o->dot->factors};
    for (int64_t pixels = most; pixels >= 1; pixels = pixels > 2 ? pixels - 2 : pixels - 1) {
        plan.tile_ow = (int)propose_balanced(width, lesser(width, pixels));
        plan.tile_oh = (int)(width < pixels ? propose_balanced(height, lesser(height, pixels / width)) : 1);
        propose_orders(o, plan);
    }
}

static void propose_tiles(proposer *o) {
    const family *f = o->family;
    int lanes = target_lanes(o->aim.target, o->p.sum);
    int64_t channels = f->all_groups ? o->p.x.channels : o->p.out_channels, sums = f->all_groups ? o->p.in_channels : 1;
    int filled = tile_channel_lanes(&o->p, lanes, f);
    int64_t vectors = ceil_div(channels, filled);
    cvk_plan plan = {.algorithm = o->row->name,
                     .lanes = o->row->lanes,
                     .tile_od = 1,
                     .block_oh = 1,
                     .block_ow = 1,
                     .dot = o->dot ? o->dot->factors : 0,
                     .stream = !problem_weighs(o->asked) && streams(o->asked, o->aim.target)};
    for (int most_in_one = 1; most_in_one <= most_vectors(o) && most_in_one <= vectors; most_in_one++) {
        const int v = problem_weighs(&o->p) ? most_in_one : (int)propose_balanced(vectors, most_in_one);
        int64_t most = free_registers(o->aim.target, held(o, v)) / (v * sums * registers_of_sum(o));
        plan.tile_oc = v * filled;
        if (most >= 1) add_channel_tile(o, plan, most);
        if (!f->all_groups) add_small_tile(o, &plan, v, most);
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
void propose_channel_tiles(const algorithm *row, const problem *p, goal aim, arena *a, plan_list *list) {
    const cvk_target *target = aim.target;
    proposer o = {p, aim, a, row, row->family, list, direct_problem(p, target, row->lanes), NULL};
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
    propose_packed_columns(o, plan, false, o->aim.target->l1_bytes);
    plan.unroll_kw = !plan.unroll_kw;
    propose_packed_columns(o, plan, false, o->aim.target->l1_bytes);
}

/* Rows of a tile share what the taps of a kernel column read. */
static void add_column_rows(proposer *o, cvk_plan plan) {
    const problem_axis *h = &o->p.axis[AXIS_H];
    int64_t vectors = ceil_div(plan.tile_ow, target_lanes(o->aim.target, o->p.sum)), taps = slid_taps(h);
    plan.unroll_kh = true;
    for (plan.tile_oc = 1; plan.tile_oc <= lesser(o->p.out_channels, MOST_SHARING_CHANNELS); plan.tile_oc++) {
        int64_t free = free_registers(o->aim.target, (int)(plan.tile_oc * taps + vectors + LOADED_AHEAD - 1));
        int64_t rows = lesser(h->out, free / (plan.tile_oc * vectors * registers_of_sum(o)));
        if (rows < 2) return;
        plan.tile_oh = (int)propose_balanced(h->out, rows);
        if (plan.tile_oh > 1) add_taps(o, plan);
        if (plan.tile_oh > 1 && !view_has_channels_together(&o->p.x)) add_packed_rows(o, plan);
    }
}

/* Weights wait in registers for the pixels of a tile, if there are several. */
static void add_in_channel_tile(proposer *o, cvk_plan plan) {
    const int64_t width = o->p.axis[AXIS_W].out, height = o->p.axis[AXIS_H].out;
    int64_t pixels = free_registers(o->aim.target, plan.tile_oc + 2) / plan.tile_oc;
    if (pixels < 1) pixels = free_registers(o->aim.target, 2) / plan.tile_oc;
    if (pixels < 1) return;
    plan.tile_ow = (int)propose_balanced(width, lesser(width, pixels));
    plan.tile_oh = width < pixels ? (int)propose_balanced(height, lesser(height, pixels / width)) : 1;
    propose_orders(o, plan);
}

/* Blocks of output channels for which a vector of inputs serves all, and some for which more pixels share weights. */
static void propose_reducing(proposer *o) {
    const int64_t most = lesser(o->p.out_channels, target_lanes(o->aim.target, o->p.sum));
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
    propose_orders(o, plan);
}

void propose_in_channel_tiles(const algorithm *row, const problem *p, goal aim, arena *a, plan_list *list) {
    const cvk_target *target = aim.target;
    proposer o = {p, aim, a, row, row->family, list, problem_merged(p), NULL};
    const target_dot *d;
    propose_reducing(&o);
    for (int i = 0; (d = target_dot_row(target, i)); i++) {
        o.dot = dot_of(&o.p, target, d->factors);
        if (o.dot == d) propose_reducing(&o);
    }
}

void propose_column_tiles(const algorithm *row, const problem *p, goal aim, arena *a, plan_list *list) {
    const cvk_target *target = aim.target;
    int lanes = target_lanes(target, p->sum);
    proposer o = {p, aim, a, row, row->family, list, problem_merged(p), NULL};
    int64_t width = ceil_div(o.p.axis[AXIS_W].out, lanes);
    cvk_plan plan = {
        .algorithm = row->name, .lanes = row->lanes, .tile_od = 1, .tile_oh = 1, .block_oh = 1, .block_ow = 1};
    for (int v = 1; v <= 4 && v <= width; v++) {
        int64_t most = free_registers(target, v + 1) / (v * registers_of_sum(&o));
        if (most < 1 && v > 1) break;
        if (most < 1) most = 1;
        if (most > 8) most = 8;
        plan.tile_ow = v * lanes;
        plan.tile_oc = (int)propose_balanced(o.p.out_channels, most);
        add_taps(&o, plan);
        if (o.p.axis[AXIS_H].taps > 1 && o.family->column) add_column_rows(&o, plan);
    }
}

enum { MOST_HELD_CONSTANTS = 5, MOST_JOINED_VECTORS = 4 };

enum { MOST_TAPS_BESIDE = 2 };

/* Whether two passes a term make so much less of a filter that no tile of its taps is worth a look. */
static bool is_separable(const problem *p, const cvk_target *target) {
    const algorithm *row = algo_of(&(cvk_plan){.algorithm = "separable", .lanes = LANES_COLUMNS});
    const char *why;
    const int64_t across = p->axis[AXIS_W].taps, down = problem_taps(p) / across;
    return row && row->applicable(p, target, &why) &&
           MOST_TAPS_BESIDE * known_terms(p) * (across + down) < known_present(p) / p->groups;
}

/* Tiles of a vector, which hand on what they have loaded, want few rows at once where the caches keep those; of two
 * passes a term they do what such passes do. */
static bool hands_on(const proposer *o, int vectors) {
    return vectors == 1 && target_lanes(o->aim.target, o->p.sum) * type_bytes(o->p.sum) == LINE_BYTES &&
           o->p.accuracy != ACCURACY_STRICT && o->p.in_channels == 1 && o->p.axis[AXIS_D].taps == 1 &&
           !problem_has_border(&o->p);
}

/* Rows of a tile share what columns of the kernel make of an input row. */
void propose_constant_tiles(const algorithm *row, const problem *p, goal aim, arena *a, plan_list *list) {
    const cvk_target *target = aim.target;
    static const int ROWS[] = {1, 2, 3, 4, 6, 8};
    const int lanes = target_lanes(target, p->sum);
    proposer o = {p, aim, a, row, row->family, list, direct_problem(p, target, row->lanes), NULL};
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
            const bool some = one && (list->count > before || ROWS[i] < lesser(4, height));
            if ((ROWS[i] < least || some) && !hands_on(&o, v)) continue;
            plan.tile_ow = v * lanes;
            plan.tile_oh = ROWS[i];
            const int64_t waiting = v > 1 ? v : 0; /* whole vectors of a row */
            const int64_t held = lesser(o.p.axis[AXIS_H].taps, MOST_HELD_CONSTANTS) + LOADED_AHEAD - 1 + waiting;
            const int64_t most = free_registers(target, (int)held) / (v * ROWS[i]);
            plan.tile_oc = (int)lesser(o.p.out_channels, most);
            if (most < 1) continue;
            propose_orders(&o, plan);
            if (problem_is_padded(&o.p)) propose_packed_columns(&o, plan, false, target->l1_bytes);
        }
}
