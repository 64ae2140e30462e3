/* Direct convolution by weights that are known when it is compiled, lanes over output columns: taps whose weight is 0
 * are left out, 1 and -1 are added and subtracted, and nothing is read but the input. Rows of the kernel that are
 * multiples of one another are one sum of an input row, which meets each row of the tile once:
 *
 *     for the input rows that the tile's rows see, channels, vectors: unrolled
 *       x[kw] = load
 *       for each row of the kernel, but for multiples of another: h = sum of f[kw] x[kw]
 *       for those multiples, and the tile's rows that see them: acc[row] += c h
 *
 * and inputs of one magnitude are added before they are multiplied. Both change the order of a sum: where accuracy is
 * strict each tap is multiplied and added by itself, one after another. */
#include "algo/direct/tile.h"
#include "problem/known.h"

#include <math.h>
#include <string.h>

enum { MOST_FILTERS = 16, MOST_OPERATIONS = 4000, MOST_STEPS = 64 };

/* A kernel row that an input row meets: for which row and channel of the tile, and what times its function. */
typedef struct use {
    int64_t j, row;
    const double *weight; /* by kw */
    double times;
} use;

/* A sum over a row of inputs, and those who use it. */
typedef struct row_function {
    double *factor; /* by kw */
    use *uses;
    int count;
} row_function;

/* Where the walk stands in one tile. */
typedef struct standing {
    tile *t;
    int64_t group, first; /* of the filters' output channels */
    bool strict;
    tap k;
    bool *fresh; /* sums that nothing was added to yet, of a tile that begins with zeros */
    affine v;
    bool *present; /* inputs of a row that are not all absent, by kw */
} standing;

static int64_t taps_across(const tile *t) { return t->p.axis[AXIS_W].taps; }

/* ---- registers: inputs by kw and one to load by; a function's value, a group's, pairs of inputs; a constant ---- */

static void registers(tile *t) {
    column_tile_registers(t);
    t->xs = nest_add_register(t->b, "x", t->p.sum, t->lanes, (int)taps_across(t) + 1);
    t->temporaries = nest_add_register(t->b, "h", t->p.sum, t->lanes, 2);
    t->ws = nest_add_register(t->b, "w", t->p.sum, t->lanes, 1);
}

static register_ref input_of(const tile *t, int64_t kw) { return reg(t->xs, affine_constant(kw)); }
static register_ref function_of(const tile *t) { return reg(t->temporaries, affine_constant(0)); }
static register_ref group_of(const tile *t) { return reg(t->temporaries, affine_constant(1)); }

/* ---- sums of a few constants' products ---- */

/* to += w x, or = where nothing was added to it yet. */
static void add_product(tile *t, register_ref to, bool *fresh, double w, register_ref x) {
    nest_builder *b = t->b;
    const register_ref constant = reg(t->ws, affine_constant(0));
    if (*fresh && w == 1) {
        build_op(b, OP_COPY, to, x, constant);
    } else if (fabs(w) == 1 && !*fresh) {
        build_op(b, w > 0 ? OP_ADD : OP_SUB, to, to, x);
    } else {
        build_const(b, constant, w);
        if (*fresh)
            build_op(b, OP_MUL, to, x, constant);
        else
            build_fma(b, to, x, constant, NULL);
    }
    *fresh = false;
}

/* Whether an input row's number kw has the magnitude of number `of`, and is there. */
static bool shares(const standing *s, const double *w, int64_t kw, int64_t of) {
    return s->present[kw] && fabs(w[kw]) == fabs(w[of]);
}

static bool is_first(const standing *s, const double *w, int64_t kw) {
    for (int64_t k = 0; k < kw; k++)
        if (shares(s, w, k, kw)) return false;
    return true;
}

static int64_t sharing(const standing *s, const double *w, int64_t kw) {
    int64_t count = 0;
    for (int64_t k = 0; k < taps_across(s->t); k++) count += shares(s, w, k, kw);
    return count;
}

/* The inputs of one magnitude, with the signs of their weights but for that of the first. */
static void sum_group(const standing *s, const double *w, int64_t first) {
    const register_ref group = group_of(s->t);
    register_ref so_far = input_of(s->t, first);
    for (int64_t kw = first + 1; kw < taps_across(s->t); kw++) {
        if (!shares(s, w, kw, first)) continue;
        build_op(s->t->b, w[kw] == w[first] ? OP_ADD : OP_SUB, group, so_far, input_of(s->t, kw));
        so_far = group;
    }
}

/* to += sum of w[kw] x[kw]. */
static void add_row(const standing *s, register_ref to, bool *fresh, const double *w) {
    for (int64_t kw = 0; kw < taps_across(s->t); kw++) {
        if (w[kw] == 0 || !s->present[kw]) continue;
        if (s->strict || sharing(s, w, kw) == 1) {
            add_product(s->t, to, fresh, w[kw], input_of(s->t, kw));
        } else if (is_first(s, w, kw)) {
            sum_group(s, w, kw);
            add_product(s->t, to, fresh, w[kw], group_of(s->t));
        }
    }
}

/* ---- rows of the kernel ---- */

static int64_t present_of(const standing *s, const double *w) {
    int64_t present = 0;
    for (int64_t kw = 0; kw < taps_across(s->t); kw++) present += w[kw] != 0 && s->present[kw];
    return present;
}

/* Whether `w` is exactly some times f. */
static bool is_multiple(const tile *t, const double *w, const double *f, double *times) {
    bool found = false;
    for (int64_t kw = 0; kw < taps_across(t); kw++) {
        double each;
        if (w[kw] == 0 && f[kw] == 0) continue;
        if (w[kw] == 0 || f[kw] == 0 || !known_quotient(t->p.sum, w[kw], f[kw], &each)) return false;
        if (found && each != *times) return false;
        *times = each;
        found = true;
    }
    return found;
}

static int64_t of_magnitude(const tile *t, const double *w, double magnitude) {
    int64_t count = 0;
    for (int64_t kw = 0; kw < taps_across(t); kw++) count += fabs(w[kw]) == magnitude;
    return count;
}

/* The row over its most frequent magnitude, which then needs no product, where that is exact. */
static void normalise(const tile *t, const double *w, double *f) {
    double most = 1;
    for (int64_t kw = 0; kw < taps_across(t); kw++)
        if (w[kw] != 0 && of_magnitude(t, w, fabs(w[kw])) > of_magnitude(t, w, most)) most = fabs(w[kw]);
    bool exact = true;
    for (int64_t kw = 0; kw < taps_across(t); kw++) {
        f[kw] = 0;
        exact &= w[kw] == 0 || known_quotient(t->p.sum, w[kw], most, &f[kw]);
    }
    if (!exact) memcpy(f, w, sizeof *f * (size_t)taps_across(t));
}

static void add_use(const tile *t, row_function *functions, int *count, use u, int most) {
    arena *a = t->b->nest->arena;
    for (row_function *f = functions; f < functions + *count; f++)
        if (is_multiple(t, u.weight, f->factor, &u.times)) {
            f->uses[f->count++] = u;
            return;
        }
    row_function *f = &functions[(*count)++];
    *f = (row_function){.factor = arena_array(a, double, taps_across(t)), .uses = arena_array(a, use, most)};
    normalise(t, u.weight, f->factor);
    is_multiple(t, u.weight, f->factor, &u.times);
    f->uses[f->count++] = u;
}

static void add_use_alone(const standing *s, const use *u) {
    const pixel row = {{affine_constant(0), affine_constant(u->row), affine_constant(0)}};
    const register_ref sum = column_tile_sum(s->t, affine_constant(u->j), &row, s->v);
    add_row(s, sum, &s->fresh[sum.index.constant], u->weight);
}

static void add_function(const standing *s, const row_function *f) {
    bool fresh = true;
    if (s->strict || f->count == 1 || present_of(s, f->factor) < 2) {
        for (int i = 0; i < f->count; i++) add_use_alone(s, &f->uses[i]);
        return;
    }
    add_row(s, function_of(s->t), &fresh, f->factor);
    for (int i = 0; i < f->count; i++) {
        const use *u = &f->uses[i];
        const pixel row = {{affine_constant(0), affine_constant(u->row), affine_constant(0)}};
        const register_ref sum = column_tile_sum(s->t, affine_constant(u->j), &row, s->v);
        add_product(s->t, sum, &s->fresh[sum.index.constant], u->times, function_of(s->t));
    }
}

/* ---- input rows ---- */

/* A row of the tile, and the kernel row by which it sees an input row. */
typedef struct meeting_rows {
    int64_t row, kh;
} meeting_rows;

static const double *weights_of(const standing *s, int64_t j, int64_t kd, int64_t kh, int64_t ic, bool *any) {
    double *w = arena_array(s->t->b->nest->arena, double, taps_across(s->t));
    for (int64_t kw = 0; kw < taps_across(s->t); kw++) {
        const int64_t at[AXES] = {kd, kh, kw};
        w[kw] = known_weight(&s->t->p, s->group, s->first + j, ic, at);
        *any |= w[kw] != 0;
    }
    return w;
}

static bool is_wanted(const row_function *f, int count, int64_t kw) {
    for (int i = 0; i < count; i++)
        if (f[i].factor[kw] != 0) return true;
    return false;
}

/* Of one vector of columns. */
static void load_row(standing *s, const row_function *f, int count, int64_t row) {
    tile *t = s->t;
    const pixel at = {{affine_constant(0), affine_constant(row), affine_constant(0)}};
    for (int64_t kw = 0; kw < taps_across(t); kw++) {
        s->k.k[AXIS_W] = affine_constant(kw);
        nest_range lanes = tap_columns(t, &s->k, affine_scale(s->v, t->lanes), t->lanes);
        int low, high;
        nest_lane_ends(t->b->nest, &lanes, NULL, t->lanes, &low, &high);
        s->present[kw] = low < high && is_wanted(f, count, kw);
        if (s->present[kw]) column_tile_load(t, &s->k, &at, s->v, input_of(t, kw), input_of(t, taps_across(t)));
    }
}

/* What one input row of one channel gives to the rows that see it. */
static void add_input_row(standing *s, int64_t kd, const meeting_rows *m, int count, int64_t ic) {
    tile *t = s->t;
    const int most = count * (int)t->oc.valid;
    row_function *functions = arena_array(t->b->nest->arena, row_function, most);
    int found = 0;
    for (int i = 0; i < count; i++)
        for (int64_t j = 0; j < t->oc.valid; j++) {
            bool any = false;
            const double *w = weights_of(s, j, kd, m[i].kh, ic, &any);
            if (any) add_use(t, functions, &found, (use){.j = j, .row = m[i].row, .weight = w}, most);
        }
    s->k.k[AXIS_H] = affine_constant(m->kh);
    s->k.ic = affine_constant(ic);
    for (int64_t v = 0; v < column_tile_vectors(t) && found; v++) {
        s->v = affine_constant(v);
        load_row(s, functions, found, m->row);
        for (int i = 0; i < found; i++) add_function(s, &functions[i]);
    }
}

static void add_input_channels(standing *s, int64_t kd, const meeting_rows *m, int count) {
    for (int64_t ic = 0; ic < s->t->p.in_channels && count; ic++) add_input_row(s, kd, m, count, ic);
}

/* Whether all taps of an axis are there, or are left out where the nest is built. */
static bool is_settled(const tile *t, int axis) {
    const problem_axis *a = &t->p.axis[axis];
    return tile_has_spans(t, axis) || (axis_before(a) <= 0 && axis_after(a) <= 0);
}

/* Opens what holds where the tile's only position of an axis has the tap. */
static void open_present(tile *t, int axis, int64_t k) {
    const affine at = input_position(&t->p.axis[axis], t->at[axis], affine_constant(k));
    build_if(t->b, at, NULL);
    build_if(t->b, affine_offset(affine_scale(at, -1), t->p.axis[axis].in - 1), NULL);
}

static void close_present(tile *t) {
    build_end(t->b);
    build_end(t->b);
}

/* The rows of the tile that see an input row, counted from the input's first. */
static int rows_meeting(const tile *t, int64_t input, meeting_rows *to) {
    const problem_axis *a = &t->p.axis[AXIS_H];
    const axis_span *span = t->span[AXIS_H];
    int count = 0;
    for (int64_t row = 0; row < span->length; row++) {
        const int64_t steps = input - (span->start_first + row) * a->step - a->origin, kh = steps / a->tap_step;
        if (steps >= 0 && steps % a->tap_step == 0 && kh < a->taps) to[count++] = (meeting_rows){row, kh};
    }
    return count;
}

static void add_rows(standing *s, int64_t kd) {
    tile *t = s->t;
    const problem_axis *a = &t->p.axis[AXIS_H];
    meeting_rows *m = arena_array(t->b->nest->arena, meeting_rows, t->size[AXIS_H] + 1);
    if (!tile_has_spans(t, AXIS_H)) {
        for (int64_t kh = 0; kh < a->taps; kh++) {
            open_present(t, AXIS_H, kh);
            add_input_channels(s, kd, &(meeting_rows){0, kh}, 1);
            close_present(t);
        }
        return;
    }
    const int64_t first = t->span[AXIS_H]->start_first * a->step + a->origin;
    const int64_t last = first + (t->span[AXIS_H]->length - 1) * a->step + (a->taps - 1) * a->tap_step;
    for (int64_t input = greater(first, 0); input <= lesser(last, a->in - 1); input++)
        add_input_channels(s, kd, m, rows_meeting(t, input, m));
}

static void add_filters(tile *t, int64_t group, int64_t first) {
    const int sums = t->b->nest->registers[t->acc].count;
    arena *a = t->b->nest->arena;
    standing s = {.t = t,
                  .group = group,
                  .first = first,
                  .strict = t->p.accuracy == ACCURACY_STRICT,
                  .fresh = arena_array(a, bool, sums),
                  .present = arena_array(a, bool, taps_across(t))};
    const bool fresh = !t->p.post.bias && is_settled(t, AXIS_D) && is_settled(t, AXIS_H);
    for (int i = 0; i < sums; i++) s.fresh[i] = fresh;
    for (int64_t kd = 0; kd < t->p.axis[AXIS_D].taps; kd++) {
        s.k.k[AXIS_D] = affine_constant(kd);
        open_present(t, AXIS_D, kd);
        add_rows(&s, kd);
        close_present(t);
    }
}

/* ---- filters: those of the block and the group at hand ---- */

static void open_where(nest_builder *b, affine e, int64_t value) {
    build_if(b, affine_offset(e, -value), NULL);
    build_if(b, affine_offset(affine_scale(e, -1), value), NULL);
}

static int64_t filter_groups(const problem *p) { return known_groups_alike(p) ? 1 : p->groups; }

/* A block known by number, or each of those that are whole. */
static void taps(tile *t) {
    nest_builder *b = t->b;
    const affine block = t->oc.block;
    const int64_t groups = filter_groups(&t->p), whole = channel_blocks_whole(&t->oc);
    const int64_t from = block.count ? 0 : block.constant, to = block.count ? whole : block.constant + 1;
    for (int64_t g = 0; g < groups; g++)
        for (int64_t i = from; i < to; i++) {
            open_where(b, groups > 1 ? t->oc.group : affine_constant(0), g);
            open_where(b, block, i);
            add_filters(t, g, i * t->oc.size);
            for (int k = 0; k < 4; k++) build_end(b);
        }
}

static const family FAMILY = {.begin = column_tile_begin,
                              .taps = taps,
                              .finish = column_tile_finish,
                              .registers = registers,
                              .sums = column_tile_sums};

/* ---- the row ---- */

static bool applicable(const problem *p, const cvk_target *target, const char **why) {
    (void)target;
    *why = "its weights are not known";
    if (!p->known || p->combine != COMBINE_SUM) return false;
    *why = "its filters are too many to be code";
    return filter_groups(p) * p->out_channels <= MOST_FILTERS && p->in_channels <= MOST_STEPS;
}

/* Operations that the plan unrolls, if nothing is shared, all variants together. */
static int64_t operations(const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const problem seen = direct_problem(p, target, plan->lanes);
    const int64_t filters = filter_groups(&seen) * seen.out_channels;
    int64_t of_tile = known_present(&seen) * filter_groups(&seen) / seen.groups / ceil_div(filters, plan->tile_oc);
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) {
        arena_free(&a);
        return INT64_MAX;
    }
    of_tile *= ceil_div(filters, plan->tile_oc) * plan->tile_oh *
               ceil_div(plan->tile_ow, target_lanes(target, p->sum));
    for (int axis = AXIS_H; axis <= AXIS_W; axis++)
        if (!plan->pack_rows) of_tile *= axis_spans(&a, &seen.axis[axis], plan_unit(plan, tile_loop_of(axis))).count;
    arena_free(&a);
    return of_tile;
}

static const char *refuse(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan) {
    if (plan->tile_od > 1) return "constants take slices one by one";
    if (plan->unroll_ic != 1 || !plan->unroll_kw || plan->unroll_kh)
        return "constants are unrolled all: unroll is {ic: 1, kw: true, kh: false}";
    if (plan_level_of(&plan->order, LOOP_IC, true) >= 0) return "constants take input channels all at once";
    if (plan->prefetch) return "prefetch is for weights that are read";
    const char *why = direct_refuse(row, p, target, plan);
    if (why) return why;
    return operations(p, target, plan) > MOST_OPERATIONS ? "it unrolls too much code" : NULL;
}

const algorithm algo_constants = {"constants", LANES_COLUMNS, applicable,    propose_constant_tiles,
                                  refuse,      direct_build,  direct_cycles, direct_tasks,
                                  &FAMILY};
