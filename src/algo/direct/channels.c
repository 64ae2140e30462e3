/* Direct convolution, lanes over output channels: one input scalar, broadcast, meets a vector of weights. The scalar
 * may come from anywhere, so any input layout, stride and dilation is as good as another. Register tile: channel
 * vectors x pixels; loads per FMA are (vectors + pixels) / (vectors * pixels).
 *
 *     for kd, kh, kw, ic
 *       w[j] = load weights; for the pixels that have tap kw: x = splat input; acc[j][pixel] += x w[j]
 *
 * or, a kernel row at once, each input read once for all its taps: for few vectors of channels, whose FMAs would else
 * wait for loads:
 *
 *     for kd, kh, ic
 *       w[kw][j] = load weights; for the input columns: x = splat; for the taps: acc[j][pixel] += x w[kw][j]
 *
 * or, with plan.dot, of several input channels at once: lanes of x and w hold those of a step, side by side. */
#include "algo/ahead.h"
#include "algo/direct/tile.h"

/* Of a tap, into the registers from `first` on. */
static void load_weights(tile *t, const tap *k, affine first) {
    affine j = build_unrolled(t->b, "j", channel_blocks_vectors(&t->oc));
    affine at = affine_add_scaled(tap_weights(t, k), j, t->lanes * t->reduced);
    build_load(t->b, reg(t->ws, affine_add(first, j)), access_at(t->weights, at, 1), NULL);
    build_end(t->b);
    ahead_ask(t->b, t->target, t->weights, tap_weights(t, k), tile_tap_weights(t));
}

static void splat_input(tile *t, const tap *k, const pixel *p) {
    lane_map m = tap_input(t, k, p);
    affine at = view_offset(t->b, &t->x.v, m.n, m.channel, &m.at);
    const register_ref x = reg(t->xs, affine_constant(0));
    build_splat_repeated(t->b, x, access_at(t->x.tensor, at, 1), t->reduced);
    if (!t->plan->pack_rows) dot_shift_loaded(t, x, reg(t->xs, affine_constant(1)));
}

static void multiply(tile *t, const pixel *p, affine first) {
    affine j = build_unrolled(t->b, "j", channel_blocks_vectors(&t->oc));
    register_ref x = reg(t->xs, affine_constant(0)), w = reg(t->ws, affine_add(first, j));
    (t->dot ? build_dot : build_fma)(t->b, channel_tile_sum(t, j, p), x, w, NULL);
    build_end(t->b);
}

void channels_body(tile *t, const tap *k) {
    load_weights(t, k, affine_constant(0));
    pixel p = tile_open_rows(t, k);
    nest_range columns = tap_columns(t, k, affine_constant(0), t->span[AXIS_W]->length);
    p.at[AXIS_W] = build_for(t->b, VARIABLE_UNROLLED, "c", columns);
    splat_input(t, k, &p);
    multiply(t, &p, affine_constant(0));
    for (int i = 0; i < TILE_PIXEL_LOOPS + 1; i++) build_end(t->b);
}

/* ---- a kernel row at once ---- */

static int64_t vectors_of(const tile *t) { return t->plan->tile_oc / t->lanes; }

static void slide_columns(tile *t, tap k, const slide *s, int64_t phase) {
    pixel p = tile_open_rows(t, &k);
    affine read_by, at = slide_open_inputs(t, s, phase, &k.k[AXIS_W]);
    p.at[AXIS_W] = at;
    splat_input(t, &k, &p);
    p.at[AXIS_W] = slide_open_taps(t, s, phase, at, &read_by);
    multiply(t, &p, affine_scale(affine_offset(read_by, -s->first), vectors_of(t)));
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(t->b);
}

static void row(tile *t, const tap *row) {
    const int64_t taps = t->p.axis[AXIS_W].taps, some = slid_taps(&t->p.axis[AXIS_W]);
    for (int64_t first = 0; first < taps; first += some) {
        tap k = *row;
        slide s = slide_of(t, AXIS_W, first, lesser(some, taps - first));
        affine w = build_unrolled(t->b, "kw", s.count);
        k.k[AXIS_W] = affine_offset(w, first);
        load_weights(t, &k, affine_scale(w, vectors_of(t)));
        build_end(t->b);
        for (int64_t phase = 0; phase < slide_phases(&s); phase++) slide_columns(t, k, &s, phase);
    }
}

static void registers(tile *t) {
    channel_tile_registers(t, 1, t->plan->unroll_kw ? vectors_of(t) * slid_taps(&t->p.axis[AXIS_W]) : 0);
}

static bool applicable(const problem *p, const cvk_target *target, const char **why) {
    (void)target;
    *why = p->combine == COMBINE_NUMBERS ? "lanes over output channels do not leave NaN out"
                                         : "a pool has no weights for lanes over output channels";
    return p->combine == COMBINE_SUM;
}

static const family FAMILY = {.begin = channel_tile_begin,
                              .body = channels_body,
                              .row = row,
                              .finish = channel_tile_finish,
                              .registers = registers,
                              .sums = channel_tile_sums,
                              .channel_lanes = true,
                              .dots = DOTS_CHANNELS};

const algorithm algo_direct_channels = {
    "direct",     LANES_OUT_CHANNELS, applicable,   propose_channel_tiles, direct_refuse,
    direct_build, direct_cycles,      direct_tasks, direct_least,          &FAMILY,
    false};
