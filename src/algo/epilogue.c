/* Post-ops as operations of the nest, and the store. */
#include "algo/epilogue.h"

enum { OPERAND = 2, TEMPORARIES }; /* 0 and 1 are for the steps of a post-op */

static int declare(nest_builder *b, const char *name, nest_role role, cvk_type type, int64_t elements, bool writable) {
    return elements ? nest_add_tensor(b, name, role, type, elements, type_bytes(type), writable) : -1;
}

/* One after another, each a tensor of its own. */
static tensor_view declare_operand(const epilogue *e, const char *name, nest_role role, const view *v, int which) {
    tensor_view operand = {.tensor = -1, .v = *v};
    if (v->elements)
        operand.tensor =
            nest_add_part(e->b, name, role, v->type, which * v->elements, v->elements, type_bytes(v->type), false);
    if (operand.tensor >= 0) nest_lie_in(e->b, operand.tensor, v->image, v->period, v->width);
    return operand;
}

/* What they are laid out like. */
static void declare_operands(epilogue *e) {
    int addends = 0, gates = 0;
    for (int i = 0; i < e->p->post.count; i++) {
        const post_operand reads = post_rows[e->p->post.op[i].kind].operand;
        if (reads == OPERAND_TENSOR)
            e->operand[i] = declare_operand(e, "addend", ROLE_ADDEND, &e->p->addend, addends++);
        else if (reads == OPERAND_IMAGE_CHANNEL)
            e->operand[i] = declare_operand(e, "gate", ROLE_GATE, &e->p->gate, gates++);
        if (reads == OPERAND_TENSOR && e->operand[i].tensor >= 0)
            nest_count_from(e->b, e->operand[i].tensor, e->p->post.addend_zero);
    }
}

static void declare_moments(epilogue *e) {
    const view *v = &e->p->moments;
    e->mean.v = e->inverse.v = *v;
    if (!v->elements) return;
    e->mean.tensor = nest_add_part(e->b, "mean", ROLE_WORKSPACE, v->type, 0, v->elements, SCRATCH_ALIGNMENT, false);
    e->inverse.tensor =
        nest_add_part(e->b, "inverse", ROLE_WORKSPACE, v->type, v->elements, v->elements, type_bytes(v->type), false);
}

/* Multipliers of one thing: a number a channel, or one. */
static int64_t multipliers(const problem *p) { return p->post.one_multiplier ? 1 : p->y.channels; }

/* Whether addends have multipliers. */
static bool adds_bytes(const problem *p) { return type_bytes(p->y.type) == 1; }

static int64_t scale_elements(const problem *p) {
    const int addends = adds_bytes(p) ? problem_operands(p, OPERAND_TENSOR) : 0;
    return ((p->post.scaling != SCALING_NONE) + addends) * multipliers(p) +
           problem_operands(p, OPERAND_CHANNEL) * p->y.channels;
}

static bool has_shifts(const problem *p) {
    return p->post.scaling == SCALING_HALF_UP || p->post.scaling == SCALING_DOUBLE;
}

/* Laid out as the output is. */
static void declare_places(epilogue *e) {
    e->places = (tensor_view){.tensor = -1, .v = e->p->y};
    if (!e->p->indices) return;
    e->places.v.type = TYPE_S32;
    e->places.tensor = declare(e->b, "indices", ROLE_INDICES, TYPE_S32, e->p->y.elements, true);
}

epilogue epilogue_declare(nest_builder *b, const problem *p) {
    epilogue e = {.b = b, .p = p, .y.v = p->y};
    e.bias = declare(b, "bias", ROLE_BIAS, p->sum, p->post.bias ? p->y.channels : 0, false);
    e.scale = declare(b, "scale", ROLE_SCALE, problem_post_type(p), scale_elements(p), false);
    e.shift = declare(b, "shift", ROLE_SHIFT, TYPE_S32, has_shifts(p) ? multipliers(p) : 0, false);
    declare_moments(&e);
    declare_operands(&e);
    e.y.tensor = nest_add_sums(b, "output", ROLE_OUTPUT, p->y.type, p->y.elements, p->post.accumulate);
    nest_lie_in(b, e.y.tensor, p->y.image, p->y.period, p->y.width);
    nest_count_from(b, e.y.tensor, p->y.zero);
    declare_places(&e);
    return e;
}

void epilogue_registers(epilogue *e) {
    const int lanes = nest_lanes(e->b->nest, e->p->sum);
    if (e->p->post.scaling == SCALING_FLOAT) e->scaled = nest_add_register(e->b, "scaled", TYPE_F32, lanes, 1);
    e->temporaries = nest_add_register(e->b, "t", problem_post_type(e->p), lanes, TEMPORARIES);
}

static register_ref temporary(const epilogue *e, int i) { return reg(e->temporaries, affine_constant(i)); }

/* So many channels again and again. */
static void load_repeated(const epilogue *e, nest_access at, int repeat, register_ref to) {
    int pattern[NEST_MOST_LANES];
    for (int l = 0; l < NEST_MOST_LANES; l++) pattern[l] = l % repeat;
    nest_range once = range_of(e->b, 0, repeat);
    build_load(e->b, to, at, &once);
    build_shuffle(e->b, to, to, to, pattern);
}

/* A vector of the channels in `m` from an array of one value a channel. */
static void load_by_channel(const epilogue *e, int tensor, int64_t base, const lane_map *m, register_ref to) {
    affine at = affine_offset(m->channel, base);
    if (m->repeat)
        load_repeated(e, access_at(tensor, at, 1), m->repeat, to);
    else if (m->channel_step == 0)
        build_splat(e->b, to, access_at(tensor, at, 1));
    else
        build_load(e->b, to, access_at(tensor, at, m->channel_step), m->valid);
}

void epilogue_bias(const epilogue *e, register_ref to, const lane_map *m) {
    if (e->bias < 0)
        build_const(e->b, to, 0);
    else
        load_by_channel(e, e->bias, 0, m, to);
}

/* x = min(high, max(low, x)); constants come first, so that NaN passes. */
static void clamp(const epilogue *e, register_ref x, double low, double high) {
    build_const(e->b, temporary(e, 0), low);
    build_op(e->b, OP_MAX, x, temporary(e, 0), x);
    build_const(e->b, temporary(e, 0), high);
    build_op(e->b, OP_MIN, x, temporary(e, 0), x);
}

static void relu(const epilogue *e, register_ref x) {
    build_const(e->b, temporary(e, 0), 0);
    build_op(e->b, OP_MAX, x, temporary(e, 0), x);
}

static void scale_by(const epilogue *e, op_kind kind, register_ref to, register_ref x, double factor) {
    build_const(e->b, temporary(e, 0), factor);
    build_op(e->b, kind, to, x, temporary(e, 0));
}

static void leaky_relu(const epilogue *e, register_ref x, double slope) {
    scale_by(e, OP_MUL, temporary(e, 1), x, slope);
    build_select_negative(e->b, x, x, temporary(e, 1), x);
}

/* min(6, max(0, x + 3)) / 6 into `to`. */
static void hard_sigmoid(const epilogue *e, register_ref to, register_ref x) {
    scale_by(e, OP_ADD, to, x, 3);
    clamp(e, to, 0, 6);
    scale_by(e, OP_DIV, to, to, 6);
}

static void hard_swish(const epilogue *e, register_ref x) {
    hard_sigmoid(e, temporary(e, 1), x);
    build_op(e->b, OP_MUL, x, x, temporary(e, 1));
}

/* x = b x + a operand. */
static void blend(const epilogue *e, const post_op *op, register_ref x, register_ref operand) {
    scale_by(e, OP_MUL, x, x, op->b);
    build_const(e->b, temporary(e, 0), op->a);
    build_fma(e->b, x, operand, temporary(e, 0), NULL);
}

/* The same for all lanes, for as many as there are channels again and again, or for each its own. */
static void load_gate(const epilogue *e, const tensor_view *gate, const lane_map *m, register_ref to) {
    const affine at = view_offset(e->b, &gate->v, m->n, m->channel, &m->at);
    const bool everywhere = gate->v.axis[AXIS_W] == 0;
    if (m->repeat && everywhere)
        load_repeated(e, access_at(gate->tensor, at, 1), m->repeat, to);
    else if (m->channel_step == 0 && everywhere && !m->repeat)
        build_splat(e->b, to, access_at(gate->tensor, at, 1));
    else
        view_load(e->b, gate, m, to, temporary(e, 1));
}

static void normalise(const epilogue *e, register_ref x, const lane_map *m) {
    load_gate(e, &e->mean, m, temporary(e, OPERAND));
    build_op(e->b, OP_SUB, x, x, temporary(e, OPERAND));
    load_gate(e, &e->inverse, m, temporary(e, OPERAND));
    build_op(e->b, OP_MUL, x, x, temporary(e, OPERAND));
}

/* Multipliers from a tensor that has as many as there are channels, or one. */
static void load_multipliers(const epilogue *e, int tensor, int64_t base, const lane_map *m, register_ref to) {
    if (e->p->post.one_multiplier)
        build_splat(e->b, to, access_at(tensor, affine_constant(base), 1));
    else
        load_by_channel(e, tensor, base, m, to);
}

/* `at`: numbers of `scale` that have been used. */
static void multiply(const epilogue *e, register_ref x, const lane_map *m, int64_t *at) {
    load_multipliers(e, e->scale, *at, m, temporary(e, 1));
    build_op(e->b, OP_MUL, x, x, temporary(e, 1));
    *at += multipliers(e->p);
}

static void scale_integers(const epilogue *e, op_kind kind, register_ref x, const lane_map *m, int64_t *at) {
    load_multipliers(e, e->scale, *at, m, temporary(e, 0));
    load_multipliers(e, e->shift, 0, m, temporary(e, 1));
    build_scale(e->b, kind, x, x, temporary(e, 0), temporary(e, 1));
    *at += multipliers(e->p);
}

/* A finished sum as post-ops take it. */
static register_ref scaled(const epilogue *e, register_ref sum, const lane_map *m, int64_t *at) {
    const register_ref x = e->p->post.scaling == SCALING_FLOAT ? reg(e->scaled, affine_constant(0)) : sum;
    switch (e->p->post.scaling) {
    case SCALING_NONE: break;
    case SCALING_FLOAT:
        build_convert(e->b, x, sum);
        multiply(e, x, m, at);
        break;
    case SCALING_HALF_UP: scale_integers(e, OP_SCALE_HALF_UP, x, m, at); break;
    case SCALING_DOUBLE: scale_integers(e, OP_SCALE_DOUBLE, x, m, at); break;
    }
    return x;
}

/* Of the output's type; bytes have a multiplier. */
static void load_tensor(const epilogue *e, int i, const lane_map *m, register_ref to, int64_t *at) {
    view_load(e->b, &e->operand[i], m, to, temporary(e, 1));
    if (adds_bytes(e->p)) multiply(e, to, m, at);
}

/* What post-op number i reads, after so many numbers of `scale`. */
static void load_operand(const epilogue *e, int i, const lane_map *m, register_ref to, int64_t *at) {
    switch (post_rows[e->p->post.op[i].kind].operand) {
    case OPERAND_TENSOR: load_tensor(e, i, m, to, at); break;
    case OPERAND_IMAGE_CHANNEL: load_gate(e, &e->operand[i], m, to); break;
    case OPERAND_CHANNEL:
        load_by_channel(e, e->scale, *at, m, to);
        *at += e->p->y.channels;
        break;
    default: break;
    }
}

/* Post-ops that are one call; MATH_KINDS: not one. */
static math_kind math_of(post_kind kind) {
    static const math_kind MATH[POST_KINDS] = {
        [POST_SIGMOID] = MATH_SIGMOID + 1,  [POST_TANH] = MATH_TANH + 1,           [POST_SILU] = MATH_SILU + 1,
        [POST_GELU] = MATH_GELU + 1,        [POST_GELU_TANH] = MATH_GELU_TANH + 1, [POST_ELU] = MATH_ELU + 1,
        [POST_SOFTPLUS] = MATH_SOFTPLUS + 1};
    return MATH[kind] ? MATH[kind] - 1 : MATH_KINDS;
}

/* `operand`: what it reads, where it does. */
static void apply(const epilogue *e, const post_op *op, register_ref x, register_ref operand) {
    switch (op->kind) {
    case POST_ADD:
    case POST_SHIFT: build_op(e->b, OP_ADD, x, x, operand); break;
    case POST_SCALE:
    case POST_GATE:
    case POST_MULTIPLY: build_op(e->b, OP_MUL, x, x, operand); break;
    case POST_BLEND: blend(e, op, x, operand); break;
    case POST_TIMES: scale_by(e, OP_MUL, x, x, op->a); break;
    case POST_PLUS: scale_by(e, OP_ADD, x, x, op->a); break;
    case POST_RELU: relu(e, x); break;
    case POST_RELU6: clamp(e, x, 0, 6); break;
    case POST_CLAMP: clamp(e, x, op->a, op->b); break;
    case POST_LEAKY_RELU: leaky_relu(e, x, op->a); break;
    case POST_HARD_SIGMOID: hard_sigmoid(e, x, x); break;
    case POST_HARD_SWISH: hard_swish(e, x); break;
    default: build_call(e->b, math_of(op->kind), x, x); break;
    }
}

/* Lanes that do not exist are zeros as they are stored, whatever stands for 0. */
static void store(const epilogue *e, const tensor_view *to, register_ref value, const lane_map *m, bool with_fill) {
    lane_map stored = *m;
    value = build_as_stored(e->b, value, to->tensor);
    if (with_fill) {
        build_keep(e->b, value, value, m->valid);
        stored.valid = NULL;
    }
    view_store(e->b, to, &stored, value);
}

void epilogue_store(const epilogue *e, register_ref sum, const lane_map *m, bool with_fill) {
    const problem_epilogue *post = &e->p->post;
    const register_ref operand = temporary(e, OPERAND);
    int64_t at = 0;
    if (e->mean.v.elements) normalise(e, sum, m);
    const register_ref value = scaled(e, sum, m, &at);
    for (int i = 0; i < post->count; i++) {
        load_operand(e, i, m, operand, &at);
        apply(e, &post->op[i], value, operand);
    }
    if (post->accumulate) {
        view_load(e->b, &e->y, m, operand, temporary(e, 1));
        build_op(e->b, OP_ADD, value, value, operand);
    }
    store(e, &e->y, value, m, with_fill);
}

void epilogue_store_places(const epilogue *e, register_ref value, const lane_map *m, bool with_fill) {
    store(e, &e->places, value, m, with_fill);
}

static void store_zeros(const epilogue *e, const tensor_view *to, const lane_map *m) {
    const register_ref zero = build_moved(e->b, temporary(e, 0), to->tensor);
    build_const(e->b, zero, 0);
    view_store(e->b, to, m, zero);
}

void epilogue_store_zeros(const epilogue *e, const lane_map *m) {
    store_zeros(e, &e->y, m);
    if (e->p->indices) store_zeros(e, &e->places, m);
}
