/* A vector of channels at a time, over all images and positions in their order. */
#include "algo/bias_gradient.h"

#include "algo/access.h"

typedef struct summing {
    nest_builder b;
    const bias_gradient *g;
    tensor_view from;
    int output, registers, lanes;
} summing;

enum { SUM, ONE, SPARE, REGISTERS };

static register_ref only(const summing *s, int which) { return reg(s->registers, affine_constant(which)); }

static void add_positions(summing *s, affine channel, const nest_range *valid) {
    nest_builder *b = &s->b;
    lane_map m = {.n = build_loop(b, "n", s->g->n), .channel = channel, .channel_step = 1, .valid = valid};
    static const char *const NAMES[AXES] = {"d", "h", "w"};
    for (int a = 0; a < AXES; a++) m.at.at[a] = build_loop(b, NAMES[a], s->g->size[a]);
    view_load(b, &s->from, &m, only(s, ONE), only(s, SPARE));
    build_op(b, OP_ADD, only(s, SUM), only(s, SUM), only(s, ONE));
    for (int i = 0; i < AXES + 1; i++) build_end(b);
}

static void sum_vector(summing *s, affine channel, const nest_range *valid) {
    build_const(&s->b, only(s, SUM), 0);
    add_positions(s, channel, valid);
    const int64_t first = s->g->elements - s->g->v.channels;
    build_store(&s->b, access_at(s->output, affine_offset(channel, first), 1), only(s, SUM), valid);
}

/* Whole vectors, then what is left of one. */
static void sum_all(summing *s) {
    nest_builder *b = &s->b;
    const int64_t channels = s->g->v.channels, whole = channels / s->lanes, rest = channels % s->lanes;
    affine vector = build_task(b, "c", whole + (rest > 0));
    if (whole) {
        build_if(b, affine_offset(affine_scale(vector, -1), whole - 1), rest ? "whole vectors" : NULL);
        sum_vector(s, affine_scale(vector, s->lanes), NULL);
        build_end(b);
    }
    if (rest) {
        nest_range valid = range_of(b, 0, rest);
        build_if(b, affine_offset(vector, -whole), "the rest");
        sum_vector(s, affine_constant(whole * s->lanes), &valid);
        build_end(b);
    }
    build_end(b);
}

nest *bias_gradient_build(arena *a, const bias_gradient *g, const cvk_target *target) {
    summing s = {.b = nest_begin(a, g->name, ENTRY_TASKS, target->vector_bytes), .g = g, .from.v = g->v};
    s.lanes = target_lanes(target, g->sum);
    s.from.tensor =
        nest_add_tensor(&s.b, "gradient", ROLE_GRADIENT, g->v.type, g->v.elements, type_bytes(g->v.type), false);
    s.output = nest_add_tensor(&s.b, "output", ROLE_OUTPUT, g->output, g->elements, type_bytes(g->output), true);
    s.registers = nest_add_register(&s.b, "sum", g->sum, s.lanes, REGISTERS);
    sum_all(&s);
    return nest_finish(&s.b);
}
