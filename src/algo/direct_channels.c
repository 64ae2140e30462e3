/* Direct convolution, lanes over output channels: one input scalar, broadcast, meets a vector of weights. The scalar
 * may come from anywhere, so any input layout, stride and dilation is as good as another. Register tile: channel
 * vectors x pixels; loads per FMA are (vectors + pixels) / (vectors * pixels).
 *
 *     for kd, kh, ic; unrolled kw
 *       w[j] = load weights; for the pixels that have tap kw: x = splat input; acc[j][pixel] += x w[j] */
#include "algo/cost.h"
#include "algo/tiling.h"

static void body(tile *t, const tap *k) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", tile_vectors(t));
    build_load(b, reg(t->w, j), access_at(t->weights, affine_add_scaled(tap_weights(t, k), j, t->lanes), 1), NULL);
    build_end(b);
    affine r = build_for(b, VARIABLE_UNROLLED, "r", k->rows);
    affine c = build_for(b, VARIABLE_UNROLLED, "c", tap_columns(t, k, affine_constant(0), t->columns->length));
    position at = tap_input(t, k, r, c);
    bool packed = t->plan->pack_rows > 0;
    affine n = packed ? affine_constant(0) : t->n;
    affine channel = packed ? k->ic : affine_add_scaled(k->ic, t->group, t->p.in_channels);
    register_ref x = reg(t->x, affine_constant(0));
    build_splat(b, x, access_at(t->in.tensor, view_offset(b, &t->in, n, channel, &at), 1));
    j = build_unrolled(b, "j", tile_vectors(t));
    build_fma(b, channel_tile_sum(t, j, r, c), x, reg(t->w, j), NULL);
    for (int i = 0; i < 3; i++) build_end(b);
}

static const family FAMILY = {channel_tile_begin, body, channel_tile_finish, channel_tile_registers, true, false};

const algorithm algo_direct_channels = {"direct",      LANES_OUT_CHANNELS, tiling_applicable, propose_channel_tiles,
                                        tiling_refuse, tiling_build,       cost_direct,       &FAMILY};
