/* Shapes, operator by operator, and integers where shapes are computed with: a table. What an operator does that is not
 * in it is not known, nor what follows from it. */
#include "import/border.h"
#include "import/window.h"

#include "base/integers.h"

#include <math.h>
#include <string.h>

typedef struct result {
    arena *arena;
    int rank;
    int64_t shape[GRAPH_MOST_RANK];
    int64_t *ints; /* NULL: they are not known */
} result;

/* False: the shape is not known. */
typedef bool infer(const graph_node *n, result *r);

enum { MOST_INTS = 4096 };

static bool known(const graph_value *v) { return v && v->rank >= 0; }

static bool same_as(const graph_value *x, result *r) {
    if (!known(x)) return false;
    r->rank = x->rank;
    memcpy(r->shape, x->shape, sizeof r->shape);
    return true;
}

/* Axis of a model, which counts from the end where it is negative. */
static bool find_axis(int64_t axis, int rank, int *to) {
    if (axis < 0) axis += rank;
    *to = (int)axis;
    return axis >= 0 && axis < rank;
}

static bool infer_same(const graph_node *n, result *r) {
    const graph_value *x = node_input(n, 0);
    if (!same_as(x, r)) return false;
    if (x->ints && x->elements <= MOST_INTS && (strcmp(n->op, "Cast") == 0 || strcmp(n->op, "Identity") == 0))
        r->ints = arena_copy(r->arena, x->ints, (size_t)x->elements * sizeof *x->ints + 1);
    return true;
}

static int64_t size_from_right(const graph_value *v, int i) { return i < v->rank ? v->shape[v->rank - 1 - i] : 1; }

static int64_t combine(char op, int64_t a, int64_t b) {
    int64_t c = 0;
    if (op == 'A' && __builtin_add_overflow(a, b, &c)) return 0;
    if (op == 'S' && __builtin_sub_overflow(a, b, &c)) return 0;
    if (op == 'M' && __builtin_mul_overflow(a, b, &c)) return 0;
    if (op == 'D') return b && !(b == -1 && a == INT64_MIN) ? a / b : 0;
    return c;
}

static bool infer_broadcast(const graph_node *n, result *r) {
    const graph_value *a = node_input(n, 0), *b = node_input(n, 1);
    if (!known(a) || !known(b)) return false;
    r->rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 0; i < r->rank; i++) {
        const int64_t one = size_from_right(a, i), other = size_from_right(b, i);
        if (one != other && one != 1 && other != 1) return false;
        r->shape[r->rank - 1 - i] = one == 1 ? other : one;
    }
    const int64_t most = a->elements > b->elements ? a->elements : b->elements;
    if (!a->ints || !b->ints || r->rank > 1 || most > MOST_INTS || !a->elements || !b->elements ||
        !strchr("ASMD", n->op[0]))
        return true;
    r->ints = arena_array(r->arena, int64_t, most);
    for (int64_t i = 0; i < most; i++)
        r->ints[i] = combine(n->op[0], a->ints[i % a->elements], b->ints[i % b->elements]);
    return true;
}

static bool take_window(const graph_node *n, const window *w, int64_t channels, result *r) {
    r->rank = 2 + w->axes;
    r->shape[0] = node_input(n, 0)->shape[0];
    r->shape[1] = channels;
    memcpy(r->shape + 2, w->out, (size_t)w->axes * sizeof *w->out);
    return true;
}

static bool infer_pool(const graph_node *n, result *r) {
    window w;
    return window_read(n, NULL, &w) && take_window(n, &w, node_input(n, 0)->shape[1], r);
}

static bool infer_kernel(const graph_node *n, const graph_value *k, result *r) {
    const graph_value *x = node_input(n, 0);
    window w;
    if (!known(x) || !known(k) || k->rank != x->rank || x->rank < 3 || !window_read(n, k->shape + 2, &w)) return false;
    return take_window(n, &w, k->shape[0], r);
}

static bool infer_conv(const graph_node *n, result *r) { return infer_kernel(n, node_input(n, 1), r); }

static bool infer_transposed(const graph_node *n, result *r) {
    const graph_value *x = node_input(n, 0), *k = node_input(n, 1);
    const int64_t groups = node_int(n, "group", 1);
    window w;
    if (!known(x) || !known(k) || k->rank != x->rank || x->rank < 3 || !window_read_transposed(n, k->shape + 2, &w) ||
        groups < 1 || groups > INT32_MAX || k->shape[1] > INT32_MAX)
        return false;
    return take_window(n, &w, k->shape[1] * groups, r);
}

static bool infer_pad(const graph_node *n, result *r) {
    graph_border b;
    if (!same_as(node_input(n, 0), r) || !border_read_sizes(n, &b)) return false;
    for (int i = 0; i < r->rank; i++) r->shape[i] += b.before[i] + b.after[i];
    return true;
}

static bool infer_global_pool(const graph_node *n, result *r) {
    if (!same_as(node_input(n, 0), r)) return false;
    for (int i = 2; i < r->rank; i++) r->shape[i] = 1;
    return true;
}

/* Which axes a list names; all of them where there is none and `all`. */
static bool mark_axes(const int64_t *axes, int count, int rank, bool all, bool marked[GRAPH_MOST_RANK]) {
    for (int i = 0; i < GRAPH_MOST_RANK; i++) marked[i] = !axes && all;
    for (int i = 0, at; i < count; i++) {
        if (!find_axis(axes[i], rank, &at)) return false;
        marked[at] = true;
    }
    return true;
}

/* Which of its input's axes a node is to do without: all, where it names none. */
static bool find_gone(const graph_node *n, bool gone[GRAPH_MOST_RANK]) {
    const graph_value *x = node_input(n, 0);
    int count;
    const int64_t *axes = node_list(n, "axes", 1, &count);
    return known(x) && (axes || !node_input(n, 1)) && mark_axes(axes, count, x->rank, true, gone);
}

static bool infer_reduce(const graph_node *n, result *r) {
    const graph_value *x = node_input(n, 0);
    bool gone[GRAPH_MOST_RANK];
    if (!find_gone(n, gone)) return false;
    for (int i = 0; i < x->rank; i++)
        if (!gone[i])
            r->shape[r->rank++] = x->shape[i];
        else if (node_int(n, "keepdims", 1))
            r->shape[r->rank++] = 1;
    return true;
}

static bool copy_ints(const graph_value *x, result *r) {
    if (x->ints && x->elements <= MOST_INTS)
        r->ints = arena_copy(r->arena, x->ints, (size_t)x->elements * sizeof *x->ints + 1);
    return true;
}

static bool infer_squeeze(const graph_node *n, result *r) {
    const graph_value *x = node_input(n, 0);
    bool gone[GRAPH_MOST_RANK];
    if (!find_gone(n, gone)) return false;
    for (int i = 0; i < x->rank; i++)
        if (!gone[i] || x->shape[i] != 1) r->shape[r->rank++] = x->shape[i];
    return copy_ints(x, r);
}

static bool infer_unsqueeze(const graph_node *n, result *r) {
    const graph_value *x = node_input(n, 0);
    bool fresh[GRAPH_MOST_RANK];
    int count;
    const int64_t *axes = node_list(n, "axes", 1, &count);
    if (!known(x) || !axes || x->rank + count > GRAPH_MOST_RANK ||
        !mark_axes(axes, count, x->rank + count, false, fresh))
        return false;
    for (int i = 0, from = 0; i < x->rank + count; i++) {
        if (!fresh[i] && from == x->rank) return false;
        r->shape[r->rank++] = fresh[i] ? 1 : x->shape[from++];
    }
    return copy_ints(x, r);
}

/* Of each output its own: the rows of others are of one. */
static void infer_split(const graph_node *n) {
    const graph_value *x = node_input(n, 0);
    int axis, count;
    if (!known(x) || !find_axis(node_int(n, "axis", 0), x->rank, &axis) || n->out_count < 1) return;
    const int64_t *given = node_list(n, "split", 1, &count), even = (x->shape[axis] + n->out_count - 1) / n->out_count;
    int64_t shape[GRAPH_MOST_RANK], left = x->shape[axis];
    if (given ? count != n->out_count : node_input(n, 1) != NULL) return;
    memcpy(shape, x->shape, sizeof shape);
    for (int i = 0; i < n->out_count; i++) {
        shape[axis] = given ? given[i] : left < even ? left : even;
        if (shape[axis] < 0 || shape[axis] > left) return;
        left -= shape[axis];
        if (n->out[i] && n->out[i]->rank < 0 && n->out[i]->maker == n) value_set_shape(n->out[i], x->rank, shape);
    }
}

static bool infer_shape(const graph_node *n, result *r) {
    const graph_value *x = node_input(n, 0);
    if (!known(x)) return false;
    r->rank = 1;
    r->shape[0] = x->rank;
    r->ints = arena_copy(r->arena, x->shape, sizeof x->shape);
    return true;
}

static bool append_ints(const graph_value *x, result *r, int64_t at) {
    if (!x->ints || x->rank > 1 || at + x->elements > MOST_INTS) return false;
    memcpy(r->ints + at, x->ints, (size_t)x->elements * sizeof *x->ints);
    return true;
}

static bool infer_concat(const graph_node *n, result *r) {
    int axis;
    if (!same_as(node_input(n, 0), r) || !find_axis(node_int(n, "axis", 0), r->rank, &axis)) return false;
    bool ints = r->rank == 1;
    int64_t all = 0;
    if (ints) r->ints = arena_array(r->arena, int64_t, MOST_INTS);
    for (int i = 0; i < n->in_count; i++) {
        const graph_value *x = node_input(n, i);
        if (!known(x) || x->rank != r->rank) return false;
        ints = ints && append_ints(x, r, all);
        if (__builtin_add_overflow(all, x->shape[axis], &all)) return false;
    }
    r->shape[axis] = all;
    if (!ints) r->ints = NULL;
    return true;
}

/* How many elements a slice takes of an axis, and the first; backwards with a step below 0, down to before `end`. */
static int64_t slice(int64_t size, int64_t start, int64_t end, int64_t step, int64_t *first) {
    const bool back = step < 0 && size;
    if (start < 0) start += size;
    if (end < 0) end += size;
    start = nearest_in(start, 0, size - back);
    end = nearest_in(end, -(int64_t)back, size);
    *first = start;
    const int64_t reach = back ? start - end : end - start, by = step < 0 ? -step : step;
    return reach > 0 ? (reach + by - 1) / by : 0;
}

/* So many rows of integers, from one on. */
static int64_t *rows_of(arena *a, const graph_value *x, int64_t first, int64_t by, int64_t count) {
    const int64_t each = x->shape[0] ? x->elements / x->shape[0] : 0;
    if (!x->ints || !each || count > MOST_INTS / each) return NULL;
    int64_t *rows = arena_array(a, int64_t, count *each + 1);
    for (int64_t i = 0; i < count; i++)
        memcpy(rows + i * each, x->ints + (first + i * by) * each, (size_t)each * sizeof *rows);
    return rows;
}

static bool infer_slice(const graph_node *n, result *r) {
    const graph_value *x = node_input(n, 0);
    int starts, ends, axes, steps;
    const int64_t *start = node_list(n, "starts", 1, &starts), *end = node_list(n, "ends", 2, &ends),
                  *axis = node_list(n, "axes", 3, &axes), *step = node_list(n, "steps", 4, &steps);
    int64_t first = 0, by = 1;
    int at = 0;
    if (!same_as(x, r) || !start || !end || starts != ends || (axis && axes != starts) || (step && steps != starts))
        return false;
    for (int i = 0; i < starts; i++) {
        by = step ? step[i] : 1;
        if (!find_axis(axis ? axis[i] : i, x->rank, &at) || by == 0 || by < -INT32_MAX || by > INT32_MAX) return false;
        r->shape[at] = slice(x->shape[at], start[i], end[i], by, &first);
    }
    if (starts == 1 && at == 0) r->ints = rows_of(r->arena, x, first, by, r->shape[0]);
    return true;
}

static bool infer_gather(const graph_node *n, result *r) {
    const graph_value *x = node_input(n, 0), *at = node_input(n, 1);
    int axis;
    if (!known(x) || !known(at) || !find_axis(node_int(n, "axis", 0), x->rank, &axis) ||
        x->rank - 1 + at->rank > GRAPH_MOST_RANK)
        return false;
    for (int i = 0; i < axis; i++) r->shape[r->rank++] = x->shape[i];
    for (int i = 0; i < at->rank; i++) r->shape[r->rank++] = at->shape[i];
    for (int i = axis + 1; i < x->rank; i++) r->shape[r->rank++] = x->shape[i];
    if (!x->ints || x->rank != 1 || !at->ints || at->elements > MOST_INTS) return true;
    r->ints = arena_array(r->arena, int64_t, at->elements + 1);
    for (int64_t i = 0; i < at->elements; i++) {
        const int64_t k = at->ints[i] < 0 ? at->ints[i] + x->elements : at->ints[i];
        if (k < 0 || k >= x->elements) return false;
        r->ints[i] = x->ints[k];
    }
    return true;
}

static bool infer_reshape(const graph_node *n, result *r) {
    const graph_value *x = node_input(n, 0), *to = node_input(n, 1);
    int64_t left = known(x) ? x->elements : 0, made = 1;
    int open = -1;
    if (!known(x) || !to || !to->ints || to->elements > GRAPH_MOST_RANK) return false;
    for (int i = 0; i < to->elements; i++) {
        const int64_t size = to->ints[i] == 0 && i < x->rank ? x->shape[i] : to->ints[i];
        r->shape[r->rank++] = size;
        if (size == -1 && open < 0)
            open = i;
        else if (size < 0 || __builtin_mul_overflow(made, size, &made))
            return false;
    }
    if (open >= 0) r->shape[open] = made ? left / made : 0;
    return open >= 0 ? made > 0 && left % made == 0 && copy_ints(x, r) : made == left && copy_ints(x, r);
}

static bool infer_flatten(const graph_node *n, result *r) {
    const graph_value *x = node_input(n, 0);
    int64_t axis = node_int(n, "axis", 1);
    if (!known(x)) return false;
    if (axis < 0) axis += x->rank;
    if (axis < 0 || axis > x->rank) return false;
    r->rank = 2;
    r->shape[0] = r->shape[1] = 1;
    bool sound = true;
    for (int i = 0; i < x->rank; i++)
        sound &= !__builtin_mul_overflow(r->shape[i >= axis], x->shape[i], &r->shape[i >= axis]);
    return sound;
}

/* A table of integers, its rows as columns where it is to be. */
static int64_t *turned(arena *a, const graph_value *x, bool turn) {
    int64_t *to = arena_array(a, int64_t, x->elements + 1);
    const int64_t rows = x->shape[0], columns = x->shape[1];
    for (int64_t i = 0; i < x->elements; i++) to[turn ? i % columns * rows + i / columns : i] = x->ints[i];
    return to;
}

static bool infer_transpose(const graph_node *n, result *r) {
    const graph_value *x = node_input(n, 0);
    int count;
    const int64_t *order = node_ints(n, "perm", &count);
    if (!known(x) || (order && count != x->rank)) return false;
    r->rank = x->rank;
    int first = 0;
    bool taken[GRAPH_MOST_RANK] = {false};
    for (int i = 0, at; i < x->rank; i++) {
        if (!find_axis(order ? order[i] : x->rank - 1 - i, x->rank, &at) || taken[at]) return false;
        r->shape[i] = x->shape[at];
        taken[at] = true;
        if (i == 0) first = at;
    }
    if (x->rank == 2 && x->ints && x->elements <= MOST_INTS) r->ints = turned(r->arena, x, first == 1);
    return true;
}

/* As many of one integer as its input says. */
static bool infer_filled(const graph_node *n, result *r) {
    const graph_value *sizes = node_input(n, 0), *of = node_input(n, 1);
    int64_t count = 1;
    if (!sizes || !sizes->ints || sizes->rank != 1 || sizes->elements > GRAPH_MOST_RANK) return false;
    for (int i = 0; i < sizes->elements; i++) {
        r->shape[r->rank++] = sizes->ints[i];
        if (sizes->ints[i] < 0 || __builtin_mul_overflow(count, sizes->ints[i], &count)) return false;
    }
    if (!of || !of->ints || of->elements != 1 || count > MOST_INTS) return true;
    r->ints = arena_array(r->arena, int64_t, count + 1);
    for (int64_t i = 0; i < count; i++) r->ints[i] = of->ints[0];
    return true;
}

static bool infer_gemm(const graph_node *n, result *r) {
    const graph_value *a = node_input(n, 0), *b = node_input(n, 1);
    if (!known(a) || !known(b) || a->rank != 2 || b->rank != 2) return false;
    r->rank = 2;
    r->shape[0] = a->shape[node_int(n, "transA", 0) != 0];
    r->shape[1] = b->shape[node_int(n, "transB", 0) == 0];
    return true;
}

static bool infer_matmul(const graph_node *n, result *r) {
    const graph_value *a = node_input(n, 0), *b = node_input(n, 1);
    if (!known(a) || !known(b) || a->rank < 2 || b->rank < 2 || a->shape[a->rank - 1] != b->shape[b->rank - 2])
        return false;
    r->rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 2; i < r->rank; i++) {
        const int64_t one = size_from_right(a, i), other = size_from_right(b, i);
        if (one != other && one != 1 && other != 1) return false;
        r->shape[r->rank - 1 - i] = one == 1 ? other : one;
    }
    r->shape[r->rank - 2] = a->shape[a->rank - 2];
    r->shape[r->rank - 1] = b->shape[b->rank - 1];
    return true;
}

/* By the last input that is there: sizes, or scales. */
static bool infer_resize(const graph_node *n, result *r) {
    const graph_value *x = node_input(n, 0), *sizes = node_input(n, 3),
                      *scales = node_input(n, n->in_count > 2 ? 2 : 1);
    if (!same_as(x, r)) return false;
    const bool sized = sizes && sizes->ints && sizes->elements == x->rank;
    if (!sized && (!scales || !scales->floats || scales->elements != x->rank)) return false;
    for (int i = 0; i < x->rank; i++) {
        const double scaled = sized ? (double)sizes->ints[i] : floor((double)x->shape[i] * (double)scales->floats[i]);
        if (!(scaled >= 0 && scaled <= INT32_MAX)) return false;
        r->shape[i] = (int64_t)scaled;
    }
    return true;
}

static const struct {
    const char *op;
    infer *infer;
} ROWS[] = {
    {"Conv", infer_conv},
    {"ConvTranspose", infer_transposed},
    {"Gemm", infer_gemm},
    {"MatMul", infer_matmul},
    {"MaxPool", infer_pool},
    {"AveragePool", infer_pool},
    {"LpPool", infer_pool},
    {"Pad", infer_pad},
    {"GlobalAveragePool", infer_global_pool},
    {"GlobalMaxPool", infer_global_pool},
    {"ReduceMean", infer_reduce},
    {"ReduceSum", infer_reduce},
    {"ReduceMax", infer_reduce},
    {"ReduceMin", infer_reduce},
    {"ReduceL2", infer_reduce},
    {"Squeeze", infer_squeeze},
    {"Unsqueeze", infer_unsqueeze},
    {"Shape", infer_shape},
    {"ConstantOfShape", infer_filled},
    {"Concat", infer_concat},
    {"Slice", infer_slice},
    {"Gather", infer_gather},
    {"Reshape", infer_reshape},
    {"Flatten", infer_flatten},
    {"Transpose", infer_transpose},
    {"Resize", infer_resize},
    {"Upsample", infer_resize},
    {"Add", infer_broadcast},
    {"Sub", infer_broadcast},
    {"Mul", infer_broadcast},
    {"Div", infer_broadcast},
    {"Pow", infer_broadcast},
    {"Max", infer_broadcast},
    {"Min", infer_broadcast},
    {"PRelu", infer_same},
    {"BatchNormalization", infer_same},
    {"InstanceNormalization", infer_same},
    {"LayerNormalization", infer_same},
    {"LRN", infer_same},
    {"Softmax", infer_same},
    {"LogSoftmax", infer_same},
    {"QuantizeLinear", infer_same},
    {"DequantizeLinear", infer_same},
    {"Relu", infer_same},
    {"Clip", infer_same},
    {"LeakyRelu", infer_same},
    {"Sigmoid", infer_same},
    {"HardSigmoid", infer_same},
    {"HardSwish", infer_same},
    {"Tanh", infer_same},
    {"Elu", infer_same},
    {"Selu", infer_same},
    {"Softplus", infer_same},
    {"Softsign", infer_same},
    {"Gelu", infer_same},
    {"Mish", infer_same},
    {"Erf", infer_same},
    {"Sqrt", infer_same},
    {"Exp", infer_same},
    {"Log", infer_same},
    {"Neg", infer_same},
    {"Abs", infer_same},
    {"Floor", infer_same},
    {"Ceil", infer_same},
    {"Reciprocal", infer_same},
    {"Identity", infer_same},
    {"Dropout", infer_same},
    {"Cast", infer_same},
};

static void infer_node(arena *a, const graph_node *n) {
    graph_value *out = n->out_count ? n->out[0] : NULL;
    result r = {.arena = a};
    for (size_t i = 0; out && out->rank < 0 && i < sizeof ROWS / sizeof *ROWS; i++) {
        if (strcmp(ROWS[i].op, n->op) != 0) continue;
        if (ROWS[i].infer(n, &r) && value_set_shape(out, r.rank, r.shape)) out->ints = r.ints;
        return;
    }
}

void graph_infer_shapes(graph *g) {
    for (size_t i = 0; i < g->node_count; i++)
        if (strcmp(g->nodes[i].op, "Split") == 0)
            infer_split(&g->nodes[i]);
        else
            infer_node(g->arena, &g->nodes[i]);
}
