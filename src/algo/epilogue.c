/* Post-ops as operations of the nest, and the store. */
#include "algo/epilogue.h"

enum { TEMPORARIES = 3 };

static int declare(nest_builder *b, const char *name, nest_role role, cvk_type type, int64_t elements, bool writable) {
    return elements ? nest_add_tensor(b, name, role, type, elements, type_bytes(type), writable) : -1;
}

/* One after another, each a tensor of its own. */
static void declare_addends(epilogue *e) {
    int64_t elements = e->p->y.elements;
    for (int i = 0; elements && i < problem_count_post(e->p, POST_ADD); i++)
        e->addend[i] = nest_add_part(e->b, "addend", ROLE_ADDEND, e->p->y.type, i * elements, elements,
                                     type_bytes(e->p->y.type), false);
}

/* Laid out as the output is. */
static void declare_places(epilogue *e) {
    e->places = (tensor_view){.tensor = -1, .v = e->p->y};
    if (!e->p->indices) return;
    e->places.v.type = TYPE_S32;
    e->places.tensor = declare(e->b, "indices", ROLE_INDICES, TYPE_S32, e->p->y.elements, true);
}

epilogue epilogue_declare(nest_builder *b, const problem *p) {
    int64_t scales = problem_count_post(p, POST_SCALE);
    epilogue e = {.b = b, .p = p, .y.v = p->y};
    e.bias = declare(b, "bias", ROLE_BIAS, p->sum, p->post.bias ? p->y.channels : 0, false);
    e.scale = declare(b, "scale", ROLE_SCALE, p->sum, scales * p->y.channels, false);
    declare_addends(&e);
    e.y.tensor = nest_add_sums(b, "output", ROLE_OUTPUT, p->y.type, p->y.elements, p->post.accumulate);
    declare_places(&e);
    return e;
}

void epilogue_registers(epilogue *e) {
    if (e->p->indices) e->converted = nest_add_register(e->b, "index", TYPE_S32, nest_lanes(e->b->nest, e->p->sum), 1);
    e->temporaries = nest_add_register(e->b, "t", e->p->sum, nest_lanes(e->b->nest, e->p->sum), TEMPORARIES);
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

static void add(const epilogue *e, register_ref x, const lane_map *m, int tensor) {
    const tensor_view addend = {.tensor = tensor, .v = e->p->y};
    view_load(e->b, &addend, m, temporary(e, 0), temporary(e, 1));
    build_op(e->b, OP_ADD, x, x, temporary(e, 0));
}

static void scale(const epilogue *e, register_ref x, const lane_map *m, int64_t which) {
    load_by_channel(e, e->scale, which * e->p->y.channels, m, temporary(e, 0));
    build_op(e->b, OP_MUL, x, x, temporary(e, 0));
}

/* Post-ops that are one call; MATH_KINDS: not one. */
static math_kind math_of(post_kind kind) {
    static const math_kind MATH[POST_KINDS] = {
        [POST_SIGMOID] = MATH_SIGMOID + 1,  [POST_TANH] = MATH_TANH + 1,           [POST_SILU] = MATH_SILU + 1,
        [POST_GELU] = MATH_GELU + 1,        [POST_GELU_TANH] = MATH_GELU_TANH + 1, [POST_ELU] = MATH_ELU + 1,
        [POST_SOFTPLUS] = MATH_SOFTPLUS + 1};
    return MATH[kind] ? MATH[kind] - 1 : MATH_KINDS;
}

/* `adds` and `scales`: how many came before. */
static void apply(const epilogue *e, const post_op *op, register_ref x, const lane_map *m, int adds, int scales) {
    switch (op->kind) {
    case POST_ADD: add(e, x, m, e->addend[adds]); break;
    case POST_SCALE: scale(e, x, m, scales); break;
    case POST_RELU: relu(e, x); break;
    case POST_RELU6: clamp(e, x, 0, 6); break;
    case POST_CLAMP: clamp(e, x, op->a, op->b); break;
    case POST_LEAKY_RELU: leaky_relu(e, x, op->a); break;
    case POST_HARD_SIGMOID: hard_sigmoid(e, x, x); break;
    case POST_HARD_SWISH: hard_swish(e, x); break;
    default: build_call(e->b, math_of(op->kind), x, x); break;
    }
}

static void store(const epilogue *e, const tensor_view *to, register_ref value, const lane_map *m, bool with_fill) {
    lane_map stored = *m;
    if (with_fill) {
        build_keep(e->b, value, value, m->valid);
        stored.valid = NULL;
    }
    view_store(e->b, to, &stored, value);
}

void epilogue_store(const epilogue *e, register_ref value, const lane_map *m, bool with_fill) {
    const problem_epilogue *post = &e->p->post;
    for (int i = 0, adds = 0, scales = 0; i < post->count; i++) {
        apply(e, &post->op[i], value, m, adds, scales);
        adds += post->op[i].kind == POST_ADD;
        scales += post->op[i].kind == POST_SCALE;
    }
    if (post->accumulate) add(e, value, m, e->y.tensor);
    store(e, &e->y, value, m, with_fill);
}

void epilogue_store_places(const epilogue *e, register_ref value, const lane_map *m, bool with_fill) {
    register_ref converted = reg(e->converted, affine_constant(0));
    build_convert(e->b, converted, value);
    store(e, &e->places, converted, m, with_fill);
}

void epilogue_store_zeros(const epilogue *e, const lane_map *m) {
    build_const(e->b, temporary(e, 0), 0);
    view_store(e->b, &e->y, m, temporary(e, 0));
    if (!e->p->indices) return;
    build_const(e->b, reg(e->converted, affine_constant(0)), 0);
    view_store(e->b, &e->places, m, reg(e->converted, affine_constant(0)));
}
