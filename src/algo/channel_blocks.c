/* Blocks of output channels. */
#include "algo/channel_blocks.h"

/* Whether blocks begin where vectors do, so that a vector may write the output's fill. */
static bool covers_fill(const problem *p, bool lanes_are_channels, bool depthwise) {
    return lanes_are_channels && p->y.block > 1 && (depthwise ? p->out_channels : p->groups) == 1;
}

channel_blocks channel_blocks_of(const problem *p, int64_t size, int lanes, bool lanes_are_channels, bool depthwise) {
    channel_blocks c = {.depthwise = depthwise,
                        .lanes = lanes,
                        .size = size,
                        .groups = depthwise ? p->out_channels : p->groups,
                        .channels = depthwise ? p->groups : p->out_channels};
    c.covered = c.channels;
    if (covers_fill(p, lanes_are_channels, depthwise)) c.covered = ceil_div(c.channels, p->y.block) * p->y.block;
    c.blocks = ceil_div(c.covered, size);
    return c;
}

int64_t channel_blocks_whole(const channel_blocks *c) { return c->channels / c->size; }

void channel_blocks_at(channel_blocks *c, int64_t block) {
    int64_t first = block * c->size, left = c->covered - first;
    c->block = affine_constant(block);
    c->valid = c->channels - first;
    c->covers = left < c->size ? left : c->size;
}

void channel_blocks_at_whole(channel_blocks *c, affine block) {
    c->block = block;
    c->valid = c->covers = c->size;
}

int channel_blocks_vectors(const channel_blocks *c) { return (int)ceil_div(c->covers, c->lanes); }

nest_range channel_blocks_lanes(const channel_blocks *c, nest_builder *b, affine vector) {
    nest_range r = range_of(b, 0, c->lanes);
    range_clip_high(b, &r, affine_offset(affine_scale(vector, -c->lanes), c->valid), 1);
    return r;
}

int64_t channel_blocks_step(const channel_blocks *c, const view *v) { return c->depthwise ? v->group : 1; }

affine channel_blocks_channel(const channel_blocks *c, const view *v, affine vector) {
    int64_t step = channel_blocks_step(c, v);
    affine first = affine_scale(affine_add_scaled(affine_scale(c->block, c->size), vector, c->lanes), step);
    return affine_add_scaled(first, c->group, c->depthwise ? 1 : v->group);
}
