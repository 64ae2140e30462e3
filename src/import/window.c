/* Attributes of a window and the sizes that come of them. */
#include "import/window.h"

#include "import/border.h"

enum { MOST = 1 << 20 }; /* of any of these numbers: their sums and products are then small */

/* A list of one number an axis, or what holds without it. */
static bool read_axes(const graph_node *n, const char *name, int axes, int64_t otherwise, int64_t least, int64_t *to) {
    int count;
    const int64_t *given = node_ints(n, name, &count);
    if (given && count != axes) return false;
    for (int i = 0; i < axes; i++) {
        to[i] = given ? given[i] : otherwise;
        if (to[i] < least || to[i] > MOST) return false;
    }
    return true;
}

/* What goes before on every axis, then what goes after. */
static bool read_pads(const graph_node *n, window *w) {
    int64_t pads[2 * AXES];
    if (!read_axes(n, "pads", 2 * w->axes, 0, 0, pads)) return false;
    for (int i = 0; i < w->axes; i++) w->before[i] = pads[i], w->after[i] = pads[w->axes + i];
    return true;
}

static int64_t reach(const window *w, int axis) { return (w->kernel[axis] - 1) * w->dilation[axis] + 1; }

/* So much on both sides, the odd one after, or before. */
static void split(window *w, int axis, int64_t all, bool lower) {
    if (all < 0) all = 0;
    w->before[axis] = (all + lower) / 2;
    w->after[axis] = all - w->before[axis];
}

static bool read_common(const graph_node *n, const int64_t *kernel, window *w) {
    const graph_value *x = node_input(n, 0);
    *w = (window){.axes = x && x->rank >= 3 ? x->rank - 2 : 0};
    if (w->axes < 1 || w->axes > AXES) return false;
    for (int i = 0; i < w->axes; i++) {
        w->in[i] = x->shape[2 + i];
        w->kernel[i] = kernel ? kernel[i] : 0;
        if (w->in[i] < 1 || w->in[i] > MOST) return false;
    }
    if (!kernel && !read_axes(n, "kernel_shape", w->axes, 1, 1, w->kernel)) return false;
    for (int i = 0; i < w->axes; i++)
        if (w->kernel[i] < 1 || w->kernel[i] > MOST) return false;
    return read_axes(n, "strides", w->axes, 1, 1, w->stride) && read_axes(n, "dilations", w->axes, 1, 1, w->dilation) &&
           read_pads(n, w);
}

/* What is laid around the input is part of what windows go through, */
static void enter_border(const graph_node *n, window *w) {
    for (int i = 0; i < w->axes && n->border; i++) w->in[i] += n->border->before[2 + i] + n->border->after[2 + i];
}

/* and padding in the end. */
static void leave_border(const graph_node *n, window *w) {
    for (int i = 0; i < w->axes && n->border; i++) {
        w->in[i] -= n->border->before[2 + i] + n->border->after[2 + i];
        w->before[i] += n->border->before[2 + i];
        w->after[i] += n->border->after[2 + i];
    }
}

bool window_read(const graph_node *n, const int64_t *kernel, window *w) {
    if (!read_common(n, kernel, w)) return false;
    const bool lower = node_says(n, "auto_pad", "SAME_LOWER"), same = lower || node_says(n, "auto_pad", "SAME_UPPER");
    const bool ceil_mode = node_int(n, "ceil_mode", 0) != 0;
    enter_border(n, w);
    for (int i = 0; i < w->axes; i++) {
        const int64_t steps = (w->in[i] + w->stride[i] - 1) / w->stride[i];
        if (same) split(w, i, (steps - 1) * w->stride[i] + reach(w, i) - w->in[i], lower);
        const int64_t room = w->in[i] + w->before[i] + w->after[i] - reach(w, i);
        if (room < 0) return false;
        w->out[i] = (room + (ceil_mode ? w->stride[i] - 1 : 0)) / w->stride[i] + 1;
        if (ceil_mode && (w->out[i] - 1) * w->stride[i] >= w->in[i] + w->before[i]) w->out[i]--;
    }
    leave_border(n, w);
    return true;
}

/* To come to an output that is asked for, so much is cropped; what it has beyond the last position is output padding.
 */
static void crop_to(window *w, int axis, int64_t whole, int64_t out, bool lower) {
    const int64_t total = whole + w->output_padding[axis] - out;
    split(w, axis, total, lower);
    if (total < 0) w->output_padding[axis] -= total;
}

bool window_read_transposed(const graph_node *n, const int64_t *kernel, window *w) {
    if (!read_common(n, kernel, w) || !read_axes(n, "output_padding", w->axes, 0, 0, w->output_padding)) return false;
    const bool upper = node_says(n, "auto_pad", "SAME_UPPER"), same = upper || node_says(n, "auto_pad", "SAME_LOWER");
    int count;
    const int64_t *asked = node_ints(n, "output_shape", &count);
    if (asked && count != w->axes) return false;
    for (int i = 0; i < w->axes; i++) {
        const int64_t whole = (w->in[i] - 1) * w->stride[i] + reach(w, i);
        /* the odd one goes before, but where the model says otherwise */
        if (asked || same) crop_to(w, i, whole, asked ? asked[i] : w->in[i] * w->stride[i], !upper);
        w->out[i] = whole + w->output_padding[i] - w->before[i] - w->after[i];
        if (w->out[i] < 1 || w->out[i] > MOST * (int64_t)MOST || w->before[i] < 0 || w->after[i] < 0) return false;
    }
    return true;
}
