/* The nodes that layers are made of: a table. */
#include "import/layers.h"
#include "import/window.h"

#include <string.h>

static const char UNKNOWN_INPUT[] = "the shape of its input is not known",
                  NOT_CONSTANT[] = "its weights are no constants", NO_SENSE[] = "its attributes do not fit its shapes";

typedef const char *make_layer(arena *a, const graph_node *n, import_layer *l);

static void set_axes(import_layer *l, const window *w) {
    cvk_spec *s = &l->spec;
    for (int i = 0, axis = AXES - w->axes; i < w->axes; i++, axis++) {
        s->in_size[axis] = w->in[i];
        s->kernel[axis] = w->kernel[i];
        s->stride[axis] = w->stride[i];
        s->dilation[axis] = w->dilation[i];
        s->pad_before[axis] = w->before[i];
        s->pad_after[axis] = w->after[i];
        s->output_padding[axis] = w->output_padding[i];
    }
    s->rank = w->axes;
}

static void set_neutral(cvk_spec *s) {
    for (int axis = 0; axis < AXES; axis++)
        s->in_size[axis] = s->kernel[axis] = s->stride[axis] = s->dilation[axis] = 1;
    s->batch = s->in_channels = s->out_channels = s->groups = 1;
    s->accuracy = ACCURACY_DEFAULT;
}

static void set_bias(arena *a, import_layer *l, const graph_value *bias) {
    if (!bias) return;
    l->bias = arena_copy(a, bias->floats, (size_t)bias->elements * sizeof(float));
    l->spec.bias = true;
}

static const char *make_window(arena *a, const graph_node *n, import_layer *l, bool transposed) {
    const graph_value *x = node_input(n, 0), *w = node_input(n, 1), *bias = node_input(n, 2);
    window axes;
    if (!x || x->rank < 0) return UNKNOWN_INPUT;
    if (!w || !w->floats || (bias && !bias->floats)) return NOT_CONSTANT;
    if (w->rank != x->rank || w->rank < 3 || w->elements < 1) return NO_SENSE;
    if (!(transposed ? window_read_transposed : window_read)(n, w->shape + 2, &axes)) return NO_SENSE;
    const int64_t groups = node_int(n, "group", 1), channels = x->shape[1];
    if (groups < 1 || channels < 1 || channels % groups ||
        (transposed ? w->shape[0] != channels : w->shape[1] != channels / groups))
        return NO_SENSE;
    set_axes(l, &axes);
    l->spec.batch = x->shape[0];
    l->spec.in_channels = channels;
    l->spec.groups = groups;
    if (transposed && w->shape[1] > INT32_MAX / groups) return NO_SENSE;
    l->spec.out_channels = transposed ? w->shape[1] * groups : w->shape[0];
    l->spec.transposed = transposed;
    if (bias && bias->elements != l->spec.out_channels) return NO_SENSE;
    l->weights = arena_copy(a, w->floats, (size_t)w->elements * sizeof(float));
    l->weights_rank = w->rank;
    memcpy(l->weights_shape, w->shape, (size_t)w->rank * sizeof *w->shape);
    l->channel_axis = 1;
    set_bias(a, l, bias);
    return NULL;
}

static const char *make_conv(arena *a, const graph_node *n, import_layer *l) { return make_window(a, n, l, false); }
static const char *make_transposed(arena *a, const graph_node *n, import_layer *l) {
    return make_window(a, n, l, true);
}

/* Channel by channel; of kernels as large as the map where they are global. Indices of the format count through images
 * and channels, too, which ours do not. */
static const char *make_pool(const graph_node *n, import_layer *l, layer_kind kind, bool global) {
    const graph_value *x = node_input(n, 0);
    window axes;
    if (!x || x->rank < 0) return UNKNOWN_INPUT;
    if (n->out_count > 1 && n->out[1] && n->out[1]->readers) return "its indices are read";
    if (x->rank < 3 || x->shape[1] < 1 || !window_read(n, global ? x->shape + 2 : NULL, &axes)) return NO_SENSE;
    set_axes(l, &axes);
    l->spec.kind = kind;
    l->spec.batch = x->shape[0];
    l->spec.in_channels = l->spec.out_channels = l->spec.groups = x->shape[1];
    l->spec.ceil_mode = !global && node_int(n, "ceil_mode", 0) != 0;
    l->spec.count_include_pad = kind == LAYER_AVERAGE_POOL && node_int(n, "count_include_pad", 0) != 0;
    l->channel_axis = 1;
    return NULL;
}

static const char *make_max_pool(arena *a, const graph_node *n, import_layer *l) {
    (void)a;
    return make_pool(n, l, LAYER_MAX_POOL, false);
}

static const char *make_average_pool(arena *a, const graph_node *n, import_layer *l) {
    (void)a;
    return make_pool(n, l, LAYER_AVERAGE_POOL, false);
}

static const char *make_global_max(arena *a, const graph_node *n, import_layer *l) {
    (void)a;
    return make_pool(n, l, LAYER_MAX_POOL, true);
}

static const char *make_global_average(arena *a, const graph_node *n, import_layer *l) {
    (void)a;
    return make_pool(n, l, LAYER_AVERAGE_POOL, true);
}

/* A product by a constant as a kernel of 1: rows are positions of one axis, and channels lie side by side. */
static const char *make_product(arena *a, const graph_value *x, const graph_value *b, bool turned, double factor,
                                import_layer *l) {
    if (!x || x->rank < 2) return UNKNOWN_INPUT;
    if (!b || !b->floats || b->rank != 2) return NOT_CONSTANT;
    const int64_t in = b->shape[turned], out = b->shape[!turned];
    if (in != x->shape[x->rank - 1] || in < 1 || out < 1 || x->elements < 1) return NO_SENSE;
    const int64_t rows = x->shape[x->rank - 2];
    l->spec.rank = 1;
    l->spec.batch = x->elements / in / rows;
    l->spec.in_channels = in;
    l->spec.out_channels = out;
    l->spec.in_size[AXIS_W] = rows;
    l->spec.input_layout = l->spec.output_layout = CVK_CHANNELS_LAST;
    l->weights = arena_array(a, float, b->elements);
    for (int64_t o = 0; o < out; o++)
        for (int64_t i = 0; i < in; i++)
            l->weights[o * in + i] = (float)(factor * (double)b->floats[turned ? o * in + i : i * out + o]);
    l->weights_rank = 3;
    memcpy(l->weights_shape, (const int64_t[]){out, in, 1}, 3 * sizeof(int64_t));
    l->channel_axis = x->rank - 1;
    return NULL;
}

static const char *make_matmul(arena *a, const graph_node *n, import_layer *l) {
    return make_product(a, node_input(n, 0), node_input(n, 1), false, 1, l);
}

static const char *make_gemm(arena *a, const graph_node *n, import_layer *l) {
    const graph_value *c = node_input(n, 2);
    const double beta = node_float(n, "beta", 1);
    if (node_int(n, "transA", 0)) return "its input is transposed";
    const char *why = make_product(a, node_input(n, 0), node_input(n, 1), node_int(n, "transB", 0) != 0,
                                   node_float(n, "alpha", 1), l);
    if (why || !c) return why;
    const int64_t out = l->spec.out_channels;
    if (!c->floats || (c->elements != 1 && (c->elements != out || c->shape[c->rank - 1] != out)))
        return "its bias is not one number a channel";
    l->bias = arena_array(a, float, out);
    for (int64_t o = 0; o < out; o++) l->bias[o] = (float)(beta * (double)c->floats[c->elements == 1 ? 0 : o]);
    l->spec.bias = true;
    return NULL;
}

static const struct {
    const char *op;
    make_layer *make;
} ROWS[] = {{"Conv", make_conv},
            {"ConvTranspose", make_transposed},
            {"Gemm", make_gemm},
            {"MatMul", make_matmul},
            {"MaxPool", make_max_pool},
            {"AveragePool", make_average_pool},
            {"GlobalMaxPool", make_global_max},
            {"GlobalAveragePool", make_global_average}};

const char *layer_of_node(arena *a, const graph_node *n, import_layer *l) {
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (strcmp(ROWS[i].op, n->op) != 0) continue;
        *l = (import_layer){.head = n, .input = node_input(n, 0), .output = n->out_count ? n->out[0] : NULL};
        set_neutral(&l->spec);
        const char *why = ROWS[i].make(a, n, l);
        return why ? why : l->output ? NULL : NO_SENSE;
    }
    return "";
}
