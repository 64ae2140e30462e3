/* The products: for each point a product of matrices, tiles x input channels by input channels x output channels, in
 * register tiles like those of a 1x1 layer; and the weights it reads, transformed. */
#include "algo/winograd.h"

int64_t winograd_packed_elements(const winograd *w) {
    return w->t.blocks * w->points * w->t.p.in_channels * w->t.plan->tile_oc;
}

static affine weights_offset(const winograd *w, affine point, affine channel) {
    affine at = affine_add_scaled(point, w->t.block, w->points);
    return affine_scale(affine_add_scaled(channel, at, w->t.p.in_channels), w->t.plan->tile_oc);
}

static int64_t tiles_at_once(const winograd *w) {
    int64_t vectors = w->t.plan->tile_oc / w->t.lanes,
            free = w->t.target->registers - 1 - vectors - !w->t.target->fused;
    int64_t most = free / vectors < 1 ? 1 : free / vectors, groups = (w->count + most - 1) / most;
    return (w->count + groups - 1) / groups;
}

/* Of tile `i` of a group and a channel vector. */
static register_ref sum(const winograd *w, affine vector, affine i, int64_t group) {
    return reg(w->t.acc, affine_add_scaled(i, vector, group));
}

/* `group` tiles from `first` on, all input channels. */
static void multiply(winograd *w, affine point, affine first, int64_t group) {
    nest_builder *b = w->t.b;
    int vectors = tile_vectors(&w->t);
    register_ref x = reg(w->t.x, affine_constant(0));
    affine j = build_unrolled(b, "j", vectors), i = build_unrolled(b, "i", group);
    build_const(b, sum(w, j, i, group), 0);
    build_end(b);
    build_end(b);
    affine channel = build_loop(b, "ic", w->t.p.in_channels);
    j = build_unrolled(b, "j", vectors);
    affine weights = affine_add_scaled(weights_offset(w, point, channel), j, w->t.lanes);
    build_load(b, reg(w->t.w, j), access_at(w->t.weights, weights, 1), NULL);
    build_end(b);
    i = build_unrolled(b, "i", group);
    affine row = affine_add_scaled(affine_add(first, i), point, w->count);
    affine input = affine_add(affine_scale(row, w->channel_stride), channel);
    build_splat(b, x, access_at(w->scratch, affine_offset(input, w->stage[w->passes].base), 1));
    j = build_unrolled(b, "j", vectors);
    build_fma(b, sum(w, j, i, group), x, reg(w->t.w, j), NULL);
    for (int k = 0; k < 3; k++) build_end(b);
    i = build_unrolled(b, "i", group);
    j = build_unrolled(b, "j", vectors);
    row = affine_add_scaled(affine_add(first, i), point, w->count);
    affine output = affine_add_scaled(affine_scale(row, w->t.plan->tile_oc), j, w->t.lanes);
    build_store(b, access_at(w->scratch, affine_offset(output, w->sums), 1), sum(w, j, i, group), NULL);
    build_end(b);
    build_end(b);
}

void winograd_products(winograd *w) {
    nest_builder *b = w->t.b;
    int64_t group = tiles_at_once(w), whole = w->count / group, rest = w->count % group;
    affine point = build_loop(b, "point", w->points);
    affine g = build_loop(b, "tiles", whole);
    multiply(w, point, affine_scale(g, group), group);
    build_end(b);
    if (rest) multiply(w, point, affine_constant(whole * group), rest);
    build_end(b);
}

/* ---- weights ---- */

typedef struct packer {
    winograd w;
    int from, to;
    int64_t valid;
} packer;

static affine dense_tap(const winograd *w, const int64_t *k) {
    int64_t at = 0;
    for (int a = 0; a < AXES; a++) {
        int64_t kernel = w->t.spec->kernel[a];
        at = at * kernel + (w->t.spec->flip_kernel ? kernel - 1 - k[a] : k[a]);
    }
    return affine_constant(at);
}

static void load_taps(packer *p, affine channel, affine vector) {
    winograd *w = &p->w;
    nest_builder *b = w->t.b;
    int64_t filter = w->t.p.in_channels * w->t.p.taps, k[AXES];
    nest_range valid = range_of(b, 0, w->t.lanes);
    range_clip_high(b, &valid, affine_offset(affine_scale(vector, -w->t.lanes), p->valid), 1);
    affine first = affine_scale(affine_add_scaled(tile_channel(&w->t), vector, w->t.lanes), filter);
    int64_t index = 0;
    for (k[0] = 0; k[0] < w->f[0].r; k[0]++)
        for (k[1] = 0; k[1] < w->f[1].r; k[1]++)
            for (k[2] = 0; k[2] < w->f[2].r; k[2]++) {
                affine at = affine_add(first, affine_add_scaled(dense_tap(w, k), channel, w->t.p.taps));
                build_load(b, reg(w->in, affine_constant(index++)), access_at(p->from, at, filter), &valid);
            }
}

static void pack_block(packer *p) {
    winograd *w = &p->w;
    nest_builder *b = w->t.b;
    affine channel = build_loop(b, "ic", w->t.p.in_channels);
    variable_kind kind =
        p->valid >= w->t.plan->tile_oc ? VARIABLE_LOOP : VARIABLE_UNROLLED; /* lane ranges want numbers */
    affine j = build_for(b, kind, "j", range_of(b, 0, w->t.plan->tile_oc / w->t.lanes));
    load_taps(p, channel, j);
    int from = winograd_in_registers(w, WINOGRAD_WEIGHTS);
    affine point = build_unrolled(b, "point", w->points);
    affine at = affine_add_scaled(weights_offset(w, point, channel), j, w->t.lanes);
    build_store(b, access_at(p->to, at, 1), reg(from, point), NULL);
    for (int i = 0; i < 3; i++) build_end(b);
}

nest *winograd_pack_weights(arena *a, const winograd *made, const char *name) {
    packer p = {.w = *made};
    winograd *w = &p.w;
    nest_builder b = nest_begin(a, name, ENTRY_PACK, w->t.target->vector_bytes);
    w->t.b = &b;
    p.from = nest_add_tensor(&b, "weights", ROLE_PACK_FROM, TYPE_F32, spec_weights_elements(w->t.spec), 4, false);
    p.to = nest_add_tensor(&b, "packed", ROLE_PACK_TO, TYPE_F32, winograd_packed_elements(w), SCRATCH_ALIGNMENT, true);
    w->in = nest_add_register(&b, "g", TYPE_F32, w->t.lanes, (int)w->points);
    w->turn = nest_add_register(&b, "u", TYPE_F32, w->t.lanes, (int)w->points);
    w->parts = transform_declare(&b);
    int64_t whole = w->t.channels / w->t.plan->tile_oc;
    if (whole > 0) {
        w->t.block = build_loop(&b, "oc", whole);
        p.valid = w->t.plan->tile_oc;
        pack_block(&p);
        build_end(&b);
    }
    for (int64_t i = whole; i < w->t.blocks; i++) {
        w->t.block = affine_constant(i);
        p.valid = w->t.channels - i * w->t.plan->tile_oc;
        pack_block(&p);
    }
    return nest_finish(&b);
}
