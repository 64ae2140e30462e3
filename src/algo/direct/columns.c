/* Direct convolution, lanes over output columns: a vector of inputs meets one weight, broadcast. For few output
 * channels and for depthwise layers in channels_first, where columns lie side by side. Register tile: output channels x
 * column vectors. At the image's edge, lanes whose tap is absent are masked.
 *
 *     for kd, kh, ic; unrolled kw
 *       x[v] = load input; for the channels: w = splat weights; acc[j][v] += x[v] w, lanes that have tap kw */
#include "algo/direct/tile.h"

static int64_t plan_vectors(const tile *t) { return t->plan->tile_ow / t->lanes; }

static int64_t tile_column_vectors(const tile *t) { return (t->span[AXIS_W]->length + t->lanes - 1) / t->lanes; }

static int64_t plan_rows(const tile *t) { return t->size[AXIS_D] * t->size[AXIS_H]; }

static void registers(tile *t) {
    int64_t vectors = plan_vectors(t), sums = vectors * plan_rows(t) * t->plan->tile_oc;
    t->acc = nest_add_register(t->b, "acc", t->p.sum, t->lanes, (int)sums);
    t->xs = nest_add_register(t->b, "x", t->p.sum, t->lanes, (int)vectors + 1);
    t->ws = nest_add_register(t->b, "w", t->p.sum, t->lanes, 1);
}

/* Of channel j and column vector v in a row. */
static register_ref sum(const tile *t, affine j, const pixel *row, affine v) {
    affine r = affine_add_scaled(row->at[AXIS_H], row->at[AXIS_D], t->size[AXIS_H]);
    return reg(t->acc, affine_add_scaled(v, affine_add_scaled(r, j, plan_rows(t)), plan_vectors(t)));
}

static register_ref only(int array) { return reg(array, affine_constant(0)); }

static affine channel_of(const tile *t, affine j) {
    return affine_add(channel_blocks_channel(&t->oc, &t->out.y.v, affine_constant(0)), j);
}

static int sums(tile *t, register_ref *to) {
    affine j = build_unrolled(t->b, "j", t->oc.valid);
    pixel row = tile_open_rows(t, NULL);
    *to = sum(t, j, &row, build_unrolled(t->b, "v", tile_column_vectors(t)));
    return TILE_PIXEL_LOOPS + 2;
}

static void begin(tile *t) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", t->oc.valid);
    lane_map m = {.channel = channel_of(t, j)};
    epilogue_bias(&t->out, only(t->ws), &m);
    pixel row = tile_open_rows(t, NULL);
    affine v = build_unrolled(b, "v", tile_column_vectors(t));
    build_op(b, OP_COPY, sum(t, j, &row, v), only(t->ws), reg(-1, v));
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(b);
}

static pixel at_column(pixel p, affine column) {
    p.at[AXIS_W] = column;
    return p;
}

static void load_inputs(tile *t, const tap *k, const pixel *row) {
    nest_builder *b = t->b;
    affine v = build_unrolled(b, "v", tile_column_vectors(t)), first = affine_scale(v, t->lanes);
    nest_range present = tap_columns(t, k, first, t->lanes);
    pixel p = at_column(*row, first);
    lane_map m = tap_input(t, k, &p);
    m.column_step = t->p.axis[AXIS_W].step;
    m.valid = &present;
    view_load(b, &t->x, &m, reg(t->xs, v), reg(t->xs, affine_constant(plan_vectors(t))));
    build_end(b);
}

static void body(tile *t, const tap *k) {
    nest_builder *b = t->b;
    pixel row = tile_open_rows(t, k);
    load_inputs(t, k, &row);
    affine j = build_unrolled(b, "j", t->oc.valid);
    build_splat(b, only(t->ws), access_at(t->weights, affine_add(tap_weights(t, k), j), 1));
    affine v = build_unrolled(b, "v", tile_column_vectors(t));
    nest_range present = tap_columns(t, k, affine_scale(v, t->lanes), t->lanes);
    build_fma(b, sum(t, j, &row, v), reg(t->xs, v), only(t->ws), &present);
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(b);
}

static void finish(tile *t) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", t->oc.valid);
    pixel row = tile_open_rows(t, NULL);
    affine v = build_unrolled(b, "v", tile_column_vectors(t)), first = affine_scale(v, t->lanes);
    nest_range valid = range_of(b, 0, t->lanes);
    range_clip_high(b, &valid, affine_offset(affine_scale(first, -1), t->span[AXIS_W]->length), 1);
    pixel p = at_column(row, first);
    lane_map m = {t->n, channel_of(t, j), tile_output(t, &p), 0, 1, &valid};
    epilogue_store(&t->out, sum(t, j, &row, v), &m, false);
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(b);
}

static const family FAMILY = {.begin = begin, .body = body, .finish = finish, .registers = registers, .sums = sums};

const algorithm algo_direct_columns = {"direct",      LANES_COLUMNS, direct_applicable, propose_column_tiles,
                                       direct_refuse, direct_build,  direct_cycles,     direct_tasks,
                                       &FAMILY};
