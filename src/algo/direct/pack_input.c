/* Packed input: a task copies what its taps see to scratch. Scratch has the slices, rows and columns of the task's
 * output positions, of a single slice just those that its taps see; of the channels, a group's, or where groups are
 * taken together those of the task. It holds the border too, where padding_mode asks for one or the plan for one of
 * zeros, so that the reduction finds every tap present; else absent taps stay absent, and what they would see is not
 * copied. Channels lie together in scratch if they do in the input, so that copies are contiguous, or, transposed, if
 * they do not: square by square, in registers. Scratch is of the type that is summed in: halves are widened once, on
 * their way there; or of what a dot takes, the channels of a step side by side and those of the last one filled up.
 *
 * Of a family that unfolds, scratch is the matrix of im2col: along each axis as many positions for a tap as the task
 * has outputs, those of one tap behind those of the one before. A tap of an output then has an input of its own, border
 * and all, and whatever the strides and dilations were the reduction goes through a matrix product. */
#include "algo/border.h"
#include "algo/direct/tile.h"

static bool has_border(const problem *p, const cvk_plan *plan, const family *f) {
    return f->unfolds || p->border != PAD_ZEROS || plan->pack_border;
}

int64_t pack_input_positions(const problem *p, const cvk_plan *plan, int axis) {
    plan_loop loop = tile_loop_of(axis);
    int64_t unit = plan_unit(plan, loop), tiles = ceil_div(p->axis[axis].out, unit);
    return tiles_within(plan, plan->tasks, loop, tiles, unit) * unit;
}

/* Input positions, first to last, that so many of output see. */
static int64_t positions_seen(const problem_axis *a, int64_t outputs) {
    return (outputs - 1) * a->step + (a->taps - 1) * a->tap_step + 1;
}

/* Outputs of a task along an axis, as far as there are any. */
static int64_t outputs_of(const problem *p, const cvk_plan *plan, int axis) {
    return lesser(pack_input_positions(p, plan, axis), p->axis[axis].out);
}

/* Input positions that scratch holds along an axis. */
static int64_t packed_size(const problem *p, const cvk_plan *plan, const family *f, int axis) {
    const problem_axis *a = &p->axis[axis];
    int64_t outputs = outputs_of(p, plan, axis);
    if (f->unfolds) return a->taps * outputs;
    if (axis == AXIS_D && pack_input_positions(p, plan, axis) == 1) return a->taps;
    return positions_seen(a, outputs);
}

/* Each tap has the positions of all outputs of a task for itself. */
static problem unfolded(const problem *p, const cvk_plan *plan) {
    problem u = *p;
    for (int a = 0; a < AXES; a++) {
        const int64_t apart = outputs_of(p, plan, a);
        u.axis[a] = (problem_axis){.out = p->axis[a].out,
                                   .taps = p->axis[a].taps,
                                   .in = p->axis[a].out + (p->axis[a].taps - 1) * apart,
                                   .step = 1,
                                   .tap_step = apart};
    }
    u.border = PAD_ZEROS;
    return u;
}

/* Channels that scratch holds: of a group, or of the task's groups. */
static int64_t packed_channels(const problem *p, const cvk_plan *plan, const family *f) {
    if (!f->all_groups) return p->in_channels;
    int64_t tiles = ceil_div(p->x.channels, plan->tile_oc);
    return lesser(tiles_within(plan, plan->tasks, LOOP_OC, tiles, plan->tile_oc) * plan->tile_oc, p->x.channels);
}

static view scratch_of(const problem *p, const cvk_plan *plan, const family *f, const target_dot *dot, int lanes) {
    const bool together = view_has_channels_together(&p->x) != plan->pack_transposed;
    const int64_t size[AXES] = {packed_size(p, plan, f, AXIS_D), packed_size(p, plan, f, AXIS_H),
                                packed_size(p, plan, f, AXIS_W)};
    const cvk_layout layout = together ? CVK_CHANNELS_LAST : CVK_CHANNELS_FIRST;
    if (dot && f->dots == DOTS_ROWS) return row_dot_scratch(p, plan, dot, packed_channels(p, plan, f), lanes);
    if (dot && f->dots == DOTS_CHANNELS) return dot_scratch(p, dot, size);
    return view_dense(dot ? dot->x : p->sum, layout, 1, packed_channels(p, plan, f), 1, size);
}

/* Scratch is of one image and, unless groups are taken together, of one group. */
problem pack_input_problem(const problem *p, const cvk_plan *plan, const family *f, const target_dot *dot, int lanes) {
    problem packed = f->unfolds ? unfolded(p, plan) : has_border(p, plan, f) ? problem_with_border_packed(p) : *p;
    packed.x = scratch_of(p, plan, f, dot, lanes);
    packed.x.n = 0;
    packed.x.group = f->all_groups ? p->x.group : 0;
    return packed;
}

static bool bordered(const tile *t) { return has_border(&t->whole, t->plan, t->family); }

/* Positions of the border in front of an axis' input, and behind it. */
static int64_t before_of(const tile *t, int axis) { return bordered(t) ? axis_before(&t->whole.axis[axis]) : 0; }
static int64_t after_of(const tile *t, int axis) { return bordered(t) ? axis_after(&t->whole.axis[axis]) : 0; }

/* What a border of one number is. */
static double constant_of(const problem *p) { return p->border == PAD_CONSTANT ? p->constant : 0; }

static int border_cases(const tile *t, int axis, affine i, border_case cases[BORDER_CASES]) {
    return border_cases_of(t->b, t->whole.border, t->whole.axis[axis].in, before_of(t, axis), after_of(t, axis), i,
                           cases);
}

/* ---- lines: of channels of a pixel, or of columns of a channel ---- */

/* Which channels and columns of scratch are filled, and what lies there in the input. */
typedef struct copy {
    tile *t;
    tensor_view input;
    int registers;     /* array: of a square, of its transpose, and one; or one and another */
    int lanes;         /* of its registers */
    int brought;       /* arrays: channels that a dot wants side by side, brought together */
    affine channel;    /* number in the input of scratch's first */
    int64_t channels;  /* from the first on */
    int64_t begin;     /* scratch's first column of a line, */
    affine column;     /* that of the input, */
    int64_t step;      /* and from one of those to the next */
    int64_t low, high; /* columns of the line that are the input's; before and behind them is border */
    int64_t width;
    position from, to; /* slice and row */
    bool constant;     /* of a row of border that is one number */
} copy;

static register_ref vector_of(const copy *c, affine index) { return reg(c->registers, index); }
static register_ref spare(const copy *c) {
    return vector_of(c, affine_constant(c->t->plan->pack_transposed ? 2 * c->t->lanes : 1));
}

static position at_column(position p, affine column) {
    p.at[AXIS_W] = column;
    return p;
}

/* A channel and a column of scratch, and the column of the input that belongs there. */
typedef struct spot {
    affine channel, column, source;
} spot;

static lane_map lanes_read(const copy *c, const spot *p, bool along_channels, const nest_range *valid) {
    return (lane_map){c->t->n,
                      affine_add(c->channel, p->channel),
                      at_column(c->from, p->source),
                      .channel_step = along_channels,
                      .column_step = along_channels ? 0 : c->step,
                      .valid = valid};
}

static lane_map lanes_written(const copy *c, const spot *p, bool along_channels, const nest_range *valid) {
    return (lane_map){affine_constant(0),
                      p->channel,
                      at_column(c->to, p->column),
                      .channel_step = along_channels,
                      .column_step = !along_channels,
                      .valid = valid};
}

/* A border of one number, as scratch holds it. */
static double border_of(const copy *c) {
    const problem *p = &c->t->whole;
    return constant_of(p) + (c->t->dot ? dot_zero(p, c->t->dot) : 0);
}

static void load_vector(const copy *c, const spot *p, bool along_channels, const nest_range *valid, register_ref to) {
    lane_map read = lanes_read(c, p, along_channels, valid);
    if (c->constant) {
        build_const(c->t->b, to, border_of(c));
        return;
    }
    view_load(c->t->b, &c->input, &read, to, spare(c));
    dot_shift_loaded(c->t, to, spare(c));
}

/* As many lanes, if not all, as are there, and of channels what fills the last step up. */
static void copy_vector(const copy *c, const spot *p, bool along_channels, int64_t count) {
    nest_builder *b = c->t->b;
    const int64_t steps = along_channels && c->t->dot ? c->t->dot->factors : 1;
    nest_range read = range_of(b, 0, count), filled = range_of(b, 0, ceil_div(count, steps) * steps);
    lane_map written = lanes_written(c, p, along_channels, count < c->lanes ? &filled : NULL);
    register_ref r = vector_of(c, affine_constant(0));
    load_vector(c, p, along_channels, count < c->lanes ? &read : NULL, r);
    view_store(b, &c->t->x, &written, r);
}

static spot advanced(const copy *c, const spot *p, affine steps, bool along_channels) {
    spot next = *p;
    if (along_channels) {
        next.channel = affine_add(next.channel, steps);
    } else {
        next.column = affine_add(next.column, steps);
        next.source = affine_add_scaled(next.source, steps, c->step);
    }
    return next;
}

/* Of a column of the line. */
static affine source_of(const copy *c, affine column) { return affine_add_scaled(c->column, column, c->step); }

/* So many elements side by side, a vector at a time. */
static void copy_line(const copy *c, spot p, int64_t count, bool along_channels) {
    nest_builder *b = c->t->b;
    int64_t lanes = c->lanes, whole = count / lanes;
    if (whole > 0) {
        spot at = advanced(c, &p, affine_scale(build_loop(b, "v", whole), lanes), along_channels);
        copy_vector(c, &at, along_channels, lanes);
        build_end(b);
    }
    if (count % lanes == 0) return;
    spot at = advanced(c, &p, affine_constant(whole * lanes), along_channels);
    copy_vector(c, &at, along_channels, count % lanes);
}

/* ---- channels brought side by side for a dot, of columns that lie side by side ---- */

static bool brings_together(const copy *c) {
    return c->t->dot && c->t->reduced > 1 && !view_has_channels_together(&c->input.v);
}

/* Up to a register of columns of the channels of a step, those that exist. */
static void bring_vectors(const copy *c, const spot *p, int64_t channels, int64_t columns) {
    nest_builder *b = c->t->b;
    const int n = c->t->dot->factors;
    nest_range valid = range_of(b, 0, columns);
    for (int i = 0; i < n; i++) {
        spot at = advanced(c, p, affine_constant(i), true);
        register_ref r = reg(c->brought, affine_constant(i));
        if (i < channels)
            load_vector(c, &at, false, columns < c->lanes ? &valid : NULL, r);
        else
            build_const(b, r, 0);
    }
    const int whole = dot_bring(c->t, c->brought);
    for (int i = 0; i < n && (int64_t)i * c->lanes < columns * n; i++) {
        int64_t left = lesser(columns * n - (int64_t)i * c->lanes, c->lanes);
        nest_range stored = range_of(b, 0, left);
        spot at = advanced(c, p, affine_constant(i * (c->lanes / n)), false);
        const position to = at_column(c->to, at.column);
        affine offset = view_offset(b, &c->t->x.v, affine_constant(0), at.channel, &to);
        build_store(b, access_at(c->t->x.tensor, offset, 1), reg(whole, affine_constant(i)),
                    left < c->lanes ? &stored : NULL);
    }
}

static void bring_line(const copy *c, spot p, int64_t channels, int64_t count) {
    nest_builder *b = c->t->b;
    const int64_t lanes = c->lanes, whole = count / lanes;
    if (whole > 0) {
        spot at = advanced(c, &p, affine_scale(build_loop(b, "v", whole), lanes), false);
        bring_vectors(c, &at, channels, lanes);
        build_end(b);
    }
    if (count % lanes == 0) return;
    spot at = advanced(c, &p, affine_constant(whole * lanes), false);
    bring_vectors(c, &at, channels, count % lanes);
}

/* Columns of all channels, a step of them after the other. */
static void bring_columns(const copy *c, affine column, affine source, int64_t count) {
    nest_builder *b = c->t->b;
    const int64_t n = c->t->dot->factors, whole = c->channels / n;
    if (whole > 0) {
        spot p = {affine_scale(build_loop(b, "c", whole), n), column, source};
        bring_line(c, p, n, count);
        build_end(b);
    }
    if (c->channels % n > 0) bring_line(c, (spot){affine_constant(whole * n), column, source}, c->channels % n, count);
}

static bool scratch_has_channels_together(const copy *c) { return view_has_channels_together(&c->t->x.v); }
static bool input_has_channels_together(const copy *c) { return view_has_channels_together(&c->input.v); }

/* All channels of one pixel. */
static void copy_pixel(const copy *c, affine column, affine source) {
    nest_builder *b = c->t->b;
    spot p = {affine_constant(0), column, source};
    if (brings_together(c)) {
        bring_columns(c, column, source, 1);
        return;
    }
    if (scratch_has_channels_together(c) && (c->constant || input_has_channels_together(c))) {
        copy_line(c, p, c->channels, true);
        return;
    }
    p.channel = build_loop(b, "c", c->channels);
    copy_line(c, p, 1, false);
    build_end(b);
}

/* Whether a pixel's channels are followed by those of the next, here and there: a row is one line then. */
static bool columns_follow_on(const copy *c) {
    const view *to = &c->t->x.v, *from = &c->input.v;
    return to->channel == 1 && to->axis[AXIS_W] == c->channels &&
           (c->constant ||
            (c->step == 1 && from->block == 1 && from->channel == 1 && from->axis[AXIS_W] == c->channels));
}

/* Columns that lie one after another in both places, or are all one number. */
static void copy_columns(const copy *c, int64_t first, int64_t count) {
    nest_builder *b = c->t->b;
    affine source = source_of(c, affine_constant(first)), column = affine_constant(c->begin + first);
    if (brings_together(c)) {
        bring_columns(c, column, source, count);
        return;
    }
    if (columns_follow_on(c)) {
        copy_line(c, (spot){affine_constant(0), column, source}, count * c->channels, true);
        return;
    }
    if (scratch_has_channels_together(c)) {
        affine w = build_loop(b, "w", count);
        copy_pixel(c, affine_add(w, column), affine_add_scaled(source, w, c->step));
    } else {
        spot p = {build_loop(b, "c", c->channels), column, source};
        copy_line(c, p, count, false);
    }
    build_end(b);
}

/* ---- transposed: squares of channels and columns ---- */

static void load_square(const copy *c, const spot *p, int64_t registers, int64_t lanes) {
    nest_builder *b = c->t->b;
    bool along_channels = input_has_channels_together(c);
    nest_range valid = range_of(b, 0, lanes);
    affine i = build_unrolled(b, "i", registers);
    spot at = advanced(c, p, i, !along_channels);
    lane_map read = lanes_read(c, &at, along_channels, &valid);
    view_load(b, &c->input, &read, vector_of(c, i), spare(c));
    build_end(b);
}

static void copy_square(const copy *c, const spot *p, int64_t channels, int64_t columns) {
    nest_builder *b = c->t->b;
    bool along_channels = input_has_channels_together(c);
    int64_t registers = along_channels ? columns : channels, lanes = along_channels ? channels : columns;
    load_square(c, p, registers, lanes);
    square_turn(b, c->registers, registers);
    nest_range valid = range_of(b, 0, registers);
    affine i = build_unrolled(b, "i", lanes);
    spot at = advanced(c, p, i, along_channels);
    lane_map written = lanes_written(c, &at, !along_channels, &valid);
    view_store(b, &c->t->x, &written, vector_of(c, affine_offset(i, c->t->lanes)));
    build_end(b);
}

static void copy_squares_across(const copy *c, affine channel, int64_t channels) {
    nest_builder *b = c->t->b;
    int64_t lanes = c->t->lanes, columns = c->high - c->low, whole = columns / lanes;
    const spot first = {channel, affine_constant(c->begin + c->low), source_of(c, affine_constant(c->low))};
    if (whole > 0) {
        spot p = advanced(c, &first, affine_scale(build_loop(b, "square", whole), lanes), false);
        copy_square(c, &p, channels, lanes);
        build_end(b);
    }
    if (columns % lanes == 0) return;
    spot p = advanced(c, &first, affine_constant(whole * lanes), false);
    copy_square(c, &p, channels, columns % lanes);
}

static void copy_squares(const copy *c) {
    nest_builder *b = c->t->b;
    int64_t lanes = c->t->lanes, whole = c->channels / lanes;
    if (whole > 0) {
        copy_squares_across(c, affine_scale(build_loop(b, "cb", whole), lanes), lanes);
        build_end(b);
    }
    if (c->channels % lanes > 0) copy_squares_across(c, affine_constant(whole * lanes), c->channels % lanes);
}

/* ---- rows and slices ---- */

/* Columns of border, each from where the mode says. */
static void copy_border(copy c, int64_t first, int64_t count, affine (*source)(padding_mode, affine, int64_t)) {
    nest_builder *b = c.t->b;
    if (count == 0) return;
    c.constant = c.constant || border_is_constant(c.t->whole.border);
    if (c.constant) {
        copy_columns(&c, first, count);
        return;
    }
    affine column = affine_offset(build_loop(b, "w", count), first), i = source_of(&c, column);
    copy_pixel(&c, affine_offset(column, c.begin), source(c.t->whole.border, i, c.t->whole.axis[AXIS_W].in));
    build_end(b);
}

static void copy_row(const copy *c) {
    if (c->constant) {
        copy_columns(c, 0, c->width);
        return;
    }
    if (c->high > c->low) {
        if (c->t->plan->pack_transposed)
            copy_squares(c);
        else
            copy_columns(c, c->low, c->high - c->low);
    }
    if (!bordered(c->t)) return;
    copy_border(*c, 0, c->low, border_before);
    copy_border(*c, c->high, c->width - c->high, border_after);
}

/* ---- the task ---- */

/* Where the output positions, or channels, of the task begin. */
static affine first_of(const tile *t, plan_loop loop, int64_t unit) {
    const tile_loop *l = &t->loop[loop];
    bool stands = plan_level_of(&t->plan->order, loop, false) < t->plan->tasks;
    return affine_scale(stands ? l->number : l->first, unit);
}

static affine first_output(const tile *t, int axis) { return first_of(t, tile_loop_of(axis), t->size[axis]); }

/* The input position that the first tap of these sees, the border counted. */
static affine first_position(const tile *t, int axis) {
    return input_position(&t->p.axis[axis], first_output(t, axis), affine_constant(0));
}

/* A row or slice of scratch, the border not counted, and where in the input it comes from. */
typedef struct line {
    affine to, source;
    int loops; /* that were opened for it */
} line;

static void close_line(tile *t, const line *l) {
    for (int i = 0; i < l->loops; i++) build_end(t->b);
}

/* Those of one tap behind those of the one before. */
static line open_unfolded(tile *t, int axis, const char *of, const char *name) {
    const problem_axis *a = &t->whole.axis[axis];
    const int64_t outputs = outputs_of(&t->whole, t->plan, axis);
    const affine k = build_loop(t->b, of, a->taps), o = build_loop(t->b, name, outputs);
    return (line){affine_add_scaled(o, k, outputs), input_position(a, affine_add(first_output(t, axis), o), k), 2};
}

static line open_rows(tile *t) {
    const affine row = build_loop(t->b, "row", packed_size(&t->whole, t->plan, t->family, AXIS_H));
    return (line){row, affine_offset(affine_add(t->packed[AXIS_H], row), -before_of(t, AXIS_H)), 1};
}

/* Slices of scratch: those that the taps of a single one see, or all from the first on. */
static line open_slices(tile *t) {
    nest_builder *b = t->b;
    const problem_axis *axis = &t->p.axis[AXIS_D];
    const int64_t before = before_of(t, AXIS_D);
    if (pack_input_positions(&t->whole, t->plan, AXIS_D) > 1) {
        affine slice = build_loop(b, "slice", packed_size(&t->whole, t->plan, t->family, AXIS_D));
        return (line){slice, affine_offset(affine_add(t->packed[AXIS_D], slice), -before), 1};
    }
    affine od = first_output(t, AXIS_D), kd = build_for(b, VARIABLE_LOOP, "kd", present_taps(b, axis, od));
    return (line){kd, affine_offset(input_position(axis, od, kd), -before), 1};
}

static void copy_slice(copy c) {
    tile *t = c.t;
    const bool constant = c.constant;
    const line row = t->family->unfolds ? open_unfolded(t, AXIS_H, "kh", "row") : open_rows(t);
    border_case rows[BORDER_CASES];
    int count = border_cases(t, AXIS_H, row.source, rows);
    c.to.at[AXIS_H] = row.to;
    for (int i = 0; i < count; i++) {
        border_open(t->b, rows[i].low, rows[i].high);
        c.from.at[AXIS_H] = rows[i].source;
        c.constant = constant || rows[i].nowhere;
        copy_row(&c);
        border_close(t->b);
    }
    close_line(t, &row);
}

static void copy_slices(copy c) {
    tile *t = c.t;
    const line slice = t->family->unfolds ? open_unfolded(t, AXIS_D, "kd", "slice") : open_slices(t);
    border_case slices[BORDER_CASES];
    int count = border_cases(t, AXIS_D, slice.source, slices);
    c.to.at[AXIS_D] = slice.to;
    for (int i = 0; i < count; i++) {
        border_open(t->b, slices[i].low, slices[i].high);
        c.from.at[AXIS_D] = slices[i].source;
        c.constant = slices[i].nowhere;
        copy_slice(c);
        border_close(t->b);
    }
    close_line(t, &slice);
}

/* A line for all taps of a row, or one for each. */
static int64_t lines_of(const tile *t) { return t->family->unfolds ? t->whole.axis[AXIS_W].taps : 1; }

/* Which columns of a line, of so many outputs from number `at` on, are the input's: the first of the blocks that share
 * its code begins with output `first`, the last with output `last`. */
static void set_line(copy *c, int64_t number, affine at, int64_t outputs, int64_t first, int64_t last) {
    const problem_axis *axis = &c->t->whole.axis[AXIS_W];
    const bool unfolds = c->t->family->unfolds;
    const int64_t origin = axis->origin + number * axis->tap_step, low = first * axis->step + origin,
                  high = last * axis->step + origin;
    c->step = unfolds ? axis->step : 1;
    c->begin = number * outputs_of(&c->t->whole, c->t->plan, AXIS_W);
    c->column = affine_offset(affine_scale(at, axis->step), origin);
    c->width = unfolds ? outputs : positions_seen(axis, outputs);
    c->low = lesser(ceil_div(greater(0, -low), c->step), c->width);
    c->high = greater(c->low, lesser(c->width, ceil_div(greater(0, axis->in - high), c->step)));
}

/* Blocks `from` to `to` of columns, `outputs` each, that see the same columns of the input. */
static void copy_blocks(copy c, int64_t from, int64_t to, int64_t block, int64_t outputs) {
    tile *t = c.t;
    affine at = first_output(t, AXIS_W);
    border_open(t->b, affine_offset(at, -from * block), affine_offset(affine_scale(at, -1), to * block));
    for (int64_t i = 0; i < lines_of(t); i++) {
        set_line(&c, i, at, outputs, from * block, to * block);
        copy_slices(c);
    }
    border_close(t->b);
}

/* Blocks that see the same columns share their code; the last may be shorter. */
static void copy_spans(copy c) {
    tile *t = c.t;
    const problem_axis *axis = &t->whole.axis[AXIS_W];
    const int64_t block = outputs_of(&t->whole, t->plan, AXIS_W);
    const int64_t whole = axis->out / block, rest = axis->out % block;
    const problem_axis blocks = axis_windows(axis, whole, block * axis->step, positions_seen(axis, block));
    span_list list = axis_spans(t->b->nest->arena, &blocks, 1);
    for (int i = 0; i < list.count; i++)
        copy_blocks(c, list.span[i].start_first, list.span[i].start_last, block, block);
    if (rest > 0) copy_blocks(c, whole, whole, block, rest);
}

/* Where groups are taken together, the last task may have fewer channels. */
static void copy_channels(copy c) {
    tile *t = c.t;
    int64_t all = t->family->all_groups ? t->whole.x.channels : t->whole.in_channels, some = t->p.x.channels;
    affine first = t->packed_channel;
    c.channels = some;
    border_open(t->b, affine_offset(affine_scale(first, -1), all - some), affine_constant(0));
    copy_spans(c);
    border_close(t->b);
    if (all % some == 0) return;
    c.channels = all % some;
    const int64_t last = all - c.channels; /* behind it there may be a task of nothing but fill */
    border_open(t->b, affine_offset(first, -last), affine_offset(affine_scale(first, -1), last));
    copy_spans(c);
    border_close(t->b);
}

/* Registers of what is copied; of a dot as many channels of a blocked input as lie together, no more. */
static int copy_lanes(const tile *t) {
    const int64_t block = t->whole.x.block;
    if (!t->dot) return t->lanes;
    return (int)(block > 1 ? lesser(block, target_lanes(t->target, t->dot->x)) : target_lanes(t->target, t->dot->x));
}

void pack_input_build(tile *t) {
    const bool together = t->family->all_groups;
    const int lanes = copy_lanes(t);
    t->n = t->loop[LOOP_N].number;
    for (int a = 0; a < AXES; a++) t->packed[a] = first_position(t, a);
    t->packed_channel = together ? first_of(t, LOOP_OC, t->oc.size) : affine_constant(0);
    if (tile_dots_rows(t)) {
        row_dot_pack_input(t);
        return;
    }
    affine group = together ? affine_constant(0) : t->loop[LOOP_G].number;
    copy_channels((copy){.t = t,
                         .input = {.tensor = t->input, .v = t->whole.x},
                         .registers = nest_add_register(t->b, "copy", t->dot ? t->dot->x : t->p.sum, lanes,
                                                        t->plan->pack_transposed ? 2 * t->lanes + 1 : 2),
                         .lanes = lanes,
                         .brought = t->dot ? dot_add_brought(t, lanes) : -1,
                         .channel = affine_add_scaled(t->packed_channel, group, t->whole.x.group)});
}
