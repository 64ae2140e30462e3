/* The weights: each part of each filter laid out as a tile, in a place of its own behind what is packed, transformed
 * there, and stored as the products read it. */
#include "algo/fft/fft.h"

typedef struct packer {
    fft f;
    int from, vector, single; /* tensor; registers */
    affine channel, ic;       /* of w's view */
    fft_part part;
} packer;

static void clear_tile(packer *p) {
    nest_builder *b = p->f.b;
    const register_ref zero = reg(p->vector, affine_constant(0));
    affine v = build_loop(b, "v", fft_tile_elements(&p->f) / p->f.lanes);
    build_const(b, zero, 0);
    build_store(b, access_at(p->f.tile, affine_scale(v, p->f.lanes), 1), zero, NULL);
    build_end(b);
}

/* Taps of a part, of its first or second half where the axis is folded, and elsewhere of all of it. */
static affine open_taps(packer *p, int axis, int half) {
    static const char *const NAMES[AXES] = {"kd", "kh", "kw"};
    const overlap *a = &p->f.axis[axis];
    const problem_axis *q = &p->f.p->axis[axis];
    const int64_t begin = half * p->f.line[axis], end = axis == p->f.fold && half == 0 ? p->f.line[axis] : a->size;
    const affine first = affine_scale(p->part.at[axis], a->hop);
    nest_range r = range_of(p->f.b, 0, q->taps);
    range_clip_low(p->f.b, &r, affine_offset(first, begin), q->tap_step);
    const int64_t last = a->parts > 1 ? lesser(end, a->hop) : end;
    range_clip_high(p->f.b, &r, affine_offset(first, last + q->tap_step - 1), q->tap_step);
    return build_for(p->f.b, VARIABLE_LOOP, NAMES[axis], r);
}

/* Element of the tile. Columns are vectors, each behind it that of the imaginary parts. */
static affine place_of(packer *p, const affine *at, int half) {
    const fft *f = &p->f;
    const affine row = affine_add_scaled(at[AXIS_H], at[AXIS_D], f->line[AXIS_H]);
    const int64_t gap = f->run_pitch - 2 * f->lanes * f->run;
    affine column = affine_add_scaled(at[AXIS_W], build_quotient(f->b, at[AXIS_W], f->lanes), f->lanes);
    column = affine_add_scaled(column, build_quotient(f->b, at[AXIS_W], f->lanes * f->run), gap);
    return affine_offset(affine_add_scaled(column, row, f->pitch), half * f->lanes);
}

static void lay_out(packer *p, int half) {
    fft *f = &p->f;
    nest_builder *b = f->b;
    const register_ref w = reg(p->single, affine_constant(0)), share = reg(p->single, affine_constant(1));
    position tap;
    affine at[AXES];
    for (int a = 0; a < AXES; a++) {
        tap.at[a] = open_taps(p, a, a == f->fold ? half : 0);
        at[a] = affine_scale(tap.at[a], f->p->axis[a].tap_step);
        at[a] = affine_add_scaled(at[a], p->part.at[a], -f->axis[a].hop);
        if (a == f->fold) at[a] = affine_offset(at[a], -half * f->line[a]);
    }
    build_load(b, w, access_at(p->from, view_offset(b, &f->p->w, p->ic, p->channel, &tap), 1), NULL);
    build_const_ratio(b, share, 1, f->points);
    build_op(b, OP_MUL, w, w, share);
    build_store(b, access_at(f->tile, place_of(p, at, half), 1), w, NULL);
    for (int a = 0; a < AXES; a++) build_end(b);
}

static void declare(packer *p) {
    fft *f = &p->f;
    nest_builder *b = f->b;
    const view *w = &f->p->w;
    p->from = nest_add_tensor(b, "weights", ROLE_PACK_FROM, w->type, w->elements, type_bytes(w->type), false);
    p->vector = nest_add_register(b, "v", f->p->sum, f->lanes, 1);
    p->single = nest_add_register(b, "one", f->p->sum, 1, 2);
}

/* What follows the loop is no part of it, so that the place is never shared by tasks of a loop (program.h). */
nest *fft_pack_weights(arena *a, const fft *made) {
    packer p = {.f = *made};
    fft *f = &p.f;
    const problem *q = f->p;
    nest_builder b = nest_begin(a, q->name, ENTRY_PACK, f->target->vector_bytes);
    f->b = &b;
    const int64_t packed = fft_packed_elements(f), blocks = q->out_channels / f->channels;
    fft_chunks to = {.step = fft_parts(f) * q->in_channels * f->channels * f->chunk * 2 * f->lanes};
    to.tensor = nest_add_tensor(&b, "packed", ROLE_PACK_TO, q->sum, packed, SCRATCH_ALIGNMENT, true);
    f->tile = nest_add_work(&b, "tile", ROLE_PACK_TO, q->sum, packed, fft_tile_elements(f));
    declare(&p);
    fft_declare(f);
    affine g = build_loop(&b, "g", q->groups), oc = build_loop(&b, "oc", blocks), c = build_loop(&b, "c", f->channels);
    p.channel = affine_add_scaled(affine_add_scaled(c, oc, f->channels), g, q->w.group);
    p.part = fft_open_parts(f);
    p.ic = build_loop(&b, "ic", q->in_channels);
    clear_tile(&p);
    for (int half = 0; half < 2; half++) lay_out(&p, half);
    const affine block = affine_add_scaled(oc, g, blocks);
    to.base =
        affine_add_scaled(fft_weights(f, block, p.part.number, p.ic, affine_constant(0)), c, f->chunk * 2 * f->lanes);
    fft_forward(f, NULL, NULL, &to);
    build_end(&b);
    fft_close_parts(f);
    for (int i = 0; i < 3; i++) build_end(&b);
    clear_tile(&p);
    return nest_finish(&b);
}
