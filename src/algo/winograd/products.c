/* The products: for each point a product of matrices, tiles x input channels by input channels x output channels, in
 * register tiles like those of a 1x1 layer. */
#include "algo/winograd/winograd.h"

#include "algo/ahead.h"

int64_t winograd_packed_elements(const winograd *w) {
    return w->oc.blocks * w->points * w->p->in_channels * w->plan->tile_oc;
}

affine winograd_weights(const winograd *w, affine point, affine channel) {
    affine at = affine_add_scaled(point, w->oc.block, w->points);
    return affine_scale(affine_add_scaled(channel, at, w->p->in_channels), w->plan->tile_oc);
}

static int64_t tiles_at_once(const winograd *w) {
    int64_t vectors = w->plan->tile_oc / w->lanes, free = w->target->registers - 1 - vectors - !w->target->fused;
    int64_t most = free / vectors < 1 ? 1 : free / vectors, groups = (w->count + most - 1) / most;
    return (w->count + groups - 1) / groups;
}

/* Of tile `i` of a group and a channel vector. */
static register_ref sum(const winograd *w, affine vector, affine i, int64_t group) {
    return reg(w->acc, affine_add_scaled(i, vector, group));
}

static void begin_sums(winograd *w, int64_t group) {
    nest_builder *b = w->b;
    affine j = build_unrolled(b, "j", channel_blocks_vectors(&w->oc)), i = build_unrolled(b, "i", group);
    build_const(b, sum(w, j, i, group), 0);
    build_end(b);
    build_end(b);
}

/* Element 0 of a tile's row in an array of `width` elements a tile, point after point. */
static affine row_of(const winograd *w, affine point, affine number, int64_t width) {
    return affine_scale(affine_add_scaled(number, point, w->count), width);
}

static void reduce(winograd *w, affine point, affine first, int64_t group) {
    nest_builder *b = w->b;
    int vectors = channel_blocks_vectors(&w->oc);
    register_ref x = reg(w->xs, affine_constant(0));
    affine channel = build_loop(b, "ic", w->p->in_channels), j = build_unrolled(b, "j", vectors);
    const affine weights = winograd_weights(w, point, channel);
    build_load(b, reg(w->ws, j), access_at(w->weights, affine_add_scaled(weights, j, w->lanes), 1), NULL);
    build_end(b);
    ahead_ask(b, w->target, w->weights, weights, w->plan->tile_oc);
    affine i = build_unrolled(b, "i", group);
    const winograd_stage *from = winograd_transformed(w);
    affine input = affine_add(row_of(w, point, affine_add(first, i), from->width), channel);
    build_splat(b, x, access_at(from->tensor, affine_add(input, from->base), 1));
    j = build_unrolled(b, "j", vectors);
    build_fma(b, sum(w, j, i, group), x, reg(w->ws, j), NULL);
    for (int k = 0; k < 3; k++) build_end(b);
}

static void store_sums(winograd *w, affine point, affine first, int64_t group) {
    nest_builder *b = w->b;
    affine i = build_unrolled(b, "i", group), j = build_unrolled(b, "j", channel_blocks_vectors(&w->oc));
    affine output = affine_add_scaled(row_of(w, point, affine_add(first, i), w->plan->tile_oc), j, w->lanes);
    build_store(b, access_at(w->scratch, affine_offset(output, w->sums), 1), sum(w, j, i, group), NULL);
    build_end(b);
    build_end(b);
}

/* `group` tiles from `first` on, all input channels. */
static void multiply(winograd *w, affine point, affine first, int64_t group) {
    begin_sums(w, group);
    reduce(w, point, first, group);
    store_sums(w, point, first, group);
}

void winograd_products(winograd *w) {
    nest_builder *b = w->b;
    int64_t group = tiles_at_once(w), whole = w->count / group, rest = w->count % group;
    affine point = build_loop(b, "point", w->points);
    affine g = build_loop(b, "tiles", whole);
    multiply(w, point, affine_scale(g, group), group);
    build_end(b);
    if (rest) multiply(w, point, affine_constant(whole * group), rest);
    build_end(b);
}
