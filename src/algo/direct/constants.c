/* Direct convolution by weights that are known when it is compiled, lanes over output columns: taps whose weight is 0
 * are left out, 1 and -1 are added and subtracted, and nothing is read but the input. Columns of the kernel that are
 * multiples of one another are folded: an input row's columns are first summed, and then weighed once for each row of
 * the kernel; of symmetric and antisymmetric columns half is left, of a kernel of rank 1 one.
 *
 *     for the input channels, input rows that the tile's rows see, vectors, folds of columns: unrolled
 *       f = sum of factor[kw] x[kw], those of one magnitude added before they are multiplied
 *       for the tile's rows that see it: acc[j][row] += w[j][kh] f
 *
 * That changes the order of a sum: where accuracy is strict each column is by itself.
 *
 * Where a vector is a whole line, each that begins elsewhere is of two, and loading it takes as long as two: there
 * a row's vectors are loaded as one tap reads them, and the other taps' put together from neighbours: those of the tile
 * or, where it is one vector wide and its rows are walked from end to end, of the tiles before and after, so that each
 * is loaded once and stays in registers for three tiles. */
#include "algo/cost.h"
#include "algo/direct/constants.h"
#include "algo/direct/traffic.h"
#include "algo/known_product.h"
#include "problem/known.h"

#include <math.h>
#include <string.h>

enum { MOST_FILTERS = 16, MOST_OPERATIONS = 4000, MOST_STEPS = 64 };

/* ---- registers: inputs by kw, one to load by, and whole vectors by v; a fold's sum and a group's; a constant ---- */

static void registers(tile *t) {
    column_tile_registers(t);
    t->xs = nest_add_register(t->b, "x", t->p.sum, t->lanes, (int)(taps_across(t) + 1 + vectors_of(t)));
    t->temporaries = nest_add_register(t->b, "f", t->p.sum, t->lanes, 2);
    t->ws = nest_add_register(t->b, "w", t->p.sum, t->lanes, 1);
    constants_add_carried(t);
}

static register_ref whole_of(const tile *t, int64_t v) { return reg(t->xs, affine_constant(taps_across(t) + 1 + v)); }
static register_ref folded(const tile *t) { return reg(t->temporaries, affine_constant(0)); }

/* ---- sums of a few constants' products ---- */

static void add_constant_product(tile *t, register_ref to, bool *fresh, double w, register_ref x) {
    build_const(t->b, one_constant(t), w);
    known_add_product(t->b, to, fresh, w, one_constant(t), x);
}

/* The sum of w[kw] x[kw]: an input as it is, where that is all. */
static register_ref sum_row(const standing *s, const fold *f) {
    const tile *t = s->t;
    if (f->columns == 1) return input_of(t, f->first);
    bool fresh = true;
    const known_sum row = {f->factor, s->present, taps_across(t), input_of(t, 0), 1, group_of(t), one_constant(t)};
    known_add_sum(t->b, &row, folded(t), &fresh);
    return folded(t);
}

/* ---- columns of the kernel ---- */

static int64_t column_size(const tile *t) { return t->oc.valid * t->p.axis[AXIS_D].taps * taps_down(t); }

/* One column of the kernel; whether any of it is not 0. */
static bool read_column(const standing *s, int64_t kw, double *to) {
    const tile *t = s->t;
    bool any = false;
    for (int64_t j = 0; j < t->oc.valid; j++)
        for (int64_t kd = 0; kd < t->p.axis[AXIS_D].taps; kd++)
            for (int64_t kh = 0; kh < taps_down(t); kh++) {
                const int64_t at[AXES] = {kd, kh, kw};
                const double w = known_weight(&t->p, s->group, s->first + j, s->ic, at);
                to[place_in_column(t, j, kd, kh)] = w;
                any |= w != 0;
            }
    return any;
}

/* Whether `w` is exactly some times f, all of it. */
static bool is_multiple(const tile *t, const double *w, const double *f, double *times) {
    bool found = false;
    for (int64_t i = 0; i < column_size(t); i++) {
        double each;
        if (w[i] == 0 && f[i] == 0) continue;
        if (w[i] == 0 || f[i] == 0 || !known_quotient(t->p.sum, w[i], f[i], &each)) return false;
        if (found && each != *times) return false;
        *times = each;
        found = true;
    }
    return found;
}

static int64_t weights_in(const tile *t, const double *column) {
    int64_t count = 0;
    for (int64_t i = 0; i < column_size(t); i++) count += column[i] != 0;
    return count;
}

/* Where a row's columns are summed once for each row of the kernel, nothing is gained by multiplying there, too. */
static bool folds(const standing *s, const fold *f, const double *column, double *times) {
    if (s->strict || !is_multiple(s->t, column, f->weight, times)) return false;
    return fabs(*times) == 1 || weights_in(s->t, column) > 2;
}

static int find_folds(const standing *s, fold *to) {
    arena *a = s->t->b->nest->arena;
    int count = 0;
    for (int64_t kw = 0; kw < taps_across(s->t); kw++) {
        double *column = arena_array(a, double, column_size(s->t)), times = 1;
        if (!read_column(s, kw, column)) continue;
        int at = 0;
        while (at < count && !folds(s, &to[at], column, &times)) at++;
        if (at == count)
            to[count++] = (fold){.factor = arena_array(a, double, taps_across(s->t)), .first = kw, .weight = column};
        to[at].factor[kw] = at < count && to[at].columns ? times : 1;
        to[at].columns++;
    }
    return count;
}

/* ---- input rows ---- */

/* Of a vector's lanes those that are there by a tap. */
static int64_t lanes_there(const standing *s, int64_t v, int64_t kw) {
    tap k = s->k;
    k.k[AXIS_W] = affine_constant(kw);
    const nest_range lanes = tap_columns(s->t, &k, affine_constant(v * s->t->lanes), s->t->lanes);
    int low, high;
    nest_lane_ends(s->t->b->nest, &lanes, NULL, s->t->lanes, &low, &high);
    return high - low;
}

static void load(standing *s, int64_t row, int64_t v, int64_t kw, register_ref to) {
    const pixel at = {{affine_constant(0), affine_constant(row), affine_constant(0)}};
    s->k.k[AXIS_W] = affine_constant(kw);
    column_tile_load(s->t, &s->k, &at, affine_constant(v), to, input_of(s->t, taps_across(s->t)));
}

static bool joins(const standing *s) { return has_lines(s->t) && vectors_of(s->t) > 1; }

static void load_whole(standing *s, int64_t row) {
    const int64_t middle = middle_of(&s->t->p.axis[AXIS_W]);
    for (int64_t v = 0; v < column_tile_vectors(s->t); v++) {
        s->whole[v] = joins(s) && lanes_there(s, v, middle) == s->t->lanes;
        if (s->whole[v]) load(s, row, v, middle, whole_of(s->t, v));
    }
}

/* What tap kw reads of three neighbours, the middle one of which the middle tap reads. */
void constants_join(tile *t, int64_t kw, const register_ref of[NEIGHBOURS]) {
    const int64_t off = offset_of(t, kw), from = off < 0 ? t->lanes + off : off;
    const register_ref first = of[off < 0 ? BEFORE : HERE], last = of[off < 0 ? HERE : AFTER];
    int pattern[NEST_MOST_LANES];
    for (int l = 0; l < t->lanes; l++) pattern[l] = (int)from + l;
    if (off == 0)
        build_op(t->b, OP_COPY, input_of(t, kw), first, first);
    else
        build_shuffle(t->b, input_of(t, kw), first, last, pattern);
}

/* The same, all of it, if that is in whole vectors. */
static bool find_whole(const standing *s, int64_t v, int64_t kw) {
    tile *t = s->t;
    const int64_t off = offset_of(t, kw), first = off < 0 ? v - 1 : v, last = off > 0 ? v + 1 : v;
    const bool near = off > -t->lanes && off < t->lanes && first >= 0 && last < column_tile_vectors(t);
    if (!near || !s->whole[first] || !s->whole[last]) return false;
    const register_ref of[NEIGHBOURS] = {whole_of(t, first), whole_of(t, v), whole_of(t, last)};
    constants_join(t, kw, of);
    return true;
}

/* A fold's inputs of one vector; whether any is there. */
static bool load_row(standing *s, const fold *f, int64_t row, int64_t v) {
    tile *t = s->t;
    bool any = false;
    for (int64_t kw = 0; kw < taps_across(t); kw++) {
        const int64_t there = lanes_there(s, v, kw);
        s->present[kw] = there > 0 && f->factor[kw] != 0;
        any |= s->present[kw];
        if (s->present[kw] && !(there == t->lanes && find_whole(s, v, kw))) load(s, row, v, kw, input_of(t, kw));
    }
    return any;
}

static double weight_at(const standing *s, const fold *f, int64_t j, int64_t kh) {
    return f->weight[place_in_column(s->t, j, s->k.k[AXIS_D].constant, kh)];
}

bool constants_is_met(const standing *s, const fold *f, const meeting_rows *m, int count) {
    for (int i = 0; i < count; i++)
        for (int64_t j = 0; j < s->t->oc.valid; j++)
            if (weight_at(s, f, j, m[i].kh) != 0) return true;
    return false;
}

/* What a fold's columns of one vector give to the rows that see it. */
static void add_vector(standing *s, const fold *f, const meeting_rows *m, int count, int64_t v) {
    tile *t = s->t;
    if (!constants_is_met(s, f, m, count) || !load_row(s, f, m->row, v)) return;
    const register_ref x = sum_row(s, f);
    for (int i = 0; i < count; i++)
        for (int64_t j = 0; j < t->oc.valid; j++) {
            const pixel row = {{affine_constant(0), affine_constant(m[i].row), affine_constant(0)}};
            const register_ref sum = column_tile_sum(t, affine_constant(j), &row, affine_constant(v));
            const double w = weight_at(s, f, j, m[i].kh);
            if (w != 0) add_constant_product(t, sum, &s->fresh[sum.index.constant], w, x);
        }
}

/* What one input row gives to the rows that see it. */
static void add_input_row(standing *s, const meeting_rows *m, int count) {
    s->k.k[AXIS_H] = affine_constant(m->kh);
    load_whole(s, m->row);
    for (int64_t v = 0; v < column_tile_vectors(s->t); v++)
        for (int i = 0; i < s->fold_count; i++) add_vector(s, &s->folds[i], m, count, v);
}

/* Whether all taps of an axis are there, or are left out where the nest is built. */
static bool is_settled(const tile *t, int axis) {
    const problem_axis *a = &t->p.axis[axis];
    return tile_has_spans(t, axis) || (axis_before(a) <= 0 && axis_after(a) <= 0);
}

/* Opens what holds where the tile's only position of an axis has the tap. False: it has it nowhere. */
static bool open_present(tile *t, int axis, int64_t k) { return open_inside(t->b, &t->p.axis[axis], t->at[axis], k); }

/* The rows of the tile that see an input row, counted from the input's first. */
int constants_rows_meeting(const tile *t, int64_t input, meeting_rows *to) {
    const problem_axis *a = &t->p.axis[AXIS_H];
    const axis_span *span = t->span[AXIS_H];
    int count = 0;
    for (int64_t row = 0; row < span->length; row++) {
        const int64_t steps = input - (span->start_first + row) * a->step - a->origin, kh = steps / a->tap_step;
        if (steps >= 0 && steps % a->tap_step == 0 && kh < a->taps) to[count++] = (meeting_rows){row, kh};
    }
    return count;
}

static void add_rows(standing *s) {
    tile *t = s->t;
    const problem_axis *a = &t->p.axis[AXIS_H];
    meeting_rows *m = arena_array(t->b->nest->arena, meeting_rows, t->size[AXIS_H] + 1);
    if (!tile_has_spans(t, AXIS_H)) {
        for (int64_t kh = 0; kh < a->taps; kh++) {
            if (!open_present(t, AXIS_H, kh)) continue;
            add_input_row(s, &(meeting_rows){0, kh}, 1);
            close_inside(t->b);
        }
        return;
    }
    const int64_t first = first_line(t), last = first + lines_seen(t) - 1;
    for (int64_t input = greater(first, 0); input <= lesser(last, a->in - 1); input++)
        add_input_row(s, m, constants_rows_meeting(t, input, m));
}

static void add_slices(standing *s) {
    tile *t = s->t;
    for (int64_t kd = 0; kd < t->p.axis[AXIS_D].taps; kd++) {
        s->k.k[AXIS_D] = affine_constant(kd);
        if (!open_present(t, AXIS_D, kd)) continue;
        add_rows(s);
        close_inside(t->b);
    }
}

standing constants_stand(tile *t, int64_t group, int64_t first) {
    const int sums = t->b->nest->registers[t->acc].count;
    arena *a = t->b->nest->arena;
    standing s = {.t = t,
                  .group = group,
                  .first = first,
                  .strict = t->p.accuracy == ACCURACY_STRICT,
                  .fresh = arena_array(a, bool, sums),
                  .folds = arena_array(a, fold, taps_across(t)),
                  .present = arena_array(a, bool, taps_across(t)),
                  .whole = arena_array(a, bool, vectors_of(t))};
    const bool fresh = !t->p.post.bias && is_settled(t, AXIS_D) && is_settled(t, AXIS_H);
    for (int i = 0; i < sums; i++) s.fresh[i] = fresh;
    return s;
}

void constants_stand_at(standing *s, int64_t ic) {
    s->ic = ic;
    s->k.ic = affine_constant(ic);
    memset(s->folds, 0, sizeof *s->folds * (size_t)taps_across(s->t));
    s->fold_count = find_folds(s, s->folds);
}

static void add_filters(tile *t, int64_t group, int64_t first) {
    standing s = constants_stand(t, group, first);
    for (int64_t ic = 0; ic < t->p.in_channels; ic++) {
        constants_stand_at(&s, ic);
        (t->carries ? constants_add_carrying : add_slices)(&s);
    }
}

/* ---- filters: those of the block and the group at hand ---- */

static void open_where(nest_builder *b, affine e, int64_t value) {
    build_if(b, affine_offset(e, -value), NULL);
    build_if(b, affine_offset(affine_scale(e, -1), value), NULL);
}

int64_t constants_groups(const problem *p) { return known_groups_alike(p) ? 1 : p->groups; }

/* A block known by number, or each of those that are whole. */
static void taps(tile *t) {
    nest_builder *b = t->b;
    const affine block = t->oc.block;
    const int64_t groups = constants_groups(&t->p), whole = channel_blocks_whole(&t->oc);
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
                              .carried = constants_carried,
                              .begin_carrying = constants_begin_carrying,
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
    return constants_groups(p) * p->out_channels <= MOST_FILTERS && p->in_channels <= MOST_STEPS;
}

/* Operations that the plan unrolls, if nothing is shared, all variants together. */
static int64_t operations(const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const problem seen = direct_problem(p, target, plan->lanes);
    const int64_t filters = constants_groups(&seen) * seen.out_channels;
    int64_t of_tile = known_present(&seen) * constants_groups(&seen) / seen.groups / ceil_div(filters, plan->tile_oc);
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) {
        arena_free(&a);
        return INT64_MAX;
    }
    of_tile *= ceil_div(filters, plan->tile_oc) * plan->tile_oh * ceil_div(plan->tile_ow, target_lanes(target, p->sum));
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

/* What is in the third level, and what is behind it, comes in order, at all that these give. Stores that do not bypass
 * the caches fetch first what they overwrite, which shows where that is in memory alone. */
static double far_cycles(const problem *p, const cvk_target *target, const cvk_plan *plan, const traffic *t) {
    const double rows = (double)plan->tile_od * plan->tile_oh, x = view_bytes(&p->x), y = view_bytes(&p->y);
    const double again = plan->stream ? 0 : y * fmin(1, t->l3 / (x + y));
    const double near = fmax(t->l2 - t->l3, 0), behind = t->l3 + again;
    return target->figures->sustained_bytes * (cost_l3(target, near) + cost_memory(target, behind)) +
           COST_FILTER_ROW_CYCLES * log2(rows) * near / LINE_BYTES +
           COST_FILTER_WAIT_CYCLES * fmin(t->l3, x) / LINE_BYTES / rows;
}

/* Sums are of a few products, and those of one tile do not wait for those of the tile before. */
static double cycles(const problem *asked, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests,
                     const nest_counts *counts) {
    (void)nests;
    const problem p = direct_problem(asked, target, plan->lanes);
    const traffic t = traffic_of(&p, target, plan);
    const double near = direct_near(&p, target, plan, counts, &t, INFINITY), far = far_cycles(&p, target, plan, &t);
    const double shown = COST_FILTER_SHOWN * (near < far ? near * near / far : far);
    return fmax(near, far) + shown;
}

const algorithm algo_constants = {"constants", LANES_COLUMNS, applicable, propose_constant_tiles,
                                  refuse,      direct_build,  cycles,     direct_tasks,
                                  NULL,        &FAMILY,       false};
