/* Layers of nodes without weights of their own: norms, softmax, means and other sizes. */
#include "import/heads.h"

#include <math.h>
#include <string.h>

static const char ELSEWHERE[] = "its axis is not that of channels", NOT_OURS[] = "no layer has its attributes";

/* Channel by channel, or all of them together. */
static const char *read_plain(const graph_node *n, layer_kind kind, import_layer *l) {
    const graph_value *x = node_input(n, 0);
    graph_view view;
    if (!x || x->rank < 0) return HEAD_UNKNOWN;
    if (!view_of(x, &view)) return "it is no tensor of N, C and up to three sizes";
    head_reads(l, &view);
    head_keeps_axes(l, &view);
    l->spec.kind = kind;
    l->spec.groups = spec_groups_of_kind(&l->spec);
    if (kind == LAYER_RESIZE) memcpy(l->spec.out_size, view.size, sizeof view.size);
    return NULL;
}

/* An axis of the model's, which counts from the end where it is negative; -1: it is none. */
static int axis_at(const graph_value *x, int64_t axis) {
    if (axis < 0) axis += x->rank;
    return axis >= 0 && axis < x->rank ? (int)axis : -1;
}

static bool goes_through_channels(const import_layer *l, int axis) {
    return axis >= 0 && view_channel_axis(l->input, &l->reads) == axis;
}

/* Through the channels, or the innermost of them: of each group. */
static bool goes_through_groups(import_layer *l, int axis) {
    const bool inner = axis >= 0 && l->reads.parts[axis] == PART_C && view_size(&l->reads, PART_C) > 1;
    l->spec.groups = inner ? l->spec.in_channels / view_size(&l->reads, PART_C) : 1;
    return inner || goes_through_channels(l, axis);
}

/* Or through positions, which are channels then. */
static bool takes_axis(import_layer *l, int axis) {
    return goes_through_groups(l, axis) || (head_turn(l) && goes_through_groups(l, axis));
}

/* Older models take all axes from one on together. */
const char *make_softmax(arena *a, const graph_node *n, import_layer *l) {
    enum { ONE_AXIS = 13 }; /* the version since which there is one */
    (void)a;
    const char *why = read_plain(n, LAYER_SOFTMAX, l);
    if (why) return why;
    const bool newer = n->opset >= ONE_AXIS;
    const int axis = axis_at(l->input, node_int(n, "axis", newer ? -1 : 1));
    if (!takes_axis(l, axis)) return ELSEWHERE;
    l->back = l->turned;
    for (int i = axis + 1; i < l->input->rank; i++)
        if (!newer && l->input->shape[i] != 1) return ELSEWHERE;
    return NULL;
}

/* ---- means ---- */

static bool names_axis(const graph_node *n, const graph_value *x, int axis) {
    const graph_value *list = node_input(n, 1);
    int count;
    const int64_t *axes = node_ints(n, "axes", &count);
    if (!axes && list && list->ints) axes = list->ints, count = (int)list->elements;
    for (int i = 0; i < count; i++)
        if (axis_at(x, axes[i]) == axis) return true;
    return !axes && !list;
}

/* Over sizes alone: a pool that is as large as they are. */
const char *make_mean(arena *a, const graph_node *n, import_layer *l) {
    (void)a;
    const char *why = read_plain(n, LAYER_AVERAGE_POOL, l);
    if (why) return why;
    const graph_value *x = l->input, *list = node_input(n, 1);
    if (list && (!list->ints || list->elements > GRAPH_MOST_RANK)) return "its axes are not known";
    const bool keeps = node_int(n, "keepdims", 1) != 0;
    int kept = 0;
    for (int i = 0; i < x->rank; i++) {
        const int parts = l->reads.parts[i];
        const bool gone = names_axis(n, x, i);
        if (gone && (parts & ~PART_SPATIAL) && x->shape[i] != 1) return "it is a mean over more than sizes";
        for (int axis = 0; axis < AXES && gone; axis++)
            if (parts & (PART_D << axis)) l->spec.kernel[axis] = l->reads.size[axis];
        if (!gone || keeps) l->view.parts[kept++] = parts;
    }
    return NULL;
}

/* ---- sizes ---- */

static bool says(const graph_node *n, const char *name, const char *word, const char *otherwise) {
    static const char *const words[] = {
        "nearest", "linear", "half_pixel",         "asymmetric",        "align_corners",
        "floor",   "ceil",   "round_prefer_floor", "round_prefer_ceil", "pytorch_half_pixel"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (node_says(n, name, words[i])) return strcmp(words[i], word) == 0;
    return !node_has(n, name) && strcmp(word, otherwise) == 0;
}

static bool read_words(const graph_node *n, bool old, cvk_spec *s) {
    static const char *const modes[] = {"nearest", "linear"},
                             *const places[] = {"half_pixel", "asymmetric", "align_corners"},
                             *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    const char where[] = "coordinate_transformation_mode", *otherwise = old ? "asymmetric" : "half_pixel";
    int mode = 0, at = 0, rounding = 0;
    while (mode < 2 && !says(n, "mode", modes[mode], "nearest")) mode++;
    while (at < 3 && !says(n, where, places[at], otherwise)) at++;
    while (rounding < 4 && !says(n, "nearest_mode", roundings[rounding], old ? "floor" : "round_prefer_floor"))
        rounding++;
    const bool torch = says(n, where, "pytorch_half_pixel", otherwise) && s->out_size[AXIS_W] > 1 &&
                       (s->rank < 2 || s->out_size[AXIS_H] > 1) && (s->rank < 3 || s->out_size[AXIS_D] > 1);
    if (torch) at = COORDINATES_HALF_PIXEL;
    s->interpolation = (interpolation)mode;
    s->coordinates = (coordinates)at;
    s->nearest = mode == INTERPOLATION_NEAREST ? (nearest_rounding)rounding : ROUNDING_PREFER_FLOOR;
    return mode < 2 && at < 3 && rounding < 4 && !node_int(n, "antialias", 0) && !node_int(n, "exclude_outside", 0);
}

/* Places are by sizes, so factors have to come to whole ones. */
static bool factors_are_exact(const graph_node *n, bool old) {
    const graph_value *factors = node_input(n, old ? 1 : 2), *x = node_input(n, 0), *y = n->out[0];
    if (!factors || !factors->floats || factors->elements != x->rank) return true;
    for (int i = 0; i < x->rank; i++)
        if ((double)x->shape[i] * (double)factors->floats[i] != (double)y->shape[i]) return false;
    return true;
}

static const char *make_sizes(const graph_node *n, import_layer *l, bool old) {
    const char *why = read_plain(n, LAYER_RESIZE, l);
    int axis[AXES];
    if (why) return why;
    const graph_value *x = l->input, *y = l->output;
    if (!y || y->rank != x->rank || !heads_axes(x, &l->reads, axis)) return "its sizes are not known";
    if (y->shape[0] != x->shape[0] || y->shape[1] != x->shape[1] || node_has(n, "axes")) return NOT_OURS;
    for (int i = 2; i < x->rank; i++) l->spec.out_size[axis[i - 2]] = y->shape[i];
    return read_words(n, old, &l->spec) && factors_are_exact(n, old) ? NULL : NOT_OURS;
}

/* With two inputs it is that of the first version that had it. */
const char *make_resize(arena *a, const graph_node *n, import_layer *l) {
    (void)a;
    return make_sizes(n, l, n->in_count < 3);
}

const char *make_upsample(arena *a, const graph_node *n, import_layer *l) {
    (void)a;
    return make_sizes(n, l, true);
}

/* ---- norms ---- */

static const char *add_affine(arena *a, import_layer *l, const graph_value *scale, const graph_value *shift) {
    const int64_t channels = l->spec.in_channels;
    if ((scale && (!scale->floats || scale->elements != channels)) ||
        (shift && (!shift->floats || shift->elements != channels)))
        return "its factors are not one number a channel";
    const bool fits = (!scale || head_add_vector(a, l, POST_SCALE, scale->floats)) &&
                      (!shift || head_add_vector(a, l, POST_SHIFT, shift->floats));
    return fits ? NULL : NOT_OURS;
}

const char *make_layer_norm(arena *a, const graph_node *n, import_layer *l) {
    const char *why = read_plain(n, LAYER_LAYER_NORM, l);
    if (why) return why;
    const int axis = axis_at(l->input, node_int(n, "axis", -1));
    if (axis != l->input->rank - 1 || !takes_axis(l, axis) || l->spec.groups > 1) return ELSEWHERE;
    for (int i = 1; i < n->out_count; i++)
        if (n->out[i] && n->out[i]->readers) return "its mean is read";
    l->spec.epsilon = n->epsilon > 0 ? n->epsilon : node_float(n, "epsilon", 1e-5);
    return add_affine(a, l, node_input(n, 1), node_input(n, 2));
}

const char *make_instance_norm(arena *a, const graph_node *n, import_layer *l) {
    const char *why = read_plain(n, LAYER_GROUP_NORM, l);
    if (why) return why;
    if (view_channel_axis(l->input, &l->reads) != 1) return ELSEWHERE;
    l->spec.groups = l->spec.in_channels;
    l->spec.epsilon = node_float(n, "epsilon", 1e-5);
    return add_affine(a, l, node_input(n, 1), node_input(n, 2));
}
