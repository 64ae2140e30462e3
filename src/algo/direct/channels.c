/* Direct convolution, lanes over output channels: one input scalar, broadcast, meets a vector of weights. The scalar
 * may come from anywhere, so any input layout, stride and dilation is as good as another. Register tile: channel
 * vectors x pixels; loads per FMA are (vectors + pixels) / (vectors * pixels).
 *
 *     for kd, kh, ic; unrolled kw
 *       w[j] = load weights; for the pixels that have tap kw: x = splat input; acc[j][pixel] += x w[j] */
#include "algo/direct/tile.h"

static void body(tile *t, const tap *k) {
    nest_builder *b = t->b;
    int vectors = channel_blocks_vectors(&t->oc);
    affine j = build_unrolled(b, "j", vectors);
    build_load(b, reg(t->ws, j), access_at(t->weights, affine_add_scaled(tap_weights(t, k), j, t->lanes), 1), NULL);
    build_end(b);
    pixel p = tile_open_rows(t, k);
    p.at[AXIS_W] = build_for(b, VARIABLE_UNROLLED, "c", tap_columns(t, k, affine_constant(0), t->span[AXIS_W]->length));
    lane_map m = tap_input(t, k, &p);
    register_ref x = reg(t->xs, affine_constant(0));
    build_splat(b, x, access_at(t->x.tensor, view_offset(b, &t->x.v, m.n, m.channel, &m.at), 1));
    j = build_unrolled(b, "j", vectors);
    build_fma(b, channel_tile_sum(t, j, &p), x, reg(t->ws, j), NULL);
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(b);
}

static void registers(tile *t) { channel_tile_registers(t, 1, 0); }

static bool applicable(const problem *p, const cvk_target *target, const char **why) {
    (void)target;
    *why = "a pool has no weights for lanes over output channels";
    return p->combine == COMBINE_SUM;
}

static const family FAMILY = {.begin = channel_tile_begin,
                              .body = body,
                              .finish = channel_tile_finish,
                              .registers = registers,
                              .sums = channel_tile_sums,
                              .channel_lanes = true};

const algorithm algo_direct_channels = {"direct",      LANES_OUT_CHANNELS, applicable,    propose_channel_tiles,
                                        direct_refuse, direct_build,       direct_cycles, direct_tasks,
                                        &FAMILY};
