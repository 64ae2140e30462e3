/* Packed weights: for each group and block, the taps in the order the reduction visits them, and for each tap the
 * block's channels side by side; channels that do not exist are zeros. Halves are widened here, if the second level
 * still keeps them then; else their vectors stay halves, which are fewer bytes to wait for, and are widened as they are
 * loaded. Weights that are loaded one by one are always widened here. */
#include "algo/direct/tile.h"

int64_t packed_weights_elements(const tile *t) {
    const int64_t taps = t->p.axis[AXIS_D].taps * tile_weight_rows(t) * t->p.axis[AXIS_W].taps;
    return t->oc.groups * t->oc.blocks * taps * tile_steps(t) * tile_tap_weights(t);
}

static bool stays_near(const problem *p, const cvk_target *target) {
    return type_bytes(p->sum) * p->w.elements <= target->l2_bytes / 2;
}

/* Integers are packed as they count, from 0, which 16 bits hold: so a compiler sees that 16 bits are all there is to
 * multiply, for which there are faster instructions. */
cvk_type packed_weights_type(const problem *p, const cvk_target *target, const cvk_plan *plan, const target_dot *dot) {
    if (dot) return dot->w;
    if (!type_is_float(p->sum)) return plan->lanes == LANES_COLUMNS ? p->sum : TYPE_S16;
    return plan->lanes == LANES_COLUMNS || stays_near(p, target) ? p->sum : p->w.type;
}

/* The channels of one tap of one block; `valid` of them exist. */
static void copy_tap(tile *t, const tap *k, int from, int to, int w) {
    nest_builder *b = t->b;
    const view *dense = &t->p.w;
    affine v = build_unrolled(b, "j", ceil_div(t->plan->tile_oc, t->oc.lanes)), back = affine_scale(v, -t->oc.lanes);
    const position at = {{k->k[AXIS_D], k->k[AXIS_H], k->k[AXIS_W]}};
    nest_range read = range_of(b, 0, t->oc.lanes), written = range_of(b, 0, t->lanes);
    range_clip_high(b, &read, affine_offset(back, t->oc.valid), 1);
    if (!t->family->channel_lanes) range_clip_high(b, &written, affine_offset(back, t->plan->tile_oc), 1);
    const lane_map m = {.n = k->ic,
                        .channel = channel_blocks_channel(&t->oc, dense, v),
                        .at = at,
                        .channel_step = channel_blocks_step(&t->oc, dense),
                        .valid = &read};
    const register_ref vector = reg(w, affine_constant(0));
    affine exists = affine_offset(affine_scale(v, -1), ceil_div(t->oc.valid, t->oc.lanes) - 1);
    if (nest_minimum(b->nest, b->scope, exists) < 0) build_const(b, vector, 0);
    build_if(b, exists, NULL);
    view_load(b, &(tensor_view){.tensor = from, .v = *dense}, &m, vector, reg(w, affine_constant(1)));
    build_end(b);
    build_store(b, access_at(to, affine_add_scaled(tap_weights(t, k), v, t->lanes), 1), vector, &written);
    build_end(b);
}

typedef void packing(tile *t, const tap *k, int from, int to, int w);

static packing *packing_of(const tile *t) {
    if (tile_dots_rows(t)) return dot_pack_rows;
    if (t->family->pack) return t->family->pack;
    return t->dot ? dot_pack : copy_tap;
}

static void copy_block(tile *t, int from, int to, int w) {
    nest_builder *b = t->b;
    tap k = {0};
    k.k[AXIS_D] = build_loop(b, "kd", t->p.axis[AXIS_D].taps);
    k.k[AXIS_H] = build_loop(b, "kh", tile_weight_rows(t));
    k.ic = build_loop(b, "ic", tile_steps(t));
    k.k[AXIS_W] = build_loop(b, "kw", t->p.axis[AXIS_W].taps);
    packing_of(t)(t, &k, from, to, w);
    for (int i = 0; i < 4; i++) build_end(b);
}

nest *pack_weights_build(arena *a, const tile *made) {
    tile t = *made;
    nest_builder b = nest_begin(a, t.p.name, ENTRY_PACK, t.target->vector_bytes);
    t.b = &b;
    int from =
        nest_add_tensor(&b, "weights", ROLE_PACK_FROM, t.p.w.type, t.p.w.elements, type_bytes(t.p.w.type), false);
    nest_count_from(&b, from, t.p.w.zero);
    int to = nest_add_tensor(&b, "packed", ROLE_PACK_TO, packed_weights_type(&t.p, t.target, t.plan, t.dot),
                             packed_weights_elements(&t), SCRATCH_ALIGNMENT, true);
    int w = nest_add_register(&b, "w", t.p.sum, t.lanes, 2);
    int64_t whole = channel_blocks_whole(&t.oc);
    t.oc.group = build_loop(&b, "g", t.oc.groups);
    if (whole > 0) {
        channel_blocks_at_whole(&t.oc, build_loop(&b, "oc", whole));
        copy_block(&t, from, to, w);
        build_end(&b);
    }
    for (int64_t i = whole; i < t.oc.blocks; i++) {
        channel_blocks_at(&t.oc, i);
        copy_block(&t, from, to, w);
    }
    build_end(&b);
    return nest_finish(&b);
}
