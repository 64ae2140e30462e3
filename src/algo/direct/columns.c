/* Direct convolution and pools, lanes over output columns: a vector of inputs meets one weight, broadcast. For few
 * output channels and for depthwise layers in channels_first, where columns lie side by side. Register tile: output
 * channels x column vectors. At the image's edge, lanes whose tap is absent are masked.
 *
 *     for kd, kh, ic; unrolled kw
 *       x[v] = load input; for the channels: w = splat weights; acc[j][v] += x[v] w, lanes that have tap kw
 *
 * or, for a tile of several rows, a kernel column at once, each input row loaded once for all its taps:
 *
 *     for kd, kw, ic
 *       w[j][kh] = splat weights; for the input rows: x[v] = load; for the taps: acc[j][row][v] += x[v] w[j][kh] */
#include "algo/direct/tile.h"

static int64_t plan_vectors(const tile *t) { return t->plan->tile_ow / t->lanes; }

int64_t column_tile_vectors(const tile *t) { return (t->span[AXIS_W]->length + t->lanes - 1) / t->lanes; }

static int64_t plan_rows(const tile *t) { return t->size[AXIS_D] * t->size[AXIS_H]; }

void column_tile_registers(tile *t) {
    const int64_t sums = plan_vectors(t) * plan_rows(t) * t->plan->tile_oc;
    t->acc = nest_add_register(t->b, "acc", t->p.sum, t->lanes, (int)sums);
}

void columns_registers(tile *t) {
    const int64_t vectors = plan_vectors(t);
    column_tile_registers(t);
    t->xs = nest_add_register(t->b, "x", t->p.sum, t->lanes, (int)vectors + 1);
    combine_registers(t);
    int64_t weights = t->plan->unroll_kh ? t->plan->tile_oc * slid_taps(&t->p.axis[AXIS_H]) : 1;
    t->ws = nest_add_register(t->b, "w", t->p.sum, t->lanes, (int)weights);
}

/* Of channel j and column vector v in a row. */
register_ref column_tile_sum(const tile *t, affine j, const pixel *row, affine v) {
    affine r = affine_add_scaled(row->at[AXIS_H], row->at[AXIS_D], t->size[AXIS_H]);
    return reg(t->acc, affine_add_scaled(v, affine_add_scaled(r, j, plan_rows(t)), plan_vectors(t)));
}

static register_ref only(int array) { return reg(array, affine_constant(0)); }

static affine channel_of(const tile *t, affine j) {
    return affine_add(channel_blocks_channel(&t->oc, &t->out.y.v, affine_constant(0)), j);
}

int column_tile_sums(tile *t, register_ref *to) {
    affine j = build_unrolled(t->b, "j", t->oc.valid);
    pixel row = tile_open_rows(t, NULL);
    *to = column_tile_sum(t, j, &row, build_unrolled(t->b, "v", column_tile_vectors(t)));
    return TILE_PIXEL_LOOPS + 2;
}

void column_tile_begin(tile *t) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", t->oc.valid);
    lane_map m = {.channel = channel_of(t, j)};
    combine_begin(t, only(t->ws), &m);
    pixel row = tile_open_rows(t, NULL);
    affine v = build_unrolled(b, "v", column_tile_vectors(t));
    combine_begin_sum(t, column_tile_sum(t, j, &row, v), only(t->ws));
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(b);
}

static pixel at_column(pixel p, affine column) {
    p.at[AXIS_W] = column;
    return p;
}

void column_tile_load(tile *t, const tap *k, const pixel *row, affine v, register_ref to, register_ref spare) {
    const affine first = affine_scale(v, t->lanes);
    nest_range present = tap_columns(t, k, first, t->lanes);
    pixel p = at_column(*row, first);
    lane_map m = tap_input(t, k, &p);
    m.column_step = t->p.axis[AXIS_W].step;
    m.valid = &present;
    view_load(t->b, &t->x, &m, to, spare);
    combine_loaded(t, to);
}

static void load_inputs(tile *t, const tap *k, const pixel *row) {
    affine v = build_unrolled(t->b, "v", column_tile_vectors(t));
    column_tile_load(t, k, row, v, reg(t->xs, v), reg(t->xs, affine_constant(plan_vectors(t))));
    build_end(t->b);
}

static void load_weight(tile *t, const tap *k, affine j, register_ref to) {
    build_splat(t->b, to, access_at(t->weights, affine_add(tap_weights(t, k), j), 1));
}

/* Column vector v of a row meets the sums of channel j in that row of the tile. */
static void combine(tile *t, const tap *k, affine j, const pixel *row, affine v, register_ref weight) {
    affine first = affine_scale(v, t->lanes);
    nest_range present = tap_columns(t, k, first, t->lanes);
    const pixel p = at_column(*row, first);
    combine_input(t, &(meeting){.sum = column_tile_sum(t, j, row, v),
                                .x = reg(t->xs, v),
                                .weight = weight,
                                .lanes = &present,
                                .tap = k,
                                .pixel = &p,
                                .column_step = t->p.axis[AXIS_W].step});
}

void columns_body(tile *t, const tap *k) {
    nest_builder *b = t->b;
    pixel row = tile_open_rows(t, k);
    load_inputs(t, k, &row);
    affine j = build_unrolled(b, "j", t->oc.valid);
    if (problem_weighs(&t->p)) load_weight(t, k, j, only(t->ws));
    combine(t, k, j, &row, build_unrolled(b, "v", column_tile_vectors(t)), only(t->ws));
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(b);
}

/* ---- a kernel column at once ---- */

static register_ref column_weight(const tile *t, const slide *s, affine j, affine k) {
    return reg(t->ws, affine_add_scaled(affine_offset(k, -s->first), j, slid_taps(&t->p.axis[AXIS_H])));
}

static void load_column(tile *t, tap k, const slide *s) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", t->oc.valid);
    k.k[AXIS_H] = affine_offset(build_unrolled(b, "kh", s->count), s->first);
    load_weight(t, &k, j, column_weight(t, s, j, k.k[AXIS_H]));
    build_end(b);
    build_end(b);
}

/* An input row meets the taps that read it, each for another row of the tile. */
static void slide_rows(tile *t, tap k, const slide *s, int64_t phase) {
    nest_builder *b = t->b;
    affine read_by;
    pixel row = {{affine_constant(0), affine_constant(0), affine_constant(0)}};
    row.at[AXIS_D] = build_for(b, VARIABLE_UNROLLED, "d", k.inside[AXIS_D]);
    affine at = row.at[AXIS_H] = slide_open_inputs(t, s, phase, &k.k[AXIS_H]);
    load_inputs(t, &k, &row);
    affine j = build_unrolled(b, "j", t->oc.valid);
    row.at[AXIS_H] = slide_open_taps(t, s, phase, at, &read_by);
    k.k[AXIS_H] = read_by;
    affine v = build_unrolled(b, "v", column_tile_vectors(t));
    combine(t, &k, j, &row, v, column_weight(t, s, j, read_by));
    for (int i = 0; i < TILE_PIXEL_LOOPS + 3; i++) build_end(b);
}

static void column(tile *t, const tap *k) {
    const problem_axis *axis = &t->p.axis[AXIS_H];
    int64_t some = slid_taps(axis);
    for (int64_t first = 0; first < axis->taps; first += some) {
        slide s = slide_of(t, AXIS_H, first, axis->taps - first < some ? axis->taps - first : some);
        if (problem_weighs(&t->p)) load_column(t, *k, &s);
        for (int64_t phase = 0; phase < slide_phases(&s); phase++) slide_rows(t, *k, &s, phase);
    }
}

/* How many taps the lanes of a vector count: those of each run by themselves, and then together. */
static divisor divisor_of(tile *t, int64_t taps, affine v) {
    nest_builder *b = t->b;
    const count_list columns = combine_counts(t, AXIS_W);
    if (columns.count == 1) return combine_divisor(t, taps * columns.run[0].taps);
    affine back = affine_scale(v, -t->lanes);
    const register_ref all = only(t->ws);
    build_const(b, all, 0);
    for (int i = 0; i < columns.count; i++) {
        nest_range lanes = range_of(b, 0, t->lanes);
        range_clip_low(b, &lanes, affine_offset(back, columns.run[i].low), 1);
        range_clip_high(b, &lanes, affine_offset(back, columns.run[i].high), 1);
        const register_ref some = combine_divisor_alone(t, taps * columns.run[i].taps);
        build_keep(b, some, some, &lanes);
        build_op(b, OP_ADD, all, all, some);
    }
    return (divisor){OP_DIV, all};
}

static void divide(tile *t, const count_run *slices, const count_run *rows) {
    nest_builder *b = t->b;
    affine v = build_unrolled(b, "v", column_tile_vectors(t));
    const divisor taps = divisor_of(t, slices->taps * rows->taps, v);
    pixel row = {{build_for(b, VARIABLE_UNROLLED, "d", range_of(b, slices->low, slices->high)),
                  build_for(b, VARIABLE_UNROLLED, "r", range_of(b, rows->low, rows->high))}};
    affine j = build_unrolled(b, "j", t->oc.valid);
    build_op(b, taps.kind, column_tile_sum(t, j, &row, v), column_tile_sum(t, j, &row, v), taps.by);
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(b);
}

static void reweigh(tile *t) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", t->oc.valid);
    lane_map m = {.channel = channel_of(t, j)};
    epilogue_bias(&t->out, only(t->ws), &m);
    pixel row = tile_open_rows(t, NULL);
    affine v = build_unrolled(b, "v", column_tile_vectors(t));
    combine_reweigh(t, column_tile_sum(t, j, &row, v), only(t->ws));
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(b);
}

void column_tile_finish(tile *t) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", t->oc.valid);
    pixel row = tile_open_rows(t, NULL);
    affine v = build_unrolled(b, "v", column_tile_vectors(t)), first = affine_scale(v, t->lanes);
    nest_range valid = range_of(b, 0, t->lanes);
    range_clip_high(b, &valid, affine_offset(affine_scale(first, -1), t->span[AXIS_W]->length), 1);
    pixel p = at_column(row, first);
    lane_map m = {t->n, channel_of(t, j), tile_output(t, &p), .column_step = 1, .valid = &valid};
    const register_ref value = column_tile_sum(t, j, &row, v);
    if (t->p.indices) epilogue_store_places(&t->out, reg(t->places, value.index), &m, false);
    epilogue_store(&t->out, value, &m, false);
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(b);
}

static const family FAMILY = {.begin = column_tile_begin,
                              .body = columns_body,
                              .column = column,
                              .divide = divide,
                              .reweigh = reweigh,
                              .finish = column_tile_finish,
                              .registers = columns_registers,
                              .sums = column_tile_sums};

const algorithm algo_direct_columns = {
    "direct",     LANES_COLUMNS, direct_applicable, propose_column_tiles, direct_refuse,
    direct_build, direct_cycles, direct_tasks,      direct_least,         &FAMILY,
    false};
