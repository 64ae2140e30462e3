/* Views: axes of values as parts of tensors. Axes of size 1 go through nothing, and may stand anywhere. */
#include "import/view.h"

#include <string.h>

enum { PARTS = 5, MOST_ATOMS = GRAPH_MOST_RANK * PARTS };

int64_t view_size(const graph_view *view, int part) {
    switch (part) {
    case PART_N: return view->batch;
    case PART_C: return view->channels;
    case PART_D: return view->size[AXIS_D];
    case PART_H: return view->size[AXIS_H];
    default: return view->size[AXIS_W];
    }
}

/* ---- of a value by itself ---- */

static bool view_plain(const graph_value *v, int channel_axis, graph_view *to) {
    *to = (graph_view){.batch = 1, .channels = 1, .size = {1, 1, 1}};
    if (v->rank < 2 || v->rank > 2 + AXES || v->elements < 1) return false;
    to->rank = v->rank > 2 ? v->rank - 2 : 1;
    to->batch = v->shape[0];
    to->channels = v->shape[channel_axis];
    to->parts[0] = PART_N;
    to->parts[channel_axis] = PART_C;
    for (int i = 1, axis = AXES - (v->rank - 2); i < v->rank; i++) {
        if (i == channel_axis) continue;
        to->parts[i] = PART_D << axis;
        to->size[axis++] = v->shape[i];
    }
    return true;
}

bool view_first(const graph_value *v, graph_view *to) { return view_plain(v, 1, to); }
bool view_last(const graph_value *v, graph_view *to) { return view_plain(v, v->rank - 1, to); }

bool view_of(const graph_value *v, graph_view *to) {
    if (v->view) *to = *v->view;
    return v->view || view_first(v, to);
}

/* ---- regrouping ---- */

/* One part of a tensor that is larger than 1. */
typedef struct atom {
    int part;
    int64_t size;
} atom;

/* Those that a value goes through, outermost first. */
static int find_atoms(const graph_value *v, const graph_view *view, atom *to) {
    int count = 0;
    for (int i = 0; i < v->rank; i++)
        for (int part = PART_N; part <= PART_W; part *= 2)
            if ((view->parts[i] & part) && view_size(view, part) > 1) to[count++] = (atom){part, view_size(view, part)};
    return count;
}

/* An axis of size 1 stands for a part of size 1 that has its place. */
static void settle_ones(const graph_value *v, graph_view *view) {
    for (int i = 0; i < v->rank && i < 2; i++) {
        const int part = i ? PART_C : PART_N;
        bool used = false;
        for (int k = 0; k < v->rank; k++) used |= (view->parts[k] & part) != 0;
        if (!view->parts[i] && !used && view_size(view, part) == 1) view->parts[i] = part;
    }
}

/* Each axis takes as many of the atoms as its size is the product of, in their order; false: it would split one. */
static bool regroup(const graph_value *from, const graph_value *to, graph_view *view) {
    atom atoms[MOST_ATOMS];
    const int count = find_atoms(from, view, atoms);
    int next = 0;
    memset(view->parts, 0, sizeof view->parts);
    for (int i = 0; i < to->rank; i++) {
        int64_t left = to->shape[i];
        for (; left > 1 && next < count && left % atoms[next].size == 0; left /= atoms[next++].size) {
            if (view->parts[i] >= atoms[next].part) return false;
            view->parts[i] |= atoms[next].part;
        }
        if (left != 1) return false;
    }
    settle_ones(to, view);
    return next == count;
}

static bool transpose(const graph_node *n, graph_view *view) {
    const graph_value *x = node_input(n, 0);
    const graph_view before = *view;
    int count;
    const int64_t *order = node_ints(n, "perm", &count);
    if (order && count != x->rank) return false;
    for (int i = 0; i < x->rank; i++) {
        const int64_t from = order ? order[i] : x->rank - 1 - i;
        if (from < 0 || from >= x->rank) return false;
        view->parts[i] = before.parts[from];
    }
    return true;
}

static const char *const KEEPING[] = {"Identity", "Dropout", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze"};

enum { TO_FLOAT = 1, TO_HALF = 10 }; /* which is a float here, too */

bool view_keeps_elements(const graph_node *n) {
    bool keeps = strcmp(n->op, "Transpose") == 0;
    for (size_t i = 0; i < sizeof KEEPING / sizeof *KEEPING; i++) keeps |= strcmp(n->op, KEEPING[i]) == 0;
    return keeps && (strcmp(n->op, "Cast") != 0 || node_int(n, "to", 0) == TO_FLOAT || node_int(n, "to", 0) == TO_HALF);
}

bool view_of_node(const graph_node *n, const graph_view *input, graph_view *to) {
    const graph_value *x = node_input(n, 0), *y = n->out_count ? n->out[0] : NULL;
    if (!view_keeps_elements(n) || !x || x->rank < 0 || !y || y->rank < 0 || x->elements != y->elements) return false;
    *to = *input;
    return strcmp(n->op, "Transpose") == 0 ? transpose(n, to) : regroup(x, y, to);
}

/* ---- questions ---- */

int view_channel_axis(const graph_value *v, const graph_view *view) {
    for (int i = 0; i < v->rank; i++)
        if (view->parts[i] == PART_C) return i;
    return -1;
}

bool views_agree(const graph_value *a, const graph_view *of_a, const graph_value *b, const graph_view *of_b) {
    bool agree = a->rank == b->rank && of_a->rank == of_b->rank && of_a->batch == of_b->batch &&
                 of_a->channels == of_b->channels && memcmp(of_a->size, of_b->size, sizeof of_a->size) == 0;
    for (int i = 0; agree && i < a->rank; i++)
        agree = a->shape[i] == b->shape[i] && (a->shape[i] == 1 || of_a->parts[i] == of_b->parts[i]);
    return agree;
}

static bool is_in_order(const atom *atoms, int count, const int *order) {
    int next = 0;
    for (int i = 0; i < PARTS && next < count; i++) next += atoms[next].part == order[i];
    return next == count;
}

bool view_layout(const graph_value *v, const graph_view *view, cvk_layout *layout) {
    static const int first[] = {PART_N, PART_C, PART_D, PART_H, PART_W},
                     last[] = {PART_N, PART_D, PART_H, PART_W, PART_C};
    atom atoms[MOST_ATOMS];
    const int count = find_atoms(v, view, atoms);
    *layout = is_in_order(atoms, count, first) ? CVK_CHANNELS_FIRST : CVK_CHANNELS_LAST;
    return is_in_order(atoms, count, first) || is_in_order(atoms, count, last);
}
