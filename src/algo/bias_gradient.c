/* A few vectors of channels at a time, over all images and positions in their order: neighbours are on lines that come
 * together, and their sums do not wait for one another. */
#include "algo/bias_gradient.h"

#include "algo/access.h"

enum { MOST_VECTORS = 8 };

typedef struct summing {
    nest_builder b;
    const bias_gradient *g;
    tensor_view from;
    int output, sums, others, lanes;
} summing;

enum { ONE, SPARE, OTHERS };

static register_ref other(const summing *s, int which) { return reg(s->others, affine_constant(which)); }

/* Opens an unrolled loop over the vectors at hand, of which the first begins at `channel`; gives one's channel. */
static affine open_vectors(summing *s, affine channel, int64_t vectors, register_ref *sum) {
    const affine v = build_unrolled(&s->b, "v", vectors);
    *sum = reg(s->sums, v);
    return affine_add_scaled(channel, v, s->lanes);
}

static void add_positions(summing *s, affine channel, int64_t vectors, const nest_range *valid) {
    nest_builder *b = &s->b;
    lane_map m = {.n = build_loop(b, "n", s->g->n), .channel_step = 1, .valid = valid};
    static const char *const NAMES[AXES] = {"d", "h", "w"};
    register_ref sum;
    for (int a = 0; a < AXES; a++) m.at.at[a] = build_loop(b, NAMES[a], s->g->size[a]);
    m.channel = open_vectors(s, channel, vectors, &sum);
    view_load(b, &s->from, &m, other(s, ONE), other(s, SPARE));
    build_op(b, OP_ADD, sum, sum, other(s, ONE));
    for (int i = 0; i < AXES + 2; i++) build_end(b);
}

static void store_sum(summing *s, affine channel, register_ref sum, const nest_range *valid) {
    const affine at = affine_offset(channel, s->g->elements - s->g->v.channels);
    if (s->g->accumulate) {
        build_load(&s->b, other(s, ONE), access_at(s->output, at, 1), valid);
        build_op(&s->b, OP_ADD, sum, sum, other(s, ONE));
    }
    build_store(&s->b, access_at(s->output, at, 1), sum, valid);
}

static void sum_vectors(summing *s, affine channel, int64_t vectors, const nest_range *valid) {
    register_ref sum;
    open_vectors(s, channel, vectors, &sum);
    build_const(&s->b, sum, 0);
    build_end(&s->b);
    add_positions(s, channel, vectors, valid);
    const affine one = open_vectors(s, channel, vectors, &sum);
    store_sum(s, one, sum, valid);
    build_end(&s->b);
}

/* As many vectors together as divide all of them. */
static int64_t vectors_of(int64_t whole) {
    int64_t vectors = MOST_VECTORS;
    while (whole % vectors != 0) vectors /= 2;
    return vectors;
}

/* Whole vectors, then what is left of one. */
static void sum_all(summing *s) {
    nest_builder *b = &s->b;
    const int64_t channels = s->g->v.channels, whole = channels / s->lanes, rest = channels % s->lanes;
    const int64_t vectors = vectors_of(whole), tasks = whole / vectors;
    affine task = build_task(b, "c", tasks + (rest > 0));
    if (whole) {
        build_if(b, affine_offset(affine_scale(task, -1), tasks - 1), rest ? "whole vectors" : NULL);
        sum_vectors(s, affine_scale(task, vectors * s->lanes), vectors, NULL);
        build_end(b);
    }
    if (rest) {
        nest_range valid = range_of(b, 0, rest);
        build_if(b, affine_offset(task, -tasks), "the rest");
        sum_vectors(s, affine_constant(whole * s->lanes), 1, &valid);
        build_end(b);
    }
    build_end(b);
}

nest *bias_gradient_build(arena *a, const bias_gradient *g, const cvk_target *target) {
    summing s = {.b = nest_begin(a, g->name, ENTRY_TASKS, target->vector_bytes), .g = g, .from.v = g->v};
    s.lanes = target_lanes(target, g->sum);
    s.from.tensor =
        nest_add_tensor(&s.b, "gradient", ROLE_GRADIENT, g->v.type, g->v.elements, type_bytes(g->v.type), false);
    s.output = nest_add_sums(&s.b, "output", ROLE_OUTPUT, g->output, g->elements, g->accumulate);
    s.sums = nest_add_register(&s.b, "sum", g->sum, s.lanes, MOST_VECTORS);
    s.others = nest_add_register(&s.b, "x", g->sum, s.lanes, OTHERS);
    sum_all(&s);
    return nest_finish(&s.b);
}
