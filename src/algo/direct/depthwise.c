/* Depthwise convolution, lanes over channels: every group has one input channel, so a vector of channels meets a vector
 * of their weights. With a channel multiplier m, output channel c m + i is input channel c with filter i: the group
 * loop runs over i, and lanes are m channels apart in the output.
 *
 *     for kd, kh; unrolled kw
 *       w[j] = load weights; for the pixels that have tap kw: acc[j][pixel] += load input * w[j] */
#include "algo/direct/tile.h"

static void body(tile *t, const tap *k) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", channel_blocks_vectors(&t->oc));
    build_load(b, reg(t->ws, j), access_at(t->weights, affine_add_scaled(tap_weights(t, k), j, t->lanes), 1), NULL);
    pixel p = tile_open_rows(t, k);
    p.at[AXIS_W] = build_for(b, VARIABLE_UNROLLED, "c", tap_columns(t, k, affine_constant(0), t->span[AXIS_W]->length));
    nest_range valid = channel_blocks_lanes(&t->oc, b, j);
    lane_map m = tap_input(t, k, &p);
    m.channel = affine_add_scaled(m.channel, j, t->lanes * t->x.v.group);
    m.channel_step = t->x.v.group;
    m.valid = &valid;
    register_ref x = reg(t->xs, affine_constant(0));
    view_load(b, &t->x, &m, x, reg(t->xs, affine_constant(1)));
    build_fma(b, channel_tile_sum(t, j, &p), x, reg(t->ws, j), NULL);
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(b);
}

static const family FAMILY = {
    channel_tile_begin, body, channel_tile_finish, channel_tile_registers, channel_tile_sums, true, true};

static bool applicable(const problem *p, const cvk_target *target, const char **why) {
    (void)target;
    if (p->in_channels == 1 && p->groups > 1) return true;
    *why = "groups have more than one input channel, or there is one group";
    return false;
}

const algorithm algo_depthwise = {"depthwise",           LANES_CHANNELS, applicable,
                                  propose_channel_tiles, direct_refuse,  direct_build,
                                  direct_cycles,         direct_tasks,   &FAMILY};
