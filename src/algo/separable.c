/* Separable filters: a kernel that is the product of a column and a row, which are known, is two passes, and one that
 * is the sum of few such products as many times two. A task filters the columns of some rows to scratch, then these
 * rows to the output: lanes are columns in both, and what is between the two stays in the first-level cache. Terms
 * share what is loaded of the input, have scratch of their own, and are summed up as they are filtered across.
 *
 *     tasks n, g, od, oh, blocks of ow
 *       variants: rows whose taps are all in the input, each tile of the others; blocks with and without a border
 *         for the vectors of input columns that the block's taps see
 *           x[row] = load the input rows
 *           for terms, rows of the tile: scratch[term][row] = sum of down[term][kh] x[row + kh], those of one
 *               magnitude added first
 *         the border of scratch, from where the padding mode says: that of a sum is the sum of the border
 *         for the rows of the tile
 *           for the vectors of the block: y = sum of across[term][kw] scratch[term][row], those of one magnitude added
 *               first
 *
 * Where a vector is a whole line, those of scratch are loaded once each as a row is walked, and what the taps read is
 * put together from neighbours. Rows in a border are read where the mode says, so that nothing else is copied. */
#include "algo/border.h"
#include "algo/cost.h"
#include "algo/direct/tile.h"
#include "algo/known_product.h"
#include "problem/known.h"

#include <math.h>

enum { MOST_ROWS = 8, MOST_AHEAD = 4, MOST_OPERATIONS = 4000 };

static const plan_loop ORDER[PLAN_TILE_LOOPS] = {LOOP_N, LOOP_G, LOOP_OC, LOOP_OD, LOOP_OH, LOOP_OW};

typedef struct filter {
    nest_builder *b;
    const cvk_plan *plan;
    problem p;
    known_factors f;
    int lanes, input, scratch;      /* tensors */
    int x, seen, line, sums, known; /* registers */
    bool *there;                    /* input rows that the tile sees, and taps of a column */
    bool *present, *all;            /* taps of a column; of a row */
    tensor_view image;
    epilogue out;
    affine n, group, od, oh, ow; /* oh: the tile's first row; ow: the block's first column */
    int64_t rows, columns;       /* of the tile, and of the block, that exist */
    int64_t row_elements;        /* of scratch */
    int64_t low, high;           /* of a row of scratch, what lies there of the input */
    int64_t tile;                /* its number, where its rows are known; -1: all its taps are in the input */
} filter;

static const problem_axis *axis_of(const filter *s, int axis) { return &s->p.axis[axis]; }

/* Input positions that so many of output see. */
static int64_t seen(const problem_axis *a, int64_t outputs) {
    return (outputs - 1) * a->step + (a->taps - 1) * a->tap_step + 1;
}

static int64_t block_of(const problem *p, const cvk_plan *plan) {
    const int level = plan_level_of(&plan->order, LOOP_OW, true);
    return level < 0 ? p->axis[AXIS_W].out : lesser(plan->order.level[level].block, p->axis[AXIS_W].out);
}

/* ---- down ---- */

static register_ref only(int array) { return reg(array, affine_constant(0)); }
static register_ref sum_of(const filter *s, int term, int64_t row) {
    return reg(s->sums, affine_constant(term * s->plan->tile_oh + row));
}

static int64_t place_down(const filter *s, int64_t kd, int64_t kh) { return kd * axis_of(s, AXIS_H)->taps + kh; }

/* What a sum of known products is made with. */
static register_ref group_of(const filter *s) { return reg(s->known, affine_constant(0)); }
static register_ref constant_of(const filter *s) { return reg(s->known, affine_constant(1)); }

/* Where input row number i of those that the tile sees is; false: nowhere, but in a border of one number. */
static bool find_row(const filter *s, int64_t i, affine *to) {
    const problem_axis *a = axis_of(s, AXIS_H);
    *to = affine_offset(affine_scale(s->oh, a->step), a->origin + i);
    if (s->tile < 0) return true;
    const int64_t at = border_source(s->p.border, s->tile * s->plan->tile_oh * a->step + a->origin + i, a->in);
    *to = affine_constant(at);
    return at >= 0;
}

/* One vector of input row number i of those that the tile sees, from a column on; whether it is there. */
static bool load_row(filter *s, int64_t i, affine slice, affine column, const nest_range *valid) {
    const register_ref x = reg(s->seen, affine_constant(i));
    affine row;
    if (find_row(s, i, &row)) {
        const affine channel = affine_scale(s->group, s->image.v.group);
        const lane_map m = {s->n, channel, {{slice, row, column}}, .column_step = 1, .valid = valid};
        view_load(s->b, &s->image, &m, x, only(s->x));
        return true;
    }
    build_const(s->b, x, s->p.constant);
    return s->p.border != PAD_ZEROS;
}

static affine slice_of(const filter *s, int64_t kd) {
    return input_position(axis_of(s, AXIS_D), s->od, affine_constant(kd));
}

/* Rows of scratch: those of a term one after another. */
static affine in_scratch(const filter *s, int term, affine row, affine column) {
    return affine_add_scaled(column, affine_offset(row, term * s->plan->tile_oh), s->row_elements);
}

/* What a slice's rows give to the sums of the tile's row r. */
static void add_column(filter *s, int term, int64_t kd, int64_t r, bool *fresh) {
    const problem_axis *h = axis_of(s, AXIS_H);
    for (int64_t kh = 0; kh < h->taps; kh++) s->present[kh] = s->there[r * h->step + kh * h->tap_step];
    const known_sum sum = {.weight = s->f.down[term] + place_down(s, kd, 0),
                           .present = s->present,
                           .count = h->taps,
                           .x = reg(s->seen, affine_constant(r * h->step)),
                           .step = h->tap_step,
                           .group = group_of(s),
                           .constant = constant_of(s)};
    known_add_sum(s->b, &sum, sum_of(s, term, r), fresh);
}

static void store_column(filter *s, int term, int64_t r, affine column, const nest_range *valid, bool fresh) {
    if (fresh) build_const(s->b, sum_of(s, term, r), 0);
    build_store(s->b, access_at(s->scratch, in_scratch(s, term, affine_constant(r), column), 1), sum_of(s, term, r),
                valid);
}

/* The sums of a vector of columns, the first of which is number `column` of scratch. Slices may be absent. */
static void filter_down(filter *s, affine column, const nest_range *valid) {
    const problem_axis *d = axis_of(s, AXIS_D), *w = axis_of(s, AXIS_W);
    const bool settled = axis_before(d) <= 0 && axis_after(d) <= 0;
    bool fresh[KNOWN_MOST_TERMS * MOST_ROWS];
    const int64_t sums = s->f.terms * s->rows;
    for (int64_t i = 0; i < sums; i++) {
        fresh[i] = settled;
        if (!settled) build_const(s->b, sum_of(s, (int)(i / s->rows), i % s->rows), 0);
    }
    const affine source = affine_add(column, affine_offset(s->ow, w->origin));
    for (int64_t kd = 0; kd < d->taps; kd++) {
        const affine slice = slice_of(s, kd);
        if (!open_inside(s->b, d, s->od, kd)) continue;
        for (int64_t i = 0; i < seen(axis_of(s, AXIS_H), s->rows); i++)
            s->there[i] = load_row(s, i, slice, source, valid);
        for (int64_t i = 0; i < sums; i++) add_column(s, (int)(i / s->rows), kd, i % s->rows, &fresh[i]);
        close_inside(s->b);
    }
    for (int64_t i = 0; i < sums; i++) store_column(s, (int)(i / s->rows), i % s->rows, column, valid, fresh[i]);
}

/* All columns of scratch that are the input's: the last vector may cover some of the one before. */
static void pass_down(filter *s) {
    nest_builder *b = s->b;
    const int64_t count = s->high - s->low, whole = count / s->lanes;
    if (whole) {
        const affine v = build_loop(b, "v", whole);
        filter_down(s, affine_offset(affine_scale(v, s->lanes), s->low), NULL);
        build_end(b);
    }
    if (count % s->lanes == 0) return;
    const nest_range few = range_of(b, 0, count % s->lanes);
    const int64_t last = whole ? s->high - s->lanes : s->low;
    filter_down(s, affine_constant(last), whole ? NULL : &few);
}

/* ---- the border ---- */

/* All rows of a column that is nothing but a border of one number. */
static void sum_constant_border(filter *s, int term) {
    const int64_t down = axis_of(s, AXIS_D)->taps * axis_of(s, AXIS_H)->taps;
    build_const(s->b, only(s->x), 0);
    build_const(s->b, group_of(s), s->p.constant);
    for (int64_t i = 0; i < down; i++) {
        build_const(s->b, constant_of(s), s->f.down[term][i]);
        build_fma(s->b, only(s->x), group_of(s), constant_of(s), NULL);
    }
}

/* A position of a term's scratch outside of the input. */
static void fill_border(filter *s, int term, affine row, int64_t column) {
    nest_builder *b = s->b;
    const problem_axis *w = axis_of(s, AXIS_W);
    const nest_range one = range_of(b, 0, 1);
    const affine at_column = affine_offset(s->ow, column + w->origin);
    const int64_t from = border_source(s->p.border, at_column.constant, w->in);
    const affine at = in_scratch(s, term, row, affine_constant(0));
    if (from < 0 && s->p.border == PAD_CONSTANT)
        sum_constant_border(s, term);
    else if (from < 0)
        build_const(b, only(s->x), 0);
    else
        build_load(b, only(s->x), access_at(s->scratch, affine_offset(at, from - s->ow.constant - w->origin), 1), &one);
    build_store(b, access_at(s->scratch, affine_offset(at, column), 1), only(s->x), &one);
}

static void fill_borders(filter *s, affine row) {
    const int64_t width = seen(axis_of(s, AXIS_W), s->columns);
    for (int64_t c = 0; c < width; c++)
        for (int t = 0; t < s->f.terms && (c < s->low || c >= s->high); t++) fill_border(s, t, row, c);
}

/* ---- across ---- */

static int64_t taps_across(const filter *s) { return axis_of(s, AXIS_W)->taps; }

/* Vectors that lie ahead of the outputs, whose lanes their taps see. */
static int64_t ahead(const problem *p, int lanes) {
    const problem_axis *w = &p->axis[AXIS_W];
    return ceil_div((w->taps - 1) * w->tap_step, lanes);
}

/* By tap; and vectors of a term's scratch that follow on one another, the first of which lies where the outputs do. */
static register_ref tap_of(const filter *s, int64_t kw) { return reg(s->x, affine_constant(1 + kw)); }
static register_ref line_of(const filter *s, int term, int64_t i) {
    return reg(s->line, affine_constant(term * (ahead(&s->p, s->lanes) + 1) + i));
}

static int64_t offset_of(const filter *s, int64_t kw) { return kw * axis_of(s, AXIS_W)->tap_step; }

static bool joins(const filter *s) {
    const problem_axis *w = axis_of(s, AXIS_W);
    return s->lanes * type_bytes(s->p.sum) == LINE_BYTES && ahead(&s->p, s->lanes) <= MOST_AHEAD && w->taps > 1;
}

static void load_scratch(filter *s, int term, affine row, affine column, register_ref to) {
    build_load(s->b, to, access_at(s->scratch, in_scratch(s, term, row, column), 1), NULL);
}

/* Before the first vector of a row: all but the last of the line. */
static void begin_line(filter *s, int term, affine row) {
    for (int64_t i = 0; joins(s) && i < ahead(&s->p, s->lanes); i++)
        load_scratch(s, term, row, affine_constant(i * s->lanes), line_of(s, term, i));
}

/* What a tap reads, of two neighbours of the line. */
static void join(filter *s, int term, int64_t kw) {
    const int64_t at = offset_of(s, kw), first = at / s->lanes;
    int pattern[NEST_MOST_LANES];
    for (int l = 0; l < s->lanes; l++) pattern[l] = (int)(at % s->lanes) + l;
    if (at % s->lanes == 0)
        build_op(s->b, OP_COPY, tap_of(s, kw), line_of(s, term, first), line_of(s, term, first));
    else
        build_shuffle(s->b, tap_of(s, kw), line_of(s, term, first), line_of(s, term, first + 1), pattern);
}

/* What the taps read for the outputs from a column on; the line moves on by a vector. */
static void load_taps(filter *s, int term, affine row, affine column) {
    const int64_t last = ahead(&s->p, s->lanes);
    if (joins(s)) load_scratch(s, term, row, affine_offset(column, last * s->lanes), line_of(s, term, last));
    for (int64_t kw = 0; kw < taps_across(s); kw++) {
        if (s->f.across[term][kw] == 0) continue;
        /* Of the others each takes two loads, and shuffles are no more than what else is computed. */
        if (joins(s) && kw % 2 == 0)
            join(s, term, kw);
        else
            load_scratch(s, term, row, affine_offset(column, offset_of(s, kw)), tap_of(s, kw));
    }
    for (int64_t i = 0; joins(s) && i < last; i++)
        build_op(s->b, OP_COPY, line_of(s, term, i), line_of(s, term, i + 1), line_of(s, term, i + 1));
}

/* A term's row is added to the result. */
static void add_across(filter *s, int term, affine row, affine column, register_ref result, bool *fresh) {
    load_taps(s, term, row, column);
    const known_sum sum = {.weight = s->f.across[term],
                           .present = s->all,
                           .count = taps_across(s),
                           .x = tap_of(s, 0),
                           .step = 1,
                           .group = group_of(s),
                           .constant = constant_of(s)};
    known_add_sum(s->b, &sum, result, fresh);
}

static void filter_across(filter *s, affine row, affine column, const nest_range *valid) {
    nest_builder *b = s->b;
    const register_ref result = sum_of(s, 0, 0);
    const affine channel = affine_scale(s->group, s->out.y.v.group);
    const position at = {{s->od, affine_add(s->oh, row), affine_add(s->ow, column)}};
    const lane_map m = {s->n, channel, at, .column_step = 1, .valid = valid};
    bool fresh = !s->p.post.bias;
    if (!fresh) epilogue_bias(&s->out, result, &(lane_map){.channel = channel});
    for (int t = 0; t < s->f.terms; t++) add_across(s, t, row, column, result, &fresh);
    if (fresh) build_const(b, result, 0);
    epilogue_store(&s->out, result, &m, false);
}

static void pass_across(filter *s, affine row) {
    nest_builder *b = s->b;
    const int64_t whole = s->columns / s->lanes;
    for (int t = 0; t < s->f.terms; t++) begin_line(s, t, row);
    if (whole) {
        filter_across(s, row, affine_scale(build_loop(b, "v", whole), s->lanes), NULL);
        build_end(b);
    }
    const nest_range rest = range_of(b, 0, s->columns % s->lanes);
    if (s->columns % s->lanes) filter_across(s, row, affine_constant(whole * s->lanes), &rest);
}

static void filter_tile(filter *s) {
    pass_down(s);
    if (s->low > 0 || s->high < seen(axis_of(s, AXIS_W), s->columns)) {
        fill_borders(s, build_loop(s->b, "r", s->rows));
        build_end(s->b);
    }
    pass_across(s, build_loop(s->b, "r", s->rows));
    build_end(s->b);
}

/* ---- variants ---- */

static void open_where(nest_builder *b, affine e, int64_t low, int64_t high) {
    build_if(b, affine_offset(e, -low), NULL);
    build_if(b, affine_offset(affine_scale(e, -1), high - 1), NULL);
}

static void close_where(nest_builder *b) {
    build_end(b);
    build_end(b);
}

/* Blocks low .. high - 1, of so many columns each, that see as much of a border. */
static void filter_blocks(filter *s, affine block, int64_t low, int64_t high, int64_t columns) {
    if (low >= high) return;
    const problem_axis *w = axis_of(s, AXIS_W);
    const int64_t size = block_of(&s->p, s->plan), first = low * size + w->origin, last = (high - 1) * size + w->origin;
    filter at = *s;
    open_where(s->b, block, low, high);
    at.columns = columns;
    at.ow = high - low == 1 ? affine_constant(low * size) : affine_scale(block, size);
    at.low = greater(0, -first);
    at.high = lesser(seen(w, columns), w->in - last);
    filter_tile(&at);
    close_where(s->b);
}

/* Whether a block of so many columns sees positions outside of the input. */
static bool sees_border(const problem_axis *w, int64_t first, int64_t columns) {
    return first + w->origin < 0 || first + w->origin + seen(w, columns) > w->in;
}

static void filter_rows(filter *s, affine block) {
    const problem_axis *w = axis_of(s, AXIS_W);
    const int64_t size = block_of(&s->p, s->plan), whole = w->out / size, rest = w->out % size;
    int64_t from = 0, to = whole;
    while (from < to && sees_border(w, from * size, size)) from++;
    while (to > from && sees_border(w, (to - 1) * size, size)) to--;
    for (int64_t i = 0; i < from; i++) filter_blocks(s, block, i, i + 1, size);
    filter_blocks(s, block, from, to, size);
    for (int64_t i = to; i < whole; i++) filter_blocks(s, block, i, i + 1, size);
    if (rest) filter_blocks(s, block, whole, whole + 1, rest);
}

/* Tiles of rows whose taps are all in the input, from the first on: those are alike. */
typedef struct tile_range {
    int64_t first, end, all;
} tile_range;

static tile_range tiles_inside(const problem *p, const cvk_plan *plan) {
    const problem_axis *h = &p->axis[AXIS_H];
    const int64_t rows = plan->tile_oh, all = ceil_div(h->out, rows);
    tile_range r = {0, h->out / rows, all};
    while (r.first < r.end && r.first * rows * h->step + h->origin < 0) r.first++;
    while (r.end > r.first && (r.end - 1) * rows * h->step + h->origin + seen(h, rows) > h->in) r.end--;
    return r;
}

static void filter_tiles(filter *s, affine number, affine block) {
    const tile_range r = tiles_inside(&s->p, s->plan);
    const int64_t rows = s->plan->tile_oh, height = axis_of(s, AXIS_H)->out;
    s->oh = affine_scale(number, rows);
    s->rows = rows;
    s->tile = -1;
    open_where(s->b, number, r.first, r.end);
    if (r.first < r.end) filter_rows(s, block);
    close_where(s->b);
    for (int64_t i = 0; i < r.all; i++) {
        if (i >= r.first && i < r.end) continue;
        s->tile = i;
        s->rows = lesser(rows, height - i * rows);
        s->oh = affine_constant(i * rows);
        open_where(s->b, number, i, i + 1);
        filter_rows(s, block);
        close_where(s->b);
    }
}

/* ---- the row ---- */

static void declare(filter *s) {
    nest_builder *b = s->b;
    const problem *p = &s->p;
    const problem_axis *h = axis_of(s, AXIS_H), *w = axis_of(s, AXIS_W);
    s->input = nest_add_tensor(b, "input", ROLE_INPUT, p->x.type, p->x.elements, type_bytes(p->x.type), false);
    nest_lie_in(b, s->input, p->x.image, p->x.period, p->x.width);
    nest_count_from(b, s->input, p->x.zero);
    s->image = (tensor_view){.tensor = s->input, .v = p->x};
    s->out = epilogue_declare(b, p);
    s->out.y.streams = s->plan->stream;
    epilogue_registers(&s->out);
    s->x = nest_add_register(b, "x", p->sum, s->lanes, (int)w->taps + 1);
    s->seen = nest_add_register(b, "r", p->sum, s->lanes, (int)seen(h, s->plan->tile_oh));
    s->line = nest_add_register(b, "l", p->sum, s->lanes, s->f.terms * ((int)ahead(p, s->lanes) + 1));
    s->sums = nest_add_register(b, "s", p->sum, s->lanes, s->f.terms * s->plan->tile_oh);
    s->known = nest_add_register(b, "w", p->sum, s->lanes, 2);
    s->there = arena_array(b->nest->arena, bool, seen(h, s->plan->tile_oh));
    s->present = arena_array(b->nest->arena, bool, h->taps);
    s->all = arena_array(b->nest->arena, bool, w->taps);
    for (int64_t i = 0; i < w->taps; i++) s->all[i] = true;
    const int64_t block = ceil_div(block_of(p, s->plan), s->lanes) * s->lanes;
    s->row_elements = block + ahead(p, s->lanes) * s->lanes;
    s->scratch = nest_add_part(b, "rows", ROLE_SCRATCH, p->sum, 0, s->row_elements * s->plan->tile_oh * s->f.terms,
                               SCRATCH_ALIGNMENT, true);
}

static algo_nests build(const algorithm *row, arena *a, const problem *asked, const cvk_target *target,
                        const cvk_plan *plan) {
    (void)row;
    nest_builder b = nest_begin(a, asked->name, ENTRY_TASKS, target->vector_bytes);
    filter s = {.b = &b, .plan = plan, .p = *asked, .lanes = target_lanes(target, asked->sum)};
    known_separate(&s.p, a, &s.f);
    declare(&s);
    s.n = build_task(&b, "n", s.p.n);
    s.group = build_task(&b, "g", s.p.groups);
    s.od = build_task(&b, "od", s.p.axis[AXIS_D].out);
    const affine number = build_task(&b, "oh", ceil_div(s.p.axis[AXIS_H].out, plan->tile_oh));
    const affine block = build_task(&b, "ow", ceil_div(s.p.axis[AXIS_W].out, block_of(&s.p, plan)));
    filter_tiles(&s, number, block);
    for (int i = 0; i < 5; i++) build_end(&b);
    if (s.p.n == 0) b.nest->tasks = 0;
    return (algo_nests){program_of(a, nest_finish(&b)), NULL};
}

static bool lies_in_rows(const view *v) { return v->block == 1 && v->axis[AXIS_W] == 1; }

static bool applicable(const problem *p, const cvk_target *target, const char **why) {
    (void)target;
    *why = "its weights are not known";
    if (!p->known || p->combine != COMBINE_SUM) return false;
    *why = "accuracy: strict keeps the order of sums";
    if (p->accuracy == ACCURACY_STRICT) return false;
    *why = "its columns are strided, or not side by side";
    if (p->axis[AXIS_W].step != 1 || !lies_in_rows(&p->x) || !lies_in_rows(&p->y)) return false;
    *why = "its slices have a border";
    const problem_axis *d = &p->axis[AXIS_D];
    if (p->border != PAD_ZEROS && (axis_before(d) > 0 || axis_after(d) > 0)) return false;
    *why = "its kernel is not the sum of few products of a column and a row";
    return known_terms(p) > 0;
}

/* Operations that are unrolled, all variants of rows and blocks together. */
static int64_t operations(const problem *p, const cvk_plan *plan) {
    const tile_range r = tiles_inside(p, plan);
    const problem_axis *w = &p->axis[AXIS_W];
    const int64_t size = block_of(p, plan), blocks = ceil_div(w->out, size);
    const int64_t border = axis_before(w) + axis_after(w);
    const int64_t across = lesser(blocks, 2 + ceil_div(border, size));
    const int64_t tiles = r.all - (r.end - r.first) + (r.end > r.first);
    return tiles * across * known_terms(p) *
           (2 * plan->tile_oh * problem_taps(p) / w->taps + 2 * w->taps + greater(border, 0));
}

static const char *refuse_order(const problem *p, const cvk_plan *plan) {
    const plan_order *o = &plan->order;
    int next = 0;
    for (int i = 0; i < o->count; i++) {
        const bool last = i == o->count - 2 && o->level[i].loop == LOOP_OW && o->level[i].block > 0;
        if (last) continue;
        if (next == PLAN_TILE_LOOPS || o->level[i].loop != ORDER[next++] || o->level[i].block)
            return "of a separable filter order is [n, g, oc, od, oh, ow], where ow may be in blocks";
    }
    if (next != PLAN_TILE_LOOPS) return "of a separable filter order has n, g, oc, od, oh and ow";
    if (plan->tasks != o->count - 1) return "of a separable filter all loops but the last are tasks";
    return block_of(p, plan) % plan->tile_ow && block_of(p, plan) < p->axis[AXIS_W].out
               ? "a block of ow is not a multiple of tile.ow"
               : NULL;
}

/* What a block's border repeats is to lie in the same block. */
static bool borders_are_near(const problem *p, const cvk_plan *plan) {
    const problem_axis *w = &p->axis[AXIS_W];
    const int64_t size = block_of(p, plan);
    if (border_is_constant(p->border)) return true;
    for (int64_t first = 0; first < w->out; first += size) {
        const int64_t from = first + w->origin, to = from + seen(w, lesser(size, w->out - first));
        for (int64_t i = from; i < to; i++) {
            const int64_t source = border_source(p->border, i, w->in);
            if (source < from || source >= to) return false;
        }
    }
    return true;
}

static const char *refuse(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan) {
    (void)row;
    if (plan->tile_oc != 1 || plan->tile_od != 1 || plan->tile_oh < 1 || plan->tile_oh > MOST_ROWS)
        return "of a separable filter a tile is of one channel and slice, and of 8 rows at most";
    if (plan->tile_ow != target_lanes(target, p->sum)) return "tile.ow is the target's lanes";
    if (plan->unroll_ic != 1 || !plan->unroll_kw || plan->unroll_kh || plan->block_oh != 1 || plan->block_ow != 1)
        return "of a separable filter block is 1, and unroll {ic: 1, kw: true, kh: false}";
    if (plan->pack_rows || plan->pack_border || plan->pack_transposed || plan->prefetch)
        return "a separable filter neither packs nor prefetches";
    const char *why = refuse_order(p, plan);
    if (why) return why;
    if (!borders_are_near(p, plan)) return "what a block's border repeats lies in another block";
    return operations(p, plan) > MOST_OPERATIONS ? "it unrolls too much code" : NULL;
}

static void propose(const algorithm *row, const problem *p, goal aim, arena *a, plan_list *list) {
    const cvk_target *target = aim.target;
    static const int ROWS[] = {1, 2, 4, 6, 8};
    static const int64_t COLUMNS[] = {INT32_MAX, 1024, 512, 256};
    const int lanes = target_lanes(target, p->sum);
    cvk_plan plan = {.algorithm = row->name,
                     .lanes = row->lanes,
                     .tile_oc = 1,
                     .tile_od = 1,
                     .tile_ow = lanes,
                     .block_oh = 1,
                     .block_ow = 1,
                     .unroll_ic = 1,
                     .unroll_kw = true,
                     .stream = cost_streams(target, view_bytes(&p->x) + view_bytes(&p->y))};
    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++)
        for (size_t c = 0; c < sizeof COLUMNS / sizeof *COLUMNS; c++) {
            plan.order = plan_order_of(ORDER);
            plan.tile_oh = ROWS[r];
            if (COLUMNS[c] < p->axis[AXIS_W].out)
                plan_order_insert(&plan.order, PLAN_TILE_LOOPS - 1, (plan_level){LOOP_OW, (int)COLUMNS[c]});
            else if (COLUMNS[c] < INT32_MAX)
                continue;
            plan.tasks = plan.order.count - 1;
            if (ROWS[r] <= p->axis[AXIS_H].out && !refuse(row, p, target, &plan)) plan_list_add(a, list, plan);
        }
}

/* What a task touches is to stay in the first level: its rows of input, of scratch and of output. */
static double spilled_bytes(const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const double rows = (double)(seen(&p->axis[AXIS_H], plan->tile_oh) * p->axis[AXIS_D].taps);
    const double touched =
        (double)type_bytes(p->sum) * (double)block_of(p, plan) * (rows + (1 + known_terms(p)) * plan->tile_oh);
    return touched > (double)target->l1_bytes ? view_bytes(&p->y) * 2 : 0;
}

static double cycles(const problem *p, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests,
                     const nest_counts *counts) {
    (void)nests;
    const double again =
        (double)seen(&p->axis[AXIS_H], plan->tile_oh) / ((double)plan->tile_oh * (double)p->axis[AXIS_H].step);
    const double all = view_bytes(&p->x) + view_bytes(&p->y),
                 moved = all + view_bytes(&p->y); /* fetched, then overwritten */
    const int lanes = target_lanes(target, p->sum);
    const double core = cost_issue_beside_stores(target, counts, lanes, INFINITY) +
                        cost_crossings(target, counts, lanes, type_bytes(p->sum)) +
                        cost_l2(target, again * view_bytes(&p->x) + spilled_bytes(p, target, plan));
    const double far = all > (double)target->l2_bytes ? cost_far(target, moved, all) : 0;
    return fmax(core, far) + target->figures->far_loss * fmin(core, far);
}

const algorithm algo_separable = {"separable", LANES_COLUMNS, applicable, propose, refuse, build,
                                  cycles,      NULL,          NULL,       NULL,    false};
