/* One network of the layers: names of tensors, concatenations, and whether all is there that the model puts out. */
#include "import/layers.h"
#include "spec/limits.h"

#include <string.h>

/* ---- inputs ---- */

/* Whether a node wants channels last; what it follows from otherwise is for the axes to say. */
static bool wants_channels_last(const graph_node *n, const graph_value *x) {
    int count;
    const int64_t *order = node_ints(n, "perm", &count);
    if (strcmp(n->op, "Transpose") == 0) return order && count == x->rank && count > 2 && order[1] == x->rank - 1;
    return strcmp(n->op, "MatMul") == 0 || strcmp(n->op, "LayerNormalization") == 0;
}

static void begin_input(graph *g, import_layers *layers, graph_value *v) {
    graph_view *view = arena_new(g->arena, graph_view);
    const bool last = v->reader && v->rank > 2 && wants_channels_last(v->reader, v);
    if (v->rank < 0 || v->other_type || v->view || !(last ? view_last : view_first)(v, view)) return;
    view->tensor = import_name(g->arena, layers, v->name);
    v->view = view;
}

void network_begin(graph *g, import_layers *layers) {
    import_network *n = &layers->network;
    n->item = arena_array(g->arena, import_item, graph_count_made(g) + g->output_count + 1);
    n->input = arena_array(g->arena, graph_value *, g->input_count + 1);
    n->output = arena_array(g->arena, import_output, g->output_count + 1);
    for (size_t i = 0; i < g->input_count; i++) begin_input(g, layers, g->inputs[i]);
}

/* ---- items ---- */

static import_item *add_item(import_layers *layers, const char *name, const import_layer *l, const graph_node *n) {
    import_item *item = &layers->network.item[layers->network.item_count++];
    *item = (import_item){.name = name, .layer = l, .node = n};
    return item;
}

/* A value that the node, and no other, makes; false: it lies somewhere already. */
static bool set_view(arena *a, const graph_node *maker, const graph_value *value, const graph_view *view) {
    graph_value *v = (graph_value *)(uintptr_t)value;
    if (v->view || v->maker != maker) return false;
    v->view = arena_copy(a, view, sizeof *view);
    return true;
}

void network_add_layer(graph *g, import_layers *layers, import_layer *l) {
    bool there = l->reads.tensor != NULL;
    for (int i = 0; i < l->operands; i++) there &= l->operand[i]->view != NULL;
    if (there && l->output->maker && set_view(g->arena, l->output->maker, l->output, &l->view))
        add_item(layers, l->spec.name, l, l->head);
}

void network_replace_layer(graph *g, import_layers *layers, const import_layer *whole, import_layer **part,
                           size_t parts) {
    import_network *net = &layers->network;
    size_t at = 0;
    while (at < net->item_count && net->item[at].layer != whole) at++;
    if (at == net->item_count) return;
    memmove(net->item + at + parts, net->item + at + 1, (net->item_count - at - 1) * sizeof *net->item);
    net->item_count += parts - 1;
    for (size_t i = 0; i < parts; i++) {
        net->item[at + i] = (import_item){.name = part[i]->spec.name, .layer = part[i], .node = part[i]->head};
        if (!part[i]->output->maker || !set_view(g->arena, part[i]->output->maker, part[i]->output, &part[i]->view))
            net->item[at + i].name = ""; /* nobody can read it */
    }
}

/* Side by side along their channels, which lie alike in all of them; NULL, or why not. */
static const char *lay_beside(const graph_node *n, graph_view *sum) {
    const graph_value *first = node_input(n, 0), *y = n->out[0];
    int64_t channels = 0, axis = node_int(n, "axis", 1);
    for (int i = 0; i < n->in_count; i++)
        if (!n->in[i] || !n->in[i]->view) return "no layer does that";
    *sum = *first->view;
    if (axis < 0) axis += first->rank;
    for (int i = 0; i < n->in_count; i++) {
        const graph_value *x = n->in[i];
        graph_view like = *x->view;
        if (view_channel_axis(x, x->view) != axis) return "it is not along channels";
        channels += like.channels;
        like.channels = sum->channels;
        graph_value same = *x; /* as if it had as many channels as the first */
        same.shape[axis] = first->shape[axis];
        if (!views_agree(first, sum, &same, &like)) return "its tensors lie otherwise";
    }
    sum->channels = channels;
    return y && y->rank == first->rank && channels <= LIMIT_SIZE ? NULL : "its shape is not known";
}

static void take_concat(graph *g, graph_node *n, import_layers *layers) {
    graph_view sum;
    n->why = n->in_count && n->out_count ? lay_beside(n, &sum) : "it has no operands";
    if (n->why) return;
    const char *name = import_name(g->arena, layers, n->name);
    sum.tensor = name;
    if (!set_view(g->arena, n, n->out[0], &sum)) {
        n->why = "another node makes what it makes";
        return;
    }
    add_item(layers, name, NULL, n);
    n->fate = FATE_LAYER;
    n->layer = name;
    n->why = "concat";
}

static bool take_view(graph *g, graph_node *n) {
    const graph_value *x = node_input(n, 0);
    graph_view view;
    if (!x || !x->view || !view_of_node(n, x->view, &view) || !set_view(g->arena, n, n->out[0], &view)) return false;
    n->fate = FATE_VIEW;
    n->layer = view.tensor;
    n->why = "";
    return true;
}

bool network_take_node(graph *g, graph_node *n, import_layers *layers) {
    if (take_view(g, n)) return true;
    if (strcmp(n->op, "Concat") == 0) take_concat(g, n, layers);
    return strcmp(n->op, "Concat") == 0;
}

/* ---- what is lacking ---- */

/* Of values that are wanted and not there, all nodes that they come from; nodes stand behind those that they read. */
static void find_lacking(const graph *g, import_network *net) {
    bool *wanted = arena_array(g->arena, bool, g->node_count + 1);
    for (size_t i = 0; i < g->output_count; i++)
        if (g->outputs[i] && g->outputs[i]->maker) wanted[g->outputs[i]->maker - g->nodes] = true;
    for (size_t i = g->node_count; i-- > 0;) {
        const graph_node *n = &g->nodes[i];
        for (int k = 0; wanted[i] && k < n->in_count; k++) {
            const graph_value *x = n->in[k];
            if (x && !x->view && !x->floats && !x->ints && x->maker) wanted[x->maker - g->nodes] = true;
        }
        if (!wanted[i] || n->fate != FATE_LEFT_OUT) continue;
        net->lacks = n;
        net->lacking++;
    }
}

/* ---- outputs ---- */

static bool is_used(const import_network *net, const char *tensor) {
    for (size_t i = 0; i < net->output_count; i++)
        if (net->output[i].tensor == tensor) return true;
    for (size_t i = 0; i < net->input_count; i++)
        if (net->input[i]->view->tensor == tensor) return true;
    return false;
}

/* A tensor that is an input, or an output already, is put out by a layer of its own. */
static const char *copy_of(graph *g, import_layers *layers, const graph_value *v) {
    import_layer *l = arena_new(g->arena, import_layer);
    layer_begin(&(graph_node){.op = ""}, v, l);
    l->head = NULL;
    l->output = v;
    l->reads = *v->view;
    layer_identity(l);
    l->spec.name = import_name(g->arena, layers, v->name);
    if (import_refusal(g->arena, &l->spec)) return NULL;
    add_item(layers, l->spec.name, l, NULL);
    return l->spec.name;
}

/* False, and its maker is named. */
static bool lies_as_arrays_do(graph *g, const graph_value *v, cvk_layout *layout) {
    if (view_layout(v, v->view, layout)) return true;
    if (!v->maker) return false;
    graph_node *n = &g->nodes[v->maker - g->nodes];
    n->fate = FATE_LEFT_OUT;
    n->why = "what it makes is put out otherwise than arrays lie";
    return false;
}

static bool add_output(graph *g, import_layers *layers, const graph_value *v) {
    import_network *net = &layers->network;
    import_output *o = &net->output[net->output_count];
    if (!v || !v->view || !lies_as_arrays_do(g, v, &o->layout)) return false;
    o->value = v;
    o->tensor = is_used(net, v->view->tensor) ? copy_of(g, layers, v) : v->view->tensor;
    net->output_count++;
    return o->tensor != NULL;
}

static void need(import_network *net, const char *tensor) {
    for (size_t i = 0; i < net->item_count; i++) net->item[i].needed |= net->item[i].name == tensor;
}

/* How many tensors an item reads, and which: what a layer reads before what its post-ops take. */
static int count_read(const import_item *i) { return i->layer ? 1 + i->layer->operands : i->node->in_count; }

static const char *tensor_read(const import_item *i, int k) {
    if (!i->layer) return i->node->in[k]->view->tensor;
    return k ? i->layer->operand[k - 1]->view->tensor : i->layer->reads.tensor;
}

static bool reads_input(const import_network *net, const char *tensor) {
    for (const import_item *i = net->item; i < net->item + net->item_count; i++)
        for (int k = 0; i->needed && k < count_read(i); k++)
            if (tensor_read(i, k) == tensor) return true;
    return false;
}

/* From what is put out backwards. */
static void find_needed(graph *g, import_network *net) {
    for (size_t i = 0; i < net->output_count; i++) need(net, net->output[i].tensor);
    for (size_t i = net->item_count; i-- > 0;)
        for (int k = 0; net->item[i].needed && k < count_read(&net->item[i]); k++)
            need(net, tensor_read(&net->item[i], k));
    net->input_count = 0;
    for (size_t i = 0; i < g->input_count; i++)
        if (g->inputs[i]->view && reads_input(net, g->inputs[i]->view->tensor))
            net->input[net->input_count++] = g->inputs[i];
}

void network_end(graph *g, import_layers *layers) {
    import_network *net = &layers->network;
    net->whole = g->output_count > 0;
    for (size_t i = 0; i < g->input_count; i++)
        if (g->inputs[i]->view) net->input[net->input_count++] = g->inputs[i];
    for (size_t i = 0; i < g->output_count && net->whole; i++) net->whole = add_output(g, layers, g->outputs[i]);
    net->whole = net->whole && net->item_count <= LIMIT_LAYERS;
    if (net->whole)
        find_needed(g, net);
    else
        find_lacking(g, net);
    for (size_t i = 1; i < net->input_count && net->whole; i++)
        net->whole = net->input[i]->view->batch == net->input[0]->view->batch;
    net->whole = net->whole && net->input_count > 0;
}
