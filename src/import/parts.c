/* Nodes that compute nothing: parts of tensors, tensors beside one another, and tensors turned round. Along channels;
 * of channels that are counted in parts, along the outermost; or along positions, all of them as one or the first size.
 */
#include "import/layers.h"
#include "spec/limits.h"

#include <string.h>

/* ---- turned ---- */

static const char *const *one_name(arena *a, const char *name) { return arena_copy(a, &name, sizeof name); }

const char *network_reshape(graph *g, import_layers *layers, const graph_node *n, const char *tensor,
                            const graph_view *to, const char *word) {
    const import_item item = {
        .node = n, .kind = GRAPH_RESHAPE, .reads = one_name(g->arena, tensor), .read_count = 1, .shape = *to};
    return network_add_item(g, layers, arena_format(g->arena, "%s_%s", tensor, word), item);
}

/* As one row of positions. */
static const char *flatten(graph *g, import_layers *layers, const graph_node *n, const graph_view *x) {
    graph_view flat = {.rank = 1, .channels = x->channels, .size = {1, 1, view_positions(x)}};
    return x->rank == 1 ? x->tensor : network_reshape(g, layers, n, x->tensor, &flat, "shape");
}

const char *network_transpose(graph *g, import_layers *layers, const graph_node *n, const char *tensor) {
    const import_item item = {.node = n, .kind = GRAPH_TRANSPOSE, .reads = one_name(g->arena, tensor), .read_count = 1};
    return network_add_item(g, layers, arena_format(g->arena, "%s_turned", tensor), item);
}

void network_turn(graph *g, import_layers *layers, const graph_node *n, const graph_value *v, const graph_view *x,
                  graph_view *turned) {
    view_turn(v, x, turned);
    turned->tensor = network_transpose(g, layers, n, x->tensor);
    if (turned->rank > 1) turned->tensor = network_reshape(g, layers, n, turned->tensor, turned, "shape");
}

/* The value as if its last axis were the channels; NULL: it cannot be. */
static graph_value *lay_last(graph *g, import_layers *layers, const graph_node *n, const graph_value *v) {
    graph_view *view = arena_new(g->arena, graph_view);
    if (!network_lay(g, layers, n, v, CVK_CHANNELS_LAST, v, view)) return NULL;
    graph_value *laid = arena_copy(g->arena, v, sizeof *v);
    laid->view = view;
    return laid;
}

/* ---- along what ---- */

typedef enum extent { ALONG_NOTHING, ALONG_CHANNELS, ALONG_OUTER, ALONG_POSITIONS, ALONG_ROWS } extent;

/* What an axis of a value goes through. */
static extent extent_of(const graph_value *v, const graph_view *view, int axis) {
    const int first = PART_D << (AXES - view->rank);
    if (view_channel_axis(v, view) == axis) return ALONG_CHANNELS;
    if (view->parts[axis] == PART_A && view_size(view, PART_A) > 1) return ALONG_OUTER;
    if (view_axis_of(v, view, PART_SPATIAL) == axis || (view_positions(view) == 1 && view->parts[axis] == PART_W))
        return view->rank > 1 ? ALONG_POSITIONS : ALONG_ROWS;
    return view->parts[axis] == first ? ALONG_ROWS : ALONG_NOTHING;
}

static bool is_along_positions(extent e) { return e == ALONG_POSITIONS || e == ALONG_ROWS; }

/* The view of what has so many along it. */
static graph_view with_extent(const graph_view *x, extent e, int64_t count) {
    graph_view y = *x;
    if (e == ALONG_CHANNELS) y.channels = count;
    if (e == ALONG_OUTER) y.channels = x->channels / x->outer * count, y.outer = count;
    if (e == ALONG_ROWS) y.size[AXES - x->rank] = count;
    if (e != ALONG_POSITIONS) return y;
    y.rank = 1;
    y.size[AXIS_D] = y.size[AXIS_H] = 1;
    y.size[AXIS_W] = count;
    return y;
}

/* Axes that went through all positions go through one. */
static void count_positions(graph_view *y, extent e, int axis) {
    for (int i = 0; i < GRAPH_MOST_RANK && e == ALONG_POSITIONS; i++) y->parts[i] &= ~PART_SPATIAL;
    if (e == ALONG_POSITIONS) y->parts[axis] |= PART_W;
}

static int axis_of(const graph_node *n, const graph_value *x, int64_t otherwise) {
    int64_t axis = node_int(n, "axis", otherwise);
    if (axis < 0) axis += x->rank;
    return axis >= 0 && axis < x->rank ? (int)axis : -1;
}

/* ---- slices ---- */

static const char NO_EXTENT[] = "it is not along channels or all positions";

/* Numbers `from` to before `to` of an axis, which the value that is made has alone. */
static const char *slice_of(graph *g, graph_node *n, import_layers *layers, const graph_value *x, int axis,
                            int64_t from, int64_t to, const graph_value *made) {
    const extent e = extent_of(x, x->view, axis);
    const int64_t each = e == ALONG_OUTER ? x->view->channels / x->view->outer : 1;
    if (e == ALONG_NOTHING) return NO_EXTENT;
    if (from < 0 || from >= to || to > x->shape[axis]) return "it takes nothing";
    graph_view y = with_extent(x->view, e, to - from);
    count_positions(&y, e, axis);
    import_item item = {.node = n,
                        .kind = GRAPH_SLICE,
                        .read_count = 1,
                        .along_positions = is_along_positions(e),
                        .from = from * each,
                        .to = to * each};
    const char *source = e == ALONG_POSITIONS ? flatten(g, layers, n, x->view) : x->view->tensor;
    item.reads = one_name(g->arena, source);
    y.tensor = network_add_item(g, layers, made->name, item);
    return network_set_view(g->arena, n, made, &y) ? NULL : "another node makes what it makes";
}

static const char *slice(graph *g, graph_node *n, import_layers *layers, int axis, int64_t from, int64_t to,
                         const graph_value *made) {
    const graph_value *x = n->in[0];
    const bool last = extent_of(x, x->view, axis) == ALONG_NOTHING && axis == x->rank - 1;
    graph_value *laid = last ? lay_last(g, layers, n, x) : NULL;
    return slice_of(g, n, layers, laid ? laid : x, axis, from, to, made);
}

static const char *as_view(graph_node *n, const char *why) {
    if (why) return why;
    n->fate = FATE_VIEW;
    n->layer = n->out[0]->view->tensor;
    n->why = "slice";
    return NULL;
}

static int64_t within(int64_t at, int64_t size) {
    if (at < 0) at += size;
    return at < 0 ? 0 : at > size ? size : at;
}

const char *network_slice(graph *g, graph_node *n, import_layers *layers) {
    const graph_value *x = node_input(n, 0);
    int starts, ends, axes, steps, along = -1;
    const int64_t *start = node_list(n, "starts", 1, &starts), *end = node_list(n, "ends", 2, &ends),
                  *axis = node_list(n, "axes", 3, &axes), *step = node_list(n, "steps", 4, &steps);
    int64_t from = 0, to = 0;
    if (!x || !x->view || !n->out_count || !n->out[0]) return "no layer does that";
    if (n->out[0]->rank != x->rank || !start || !end || starts != ends || starts > GRAPH_MOST_RANK ||
        (axis && axes != starts) || (node_input(n, 3) && !axis) || (step && steps != starts) ||
        (node_input(n, 4) && !step))
        return "what it takes is not known";
    for (int i = 0; i < starts; i++) {
        const int64_t own = axis ? axis[i] < 0 ? axis[i] + x->rank : axis[i] : i;
        if (own < 0 || own >= x->rank) return "its axes do not fit its input";
        if (step && step[i] != 1) return "it does not take all of a range";
        const int64_t first = within(start[i], x->shape[own]), last = within(end[i], x->shape[own]);
        if (first == 0 && last == x->shape[own]) continue;
        if (along >= 0) return "it is along more axes than one";
        along = (int)own, from = first, to = last;
    }
    if (along >= 0) return as_view(n, slice(g, n, layers, along, from, to, n->out[0]));
    return network_set_view(g->arena, n, n->out[0], x->view) ? as_view(n, NULL) : "another node makes what it makes";
}

const char *network_split(graph *g, graph_node *n, import_layers *layers) {
    const graph_value *x = node_input(n, 0);
    const int axis = x && x->rank > 0 ? axis_of(n, x, 0) : -1;
    int64_t from = 0;
    const char *why = x && x->view && axis >= 0 && n->out_count ? NULL : "no layer does that";
    for (int i = 0; i < n->out_count && !why; i++) {
        const graph_value *y = n->out[i];
        if (!y || y->rank != x->rank) return "its parts are not known";
        why = slice(g, n, layers, axis, from, from + y->shape[axis], y);
        from += y->shape[axis];
    }
    return as_view(n, why);
}

/* ---- beside one another ---- */

/* Whether two lie alike, but for how much they have along what they are laid by. */
static bool lie_alike(const graph_value *a, const graph_value *b, extent e, int axis) {
    graph_value same = *b; /* as if it had as much as the first */
    graph_view of_a = *a->view, of_b = *b->view;
    same.shape[axis] = a->shape[axis];
    if (e == ALONG_CHANNELS) of_b.channels = of_a.channels;
    if (e == ALONG_OUTER) of_b.channels = of_b.channels / of_b.outer * of_a.outer, of_b.outer = of_a.outer;
    if (e == ALONG_ROWS && of_a.rank == of_b.rank) of_b.size[AXES - of_b.rank] = of_a.size[AXES - of_a.rank];
    if (e != ALONG_POSITIONS) return views_agree(a, &of_a, &same, &of_b);
    of_a = with_extent(&of_a, e, 1), of_b = with_extent(&of_b, e, 1);
    count_positions(&of_a, e, axis), count_positions(&of_b, e, axis);
    return views_agree(a, &of_a, &same, &of_b);
}

/* That of all of them: one that is a single row is laid beside others' positions as these are. */
static extent extent_of_all(const graph_node *n, int axis) {
    extent all = extent_of(n->in[0], n->in[0]->view, axis);
    for (int i = 1; i < n->in_count; i++) {
        const extent e = extent_of(n->in[i], n->in[i]->view, axis);
        const bool positions =
            is_along_positions(e) && is_along_positions(all) &&
            (view_axis_of(n->in[i], n->in[i]->view, PART_SPATIAL) == axis || view_positions(n->in[i]->view) == 1);
        if (e == all) continue;
        all = positions ? ALONG_POSITIONS : ALONG_NOTHING;
    }
    return all;
}

/* NULL, or why they cannot be. */
static const char *lay_beside(graph *g, const graph_node *n, import_layers *layers, int axis, import_item *item,
                              graph_view *sum) {
    const extent e = extent_of_all(n, axis);
    const char **names = arena_array(g->arena, const char *, n->in_count + 1);
    int64_t all = 0;
    if (e == ALONG_NOTHING) return NO_EXTENT;
    for (int i = 0; i < n->in_count; i++) {
        if (!lie_alike(n->in[0], n->in[i], e, axis)) return "its tensors lie otherwise";
        all += n->in[i]->shape[axis];
    }
    for (int i = 0; i < n->in_count; i++)
        names[i] = e == ALONG_POSITIONS ? flatten(g, layers, n, n->in[i]->view) : n->in[i]->view->tensor;
    *sum = with_extent(n->in[0]->view, e, all);
    count_positions(sum, e, axis);
    item->reads = names;
    item->read_count = n->in_count;
    item->along_positions = is_along_positions(e);
    return all <= LIMIT_SIZE ? NULL : "its shape is not known";
}

/* The node as if it read tensors whose channels are its operands' last axes; false: not all can be. */
static bool lay_all(graph *g, import_layers *layers, const graph_node *n, graph_node *to) {
    *to = *n;
    to->in = arena_array(g->arena, graph_value *, n->in_count + 1);
    for (int i = 0; i < n->in_count; i++)
        if (!(to->in[i] = lay_last(g, layers, n, n->in[i]))) return false;
    return true;
}

const char *network_concat(graph *g, graph_node *n, import_layers *layers) {
    import_item item = {.node = n, .kind = GRAPH_CONCAT};
    graph_view sum;
    if (!n->in_count || !n->out_count || !n->out[0]) return "it has no operands";
    for (int i = 0; i < n->in_count; i++)
        if (!n->in[i] || !n->in[i]->view || n->in[i]->rank != n->in[0]->rank) return "no layer does that";
    const int axis = axis_of(n, n->in[0], 1);
    if (axis < 0 || n->out[0]->rank != n->in[0]->rank) return "its shape is not known";
    const char *why = lay_beside(g, n, layers, axis, &item, &sum);
    graph_node laid;
    if (why && lay_all(g, layers, n, &laid)) why = lay_beside(g, &laid, layers, axis, &item, &sum);
    if (why) return why;
    sum.tensor = network_add_item(g, layers, n->name, item);
    if (!network_set_view(g->arena, n, n->out[0], &sum)) return "another node makes what it makes";
    n->fate = FATE_LAYER;
    n->layer = sum.tensor;
    n->why = "concat";
    return NULL;
}
