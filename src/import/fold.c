/* What follows a layer's sums and becomes part of it: a table. Each row takes one node whose input is the layer's
 * output. */
#include "import/layers.h"

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

static bool add_post(import_layer *l, post_op op) {
    if (l->spec.post_count == MOST_POST_OPS || !isfinite((float)op.a) || !isfinite((float)op.b)) return false;
    l->spec.post[l->spec.post_count++] = op;
    return true;
}

/* A constant that has one number for each channel, or one for all, and does not make the output larger. */
static bool channels_of(const folding *f, const graph_value *v, float *to) {
    const graph_value *y = f->layer->output;
    const int64_t channels = f->layer->spec.out_channels;
    if (!v || !v->floats || v->rank > y->rank || y->rank < 0) return false;
    for (int i = 0; i < v->rank; i++) {
        const int axis = y->rank - v->rank + i;
        if (v->shape[i] != 1 && (axis != f->layer->channel_axis || v->shape[i] != channels)) return false;
    }
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

/* Whether what comes out is nothing but sums by weights yet; a pool's is not. */
static bool takes_factors(const import_layer *l) { return l->weights && !l->spec.post_count; }

static bool fold_batch_norm(const folding *f) {
    const double epsilon = node_float(f->node, "epsilon", 1e-5);
    const float *p[4];
    const int64_t channels = f->layer->spec.out_channels;
    if (!takes_factors(f->layer) || f->node->in_count != 5 || f->layer->channel_axis != 1) return false;
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
    rescale(f, factor, shift);
    return true;
}

/* A tensor like the output that is there before the layer is run. */
static bool add_tensor(const folding *f) {
    import_layer *l = f->layer;
    const graph_value *v = f->other, *y = l->output;
    if (!v || v->rank != y->rank || y->rank < 0 || memcmp(v->shape, y->shape, (size_t)y->rank * sizeof *y->shape) != 0)
        return false;
    if (v->floats || (v->maker && v->maker >= l->head)) return false;
    if (!add_post(l, (post_op){.kind = POST_ADD})) return false;
    l->addend[l->addends++] = v;
    return true;
}

static bool shift_by(const folding *f, float sign) {
    float *shift = new_channels(f), *one = new_channels(f);
    if (!takes_factors(f->layer) || !channels_of(f, f->other, shift)) return false;
    for (int64_t c = 0; c < f->layer->spec.out_channels; c++) one[c] = 1, shift[c] *= sign;
    rescale(f, one, shift);
    return true;
}

static bool fold_add(const folding *f) { return shift_by(f, 1) || add_tensor(f); }
static bool fold_sub(const folding *f) { return !f->second && shift_by(f, -1); }

static bool scale_by(const folding *f, bool inverse) {
    import_layer *l = f->layer;
    const size_t bytes = (size_t)l->spec.out_channels * sizeof(float);
    float *factor = new_channels(f);
    if (!channels_of(f, f->other, factor)) return false;
    for (int64_t c = 0; inverse && c < l->spec.out_channels; c++) factor[c] = 1 / factor[c];
    if (takes_factors(l)) {
        rescale(f, factor, NULL);
        return true;
    }
    if (!add_post(l, (post_op){.kind = POST_SCALE})) return false;
    float *all = arena_array(f->arena, float, (l->scales + 1) * l->spec.out_channels);
    if (l->scales) memcpy(all, l->scale, (size_t)l->scales * bytes);
    memcpy(all + l->scales++ * l->spec.out_channels, factor, bytes);
    l->scale = all;
    return true;
}

static bool fold_mul(const folding *f) { return scale_by(f, false); }
static bool fold_div(const folding *f) { return !f->second && scale_by(f, true); }

static bool near(double a, double b) { return fabs(a - b) <= 1e-6; }

static bool fold_clip(const folding *f) {
    const graph_value *lo = node_input(f->node, 1), *hi = node_input(f->node, 2);
    if ((lo && (!lo->floats || lo->elements != 1)) || (hi && (!hi->floats || hi->elements != 1)) || (!lo && !hi))
        return false;
    const double a = lo ? (double)lo->floats[0] : -HUGE_VAL, b = hi ? (double)hi->floats[0] : HUGE_VAL;
    const bool open = b >= 0x1p127 * 1.9; /* as far as floats go */
    if (a == 0 && open) return add_post(f->layer, (post_op){.kind = POST_RELU});
    if (a == 0 && b == 6) return add_post(f->layer, (post_op){.kind = POST_RELU6});
    return a <= b && add_post(f->layer, (post_op){POST_CLAMP, a, b});
}

/* Those of ONNX have parameters; ours are those that networks have. */
static bool fold_hard_sigmoid(const folding *f) {
    return near(node_float(f->node, "alpha", 0.2), 1.0 / 6) && near(node_float(f->node, "beta", 0.5), 0.5) &&
           add_post(f->layer, (post_op){.kind = POST_HARD_SIGMOID});
}

static bool fold_elu(const folding *f) {
    return near(node_float(f->node, "alpha", 1), 1) && add_post(f->layer, (post_op){.kind = POST_ELU});
}

static bool fold_leaky(const folding *f) {
    return add_post(f->layer, (post_op){.kind = POST_LEAKY_RELU, .a = node_float(f->node, "alpha", 0.01)});
}

static bool fold_gelu(const folding *f) {
    return add_post(f->layer,
                    (post_op){.kind = node_says(f->node, "approximate", "tanh") ? POST_GELU_TANH : POST_GELU});
}

static bool fold_nothing(const folding *f) { return f->node->in_count == 1; }

static bool fold_gelu_tanh(const folding *f) { return add_post(f->layer, (post_op){.kind = POST_GELU_TANH}); }
static bool fold_hard_sigmoid6(const folding *f) { return add_post(f->layer, (post_op){.kind = POST_HARD_SIGMOID}); }
static bool fold_hard_swish(const folding *f) { return add_post(f->layer, (post_op){.kind = POST_HARD_SWISH}); }
static bool fold_relu(const folding *f) { return add_post(f->layer, (post_op){.kind = POST_RELU}); }
static bool fold_sigmoid(const folding *f) { return add_post(f->layer, (post_op){.kind = POST_SIGMOID}); }
static bool fold_silu(const folding *f) { return add_post(f->layer, (post_op){.kind = POST_SILU}); }
static bool fold_softplus(const folding *f) { return add_post(f->layer, (post_op){.kind = POST_SOFTPLUS}); }
static bool fold_tanh(const folding *f) { return add_post(f->layer, (post_op){.kind = POST_TANH}); }

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
    {"Clip", 1, fold_clip, "clamp"},
    {"Relu", 1, fold_relu, "relu"},
    {"LeakyRelu", 1, fold_leaky, "leaky_relu"},
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
    {"Identity", 1, fold_nothing, "nothing"},
    {"Dropout", 1, fold_nothing, "nothing"},
};

/* Takes the node into the layer if a row can. */
static bool take(arena *a, import_layer *l, graph_node *n) {
    const int before = l->spec.post_count;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (strcmp(ROWS[i].op, n->op) != 0) continue;
        const bool second = ROWS[i].operands == 2 && node_input(n, 1) == l->output;
        if ((!second && node_input(n, 0) != l->output) || n->out_count < 1 || !n->out[0]) return false;
        const folding f = {a, l, n, ROWS[i].operands == 2 ? node_input(n, second ? 0 : 1) : NULL, second};
        if (!ROWS[i].fold(&f)) return false;
        n->fate = FATE_FOLDED;
        n->layer = l->spec.name;
        n->why = l->spec.post_count > before ? spec_post_name(l->spec.post[before].kind) : ROWS[i].as;
        return true;
    }
    return false;
}

const char *layer_why_not(const graph_node *n) {
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (strcmp(ROWS[i].op, n->op) == 0) return "it follows no layer that can take it";
    return "no layer does that";
}

void layer_fold(arena *a, import_layer *l) {
    while (l->output->readers == 1 && l->output->reader) {
        graph_node *n = (graph_node *)(uintptr_t)l->output->reader;
        if (n->fate != FATE_LEFT_OUT || n <= l->head || !take(a, l, n)) return;
        l->output = n->out[0];
    }
}
