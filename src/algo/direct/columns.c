/* Direct convolution, lanes over output columns: a vector of inputs meets one weight, broadcast. For few output
 * channels and for depthwise layers in channels_first, where columns lie side by side. Register tile: output channels x
 * column vectors. At the image's edge, lanes whose tap is absent are masked.
 *
 *     for kd, kh, ic; unrolled kw
 *       x[v] = load input; for the channels: w = splat weights; acc[j][v] += x[v] w, lanes that have tap kw */
#include "algo/direct/tile.h"

static int64_t plan_vectors(const tile *t) { return t->plan->tile_ow / t->lanes; }

static int64_t tile_column_vectors(const tile *t) { return (t->columns->length + t->lanes - 1) / t->lanes; }

static void registers(tile *t) {
    int64_t vectors = plan_vectors(t), sums = vectors * t->plan->tile_oh * t->plan->tile_oc;
    t->acc = nest_add_register(t->b, "acc", t->p.sum, t->lanes, (int)sums);
    t->xs = nest_add_register(t->b, "x", t->p.sum, t->lanes, (int)vectors + 1);
    t->ws = nest_add_register(t->b, "w", t->p.sum, t->lanes, 1);
}

static register_ref sum(const tile *t, affine j, affine r, affine v) {
    affine row = affine_add_scaled(r, j, t->plan->tile_oh);
    return reg(t->acc, affine_add_scaled(v, row, plan_vectors(t)));
}

static register_ref only(int array) { return reg(array, affine_constant(0)); }

static affine channel_of(const tile *t, affine j) {
    return affine_add(channel_blocks_channel(&t->oc, &t->out.y.v, affine_constant(0)), j);
}

static void begin(tile *t) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", t->oc.valid);
    lane_map m = {.channel = channel_of(t, j)};
    epilogue_bias(&t->out, only(t->ws), &m);
    affine r = build_unrolled(b, "r", tile_rows(t)), v = build_unrolled(b, "v", tile_column_vectors(t));
    build_op(b, OP_COPY, sum(t, j, r, v), only(t->ws), reg(-1, v));
    for (int i = 0; i < 3; i++) build_end(b);
}

static void load_inputs(tile *t, const tap *k, affine r) {
    nest_builder *b = t->b;
    affine v = build_unrolled(b, "v", tile_column_vectors(t)), first = affine_scale(v, t->lanes);
    nest_range present = tap_columns(t, k, first, t->lanes);
    lane_map m = tap_input(t, k, r, first);
    m.column_step = t->p.axis[AXIS_W].step;
    m.valid = &present;
    view_load(b, &t->x, &m, reg(t->xs, v), reg(t->xs, affine_constant(plan_vectors(t))));
    build_end(b);
}

static void body(tile *t, const tap *k) {
    nest_builder *b = t->b;
    affine r = build_for(b, VARIABLE_UNROLLED, "r", k->rows);
    load_inputs(t, k, r);
    affine j = build_unrolled(b, "j", t->oc.valid);
    build_splat(b, only(t->ws), access_at(t->weights, affine_add(tap_weights(t, k), j), 1));
    affine v = build_unrolled(b, "v", tile_column_vectors(t));
    nest_range present = tap_columns(t, k, affine_scale(v, t->lanes), t->lanes);
    build_fma(b, sum(t, j, r, v), reg(t->xs, v), only(t->ws), &present);
    for (int i = 0; i < 3; i++) build_end(b);
}

static void finish(tile *t) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", t->oc.valid), r = build_unrolled(b, "r", tile_rows(t));
    affine v = build_unrolled(b, "v", tile_column_vectors(t)), first = affine_scale(v, t->lanes);
    nest_range valid = range_of(b, 0, t->lanes);
    range_clip_high(b, &valid, affine_offset(affine_scale(first, -1), t->columns->length), 1);
    lane_map m = {t->n, channel_of(t, j), tile_output(t, r, first), 0, 1, &valid};
    epilogue_store(&t->out, sum(t, j, r, v), &m, false);
    for (int i = 0; i < 3; i++) build_end(b);
}

static const family FAMILY = {begin, body, finish, registers, false, false};

const algorithm algo_direct_columns = {"direct",      LANES_COLUMNS, direct_applicable, propose_column_tiles,
                                       direct_refuse, direct_build,  direct_cycles,     &FAMILY};
