/* One network of the layers: names of tensors, concatenations, and whether all is there that the model puts out. */
#include "import/layers.h"
#include "spec/limits.h"

#include <string.h>

/* ---- inputs ---- */

/* Whether a node wants channels last; what it follows from otherwise is for the axes to say. */
static bool wants_channels_last(const graph_node *n, const graph_value *x) {
    int count;
    while (strcmp(n->op, "Pad") == 0 && n->out_count && n->out[0] && n->out[0]->reader) n = n->out[0]->reader;
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
    n->input = arena_array(g->arena, graph_value *, g->input_count + 1);
    n->output = arena_array(g->arena, import_output, g->output_count + 1);
    for (size_t i = 0; i < g->input_count; i++) begin_input(g, layers, g->inputs[i]);
}

/* ---- items ---- */

static bool same_names(const import_item *a, const import_item *b) {
    bool same = a->read_count == b->read_count;
    for (int i = 0; same && i < a->read_count; i++) same = strcmp(a->reads[i], b->reads[i]) == 0;
    return same;
}

static bool same_shape(const graph_view *a, const graph_view *b) {
    return a->rank == b->rank && a->channels == b->channels && memcmp(a->size, b->size, sizeof a->size) == 0;
}

/* Whether an item that is no layer makes what another does. */
static bool makes_the_same(const import_item *a, const import_item *b) {
    return !a->layer && a->kind == b->kind && same_names(a, b) && a->along_positions == b->along_positions &&
           a->from == b->from && a->to == b->to && (a->kind != GRAPH_RESHAPE || same_shape(&a->shape, &b->shape));
}

static void make_room(arena *a, import_network *net, size_t more) {
    if (net->item_count + more <= net->item_room) return;
    net->item_room = 2 * (net->item_room + more);
    import_item *item = arena_array(a, import_item, net->item_room);
    if (net->item_count) memcpy(item, net->item, net->item_count * sizeof *item);
    net->item = item;
}

static void add_item(graph *g, import_layers *layers, import_item item) {
    make_room(g->arena, &layers->network, 1);
    layers->network.item[layers->network.item_count++] = item;
}

const char *network_add_item(graph *g, import_layers *layers, const char *words, import_item item) {
    const import_network *net = &layers->network;
    for (size_t i = 0; i < net->item_count && item.kind != GRAPH_CONCAT; i++)
        if (makes_the_same(&net->item[i], &item)) return net->item[i].name;
    item.name = import_name(g->arena, layers, words);
    add_item(g, layers, item);
    return item.name;
}

bool network_set_view(arena *a, const graph_node *maker, const graph_value *value, const graph_view *view) {
    graph_value *v = (graph_value *)(uintptr_t)value;
    if (v->view || v->maker != maker) return false;
    v->view = arena_copy(a, view, sizeof *view);
    return true;
}

/* What its post-ops take by name, turned where it lies otherwise. */
static void name_operands(graph *g, import_layers *layers, import_layer *l) {
    for (int i = 0; i < l->operands; i++) {
        graph_view turned = *l->operand[i]->view;
        if (l->operand_turned[i]) network_turn(g, layers, l->head, l->operand[i], l->operand[i]->view, &turned);
        l->operand_tensor[i] = turned.tensor;
    }
}

/* What it reads, where that is a tensor seen otherwise. */
static void name_input(graph *g, import_layers *layers, import_layer *l) {
    graph_view turned = l->reads;
    if (l->turned) network_turn(g, layers, l->head, l->input, l->input->view, &turned);
    if (l->flat) turned.tensor = network_reshape(g, layers, l->head, turned.tensor, &l->reads, "flat");
    l->reads.tensor = turned.tensor;
}

/* What a layer of a number for each element makes, in the shape that it was given. */
static graph_view unflatten(graph *g, import_layers *layers, const import_layer *l) {
    graph_view turned, back;
    view_turn(l->input, l->input->view, &turned);
    turned.tensor = network_reshape(g, layers, l->head, l->spec.name, &turned, "shape");
    network_turn(g, layers, l->head, l->input, &turned, &back);
    return back;
}

/* Whether others that lie as its input does are to be combined with what it makes. */
static graph_view view_made(graph *g, import_layers *layers, const import_layer *l) {
    graph_view back = l->view;
    if (l->flat) return unflatten(g, layers, l);
    if (l->back) network_turn(g, layers, l->head, l->output, &l->view, &back);
    return back;
}

void network_add_layer(graph *g, import_layers *layers, import_layer *l) {
    bool there = l->reads.tensor != NULL;
    for (int i = 0; i < l->operands; i++) there &= l->operand[i]->view != NULL;
    if (!there || !l->output->maker || l->output->view) return;
    name_input(g, layers, l);
    name_operands(g, layers, l);
    add_item(g, layers, (import_item){.name = l->spec.name, .layer = l, .node = l->head});
    const graph_view made = view_made(g, layers, l);
    network_set_view(g->arena, l->output->maker, l->output, &made);
}

void network_replace_layer(graph *g, import_layers *layers, const import_layer *whole, import_layer **part,
                           size_t parts) {
    import_network *net = &layers->network;
    size_t at = 0;
    while (at < net->item_count && net->item[at].layer != whole) at++;
    if (at == net->item_count) return;
    make_room(g->arena, net, parts);
    memmove(net->item + at + parts, net->item + at + 1, (net->item_count - at - 1) * sizeof *net->item);
    net->item_count += parts - 1;
    for (size_t i = 0; i < parts; i++) {
        name_operands(g, layers, part[i]);
        net->item[at + i] = (import_item){.name = part[i]->spec.name, .layer = part[i], .node = part[i]->head};
        if (!part[i]->output->maker ||
            !network_set_view(g->arena, part[i]->output->maker, part[i]->output, &part[i]->view))
            net->item[at + i].name = ""; /* nobody can read it */
    }
}

static bool take_view(graph *g, graph_node *n) {
    const graph_value *x = node_input(n, 0);
    graph_view view;
    if (!x || !x->view || !view_of_node(n, x->view, &view) || !network_set_view(g->arena, n, n->out[0], &view))
        return false;
    n->fate = FATE_VIEW;
    n->layer = view.tensor;
    n->why = "";
    return true;
}

bool network_take_node(graph *g, graph_node *n, import_layers *layers) {
    static const struct {
        const char *op;
        const char *(*take)(graph *, graph_node *, import_layers *);
    } ROWS[] = {{"Concat", network_concat}, {"Slice", network_slice}, {"Split", network_split}};
    if (take_view(g, n) || network_counted(g, n, layers)) return true;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (strcmp(n->op, ROWS[i].op) != 0) continue;
        const char *why = ROWS[i].take(g, n, layers);
        if (why) n->why = why;
        return true;
    }
    return false;
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
    add_item(g, layers, (import_item){.name = l->spec.name, .layer = l});
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
static int count_read(const import_item *i) { return i->layer ? 1 + i->layer->operands : i->read_count; }

static const char *tensor_read(const import_item *i, int k) {
    if (!i->layer) return i->reads[k];
    return k ? i->layer->operand_tensor[k - 1] : i->layer->reads.tensor;
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

static void drop_layer(import_layers *layers, const import_layer *l) {
    size_t kept = 0;
    for (size_t i = 0; i < layers->count; i++)
        if (layers->layer[i] != l) layers->layer[kept++] = layers->layer[i];
    layers->count = kept;
}

/* Where all who read numbers took the bytes that they are made of, nobody makes them. */
static void drop_numbers(graph *g, import_layers *layers) {
    for (import_item *i = layers->network.item; i < layers->network.item + layers->network.item_count; i++) {
        if (i->needed || !i->layer || !i->node || strcmp(i->node->op, "DequantizeLinear") != 0) continue;
        graph_node *n = &g->nodes[i->node - g->nodes];
        n->fate = FATE_FOLDED;
        n->layer = n->out[0]->reader ? n->out[0]->reader->layer : NULL;
        n->why = "bytes";
        drop_layer(layers, i->layer);
    }
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
    if (net->whole) drop_numbers(g, layers);
}
