/* The output transform: a tile's sums at all points, A' on one axis after another in registers, bias, post-ops, and
 * the store of those positions that exist. */
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
    lane_map m = {w->n, channel_blocks_channel(&w->oc, &w->p->y, vector), *at, 1, 0, &valid};
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

static void load_bias(winograd *w, affine vector) {
    nest_range valid = channel_blocks_lanes(&w->oc, w->b, vector);
    lane_map m = {.channel = channel_blocks_channel(&w->oc, &w->p->y, vector), .channel_step = 1, .valid = &valid};
    if (w->out.bias >= 0) epilogue_bias(&w->out, reg(w->ws, affine_constant(0)), &m);
}

void winograd_output(winograd *w) {
    nest_builder *b = w->b;
    static const char *const NAMES[AXES] = {"td", "th", "tw"};
    affine number[AXES], tile_number = affine_constant(0);
    for (int a = 0; a < AXES; a++) {
        nest_range r = range_of(b, 0, w->block[a]);
        range_clip_high(b, &r, affine_offset(affine_scale(w->at[a], -w->block[a]), w->tiles[a]), 1);
        affine local = build_for(b, VARIABLE_LOOP, NAMES[a], r);
        tile_number = affine_add_scaled(local, tile_number, w->block[a]);
        number[a] = affine_add_scaled(local, w->at[a], w->block[a]);
    }
    bool whole = w->oc.valid >= (int64_t)channel_blocks_vectors(&w->oc) * w->lanes; /* else lane ranges want numbers */
    affine vector =
        build_for(b, whole ? VARIABLE_LOOP : VARIABLE_UNROLLED, "j", range_of(b, 0, channel_blocks_vectors(&w->oc)));
    load_bias(w, vector);
    load_sums(w, tile_number, vector);
    store_outputs(w, winograd_in_registers(w, WINOGRAD_OUTPUTS), number, vector);
    for (int i = 0; i < AXES + 1; i++) build_end(b);
}
