/* What follows a layer's sums and becomes part of it: a table. Each row takes one node whose input is the layer's
 * output. */
#include "import/heads.h"
#include "import/quantized.h"

#include <math.h>
#include <string.h>

/* The layer, and the node that is to go into it; `other` is what the node reads besides the layer's output, if it reads
 * two. */
typedef struct folding {
    arena *arena;
    import_layer *layer;
    const graph_node *node;
    const graph_value *other;
    bool second; /* the layer's output is the second operand */
} folding;

/* False: it stays outside. */
typedef bool fold(const folding *f);

bool head_add_post(import_layer *l, post_op op) {
    if (l->spec.post_count == MOST_POST_OPS || !isfinite((float)op.a) || !isfinite((float)op.b)) return false;
    l->spec.post[l->spec.post_count++] = op;
    return true;
}

void head_add_row(arena *a, import_layer *l, const float *numbers) {
    const size_t each = (size_t)l->spec.out_channels;
    float *all = arena_array(a, float, (size_t)(l->scales + 1) * each);
    if (l->scales) memcpy(all, l->scale, (size_t)l->scales * each * sizeof *all);
    memcpy(all + (size_t)l->scales++ * each, numbers, each * sizeof *all);
    l->scale = all;
}

bool head_add_vector(arena *a, import_layer *l, post_kind kind, const float *numbers) {
    if (!head_add_post(l, (post_op){.kind = kind})) return false;
    head_add_row(a, l, numbers);
    return true;
}

static bool add_post(const folding *f, post_op op) { return head_add_post(f->layer, op); }

/* A constant that has one number for each channel, or one for all, and does not make the output larger. */
static bool channels_of(const folding *f, const graph_value *v, float *to) {
    const graph_value *y = f->layer->output;
    const int64_t channels = f->layer->spec.out_channels;
    const int axis = view_channel_axis(y, &f->layer->view);
    if (!v || !v->floats || y->rank < 0 || v->rank > y->rank) return false;
    for (int i = 0; i < v->rank; i++)
        if (v->shape[i] != 1 && (y->rank - v->rank + i != axis || v->shape[i] != channels)) return false;
    for (int64_t c = 0; c < channels; c++) to[c] = v->floats[v->elements == 1 ? 0 : c];
    return true;
}

static float *new_channels(const folding *f) { return arena_array(f->arena, float, f->layer->spec.out_channels); }

/* Sums become x factor + shift, channel by channel: they are by then nothing but weights and bias. */
static void rescale(const folding *f, const float *factor, const float *shift) {
    import_layer *l = f->layer;
    const cvk_spec *s = &l->spec;
    const int64_t channels = s->out_channels, each = spec_group_in(s) * spec_taps(s);
    const int64_t group_out = spec_group_out(s), taps = spec_taps(s), rows = s->in_channels;
    if (s->transposed)
        for (int64_t i = 0; i < rows * group_out * taps; i++) {
            const int64_t group = i / (group_out * taps) / spec_group_in(s);
            l->weights[i] *= factor[group * group_out + i / taps % group_out];
        }
    else
        for (int64_t i = 0; i < channels * each; i++) l->weights[i] *= factor[i / each];
    float *bias = new_channels(f);
    for (int64_t c = 0; c < channels; c++) bias[c] = (l->bias ? l->bias[c] * factor[c] : 0) + (shift ? shift[c] : 0);
    if (l->bias || shift) l->bias = bias, l->spec.bias = true;
}

/* Whether what comes out is nothing but sums by weights yet; a pool's is not, and bytes have multipliers. */
static bool takes_factors(const import_layer *l) { return l->weights && !l->bytes && !l->spec.post_count; }

/* The same number for all channels, or one for each: into weights and bias, else a post-op. */
static bool add_numbers(const folding *f, const float *number, bool one) {
    float *ones = new_channels(f);
    for (int64_t c = 0; c < f->layer->spec.out_channels; c++) ones[c] = 1;
    if (takes_factors(f->layer)) return rescale(f, ones, number), true;
    if (!one) return head_add_vector(f->arena, f->layer, POST_SHIFT, number);
    return *number == 0 || add_post(f, (post_op){.kind = POST_PLUS, .a = (double)*number});
}

static bool multiply_by_numbers(const folding *f, const float *number, bool one) {
    if (takes_factors(f->layer)) return rescale(f, number, NULL), true;
    if (!one) return head_add_vector(f->arena, f->layer, POST_SCALE, number);
    return *number == 1 || add_post(f, (post_op){.kind = POST_TIMES, .a = (double)*number});
}

static bool fold_batch_norm(const folding *f) {
    const double epsilon = node_float(f->node, "epsilon", 1e-5);
    const float *p[4];
    const int64_t channels = f->layer->spec.out_channels;
    if (f->node->in_count != 5 || view_channel_axis(f->layer->output, &f->layer->view) != 1) return false;
    for (int i = 0; i < 4; i++) {
        const graph_value *v = node_input(f->node, 1 + i);
        if (!v || !v->floats || v->elements != channels) return false;
        p[i] = v->floats;
    }
    float *factor = new_channels(f), *shift = new_channels(f);
    for (int64_t c = 0; c < channels; c++) {
        const double g = (double)p[0][c] / sqrt((double)p[3][c] + epsilon);
        factor[c] = (float)g;
        shift[c] = (float)((double)p[1][c] - (double)p[2][c] * g);
    }
    return multiply_by_numbers(f, factor, false) && add_numbers(f, shift, false);
}

/* Whether it is there before the layer is run, and not by the layer; or the bytes are that it is made of, and bytes are
 * to come out. */
static bool is_there(const folding *f, const graph_value *v) {
    quantity q;
    if (!v || v->floats || v->ints || v->rank < 0) return false;
    if (quantity_plain(v, &q) && quantized_follows(f->node->out[0])) v = q.bytes;
    return !v->maker || v->maker < f->layer->head;
}

/* A tensor that lies as the output does, or does so when it is turned. */
static bool is_like_output(const folding *f, const graph_value *v) {
    const graph_value *y = f->layer->output;
    quantity q;
    graph_view turned;
    if (v->rank != y->rank || v->type != f->layer->spec.output_type ||
        memcmp(v->shape, y->shape, (size_t)y->rank * sizeof *y->shape) != 0)
        return false;
    const graph_view *view = !v->view && quantity_plain(v, &q) ? q.bytes->view : v->view;
    if (!view || !f->layer->view.tensor || views_agree(v, view, y, &f->layer->view)) return true;
    f->layer->operand_turned[f->layer->operands] = f->layer->operands < MOST_POST_OPS && view_turn(v, view, &turned) &&
                                                   views_agree(v, &turned, y, &f->layer->view);
    return f->layer->operands < MOST_POST_OPS && f->layer->operand_turned[f->layer->operands];
}

/* A number for each image and channel of the output. */
static bool is_a_gate(const folding *f, const graph_value *v) {
    const graph_value *y = f->layer->output;
    const graph_view *of = &f->layer->view;
    graph_view gate;
    if (!view_of(v, &gate) || v->rank > y->rank || v->type != f->layer->spec.output_type || gate.batch != of->batch ||
        gate.channels != of->channels || view_size(&gate, PART_A) != view_size(of, PART_A) ||
        view_size(&gate, PART_B) != view_size(of, PART_B))
        return false;
    for (int axis = 0; axis < AXES; axis++)
        if (gate.size[axis] != 1) return false;
    for (int i = 0; i < v->rank; i++)
        if (v->shape[i] != 1 && gate.parts[i] != of->parts[y->rank - v->rank + i]) return false;
    return true;
}

static bool take_tensor(const folding *f, post_op op) {
    import_layer *l = f->layer;
    if (!add_post(f, op)) return false;
    l->operand[l->operands++] = f->other;
    return true;
}

static bool add_tensor(const folding *f) {
    return is_there(f, f->other) && is_like_output(f, f->other) && take_tensor(f, (post_op){.kind = POST_ADD});
}

static bool multiply_by_tensor(const folding *f) {
    if (!is_there(f, f->other)) return false;
    if (is_like_output(f, f->other)) return take_tensor(f, (post_op){.kind = POST_MULTIPLY});
    return is_a_gate(f, f->other) && take_tensor(f, (post_op){.kind = POST_GATE});
}

static const float *all_channels(const folding *f, double number) {
    float *all = new_channels(f);
    for (int64_t c = 0; c < f->layer->spec.out_channels; c++) all[c] = (float)number;
    return all;
}

static bool shift_by(const folding *f, float sign) {
    float *shift = new_channels(f);
    if (!channels_of(f, f->other, shift)) return false;
    for (int64_t c = 0; c < f->layer->spec.out_channels; c++) shift[c] *= sign;
    return add_numbers(f, shift, f->other->elements == 1);
}

static bool scale_by(const folding *f, bool inverse) {
    float *factor = new_channels(f);
    if (!channels_of(f, f->other, factor)) return false;
    for (int64_t c = 0; inverse && c < f->layer->spec.out_channels; c++) factor[c] = 1 / factor[c];
    return multiply_by_numbers(f, factor, f->other->elements == 1);
}

static bool fold_add(const folding *f) { return shift_by(f, 1) || add_tensor(f); }
static bool fold_mul(const folding *f) { return scale_by(f, false) || multiply_by_tensor(f); }
static bool fold_div(const folding *f) { return !f->second && scale_by(f, true); }
static bool fold_neg(const folding *f) { return multiply_by_numbers(f, all_channels(f, -1), true); }

/* Of the second operand, what is taken from another. */
static bool fold_sub(const folding *f) {
    if (!f->second) return shift_by(f, -1);
    const bool fits =
        channels_of(f, f->other, new_channels(f)) || (is_there(f, f->other) && is_like_output(f, f->other));
    return fits && f->layer->spec.post_count + 2 <= MOST_POST_OPS && fold_neg(f) && fold_add(f);
}

static bool near(double a, double b) { return fabs(a - b) <= 1e-6; }

/* A bound that is left out, or infinite, is as far as the type goes. */
static bool read_bound(const graph_value *v, double *bound) {
    if (!v) return true;
    if (!v->floats || v->elements != 1 || isnan(v->floats[0])) return false;
    if (!isfinite(v->floats[0])) return (v->floats[0] > 0) == (*bound > 0);
    *bound = (double)v->floats[0];
    return true;
}

static bool fold_clip(const folding *f) {
    const cvk_type type = f->layer->spec.output_type;
    double a = type_least(type), b = type_greatest(type);
    const double far = fmin(b, GRAPH_FAR);
    if (!read_bound(node_input(f->node, 1), &a) || !read_bound(node_input(f->node, 2), &b)) return false;
    const bool open = b >= far;
    if (a == 0 && open) return add_post(f, (post_op){.kind = POST_RELU});
    if (a == 0 && b == 6) return add_post(f, (post_op){.kind = POST_RELU6});
    return a <= b && add_post(f, (post_op){POST_CLAMP, a, b});
}

/* With other parameters than ours it is written out. */
static bool fold_hard_sigmoid(const folding *f) {
    const double alpha = node_float(f->node, "alpha", 0.2), beta = node_float(f->node, "beta", 0.5);
    if (near(alpha, 1.0 / 6) && near(beta, 0.5)) return add_post(f, (post_op){.kind = POST_HARD_SIGMOID});
    return f->layer->spec.post_count + 3 <= MOST_POST_OPS && multiply_by_numbers(f, all_channels(f, alpha), true) &&
           add_numbers(f, all_channels(f, beta), true) && add_post(f, (post_op){POST_CLAMP, 0, 1});
}

static bool fold_elu(const folding *f) {
    return near(node_float(f->node, "alpha", 1), 1) && add_post(f, (post_op){.kind = POST_ELU});
}

static bool fold_leaky(const folding *f) {
    return add_post(f, (post_op){.kind = POST_LEAKY_RELU, .a = node_float(f->node, "alpha", 0.01)});
}

/* Of slopes that are all one. */
static bool fold_prelu(const folding *f) {
    const graph_value *slope = node_input(f->node, 1);
    if (!slope || !slope->floats || slope->elements < 1) return false;
    for (int64_t i = 1; i < slope->elements; i++)
        if (slope->floats[i] != slope->floats[0]) return false;
    return add_post(f, (post_op){.kind = POST_LEAKY_RELU, .a = (double)slope->floats[0]});
}

static bool fold_gelu(const folding *f) {
    return add_post(f, (post_op){.kind = node_says(f->node, "approximate", "tanh") ? POST_GELU_TANH : POST_GELU});
}

/* Numbers of bytes, of what is nothing else yet. */
static bool fold_dequantize(const folding *f) {
    const cvk_spec *s = &f->layer->spec;
    return s->kind == LAYER_IDENTITY && !s->post_count && s->input_type == s->output_type && s->input_zero == 0 &&
           s->output_zero == 0 && quantized_numbers(f->node->out[0], f->layer);
}

static bool fold_quantize(const folding *f) { return quantized_store(f->arena, f->layer, f->node); }

/* Rounded once, as it is stored; what the post-ops take is of the type that was there before. */
static bool fold_cast(const folding *f) {
    import_layer *l = f->layer;
    const cvk_type type = f->node->out[0]->type;
    if (!type_is_float(type) || spec_is_pool(&l->spec) || l->operands) return false;
    if (!type_is_float(l->spec.output_type) && (l->spec.kind != LAYER_IDENTITY || l->spec.post_count)) return false;
    l->spec.output_type = type;
    return true;
}

static bool fold_nothing(const folding *f) { return f->node->in_count == 1; }

static bool fold_gelu_tanh(const folding *f) { return add_post(f, (post_op){.kind = POST_GELU_TANH}); }
static bool fold_hard_sigmoid6(const folding *f) { return add_post(f, (post_op){.kind = POST_HARD_SIGMOID}); }
static bool fold_hard_swish(const folding *f) { return add_post(f, (post_op){.kind = POST_HARD_SWISH}); }
static bool fold_relu(const folding *f) { return add_post(f, (post_op){.kind = POST_RELU}); }
static bool fold_sigmoid(const folding *f) { return add_post(f, (post_op){.kind = POST_SIGMOID}); }
static bool fold_silu(const folding *f) { return add_post(f, (post_op){.kind = POST_SILU}); }
static bool fold_softplus(const folding *f) { return add_post(f, (post_op){.kind = POST_SOFTPLUS}); }
static bool fold_tanh(const folding *f) { return add_post(f, (post_op){.kind = POST_TANH}); }

static const struct {
    const char *op;
    int operands; /* that the layer's output may be; the first otherwise */
    fold *fold;
    const char *as; /* where it is no post-op */
} ROWS[] = {
    {"BatchNormalization", 1, fold_batch_norm, "weights and bias"},
    {"Add", 2, fold_add, "bias"},
    {"Sub", 2, fold_sub, "bias"},
    {"Mul", 2, fold_mul, "weights and bias"},
    {"Div", 2, fold_div, "weights and bias"},
    {"Neg", 1, fold_neg, "weights and bias"},
    {"Clip", 1, fold_clip, "clamp"},
    {"Relu", 1, fold_relu, "relu"},
    {"LeakyRelu", 1, fold_leaky, "leaky_relu"},
    {"PRelu", 1, fold_prelu, "leaky_relu"},
    {"Sigmoid", 1, fold_sigmoid, "sigmoid"},
    {"Tanh", 1, fold_tanh, "tanh"},
    {"Silu", 1, fold_silu, "silu"},
    {"Gelu", 1, fold_gelu, "gelu"},
    {"GeluTanh", 1, fold_gelu_tanh, "gelu_tanh"},
    {"HardSwish", 1, fold_hard_swish, "hard_swish"},
    {"HardSigmoid", 1, fold_hard_sigmoid, "hard_sigmoid"},
    {"HardSigmoid6", 1, fold_hard_sigmoid6, "hard_sigmoid"},
    {"Elu", 1, fold_elu, "elu"},
    {"Softplus", 1, fold_softplus, "softplus"},
    {"DequantizeLinear", 1, fold_dequantize, "nothing"},
    {"QuantizeLinear", 1, fold_quantize, "bytes"},
    {"Cast", 1, fold_cast, "its type"},
    {"Identity", 1, fold_nothing, "nothing"},
    {"Dropout", 1, fold_nothing, "nothing"},
};

static bool is_sound(arena *a, const import_layer *l) {
    cvk_spec checked = l->spec;
    checked.name = "layer";
    return !import_refusal(a, &checked);
}

/* By which row, the layer's output being that operand; what was begun and cannot be is as it was. */
static bool fold_operand(arena *a, import_layer *l, const graph_node *n, size_t row, bool second) {
    const import_layer before = *l;
    const folding f = {a, l, n, ROWS[row].operands == 2 ? node_input(n, second ? 0 : 1) : NULL, second};
    if (ROWS[row].fold(&f) && is_sound(a, l)) return true;
    *l = before;
    return false;
}

/* Takes the node into the layer if a row can. */
static bool take(arena *a, import_layer *l, graph_node *n) {
    const int before = l->spec.post_count;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (strcmp(ROWS[i].op, n->op) != 0) continue;
        if (n->out_count < 1 || !n->out[0]) return false;
        bool taken = node_input(n, 0) == l->output && fold_operand(a, l, n, i, false);
        taken = taken || (ROWS[i].operands == 2 && node_input(n, 1) == l->output && fold_operand(a, l, n, i, true));
        if (taken) n->why = l->spec.post_count > before ? spec_post_name(l->spec.post[before].kind) : ROWS[i].as;
        return taken;
    }
    return false;
}

const char *layer_of_step(arena *a, graph_node *n, import_layer *l) {
    for (int i = 0; i < 2; i++) {
        const graph_value *x = node_input(n, i);
        graph_view view;
        if (!x || x->rank < 0 || x->floats || x->ints || !n->out_count || !n->out[0] || !view_of(x, &view)) continue;
        layer_begin(n, x, l);
        l->reads = view;
        layer_identity(l);
        quantized_identity(x, l);
        l->output = x;
        if (!take(a, l, n) || (view_keeps_elements(n) && !l->spec.post_count)) continue;
        l->output = n->out[0];
        return NULL;
    }
    return layer_why_not(n);
}

const char *layer_why_not(const graph_node *n) {
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (strcmp(ROWS[i].op, n->op) == 0) return "no layer has its operands or attributes";
    return "no layer does that";
}

/* What gives the elements that the layer puts out, in other words, is no more than a view. */
static bool take_view(import_layer *l, graph_node *n) {
    graph_view through;
    if (!l->view.tensor || l->back || !view_of_node(n, &l->view, &through)) return false;
    l->view = through;
    n->fate = FATE_VIEW;
    n->why = "";
    return true;
}

void layer_fold(arena *a, import_layer *l) {
    while (l->output->readers == 1 && l->output->reader) {
        graph_node *n = (graph_node *)(uintptr_t)l->output->reader;
        if (n->fate != FATE_LEFT_OUT || n <= l->head || n->out_count < 1 || !n->out[0]) return;
        if (take(a, l, n))
            n->fate = FATE_FOLDED;
        else if (!take_view(l, n))
            return;
        n->layer = l->spec.name;
        l->output = n->out[0];
    }
}
