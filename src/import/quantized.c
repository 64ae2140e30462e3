/* Layers of bytes. Between nodes that make numbers of bytes and bytes of numbers a layer computes with the bytes: sums
 * of products are exact, their scales become multipliers, and post-ops are in the numbers' own units until bytes are
 * made of them; then in steps of those. */
#include "import/quantized.h"

#include "import/heads.h"

#include <math.h>
#include <string.h>

static bool is_byte(cvk_type type) { return type == TYPE_U8 || type == TYPE_S8; }

static bool is_op(const graph_node *n, const char *op) { return n && strcmp(n->op, op) == 0; }

/* ---- what bytes stand for ---- */

/* One zero for all, 0 where there is none. */
static bool read_zero(const graph_value *v, int *zero) {
    *zero = 0;
    if (!v) return true;
    if (!v->ints || v->elements < 1) return false;
    for (int64_t i = 1; i < v->elements; i++)
        if (v->ints[i] != v->ints[0]) return false;
    *zero = (int)v->ints[0];
    return true;
}

static bool quantity_made(const graph_node *n, quantity *to) {
    const graph_value *bytes = node_input(n, 0), *scale = node_input(n, 1);
    if (!bytes || !scale || !scale->floats || scale->type != TYPE_F32 || scale->elements < 1 || bytes->rank < 0)
        return false;
    *to = (quantity){bytes, .scale = scale->floats, .scales = scale->elements,
                     .axis = n->made ? n->axis : node_int(n, "axis", 1)};
    if (to->axis < 0) to->axis += bytes->rank;
    const bool fits =
        to->scales == 1 || (to->axis < bytes->rank && to->axis >= 0 && bytes->shape[to->axis] == to->scales);
    return fits && !node_has(n, "block_size") && read_zero(node_input(n, 2), &to->zero);
}

bool quantity_of(const graph_value *v, quantity *to) {
    return v && is_op(v->maker, "DequantizeLinear") && quantity_made(v->maker, to) && is_byte(to->bytes->type);
}

bool quantity_plain(const graph_value *v, quantity *to) { return quantity_of(v, to) && to->scales == 1; }

/* The bytes that a node makes of numbers: `to->bytes` is what comes out. */
static bool quantity_stored(const graph_node *n, quantity *to) {
    if (!is_op(n, "QuantizeLinear") || n->out_count < 1 || !n->out[0] || !quantity_made(n, to)) return false;
    to->bytes = n->out[0];
    return to->scales == 1 && is_byte(to->bytes->type);
}

static bool same_steps(const quantity *a, const quantity *b) {
    return a->bytes->type == b->bytes->type && a->zero == b->zero && a->scale[0] == b->scale[0];
}

static void find_numbers(arena *a, const graph_node *n) {
    quantity q;
    if (!is_op(n, "DequantizeLinear") || !n->out_count || !n->out[0] || !quantity_made(n, &q) || !q.bytes->ints) return;
    int64_t inner = 1;
    for (int i = (int)q.axis + 1; i < q.bytes->rank; i++) inner *= q.bytes->shape[i];
    float *floats = arena_array(a, float, q.bytes->elements + 1);
    for (int64_t i = 0; i < q.bytes->elements; i++)
        floats[i] = (float)(q.bytes->ints[i] - q.zero) * q.scale[q.scales == 1 ? 0 : i / inner % q.scales];
    n->out[0]->floats = floats;
}

void quantized_constants(graph *g) {
    for (size_t i = 0; i < g->node_count; i++) find_numbers(g->arena, &g->nodes[i]);
}

/* ---- what is moved and no more ---- */

static bool only_moves(const graph_node *n) {
    static const char *const OPS[] = {"Concat",  "MaxPool",   "GlobalMaxPool", "Reshape",
                                      "Flatten", "Transpose", "Squeeze",       "Unsqueeze"};
    for (size_t i = 0; i < sizeof OPS / sizeof *OPS; i++)
        if (is_op(n, OPS[i])) return n->out_count == 1 && n->out[0]->readers == 1;
    return false;
}

void quantized_recognise(graph_node *n) {
    quantity y, x;
    graph_node *moves = quantity_stored(n, &y) ? (graph_node *)(uintptr_t)n->in[0]->maker : NULL;
    if (!moves || !only_moves(moves) || moves->part_of) return;
    const int operands = is_op(moves, "Concat") ? moves->in_count : 1;
    for (int i = 0; i < operands; i++)
        if (!quantity_plain(node_input(moves, i), &x) || !same_steps(&x, &y)) return;
    for (int i = 0; i < operands; i++)
        moves->in[i] = quantity_plain(moves->in[i], &x) ? (graph_value *)(uintptr_t)x.bytes : NULL;
    moves->out[0] = n->out[0];
    n->out[0]->maker = moves;
    n->part_of = moves;
}

/* ---- products ---- */

/* Number `i` of the channels that come out, in units of what went in. */
static float product_scale(const quantity *x, const quantity *w, int64_t i) {
    return x->scale[0] * w->scale[w->scales == 1 ? 0 : i];
}

/* Integers in units of the products, or floats of which sums are found afterwards. */
static const char *add_bias(arena *a, import_layer *l, const graph_value *bias, const quantity *x, const quantity *w) {
    static const char why[] = "its bias is no constant, one number a channel";
    const int64_t channels = l->spec.out_channels;
    quantity q;
    if (!bias) return NULL;
    const bool scaled = is_op(bias->maker, "DequantizeLinear") && quantity_made(bias->maker, &q) && q.bytes->ints;
    const graph_value *ints = scaled ? q.bytes : bias;
    bool alike = ints->ints && ints->elements == channels;
    for (int64_t c = 0; c < channels && alike && scaled; c++) {
        const float unit = product_scale(x, w, c);
        alike = fabsf(q.scale[q.scales == 1 ? 0 : c] - unit) <= 1e-5f * unit && q.zero == 0;
    }
    if (alike) {
        l->sums = arena_array(a, int32_t, channels);
        for (int64_t c = 0; c < channels; c++) l->sums[c] = (int32_t)ints->ints[c];
        l->spec.bias = true;
        return NULL;
    }
    if (!bias->floats || (bias->elements != channels && bias->elements != 1)) return why;
    float *shift = arena_array(a, float, channels);
    for (int64_t c = 0; c < channels; c++) shift[c] = bias->floats[bias->elements == 1 ? 0 : c];
    return head_add_vector(a, l, POST_SHIFT, shift) ? NULL : why;
}

/* A kind of node, what makes its layer, and the axis of its weights that its output's channels are. */
static const struct product {
    const char *op;
    make_layer *make;
    int axis, turned; /* turned: with transB */
} PRODUCTS[] = {{"Conv", make_conv, 0, 0}, {"Gemm", make_gemm, 1, 0}, {"MatMul", make_matmul, 1, 1}};

static const struct product *product_of(const graph_node *n) {
    for (size_t i = 0; i < sizeof PRODUCTS / sizeof *PRODUCTS; i++)
        if (is_op(n, PRODUCTS[i].op)) return &PRODUCTS[i];
    return NULL;
}

/* What multiplies numbers besides is none of it. */
static bool is_plain(const graph_node *n) {
    return !is_op(n, "Gemm") || (node_float(n, "alpha", 1) == 1 && node_float(n, "beta", 1) == 1);
}

static bool takes_bytes(const graph_node *n, const struct product *row, quantity *x, quantity *w) {
    if (!row || !is_plain(n) || !quantity_plain(node_input(n, 0), x) || !quantity_of(node_input(n, 1), w)) return false;
    const int axis = is_op(n, "Gemm") && node_int(n, "transB", 0) ? row->turned : row->axis;
    return w->bytes->ints && (w->scales == 1 || w->axis == axis);
}

/* As floats, which hold them. */
static graph_value *weights_of(arena *a, const graph_value *bytes) {
    graph_value *v = arena_copy(a, bytes, sizeof *bytes);
    float *floats = arena_array(a, float, bytes->elements + 1);
    for (int64_t i = 0; i < bytes->elements; i++) floats[i] = (float)bytes->ints[i];
    v->floats = floats;
    return v;
}

static void set_products(arena *a, import_layer *l, const quantity *x, const quantity *w) {
    cvk_spec *s = &l->spec;
    l->bytes = true;
    s->input_type = x->bytes->type, s->input_zero = x->zero;
    s->weights_type = w->bytes->type, s->weights_zero = w->zero;
    s->output_type = TYPE_F32;
    float *m = arena_array(a, float, s->out_channels);
    for (int64_t c = 0; c < s->out_channels; c++) m[c] = product_scale(x, w, c);
    head_add_row(a, l, m);
}

const char *quantized_products(arena *a, const graph_node *n, import_layer *l, bool *takes) {
    const struct product *row = product_of(n);
    quantity x, w;
    *takes = takes_bytes(n, row, &x, &w);
    if (!*takes) return NULL;
    graph_value *const in[] = {(graph_value *)(uintptr_t)x.bytes, weights_of(a, w.bytes)};
    graph_node plain = *n;
    plain.in = arena_copy(a, in, sizeof in);
    plain.in_count = 2;
    l->input = x.bytes;
    const char *why = row->make(a, &plain, l);
    if (why) return why;
    set_products(a, l, &x, &w);
    return add_bias(a, l, node_input(n, 2), &x, &w);
}

/* ---- without weights ---- */

bool quantized_numbers(const graph_value *x, import_layer *l) {
    quantity q;
    if (!quantity_plain(x, &q)) return false;
    l->spec.input_zero = q.zero;
    l->spec.output_type = TYPE_F32;
    return head_add_post(l, (post_op){.kind = POST_TIMES, .a = (double)q.scale[0]});
}

void quantized_identity(const graph_value *x, import_layer *l) {
    const import_layer before = *l;
    quantity q;
    graph_view view;
    if (!quantity_plain(x, &q) || q.bytes->ints || !view_of(q.bytes, &view)) return;
    layer_begin(l->head, q.bytes, l);
    l->reads = view;
    layer_identity(l);
    if (!quantized_numbers(x, l)) *l = before;
}

const graph_value *quantized_pool(const graph_node *n, import_layer *l) {
    const graph_value *x = node_input(n, 0), *out = n->out_count ? n->out[0] : NULL;
    quantity q, y;
    if (!out || out->readers != 1 || !quantity_plain(x, &q) || q.bytes->ints || !quantity_stored(out->reader, &y) ||
        y.bytes->type != q.bytes->type)
        return x;
    l->input = q.bytes;
    l->spec.input_type = l->spec.weights_type = l->spec.output_type = q.bytes->type;
    l->spec.input_zero = l->spec.output_zero = q.zero;
    l->step = q.scale[0];
    return q.bytes;
}

/* ---- bytes come out ---- */

bool quantized_follows(const graph_value *v) {
    static const char *const OPS[] = {"Relu", "Clip", "LeakyRelu", "Sigmoid",
                                      "Tanh", "Silu", "HardSwish", "HardSigmoid"};
    while (v && v->readers == 1 && v->reader) {
        bool goes_on = false;
        if (is_op(v->reader, "QuantizeLinear")) return true;
        for (size_t i = 0; i < sizeof OPS / sizeof *OPS; i++) goes_on |= is_op(v->reader, OPS[i]);
        v = goes_on && v->reader->out_count ? v->reader->out[0] : NULL;
    }
    return false;
}

/* Post-ops that may be computed in steps of the bytes as well. */
static bool is_scaled_alike(post_kind kind) {
    return kind == POST_ADD || kind == POST_RELU || kind == POST_RELU6 || kind == POST_LEAKY_RELU ||
           kind == POST_CLAMP || kind == POST_SCALE || kind == POST_SHIFT || kind == POST_TIMES || kind == POST_PLUS;
}

static bool may_be_in_steps(const cvk_spec *s) {
    bool all = true;
    for (int i = 0; i < s->post_count; i++) all &= is_scaled_alike(s->post[i].kind);
    return all;
}

/* A layer while its output becomes bytes: what it was, what it becomes, and by what its numbers are divided, 1 or a
 * step. */
typedef struct storing {
    arena *arena;
    const import_layer *from;
    import_layer *to;
    quantity y;
    float by;
    int rows, operands; /* that have been taken over */
    bool adds;          /* something has, whose zero is known */
} storing;

static float *numbers(const storing *s) { return arena_array(s->arena, float, s->to->spec.out_channels); }

/* The next row of numbers, divided by something. */
static const float *next_row(storing *s, float by) {
    const int64_t channels = s->to->spec.out_channels;
    const float *row = s->from->scale + (int64_t)s->rows++ * channels;
    float *divided = numbers(s);
    for (int64_t c = 0; c < channels; c++) divided[c] = row[c] / by;
    return divided;
}

/* A tensor of numbers becomes the bytes that they are made of, and a multiplier. */
static bool take_tensor(storing *s, post_op op) {
    const bool sum = op.kind == POST_ADD;
    quantity q;
    if ((!sum && op.kind != POST_MULTIPLY) || !quantity_plain(s->from->operand[s->operands], &q) ||
        q.bytes->type != s->y.bytes->type || (s->adds && s->to->spec.addend_zero != q.zero))
        return false;
    float *m = numbers(s);
    for (int64_t c = 0; c < s->to->spec.out_channels; c++) m[c] = sum ? q.scale[0] / s->by : q.scale[0];
    s->to->spec.addend_zero = q.zero;
    s->adds = true;
    s->to->operand[s->operands++] = q.bytes;
    if (!head_add_post(s->to, op)) return false;
    head_add_row(s->arena, s->to, m);
    return true;
}

/* Of a bound that is none, in steps as in numbers. */
static double within_floats(double x) { return fmin(fmax(x, type_least(TYPE_F32)), type_greatest(TYPE_F32)); }

static bool take_post_op(storing *s, post_op op) {
    const double by = (double)s->by;
    if (post_takes_tensor(op.kind)) return take_tensor(s, op);
    if (op.kind == POST_SCALE) return head_add_vector(s->arena, s->to, op.kind, next_row(s, 1));
    if (op.kind == POST_SHIFT) return head_add_vector(s->arena, s->to, op.kind, next_row(s, s->by));
    if (op.kind == POST_RELU6 && by != 1) op = (post_op){POST_CLAMP, 0, 6};
    if (op.kind == POST_CLAMP || op.kind == POST_PLUS) op.a = within_floats(op.a / by), op.b = within_floats(op.b / by);
    return head_add_post(s->to, op);
}

static bool times(storing *s, double factor) {
    return factor == 1 || head_add_post(s->to, (post_op){.kind = POST_TIMES, .a = factor});
}

/* What comes first has the step in it: multipliers, a factor that is there, or one of its own. */
static bool take_first(storing *s, int *from) {
    const cvk_spec *before = &s->from->spec;
    if (s->from->bytes) return head_add_row(s->arena, s->to, next_row(s, s->by)), true;
    const bool has = before->post_count > 0 && before->post[0].kind == POST_TIMES;
    *from = has;
    return times(s, (has ? before->post[0].a : 1) / (double)s->by);
}

static bool take_all(storing *s) {
    const cvk_spec *before = &s->from->spec;
    const float step = s->y.scale[0];
    int at = 0;
    s->by = may_be_in_steps(before) ? step : 1;
    bool good = take_first(s, &at);
    for (; at < before->post_count && good; at++) good = take_post_op(s, before->post[at]);
    return good && times(s, (double)(s->by / step));
}

/* A pool's numbers are steps of what came in; of as many channels, with a zero of their own. */
static bool take_pooled(storing *s) {
    const double moved = s->y.zero - s->from->spec.input_zero;
    if (s->from->spec.post_count || s->from->step <= 0) return false;
    if (!times(s, (double)(s->from->step / s->y.scale[0]))) return false;
    s->to->step = 0;
    return moved == 0 || head_add_post(s->to, (post_op){.kind = POST_PLUS, .a = moved});
}

bool quantized_store(arena *a, import_layer *l, const graph_node *n) {
    import_layer to = *l;
    storing s = {.arena = a, .from = l, .to = &to};
    const bool pool = spec_is_pool(&l->spec);
    if (!quantity_stored(n, &s.y) ||
        (!pool && (!type_is_float(l->spec.output_type) || (!l->bytes && l->spec.kind != LAYER_IDENTITY))))
        return false;
    to.spec.post_count = to.scales = 0;
    to.scale = NULL;
    if (!pool) to.spec.output_type = s.y.bytes->type, to.spec.output_zero = s.y.zero;
    if (pool && s.y.bytes->type != to.spec.output_type) return false;
    if (!(pool ? take_pooled : take_all)(&s)) return false;
    *l = to;
    return true;
}
