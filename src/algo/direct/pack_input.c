/* Packed input: a task copies what its taps see to scratch, and with it the border that padding_mode asks for, so that
 * the reduction finds every tap present. With zero padding only what exists is copied; absent taps stay absent. Scratch
 * has the slices and rows of the task's output positions, of a single slice just those that its taps see, and all
 * columns; channels_first if the input is, so that copies are contiguous, else channels_last. */
#include "algo/direct/tile.h"

int64_t pack_input_positions(const problem *p, const cvk_plan *plan, int axis) {
    plan_loop loop = tile_loop_of(axis);
    int64_t unit = plan_unit(plan, loop), tiles = ceil_div(p->axis[axis].out, unit);
    return tiles_within(plan, plan->tasks, loop, tiles, unit) * unit;
}

/* Input positions that scratch holds along an axis. */
static int64_t packed_size(const problem *p, const cvk_plan *plan, int axis) {
    const problem_axis *a = &p->axis[axis];
    int64_t positions = pack_input_positions(p, plan, axis);
    if (axis == AXIS_D && positions == 1) return a->taps;
    return (positions - 1) * a->step + (a->taps - 1) * a->tap_step + 1;
}

/* Scratch is of one image and, unless all groups are taken together, of one group. */
problem pack_input_problem(const problem *p, const cvk_plan *plan, const family *f) {
    problem packed = p->border == PAD_ZEROS ? *p : problem_with_border_packed(p);
    int64_t channels = f->depthwise ? p->x.channels : p->in_channels;
    const int64_t size[AXES] = {packed_size(p, plan, AXIS_D), packed_size(p, plan, AXIS_H), packed.axis[AXIS_W].in};
    packed.x = view_dense(p->x.type, view_has_channels_together(&p->x) ? CVK_CHANNELS_LAST : CVK_CHANNELS_FIRST, 1,
                          channels, 1, size);
    packed.x.n = 0;
    packed.x.group = f->depthwise ? p->x.group : 0;
    return packed;
}

static bool bordered(const tile *t) { return t->whole.border != PAD_ZEROS; }

/* Positions of the border in front of an axis' input, and behind it. */
static int64_t before_of(const tile *t, int axis) { return bordered(t) ? axis_before(&t->whole.axis[axis]) : 0; }
static int64_t after_of(const tile *t, int axis) { return bordered(t) ? axis_after(&t->whole.axis[axis]) : 0; }

static int64_t channels_of(const tile *t) { return t->p.x.channels; }

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
    int64_t n = t->whole.axis[axis].in, before = before_of(t, axis), after = after_of(t, axis);
    padding_mode mode = t->whole.border;
    affine minus = affine_scale(i, -1);
    border_case inside = {i, affine_offset(minus, n - 1), i};
    border_case in_front = {affine_offset(i, before), affine_offset(minus, -1), before_source(mode, i, n)};
    border_case behind = {affine_offset(i, -n), affine_offset(minus, n - 1 + after), after_source(mode, i, n)};
    int count = 0;
    add_case(t->b, inside, cases, &count);
    if (before > 0) add_case(t->b, in_front, cases, &count);
    if (after > 0) add_case(t->b, behind, cases, &count);
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
    tensor_view input;
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
    view_load(t->b, &c->input, &read, r, reg(c->registers, affine_constant(1)));
    view_store(t->b, &t->x, &written, r);
}

/* All channels of one pixel, a vector at a time. */
static void copy_pixel(const copy *c, position from, position to) {
    nest_builder *b = c->t->b;
    int64_t channels = channels_of(c->t), lanes = c->t->lanes, whole = channels / lanes;
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
    int64_t columns = c->t->whole.axis[AXIS_W].in, lanes = c->t->lanes, whole = columns / lanes;
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
    from = at_column(from, source ? source(t->whole.border, w, t->whole.axis[AXIS_W].in) : w);
    to = at_column(to, affine_offset(w, shift));
    if (view_has_channels_together(&t->x.v)) {
        copy_pixel(c, from, to);
    } else {
        nest_range one = range_of(t->b, 0, 1);
        affine channel = build_loop(t->b, "c", channels_of(t));
        copy_vector(c, from, to, channel, false, &one);
        build_end(t->b);
    }
    build_end(t->b);
}

static void copy_row(const copy *c, position from, position to) {
    tile *t = c->t;
    int64_t columns = t->whole.axis[AXIS_W].in, before = before_of(t, AXIS_W), after = after_of(t, AXIS_W);
    if (view_has_channels_together(&t->x.v)) {
        copy_columns(c, from, to, 0, columns, before, NULL);
    } else {
        affine channel = build_loop(t->b, "c", channels_of(t));
        copy_run(c, from, to, channel, before);
        build_end(t->b);
    }
    if (before) copy_columns(c, from, to, -before, before, before, before_source);
    if (after) copy_columns(c, from, to, columns, after, before, after_source);
}

static void copy_slice(const copy *c, affine depth, affine slice) {
    tile *t = c->t;
    affine r = build_loop(t->b, "row", packed_size(&t->whole, t->plan, AXIS_H));
    border_case rows[3];
    int count = border_cases(t, AXIS_H, affine_offset(affine_add(t->packed[AXIS_H], r), -before_of(t, AXIS_H)), rows);
    for (int i = 0; i < count; i++) {
        open_case(t->b, &rows[i]);
        copy_row(c, (position){{depth, rows[i].source, affine_constant(0)}},
                 (position){{slice, r, affine_constant(0)}});
        close_case(t->b);
    }
    build_end(t->b);
}

/* Where the output positions of the task begin. */
static affine first_output(const tile *t, int axis) {
    const tile_loop *l = &t->loop[tile_loop_of(axis)];
    bool stands = plan_level_of(&t->plan->order, tile_loop_of(axis), false) < t->plan->tasks;
    return affine_scale(stands ? l->number : l->first, t->size[axis]);
}

/* The input position that the first tap of these sees, the border counted. */
static affine first_position(const tile *t, int axis) {
    return input_position(&t->p.axis[axis], first_output(t, axis), affine_constant(0));
}

/* Slices of scratch: those that the taps of a single one see, or all from the first on. */
static affine open_slices(tile *t, affine *source) {
    nest_builder *b = t->b;
    const problem_axis *axis = &t->p.axis[AXIS_D];
    if (pack_input_positions(&t->whole, t->plan, AXIS_D) > 1) {
        affine slice = build_loop(b, "slice", packed_size(&t->whole, t->plan, AXIS_D));
        *source = affine_add(t->packed[AXIS_D], slice);
        return slice;
    }
    affine od = first_output(t, AXIS_D), kd = build_for(b, VARIABLE_LOOP, "kd", present_taps(b, axis, od));
    *source = input_position(axis, od, kd);
    return kd;
}

void pack_input_build(tile *t) {
    nest_builder *b = t->b;
    t->n = t->loop[LOOP_N].number;
    affine group = t->family->depthwise ? affine_constant(0) : t->loop[LOOP_G].number;
    affine first = affine_scale(group, t->whole.x.group), depth;
    copy c = {t, {.tensor = t->input, .v = t->whole.x}, nest_add_register(b, "copy", t->p.sum, t->lanes, 2), first};
    for (int a = 0; a < AXIS_W; a++) t->packed[a] = first_position(t, a);
    t->packed[AXIS_W] = affine_constant(0);
    affine slice = open_slices(t, &depth);
    border_case slices[3];
    int count = border_cases(t, AXIS_D, affine_offset(depth, -before_of(t, AXIS_D)), slices);
    for (int i = 0; i < count; i++) {
        open_case(b, &slices[i]);
        copy_slice(&c, slices[i].source, slice);
        close_case(b);
    }
    build_end(b);
}
