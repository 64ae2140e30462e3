/* Packed weights: for each group and block, the taps in the order the reduction visits them, and for each tap the
 * block's channels side by side; channels that do not exist are zeros. flip_kernel is settled here. */
#include "algo/tiling.h"

int64_t packed_weights_elements(const tile *t) {
    return t->groups * t->blocks * t->p.taps * t->p.in_channels * t->plan->tile_oc;
}

/* Offset of a tap in dense weights, and from a channel of a block to the next. */
static affine dense_tap(const tile *t, const tap *k) {
    const int64_t *kernel = t->spec->kernel;
    affine at[AXES] = {k->kd, k->kh, k->kw};
    for (int a = 0; a < AXES; a++)
        if (t->spec->flip_kernel) at[a] = affine_offset(affine_scale(at[a], -1), kernel[a] - 1);
    affine row = affine_add_scaled(at[AXIS_H], at[AXIS_D], kernel[AXIS_H]);
    return affine_add_scaled(affine_add_scaled(at[AXIS_W], row, kernel[AXIS_W]), k->ic, t->p.taps);
}

/* The channels of one tap of one block; `valid` of them exist. */
static void copy_tap(tile *t, const tap *k, int from, int to, int w, int64_t valid) {
    nest_builder *b = t->b;
    int64_t filter = t->p.in_channels * t->p.taps, stride = filter * tile_channel_step(t);
    affine v = build_unrolled(b, "j", (t->plan->tile_oc + t->lanes - 1) / t->lanes), back = affine_scale(v, -t->lanes);
    affine dense = affine_add_scaled(dense_tap(t, k),
                                     affine_add_scaled(tile_channel(t), v, t->lanes * tile_channel_step(t)), filter);
    nest_range read = range_of(b, 0, t->lanes), written = range_of(b, 0, t->lanes);
    range_clip_high(b, &read, affine_offset(back, valid), 1);
    range_clip_high(b, &written, affine_offset(back, t->plan->tile_oc), 1);
    build_load(b, reg(w, affine_constant(0)), access_at(from, dense, stride), &read);
    build_store(b, access_at(to, affine_add_scaled(tap_weights(t, k), v, t->lanes), 1), reg(w, affine_constant(0)),
                &written);
    build_end(b);
}

static void copy_block(tile *t, int from, int to, int w, int64_t valid) {
    nest_builder *b = t->b;
    tap k = {0};
    k.kd = build_loop(b, "kd", t->p.axis[AXIS_D].kernel);
    k.kh = build_loop(b, "kh", t->p.axis[AXIS_H].kernel);
    k.ic = build_loop(b, "ic", t->p.in_channels);
    k.kw = build_loop(b, "kw", t->p.axis[AXIS_W].kernel);
    copy_tap(t, &k, from, to, w, valid);
    for (int i = 0; i < 4; i++) build_end(b);
}

nest *pack_weights_build(arena *a, const tile *made, const char *name) {
    tile t = *made;
    nest_builder b = nest_begin(a, name, ENTRY_PACK, t.target->vector_bytes);
    t.b = &b;
    int from = nest_add_tensor(&b, "weights", ROLE_PACK_FROM, TYPE_F32, spec_weights_elements(t.spec), 4, false);
    int to = nest_add_tensor(&b, "packed", ROLE_PACK_TO, TYPE_F32, packed_weights_elements(&t), 64, true);
    int w = nest_add_register(&b, "w", TYPE_F32, t.lanes, 1);
    int64_t whole = t.channels / t.plan->tile_oc;
    t.group = build_loop(&b, "g", t.groups);
    if (whole > 0) {
        t.block = build_loop(&b, "oc", whole);
        copy_block(&t, from, to, w, t.plan->tile_oc);
        build_end(&b);
    }
    for (int64_t i = whole; i < t.blocks; i++) {
        t.block = affine_constant(i);
        copy_block(&t, from, to, w, t.channels - i * t.plan->tile_oc);
    }
    build_end(&b);
    return nest_finish(&b);
}
