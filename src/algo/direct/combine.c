/* What a tile makes of the inputs that its taps find: sums of products with weights, of all or of those that are no
 * NaN, or, of pools, which weigh nothing, the greatest, or the mean.
 *
 * A maximum with its place goes through the taps in their order, and the first of the greatest keeps its place:
 *
 *     wins = x > greatest ? -1 : 0;  place = min(wins, place) < 0 ? number of x : place;  greatest = maximum(greatest,
 * x)
 *
 * for a place is -1 where there is none yet, as it must be even if all that comes is minus infinity.
 *
 * Sums that leave NaN out keep two more, of all weights and of those that met a number. Each goes through the taps in
 * the same order, so that where there is no NaN they have the same bits, and their quotient is 1:
 *
 *     is = x > infinity, which NaN is, ? 0 : 1;  x = is ? x : 0;  sum += x w;  met += is w;  all += w;
 *     then  sum all / met + bias
 *
 * How many taps a mean counts is known where positions have code of their own, and counted where they have not. */
#include "algo/direct/tile.h"

#include <math.h>

enum { WINS, NUMBER, TEMPORARIES };
enum { ALL, MET, WEIGHTS_SUMS };
enum { ZERO, ONE, INFINITE, CONSTANTS };

static register_ref none(void) { return reg(-1, affine_constant(0)); }
static register_ref temporary(const tile *t, int i) { return reg(t->temporaries, affine_constant(i)); }
/* Beside a sum: that of all weights, or of those that met a number. */
static register_ref weights_sum(const tile *t, register_ref sum, int which) {
    return reg(t->met, affine_offset(affine_scale(sum.index, WEIGHTS_SUMS), which));
}
/* Beside an input: 1, or 0 where it is none. */
static register_ref is_number(const tile *t, register_ref x) { return reg(t->is_number, x.index); }
static register_ref constant(const tile *t, int i) { return reg(t->constants, affine_constant(i)); }
static register_ref place_of(const tile *t, register_ref sum) { return reg(t->places, sum.index); }

void combine_registers(tile *t) {
    const int sums = t->b->nest->registers[t->acc].count;
    if (t->p.combine == COMBINE_SUM || t->p.combine == COMBINE_NONE) return;
    if (t->p.combine == COMBINE_NUMBERS) {
        t->met = nest_add_register(t->b, "met", t->p.sum, t->lanes, WEIGHTS_SUMS * sums);
        t->is_number = nest_add_register(t->b, "is_number", t->p.sum, t->lanes, t->b->nest->registers[t->xs].count);
        t->constants = nest_add_register(t->b, "constant", t->p.sum, t->lanes, CONSTANTS);
        return;
    }
    t->temporaries = nest_add_register(t->b, "aside", t->p.sum, t->lanes, TEMPORARIES);
    if (t->p.indices) t->places = nest_add_register(t->b, "place", t->p.sum, t->lanes, sums);
    if (t->p.combine != COMBINE_MEAN) return;
    t->counted = nest_add_register(t->b, "counted", t->p.sum, t->lanes, AXES);
    t->divisor = nest_add_register(t->b, "taps", t->p.sum, t->lanes, 1);
}

void combine_begin(tile *t, register_ref to, const lane_map *m) {
    if (t->p.combine == COMBINE_MAXIMUM)
        build_const(t->b, to, -INFINITY);
    else if (t->p.combine == COMBINE_NUMBERS)
        build_const(t->b, to, 0);
    else
        epilogue_bias(&t->out, to, m);
}

void combine_begin_sum(tile *t, register_ref sum, register_ref from) {
    if (t->p.combine == COMBINE_NONE) return;
    build_op(t->b, OP_COPY, sum, from, none());
    if (t->p.indices) build_const(t->b, place_of(t, sum), -1);
    if (t->p.combine != COMBINE_NUMBERS) return;
    build_const(t->b, weights_sum(t, sum, ALL), 0);
    build_const(t->b, weights_sum(t, sum, MET), 0);
}

void combine_loaded(tile *t, register_ref x) {
    static const double VALUE[CONSTANTS] = {[ONE] = 1, [INFINITE] = INFINITY};
    nest_builder *b = t->b;
    if (t->p.combine != COMBINE_NUMBERS) return;
    const register_ref is = is_number(t, x);
    for (int i = 0; i < CONSTANTS; i++) build_const(b, constant(t, i), VALUE[i]);
    build_op(b, OP_GREATER, is, x, constant(t, INFINITE));
    build_select_negative(b, x, is, constant(t, ZERO), x);
    build_op(b, OP_ADD, is, is, constant(t, ONE));
}

static void weigh_number(tile *t, const meeting *x) {
    const register_ref all = weights_sum(t, x->sum, ALL);
    build_fma(t->b, x->sum, x->x, x->weight, x->lanes);
    build_fma(t->b, weights_sum(t, x->sum, MET), is_number(t, x->x), x->weight, x->lanes);
    build_op(t->b, OP_ADD, all, all, x->weight);
}

void combine_reweigh(tile *t, register_ref sum, register_ref bias) {
    const register_ref all = weights_sum(t, sum, ALL);
    build_op(t->b, OP_DIV, all, all, weights_sum(t, sum, MET));
    build_op(t->b, OP_MUL, sum, sum, all);
    if (t->p.post.bias) build_op(t->b, OP_ADD, sum, sum, bias);
}

/* Position of an input among all of its channel's. */
static affine number_of(const tile *t, const tap *k, const pixel *p) {
    const position o = tile_output(t, p);
    affine number = affine_constant(0);
    for (int a = 0; a < AXES; a++) {
        const problem_axis *axis = &t->whole.axis[a];
        number = affine_add_scaled(input_position(axis, o.at[a], k->k[a]), number, axis->in);
    }
    return number;
}

static void keep_place(tile *t, const meeting *x) {
    nest_builder *b = t->b;
    register_ref wins = temporary(t, WINS), number = temporary(t, NUMBER), kept = place_of(t, x->sum);
    build_op(b, OP_GREATER, wins, x->x, x->sum);
    build_op(b, OP_MIN, wins, wins, kept);
    if (x->lanes) build_keep(b, wins, wins, x->lanes);
    build_number(b, number, number_of(t, x->tap, x->pixel), x->column_step);
    build_select_negative(b, kept, wins, number, kept);
}

void combine_input(tile *t, const meeting *x) {
    if (t->p.indices) keep_place(t, x);
    switch (t->p.combine) {
    case COMBINE_SUM: build_fma(t->b, x->sum, x->x, x->weight, x->lanes); break;
    case COMBINE_NUMBERS: weigh_number(t, x); break;
    case COMBINE_MAXIMUM: build_maximum(t->b, x->sum, x->x, x->lanes); break;
    case COMBINE_NONE: build_op(t->b, OP_COPY, x->sum, x->x, none()); break;
    case COMBINE_MEAN: build_op(t->b, OP_ADD, x->sum, x->sum, x->x); break; /* lanes without a tap have read 0 */
    }
}

/* ---- means ---- */

/* Whether how many taps of an axis count is found out as the nest runs. */
static bool is_counted(const tile *t, int axis) {
    const problem_axis *a = &t->whole.axis[axis];
    if (tile_has_spans(t, axis)) return false;
    for (int64_t o = 1; o < a->out; o++)
        if (axis_counted(a, o) != axis_counted(a, 0)) return true;
    return false;
}

count_list combine_counts(const tile *t, int axis) {
    const axis_span one = {0, 1, 1, 0, 0}, *span = tile_has_spans(t, axis) ? t->span[axis] : &one;
    count_list list = axis_counts(t->b->nest->arena, &t->whole.axis[axis], span);
    if (is_counted(t, axis)) list.run[0].taps = 1;
    return list;
}

static void count_axis(tile *t, int axis) {
    const problem_axis counting = axis_counting(&t->whole.axis[axis]);
    register_ref sum = reg(t->counted, affine_constant(axis)), one = temporary(t, NUMBER);
    build_const(t->b, sum, 0);
    build_const(t->b, one, 1);
    build_for(t->b, VARIABLE_LOOP, "k", present_taps(t->b, &counting, t->at[axis]));
    build_op(t->b, OP_ADD, sum, sum, one);
    build_end(t->b);
}

static bool is_power_of_two(int64_t n) { return (n & (n - 1)) == 0; }

/* Times those that were counted. */
register_ref combine_divisor_alone(tile *t, int64_t taps) {
    const register_ref to = reg(t->divisor, affine_constant(0));
    build_const(t->b, to, (double)taps);
    for (int a = 0; a < AXES; a++)
        if (is_counted(t, a)) build_op(t->b, OP_MUL, to, to, reg(t->counted, affine_constant(a)));
    return to;
}

/* By a power of two, its reciprocal serves as well, and sooner. */
divisor combine_divisor(tile *t, int64_t taps) {
    bool counted = false;
    for (int a = 0; a < AXES; a++) counted |= is_counted(t, a);
    if (counted || !is_power_of_two(taps)) return (divisor){OP_DIV, combine_divisor_alone(t, taps)};
    const register_ref by = reg(t->divisor, affine_constant(0));
    build_const(t->b, by, 1 / (double)taps);
    return (divisor){OP_MUL, by};
}

void combine_finish(tile *t) {
    if (t->p.combine == COMBINE_NUMBERS) t->family->reweigh(t);
    if (t->p.combine != COMBINE_MEAN) return;
    for (int a = 0; a < AXES; a++)
        if (is_counted(t, a)) count_axis(t, a);
    const count_list slices = combine_counts(t, AXIS_D), rows = combine_counts(t, AXIS_H);
    for (int d = 0; d < slices.count; d++)
        for (int h = 0; h < rows.count; h++) t->family->divide(t, &slices.run[d], &rows.run[h]);
}
