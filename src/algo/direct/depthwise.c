/* Depthwise convolution and pools, lanes over channels: every group has one input channel, so a vector of channels
 * meets a vector of their weights. With a channel multiplier m, output channel c m + i is input channel c with filter
 * i: where channels lie side by side each is repeated in m lanes; else the group loop runs over i, and lanes are m
 * channels apart in the output.
 *
 *     for kd, kh, kw
 *       w[j] = load weights; for the pixels that have tap kw: acc[j][pixel] += load input * w[j]
 *
 * or, a kernel row at once, each input loaded once for all its taps:
 *
 *     for kd, kh
 *       w[kw] = load weights; for the input columns: x = load; for the taps: acc[j][pixel] += x w[kw]
 *
 * or, with plan.dot, several kernel rows at once (row_dots.c). */
#include "algo/direct/tile.h"

static void load_weights(tile *t, const tap *k, affine j, affine to) {
    build_load(t->b, reg(t->ws, to), access_at(t->weights, affine_add_scaled(tap_weights(t, k), j, t->lanes), 1), NULL);
}

static void combine(tile *t, const tap *k, affine j, const pixel *p, affine weight) {
    combine_input(t, &(meeting){.sum = channel_tile_sum(t, j, p),
                                .x = reg(t->xs, affine_constant(0)),
                                .weight = reg(t->ws, weight),
                                .tap = k,
                                .pixel = p});
}

static affine open_vectors(tile *t) { return build_unrolled(t->b, "j", channel_blocks_vectors(&t->oc)); }

/* Weights wait for all pixels. Without any a pixel's vectors come one after another, as they lie: from afar, caches
 * bring what follows on what was read. */
static void body(tile *t, const tap *k) {
    nest_builder *b = t->b;
    const bool weighs = problem_weighs(&t->p);
    affine j = weighs ? open_vectors(t) : affine_constant(0);
    if (weighs) load_weights(t, k, j, j);
    pixel p = tile_open_rows(t, k);
    p.at[AXIS_W] = build_for(b, VARIABLE_UNROLLED, "c", tap_columns(t, k, affine_constant(0), t->span[AXIS_W]->length));
    if (!weighs) j = open_vectors(t);
    channel_tile_load(t, k, j, &p);
    combine(t, k, j, &p, j);
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(b);
}

/* The columns of a row of pixels, with some taps of the kernel row; without weights, of all vectors. */
static void slide_columns(tile *t, tap k, affine j, const slide *s, int64_t phase) {
    const bool weighs = problem_weighs(&t->p);
    pixel p = tile_open_rows(t, &k);
    affine read_by, at = slide_open_inputs(t, s, phase, &k.k[AXIS_W]);
    p.at[AXIS_W] = at;
    if (!weighs) j = open_vectors(t);
    channel_tile_load(t, &k, j, &p);
    p.at[AXIS_W] = slide_open_taps(t, s, phase, at, &read_by);
    k.k[AXIS_W] = read_by;
    combine(t, &k, j, &p, affine_offset(read_by, -s->first));
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2 + !weighs; i++) build_end(t->b);
}

static void load_row(tile *t, tap k, affine j, int64_t first, int64_t count) {
    affine w = build_unrolled(t->b, "kw", count);
    k.k[AXIS_W] = affine_offset(w, first);
    load_weights(t, &k, j, w);
    build_end(t->b);
}

static void slide_taps(tile *t, tap k, affine j, int64_t first, int64_t count) {
    slide s = slide_of(t, AXIS_W, first, count);
    if (problem_weighs(&t->p)) load_row(t, k, j, first, count);
    for (int64_t phase = 0; phase < slide_phases(&s); phase++) slide_columns(t, k, j, &s, phase);
}

/* A pixel after another, each with its taps in their order, which the place of a maximum counts. */
static void row_in_order(tile *t, tap k) {
    nest_builder *b = t->b;
    pixel p = tile_open_rows(t, &k);
    affine c = build_unrolled(b, "c", t->span[AXIS_W]->length);
    k.k[AXIS_W] = build_unrolled(b, "kw", t->p.axis[AXIS_W].taps);
    p.at[AXIS_W] = affine_add(c, build_for(b, VARIABLE_UNROLLED, "present", tap_columns(t, &k, c, 1)));
    affine j = open_vectors(t);
    channel_tile_load(t, &k, j, &p);
    combine(t, &k, j, &p, j);
    for (int i = 0; i < TILE_PIXEL_LOOPS + 4; i++) build_end(b);
}

/* Taps of a row that neighbours share are in phases (slide.c), between which a pool would go over its input again. */
static bool is_in_order(const tile *t) {
    const problem_axis *w = &t->p.axis[AXIS_W];
    return t->p.indices || (!problem_weighs(&t->p) && w->step > w->tap_step);
}

static void row(tile *t, const tap *k) {
    if (t->dot) {
        row_dot_add(t, k);
        return;
    }
    if (is_in_order(t)) {
        row_in_order(t, *k);
        return;
    }
    int64_t taps = t->p.axis[AXIS_W].taps, some = slid_taps(&t->p.axis[AXIS_W]);
    const bool weighs = problem_weighs(&t->p);
    affine j = weighs ? open_vectors(t) : affine_constant(0);
    for (int64_t first = 0; first < taps; first += some)
        slide_taps(t, *k, j, first, taps - first < some ? taps - first : some);
    if (weighs) build_end(t->b);
}

/* Of whole repetitions of input channels. */
static int lanes_of(const problem *p, int lanes) {
    return view_repeats(&p->x) ? lanes / (int)p->x.block * (int)p->x.block : lanes;
}

static void registers(tile *t) {
    if (t->dot)
        row_dot_registers(t);
    else
        channel_tile_registers(t, 1, t->plan->unroll_kw ? slid_taps(&t->p.axis[AXIS_W]) : 0);
}

static const family FAMILY = {.begin = channel_tile_begin,
                              .body = body,
                              .row = row,
                              .divide = channel_tile_divide,
                              .reweigh = channel_tile_reweigh,
                              .finish = channel_tile_finish,
                              .registers = registers,
                              .lanes = lanes_of,
                              .sums = channel_tile_sums,
                              .channel_lanes = true,
                              .all_groups = true,
                              .dots = DOTS_ROWS};

static bool applicable(const problem *p, const cvk_target *target, const char **why) {
    if (!direct_applicable(p, target, why)) return false;
    if (p->in_channels == 1 && p->groups > 1) return true;
    *why = "groups have more than one input channel, or there is one group";
    return false;
}

const algorithm algo_depthwise = {"depthwise",   LANES_CHANNELS, applicable,    propose_channel_tiles,
                                  direct_refuse, direct_build,   direct_cycles, direct_tasks,
                                  direct_least,  &FAMILY,        false};
