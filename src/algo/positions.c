/* What is made of all channels of a position, or of those of each group: softmax, and layer_norm. A line is a position,
 * whose channels fill the lanes and come together at the end; or a vector of neighbouring positions, a lane each, gone
 * through channel by channel. Each group of it is gone through three times:
 *
 *     softmax     greatest = max x;  e = exp(x - greatest), kept in scratch, and their sum;  e / sum
 *     layer_norm  mean = sum x / C;  inverse = 1 / sqrt(sum (x - mean)^2 / C + epsilon);  (x - mean) inverse
 *
 * A task is plan.tile_ow lines. */
#include "algo/access.h"
#include "algo/channel_blocks.h"
#include "algo/cost.h"
#include "algo/epilogue.h"
#include "algo/lanes.h"

#include <math.h>

enum { TASK_ELEMENTS = 8192, LEAST_TASKS = 32 };

/* Registers: what is loaded, what a line comes to. */
enum { VALUE, SPARE, FIRST, SECOND, REGISTERS };

/* Of what a line comes to, so many parts are summed apart at most, that none waits for another. */
enum { MOST_PARTS = 8 };

struct stretch;

typedef struct line {
    nest_builder b;
    const problem *p;
    const cvk_plan *plan;
    bool channels; /* lanes are channels */
    int lanes;
    tensor_view x;
    epilogue out;
    channel_blocks oc;
    int registers, part, parts; /* part: of so many, a power of two */
    int kept;                   /* a tensor in scratch, of exponentials; -1: none */
    affine n, group, position;
    const nest_range *valid; /* positions, where those are the lanes; NULL: all */
    void (*body)(struct line *, const struct stretch *);
    bool stores; /* what has no channels is filled */
} line;

/* Channels side by side, or one of some positions: where they are, and in scratch. */
typedef struct stretch {
    lane_map m;
    affine kept, part; /* part: that it is added to */
    bool with_fill;
} stretch;

typedef void line_body(line *s, const stretch *at);

static register_ref only(const line *s, int which) { return reg(s->registers, affine_constant(which)); }
static register_ref part_of(const line *s, affine part) { return reg(s->part, part); }
static register_ref none(void) { return reg(-1, affine_constant(0)); }

/* `channel`: of the group's. */
static stretch stretch_at(const line *s, affine channel, affine number, affine part) {
    const affine of_all = affine_add_scaled(channel, s->group, s->oc.channels);
    stretch at = {
        .m = {.n = s->n, .channel = of_all, .valid = s->valid}, .kept = affine_scale(number, s->lanes), .part = part};
    at.m.at.at[AXIS_D] = at.m.at.at[AXIS_H] = affine_constant(0);
    at.m.at.at[AXIS_W] = s->position;
    at.m.channel_step = s->channels;
    at.m.column_step = !s->channels;
    return at;
}

static void make_stretch(void *context, const channel_vector *v) {
    line *s = context;
    stretch at = stretch_at(s, v->channel, v->number, v->turn);
    at.m.valid = v->valid;
    at.with_fill = v->with_fill;
    if (v->exist > 0)
        s->body(s, &at);
    else if (s->stores)
        epilogue_store_zeros(&s->out, &at.m);
}

/* Channels one by one, `trips` times `together` of them from the first on. */
static void each_channel(line *s, int64_t first, int64_t trips, int64_t together) {
    if (!trips || !together) return;
    const affine trip = build_loop(&s->b, "c", trips), turn = build_unrolled(&s->b, "turn", together);
    const affine c = affine_offset(affine_add_scaled(turn, trip, together), first);
    const stretch at = stretch_at(s, c, c, turn);
    s->body(s, &at);
    for (int i = 0; i < 2; i++) build_end(&s->b);
}

static void each(line *s, int together, line_body *body) {
    const int64_t rest = s->oc.channels % together;
    s->body = body;
    if (s->channels) {
        channel_blocks_each(&s->oc, &s->b, together, make_stretch, s);
        return;
    }
    each_channel(s, 0, s->oc.channels / together, together);
    each_channel(s, s->oc.channels - rest, 1, rest);
}

static void each_stored(line *s, line_body *body) {
    s->stores = true;
    each(s, 1, body);
}

static void load(line *s, const stretch *at) { view_load(&s->b, &s->x, &at->m, only(s, VALUE), only(s, SPARE)); }

/* Lanes that are no channels take no part. */
static void keep_channels(line *s, const stretch *at) {
    if (s->channels && at->m.valid) build_keep(&s->b, only(s, VALUE), only(s, VALUE), at->m.valid);
}

static void combine(line *s, op_kind kind, register_ref to, register_ref with) {
    if (kind == OP_MAXIMUM)
        build_maximum(&s->b, to, with, NULL);
    else
        build_op(&s->b, kind, to, to, with);
}

/* In halves; and lanes, where those are channels. */
static void bring_together(line *s, op_kind kind, int to) {
    const register_ref all = part_of(s, affine_constant(0));
    for (int half = s->parts / 2; half > 0; half /= 2) {
        affine part = build_unrolled(&s->b, "part", half);
        combine(s, kind, part_of(s, part), part_of(s, affine_offset(part, half)));
        build_end(&s->b);
    }
    if (s->channels) lanes_together(&s->b, kind, all, only(s, SPARE));
    build_op(&s->b, OP_COPY, only(s, to), all, all);
}

/* What `body` brings into parts becomes one. */
static void gather(line *s, op_kind kind, double from, int to, line_body *body) {
    affine part = build_unrolled(&s->b, "part", s->parts);
    build_const(&s->b, part_of(s, part), from);
    build_end(&s->b);
    s->stores = false;
    each(s, s->parts, body);
    bring_together(s, kind, to);
}

static void store(line *s, const stretch *at) { epilogue_store(&s->out, only(s, VALUE), &at->m, at->with_fill); }

/* ---- softmax: the greatest is the first, the sum the second ---- */

static nest_access kept_at(const line *s, const stretch *at) { return access_at(s->kept, at->kept, 1); }

static void find_greatest(line *s, const stretch *at) {
    load(s, at);
    build_maximum(&s->b, part_of(s, at->part), only(s, VALUE), s->channels ? at->m.valid : NULL);
}

static void add_exponential(line *s, const stretch *at) {
    load(s, at);
    build_op(&s->b, OP_SUB, only(s, VALUE), only(s, VALUE), only(s, FIRST));
    build_call(&s->b, MATH_DECAY, only(s, VALUE), only(s, VALUE));
    keep_channels(s, at);
    build_op(&s->b, OP_ADD, part_of(s, at->part), part_of(s, at->part), only(s, VALUE));
    build_store(&s->b, kept_at(s, at), only(s, VALUE), NULL);
}

static void store_share(line *s, const stretch *at) {
    build_load(&s->b, only(s, VALUE), kept_at(s, at), NULL);
    build_op(&s->b, OP_DIV, only(s, VALUE), only(s, VALUE), only(s, SECOND));
    store(s, at);
}

static void softmax(line *s) {
    gather(s, OP_MAXIMUM, -INFINITY, FIRST, find_greatest);
    gather(s, OP_ADD, 0, SECOND, add_exponential);
    each_stored(s, store_share);
}

/* ---- layer_norm: the mean is the first, the inverse of the deviation the second ---- */

static void add_value(line *s, const stretch *at) {
    load(s, at);
    build_op(&s->b, OP_ADD, part_of(s, at->part), part_of(s, at->part), only(s, VALUE));
}

static void add_square(line *s, const stretch *at) {
    load(s, at);
    build_op(&s->b, OP_SUB, only(s, VALUE), only(s, VALUE), only(s, FIRST));
    keep_channels(s, at);
    build_fma(&s->b, part_of(s, at->part), only(s, VALUE), only(s, VALUE), NULL);
}

static void store_normalised(line *s, const stretch *at) {
    load(s, at);
    build_op(&s->b, OP_SUB, only(s, VALUE), only(s, VALUE), only(s, FIRST));
    build_op(&s->b, OP_MUL, only(s, VALUE), only(s, VALUE), only(s, SECOND));
    store(s, at);
}

static void divide_by_channels(line *s, int which) {
    build_const_ratio(&s->b, only(s, VALUE), 1, s->oc.channels);
    build_op(&s->b, OP_MUL, only(s, which), only(s, which), only(s, VALUE));
}

static void normalise(line *s) {
    nest_builder *b = &s->b;
    gather(s, OP_ADD, 0, FIRST, add_value);
    divide_by_channels(s, FIRST);
    gather(s, OP_ADD, 0, SECOND, add_square);
    divide_by_channels(s, SECOND);
    build_const(b, only(s, VALUE), s->p->epsilon);
    build_op(b, OP_ADD, only(s, SECOND), only(s, SECOND), only(s, VALUE));
    build_op(b, OP_SQRT, only(s, SECOND), only(s, SECOND), none());
    build_const(b, only(s, VALUE), 1);
    build_op(b, OP_DIV, only(s, SECOND), only(s, VALUE), only(s, SECOND));
    each_stored(s, store_normalised);
}

/* What is behind the last group of a blocked output; of one group, its vectors run into it. */
static void store_fill(line *s) {
    const int64_t fill = view_fill(&s->p->y), channels = s->p->y.channels;
    for (int64_t done = 0; s->channels && s->p->groups > 1 && done < fill; done += s->lanes) {
        const nest_range valid = range_of(&s->b, 0, fill - done < s->lanes ? fill - done : s->lanes);
        stretch at = stretch_at(s, affine_constant(channels + done), affine_constant(0), affine_constant(0));
        at.m.channel = affine_constant(channels + done);
        at.m.valid = &valid;
        epilogue_store_zeros(&s->out, &at.m);
    }
}

static void make_line(line *s) {
    s->group = build_loop(&s->b, "g", s->p->groups);
    (s->p->combine == COMBINE_SOFTMAX ? softmax : normalise)(s);
    build_end(&s->b);
    store_fill(s);
}

/* ---- the walk ---- */

static int64_t whole_lines(const line *s) { return problem_pixels(s->p) / (s->channels ? 1 : s->lanes); }
static int64_t rest_of_line(const line *s) { return s->channels ? 0 : problem_pixels(s->p) % s->lanes; }

static void walk(line *s) {
    nest_builder *b = &s->b;
    const int64_t whole = whole_lines(s), rest = rest_of_line(s), each_task = s->plan->tile_ow;
    const int64_t tasks = ceil_div(whole, each_task);
    s->n = build_task(b, "n", s->p->n);
    affine task = build_task(b, "run", tasks + (rest > 0));
    if (whole) {
        nest_range r = range_of(b, 0, each_task);
        range_clip_high(b, &r, affine_offset(affine_scale(task, -each_task), whole), 1);
        affine number = affine_add_scaled(build_for(b, VARIABLE_LOOP, "line", r), task, each_task);
        s->position = affine_scale(number, s->channels ? 1 : s->lanes);
        make_line(s);
        build_end(b);
    }
    if (rest) {
        const nest_range valid = range_of(b, 0, rest);
        build_if(b, affine_offset(task, -tasks), "the rest");
        s->position = affine_constant(whole * s->lanes);
        s->valid = &valid;
        make_line(s);
        build_end(b);
    }
    for (int i = 0; i < 2; i++) build_end(b);
}

static void declare(line *s) {
    nest_builder *b = &s->b;
    const problem *p = s->p;
    s->x.v = p->x;
    s->x.tensor = nest_add_tensor(b, "input", ROLE_INPUT, p->x.type, p->x.elements, type_bytes(p->x.type), false);
    nest_lie_in(b, s->x.tensor, p->x.image, p->x.period, p->x.width);
    s->out = epilogue_declare(b, p);
    const int64_t kept = s->channels ? s->oc.blocks * s->lanes : s->oc.channels * s->lanes;
    s->kept = -1;
    if (p->combine == COMBINE_SOFTMAX)
        s->kept = nest_add_tensor(b, "exponentials", ROLE_SCRATCH, p->sum, kept, SCRATCH_ALIGNMENT, true);
    s->registers = nest_add_register(b, "x", p->sum, s->lanes, REGISTERS);
    s->part = nest_add_register(b, "part", p->sum, s->lanes, s->parts);
    epilogue_registers(&s->out);
}

static int parts_for(int64_t additions) {
    int parts = MOST_PARTS;
    while (parts > 1 && parts > additions) parts /= 2;
    return parts;
}

static line line_of(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan) {
    line s = {.p = p, .plan = plan, .channels = row->lanes == LANES_CHANNELS, .lanes = target_lanes(target, p->sum)};
    s.oc = channel_blocks_of(p, s.lanes, s.lanes, s.channels, false);
    s.oc.group = affine_constant(0);
    s.parts = parts_for(s.channels ? s.oc.blocks : s.oc.channels);
    return s;
}

static algo_nests build(const algorithm *row, arena *a, const problem *p, const cvk_target *target,
                        const cvk_plan *plan) {
    line s = line_of(row, p, target, plan);
    s.b = nest_begin(a, p->name, ENTRY_TASKS, target->vector_bytes);
    declare(&s);
    if (p->n > 0)
        walk(&s);
    else
        s.b.nest->tasks = 0;
    return (algo_nests){program_of(a, nest_finish(&s.b)), NULL};
}

/* ---- plans ---- */

static bool has_columns_together(const view *v) { return v->axis[AXIS_W] == 1; }

static bool applicable(const problem *p, const char **why) {
    *why = "outputs are not of all channels of a position";
    return p->combine == COMBINE_SOFTMAX || p->combine == COMBINE_NORMALISED;
}

static bool applicable_channels(const problem *p, const cvk_target *target, const char **why) {
    (void)target;
    if (!applicable(p, why)) return false;
    *why = "channels lie apart on both sides";
    return view_has_channels_together(&p->x) || view_has_channels_together(&p->y);
}

/* The fill of a blocked output is stored by vectors of channels. */
static bool applicable_columns(const problem *p, const cvk_target *target, const char **why) {
    (void)target;
    if (!applicable(p, why)) return false;
    *why = "columns lie apart on both sides, or the output is blocked";
    return p->y.block == 1 && (has_columns_together(&p->x) || has_columns_together(&p->y));
}

static cvk_plan plan_of(const algorithm *row, int64_t lines) {
    cvk_plan plan = plan_plain(row->name, row->lanes);
    plan.tile_ow = (int)lines;
    return plan;
}

/* Lines of a task: some work each, and tasks for some workers. */
static void propose(const algorithm *row, const problem *p, goal aim, arena *a, plan_list *list) {
    const cvk_target *target = aim.target;
    const cvk_plan any = plan_of(row, 1);
    const line s = line_of(row, p, target, &any);
    const int64_t lines = whole_lines(&s), each_line = p->x.channels * (s.channels ? 1 : s.lanes);
    const int64_t shared = ceil_div(lines * (p->n > 0 ? p->n : 1), LEAST_TASKS), worth = TASK_ELEMENTS / each_line;
    const int64_t most = shared < worth ? shared : worth;
    plan_list_add(a, list, plan_of(row, most < 1 ? 1 : most));
}

static const char *refuse(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const cvk_plan only = plan_of(row, plan->tile_ow);
    const line s = line_of(row, p, target, plan);
    if (!plan_equal(plan, &only)) return "it has but tile.ow to choose: so many lines are a task";
    return plan->tile_ow > 1 && plan->tile_ow > whole_lines(&s) ? "a task has more lines than there are" : NULL;
}

/* What is not in a nearer cache comes but once: lines are short beside those. */
static double cycles(const problem *p, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests,
                     const nest_counts *counts) {
    const line s = line_of(algo_of(plan), p, target, plan);
    const double bytes =
        (double)(program_needs(&nests->run, ROLE_INPUT).bytes + program_needs(&nests->run, ROLE_OUTPUT).bytes);
    const double issue = cost_issue(target, counts, s.lanes, s.parts, true);
    return bytes > (double)target->l2_bytes ? fmax(issue, cost_far(target, bytes, bytes)) : issue;
}

const algorithm algo_positions_channels = {
    "positions", LANES_CHANNELS, applicable_channels, propose, refuse, build, cycles, NULL, NULL, NULL, false};
const algorithm algo_positions_columns = {
    "positions", LANES_COLUMNS, applicable_columns, propose, refuse, build, cycles, NULL, NULL, NULL, false};
