/* Convolutions of bytes: QLinearConv, and what a model writes in its place, a convolution between DequantizeLinear and
 * QuantizeLinear. */
#include "import/heads.h"

#include <string.h>

/* Inputs of a QLinearConv. */
enum { IN_X, IN_X_SCALE, IN_X_ZERO, IN_W, IN_W_SCALE, IN_W_ZERO, IN_Y_SCALE, IN_Y_ZERO, IN_BIAS, INPUTS };

static bool is_byte(const graph_value *v) { return v && v->ints && (v->type == TYPE_U8 || v->type == TYPE_S8); }

/* One number, of a byte's type. */
static bool read_zero(const graph_value *v, cvk_type *type, int *zero) {
    if (!is_byte(v) || v->elements < 1) return false;
    for (int64_t i = 1; i < v->elements; i++)
        if (v->ints[i] != v->ints[0]) return false;
    *type = v->type;
    *zero = (int)v->ints[0];
    return true;
}

static bool read_zeros(const graph_node *n, cvk_spec *s) {
    cvk_type weights = node_input(n, IN_W)->type;
    s->weights_type = weights;
    return read_zero(node_input(n, IN_X_ZERO), &s->input_type, &s->input_zero) &&
           read_zero(node_input(n, IN_Y_ZERO), &s->output_type, &s->output_zero) &&
           (!node_input(n, IN_W_ZERO) ||
            (read_zero(node_input(n, IN_W_ZERO), &weights, &s->weights_zero) && weights == s->weights_type));
}

static bool is_one_float(const graph_value *v) { return v && v->floats && v->elements == 1; }

/* Input times weights over output, for each channel. */
static float *find_multipliers(arena *a, const graph_node *n, int64_t channels) {
    const graph_value *x = node_input(n, IN_X_SCALE), *w = node_input(n, IN_W_SCALE), *y = node_input(n, IN_Y_SCALE);
    if (!is_one_float(x) || !is_one_float(y) || !w || !w->floats || (w->elements != 1 && w->elements != channels))
        return NULL;
    float *m = arena_array(a, float, channels);
    for (int64_t c = 0; c < channels; c++) m[c] = x->floats[0] * w->floats[w->elements == 1 ? 0 : c] / y->floats[0];
    return m;
}

static const char *set_bias(arena *a, const graph_value *bias, import_layer *l) {
    if (!bias) return NULL;
    if (!bias->ints || bias->elements != l->spec.out_channels) return "its bias is no constant of integers";
    l->sums = arena_array(a, int32_t, bias->elements);
    for (int64_t c = 0; c < bias->elements; c++) l->sums[c] = (int32_t)bias->ints[c];
    l->spec.bias = true;
    return NULL;
}

/* The convolution by its shapes, and then what is bytes. Tensors of bytes are no part of a network yet. */
const char *make_quantized(arena *a, const graph_node *n, import_layer *l) {
    const graph_value *w = node_input(n, IN_W);
    if (!is_byte(w)) return HEAD_NOT_CONSTANT;
    graph_value weights = *w;
    float *floats = arena_array(a, float, w->elements + 1);
    for (int64_t i = 0; i < w->elements; i++) floats[i] = (float)w->ints[i];
    weights.floats = floats;
    graph_node conv = *n;
    conv.in = (graph_value *[]){n->in[IN_X], &weights};
    conv.in_count = 2;
    const char *why = make_conv(a, &conv, l);
    if (why) return why;
    l->bytes = true;
    l->reads.tensor = NULL;
    if (!read_zeros(n, &l->spec)) return "its zero points are no constants of bytes";
    l->scale = find_multipliers(a, n, l->spec.out_channels);
    l->scales = 1;
    if (!l->scale) return "its scales are no constants";
    return set_bias(a, node_input(n, IN_BIAS), l);
}

/* ---- written out ---- */

static graph_node *maker_of(const graph_value *v, const char *op) {
    graph_node *n = v && v->maker ? (graph_node *)(uintptr_t)v->maker : NULL;
    return n && strcmp(n->op, op) == 0 && !n->part_of ? n : NULL;
}

static bool alone(const graph_node *n) { return n->out_count == 1 && n->out[0]->readers == 1; }

static graph_value *input(const graph_node *n, int i) { return i < n->in_count ? n->in[i] : NULL; }

/* What is made of bytes channel by channel goes by the first axis of weights. */
static bool is_along_outputs(const graph_node *n) { return is_one_float(input(n, 1)) || node_int(n, "axis", 1) == 0; }

void quantized_recognise(arena *a, graph_node *n) {
    graph_node *conv = strcmp(n->op, "QuantizeLinear") == 0 ? maker_of(input(n, 0), "Conv") : NULL;
    if (!conv || !alone(conv)) return;
    graph_node *x = maker_of(input(conv, 0), "DequantizeLinear"), *w = maker_of(input(conv, 1), "DequantizeLinear"),
               *b = maker_of(input(conv, 2), "DequantizeLinear");
    if (!x || !w || x == w || !is_byte(input(w, 0)) || !is_along_outputs(w) ||
        (input(conv, 2) && (!b || b == w || b == x)))
        return;
    graph_value *const in[INPUTS] = {input(x, 0), input(x, 1), input(x, 2), input(w, 0),           input(w, 1),
                                     input(w, 2), input(n, 1), input(n, 2), b ? input(b, 0) : NULL};
    graph_node *const parts[] = {conv, x, w, b};
    n->op = "QLinearConv";
    n->source = conv->source;
    n->in = arena_copy(a, in, sizeof in);
    n->in_count = INPUTS;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i] && alone(parts[i])) parts[i]->part_of = n;
}
