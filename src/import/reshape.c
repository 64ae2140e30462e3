/* Values whose axes go through a tensor otherwise than its own do: where their elements are in the order of an array,
 * the tensor is counted otherwise, channels and positions together. */
#include "import/layers.h"
#include "spec/limits.h"

#include <string.h>

/* So many channels and positions, in sizes as the view has them. */
static const char *count_as(graph *g, import_layers *layers, const graph_node *n, const char *tensor,
                            const graph_view *to) {
    return network_reshape(g, layers, n, tensor, to, "shape");
}

/* A tensor of that view whose channels and positions are in one another's place. */
static graph_view across(const graph_view *view) {
    return (graph_view){
        .rank = 1, .batch = view->batch, .channels = view_positions(view), .size = {1, 1, view->channels}};
}

static bool is_within_limits(const graph_view *view) {
    return view->channels <= LIMIT_SIZE && view_positions(view) <= LIMIT_SIZE;
}

bool network_lay(graph *g, import_layers *layers, const graph_node *n, const graph_value *from, cvk_layout layout,
                 const graph_value *to, graph_view *laid) {
    const bool last = layout == CVK_CHANNELS_LAST;
    cvk_layout own;
    if (!view_layout(from, from->view, &own) || !(last ? view_last : view_first)(to, laid)) return false;
    if (laid->batch != from->view->batch || !is_within_limits(laid) || !is_within_limits(from->view)) return false;
    const graph_view turned = across(laid);
    const char *tensor = from->view->tensor;
    if (own == CVK_CHANNELS_LAST) tensor = network_transpose(g, layers, n, tensor);
    tensor = count_as(g, layers, n, tensor, last ? &turned : laid);
    if (last) tensor = network_transpose(g, layers, n, tensor);
    if (last && laid->rank > 1) tensor = count_as(g, layers, n, tensor, laid);
    laid->tensor = tensor;
    return true;
}

bool network_counted(graph *g, graph_node *n, import_layers *layers) {
    const graph_value *x = node_input(n, 0), *y = n->out_count ? n->out[0] : NULL;
    cvk_layout layout;
    graph_view view, shuffled;
    if (!x || !x->view || !y || !view_keeps_elements(n) || strcmp(n->op, "Transpose") == 0) return false;
    if (y->rank < 0 || x->elements != y->elements) return false;
    const bool seen = view_layout(x, x->view, &layout)
                          ? network_lay(g, layers, n, x, layout, y, &view)
                          : network_shuffle(g, layers, n, x, &shuffled) && view_of_node(n, &shuffled, &view);
    if (!seen || !network_set_view(g->arena, n, y, &view)) return false;
    n->fate = FATE_VIEW;
    n->layer = view.tensor;
    n->why = "reshape";
    return true;
}
