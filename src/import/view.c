/* Views: axes of values as parts of tensors. Axes of size 1 go through nothing, and may stand anywhere. */
#include "import/view.h"

#include <string.h>

enum { PARTS = 7, MOST_CHANNELS = 1 << 20, MOST_ATOMS = GRAPH_MOST_RANK * PARTS };

static int64_t at_least_one(int64_t size) { return size ? size : 1; }

int64_t view_size(const graph_view *view, int part) {
    switch (part) {
    case PART_N: return view->batch;
    case PART_A: return at_least_one(view->outer);
    case PART_B: return at_least_one(view->middle);
    case PART_C: return view->channels / at_least_one(view->outer) / at_least_one(view->middle);
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

/* So many of an atom of channels become one by themselves; the others stay. */
static bool split(atom *of, int64_t first, graph_view *view, int *part) {
    const bool outermost = of->part == PART_A || (of->part == PART_C && view_size(view, PART_A) == 1);
    if (!(of->part & PART_CHANNELS) || of->size % first || view_size(view, PART_B) > 1) return false;
    *part = outermost ? PART_A : PART_B;
    if (of->part == PART_A) view->middle = of->size / first, of->part = PART_B;
    *(outermost ? &view->outer : &view->middle) = first;
    of->size /= first;
    return true;
}

void view_join(const graph_value *v, graph_view *view) {
    const int axis = view_channel_axis(v, view);
    if (axis < 0) return;
    view->outer = view->middle = 1;
    for (int i = 0; i < v->rank; i++) view->parts[i] &= ~PART_CHANNELS;
    view->parts[axis] = PART_C;
}

/* Each axis takes as many of the atoms as its size is the product of, in their order; false: it would split one that is
 * not of channels. */
static bool regroup(const graph_value *from, const graph_value *to, graph_view *view) {
    atom atoms[MOST_ATOMS];
    const int count = find_atoms(from, view, atoms);
    int next = 0, part;
    memset(view->parts, 0, sizeof view->parts);
    for (int i = 0; i < to->rank; i++) {
        int64_t left = to->shape[i];
        for (; left > 1 && next < count && left % atoms[next].size == 0; left /= atoms[next++].size) {
            if (view->parts[i] >= atoms[next].part) return false;
            view->parts[i] |= atoms[next].part;
        }
        if (left > 1 && next < count && split(&atoms[next], left, view, &part)) {
            if (view->parts[i] >= part) return false;
            view->parts[i] |= part;
            left = 1;
        }
        if (left != 1) return false;
    }
    settle_ones(to, view);
    view_join(to, view);
    return next == count;
}

int64_t view_positions(const graph_view *view) { return view->size[AXIS_D] * view->size[AXIS_H] * view->size[AXIS_W]; }

bool view_turn(const graph_value *v, const graph_view *view, graph_view *turned) {
    static const int from[] = {PART_N, PART_A, PART_B, PART_C, PART_D, PART_H, PART_W},
                     to[] = {PART_N, PART_D, PART_H, PART_W, PART_A, PART_B, PART_C};
    const graph_view x = *view;
    *turned = x;
    turned->tensor = NULL;
    turned->channels = view_positions(&x);
    turned->outer = x.size[AXIS_D];
    turned->middle = x.size[AXIS_H];
    for (int axis = 0; axis < AXES; axis++) turned->size[axis] = view_size(&x, PART_A << axis);
    turned->rank = turned->size[AXIS_D] > 1 ? 3 : turned->size[AXIS_H] > 1 ? 2 : 1;
    for (int i = 0; i < v->rank; i++) {
        turned->parts[i] = 0;
        for (int k = 0; k < PARTS; k++)
            if (x.parts[i] & from[k]) turned->parts[i] |= to[k];
    }
    view_join(v, turned);
    return turned->channels <= MOST_CHANNELS && x.channels <= MOST_CHANNELS;
}

/* Parts of channels in the order in which a value goes through them. */
static int channel_parts(const graph_value *v, const graph_view *view, int *part) {
    atom atoms[MOST_ATOMS];
    const int all = find_atoms(v, view, atoms);
    int count = 0;
    for (int i = 0; i < all; i++)
        if (atoms[i].part & PART_CHANNELS) part[count++] = atoms[i].part;
    return count;
}

bool view_rotate(const graph_value *v, const graph_view *view, int64_t *outermost, graph_view *rotated) {
    int part[MOST_ATOMS], first = 0;
    const int count = channel_parts(v, view, part);
    for (int i = 0; i < count; i++)
        if (part[i] < part[first]) first = i;
    *rotated = *view;
    rotated->tensor = NULL;
    *outermost = 1;
    for (int i = 0; i < count; i++) {
        const int at = (first + i) % count, next = part[(at + 1) % count];
        if (i + 1 < count && part[at] >= next) return false; /* no rotation of their own order */
        if (at >= first) *outermost *= view_size(view, part[at]);
    }
    if (!first) return false;
    rotated->outer = view_size(view, part[0]);
    rotated->middle = count > 2 ? view_size(view, part[1]) : 1;
    for (int k = 0; k < v->rank; k++) {
        rotated->parts[k] &= ~PART_CHANNELS;
        for (int i = 0; i < count; i++)
            if (view->parts[k] & part[i]) rotated->parts[k] |= i == 0 ? PART_A : i + 1 < count ? PART_B : PART_C;
    }
    return true;
}

/* What is counted within a group of parts: one behind the other. */
static int64_t count_in(const graph_view *view, const int64_t *index, int parts) {
    int64_t at = 0;
    for (int k = 0; k < PARTS; k++)
        if (parts & (1 << k)) at = at * view_size(view, 1 << k) + index[k];
    return at;
}

void view_places(const graph_value *v, const graph_view *view, int64_t *channel, int64_t *position) {
    for (int64_t e = 0; e < v->elements; e++) {
        int64_t left = e, index[PARTS] = {0};
        for (int i = v->rank - 1; i >= 0; i--) {
            int64_t own = left % v->shape[i];
            left /= v->shape[i];
            for (int k = PARTS - 1; k >= 0; k--) {
                if (!(view->parts[i] & (1 << k))) continue;
                index[k] = own % view_size(view, 1 << k);
                own /= view_size(view, 1 << k);
            }
        }
        channel[e] = count_in(view, index, PART_CHANNELS);
        position[e] = count_in(view, index, PART_SPATIAL);
    }
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

bool view_keeps_elements(const graph_node *n) {
    bool keeps = strcmp(n->op, "Transpose") == 0;
    for (size_t i = 0; i < sizeof KEEPING / sizeof *KEEPING; i++) keeps |= strcmp(n->op, KEEPING[i]) == 0;
    return keeps && n->in_count && n->in[0] && n->out_count && n->out[0] && n->in[0]->type == n->out[0]->type;
}

bool view_of_node(const graph_node *n, const graph_view *input, graph_view *to) {
    const graph_value *x = node_input(n, 0), *y = n->out_count ? n->out[0] : NULL;
    if (!view_keeps_elements(n) || !x || x->rank < 0 || !y || y->rank < 0 || x->elements != y->elements) return false;
    *to = *input;
    return strcmp(n->op, "Transpose") == 0 ? transpose(n, to) : regroup(x, y, to);
}

/* ---- questions ---- */

int view_axis_of(const graph_value *v, const graph_view *view, int parts) {
    int wanted = 0;
    for (int part = PART_N; part <= PART_W; part *= 2)
        if ((parts & part) && view_size(view, part) > 1) wanted |= part;
    for (int i = 0; i < v->rank && wanted; i++)
        if ((view->parts[i] & wanted) == wanted && !(view->parts[i] & ~parts)) return i;
    return -1;
}

int view_channel_axis(const graph_value *v, const graph_view *view) {
    const int axis = view_axis_of(v, view, PART_CHANNELS);
    for (int i = 0; i < v->rank && axis < 0 && view->channels == 1; i++)
        if (view->parts[i] == PART_C) return i;
    return axis;
}

bool views_agree(const graph_value *a, const graph_view *of_a, const graph_value *b, const graph_view *of_b) {
    bool agree = a->rank == b->rank && of_a->rank == of_b->rank && of_a->batch == of_b->batch &&
                 of_a->channels == of_b->channels && view_size(of_a, PART_A) == view_size(of_b, PART_A) &&
                 view_size(of_a, PART_B) == view_size(of_b, PART_B) &&
                 memcmp(of_a->size, of_b->size, sizeof of_a->size) == 0;
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
    static const int first[] = {PART_N, PART_A, PART_B, PART_C, PART_D, PART_H, PART_W},
                     last[] = {PART_N, PART_D, PART_H, PART_W, PART_A, PART_B, PART_C};
    atom atoms[MOST_ATOMS];
    const int count = find_atoms(v, view, atoms);
    *layout = is_in_order(atoms, count, first) ? CVK_CHANNELS_FIRST : CVK_CHANNELS_LAST;
    return is_in_order(atoms, count, first) || is_in_order(atoms, count, last);
}
