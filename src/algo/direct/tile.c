/* Where a tile and its taps are: in the output, the input and the packed weights. */
#include "algo/direct/tile.h"

bool direct_applicable(const problem *p, const cvk_target *target, const char **why) {
    (void)target;
    *why = "outputs are of all channels of a position";
    return problem_is_of_windows(p);
}

plan_loop tile_loop_of(int axis) { return (plan_loop)(LOOP_OD + axis); }

int64_t tiles_within(const cvk_plan *plan, int level, plan_loop loop, int64_t tiles, int64_t unit) {
    int own = plan_level_of(&plan->order, loop, false), block = plan_level_of(&plan->order, loop, true);
    if (own >= 0 && own < level) return 1;
    if (block < 0 || block >= level) return tiles;
    int64_t size = plan->order.level[block].block / unit;
    return size < tiles ? size : tiles;
}

static tile_loop all_of(int64_t count, int64_t unit) {
    int64_t tiles = ceil_div(count, unit);
    return (tile_loop){tiles, unit, tiles, affine_constant(0), affine_constant(0)};
}

static void set_loops(tile *t) {
    t->loop[LOOP_N] = all_of(t->p.n, 1);
    t->loop[LOOP_G] = all_of(t->oc.groups, 1);
    t->loop[LOOP_OC] = all_of(t->oc.covered, t->oc.size);
    t->loop[LOOP_IC] = all_of(t->family->all_groups ? 1 : t->p.in_channels, t->reduced);
    for (int a = 0; a < AXES; a++) t->loop[tile_loop_of(a)] = all_of(t->p.axis[a].out, t->size[a]);
}

problem direct_problem(const problem *p, const cvk_target *target, plan_lanes lanes) {
    const bool depthwise = lanes == LANES_CHANNELS && p->in_channels == 1 && p->groups > 1;
    const bool together = p->x.block == 1 && p->x.channel == 1;
    const int64_t multiplier = problem_multiplier(p);
    if (!depthwise || !together || multiplier == 1 || multiplier > target_lanes(target, p->sum))
        return problem_merged(p);
    const problem repeated = problem_repeated(p);
    return problem_merged(&repeated);
}

int tile_channel_lanes(const problem *p, int lanes, const family *f) { return f->lanes ? f->lanes(p, lanes) : lanes; }

int64_t tile_tap_weights(const tile *t) {
    if (t->family->channel_lanes) return t->plan->tile_oc / t->oc.lanes * t->lanes * t->reduced;
    return t->plan->tile_oc * t->reduced;
}

tile tile_make(const problem *asked, const cvk_target *target, const cvk_plan *plan, const family *f) {
    tile t = {.family = f,
              .target = target,
              .plan = plan,
              .whole = direct_problem(asked, target, plan->lanes),
              .lanes = target_lanes(target, asked->sum),
              .reduced = f->reduces_lanes ? target_lanes(target, asked->sum) : 1,
              .size = {plan->tile_od, plan->tile_oh, plan->tile_ow},
              .packed_channel = affine_constant(0),
              .corrections = -1,
              .partial = -1};
    t.dot = dot_of(&t.whole, target, plan->dot);
    if (t.dot) t.reduced *= t.dot->factors;
    t.p = plan->pack_rows ? pack_input_problem(&t.whole, plan, f, t.dot, t.lanes) : t.whole;
    t.oc = channel_blocks_of(&t.whole, plan->tile_oc, tile_channel_lanes(&t.whole, t.lanes, f), f->channel_lanes,
                             f->all_groups);
    set_loops(&t);
    return t;
}

double direct_sums(const problem *o, int lanes, const cvk_plan *p) {
    double each = p->lanes == LANES_CHANNELS ? (double)ceil_div(o->in_channels, p->dot ? p->dot : 1) : 1;
    double all = each * p->tile_oc * p->tile_od * p->tile_oh * p->tile_ow;
    return p->lanes == LANES_IN_CHANNELS ? all : all / lanes;
}

int64_t tile_steps(const tile *t) { return ceil_div(t->p.in_channels, t->reduced); }

int64_t tile_pixels(const tile *t) { return t->size[AXIS_D] * t->size[AXIS_H] * t->size[AXIS_W]; }

bool tile_clips_columns(const tile *t) { return t->plan->tile_ow == 1 && !t->plan->unroll_kw; }

bool tile_dots_rows(const tile *t) { return t->dot && t->family->dots == DOTS_ROWS; }

int64_t tile_kernel_rows(const tile *t) {
    return tile_dots_rows(t) ? row_dot_windows(&t->p, t->dot, t->size[AXIS_H]) : t->p.axis[AXIS_H].taps;
}

int64_t tile_weight_rows(const tile *t) { return tile_kernel_rows(t) * (tile_dots_rows(t) ? t->size[AXIS_H] : 1); }

bool tile_has_spans(const tile *t, int axis) {
    if (axis == AXIS_W) return !tile_clips_columns(t);
    return t->size[axis] > 1 || (axis == AXIS_H && t->hands_on);
}

position tile_output(const tile *t, const pixel *p) {
    position o;
    for (int a = 0; a < AXES; a++) o.at[a] = affine_add(t->at[a], p->at[a]);
    return o;
}

affine tile_pixel_number(const tile *t, const pixel *p) {
    affine number = p->at[0];
    for (int a = 1; a < AXES; a++) number = affine_add_scaled(p->at[a], number, t->size[a]);
    return number;
}

pixel tile_open_rows(tile *t, const tap *k) {
    static const char *const NAMES[AXIS_W] = {"d", "r"};
    pixel p = {{affine_constant(0), affine_constant(0), affine_constant(0)}};
    for (int a = 0; a < AXIS_W; a++) {
        nest_range r = k ? k->inside[a] : range_of(t->b, 0, t->span[a]->length);
        p.at[a] = build_for(t->b, VARIABLE_UNROLLED, NAMES[a], r);
    }
    return p;
}

nest_range tap_columns(tile *t, const tap *k, affine first, int64_t count) {
    if (k->columns) return positions_of_segment(t->b, k->columns, first, count);
    return positions_of_tap(t->b, &t->p.axis[AXIS_W], t->span[AXIS_W], k->k[AXIS_W], first, count);
}

/* Of slices, of which a tile of one sees its taps alone, scratch holds just those. */
static affine packed_position(const tile *t, const tap *k, int axis, affine input) {
    bool taps_alone = axis == AXIS_D && pack_input_positions(&t->whole, t->plan, axis) == 1;
    return taps_alone ? k->k[axis] : affine_sub(input, t->packed[axis]);
}

static position tap_position(const tile *t, const tap *k, const pixel *p) {
    position at = tile_output(t, p);
    for (int a = 0; a < AXES; a++) {
        at.at[a] = input_position(&t->p.axis[a], at.at[a], k->k[a]);
        if (t->plan->pack_rows) at.at[a] = packed_position(t, k, a, at.at[a]);
    }
    return at;
}

/* Of all groups' channels, the first of the block, from scratch's first where they are packed: by the loop's number,
 * from which the proof of bounds sees that the block is the task's. */
static affine first_channel(const tile *t) {
    const channel_blocks *c = &t->oc;
    if (!t->plan->pack_rows) return affine_scale(c->block, c->size);
    return affine_sub(affine_scale(t->loop[LOOP_OC].number, c->size), t->packed_channel);
}

lane_map tap_input(const tile *t, const tap *k, const pixel *p) {
    const channel_blocks *c = &t->oc;
    affine of_group = affine_scale(k->ic, t->reduced);
    affine channel = c->all_groups ? first_channel(t) : affine_add_scaled(of_group, c->group, t->x.v.group);
    return (lane_map){.n = t->n, .channel = channel, .at = tap_position(t, k, p)};
}

nest_range tap_lanes(tile *t, const tap *k) {
    nest_range r = range_of(t->b, 0, t->reduced);
    affine before = affine_scale(k->ic, -t->reduced);
    range_clip_high(t->b, &r, affine_offset(before, t->p.in_channels), 1);
    return r;
}

affine tap_weights(const tile *t, const tap *k) {
    const problem_axis *axis = t->p.axis;
    const int64_t steps = tile_steps(t);
    affine at = affine_add_scaled(t->oc.block, t->oc.group, t->oc.blocks);
    at = affine_add_scaled(k->k[AXIS_D], at, axis[AXIS_D].taps);
    at = affine_add_scaled(k->k[AXIS_H], at, tile_weight_rows(t));
    if (t->plan->unroll_kw) {
        at = affine_add_scaled(k->ic, at, steps);
        at = affine_add_scaled(k->k[AXIS_W], at, axis[AXIS_W].taps);
    } else {
        at = affine_add_scaled(k->k[AXIS_W], at, axis[AXIS_W].taps);
        at = affine_add_scaled(k->ic, at, steps);
    }
    return affine_scale(at, tile_tap_weights(t));
}
