/* Packed input: a task copies the rows its taps see to scratch, and with them the border that padding_mode asks for, so
 * that the reduction finds every tap present. With zero padding only what exists is copied; absent taps stay absent.
 * Scratch has the kernel's depth of slices, the task's rows, all columns; channels_first if the input is, so that
 * copies are contiguous, else channels_last. */
#include "algo/tiling.h"

int64_t pack_input_channels(const tile *t) { return t->family->depthwise ? t->spec->in_channels : t->p.in_channels; }

static bool bordered(const tile *t) { return t->spec->padding != PAD_ZEROS; }

void pack_input_view(tile *t, int64_t rows) {
    for (int a = 0; a < AXES && bordered(t); a++) {
        t->p.axis[a].in += t->spec->pad_before[a] + t->spec->pad_after[a]; /* a merged axis has neither */
        t->p.axis[a].pad = 0;
    }
    t->in.layout = t->spec->input_layout == CVK_CHANNELS_FIRST ? CVK_CHANNELS_FIRST : CVK_CHANNELS_LAST;
    t->in.channels = pack_input_channels(t);
    t->in.size[AXIS_D] = t->p.axis[AXIS_D].kernel;
    t->in.size[AXIS_H] = rows;
    t->in.size[AXIS_W] = t->p.axis[AXIS_W].in;
    t->in.base = 0;
}

/* Where position i of an axis comes from: `source`, if low >= 0 and high >= 0. */
typedef struct border_case {
    affine low, high, source;
} border_case;

static affine before_source(padding_mode mode, affine i, int64_t n) {
    if (mode == PAD_REFLECT) return affine_scale(i, -1);
    if (mode == PAD_SYMMETRIC) return affine_offset(affine_scale(i, -1), -1);
    if (mode == PAD_CIRCULAR) return affine_offset(i, n);
    return affine_constant(0);
}

static affine after_source(padding_mode mode, affine i, int64_t n) {
    if (mode == PAD_REFLECT) return affine_offset(affine_scale(i, -1), 2 * n - 2);
    if (mode == PAD_SYMMETRIC) return affine_offset(affine_scale(i, -1), 2 * n - 1);
    if (mode == PAD_CIRCULAR) return affine_offset(i, -n);
    return affine_constant(n - 1);
}

/* A case that holds nowhere is left out: if its positions are constants, no clipping of a loop shows the proof of
 * bounds that its copies never happen. */
static void add_case(nest_builder *b, border_case c, border_case *cases, int *count) {
    bool possible = nest_maximum(b->nest, b->scope, c.low) >= 0 && nest_maximum(b->nest, b->scope, c.high) >= 0;
    if (possible) cases[(*count)++] = c;
}

static int border_cases(const tile *t, int axis, affine i, border_case cases[3]) {
    int64_t n = t->source.size[axis], before = t->spec->pad_before[axis], after = t->spec->pad_after[axis];
    padding_mode mode = t->spec->padding;
    affine minus = affine_scale(i, -1);
    border_case inside = {i, affine_offset(minus, n - 1), i};
    border_case in_front = {affine_offset(i, before), affine_offset(minus, -1), before_source(mode, i, n)};
    border_case behind = {affine_offset(i, -n), affine_offset(minus, n - 1 + after), after_source(mode, i, n)};
    int count = 0;
    add_case(t->b, inside, cases, &count);
    if (bordered(t) && before > 0) add_case(t->b, in_front, cases, &count);
    if (bordered(t) && after > 0) add_case(t->b, behind, cases, &count);
    return count;
}

static void open_case(nest_builder *b, const border_case *c) {
    build_if(b, c->low, NULL);
    build_if(b, c->high, NULL);
}

static void close_case(nest_builder *b) {
    build_end(b);
    build_end(b);
}

typedef struct copy {
    tile *t;
    int registers;
    affine first_channel;
} copy;

static void copy_vector(const copy *c, position from, position to, affine channel, bool along_channels,
                        const nest_range *valid) {
    tile *t = c->t;
    int64_t step = along_channels ? 1 : 0, column = along_channels ? 0 : 1;
    lane_map read = {t->n, affine_add(c->first_channel, channel), from, step, column, valid};
    lane_map written = {affine_constant(0), channel, to, step, column, valid};
    register_ref r = reg(c->registers, affine_constant(0));
    view_load(t->b, &t->source, &read, r, reg(c->registers, affine_constant(1)));
    view_store(t->b, &t->in, &written, r);
}

/* All channels of one pixel, a vector at a time. */
static void copy_pixel(const copy *c, position from, position to) {
    nest_builder *b = c->t->b;
    int64_t channels = pack_input_channels(c->t), lanes = c->t->lanes, whole = channels / lanes;
    if (whole > 0) {
        affine v = build_loop(b, "v", whole);
        copy_vector(c, from, to, affine_scale(v, lanes), true, NULL);
        build_end(b);
    }
    if (channels % lanes == 0) return;
    nest_range rest = range_of(b, 0, channels % lanes);
    copy_vector(c, from, to, affine_constant(whole * lanes), true, &rest);
}

static position at_column(position p, affine column) {
    p.at[AXIS_W] = column;
    return p;
}

/* Columns of one channel that lie side by side in both places. */
static void copy_run(const copy *c, position from, position to, affine channel, int64_t shift) {
    nest_builder *b = c->t->b;
    int64_t columns = c->t->source.size[AXIS_W], lanes = c->t->lanes, whole = columns / lanes;
    if (whole > 0) {
        affine w = affine_scale(build_loop(b, "v", whole), lanes);
        copy_vector(c, at_column(from, w), at_column(to, affine_offset(w, shift)), channel, false, NULL);
        build_end(b);
    }
    if (columns % lanes == 0) return;
    nest_range rest = range_of(b, 0, columns % lanes);
    affine w = affine_constant(whole * lanes);
    copy_vector(c, at_column(from, w), at_column(to, affine_offset(w, shift)), channel, false, &rest);
}

/* Columns `first` on, one by one, each from where the border says. */
static void copy_columns(const copy *c, position from, position to, int64_t first, int64_t count, int64_t shift,
                         affine (*source)(padding_mode, affine, int64_t)) {
    tile *t = c->t;
    affine w = affine_offset(build_loop(t->b, "w", count), first);
    from = at_column(from, source ? source(t->spec->padding, w, t->source.size[AXIS_W]) : w);
    to = at_column(to, affine_offset(w, shift));
    if (t->in.layout == CVK_CHANNELS_LAST) {
        copy_pixel(c, from, to);
    } else {
        nest_range one = range_of(t->b, 0, 1);
        affine channel = build_loop(t->b, "c", pack_input_channels(t));
        copy_vector(c, from, to, channel, false, &one);
        build_end(t->b);
    }
    build_end(t->b);
}

static void copy_row(const copy *c, position from, position to) {
    tile *t = c->t;
    int64_t columns = t->source.size[AXIS_W], before = bordered(t) ? t->spec->pad_before[AXIS_W] : 0;
    int64_t after = bordered(t) ? t->spec->pad_after[AXIS_W] : 0;
    if (t->in.layout == CVK_CHANNELS_LAST) {
        copy_columns(c, from, to, 0, columns, before, NULL);
    } else {
        affine channel = build_loop(t->b, "c", pack_input_channels(t));
        copy_run(c, from, to, channel, before);
        build_end(t->b);
    }
    if (before) copy_columns(c, from, to, -before, before, before, before_source);
    if (after) copy_columns(c, from, to, columns, after, before, after_source);
}

static void copy_slice(const copy *c, affine depth, affine slice) {
    tile *t = c->t;
    affine r = build_loop(t->b, "row", t->in.size[AXIS_H]);
    int64_t pad = bordered(t) ? t->spec->pad_before[AXIS_H] : 0;
    border_case rows[3];
    int count = border_cases(t, AXIS_H, affine_offset(affine_add(t->packed_row, r), -pad), rows);
    for (int i = 0; i < count; i++) {
        open_case(t->b, &rows[i]);
        copy_row(c, (position){{depth, rows[i].source, affine_constant(0)}},
                 (position){{slice, r, affine_constant(0)}});
        close_case(t->b);
    }
    build_end(t->b);
}

void pack_input_build(tile *t, affine first_row) {
    nest_builder *b = t->b;
    affine first = t->family->depthwise ? affine_constant(0) : affine_scale(t->group, t->p.in_channels);
    copy c = {t, nest_add_register(b, "copy", TYPE_F32, t->lanes, 2), first};
    t->packed_row = input_position(&t->p.axis[AXIS_H], first_row, affine_constant(0));
    affine kd = build_for(b, VARIABLE_LOOP, "kd", present_taps(b, &t->p.axis[AXIS_D], t->od));
    int64_t pad = bordered(t) ? t->spec->pad_before[AXIS_D] : 0;
    border_case slices[3];
    affine depth = affine_offset(input_position(&t->p.axis[AXIS_D], t->od, kd), -pad);
    int count = border_cases(t, AXIS_D, depth, slices);
    for (int i = 0; i < count; i++) {
        open_case(b, &slices[i]);
        copy_slice(&c, slices[i].source, kd);
        close_case(b);
    }
    build_end(b);
}
