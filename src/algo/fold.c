/* An output is what stands at its own position and at every one that repeats it: on each axis its own, one in front and
 * one behind, or, where the border repeats the first and the last, all of it. Lanes are channels of all groups. */
#include "algo/fold.h"

#include "algo/channel_blocks.h"
#include "algo/epilogue.h"

enum { MOST_SOURCES = 3 };

/* Positions first .. first + count - 1 repeat an output, if low >= 0 and high >= 0. */
typedef struct source {
    affine low, high, first;
    int64_t count;
} source;

typedef struct folding {
    nest_builder b;
    const fold *f;
    problem p; /* of what is stored: no sums of its own */
    tensor_view from;
    epilogue out;
    channel_blocks oc;
    int registers;
    affine n, at[AXES]; /* the output at hand */
} folding;

enum { SUM, ONE, SPARE, REGISTERS };

static register_ref only(const folding *s, int which) { return reg(s->registers, affine_constant(which)); }

static affine minus(affine i, int64_t from) { return affine_offset(affine_scale(i, -1), from); }

/* What repeats output i in front of the first, and behind the last, counted from the first. */
static source in_front(const folding *s, int axis, affine i) {
    const int64_t n = s->f->size[axis], before = s->f->before[axis];
    switch (s->f->border) {
    case PAD_REFLECT: return (source){affine_offset(i, -1), minus(i, before), minus(i, 0), 1};
    case PAD_SYMMETRIC: return (source){i, minus(i, before - 1), minus(i, -1), 1};
    case PAD_CIRCULAR: return (source){affine_offset(i, before - n), i, affine_offset(i, -n), 1};
    default: return (source){minus(i, 0), i, affine_constant(-before), before};
    }
}

static source behind(const folding *s, int axis, affine i) {
    const int64_t n = s->f->size[axis], after = s->f->after[axis];
    switch (s->f->border) {
    case PAD_REFLECT: return (source){affine_offset(i, after + 1 - n), minus(i, n - 2), minus(i, 2 * n - 2), 1};
    case PAD_SYMMETRIC: return (source){affine_offset(i, after - n), i, minus(i, 2 * n - 1), 1};
    case PAD_CIRCULAR: return (source){minus(i, after - 1), i, affine_offset(i, n), 1};
    default: return (source){affine_offset(i, 1 - n), i, affine_constant(n), after};
    }
}

static int sources_of(const folding *s, int axis, affine i, source list[MOST_SOURCES]) {
    int count = 0;
    list[count++] = (source){affine_constant(0), affine_constant(0), i, 1};
    if (s->f->before[axis] > 0) list[count++] = in_front(s, axis, i);
    if (s->f->after[axis] > 0) list[count++] = behind(s, axis, i);
    return count;
}

static void add_at(folding *s, const position *at, const nest_range *valid) {
    const lane_map m = {s->n, channel_blocks_channel(&s->oc, &s->from.v, affine_constant(0)), *at, .channel_step = 1,
                        .valid = valid};
    view_load(&s->b, &s->from, &m, only(s, ONE), only(s, SPARE));
    build_op(&s->b, OP_ADD, only(s, SUM), only(s, SUM), only(s, ONE));
}

/* From this axis on. */
static void add_sources(folding *s, int axis, position at, const nest_range *valid) {
    static const char *const NAMES[AXES] = {"fd", "fh", "fw"};
    if (axis == AXES) {
        add_at(s, &at, valid);
        return;
    }
    source list[MOST_SOURCES];
    const int count = sources_of(s, axis, s->at[axis], list);
    for (int i = 0; i < count; i++) {
        nest_builder *b = &s->b;
        if (nest_maximum(b->nest, b->scope, list[i].low) < 0 || nest_maximum(b->nest, b->scope, list[i].high) < 0)
            continue;
        build_if(b, list[i].low, NULL);
        build_if(b, list[i].high, NULL);
        affine further = build_loop(b, NAMES[axis], list[i].count);
        at.at[axis] = affine_offset(affine_add(list[i].first, further), s->f->before[axis]);
        add_sources(s, axis + 1, at, valid);
        for (int k = 0; k < 3; k++) build_end(b);
    }
}

/* A vector of channels at one position. */
static void fold_vector(folding *s) {
    const nest_range valid = channel_blocks_lanes(&s->oc, &s->b, affine_constant(0));
    const position at = {{s->at[0], s->at[1], s->at[2]}};
    const affine channel = channel_blocks_channel(&s->oc, &s->out.y.v, affine_constant(0));
    const lane_map m = {s->n, channel, at, .channel_step = 1, .valid = &valid};
    epilogue_bias(&s->out, only(s, SUM), &m);
    add_sources(s, 0, (position){{affine_constant(0), affine_constant(0), affine_constant(0)}}, &valid);
    epilogue_store(&s->out, only(s, SUM), &m, s->oc.valid < s->oc.covers);
}

/* Whole vectors share their code. */
static void fold_position(folding *s) {
    const int64_t whole = channel_blocks_whole(&s->oc);
    if (whole > 0) {
        channel_blocks_at_whole(&s->oc, build_loop(&s->b, "oc", whole));
        fold_vector(s);
        build_end(&s->b);
    }
    for (int64_t i = whole; i < s->oc.blocks; i++) {
        channel_blocks_at(&s->oc, i);
        fold_vector(s);
    }
}

static void fold_all(folding *s) {
    nest_builder *b = &s->b;
    s->n = build_task(b, "n", s->f->n);
    s->at[AXIS_D] = build_task(b, "od", s->f->size[AXIS_D]);
    s->at[AXIS_H] = build_task(b, "oh", s->f->size[AXIS_H]);
    s->at[AXIS_W] = build_loop(b, "ow", s->f->size[AXIS_W]);
    fold_position(s);
    for (int i = 0; i < AXES + 1; i++) build_end(b);
}

/* The outputs of all groups as those of one. */
static problem stored_of(const fold *f) {
    problem p = {.name = f->name, .n = f->n, .groups = 1, .in_channels = 1, .out_channels = f->to.channels};
    p.y = f->to;
    p.y.group = f->to.channels;
    p.gate = f->gate;
    p.sum = f->from.type;
    p.post = f->post;
    return p;
}

nest *fold_build(arena *a, const fold *f, const cvk_target *target) {
    folding s = {.b = nest_begin(a, f->name, ENTRY_TASKS, target->vector_bytes), .f = f, .p = stored_of(f)};
    const int lanes = target_lanes(target, s.p.sum);
    s.from.v = f->from;
    s.from.tensor = nest_add_part(&s.b, "whole", ROLE_WORKSPACE, f->from.type, f->begin, f->from.elements,
                                  SCRATCH_ALIGNMENT, false);
    s.out = epilogue_declare(&s.b, &s.p);
    s.registers = nest_add_register(&s.b, "sum", s.p.sum, lanes, REGISTERS);
    epilogue_registers(&s.out);
    s.oc = channel_blocks_of(&s.p, lanes, lanes, true, false);
    s.oc.group = affine_constant(0);
    if (f->n > 0)
        fold_all(&s);
    else
        s.b.nest->tasks = 0;
    return nest_finish(&s.b);
}
