/* The weights: G on every axis of a filter, packed point after point as the products read them: in the
 * type that is summed in, for they are sums. */
#include "algo/winograd/winograd.h"

typedef struct packer {
    winograd w;
    int from, to;
} packer;

static void load_taps(packer *p, affine channel, affine vector) {
    winograd *w = &p->w;
    nest_builder *b = w->b;
    const view *dense = &w->p->w;
    nest_range valid = channel_blocks_lanes(&w->oc, b, vector);
    affine oc = channel_blocks_channel(&w->oc, dense, vector);
    int64_t index = 0, k[AXES];
    for (k[0] = 0; k[0] < w->f[0].r; k[0]++)
        for (k[1] = 0; k[1] < w->f[1].r; k[1]++)
            for (k[2] = 0; k[2] < w->f[2].r; k[2]++) {
                const position tap = {{affine_constant(k[0]), affine_constant(k[1]), affine_constant(k[2])}};
                affine at = view_offset(b, dense, channel, oc, &tap);
                build_load(b, reg(w->in, affine_constant(index++)), access_at(p->from, at, dense->channel), &valid);
            }
}

static void pack_block(packer *p) {
    winograd *w = &p->w;
    nest_builder *b = w->b;
    affine channel = build_loop(b, "ic", w->p->in_channels);
    variable_kind kind =
        w->oc.valid >= w->plan->tile_oc ? VARIABLE_LOOP : VARIABLE_UNROLLED; /* lane ranges want numbers */
    affine j = build_for(b, kind, "j", range_of(b, 0, w->plan->tile_oc / w->lanes));
    load_taps(p, channel, j);
    int from = winograd_in_registers(w, WINOGRAD_WEIGHTS);
    affine point = build_unrolled(b, "point", w->points);
    affine at = affine_add_scaled(winograd_weights(w, point, channel), j, w->lanes);
    build_store(b, access_at(p->to, at, 1), reg(from, point), NULL);
    for (int i = 0; i < 3; i++) build_end(b);
}

nest *winograd_pack_weights(arena *a, const winograd *made) {
    packer p = {.w = *made};
    winograd *w = &p.w;
    nest_builder b = nest_begin(a, w->p->name, ENTRY_PACK, w->target->vector_bytes);
    w->b = &b;
    p.from =
        nest_add_tensor(&b, "weights", ROLE_PACK_FROM, w->p->w.type, w->p->w.elements, type_bytes(w->p->w.type), false);
    p.to = nest_add_tensor(&b, "packed", ROLE_PACK_TO, w->p->sum, winograd_packed_elements(w), SCRATCH_ALIGNMENT, true);
    w->in = nest_add_register(&b, "g", w->p->sum, w->lanes, (int)w->points);
    w->turn = nest_add_register(&b, "u", w->p->sum, w->lanes, (int)w->points);
    w->parts = transform_declare(&b, w->p->sum);
    int64_t whole = channel_blocks_whole(&w->oc);
    if (whole > 0) {
        channel_blocks_at_whole(&w->oc, build_loop(&b, "oc", whole));
        pack_block(&p);
        build_end(&b);
    }
    for (int64_t i = whole; i < w->oc.blocks; i++) {
        channel_blocks_at(&w->oc, i);
        pack_block(&p);
    }
    return nest_finish(&b);
}
