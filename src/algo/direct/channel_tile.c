/* A register tile of channel vectors x pixels: how its sums begin and how they reach memory. A channels_first output
 * wants columns side by side, so there the tile is transposed in registers first. */
#include "algo/direct/tile.h"

static int64_t tile_pixels(const tile *t) { return (int64_t)t->plan->tile_oh * t->plan->tile_ow; }

static int64_t plan_vectors(const tile *t) { return t->plan->tile_oc / t->lanes; }

static bool transposes(const tile *t) { return !view_has_channels_together(&t->out.y.v); }

void channel_tile_registers(tile *t) {
    t->acc = nest_add_register(t->b, "acc", t->p.sum, t->lanes, (int)(plan_vectors(t) * tile_pixels(t)));
    t->ws = nest_add_register(t->b, "w", t->p.sum, t->lanes, (int)plan_vectors(t));
    t->xs = nest_add_register(t->b, "x", t->p.sum, t->lanes, 2);
    if (transposes(t)) t->square = nest_add_register(t->b, "square", t->p.sum, t->lanes, 2 * t->lanes);
}

register_ref channel_tile_sum(const tile *t, affine vector, affine row, affine column) {
    affine index = affine_add_scaled(column, row, t->plan->tile_ow);
    return reg(t->acc, affine_add_scaled(index, vector, tile_pixels(t)));
}

static affine vector_channel(const tile *t, affine vector) {
    return channel_blocks_channel(&t->oc, &t->out.y.v, vector);
}

/* From a lane's channel to the next. */
static int64_t lane_step(const tile *t) { return channel_blocks_step(&t->oc, &t->out.y.v); }

void channel_tile_begin(tile *t) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", channel_blocks_vectors(&t->oc));
    nest_range valid = channel_blocks_lanes(&t->oc, t->b, j);
    lane_map m = {.channel = vector_channel(t, j), .channel_step = lane_step(t), .valid = &valid};
    epilogue_bias(&t->out, reg(t->ws, j), &m);
    affine r = build_unrolled(b, "r", tile_rows(t)), c = build_unrolled(b, "c", t->columns->length);
    build_op(b, OP_COPY, channel_tile_sum(t, j, r, c), reg(t->ws, j), reg(-1, affine_constant(0)));
    for (int i = 0; i < 3; i++) build_end(b);
}

static void store_pixels(tile *t, affine j, affine r) {
    nest_range valid = channel_blocks_lanes(&t->oc, t->b, j);
    affine c = build_unrolled(t->b, "c", t->columns->length);
    lane_map m = {t->n, vector_channel(t, j), tile_output(t, r, c), lane_step(t), 0, &valid};
    epilogue_store(&t->out, channel_tile_sum(t, j, r, c), &m, t->oc.valid < t->oc.covers);
    build_end(t->b);
}

/* Pixels of a tile that lie side by side in a channels_first output: those of a row, or, where rows are whole, of all
 * its rows. They are numbered through, as the sums are and as columns that run on into the next row. */
static int64_t pixels_side_by_side(const tile *t, int64_t *groups) {
    int64_t rows = tile_rows(t), columns = t->columns->length;
    bool whole = columns == t->p.axis[AXIS_W].out && columns == t->plan->tile_ow;
    *groups = whole ? 1 : rows;
    return whole ? rows * columns : columns;
}

/* Up to `lanes` pixels from `first` on: a square of registers, of which `count` are sums and the rest zeros. */
static void load_square(tile *t, affine j, affine r, int64_t first, int64_t count) {
    nest_builder *b = t->b;
    affine c = build_unrolled(b, "c", count);
    build_op(b, OP_COPY, reg(t->square, c), channel_tile_sum(t, j, r, affine_offset(c, first)), reg(-1, c));
    build_end(b);
    if (count < t->lanes) {
        affine rest = build_for(b, VARIABLE_UNROLLED, "c", range_of(b, count, t->lanes));
        build_const(b, reg(t->square, rest), 0);
        build_end(b);
    }
    build_transpose(b, reg(t->square, affine_constant(t->lanes)), reg(t->square, affine_constant(0)));
}

static void store_square(tile *t, affine j, affine r, int64_t first, int64_t pixels) {
    nest_builder *b = t->b;
    int64_t left = pixels - first, count = left < t->lanes ? left : t->lanes;
    load_square(t, j, r, first, count);
    nest_range valid = range_of(b, 0, count);
    affine i = build_for(b, VARIABLE_UNROLLED, "i", channel_blocks_lanes(&t->oc, t->b, j));
    affine channel = affine_add_scaled(vector_channel(t, j), i, lane_step(t));
    lane_map m = {t->n, channel, tile_output(t, r, affine_constant(first)), 0, 1, &valid};
    epilogue_store(&t->out, reg(t->square, affine_offset(i, t->lanes)), &m, false);
    build_end(b);
}

void channel_tile_finish(tile *t) {
    nest_builder *b = t->b;
    int64_t groups = tile_rows(t), pixels = transposes(t) ? pixels_side_by_side(t, &groups) : 0;
    affine j = build_unrolled(b, "j", channel_blocks_vectors(&t->oc)), r = build_unrolled(b, "r", groups);
    for (int64_t first = 0; first < pixels; first += t->lanes) store_square(t, j, r, first, pixels);
    if (!transposes(t)) store_pixels(t, j, r);
    build_end(b);
    build_end(b);
}
