/* The output transform: a tile's sums at all points, A' on one axis after another in registers, bias, post-ops, and
 * the store of those positions that exist; where columns lie side by side, by way of a strip of scratch. */
#include "algo/winograd/winograd.h"

static void load_sums(winograd *w, affine tile_number, affine vector) {
    nest_builder *b = w->b;
    affine point = build_unrolled(b, "point", w->points);
    affine row = affine_add_scaled(tile_number, point, w->count);
    affine at = affine_add_scaled(affine_scale(row, w->plan->tile_oc), vector, w->lanes);
    build_load(b, reg(w->in, point), access_at(w->scratch, affine_offset(at, w->sums), 1), NULL);
    build_end(b);
}

/* Opens a condition for a position that may lie outside the output. */
static void open_inside(winograd *w, int axis, affine at) {
    build_if(w->b, affine_offset(affine_scale(at, -1), w->p->axis[axis].out - 1), "inside");
}

static void store_output(winograd *w, register_ref value, affine vector, const position *at) {
    nest_range valid = channel_blocks_lanes(&w->oc, w->b, vector);
    lane_map m = {w->n, channel_blocks_channel(&w->oc, &w->p->y, vector), *at, .channel_step = 1, .valid = &valid};
    if (w->out.bias >= 0) build_op(w->b, OP_ADD, value, value, reg(w->ws, affine_constant(0)));
    epilogue_store(&w->out, value, &m, w->oc.valid < w->oc.covers);
}

static void store_outputs(winograd *w, int from, const affine *number, affine vector) {
    nest_builder *b = w->b;
    position at;
    affine i[AXES], index = affine_constant(0);
    static const char *const NAMES[AXES] = {"yd", "yh", "yw"};
    for (int a = 0; a < AXES; a++) {
        i[a] = build_unrolled(b, NAMES[a], w->f[a].m);
        at.at[a] = affine_add_scaled(i[a], number[a], w->f[a].m);
        index = affine_add_scaled(i[a], index, w->f[a].m);
        open_inside(w, a, at.at[a]);
    }
    store_output(w, reg(from, index), vector, &at);
    for (int a = 0; a < 2 * AXES; a++) build_end(b);
}

/* ---- strips: where columns lie side by side, the rows of a row of tiles are put together in scratch first ---- */

static int64_t strip_columns(const winograd *w) { return w->block[AXIS_W] * w->f[AXIS_W].m; }

bool winograd_has_strips(const winograd *w) { return w->lanes > 1 && !view_has_channels_together(&w->p->y); }

int64_t winograd_strip_elements(const winograd *w) {
    if (!winograd_has_strips(w)) return 0;
    return w->f[AXIS_D].m * w->f[AXIS_H].m * strip_columns(w) * w->lanes;
}

/* Of a row of the tiles, column `column`. */
static nest_access strip_at(const winograd *w, affine row, affine column) {
    affine at = affine_add_scaled(column, row, strip_columns(w));
    return access_at(w->scratch, affine_offset(affine_scale(at, w->lanes), w->strip), 1);
}

static void store_in_strip(winograd *w, int from, affine tile) {
    nest_builder *b = w->b;
    int64_t m = w->f[AXIS_W].m;
    affine row = build_unrolled(b, "row", w->f[AXIS_D].m * w->f[AXIS_H].m), column = build_unrolled(b, "yw", m);
    register_ref value = reg(from, affine_add_scaled(column, row, m));
    if (w->out.bias >= 0) build_op(b, OP_ADD, value, value, reg(w->ws, affine_constant(0)));
    build_store(b, strip_at(w, row, affine_add_scaled(column, tile, m)), value, NULL);
    build_end(b);
    build_end(b);
}

/* `count` columns from the `first` of the strip's on: a square, whose columns become rows of channels. */
static void store_square(winograd *w, affine vector, affine row, position at, affine first, int64_t count) {
    nest_builder *b = w->b;
    affine c = build_unrolled(b, "c", count);
    build_load(b, reg(w->square, c), strip_at(w, row, affine_add(first, c)), NULL);
    build_end(b);
    square_turn(b, w->square, count);
    nest_range valid = range_of(b, 0, count);
    affine i = build_for(b, VARIABLE_UNROLLED, "i", channel_blocks_lanes(&w->oc, b, vector));
    at.at[AXIS_W] = affine_add(at.at[AXIS_W], first);
    lane_map m = {w->n, affine_add(channel_blocks_channel(&w->oc, &w->p->y, vector), i), at, .column_step = 1,
                  .valid = &valid};
    epilogue_store(&w->out, reg(w->square, affine_offset(i, w->lanes)), &m, false);
    build_end(b);
}

static void store_squares(winograd *w, affine vector, affine row, const position *at, int64_t columns) {
    int64_t whole = columns / w->lanes, rest = columns % w->lanes;
    if (whole > 0) {
        affine square = build_loop(w->b, "square", whole);
        store_square(w, vector, row, *at, affine_scale(square, w->lanes), w->lanes);
        build_end(w->b);
    }
    if (rest > 0) store_square(w, vector, row, *at, affine_constant(whole * w->lanes), rest);
}

/* Blocks of tiles are whole but for the last of a row. */
static void store_row(winograd *w, affine vector, affine row, const position *at) {
    nest_builder *b = w->b;
    int64_t columns = strip_columns(w), whole = w->p->axis[AXIS_W].out / columns;
    int64_t rest = w->p->axis[AXIS_W].out % columns;
    affine block = w->at[AXIS_W];
    if (whole > 0) {
        build_if(b, affine_offset(affine_scale(block, -1), whole - 1), NULL);
        store_squares(w, vector, row, at, columns);
        build_end(b);
    }
    if (rest == 0) return;
    build_if(b, affine_offset(block, -whole), NULL);
    store_squares(w, vector, row, at, rest);
    build_end(b);
}

static void store_strip(winograd *w, affine vector, const affine *number) {
    nest_builder *b = w->b;
    position at;
    affine row = affine_constant(0);
    static const char *const NAMES[AXIS_W] = {"yd", "yh"};
    for (int a = 0; a < AXIS_W; a++) {
        affine i = build_loop(b, NAMES[a], w->f[a].m);
        at.at[a] = affine_add_scaled(i, number[a], w->f[a].m);
        row = affine_add_scaled(i, row, w->f[a].m);
        open_inside(w, a, at.at[a]);
    }
    at.at[AXIS_W] = affine_scale(w->at[AXIS_W], strip_columns(w));
    store_row(w, vector, row, &at);
    for (int i = 0; i < 2 * AXIS_W; i++) build_end(b);
}

/* ---- the loops ---- */

static void load_bias(winograd *w, affine vector) {
    nest_range valid = channel_blocks_lanes(&w->oc, w->b, vector);
    lane_map m = {.channel = channel_blocks_channel(&w->oc, &w->p->y, vector), .channel_step = 1, .valid = &valid};
    if (w->out.bias >= 0) epilogue_bias(&w->out, reg(w->ws, affine_constant(0)), &m);
}

/* Opens the loop over the block's tiles of an axis; gives the tile's number, and that in the block. */
static affine open_tiles(winograd *w, int axis, affine *local) {
    static const char *const NAMES[AXES] = {"td", "th", "tw"};
    nest_range r = range_of(w->b, 0, w->block[axis]);
    range_clip_high(w->b, &r, affine_offset(affine_scale(w->at[axis], -w->block[axis]), w->tiles[axis]), 1);
    *local = build_for(w->b, VARIABLE_LOOP, NAMES[axis], r);
    return affine_add_scaled(*local, w->at[axis], w->block[axis]);
}

/* Where vectors are not whole, lane ranges want numbers. */
static affine open_vectors(winograd *w) {
    int vectors = channel_blocks_vectors(&w->oc);
    bool whole = w->oc.valid >= (int64_t)vectors * w->lanes;
    return build_for(w->b, whole ? VARIABLE_LOOP : VARIABLE_UNROLLED, "j", range_of(w->b, 0, vectors));
}

void winograd_output(winograd *w) {
    const bool strips = winograd_has_strips(w);
    affine number[AXES], local[AXES], vector;
    number[AXIS_D] = open_tiles(w, AXIS_D, &local[AXIS_D]);
    number[AXIS_H] = open_tiles(w, AXIS_H, &local[AXIS_H]);
    if (strips) vector = open_vectors(w);
    number[AXIS_W] = open_tiles(w, AXIS_W, &local[AXIS_W]);
    if (!strips) vector = open_vectors(w);
    affine tile = local[AXIS_D];
    for (int a = AXIS_H; a < AXES; a++) tile = affine_add_scaled(local[a], tile, w->block[a]);
    load_bias(w, vector);
    load_sums(w, tile, vector);
    int from = winograd_in_registers(w, WINOGRAD_OUTPUTS);
    if (strips)
        store_in_strip(w, from, local[AXIS_W]);
    else
        store_outputs(w, from, number, vector);
    build_end(w->b);
    if (strips) store_strip(w, vector, number);
    for (int i = 0; i < AXES; i++) build_end(w->b);
}
