/* Layers of nodes that have windows or weights; and the table of all. */
#include "import/heads.h"
#include "import/border.h"
#include "import/quantized.h"
#include "import/window.h"

#include <string.h>

/* ---- neutral ---- */

static void set_neutral(cvk_spec *s) {
    for (int axis = 0; axis < AXES; axis++)
        s->in_size[axis] = s->kernel[axis] = s->stride[axis] = s->dilation[axis] = 1;
    s->rank = 1;
    s->batch = s->in_channels = s->out_channels = s->groups = 1;
    s->accuracy = ACCURACY_DEFAULT;
}

void head_reads(import_layer *l, const graph_view *x) {
    cvk_spec *s = &l->spec;
    s->rank = x->rank;
    s->batch = x->batch;
    s->in_channels = s->out_channels = x->channels;
    memcpy(s->in_size, x->size, sizeof s->in_size);
    if (x != &l->reads) l->reads = *x;
}

void head_keeps_axes(import_layer *l, const graph_view *x) {
    memcpy(l->view.parts, x->parts, sizeof x->parts);
    l->view.outer = x->outer;
    l->view.middle = x->middle;
}

bool head_turn(import_layer *l) {
    graph_view turned;
    const char *tensor = l->reads.tensor;
    if (!tensor || !view_turn(l->input, &l->reads, &turned)) return false;
    turned.tensor = tensor;
    head_reads(l, &turned);
    head_keeps_axes(l, &turned);
    l->turned = true;
    return true;
}

void layer_identity(import_layer *l) {
    head_reads(l, &l->reads);
    l->view = l->reads;
    l->spec.kind = LAYER_IDENTITY;
    l->spec.groups = l->spec.in_channels;
}

/* ---- windows ---- */

bool heads_axes(const graph_value *x, const graph_view *view, int axis[AXES]) {
    const bool images = view->parts[0] == PART_N || (!view->parts[0] && view->batch == 1);
    const int axes = x->rank - 2;
    int least = 0;
    if (axes < 1 || axes > AXES || !images || view_channel_axis(x, view) != 1) return false;
    for (int i = 0; i < axes; i++) {
        const int part = view->parts[2 + i];
        axis[i] = part == 0 ? AXES - axes + i : part == PART_D ? AXIS_D : part == PART_H ? AXIS_H : AXIS_W;
        if ((part && part != PART_D && part != PART_H && part != PART_W) || axis[i] < least) return false;
        least = axis[i] + 1;
    }
    return true;
}

/* The input as windows go through it; where its axes lie otherwise, it is a tensor by itself. */
static void read_axes_of(const graph_value *x, import_layer *l, int axis[AXES]) {
    graph_view view;
    view_of(x, &view);
    if (!heads_axes(x, &view, axis)) {
        view_first(x, &view);
        heads_axes(x, &view, axis);
    }
    head_reads(l, &view);
    head_keeps_axes(l, &view);
    for (int i = 2; i < x->rank; i++) l->view.parts[i] = PART_D << axis[i - 2];
}

static void set_axes(import_layer *l, const window *w, const int axis[AXES]) {
    cvk_spec *s = &l->spec;
    for (int i = 0; i < w->axes; i++) {
        s->kernel[axis[i]] = w->kernel[i];
        s->stride[axis[i]] = w->stride[i];
        s->dilation[axis[i]] = w->dilation[i];
        s->pad_before[axis[i]] = w->before[i];
        s->pad_after[axis[i]] = w->after[i];
        s->output_padding[axis[i]] = w->output_padding[i];
    }
}

/* What pads where it is not zeros that do. */
static void set_border(import_layer *l, const graph_node *n) {
    if (!n->border) return;
    l->spec.padding = n->border->mode;
    l->spec.padding_constant = n->border->constant;
}

static void set_bias(arena *a, import_layer *l, const graph_value *bias) {
    if (!bias) return;
    l->bias = arena_copy(a, bias->floats, (size_t)bias->elements * sizeof(float));
    l->spec.bias = true;
}

/* ---- kernels over a part of the channels ---- */

static bool is_pointwise(const window *w) {
    bool pointwise = true;
    for (int i = 0; i < w->axes; i++)
        pointwise &= w->kernel[i] == 1 && w->stride[i] == 1 && !w->before[i] && !w->after[i];
    return pointwise;
}

/* What is repeated for each group. */
static float *repeated(arena *a, const float *one, int64_t count, int64_t times) {
    float *all = arena_array(a, float, count *times + 1);
    for (int64_t i = 0; i < times; i++) memcpy(all + i * count, one, (size_t)count * sizeof *all);
    return all;
}

/* Where its channels are the innermost of those of a tensor, all groups of that have the same weights. */
static bool make_of_parts(arena *a, const graph_node *n, const window *axes, import_layer *l) {
    const graph_value *x = node_input(n, 0), *w = node_input(n, 1), *bias = node_input(n, 2);
    graph_view view;
    if (!view_of(x, &view) || !view.tensor || node_int(n, "group", 1) != 1 || !is_pointwise(axes)) return false;
    const int64_t groups = view.channels / view_size(&view, PART_C), out = w->shape[0];
    if (view.parts[1] != PART_C || groups == 1 || view_size(&view, PART_C) != x->shape[1]) return false;
    if (out > INT32_MAX / groups || w->elements > INT32_MAX / groups || (bias && bias->elements != out)) return false;
    head_reads(l, &view);
    head_keeps_axes(l, &view);
    l->spec.groups = groups;
    l->spec.out_channels = out * groups;
    l->weights = repeated(a, w->floats, w->elements, groups);
    if (bias) l->bias = repeated(a, bias->floats, out, groups);
    l->spec.bias = bias != NULL;
    return true;
}

static const char *make_window(arena *a, const graph_node *n, import_layer *l, bool transposed) {
    const graph_value *x = node_input(n, 0), *w = node_input(n, 1), *bias = node_input(n, 2);
    window axes;
    int axis[AXES];
    if (!x || x->rank < 0) return HEAD_UNKNOWN;
    if (!w || !w->floats || (bias && !bias->floats)) return HEAD_NOT_CONSTANT;
    if (w->rank != x->rank || w->rank < 3 || w->elements < 1 || x->elements < 1) return HEAD_NO_SENSE;
    if (!(transposed ? window_read_transposed : window_read)(n, w->shape + 2, &axes)) return HEAD_NO_SENSE;
    const int64_t groups = node_int(n, "group", 1), channels = x->shape[1];
    if (groups < 1 || channels % groups || (transposed ? w->shape[0] != channels : w->shape[1] != channels / groups))
        return HEAD_NO_SENSE;
    if (!transposed && make_of_parts(a, n, &axes, l)) return NULL;
    read_axes_of(x, l, axis);
    set_axes(l, &axes, axis);
    set_border(l, n);
    l->spec.groups = groups;
    if (transposed && w->shape[1] > INT32_MAX / groups) return HEAD_NO_SENSE;
    l->spec.out_channels = transposed ? w->shape[1] * groups : w->shape[0];
    l->spec.transposed = transposed;
    if (bias && bias->elements != l->spec.out_channels) return HEAD_NO_SENSE;
    l->weights = arena_copy(a, w->floats, (size_t)w->elements * sizeof(float));
    set_bias(a, l, bias);
    return NULL;
}

const char *make_conv(arena *a, const graph_node *n, import_layer *l) { return make_window(a, n, l, false); }
const char *make_transposed(arena *a, const graph_node *n, import_layer *l) { return make_window(a, n, l, true); }

/* Channel by channel; of kernels as large as the map where they are global. Indices of the format count through images
 * and channels, too, which ours do not. */
static const char *make_pool(const graph_node *n, import_layer *l, layer_kind kind, bool global) {
    const graph_value *x = quantized_pool(n, l);
    window axes;
    int axis[AXES];
    if (!x || x->rank < 0) return HEAD_UNKNOWN;
    if (n->out_count > 1 && n->out[1] && n->out[1]->readers) return "its indices are read";
    if (x->rank < 3 || x->elements < 1 || !window_read(n, global ? x->shape + 2 : NULL, &axes)) return HEAD_NO_SENSE;
    read_axes_of(x, l, axis);
    set_axes(l, &axes, axis);
    l->spec.kind = kind;
    l->spec.groups = l->spec.in_channels;
    l->spec.ceil_mode = !global && node_int(n, "ceil_mode", 0) != 0;
    l->spec.count_include_pad = kind == LAYER_AVERAGE_POOL && (n->border || node_int(n, "count_include_pad", 0) != 0);
    return NULL;
}

const char *make_max_pool(arena *a, const graph_node *n, import_layer *l) {
    (void)a;
    return make_pool(n, l, LAYER_MAX_POOL, false);
}

const char *make_average_pool(arena *a, const graph_node *n, import_layer *l) {
    (void)a;
    return make_pool(n, l, LAYER_AVERAGE_POOL, false);
}

const char *make_global_max(arena *a, const graph_node *n, import_layer *l) {
    (void)a;
    return make_pool(n, l, LAYER_MAX_POOL, true);
}

const char *make_global_average(arena *a, const graph_node *n, import_layer *l) {
    (void)a;
    return make_pool(n, l, LAYER_AVERAGE_POOL, true);
}

/* ---- products ---- */

/* Channels lie last, or positions that are turned round; what is before are images and the others. */
static bool reads_channels(const graph_value *x, import_layer *l) {
    graph_view view;
    if (!view_of(x, &view)) return false;
    head_reads(l, &view);
    head_keeps_axes(l, &view);
    const bool last = view_channel_axis(x, &view) == x->rank - 1;
    if (!last && (!head_turn(l) || view_channel_axis(x, &l->reads) != x->rank - 1)) return false;
    l->spec.input_layout = l->spec.output_layout = CVK_CHANNELS_LAST;
    return true;
}

/* All of an image lies last. */
static bool reads_images(const graph_value *x, import_layer *l) {
    graph_view view;
    if (x->rank != 2 || !view_of(x, &view) || (view.parts[0] && view.parts[0] != PART_N)) return false;
    if (x->shape[0] != view.batch) return false;
    head_reads(l, &view);
    l->spec.kind = LAYER_DENSE;
    memcpy(l->spec.kernel, view.size, sizeof view.size);
    l->view.parts[0] = PART_N;
    l->view.parts[1] = PART_C;
    return true;
}

/* As nothing of the network: rows are positions of one axis. */
static void read_rows(const graph_value *x, import_layer *l) {
    const int64_t in = x->shape[x->rank - 1], rows = x->shape[x->rank - 2];
    graph_view view = {.rank = 1, .batch = x->elements / in / rows, .channels = in, .size = {1, 1, rows}};
    view.parts[x->rank - 1] = PART_C;
    head_reads(l, &view);
    head_keeps_axes(l, &view);
    l->spec.input_layout = l->spec.output_layout = CVK_CHANNELS_LAST;
}

/* A product by a constant as a kernel of 1, or of all that an image has. */
static const char *make_product(arena *a, const graph_value *x, const graph_value *b, bool turned, double factor,
                                import_layer *l) {
    if (!x || x->rank < 2) return HEAD_UNKNOWN;
    if (!b || !b->floats || b->rank != 2) return HEAD_NOT_CONSTANT;
    const int64_t in = b->shape[turned], out = b->shape[!turned];
    if (in != x->shape[x->rank - 1] || in < 1 || out < 1 || x->elements < 1) return HEAD_NO_SENSE;
    const import_layer begun = *l;
    if (!reads_images(x, l) && !reads_channels(x, l)) *l = begun, read_rows(x, l);
    l->spec.out_channels = out;
    l->weights = arena_array(a, float, b->elements);
    for (int64_t o = 0; o < out; o++)
        for (int64_t i = 0; i < in; i++)
            l->weights[o * in + i] = (float)(factor * (double)b->floats[turned ? o * in + i : i * out + o]);
    return NULL;
}

const char *make_matmul(arena *a, const graph_node *n, import_layer *l) {
    return make_product(a, node_input(n, 0), node_input(n, 1), false, 1, l);
}

const char *make_gemm(arena *a, const graph_node *n, import_layer *l) {
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

/* ---- the table ---- */

static const struct {
    const char *op;
    make_layer *make;
} ROWS[] = {
#define HEAD(op, maker) {op, make_##maker},
#include "import/heads.def"
#undef HEAD
};

void layer_begin(const graph_node *n, const graph_value *input, import_layer *l) {
    *l = (import_layer){.head = n, .input = input, .output = n->out_count ? n->out[0] : NULL};
    set_neutral(&l->spec);
    l->spec.input_type = l->spec.weights_type = l->spec.output_type = input ? input->type : TYPE_F32;
}

const char *layer_of_node(arena *a, const graph_node *n, import_layer *l) {
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (strcmp(ROWS[i].op, n->op) != 0) continue;
        bool bytes;
        layer_begin(n, node_input(n, 0), l);
        const char *why = quantized_products(a, n, l, &bytes);
        if (!bytes) why = ROWS[i].make(a, n, l);
        return why ? why : l->output ? NULL : HEAD_NO_SENSE;
    }
    return "";
}
