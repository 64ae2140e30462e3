/* Filters of known weights along whole rows, where a vector is a line. A fold's column is summed down first, from
 * vectors that begin where lines do, and the sums are put together across, with those of the tiles before and after:
 * what a tile sums is of the vector after it, and stays in registers for three tiles.
 *
 *     before the row's tiles: d[before], d[here] = sums down
 *     for folds of columns, rows of the tile: unrolled
 *       d[after] = sum of weight[kh] x[row + kh], of the vector after
 *       acc[row] += sum of factor[kw] what tap kw reads of d[before], d[here], d[after]
 *       d[before] = d[here]; d[here] = d[after]
 *
 * A fold of the middle column alone is summed where it is. Tiles at the row's ends, where lanes are absent, load what
 * each tap reads. */
#include "algo/direct/constants.h"

#include "algo/known_product.h"

/* ---- registers: input rows here and after; sums of columns before, here and after ---- */

static int64_t sums_carried(const tile *t) { return t->plan->tile_oc * t->plan->tile_oh * taps_across(t); }

static register_ref line_of(const tile *t, int which, int64_t line) {
    return reg(t->lines, affine_constant((which == AFTER) * lines_seen(t) + line));
}
static register_ref carried_of(const tile *t, int64_t number, int which) {
    return reg(t->carried, affine_constant(NEIGHBOURS * number + which));
}

/* ---- rows that are walked from end to end: of a fold a column is summed down, and then across by neighbours ---- */

/* Where a row of the tile, a fold and a channel have their sums. */
typedef struct carried_sum {
    const fold *f;
    int64_t row, j, number;
    bool behind, ahead; /* taps of its fold are before the middle one, and after it */
} carried_sum;

static bool reaches(const tile *t, const fold *f, int side) {
    for (int64_t kw = 0; kw < taps_across(t); kw++)
        if (f->factor[kw] != 0 && offset_of(t, kw) * side > 0) return true;
    return false;
}

static carried_sum sum_at(const standing *s, int number, int64_t row, int64_t j) {
    const tile *t = s->t;
    const fold *f = &s->folds[number];
    return (carried_sum){.f = f,
                         .row = row,
                         .j = j,
                         .number = (number * t->plan->tile_oh + row) * t->plan->tile_oc + j,
                         .behind = reaches(t, f, -1),
                         .ahead = reaches(t, f, 1)};
}

/* Each of them. */
static void for_sums(standing *s, void (*each)(standing *, const carried_sum *)) {
    for (int number = 0; number < s->fold_count; number++)
        for (int64_t row = 0; row < s->t->span[AXIS_H]->length; row++)
            for (int64_t j = 0; j < s->t->oc.valid; j++) {
                const carried_sum sum = sum_at(s, number, row, j);
                each(s, &sum);
            }
}

/* Whether a fold whose sums are of the tile after, or of this one, weighs an input row. */
static bool weighs(const standing *s, const meeting_rows *m, int count, bool after) {
    for (int i = 0; i < s->fold_count; i++)
        if (reaches(s->t, &s->folds[i], 1) == after && constants_is_met(s, &s->folds[i], m, count)) return true;
    return false;
}

static bool has_line(const tile *t, int64_t line) {
    const int64_t input = first_line(t) + line;
    return input >= 0 && input < t->p.axis[AXIS_H].in;
}

/* Input rows, at the tile that is so many after this one: what sums there are made of, here or after. */
static void load_lines(standing *s, int which, int64_t tiles, bool after) {
    tile *t = s->t;
    const problem_axis *a = &t->p.axis[AXIS_H];
    const int64_t last = (t->span[AXIS_H]->length - 1) * a->step + (a->taps - 1) * a->tap_step;
    s->k.k[AXIS_W] = affine_constant(middle_of(&t->p.axis[AXIS_W]));
    meeting_rows *m = arena_array(t->b->nest->arena, meeting_rows, t->size[AXIS_H] + 1);
    for (int64_t line = 0; line <= last; line++) {
        if (!has_line(t, line) || !weighs(s, m, constants_rows_meeting(t, first_line(t) + line, m), after)) continue;
        const pixel at = {{affine_constant(0), affine_constant(m->row), affine_constant(tiles * t->lanes)}};
        s->k.k[AXIS_H] = affine_constant(m->kh);
        lane_map lanes = tap_input(t, &s->k, &at);
        lanes.column_step = 1;
        view_load(t->b, &t->x, &lanes, line_of(t, which, line), input_of(t, taps_across(t)));
        combine_loaded(t, line_of(t, which, line));
    }
}

/* A fold's column, of the lines that are there. */
static void sum_down(standing *s, const carried_sum *c, int lines, register_ref to, bool *fresh) {
    const tile *t = s->t;
    const problem_axis *a = &t->p.axis[AXIS_H];
    bool *there = arena_array(t->b->nest->arena, bool, a->taps);
    for (int64_t kh = 0; kh < a->taps; kh++) there[kh] = has_line(t, c->row * a->step + kh * a->tap_step);
    const known_sum sum = {.weight = c->f->weight + place_in_column(t, c->j, 0, 0),
                           .present = there,
                           .count = a->taps,
                           .x = line_of(t, lines, c->row * a->step),
                           .step = a->tap_step,
                           .group = group_of(t),
                           .constant = one_constant(t)};
    known_add_sum(t->b, &sum, to, fresh);
}

static void carry_down(standing *s, const carried_sum *c, int lines, int which) {
    bool fresh = true;
    sum_down(s, c, lines, carried_of(s->t, c->number, which), &fresh);
    if (fresh) build_const(s->t->b, carried_of(s->t, c->number, which), 0);
}

static void begin_behind(standing *s, const carried_sum *c) {
    if (c->behind && !c->ahead) carry_down(s, c, HERE, BEFORE);
}

static void begin_behind_ahead(standing *s, const carried_sum *c) {
    if (c->behind && c->ahead) carry_down(s, c, HERE, BEFORE);
}

static void begin_here(standing *s, const carried_sum *c) {
    if (c->ahead) carry_down(s, c, HERE, HERE);
}

static register_ref result_of(const tile *t, const carried_sum *c) {
    const pixel row = {{affine_constant(0), affine_constant(c->row), affine_constant(0)}};
    return column_tile_sum(t, affine_constant(c->j), &row, affine_constant(0));
}

/* What a fold gives to a row of the tile; then here is what was after it. */
static void add_carried(standing *s, const carried_sum *c) {
    tile *t = s->t;
    const register_ref result = result_of(t, c);
    bool *fresh = &s->fresh[result.index.constant];
    if (!c->behind && !c->ahead) {
        sum_down(s, c, HERE, result, fresh);
        return;
    }
    const register_ref of[NEIGHBOURS] = {carried_of(t, c->number, BEFORE), carried_of(t, c->number, HERE),
                                         carried_of(t, c->number, AFTER)};
    carry_down(s, c, c->ahead ? AFTER : HERE, c->ahead ? AFTER : HERE);
    for (int64_t kw = 0; kw < taps_across(t); kw++) {
        s->present[kw] = c->f->factor[kw] != 0;
        if (s->present[kw]) constants_join(t, kw, of);
    }
    const known_sum row = {c->f->factor, s->present, taps_across(t), input_of(t, 0), 1, group_of(t), one_constant(t)};
    known_add_sum(t->b, &row, result, fresh);
    if (c->behind) build_op(t->b, OP_COPY, of[BEFORE], of[HERE], of[HERE]);
    if (c->ahead) build_op(t->b, OP_COPY, of[HERE], of[AFTER], of[AFTER]);
}

/* Whether some fold's sums are of the tile after, or of this one. */
static bool sums_lie(const standing *s, int which) {
    for (int i = 0; i < s->fold_count; i++)
        if (reaches(s->t, &s->folds[i], 1) == (which == AFTER)) return true;
    return false;
}

void constants_add_carrying(standing *s) {
    s->k.k[AXIS_D] = affine_constant(0);
    load_lines(s, HERE, 0, false);
    load_lines(s, AFTER, 1, true);
    for_sums(s, add_carried);
}

/* ---- whether and where tiles carry ---- */

/* Whether all taps reach no farther than the neighbours. */
static bool is_near(const tile *t) {
    return offset_of(t, 0) > -t->lanes && offset_of(t, taps_across(t) - 1) < t->lanes;
}

/* The innermost loop is over tiles of a vector in a whole row, of one filter of one channel and slice. */
static bool walks_rows(const tile *t) {
    const plan_order *o = &t->plan->order;
    const bool rows = o->level[o->count - 1].loop == LOOP_OW && plan_level_of(o, LOOP_OW, true) < 0 &&
                      t->plan->tasks < o->count && !t->plan->pack_rows;
    return rows && vectors_of(t) == 1 && has_lines(t) && is_near(t) && t->p.in_channels == 1 &&
           t->p.axis[AXIS_D].taps == 1 && t->oc.blocks == 1 && constants_groups(&t->p) == 1;
}

enum { SPARE = 3 }; /* a result, what a tap reads, a constant */

/* What is alive at once: sums that wait for the tiles that follow, and the lines of a column, here and after. */
static int64_t values_alive(const standing *s) {
    const tile *t = s->t;
    int64_t waiting = 0;
    for (int i = 0; i < s->fold_count; i++) waiting += reaches(t, &s->folds[i], -1) + reaches(t, &s->folds[i], 1);
    return waiting * t->plan->tile_oh * t->plan->tile_oc + taps_down(t) * (sums_lie(s, HERE) + sums_lie(s, AFTER)) +
           SPARE;
}

/* Columns that are summed first change the order of a sum, too. */
static bool may_carry(tile *t) {
    if (t->p.accuracy == ACCURACY_STRICT || !walks_rows(t)) return false;
    channel_blocks_at(&t->oc, 0);
    standing s = constants_stand(t, 0, 0);
    constants_stand_at(&s, 0);
    return values_alive(&s) <= t->target->registers;
}

/* Those whose neighbours are in the input, too, all of them. */
tile_run constants_carried(const tile *t, int64_t low, int64_t high) {
    const problem_axis *a = &t->p.axis[AXIS_W];
    const int64_t shift = middle_of(a) * a->tap_step + a->origin; /* of what a tile's middle tap reads */
    tile_run r = {low, low};
    if (!t->hands_on || t->span[AXIS_W]->length != t->lanes) return r;
    r.first = greater(low, ceil_div(t->lanes - shift, t->lanes));
    r.end = lesser(high, floor_div(a->in - shift, t->lanes) - 1);
    return r.first < r.end ? r : (tile_run){low, low};
}

void constants_begin_carrying(tile *t) {
    standing s = constants_stand(t, 0, 0);
    s.k.k[AXIS_D] = affine_constant(0);
    constants_stand_at(&s, 0);
    for (int after = 0; after < 2; after++) {
        load_lines(&s, HERE, -1, after);
        for_sums(&s, after ? begin_behind_ahead : begin_behind);
    }
    load_lines(&s, HERE, 0, true);
    for_sums(&s, begin_here);
}

void constants_add_carried(tile *t) {
    t->hands_on = may_carry(t);
    if (!t->hands_on) return;
    t->lines = nest_add_register(t->b, "l", t->p.sum, t->lanes, (int)(2 * lines_seen(t)));
    t->carried = nest_add_register(t->b, "d", t->p.sum, t->lanes, (int)(NEIGHBOURS * sums_carried(t)));
}
