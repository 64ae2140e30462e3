/* Tensors in a nest: offsets, and vectors of channels or columns in and out of memory. */
#include "algo/access.h"

#include "base/integers.h"

affine view_offset(nest_builder *b, const view *v, affine n, affine channel, const position *p) {
    affine offset = affine_offset(affine_scale(n, v->n), v->base);
    for (int a = 0; a < AXES; a++) offset = affine_add_scaled(offset, p->at[a], v->axis[a]);
    if (v->block == 1) return affine_add_scaled(offset, channel, v->channel);
    affine block = build_quotient(b, channel, v->block);
    return affine_add_scaled(affine_add_scaled(offset, channel, v->in_block), block,
                             v->channel - v->block * v->in_block);
}

/* A channel vector that begins at a multiple of its lanes stays within a block. */
static bool aligned(const affine *channel, int lanes) {
    if (channel->constant % lanes != 0) return false;
    for (int i = 0; i < channel->count; i++)
        if (channel->term[i].coefficient % lanes != 0) return false;
    return true;
}

static int64_t lane_stride(const view *v, const lane_map *m) {
    if (m->repeat) return 1;
    return m->channel_step * (v->block > 1 ? v->in_block : v->channel) + m->column_step * v->axis[AXIS_W];
}

/* Whether the lanes are evenly spaced. A channel vector that may straddle blocks is not. Backwards, all of them or one
 * by one: ranges of lanes go forward. */
static bool is_even(const view *v, const lane_map *m, int lanes) {
    if (m->repeat) return true;
    if (m->valid && lane_stride(v, m) < 0) return false;
    if (m->channel_step == 0 || v->block == 1) return true;
    return m->channel_step == 1 && lanes <= v->block && aligned(&m->channel, lanes);
}

static nest_access map_access(nest_builder *b, const tensor_view *v, const lane_map *m) {
    return access_at(v->tensor, view_offset(b, &v->v, m->n, m->channel, &m->at), lane_stride(&v->v, m));
}

static int lanes_of(nest_builder *b, register_ref r) { return b->nest->registers[r.array].lanes; }

/* Opens a loop over the valid lanes, one at a time; gives the lane's access and its range of one lane. */
static nest_access open_lanes(nest_builder *b, const tensor_view *v, const lane_map *m, int lanes, nest_range *one) {
    nest_range r = m->valid ? *m->valid : range_of(b, 0, lanes);
    affine l = build_for(b, VARIABLE_UNROLLED, "l", r);
    affine channel = affine_add_scaled(m->channel, l, m->channel_step);
    position at = m->at;
    at.at[AXIS_W] = affine_add_scaled(at.at[AXIS_W], l, m->column_step);
    affine offset = affine_sub(view_offset(b, &v->v, m->n, channel, &at), l); /* of lane 0, if lanes were contiguous */
    *one = range_of(b, 0, lanes);
    range_clip_low(b, one, l, 1);
    range_clip_high(b, one, affine_offset(l, 1), 1);
    return access_at(v->tensor, offset, 1);
}

/* Whether whole runs of lanes, from the first on, are of one element each. */
static bool is_repeated(const view *v, const lane_map *m, int lanes) {
    return view_repeats(v) && m->channel_step == 1 && v->block <= lanes && aligned(&m->channel, (int)v->block);
}

/* To those of so many lanes each; where they are so evenly, that is said so: proofs know whole multiples best. */
static void clip_elements(nest_builder *b, nest_range *elements, const nest_bound *lanes, int times) {
    affine whole = lanes->numerator;
    const bool even = lanes->divisor == 1 && aligned(&whole, times);
    for (int i = 0; even && i < whole.count; i++) whole.term[i].coefficient /= times;
    if (even)
        whole.constant /= times;
    else
        whole.constant += (times - 1) * lanes->divisor;
    range_clip_high(b, elements, whole, even ? 1 : lanes->divisor * times);
}

/* The elements side by side, and each as often as it is repeated. */
static void load_repeated(nest_builder *b, const tensor_view *v, const lane_map *m, register_ref to) {
    const int lanes = lanes_of(b, to), times = (int)v->v.block;
    int pattern[NEST_MOST_LANES];
    for (int l = 0; l < lanes; l++) pattern[l] = l / times;
    nest_range elements = range_of(b, 0, ceil_div(lanes, times));
    for (int i = 0; m->valid && i < m->valid->high_count; i++) clip_elements(b, &elements, &m->valid->high[i], times);
    build_load(b, to, access_at(v->tensor, view_offset(b, &v->v, m->n, m->channel, &m->at), 1), &elements);
    build_shuffle(b, to, to, to, pattern);
}

void view_load(nest_builder *b, const tensor_view *v, const lane_map *m, register_ref to, register_ref scratch) {
    int lanes = lanes_of(b, to);
    if (is_repeated(&v->v, m, lanes)) {
        load_repeated(b, v, m, to);
        return;
    }
    if (is_even(&v->v, m, lanes)) {
        build_load(b, to, map_access(b, v, m), m->valid);
        return;
    }
    nest_range one;
    build_const(b, to, 0);
    nest_access at = open_lanes(b, v, m, lanes, &one);
    build_load(b, scratch, at, &one);
    build_op(b, OP_ADD, to, to, scratch);
    build_end(b);
}

void view_store(nest_builder *b, const tensor_view *v, const lane_map *m, register_ref from) {
    int lanes = lanes_of(b, from);
    if (is_even(&v->v, m, lanes)) {
        (v->streams ? build_stream : build_store)(b, map_access(b, v, m), from, m->valid);
        return;
    }
    nest_range one;
    nest_access at = open_lanes(b, v, m, lanes, &one);
    build_store(b, at, from, &one);
    build_end(b);
}

void square_turn(nest_builder *b, int registers, int64_t count) {
    const int lanes = b->nest->registers[registers].lanes;
    if (count < lanes) {
        affine rest = build_for(b, VARIABLE_UNROLLED, "i", range_of(b, count, lanes));
        build_const(b, reg(registers, rest), 0);
        build_end(b);
    }
    build_transpose(b, reg(registers, affine_constant(lanes)), reg(registers, affine_constant(0)));
}
