/* What happens to a finished vector: bias comes first (it is what the sums begin with), then the post-ops in the order
 * of the spec, then the store; missing channels of a blocked output become zeros. */
#include "algo/tiling.h"

enum { TEMPORARIES = 3 };

void epilogue_registers(tile *t) { t->t = nest_add_register(t->b, "t", TYPE_F32, t->lanes, TEMPORARIES); }

static register_ref temporary(const tile *t, int i) { return reg(t->t, affine_constant(i)); }

/* A vector of the channels in `m` from an array of one value a channel. */
static void load_by_channel(tile *t, int tensor, int64_t base, const lane_map *m, register_ref to) {
    affine at = affine_offset(m->channel, base);
    if (m->channel_step == 0)
        build_splat(t->b, to, access_at(tensor, at, 1));
    else
        build_load(t->b, to, access_at(tensor, at, m->channel_step), m->valid);
}

void epilogue_bias(tile *t, register_ref to, const lane_map *m) {
    if (t->bias < 0)
        build_const(t->b, to, 0);
    else
        load_by_channel(t, t->bias, 0, m, to);
}

/* x = min(high, max(low, x)); constants come first, so that NaN passes. */
static void clamp(tile *t, register_ref x, float low, float high) {
    build_const(t->b, temporary(t, 0), low);
    build_op(t->b, OP_MAX, x, temporary(t, 0), x);
    build_const(t->b, temporary(t, 0), high);
    build_op(t->b, OP_MIN, x, temporary(t, 0), x);
}

static void relu(tile *t, register_ref x) {
    build_const(t->b, temporary(t, 0), 0);
    build_op(t->b, OP_MAX, x, temporary(t, 0), x);
}

static void scale_by(tile *t, op_kind kind, register_ref to, register_ref x, float factor) {
    build_const(t->b, temporary(t, 0), factor);
    build_op(t->b, kind, to, x, temporary(t, 0));
}

static void leaky_relu(tile *t, register_ref x, float slope) {
    scale_by(t, OP_MUL, temporary(t, 1), x, slope);
    build_select_negative(t->b, x, x, temporary(t, 1), x);
}

/* min(6, max(0, x + 3)) / 6 into `to`. */
static void hard_sigmoid(tile *t, register_ref to, register_ref x) {
    scale_by(t, OP_ADD, to, x, 3);
    clamp(t, to, 0, 6);
    scale_by(t, OP_DIV, to, to, 6);
}

static void hard_swish(tile *t, register_ref x) {
    hard_sigmoid(t, temporary(t, 1), x);
    build_op(t->b, OP_MUL, x, x, temporary(t, 1));
}

static void add(tile *t, register_ref x, const lane_map *m, int64_t which) {
    tensor_view addend = t->out;
    addend.tensor = t->addend;
    addend.base = which * view_elements(&t->out, t->spec->batch);
    view_load(t->b, &addend, m, temporary(t, 0), temporary(t, 1));
    build_op(t->b, OP_ADD, x, x, temporary(t, 0));
}

static void scale(tile *t, register_ref x, const lane_map *m, int64_t which) {
    load_by_channel(t, t->scale, which * t->spec->out_channels, m, temporary(t, 0));
    build_op(t->b, OP_MUL, x, x, temporary(t, 0));
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
static void apply(tile *t, const post_op *op, register_ref x, const lane_map *m, int adds, int scales) {
    switch (op->kind) {
    case POST_ADD: add(t, x, m, adds); break;
    case POST_SCALE: scale(t, x, m, scales); break;
    case POST_RELU: relu(t, x); break;
    case POST_RELU6: clamp(t, x, 0, 6); break;
    case POST_CLAMP: clamp(t, x, op->a, op->b); break;
    case POST_LEAKY_RELU: leaky_relu(t, x, op->a); break;
    case POST_HARD_SIGMOID: hard_sigmoid(t, x, x); break;
    case POST_HARD_SWISH: hard_swish(t, x); break;
    default: build_call(t->b, math_of(op->kind), x, x); break;
    }
}

void epilogue_store(tile *t, register_ref value, const lane_map *m) {
    const cvk_spec *s = t->spec;
    for (int i = 0, adds = 0, scales = 0; i < s->post_count; i++) {
        apply(t, &s->post[i], value, m, adds, scales);
        adds += s->post[i].kind == POST_ADD;
        scales += s->post[i].kind == POST_SCALE;
    }
    lane_map stored = *m;
    if (t->valid < t->covers && m->channel_step == 1) {
        build_keep(t->b, value, value, m->valid);
        stored.valid = NULL;
    }
    view_store(t->b, &t->out, &stored, value);
}

static bool needs_fill(const tile *t) {
    return t->out.layout == CVK_BLOCKED && t->out.channels % BLOCK_CHANNELS != 0 && t->covered == t->channels;
}

void epilogue_fill(tile *t) {
    if (!needs_fill(t)) return;
    nest_builder *b = t->b;
    int64_t missing = BLOCK_CHANNELS - t->out.channels % BLOCK_CHANNELS;
    build_const(b, temporary(t, 0), 0);
    build_if(b, affine_offset(t->group, 1 - t->groups), "last group");
    build_if(b, affine_offset(t->block, 1 - t->blocks), "last block");
    affine row = build_loop(b, "r", tile_row_count(t));
    affine column = build_loop(b, "c", t->columns->length);
    affine channel = affine_offset(build_loop(b, "f", missing), t->out.channels);
    nest_range one = range_of(b, 0, 1);
    lane_map m = {t->n, channel, tile_output(t, row, column), 0, 0, &one};
    view_store(b, &t->out, &m, temporary(t, 0));
    for (int i = 0; i < 5; i++) build_end(b);
}
