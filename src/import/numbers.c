/* What is done to a tensor by a constant that has a number for each position, or for each position of each channel: a
 * layer of the tensor turned round, whose channels are the positions; or one behind the other all of them. */
#include "import/heads.h"

#include <string.h>

typedef struct operation {
    const char *op;
    bool second; /* the tensor is the second operand */
    bool turns;  /* its sign */
    post_kind kind;
    float (*number)(float);
} operation;

static float same(float x) { return x; }
static float negative(float x) { return -x; }
static float inverse(float x) { return 1 / x; }

static const operation ROWS[] = {
    {"Add", false, false, POST_SHIFT, same},     {"Add", true, false, POST_SHIFT, same},
    {"Sub", false, false, POST_SHIFT, negative}, {"Sub", true, true, POST_SHIFT, same},
    {"Mul", false, false, POST_SCALE, same},     {"Mul", true, false, POST_SCALE, same},
    {"Div", false, false, POST_SCALE, inverse},
};

/* Where the constant has the number of each element of the value; false: it has more. */
static bool spread(const graph_value *constant, const graph_value *v, int64_t *at) {
    if (constant->rank > v->rank) return false;
    for (int64_t e = 0; e < v->elements; e++) {
        int64_t left = e, step = 1;
        at[e] = 0;
        for (int i = v->rank - 1, k = constant->rank - 1; i >= 0; i--, k--) {
            const int64_t own = left % v->shape[i];
            left /= v->shape[i];
            if (k < 0) continue;
            if (constant->shape[k] != 1 && constant->shape[k] != v->shape[i]) return false;
            at[e] += constant->shape[k] == 1 ? 0 : own * step;
            step *= constant->shape[k];
        }
    }
    return true;
}

/* The number of each position of each channel, channels counted fastest; false: images differ. */
static bool find_numbers(arena *a, const graph_value *constant, const graph_value *v, const graph_view *view,
                         float *to) {
    int64_t *at = arena_array(a, int64_t, 3 * v->elements), *channel = at + v->elements,
            *position = channel + v->elements;
    const int64_t image = view->channels * view_positions(view);
    bool *known = arena_array(a, bool, image);
    if (!spread(constant, v, at)) return false;
    view_places(v, view, channel, position);
    for (int64_t e = 0; e < v->elements; e++) {
        const int64_t i = position[e] * view->channels + channel[e];
        const float number = constant->floats[at[e]];
        if (known[i] && to[i] != number) return false;
        to[i] = number;
        known[i] = true;
    }
    return true;
}

/* Whether the numbers of a position are one, which the first of so many for each is then. */
static bool is_by_position(float *number, int64_t positions, int64_t channels) {
    for (int64_t p = 0; p < positions; p++)
        for (int64_t c = 1; c < channels; c++)
            if (number[p * channels + c] != number[p * channels]) return false;
    for (int64_t p = 0; p < positions; p++) number[p] = number[p * channels];
    return true;
}

static void read_flat(import_layer *l) {
    graph_view flat = l->reads;
    flat.channels = l->reads.channels * view_positions(&l->reads);
    flat.rank = 1;
    flat.size[AXIS_D] = flat.size[AXIS_H] = flat.size[AXIS_W] = 1;
    flat.outer = flat.middle = 1;
    memset(flat.parts, 0, sizeof flat.parts);
    l->reads = flat;
    l->flat = true;
}

static const char *make(arena *a, const graph_node *n, const graph_value *x, const graph_value *constant,
                        const operation *how, import_layer *l) {
    layer_begin(n, x, l);
    l->reads = *x->view;
    const int64_t channels = x->view->channels, positions = view_positions(x->view);
    float *number = arena_array(a, float, channels *positions);
    if (!find_numbers(a, constant, x, x->view, number) || !head_turn(l)) return "its constant is not one an element";
    l->back = is_by_position(number, positions, channels);
    if (!l->back) read_flat(l);
    layer_identity(l);
    for (int64_t i = 0; i < l->spec.out_channels; i++) number[i] = how->number(number[i]);
    if (how->turns) head_add_post(l, (post_op){.kind = POST_TIMES, .a = -1});
    return head_add_vector(a, l, how->kind, number) ? NULL : "no layer has its operands";
}

const char *layer_of_numbers(arena *a, graph_node *n, import_layer *l) {
    enum { MOST = 1 << 22, MOST_CHANNELS = 1 << 20 };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const operation *how = &ROWS[i];
        const graph_value *x = node_input(n, how->second), *constant = node_input(n, !how->second);
        if (strcmp(how->op, n->op) != 0 || !x || !x->view || !constant || !constant->floats) continue;
        const graph_value *y = n->out_count ? n->out[0] : NULL;
        const bool same_shape =
            y && y->rank == x->rank && memcmp(x->shape, y->shape, sizeof *x->shape * (size_t)x->rank) == 0;
        if (!same_shape || x->elements < 1 || x->elements > MOST ||
            x->view->channels * view_positions(x->view) > MOST_CHANNELS)
            continue;
        const char *why = make(a, n, x, constant, how, l);
        if (why) return why;
        n->why = spec_post_name(how->kind);
        l->output = y;
        return NULL;
    }
    return layer_why_not(n);
}
