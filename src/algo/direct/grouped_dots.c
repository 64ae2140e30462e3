/* Grouped sums of bytes: products of several input channels at once, lanes over steps of them. A register of input
 * holds, as it lies, the channels of some whole groups, n of them to a lane: of c = n m channels m lanes, (g, s), are a
 * group's. With c registers of weights it gives as many sums, one for each output channel o of all those groups:
 *
 *     acc[o] (g, s) += sum over i < n of x (g, s n + i) w (g, o, s n + i)
 *
 * so every factor of a dot works. At the end the m lanes of a group are added, which brings its output channels side by
 * side, m of them, and the registers interleaved, until all c are. What a dot leaves to add is a number a lane: sums
 * begin with it. */
#include "algo/direct/tile.h"

static int64_t outputs(const tile *t) { return t->p.in_channels; }
static int64_t channels_of_register(const tile *t) { return (int64_t)t->reduced * t->lanes; }
static affine weights_of(const tile *t, affine o) { return affine_scale(o, channels_of_register(t)); }

static register_ref sum_of(const tile *t, affine o, const pixel *p) {
    return reg(t->acc, affine_add_scaled(tile_pixel_number(t, p), o, tile_pixels(t)));
}

/* Opens unrolled loops over the tile's pixels. */
enum { LOOPS = AXES };
static pixel open_pixels(tile *t) {
    pixel p = tile_open_rows(t, NULL);
    p.at[AXIS_W] = build_unrolled(t->b, "c", t->span[AXIS_W]->length);
    return p;
}

static void close(tile *t, int loops) {
    while (loops--) build_end(t->b);
}

/* ---- packing ---- */

static const int64_t ONE = 1;

static void pack_channel(tile *t, const tap *k, affine o, affine at, int from, int to, int w, int narrow) {
    nest_builder *b = t->b;
    const view *dense = &t->p.w;
    const position tap_at = {{k->k[AXIS_D], k->k[AXIS_H], k->k[AXIS_W]}};
    const int64_t c = outputs(t);
    const nest_range one = range_of(b, 0, ONE);
    affine g = build_loop(b, "group", t->oc.valid / c), ic = build_loop(b, "channel", c);
    affine group = affine_add_scaled(g, t->oc.block, t->oc.size / c);
    affine channel = affine_add_scaled(affine_add_scaled(t->oc.group, o, t->oc.groups), group, dense->group);
    const register_ref wide = reg(w, affine_constant(0)), byte = reg(narrow, affine_constant(0));
    build_load(b, wide, access_at(from, view_offset(b, dense, ic, channel, &tap_at), 1), &one);
    build_convert(b, byte, wide);
    build_store(b, access_at(to, affine_add_scaled(affine_add(at, ic), g, c), 1), byte, &one);
    close(t, 2);
}

/* Groups that do not exist. */
static void pack_zeros(tile *t, affine at, int to, int narrow) {
    const int64_t left = channels_of_register(t) - t->oc.valid;
    const nest_range one = range_of(t->b, 0, ONE);
    if (left <= 0) return;
    affine l = affine_offset(build_loop(t->b, "fill", left), t->oc.valid);
    build_const(t->b, reg(narrow, affine_constant(0)), 0);
    build_store(t->b, access_at(to, affine_add(at, l), 1), reg(narrow, affine_constant(0)), &one);
    build_end(t->b);
}

/* Those of the output channels that stand where a step of input channels does. */
void grouped_dot_pack(tile *t, const tap *k, int from, int to, int w) {
    const int narrow = nest_add_register(t->b, "byte", t->dot->w, t->lanes, 1);
    affine i = build_loop(t->b, "o", t->reduced), at = affine_add(tap_weights(t, k), weights_of(t, i));
    pack_channel(t, k, affine_add_scaled(i, k->ic, t->reduced), at, from, to, w, narrow);
    pack_zeros(t, at, to, narrow);
    build_end(t->b);
}

/* ---- a tile ---- */

/* Of a tap either all weights wait in registers for one input after another, or all inputs for weights, whichever are
 * fewer. */
static bool keeps_inputs(const tile *t) { return tile_pixels(t) < outputs(t); }

static register_ref input_of(const tile *t, const pixel *p) {
    return reg(t->xs, keeps_inputs(t) ? tile_pixel_number(t, p) : affine_constant(0));
}
static register_ref spare(const tile *t) { return reg(t->xs, affine_constant(tile_pixels(t))); }
static register_ref weight_of(const tile *t, affine o) { return reg(t->ws, keeps_inputs(t) ? affine_constant(0) : o); }

void grouped_dot_registers(tile *t) {
    const int c = (int)outputs(t);
    channel_tile_registers(t, tile_steps(t), c);
    t->xs = nest_add_register(t->b, "inputs", t->dot->x, (int)channels_of_register(t), (int)tile_pixels(t) + 1);
    t->brought = nest_add_register(t->b, "turned", t->p.sum, t->lanes, 2 * c + 2);
}

void grouped_dot_begin(tile *t) {
    nest_builder *b = t->b;
    const register_ref first = reg(t->first, affine_constant(0));
    affine o = build_unrolled(b, "o", outputs(t));
    build_const(b, first, 0);
    dot_correct(t, first, o);
    pixel p = open_pixels(t);
    build_op(b, OP_COPY, sum_of(t, o, &p), first, reg(-1, affine_constant(0)));
    close(t, LOOPS + 1);
}

static void load_weight(tile *t, const tap *k, affine o) {
    tap first = *k;
    first.ic = affine_constant(0);
    affine at = affine_add(tap_weights(t, &first), weights_of(t, o));
    build_load(t->b, weight_of(t, o), access_at(t->weights, at, 1), NULL);
}

static void load_input(tile *t, const tap *k, const pixel *p) {
    nest_range valid = range_of(t->b, 0, lesser(channels_of_register(t), t->oc.valid));
    lane_map m = tap_input(t, k, p);
    m.channel_step = 1;
    m.valid = &valid;
    view_load(t->b, &t->x, &m, input_of(t, p), spare(t));
    if (!t->plan->pack_rows) dot_shift_loaded(t, input_of(t, p), spare(t));
}

static affine open_outputs(tile *t) { return build_unrolled(t->b, "o", outputs(t)); }

static pixel open_pixels_of(tile *t, const tap *k) {
    nest_range columns = tap_columns(t, k, affine_constant(0), t->span[AXIS_W]->length);
    pixel p = tile_open_rows(t, k);
    p.at[AXIS_W] = build_for(t->b, VARIABLE_UNROLLED, "c", columns);
    return p;
}

static void add_product(tile *t, affine o, const pixel *p) {
    build_dot(t->b, sum_of(t, o, p), input_of(t, p), weight_of(t, o), NULL);
}

static void body_of_inputs(tile *t, const tap *k) {
    pixel p = open_pixels_of(t, k);
    load_input(t, k, &p);
    close(t, LOOPS);
    affine o = open_outputs(t);
    load_weight(t, k, o);
    p = open_pixels_of(t, k);
    add_product(t, o, &p);
    close(t, LOOPS + 1);
}

static void body_of_weights(tile *t, const tap *k) {
    load_weight(t, k, open_outputs(t));
    close(t, 1);
    pixel p = open_pixels_of(t, k);
    load_input(t, k, &p);
    add_product(t, open_outputs(t), &p);
    close(t, LOOPS + 1);
}

void grouped_dot_body(tile *t, const tap *k) { (keeps_inputs(t) ? body_of_inputs : body_of_weights)(t, k); }

/* ---- the sums of a group side by side ---- */

/* Lanes are (g, part, i < each): two registers of parts become one of half as many, and twice the `each`. */
static void add_parts(tile *t, register_ref to, register_ref x, register_ref y, int count, int each) {
    int lower[NEST_MOST_LANES], upper[NEST_MOST_LANES];
    const int half = count / 2;
    for (int l = 0; l < t->lanes; l++) {
        const int i = l % each, second = l / each % 2, part = l / (2 * each) % half, g = l / (2 * each * half);
        lower[l] = (g * count + part) * each + i + second * t->lanes;
        upper[l] = lower[l] + half * each;
    }
    const register_ref spare = reg(t->brought, affine_constant(2 * outputs(t)));
    build_shuffle(t->b, spare, x, y, lower);
    build_shuffle(t->b, to, x, y, upper);
    build_op(t->b, OP_ADD, to, to, spare);
}

/* Registers of one half of the spare ones and of the other in turn. */
static register_ref turned(const tile *t, int round, int64_t i) {
    return reg(t->brought, affine_constant(round % 2 * outputs(t) + i));
}

static void turn_pixel(tile *t, const pixel *p) {
    int round = 0, each = 1;
    int64_t count = outputs(t);
    for (int64_t o = 0; o < count; o++)
        build_op(t->b, OP_COPY, turned(t, 0, o), sum_of(t, affine_constant(o), p), reg(-1, affine_constant(0)));
    for (int left = (int)tile_steps(t); left > 1; left /= 2, each *= 2, round++, count /= 2)
        for (int64_t i = 0; i < count / 2; i++)
            add_parts(t, turned(t, round + 1, i), turned(t, round, 2 * i), turned(t, round, 2 * i + 1), left, each);
    for (int apart = 1; apart < count; apart *= 2, each *= 2, round++)
        for (int64_t i = 0; i < count; i++) {
            const int64_t from = i / (2 * apart) * 2 * apart + i % (2 * apart) / 2;
            dot_interleave(t, turned(t, round + 1, i), turned(t, round, from), turned(t, round, from + apart), each,
                           i % 2);
        }
    for (int64_t i = 0; i < count; i++)
        build_op(t->b, OP_COPY, sum_of(t, affine_constant(i), p), turned(t, round, i), reg(-1, affine_constant(0)));
}

static void add_bias(tile *t) {
    nest_builder *b = t->b;
    const register_ref bias = reg(t->first, affine_constant(0));
    affine j = build_unrolled(b, "j", channel_blocks_vectors(&t->oc));
    channel_tile_bias(t, j, bias);
    pixel p = open_pixels(t);
    build_op(b, OP_ADD, channel_tile_sum(t, j, &p), channel_tile_sum(t, j, &p), bias);
    close(t, LOOPS + 1);
}

void grouped_dot_finish(tile *t) {
    pixel p = open_pixels(t);
    turn_pixel(t, &p);
    close(t, LOOPS);
    if (t->p.post.bias) add_bias(t);
    channel_tile_finish(t);
}
