/* Blocks of output channels. */
#include "algo/channel_blocks.h"

/* Whether blocks begin where vectors do, so that a vector may write the output's fill. */
static bool covers_fill(const channel_blocks *c, const problem *p, bool lanes_are_channels) {
    return lanes_are_channels && p->y.block > 1 && c->groups == 1 && p->y.block % c->lanes == 0;
}

channel_blocks channel_blocks_of(const problem *p, int64_t size, int lanes, bool lanes_are_channels, bool all_groups) {
    channel_blocks c = {.all_groups = all_groups,
                        .lanes = lanes,
                        .size = size,
                        .of_group = p->in_channels,
                        .groups = all_groups ? problem_multiplier(p) : p->groups,
                        .channels = all_groups ? p->x.channels : p->out_channels};
    c.covered = c.channels;
    if (covers_fill(&c, p, lanes_are_channels)) c.covered = ceil_div(c.channels, p->y.block) * p->y.block;
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

typedef void vector_body(void *context, const channel_vector *v);

static void each_rest(channel_blocks *c, nest_builder *b, int64_t block, vector_body *body, void *context) {
    channel_blocks_at(c, block);
    const nest_range valid = channel_blocks_lanes(c, b, affine_constant(0));
    const channel_vector v = {.channel = affine_constant(block * c->size),
                              .number = affine_constant(block),
                              .turn = affine_constant(0),
                              .valid = c->valid > 0 ? &valid : NULL,
                              .exist = c->valid,
                              .with_fill = c->valid < c->covers};
    body(context, &v);
}

/* `trips` times `together` whole ones, from the first on. */
static void each_whole(channel_blocks *c, nest_builder *b, int64_t first, int64_t trips, int64_t together,
                       vector_body *body, void *context) {
    if (!trips || !together) return;
    const affine trip = build_loop(b, "oc", trips), turn = build_unrolled(b, "turn", together);
    const affine number = affine_offset(affine_add_scaled(turn, trip, together), first);
    const channel_vector v = {
        .channel = affine_scale(number, c->size), .number = number, .turn = turn, .exist = c->size};
    channel_blocks_at_whole(c, number);
    body(context, &v);
    for (int i = 0; i < 2; i++) build_end(b);
}

void channel_blocks_each(channel_blocks *c, nest_builder *b, int together, vector_body *body, void *context) {
    const int64_t whole = channel_blocks_whole(c), rest = whole % together;
    each_whole(c, b, 0, whole / together, together, body, context);
    each_whole(c, b, whole - rest, 1, rest, body, context);
    for (int64_t i = whole; i < c->blocks; i++) each_rest(c, b, i, body, context);
}

int channel_blocks_vectors(const channel_blocks *c) { return (int)ceil_div(c->covers, c->lanes); }

nest_range channel_blocks_lanes(const channel_blocks *c, nest_builder *b, affine vector) {
    nest_range r = range_of(b, 0, c->lanes);
    range_clip_high(b, &r, affine_offset(affine_scale(vector, -c->lanes), c->valid), 1);
    return r;
}

int64_t channel_blocks_step(const channel_blocks *c, const view *v) {
    return c->all_groups ? v->group / c->of_group : 1;
}

affine channel_blocks_channel(const channel_blocks *c, const view *v, affine vector) {
    int64_t step = channel_blocks_step(c, v);
    affine first = affine_scale(affine_add_scaled(affine_scale(c->block, c->size), vector, c->lanes), step);
    return affine_add_scaled(first, c->group, c->all_groups ? 1 : v->group);
}
