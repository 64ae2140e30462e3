/* Direct convolution, lanes over input channels, which lie side by side: a vector of inputs meets a vector of weights
 * of one output channel. For few output channels, which would leave lanes over them empty. Register tile: output
 * channels x pixels; loads per FMA are (channels + pixels) / (channels * pixels).
 *
 *     for kd, kh, kw, a vector of ic
 *       w[j] = load weights; for the pixels that have tap kw: x = load input; acc[j][pixel] += x w[j]
 *
 * or, with plan.dot, as many times so many inputs, whose products are summed up by lanes. At the end the lanes of each
 * sum are added, of as many sums at once as a vector has lanes: two vectors become one, in which neighbouring lanes are
 * added, until each lane is the sum of one of them. */
#include "algo/direct/tile.h"

static register_ref only(int array) { return reg(array, affine_constant(0)); }

/* Of what sums become. */
static register_ref temporary(const tile *t, int i) { return reg(t->brought, affine_constant(i)); }

static void registers(tile *t) {
    t->acc = nest_add_register(t->b, "acc", t->p.sum, t->lanes, (int)(t->plan->tile_oc * tile_pixels(t)));
    t->ws = nest_add_register(t->b, "w", t->dot ? t->dot->w : t->p.sum, t->reduced, t->plan->tile_oc);
    t->xs = nest_add_register(t->b, "x", t->dot ? t->dot->x : t->p.sum, t->reduced, 2);
    t->brought = t->dot ? nest_add_register(t->b, "t", t->p.sum, t->lanes, 2) : t->xs;
    t->first = t->brought;
}

static register_ref sum(const tile *t, affine j, const pixel *p) {
    return reg(t->acc, affine_add_scaled(tile_pixel_number(t, p), j, tile_pixels(t)));
}

static pixel open_pixels(tile *t) {
    pixel p = tile_open_rows(t, NULL);
    p.at[AXIS_W] = build_unrolled(t->b, "c", t->span[AXIS_W]->length);
    return p;
}

static int sums(tile *t, register_ref *to) {
    affine j = build_unrolled(t->b, "j", t->oc.valid);
    pixel p = open_pixels(t);
    *to = sum(t, j, &p);
    return AXES + 1;
}

static void begin(tile *t) {
    affine j = build_unrolled(t->b, "j", t->oc.valid);
    pixel p = open_pixels(t);
    const register_ref to = sum(t, j, &p);
    build_const(t->b, to, 0);
    dot_correct(t, to, j);
    for (int i = 0; i < AXES + 1; i++) build_end(t->b);
}

/* ---- the reduction ---- */

static void load_weights(tile *t, const tap *k) {
    affine j = build_unrolled(t->b, "j", t->oc.valid);
    affine at = affine_add_scaled(tap_weights(t, k), j, t->reduced);
    build_load(t->b, reg(t->ws, j), access_at(t->weights, at, 1), NULL);
    build_end(t->b);
}

/* Lanes beyond the last channel are zeros, as their weights are. */
static void body(tile *t, const tap *k) {
    nest_builder *b = t->b;
    load_weights(t, k);
    pixel p = tile_open_rows(t, k);
    p.at[AXIS_W] = build_for(b, VARIABLE_UNROLLED, "c", tap_columns(t, k, affine_constant(0), t->span[AXIS_W]->length));
    lane_map m = tap_input(t, k, &p);
    nest_range valid = tap_lanes(t, k);
    m.channel_step = 1;
    m.valid = &valid;
    const register_ref spare = reg(t->xs, affine_constant(1));
    view_load(b, &t->x, &m, only(t->xs), spare);
    if (!t->plan->pack_rows) dot_shift_loaded(t, only(t->xs), spare);
    affine j = build_unrolled(b, "j", t->oc.valid);
    (t->dot ? build_dot : build_fma)(b, sum(t, j, &p), only(t->xs), reg(t->ws, j), NULL);
    for (int i = 0; i < TILE_PIXEL_LOOPS + 2; i++) build_end(b);
}

/* The channels in `valid` of each output channel, by way of a register of what is summed in. */
static void pack_lanes(tile *t, const tap *k, int from, int to, const register_ref by[2], const nest_range *valid) {
    nest_builder *b = t->b;
    const view *dense = &t->p.w;
    const position at = {{k->k[AXIS_D], k->k[AXIS_H], k->k[AXIS_W]}};
    for (int64_t j = 0; j < t->plan->tile_oc; j++) {
        affine out = affine_offset(channel_blocks_channel(&t->oc, dense, affine_constant(0)), j);
        affine first = view_offset(b, dense, affine_scale(k->ic, t->reduced), out, &at);
        build_const(b, by[0], 0);
        if (j < t->oc.valid) build_load(b, by[0], access_at(from, first, dense->n), valid);
        if (t->dot) build_convert(b, by[1], by[0]);
        build_store(b, access_at(to, affine_offset(tap_weights(t, k), j * t->reduced), 1), by[1], NULL);
    }
}

static void pack(tile *t, const tap *k, int from, int to, int w) {
    nest_builder *b = t->b;
    const int64_t whole = t->p.in_channels / t->reduced;
    const register_ref wide = only(t->dot ? nest_add_register(b, "wide", t->p.sum, t->reduced, 1) : w);
    const register_ref by[] = {wide, t->dot ? only(nest_add_register(b, "narrow", t->dot->w, t->reduced, 1)) : wide};
    if (whole) {
        build_if(b, affine_offset(affine_scale(k->ic, -1), whole - 1), NULL);
        pack_lanes(t, k, from, to, by, NULL);
        build_end(b);
    }
    if (whole == tile_steps(t)) return;
    const nest_range rest = range_of(b, 0, t->p.in_channels % t->reduced);
    build_if(b, affine_offset(k->ic, -whole), NULL);
    pack_lanes(t, k, from, to, by, &rest);
    build_end(b);
}

/* ---- the sums of lanes ---- */

/* In each `unit` lanes: in its first half the sums of the neighbours of a, `size` lanes each, in its second half those
 * of b. */
static void add_neighbours(tile *t, register_ref a, register_ref b, int unit, int size) {
    int even[NEST_MOST_LANES], odd[NEST_MOST_LANES];
    for (int l = 0; l < t->lanes; l++) {
        const int in_half = l % (unit / 2), second = l % unit >= unit / 2;
        even[l] = l / unit * unit + in_half / size * 2 * size + in_half % size + second * t->lanes;
        odd[l] = even[l] + size;
    }
    register_ref first = temporary(t, 0), other = temporary(t, 1);
    build_shuffle(t->b, first, a, b, even);
    build_shuffle(t->b, other, a, b, odd);
    build_op(t->b, OP_ADD, a, first, other);
}

enum { QUARTER_BYTES = 16 };

/* Lane l of the first becomes the sum of the lanes of the l-th: first within 16 bytes, which every core shuffles
 * fastest, then across them. */
static void add_lanes(tile *t, const register_ref *sum, int count) {
    const int quarter = (int)lesser(t->lanes, QUARTER_BYTES / type_bytes(t->p.sum));
    for (int step = 1; step < t->lanes; step *= 2)
        for (int i = 0; i < count; i += 2 * step) {
            const bool within = step < quarter;
            add_neighbours(t, sum[i], sum[i + step < count ? i + step : i], within ? quarter : t->lanes,
                           within ? 1 : quarter);
        }
}

/* ---- the end of a tile ---- */

static void store_lanes(tile *t, register_ref sums, const lane_map *m) {
    if (t->out.bias >= 0) {
        epilogue_bias(&t->out, temporary(t, 0), m);
        build_op(t->b, OP_ADD, sums, sums, temporary(t, 0));
    }
    epilogue_store(&t->out, sums, m, false);
}

/* Whether the channels of the tile's pixels are all that lies there. */
static bool pixels_follow_on(const tile *t) {
    const view *y = &t->out.y.v, *addend = &t->p.addend;
    return y->block == 1 && y->channel == 1 && y->axis[AXIS_W] == t->oc.valid && addend->axis[AXIS_W] == t->oc.valid;
}

/* `sums` has the channels of `count` pixels from p on, one after another. */
static void store_together(tile *t, register_ref sums, pixel p, int64_t count) {
    nest_range valid = range_of(t->b, 0, count * t->oc.valid);
    lane_map m = {t->n,
                  channel_blocks_channel(&t->oc, &t->out.y.v, affine_constant(0)),
                  tile_output(t, &p),
                  .channel_step = 1,
                  .column_step = 1,
                  .repeat = (int)t->oc.valid,
                  .valid = &valid};
    store_lanes(t, sums, &m);
}

/* Brings the channels of pixel `number` to the first lanes. */
static void bring_to_front(tile *t, register_ref to, register_ref sums, int64_t number) {
    int pattern[NEST_MOST_LANES];
    for (int l = 0; l < t->lanes; l++) pattern[l] = l < t->oc.valid ? (int)(number * t->oc.valid) + l : -1;
    build_shuffle(t->b, to, sums, sums, pattern);
}

static void store_apart(tile *t, register_ref sums, pixel p, int64_t count) {
    nest_range valid = range_of(t->b, 0, t->oc.valid);
    const register_ref one = temporary(t, 1);
    for (int64_t i = 0; i < count; i++) {
        lane_map m = {t->n, channel_blocks_channel(&t->oc, &t->out.y.v, affine_constant(0)), tile_output(t, &p),
                      .channel_step = 1, .valid = &valid};
        bring_to_front(t, one, sums, i);
        store_lanes(t, one, &m);
        p.at[AXIS_W] = affine_offset(p.at[AXIS_W], 1);
    }
}

/* Whole pixels from p on, as many as their sums' lanes have room. */
static void finish_pixels(tile *t, const pixel *p, int64_t count) {
    register_ref sum_of[NEST_MOST_LANES];
    int sums = 0;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < t->oc.valid; j++) {
            pixel at = *p;
            at.at[AXIS_W] = affine_offset(at.at[AXIS_W], i);
            sum_of[sums++] = sum(t, affine_constant(j), &at);
        }
    add_lanes(t, sum_of, sums);
    (pixels_follow_on(t) ? store_together : store_apart)(t, sum_of[0], *p, count);
}

static void finish(tile *t) {
    pixel p = tile_open_rows(t, NULL);
    const int64_t columns = t->span[AXIS_W]->length, most = t->lanes / t->oc.valid;
    for (int64_t c = 0; c < columns; c += most) {
        p.at[AXIS_W] = affine_constant(c);
        finish_pixels(t, &p, lesser(columns - c, most));
    }
    for (int i = 0; i < TILE_PIXEL_LOOPS; i++) build_end(t->b);
}

static const family FAMILY = {.begin = begin,
                              .body = body,
                              .finish = finish,
                              .registers = registers,
                              .sums = sums,
                              .pack = pack,
                              .reduces_lanes = true,
                              .dots = DOTS_CHANNELS};

static bool applicable(const problem *p, const cvk_target *target, const char **why) {
    const int lanes = target_lanes(target, p->sum);
    if (p->combine == COMBINE_NUMBERS) {
        *why = "lanes over input channels do not leave NaN out";
        return false;
    }
    const bool aligned = p->x.block == 1 || (p->x.block % lanes == 0 && p->groups == 1);
    if (p->combine == COMBINE_SUM && lanes > 1 && view_has_channels_together(&p->x) && aligned &&
        2 * p->in_channels > lanes)
        return true;
    *why = "it is for vectors of input channels, which lie side by side, of one group";
    return false;
}

const algorithm algo_direct_in_channels = {"direct",      LANES_IN_CHANNELS, applicable,    propose_in_channel_tiles,
                                           direct_refuse, direct_build,      direct_cycles, direct_tasks,
                                           direct_least,  &FAMILY,           false};
