/* Inputs at other places: of each axis the nearest one, or two, weighed by how near they are. Where on an axis an
 * output lies is known but for its quotient, which nests count with; where that is outside, an edge stands for it,
 * which is why the ends of an axis have code of their own.
 *
 *     for n, od, oh                          tasks
 *       channels side by side:   for ow: weights of the column; for vectors of channels: one pixel
 *       columns side by side:    for channels: for vectors of columns: one load and a shuffle for each of the two,
 *                                where indices and weights repeat from vector to vector; else column by column */
#include "algo/access.h"
#include "algo/channel_blocks.h"
#include "algo/cost.h"
#include "algo/epilogue.h"

#include <math.h>

enum { TAPS = 2 };
enum { VALUE, OTHER, SPARE, PER_AXIS }; /* registers; two an axis, as a sum is nested in the next axis' */

/* Where an axis' inputs are: one, or two with their weights. */
typedef struct reading {
    int taps;
    affine low;
    register_ref weight[TAPS];
} reading;

typedef struct resizing {
    nest_builder b;
    const problem *p;
    bool channels; /* lanes are channels */
    int lanes;
    tensor_view x;
    epilogue out;
    channel_blocks oc;
    int registers, weights;
    affine n, at[AXES]; /* the output at hand */
    reading reads[AXES];
    lane_map where; /* of what is stored */
    bool with_fill;
    const int *pattern; /* of a vector of columns: which input, from the first on, each lane reads; NULL: one column */
    int64_t span;       /* inputs that it reads */
} resizing;

static register_ref only(const resizing *s, int which) { return reg(s->registers, affine_constant(which)); }
static register_ref level(const resizing *s, int axis, int which) { return only(s, PER_AXIS + 2 * axis + which); }
static register_ref weight(const resizing *s, int axis, int which) {
    return reg(s->weights, affine_constant(TAPS * axis + which));
}

/* ---- where an axis is read ---- */

/* Rational numbers of a lane, or of all. */
static void number_over(resizing *s, register_ref to, affine number, int64_t divisor) {
    build_number(&s->b, to, number, 0);
    build_const(&s->b, only(s, SPARE), (double)divisor);
    build_op(&s->b, OP_DIV, to, to, only(s, SPARE));
}

/* Between the edges. */
static void read_between(resizing *s, int axis, affine o) {
    const axis_sample *a = &s->p->sample[axis];
    reading *r = &s->reads[axis];
    const affine spot = affine_offset(affine_scale(o, a->step), a->origin);
    *r = (reading){1, build_quotient(&s->b, spot, a->divisor), {weight(s, axis, 0), weight(s, axis, 1)}};
    if (!a->linear) return;
    const affine rest = affine_add_scaled(spot, r->low, -a->divisor);
    r->taps = TAPS;
    number_over(s, r->weight[0], affine_offset(affine_scale(rest, -1), a->divisor), a->divisor);
    number_over(s, r->weight[1], rest, a->divisor);
}

static void read_edge(resizing *s, int axis, int64_t input) {
    s->reads[axis] = (reading){.taps = 1, .low = affine_constant(input)};
}

/* ---- one vector ---- */

static void load_inputs(resizing *s, const affine at[AXES], int tap, register_ref to) {
    nest_builder *b = &s->b;
    lane_map m = s->where;
    for (int a = 0; a < AXES; a++) m.at.at[a] = at[a];
    if (s->channels) {
        view_load(b, &s->x, &m, to, only(s, SPARE));
        return;
    }
    const nest_access from = access_at(s->x.tensor, view_offset(b, &s->x.v, m.n, m.channel, &m.at), 1);
    if (!s->pattern) {
        build_splat(b, to, from);
        return;
    }
    int pattern[NEST_MOST_LANES];
    for (int l = 0; l < s->lanes; l++) pattern[l] = s->pattern[l] + tap;
    const nest_range read = range_of(b, 0, s->span);
    build_load(b, only(s, SPARE), from, &read);
    build_shuffle(b, to, only(s, SPARE), only(s, SPARE), pattern);
}

/* From this axis on; the last is the row. */
static void interpolate(resizing *s, int axis, affine at[AXES], register_ref to) {
    const reading *r = &s->reads[axis];
    for (int tap = 0; tap < r->taps; tap++) {
        const register_ref one = tap ? level(s, axis, 1) : to;
        const bool in_vector = axis == AXIS_W && s->pattern;
        at[axis] = in_vector ? r->low : affine_offset(r->low, tap);
        if (axis < AXIS_W)
            interpolate(s, axis + 1, at, one);
        else
            load_inputs(s, at, tap, one);
        if (r->taps == 1) return;
        if (tap == 0)
            build_op(&s->b, OP_MUL, to, to, r->weight[0]);
        else
            build_fma(&s->b, to, one, r->weight[1], NULL);
    }
}

static void make_vector(resizing *s) {
    affine at[AXES];
    interpolate(s, 0, at, only(s, VALUE));
    epilogue_store(&s->out, only(s, VALUE), &s->where, s->with_fill);
}

static void stand_at(resizing *s, affine channel, const nest_range *valid) {
    s->where = (lane_map){.n = s->n, .channel = channel, .valid = valid};
    for (int a = 0; a < AXES; a++) s->where.at.at[a] = s->at[a];
    s->where.channel_step = s->channels;
    s->where.column_step = !s->channels;
}

/* ---- a column ---- */

static void make_channels(void *context, const channel_vector *v) {
    resizing *s = context;
    stand_at(s, v->channel, v->valid);
    s->with_fill = v->with_fill;
    if (v->exist > 0)
        make_vector(s);
    else
        epilogue_store_zeros(&s->out, &s->where);
}

static void make_column(resizing *s) {
    nest_builder *b = &s->b;
    if (s->channels) {
        channel_blocks_each(&s->oc, b, 1, make_channels, s);
        return;
    }
    const nest_range one = range_of(b, 0, 1);
    affine c = build_loop(b, "c", s->oc.channels);
    stand_at(s, c, &one);
    make_vector(s);
    build_end(b);
}

static void make_columns(resizing *s, int64_t low, int64_t high, int64_t edge) {
    if (low >= high) return;
    s->at[AXIS_W] = build_for(&s->b, VARIABLE_LOOP, "ow", range_of(&s->b, low, high));
    if (edge < 0)
        read_between(s, AXIS_W, s->at[AXIS_W]);
    else
        read_edge(s, AXIS_W, edge);
    make_column(s);
    build_end(&s->b);
}

/* ---- vectors of columns ---- */

/* Lane l of a vector that begins at `first`, a multiple of the lanes, reads input base + pattern[l], where the vector
 * moves the base by `advance`. */
typedef struct rhythm {
    int64_t first, count, base, advance, span;
    int pattern[NEST_MOST_LANES];
    int64_t rest[NEST_MOST_LANES]; /* over the divisor: the second input's weight */
} rhythm;

/* False: they do not repeat, or reach farther than a vector. */
static bool find_rhythm(const resizing *s, rhythm *r) {
    const axis_sample *a = &s->p->sample[AXIS_W];
    const axis_edges e = axis_sample_edges(a, &s->p->axis[AXIS_W]);
    const int64_t lanes = s->lanes, moved = lanes * a->step;
    if (s->channels || lanes == 1 || moved % a->divisor != 0) return false;
    r->first = ceil_div(e.low, lanes);
    r->count = e.high / lanes - r->first;
    r->advance = moved / a->divisor;
    const int64_t from = r->first * moved + a->origin;
    r->base = floor_div(from, a->divisor);
    for (int64_t l = 0; l < lanes; l++) {
        const int64_t spot = from + l * a->step;
        r->pattern[l] = (int)(floor_div(spot, a->divisor) - r->base);
        r->rest[l] = floor_mod(spot, a->divisor);
    }
    r->span = r->pattern[lanes - 1] + (a->linear ? TAPS : 1);
    return r->count > 0 && r->span <= lanes;
}

/* A number of each lane over the divisor. */
static void numbers_over(resizing *s, register_ref to, const int64_t *number, bool from_divisor) {
    nest_builder *b = &s->b;
    const int64_t divisor = s->p->sample[AXIS_W].divisor;
    build_const(b, to, 0);
    for (int l = 0; l < s->lanes; l++) {
        nest_range lane = range_of(b, l, l + 1);
        build_const_ratio(b, only(s, OTHER), from_divisor ? divisor - number[l] : number[l], divisor);
        build_keep(b, only(s, OTHER), only(s, OTHER), &lane);
        build_op(b, OP_ADD, to, to, only(s, OTHER));
    }
}

static void make_vectors(resizing *s, const rhythm *r) {
    nest_builder *b = &s->b;
    const axis_sample *a = &s->p->sample[AXIS_W];
    reading *reads = &s->reads[AXIS_W];
    *reads = (reading){a->linear ? TAPS : 1, affine_constant(0), {weight(s, AXIS_W, 0), weight(s, AXIS_W, 1)}};
    if (a->linear) numbers_over(s, reads->weight[0], r->rest, true);
    if (a->linear) numbers_over(s, reads->weight[1], r->rest, false);
    affine c = build_loop(b, "c", s->oc.channels), v = build_loop(b, "v", r->count);
    s->at[AXIS_W] = affine_scale(affine_offset(v, r->first), s->lanes);
    reads->low = affine_offset(affine_scale(v, r->advance), r->base);
    s->pattern = r->pattern;
    s->span = r->span;
    stand_at(s, c, NULL);
    make_vector(s);
    s->pattern = NULL;
    for (int i = 0; i < 2; i++) build_end(b);
}

/* ---- the walk ---- */

static void make_row(resizing *s) {
    const problem_axis *w = &s->p->axis[AXIS_W];
    const axis_edges e = axis_sample_edges(&s->p->sample[AXIS_W], w);
    rhythm r;
    int64_t low = e.low, high = e.low;
    if (find_rhythm(s, &r)) {
        low = r.first * s->lanes, high = low + r.count * s->lanes;
        make_vectors(s, &r);
    }
    make_columns(s, 0, e.low, 0);
    make_columns(s, e.low, low, -1);
    make_columns(s, high, e.high, -1);
    make_columns(s, e.high, w->out, w->in - 1);
}

static void read_axis(resizing *s, int axis);

static void next_axis(resizing *s, int axis) {
    if (axis + 1 == AXIS_W)
        make_row(s);
    else
        read_axis(s, axis + 1);
}

static void read_where(resizing *s, int axis, int64_t low, int64_t high, int64_t edge) {
    nest_builder *b = &s->b;
    if (low >= high) return;
    build_if(b, affine_offset(s->at[axis], -low), NULL);
    build_if(b, affine_offset(affine_scale(s->at[axis], -1), high - 1), NULL);
    if (edge < 0)
        read_between(s, axis, s->at[axis]);
    else
        read_edge(s, axis, edge);
    next_axis(s, axis);
    build_end(b);
    build_end(b);
}

static void read_axis(resizing *s, int axis) {
    const problem_axis *a = &s->p->axis[axis];
    const axis_edges e = axis_sample_edges(&s->p->sample[axis], a);
    read_where(s, axis, 0, e.low, 0);
    read_where(s, axis, e.low, e.high, -1);
    read_where(s, axis, e.high, a->out, a->in - 1);
}

static void walk(resizing *s) {
    nest_builder *b = &s->b;
    s->n = build_task(b, "n", s->p->n);
    s->at[AXIS_D] = build_task(b, "od", s->p->axis[AXIS_D].out);
    s->at[AXIS_H] = build_task(b, "oh", s->p->axis[AXIS_H].out);
    read_axis(s, AXIS_D);
    for (int i = 0; i < 3; i++) build_end(b);
}

static algo_nests build(const algorithm *row, arena *a, const problem *p, const cvk_target *target,
                        const cvk_plan *plan) {
    resizing s = {.b = nest_begin(a, p->name, ENTRY_TASKS, target->vector_bytes), .p = p};
    nest_builder *b = &s.b;
    (void)plan;
    s.channels = row->lanes == LANES_CHANNELS;
    s.lanes = target_lanes(target, p->sum);
    s.oc = channel_blocks_of(p, s.lanes, s.lanes, s.channels, true);
    s.oc.group = affine_constant(0);
    s.x.v = p->x;
    s.x.tensor = nest_add_tensor(b, "input", ROLE_INPUT, p->x.type, p->x.elements, type_bytes(p->x.type), false);
    nest_lie_in(b, s.x.tensor, p->x.image, p->x.period, p->x.width);
    s.out = epilogue_declare(b, p);
    s.registers = nest_add_register(b, "x", p->sum, s.lanes, PER_AXIS + 2 * AXES);
    s.weights = nest_add_register(b, "weight", p->sum, s.lanes, TAPS * AXES);
    epilogue_registers(&s.out);
    if (p->n > 0)
        walk(&s);
    else
        b->nest->tasks = 0;
    return (algo_nests){program_of(a, nest_finish(b)), NULL};
}

/* ---- plans ---- */

static bool applicable(const problem *p, const char **why) {
    *why = "outputs lie where inputs do";
    return p->combine == COMBINE_RESIZED;
}

static bool applicable_channels(const problem *p, const cvk_target *target, const char **why) {
    (void)target;
    if (!applicable(p, why)) return false;
    *why = "channels lie apart on both sides";
    return view_has_channels_together(&p->x) || view_has_channels_together(&p->y);
}

static bool applicable_columns(const problem *p, const cvk_target *target, const char **why) {
    (void)target;
    if (!applicable(p, why)) return false;
    *why = "columns lie apart on one side";
    return p->y.block == 1 && p->x.block == 1 && p->x.axis[AXIS_W] == 1 && p->y.axis[AXIS_W] == 1;
}

static void propose(const algorithm *row, const problem *p, goal aim, arena *a, plan_list *list) {
    const cvk_target *target = aim.target;
    (void)p, (void)target;
    plan_list_add(a, list, plan_plain(row->name, row->lanes));
}

static const char *refuse(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const cvk_plan plain = plan_plain(row->name, row->lanes);
    (void)p, (void)target;
    return plan_equal(plan, &plain) ? NULL : "there is nothing to choose";
}

static double cycles(const problem *p, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests,
                     const nest_counts *counts) {
    (void)plan;
    const double bytes =
        (double)(program_needs(&nests->run, ROLE_INPUT).bytes + program_needs(&nests->run, ROLE_OUTPUT).bytes);
    const double issue = cost_issue(target, counts, target_lanes(target, p->sum), INFINITY, true);
    return bytes > (double)target->l2_bytes ? fmax(issue, cost_far(target, bytes, bytes)) : issue;
}

const algorithm algo_resize_channels = {
    "resize", LANES_CHANNELS, applicable_channels, propose, refuse, build, cycles, NULL, NULL, NULL, false};
const algorithm algo_resize_columns = {
    "resize", LANES_COLUMNS, applicable_columns, propose, refuse, build, cycles, NULL, NULL, NULL, false};
