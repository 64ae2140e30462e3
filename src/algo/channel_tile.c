/* A register tile of channel vectors x pixels: how its sums begin and how they reach memory. A channels_first output
 * wants columns side by side, so there the tile is transposed in registers first. */
#include "algo/tiling.h"

static int64_t tile_pixels(const tile *t) { return (int64_t)t->plan->tile_oh * t->plan->tile_ow; }

static int64_t plan_vectors(const tile *t) { return t->plan->tile_oc / t->lanes; }

static bool transposes(const tile *t) { return t->out.layout == CVK_CHANNELS_FIRST && view_pixels(&t->out) > 1; }

void channel_tile_registers(tile *t) {
    t->acc = nest_add_register(t->b, "acc", TYPE_F32, t->lanes, (int)(plan_vectors(t) * tile_pixels(t)));
    t->w = nest_add_register(t->b, "w", TYPE_F32, t->lanes, (int)plan_vectors(t));
    t->x = nest_add_register(t->b, "x", TYPE_F32, t->lanes, 2);
    if (transposes(t)) t->spare = nest_add_register(t->b, "square", TYPE_F32, t->lanes, 2 * t->lanes);
}

register_ref channel_tile_sum(const tile *t, affine vector, affine row, affine column) {
    affine index = affine_add_scaled(column, row, t->plan->tile_ow);
    return reg(t->acc, affine_add_scaled(index, vector, tile_pixels(t)));
}

static affine vector_channel(const tile *t, affine vector) {
    return affine_add_scaled(tile_channel(t), vector, t->lanes * tile_channel_step(t));
}

void channel_tile_begin(tile *t) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", tile_vectors(t));
    nest_range valid = tile_valid_lanes(t, j);
    lane_map m = {.channel = vector_channel(t, j), .channel_step = tile_channel_step(t), .valid = &valid};
    epilogue_bias(t, reg(t->w, j), &m);
    affine r = build_unrolled(b, "r", tile_row_count(t)), c = build_unrolled(b, "c", t->columns->length);
    build_op(b, OP_COPY, channel_tile_sum(t, j, r, c), reg(t->w, j), reg(-1, affine_constant(0)));
    for (int i = 0; i < 3; i++) build_end(b);
}

static void store_pixels(tile *t, affine j, affine r) {
    nest_range valid = tile_valid_lanes(t, j);
    affine c = build_unrolled(t->b, "c", t->columns->length);
    lane_map m = {t->n, vector_channel(t, j), tile_output(t, r, c), tile_channel_step(t), 0, &valid};
    epilogue_store(t, channel_tile_sum(t, j, r, c), &m);
    build_end(t->b);
}

/* Pixels of a tile that lie side by side in a channels_first output: those of a row, or, where rows are whole, of all
 * its rows. They are numbered through, as the sums are and as columns that run on into the next row. */
static int64_t pixels_side_by_side(const tile *t, int64_t *groups) {
    int64_t rows = tile_row_count(t), columns = t->columns->length;
    bool whole = columns == t->out.size[AXIS_W] && columns == t->plan->tile_ow;
    *groups = whole ? 1 : rows;
    return whole ? rows * columns : columns;
}

/* Up to `lanes` pixels from `first` on: a square of registers, of which `count` are sums and the rest zeros. */
static void load_square(tile *t, affine j, affine r, int64_t first, int64_t count) {
    nest_builder *b = t->b;
    affine c = build_unrolled(b, "c", count);
    build_op(b, OP_COPY, reg(t->spare, c), channel_tile_sum(t, j, r, affine_offset(c, first)), reg(-1, c));
    build_end(b);
    if (count < t->lanes) {
        affine rest = build_for(b, VARIABLE_UNROLLED, "c", range_of(b, count, t->lanes));
        build_const(b, reg(t->spare, rest), 0);
        build_end(b);
    }
    build_transpose(b, reg(t->spare, affine_constant(t->lanes)), reg(t->spare, affine_constant(0)));
}

static void store_square(tile *t, affine j, affine r, int64_t first, int64_t pixels) {
    nest_builder *b = t->b;
    int64_t left = pixels - first, count = left < t->lanes ? left : t->lanes;
    load_square(t, j, r, first, count);
    nest_range valid = range_of(b, 0, count);
    affine i = build_for(b, VARIABLE_UNROLLED, "i", tile_valid_lanes(t, j));
    affine channel = affine_add_scaled(vector_channel(t, j), i, tile_channel_step(t));
    lane_map m = {t->n, channel, tile_output(t, r, affine_constant(first)), 0, 1, &valid};
    epilogue_store(t, reg(t->spare, affine_offset(i, t->lanes)), &m);
    build_end(b);
}

void channel_tile_finish(tile *t) {
    nest_builder *b = t->b;
    int64_t groups = tile_row_count(t), pixels = transposes(t) ? pixels_side_by_side(t, &groups) : 0;
    affine j = build_unrolled(b, "j", tile_vectors(t)), r = build_unrolled(b, "r", groups);
    for (int64_t first = 0; first < pixels; first += t->lanes) store_square(t, j, r, first, pixels);
    if (!transposes(t)) store_pixels(t, j, r);
    build_end(b);
    build_end(b);
}
