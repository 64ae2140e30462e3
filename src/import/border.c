/* Borders that are nodes of their own. A window that reads one has it as its own padding, where it has none, or zeros
 * around zeros; what anything else reads is a layer that gives its input, one tap of 1, with that padding. */
#include "import/border.h"
#include "import/heads.h"
#include "import/window.h"
#include "spec/limits.h"

#include <math.h>
#include <string.h>

/* ---- of the node ---- */

bool border_read_sizes(const graph_node *n, graph_border *to) {
    enum { MOST = 1 << 20 };
    const graph_value *x = node_input(n, 0);
    int pads, axes;
    const int64_t *pad = node_list(n, "pads", 1, &pads), *axis = node_list(n, "axes", 3, &axes);
    const int count = pads / 2;
    *to = (graph_border){.mode = PAD_ZEROS};
    if (!x || x->rank < 0 || !pad || pads % 2 || (node_input(n, 3) && !axis)) return false;
    if (axis ? axes != count : x->rank != count) return false;
    for (int i = 0; i < count; i++) {
        const int64_t at = !axis ? i : axis[i] < 0 ? axis[i] + x->rank : axis[i];
        const int64_t before = pad[i], after = pad[count + i];
        if (at < 0 || at >= x->rank || before < -MOST || before > MOST || after < -MOST || after > MOST) return false;
        to->before[at] = before;
        to->after[at] = after;
    }
    return true;
}

static const struct {
    const char *word;
    padding_mode mode;
} MODES[] = {{"constant", PAD_CONSTANT}, {"reflect", PAD_REFLECT}, {"edge", PAD_REPLICATE}, {"wrap", PAD_CIRCULAR}};

static const char *read_mode(const graph_node *n, graph_border *to) {
    size_t row = 0;
    while (row < sizeof MODES / sizeof *MODES && !node_says(n, "mode", MODES[row].word)) row++;
    if (node_has(n, "mode") && row == sizeof MODES / sizeof *MODES) return "no layer has its mode";
    to->mode = node_has(n, "mode") ? MODES[row].mode : PAD_CONSTANT;
    if (to->mode != PAD_CONSTANT) return NULL;
    const graph_value *v = node_input(n, 2);
    if (v && (!v->floats || v->elements != 1)) return "its constant is not known";
    to->constant = v ? (double)v->floats[0] : node_float(n, "value", 0);
    if (to->constant == 0) to->mode = PAD_ZEROS;
    return NULL;
}

const char *border_read(const graph_node *n, graph_border *to) {
    if (!border_read_sizes(n, to)) return "how much it pads is not known";
    for (int i = 0; i < GRAPH_MOST_RANK; i++)
        if (to->before[i] < 0 || to->after[i] < 0) return "it pads by less than nothing";
    return read_mode(n, to);
}

/* ---- of the windows that read it ---- */

/* Nodes that put out nothing below 0. */
static bool is_positive(const graph_value *v) {
    static const char *const OPS[] = {"Relu", "Sigmoid", "HardSigmoid", "HardSigmoid6", "Softplus", "Softmax"};
    const graph_node *n = v->maker;
    const graph_value *least = n ? node_input(n, 1) : NULL;
    bool positive =
        n && strcmp(n->op, "Clip") == 0 && least && least->floats && least->elements == 1 && least->floats[0] >= 0;
    for (size_t i = 0; n && i < sizeof OPS / sizeof *OPS; i++) positive |= strcmp(n->op, OPS[i]) == 0;
    return positive;
}

static bool has_border(const window *w) {
    bool any = false;
    for (int i = 0; i < w->axes; i++) any |= w->before[i] || w->after[i];
    return any;
}

/* Any border where it has no other; of bytes, one of what stands for 0. */
static bool fits_conv(const graph_node *n, const graph_node *pad, const window *w, const graph_border *b) {
    const graph_node *maker = pad->in[0]->maker;
    const bool bytes = maker && strcmp(maker->op, "DequantizeLinear") == 0;
    const bool zeros = b->mode == PAD_ZEROS && (!n->border || n->border->mode == PAD_ZEROS);
    return zeros || (!has_border(w) && !bytes && isfinite(b->constant));
}

/* A pool's own border counts as zeros, or not at all. */
static bool fits_average(const graph_node *n, const graph_node *pad, const window *w, const graph_border *b) {
    (void)pad;
    return b->mode == PAD_ZEROS && !node_int(n, "ceil_mode", 0) &&
           (!has_border(w) || node_int(n, "count_include_pad", 0));
}

/* It is never the greatest; neither is a border of the least numbers, nor zeros around what has nothing less, where
 * each window sees something else. */
static bool fits_max(const graph_node *n, const graph_node *pad, const window *w, const graph_border *b) {
    bool sees = !node_int(n, "ceil_mode", 0) && n->out_count == 1;
    for (int i = 0; i < w->axes; i++)
        sees &= w->dilation[i] == 1 && b->before[2 + i] + w->before[i] < w->kernel[i] &&
                b->after[2 + i] + w->after[i] < w->kernel[i];
    return sees &&
           (b->mode == PAD_CONSTANT ? b->constant <= -GRAPH_FAR : b->mode == PAD_ZEROS && is_positive(pad->in[0]));
}

static const struct {
    const char *op;
    bool weighs;
    bool (*fits)(const graph_node *n, const graph_node *pad, const window *w, const graph_border *b);
} ROWS[] = {{"Conv", true, fits_conv}, {"AveragePool", false, fits_average}, {"MaxPool", false, fits_max}};

static bool is_of_sizes(const graph_border *b) {
    return !b->before[0] && !b->after[0] && !b->before[1] && !b->after[1];
}

/* Whether the node can read what its Pad reads, with that border; or then with both. */
static bool read_for(const graph_node *n, size_t row, graph_border *to) {
    const graph_node *pad = node_input(n, 0) ? n->in[0]->maker : NULL;
    const graph_value *kernel = node_input(n, 1);
    window w;
    if (!pad || strcmp(pad->op, "Pad") != 0 || pad->out[0] != n->in[0] || border_read(pad, to) || !is_of_sizes(to))
        return false;
    if (ROWS[row].weighs && (!kernel || kernel->rank < 3 || kernel->rank != n->in[0]->rank)) return false;
    return window_read(n, ROWS[row].weighs ? kernel->shape + 2 : NULL, &w) && ROWS[row].fits(n, pad, &w, to);
}

/* Of its readers one less; whose last is gone is part of that one, and reads nothing itself. */
static void leave(graph_node *pad, graph_node *reader) {
    if (--pad->out[0]->readers > 0) return;
    pad->part_of = reader;
    pad->in[0]->readers--;
}

static void take(arena *a, graph_node *n, const graph_border *b) {
    graph_node *pad = (graph_node *)(uintptr_t)n->in[0]->maker;
    graph_border *all = arena_copy(a, b, sizeof *b);
    for (int i = 0; i < GRAPH_MOST_RANK && n->border; i++) {
        all->before[i] += n->border->before[i];
        all->after[i] += n->border->after[i];
    }
    n->border = all;
    pad->why = "padding";
    pad->in[0]->readers++;
    leave(pad, n);
    n->in = arena_copy(a, n->in, (size_t)n->in_count * sizeof *n->in);
    n->in[0] = pad->in[0];
}

void border_recognise(arena *a, graph_node *n) {
    graph_border b;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        while (strcmp(n->op, ROWS[i].op) == 0 && read_for(n, i, &b)) take(a, n, &b);
}

/* ---- by itself ---- */

/* The axis of sizes that one of the value's goes through; -1: it goes through none, or others too. */
static int axis_of(const graph_view *view, int at) {
    for (int axis = 0; axis < AXES; axis++)
        if (view->parts[at] == PART_D << axis) return axis;
    return -1;
}

/* One tap for all channels. */
static const void *one_tap(arena *a, const cvk_spec *s) {
    char *ones = arena_alloc(a, (size_t)(s->in_channels * type_bytes(s->weights_type)));
    for (int64_t c = 0; c < s->in_channels; c++) type_write(s->weights_type, ones + c * type_bytes(s->weights_type), 1);
    return ones;
}

const char *make_pad(arena *a, const graph_node *n, import_layer *l) {
    const graph_value *x = node_input(n, 0);
    graph_border b;
    graph_view view;
    if (!x || x->rank < 0) return HEAD_UNKNOWN;
    const char *why = border_read(n, &b);
    if (why) return why;
    if (!view_of(x, &view) || view.channels > LIMIT_CONSTANTS || !type_is_float(x->type)) return "no layer copies that";
    head_reads(l, &view);
    head_keeps_axes(l, &view);
    for (int i = 0; i < x->rank; i++) {
        const int axis = axis_of(&view, i);
        if (axis < 0 && (b.before[i] || b.after[i])) return "it pads more than sizes";
        if (axis >= 0) l->spec.pad_before[axis] = b.before[i], l->spec.pad_after[axis] = b.after[i];
    }
    l->spec.groups = l->spec.in_channels;
    l->spec.padding = b.mode;
    l->spec.padding_constant = b.constant;
    l->spec.known = one_tap(a, &l->spec);
    return NULL;
}
