/* Products, summed over input channels and parts of the kernel; the way back; what becomes of the outputs. */
#include "algo/fft/fft.h"

typedef struct outputs {
    fft *f;
    int spectra, weights; /* tensors */
    epilogue out;
    int sums, x, w, t, bias; /* registers */
    affine n, group, block, at[AXES];
    affine channel; /* of the output */
    affine row, vector;
} outputs;

static int64_t vectors_of(const fft *f) { return f->points / f->lanes; }

/* In scratch, before the tile. */
static fft_chunks sums_of(const outputs *o, affine channel) {
    const fft *f = o->f;
    return (fft_chunks){f->tile, affine_scale(channel, 2 * f->points), f->chunk * 2 * f->lanes};
}

static affine sum_index(const outputs *o, affine channel, affine vector) {
    return affine_scale(affine_add_scaled(vector, channel, o->f->chunk), 2);
}

static complex_ref sum_at(const outputs *o, affine channel, affine vector) {
    const affine i = sum_index(o, channel, vector);
    return (complex_ref){reg(o->sums, i), reg(o->sums, affine_offset(i, 1))};
}

static complex_ref pair_of(int array) {
    return (complex_ref){reg(array, affine_constant(0)), reg(array, affine_constant(1))};
}

static void load_pair(const fft *f, complex_ref to, int tensor, affine at) {
    build_load(f->b, to.re, access_at(tensor, at, 1), NULL);
    build_load(f->b, to.im, access_at(tensor, affine_offset(at, f->lanes), 1), NULL);
}

/* to += x conj(w). */
static void add_product(const outputs *o, complex_ref to, complex_ref x, complex_ref w) {
    nest_builder *b = o->f->b;
    const register_ref less = reg(o->t, affine_constant(0)), one = reg(o->t, affine_constant(1));
    build_const(b, one, -1);
    build_op(b, OP_MUL, less, w.im, one);
    build_fma(b, to.re, x.re, w.re, NULL);
    build_fma(b, to.re, x.im, w.im, NULL);
    build_fma(b, to.im, x.im, w.re, NULL);
    build_fma(b, to.im, x.re, less, NULL);
}

static void begin_sums(const outputs *o) {
    nest_builder *b = o->f->b;
    affine i = build_unrolled(b, "i", 2 * o->f->channels * o->f->chunk);
    build_const(b, reg(o->sums, i), 0);
    build_end(b);
}

/* One input channel's, of a part. */
static void reduce(outputs *o, affine chunk, const fft_part *part, affine ic) {
    fft *f = o->f;
    nest_builder *b = f->b;
    affine at[AXES];
    for (int a = 0; a < AXES; a++) at[a] = affine_add(o->at[a], part->at[a]);
    const affine channel = affine_add_scaled(ic, o->group, f->p->in_channels);
    const affine x = affine_add_scaled(fft_spectrum(f, o->n, channel, at), chunk, f->chunk * 2 * f->lanes);
    const affine w = fft_weights(f, o->block, part->number, ic, chunk);
    affine u = build_unrolled(b, "u", f->chunk);
    load_pair(f, pair_of(o->x), o->spectra, affine_add_scaled(x, u, 2 * f->lanes));
    affine c = build_unrolled(b, "c", f->channels);
    load_pair(f, pair_of(o->w), o->weights, affine_add_scaled(w, affine_add_scaled(u, c, f->chunk), 2 * f->lanes));
    add_product(o, sum_at(o, c, u), pair_of(o->x), pair_of(o->w));
    build_end(b);
    build_end(b);
}

static void store_sums(const outputs *o, affine chunk) {
    const fft *f = o->f;
    nest_builder *b = f->b;
    affine c = build_unrolled(b, "c", f->channels), u = build_unrolled(b, "u", f->chunk);
    const fft_chunks to = sums_of(o, c);
    const affine at = affine_add_scaled(affine_add_scaled(to.base, chunk, to.step), u, 2 * f->lanes);
    const complex_ref sum = sum_at(o, c, u);
    build_store(b, access_at(to.tensor, at, 1), sum.re, NULL);
    build_store(b, access_at(to.tensor, affine_offset(at, f->lanes), 1), sum.im, NULL);
    build_end(b);
    build_end(b);
}

static void multiply(outputs *o) {
    fft *f = o->f;
    affine chunk = build_loop(f->b, "chunk", vectors_of(f) / f->chunk);
    begin_sums(o);
    const fft_part part = fft_open_parts(f);
    reduce(o, chunk, &part, build_loop(f->b, "ic", f->p->in_channels));
    build_end(f->b);
    fft_close_parts(f);
    store_sums(o, chunk);
    build_end(f->b);
}

/* ---- stores ---- */

/* Opens a condition, unless it never holds. */
static bool open_if(const outputs *o, affine e) {
    nest_builder *b = o->f->b;
    if (nest_maximum(b->nest, b->scope, e) < 0) return false;
    build_if(b, e, NULL);
    return true;
}

static affine up_to(affine e, int64_t last) { return affine_offset(affine_scale(e, -1), last); }

static void store_lanes(const outputs *o, register_ref value, const position *at, const nest_range *valid) {
    const lane_map m = {o->n, o->channel, *at, .column_step = 1, .valid = valid};
    if (o->out.bias >= 0) build_op(o->f->b, OP_ADD, value, value, reg(o->bias, affine_constant(0)));
    epilogue_store(&o->out, value, &m, false);
}

/* A vector of columns: all of it, or the last of the row, which may be shorter. */
static void store_columns(const outputs *o, register_ref value, const position *at) {
    nest_builder *b = o->f->b;
    const int64_t out = o->f->p->axis[AXIS_W].out, lanes = o->f->lanes, rest = out % lanes;
    if (open_if(o, up_to(at->at[AXIS_W], out - lanes))) {
        store_lanes(o, value, at, NULL);
        build_end(b);
    }
    if (rest == 0 || !open_if(o, affine_offset(at->at[AXIS_W], rest - out))) return;
    if (open_if(o, up_to(at->at[AXIS_W], out - rest))) {
        const nest_range valid = range_of(b, 0, rest);
        store_lanes(o, value, at, &valid);
        build_end(b);
    }
    build_end(b);
}

/* From this axis on: `local` counts from the tile's first position. */
static void store_inside(const outputs *o, int axis, register_ref value, const affine *local, position at) {
    const overlap *a = &o->f->axis[axis];
    nest_builder *b = o->f->b;
    at.at[axis] = affine_add_scaled(local[axis], o->at[axis], a->hop);
    if (!open_if(o, up_to(local[axis], a->hop - 1))) return;
    if (axis == AXIS_W) {
        store_columns(o, value, &at);
    } else if (open_if(o, up_to(at.at[axis], o->f->p->axis[axis].out - 1))) {
        store_inside(o, axis + 1, value, local, at);
        build_end(b);
    }
    build_end(b);
}

static void store_point(void *context, affine point, complex_ref z) {
    const outputs *o = context;
    const fft *f = o->f;
    const int64_t unit = f->fold == AXIS_W ? fft_column_step(f) : 1;
    affine local[AXES] = {affine_constant(0), o->row, affine_scale(o->vector, f->lanes)};
    const position none = {{affine_constant(0), affine_constant(0), affine_constant(0)}};
    local[f->fold] = affine_add_scaled(f->fold == AXIS_W ? local[AXIS_W] : affine_constant(0), point, unit);
    store_inside(o, 0, z.re, local, none);
    local[f->fold] = affine_offset(local[f->fold], f->line[f->fold]);
    store_inside(o, 0, z.im, local, none);
}

static fft_line stores(void *context, affine row, affine vector) {
    outputs *o = context;
    o->row = row;
    o->vector = vector;
    return (fft_line){.store = store_point, .context = o};
}

static void finish_channel(outputs *o) {
    fft *f = o->f;
    affine c = build_loop(f->b, "c", f->channels);
    const affine channel = affine_add(c, affine_scale(o->block, f->channels)); /* of all groups, one after another */
    o->channel = affine_add_scaled(channel, o->group, f->p->y.group - f->p->out_channels);
    const lane_map m = {.channel = o->channel};
    if (o->out.bias >= 0) epilogue_bias(&o->out, reg(o->bias, affine_constant(0)), &m);
    const fft_chunks from = sums_of(o, c);
    fft_backward(f, &from, stores, o);
    build_end(f->b);
}

static void declare(outputs *o) {
    fft *f = o->f;
    nest_builder *b = f->b;
    const cvk_type type = f->p->sum;
    const int64_t sums = f->channels * 2 * f->points;
    o->spectra = nest_add_part(b, "spectra", ROLE_WORKSPACE, type, f->planes, f->spectra, SCRATCH_ALIGNMENT, false);
    o->weights = nest_add_tensor(b, "weights", ROLE_WEIGHTS, type, fft_packed_elements(f) + fft_tile_elements(f),
                                 SCRATCH_ALIGNMENT, false);
    o->out = epilogue_declare(b, f->p);
    f->tile = nest_add_tensor(b, "scratch", ROLE_SCRATCH, type, sums + fft_tile_elements(f), SCRATCH_ALIGNMENT, true);
    f->at = sums;
    fft_declare(f);
    epilogue_registers(&o->out);
    o->sums = nest_add_register(b, "sum", type, f->lanes, (int)(2 * f->channels * f->chunk));
    o->x = nest_add_register(b, "x", type, f->lanes, 2);
    o->w = nest_add_register(b, "w", type, f->lanes, 2);
    o->t = nest_add_register(b, "less", type, f->lanes, 2);
    o->bias = nest_add_register(b, "b", type, f->lanes, 1);
}

nest *fft_outputs(arena *a, const fft *made) {
    static const char *const NAMES[AXES] = {"od", "oh", "ow"};
    fft f = *made;
    nest_builder b = nest_begin(a, f.p->name, ENTRY_TASKS, f.target->vector_bytes);
    f.b = &b;
    outputs o = {.f = &f};
    declare(&o);
    if (f.p->n == 0) {
        b.nest->tasks = 0;
        return nest_finish(&b);
    }
    const int64_t blocks = f.p->out_channels / f.channels;
    o.n = build_task(&b, "n", f.p->n);
    o.group = build_task(&b, "g", f.p->groups);
    o.block = affine_add_scaled(build_task(&b, "oc", blocks), o.group, blocks);
    for (int i = 0; i < AXES; i++) o.at[i] = build_task(&b, NAMES[i], f.axis[i].tiles);
    multiply(&o);
    finish_channel(&o);
    for (int i = 0; i < AXES + 3; i++) build_end(&b);
    return nest_finish(&b);
}
