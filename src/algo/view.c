/* Tensors in their layouts: offsets, and vectors of channels or columns in and out of memory. */
#include "algo/problem.h"

int64_t view_pixels(const tensor_view *v) { return v->size[AXIS_D] * v->size[AXIS_H] * v->size[AXIS_W]; }

static int64_t stored_channels(const tensor_view *v) {
    if (v->layout != CVK_BLOCKED) return v->channels;
    return (v->channels + BLOCK_CHANNELS - 1) / BLOCK_CHANNELS * BLOCK_CHANNELS;
}

int64_t view_elements(const tensor_view *v, int64_t batch) { return batch * stored_channels(v) * view_pixels(v); }

int64_t view_column_stride(const tensor_view *v) {
    return v->layout == CVK_CHANNELS_FIRST ? 1 : v->layout == CVK_CHANNELS_LAST ? v->channels : BLOCK_CHANNELS;
}

affine view_offset(nest_builder *b, const tensor_view *v, affine n, affine channel, const position *p) {
    affine row = affine_add_scaled(p->at[AXIS_H], p->at[AXIS_D], v->size[AXIS_H]);
    affine pixel = affine_add_scaled(p->at[AXIS_W], row, v->size[AXIS_W]);
    affine offset =
        affine_add(affine_scale(n, stored_channels(v) * view_pixels(v)), affine_scale(pixel, view_column_stride(v)));
    offset = affine_offset(offset, v->base);
    if (v->layout == CVK_CHANNELS_LAST) return affine_add(offset, channel);
    if (v->layout == CVK_CHANNELS_FIRST) return affine_add_scaled(offset, channel, view_pixels(v));
    affine block = build_quotient(b, channel, BLOCK_CHANNELS);
    return affine_add_scaled(affine_add(offset, channel), block, (view_pixels(v) - 1) * BLOCK_CHANNELS);
}

/* A channel vector that begins at a multiple of its lanes stays within a block. */
static bool aligned(const affine *channel, int lanes) {
    if (channel->constant % lanes != 0) return false;
    for (int i = 0; i < channel->count; i++)
        if (channel->term[i].coefficient % lanes != 0) return false;
    return true;
}

bool view_is_even(const tensor_view *v, const lane_map *m, int lanes) {
    if (m->channel_step == 0 || v->layout != CVK_BLOCKED) return true;
    return m->channel_step == 1 && lanes <= BLOCK_CHANNELS && aligned(&m->channel, lanes);
}

static int64_t lane_stride(const tensor_view *v, const lane_map *m) {
    int64_t channel = v->layout == CVK_CHANNELS_FIRST ? view_pixels(v) : 1;
    return m->channel_step * channel + m->column_step * view_column_stride(v);
}

static nest_access map_access(nest_builder *b, const tensor_view *v, const lane_map *m) {
    return access_at(v->tensor, view_offset(b, v, m->n, m->channel, &m->at), lane_stride(v, m));
}

static int lanes_of(nest_builder *b, register_ref r) { return b->nest->registers[r.array].lanes; }

/* Opens a loop over the valid lanes, one at a time; gives the lane's access and its range of one lane. */
static nest_access open_lanes(nest_builder *b, const tensor_view *v, const lane_map *m, int lanes, nest_range *one) {
    nest_range r = m->valid ? *m->valid : range_of(b, 0, lanes);
    affine l = build_for(b, VARIABLE_UNROLLED, "l", r);
    affine channel = affine_add_scaled(m->channel, l, m->channel_step);
    affine offset = affine_sub(view_offset(b, v, m->n, channel, &m->at), l); /* of lane 0, if lanes were contiguous */
    *one = range_of(b, 0, lanes);
    range_clip_low(b, one, l, 1);
    range_clip_high(b, one, affine_offset(l, 1), 1);
    return access_at(v->tensor, offset, 1);
}

void view_load(nest_builder *b, const tensor_view *v, const lane_map *m, register_ref to, register_ref scratch) {
    int lanes = lanes_of(b, to);
    if (view_is_even(v, m, lanes)) {
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
    if (view_is_even(v, m, lanes)) {
        build_store(b, map_access(b, v, m), from, m->valid);
        return;
    }
    nest_range one;
    nest_access at = open_lanes(b, v, m, lanes, &one);
    build_store(b, at, from, &one);
    build_end(b);
}
