/* Depthwise convolution, lanes over channels: every group has one input channel, so a vector of channels meets a vector
 * of their weights. With a channel multiplier m, output channel c m + i is input channel c with filter i: the group
 * loop runs over i, and lanes are m channels apart in the output.
 *
 *     for kd, kh; unrolled kw
 *       w[j] = load weights; for the pixels that have tap kw: acc[j][pixel] += load input * w[j] */
#include "algo/cost.h"
#include "algo/tiling.h"

static void body(tile *t, const tap *k) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", tile_vectors(t));
    build_load(b, reg(t->w, j), access_at(t->weights, affine_add_scaled(tap_weights(t, k), j, t->lanes), 1), NULL);
    affine r = build_for(b, VARIABLE_UNROLLED, "r", k->rows);
    affine c = build_for(b, VARIABLE_UNROLLED, "c", tap_columns(t, k, affine_constant(0), t->columns->length));
    nest_range valid = tile_valid_lanes(t, j);
    affine first = affine_add_scaled(affine_scale(t->block, t->plan->tile_oc), j, t->lanes);
    lane_map m = {t->plan->pack_rows ? affine_constant(0) : t->n, first, tap_input(t, k, r, c), 1, 0, &valid};
    register_ref x = reg(t->x, affine_constant(0));
    view_load(b, &t->in, &m, x, reg(t->x, affine_constant(1)));
    build_fma(b, channel_tile_sum(t, j, r, c), x, reg(t->w, j), NULL);
    for (int i = 0; i < 3; i++) build_end(b);
}

static const family FAMILY = {channel_tile_begin, body, channel_tile_finish, channel_tile_registers, true, true};

static bool applicable(const cvk_spec *spec, const cvk_target *target, const char **why) {
    (void)target;
    if (spec_group_in(spec) == 1 && spec->groups > 1) return true;
    *why = "groups have more than one input channel, or there is one group";
    return false;
}

const algorithm algo_depthwise = {"depthwise",   LANES_CHANNELS, applicable,  propose_channel_tiles,
                                  tiling_refuse, tiling_build,   cost_direct, &FAMILY};
