/* Grouped convolution of few channels a group, lanes over channels of as many groups as fit a register. Input is taken
 * as it lies: lane (g, i) holds input channel i of group g. Its products with rotated weights belong to different
 * outputs:
 *
 *     acc[r] (g, i) += x (g, i) w (g, (i + r) mod c, i)        for the c rotations r
 *
 * so every lane works, nothing is permuted in the reduction, and an input that is loaded once serves c multiply-adds.
 * At the end sum r stands in lane i for output (i + r) mod c, and is turned back: the upper half of the sums by as many
 * lanes as it is above the lower, to which it is added, until one sum is left. With a channel multiplier m, filters
 * (i + r) mod c of a group are every m-th of its filters, as the depthwise layer has them. */
#include "algo/direct/tile.h"

static int64_t channels_of_group(const tile *t) { return t->p.in_channels; }

static int lanes_of_whole_groups(const problem *p, int lanes) {
    return lanes / (int)p->in_channels * (int)p->in_channels;
}

static int64_t vectors_of_block(const tile *t) { return t->plan->tile_oc / t->oc.lanes; }

/* Of a rotation: the sums of a tile without any. */
static int64_t sums_of_rotation(const tile *t) { return vectors_of_block(t) * tile_pixels(t); }

static register_ref rotated_sum(const tile *t, int64_t rotation, affine vector, const pixel *p) {
    return reg(t->acc, affine_offset(channel_tile_sum(t, vector, p).index, rotation * sums_of_rotation(t)));
}

/* ---- packing: rotation r of the weights stands where the r-th input channel's would ---- */

/* Lane l of vector v: of output channel (i + r) mod c of its group, what meets input channel i. */
static void pack_lane(tile *t, const tap *k, int from, int w, int64_t v, int64_t l, int64_t rotation) {
    nest_builder *b = t->b;
    const view *dense = &t->p.w;
    const position at = {{k->k[AXIS_D], k->k[AXIS_H], k->k[AXIS_W]}};
    int64_t c = channels_of_group(t), i = l % c, out = (i + rotation) % c;
    affine group = affine_offset(affine_scale(t->oc.block, t->oc.size / c), (v * t->oc.lanes + l) / c);
    affine channel = affine_add_scaled(affine_offset(t->oc.group, out * t->oc.groups), group, dense->group);
    affine first = affine_offset(view_offset(b, dense, affine_constant(i), channel, &at), -l);
    nest_range one = range_of(b, l, l + 1);
    register_ref all = reg(w, affine_constant(0)), lane = reg(w, affine_constant(1));
    build_load(b, lane, access_at(from, first, 1), &one);
    build_op(b, OP_ADD, all, all, lane);
}

static void pack_rotation(tile *t, const tap *k, int from, int to, int w, int64_t rotation) {
    nest_builder *b = t->b;
    for (int64_t v = 0; v < vectors_of_block(t); v++) {
        build_const(b, reg(w, affine_constant(0)), 0);
        for (int64_t l = 0; l < t->oc.lanes && v * t->oc.lanes + l < t->oc.valid; l++)
            pack_lane(t, k, from, w, v, l, rotation);
        affine at = affine_offset(tap_weights(t, k), v * t->lanes);
        build_store(b, access_at(to, at, 1), reg(w, affine_constant(0)), NULL);
    }
}

static void pack_rotations(tile *t, const tap *k, int from, int to, int w) {
    for (int64_t r = 0; r < channels_of_group(t); r++) {
        tap rotated = *k;
        rotated.ic = affine_constant(r);
        build_if(t->b, affine_offset(k->ic, -r), NULL);
        build_if(t->b, affine_offset(affine_scale(k->ic, -1), r), NULL);
        pack_rotation(t, &rotated, from, to, w, r);
        build_end(t->b);
        build_end(t->b);
    }
}

/* ---- a tile ---- */

static void plain_registers(tile *t) { channel_tile_registers(t, channels_of_group(t), channels_of_group(t)); }

/* The first sum begins with the bias, the others with nothing. */
static void plain_begin(tile *t) {
    nest_builder *b = t->b;
    channel_tile_begin(t);
    int64_t sums = sums_of_rotation(t);
    affine i = build_for(b, VARIABLE_UNROLLED, "i", range_of(b, sums, channels_of_group(t) * sums));
    build_const(b, reg(t->acc, i), 0);
    build_end(b);
}

static void load_weights(tile *t, const tap *k, affine j, int64_t rotation) {
    tap rotated = *k;
    rotated.ic = affine_constant(rotation);
    nest_access at = access_at(t->weights, affine_add_scaled(tap_weights(t, &rotated), j, t->lanes), 1);
    build_load(t->b, reg(t->ws, affine_constant(rotation)), at, NULL);
}

static void plain_body(tile *t, const tap *k) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", channel_blocks_vectors(&t->oc));
    for (int64_t r = 0; r < channels_of_group(t); r++) load_weights(t, k, j, r);
    pixel p = tile_open_rows(t, k);
    p.at[AXIS_W] = build_for(b, VARIABLE_UNROLLED, "c", tap_columns(t, k, affine_constant(0), t->span[AXIS_W]->length));
    channel_tile_load(t, k, j, &p);
    for (int64_t r = 0; r < channels_of_group(t); r++)
        build_fma(b, rotated_sum(t, r, j, &p), reg(t->xs, affine_constant(0)), reg(t->ws, affine_constant(r)), NULL);
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(b);
}

/* Lane (g, o) comes from lane (g, (o - r) mod c). */
static void turn_back(const tile *t, int64_t rotation, int pattern[NEST_MOST_LANES]) {
    int c = (int)channels_of_group(t);
    for (int l = 0; l < t->lanes; l++) pattern[l] = l < t->oc.lanes ? l - l % c + (l % c - (int)rotation + c) % c : -1;
}

static void add_rotations(tile *t, affine j, const pixel *p) {
    register_ref turned = reg(t->xs, affine_constant(0));
    int pattern[NEST_MOST_LANES];
    for (int64_t sums = channels_of_group(t), half; sums > 1; sums = half) {
        half = ceil_div(sums, 2);
        turn_back(t, half, pattern);
        for (int64_t r = 0; r + half < sums; r++) {
            register_ref low = rotated_sum(t, r, j, p), high = rotated_sum(t, r + half, j, p);
            build_shuffle(t->b, turned, high, high, pattern);
            build_op(t->b, OP_ADD, low, low, turned);
        }
    }
}

static void plain_finish(tile *t) {
    affine j = build_unrolled(t->b, "j", channel_blocks_vectors(&t->oc));
    pixel p = tile_open_rows(t, NULL);
    p.at[AXIS_W] = build_unrolled(t->b, "c", t->span[AXIS_W]->length);
    add_rotations(t, j, &p);
    for (int i = 0; i < AXES + 1; i++) build_end(t->b);
    channel_tile_finish(t);
}

/* ---- or several products at once, with plan.dot ---- */

static void registers(tile *t) { (t->dot ? grouped_dot_registers : plain_registers)(t); }
static void begin(tile *t) { (t->dot ? grouped_dot_begin : plain_begin)(t); }
static void body(tile *t, const tap *k) { (t->dot ? grouped_dot_body : plain_body)(t, k); }
static void finish(tile *t) { (t->dot ? grouped_dot_finish : plain_finish)(t); }
static void pack(tile *t, const tap *k, int from, int to, int w) {
    (t->dot ? grouped_dot_pack : pack_rotations)(t, k, from, to, w);
}

static const family FAMILY = {.begin = begin,
                              .body = body,
                              .finish = finish,
                              .registers = registers,
                              .sums = channel_tile_sums,
                              .lanes = lanes_of_whole_groups,
                              .pack = pack,
                              .channel_lanes = true,
                              .all_groups = true,
                              .dots = DOTS_GROUPS};

static bool applicable(const problem *p, const cvk_target *target, const char **why) {
    if (p->combine == COMBINE_NUMBERS) {
        *why = "lanes over channels of several groups do not leave NaN out";
        return false;
    }
    if (problem_weighs(p) && p->groups > 1 && p->in_channels > 1 && p->out_channels % p->in_channels == 0 &&
        2 * p->in_channels <= target_lanes(target, p->sum))
        return true;
    *why = "it is for several groups of few input channels, two or more of which fit a vector, and as many output "
           "channels or a multiple of them";
    return false;
}

const algorithm algo_grouped = {"grouped",     LANES_CHANNELS, applicable,    propose_channel_tiles,
                                direct_refuse, direct_build,   direct_cycles, direct_tasks,
                                direct_least,  &FAMILY,        false};
