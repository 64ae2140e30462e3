/* Layouts are chosen, tensors find the storage that they lie in, and what no producer can put where it is wanted is
 * copied by a step of its own. */
#include "network/steps.h"

#include "network/chains.h"

#include <string.h>

enum { NONE = -1, BLOCK = 16 };

/* Of each tensor of the graph, while steps are made. */
typedef struct value {
    cvk_layout layout;
    int home;        /* the concatenation that it lies in, or NONE */
    int64_t channel; /* where in it */
    int output;      /* the output whose buffer it lies in, or NONE */
    int list;        /* the operands of a layer that it lies among, or NONE */
    int number;      /* which of them it is */
    int storage;     /* where it lies, or NONE: it has not been asked for */
} value;

/* Tensors that post-ops of one layer take, one after another. */
typedef struct operand_list {
    const graph_node *taker;
    post_operand sort;
    int count, storage; /* storage: NONE until it is asked for */
} operand_list;

typedef struct making {
    arena *arena;
    network_steps *n;
    const spec_graph *g;
    const network_parts *parts; /* of each node */
    value *value;
    operand_list *list;
    int list_count;
    int most_steps, most_tensors, most_storages;
} making;

/* ---- layouts ---- */

static bool comes_in(const making *m, int t) { return m->g->tensor[t].producer == GRAPH_COMES_IN; }
static const graph_node *maker_of(const making *m, int t) { return &m->g->node[m->g->tensor[t].producer]; }

/* The tensors of one sort that a layer's post-ops take, in their order. */
static int find_operands(const graph_node *n, post_operand sort, int found[MOST_POST_OPS]) {
    int count = 0, at = 0;
    for (const post_op *op = n->layer->post; op < n->layer->post + n->layer->post_count; op++) {
        if (!post_takes_tensor(op->kind)) continue;
        if (post_rows[op->kind].operand == sort) found[count++] = n->operand[at];
        at++;
    }
    return count;
}

/* Whether all that it takes of its output's shape lies in a layout. */
static bool takes_laid(const making *m, const graph_node *n, cvk_layout layout) {
    int found[MOST_POST_OPS];
    const int count = find_operands(n, OPERAND_TENSOR, found);
    bool laid = true;
    for (int i = 0; i < count; i++) laid &= m->value[found[i]].layout == layout;
    return laid;
}

/* Whether a layer may put it out in a layout as well as in any other: nobody has said one, and its post-ops take no
 * tensor that has another. */
static bool is_free(const making *m, int t, cvk_layout layout, int readers) {
    const graph_tensor *tensor = &m->g->tensor[t];
    return !comes_in(m, t) && !tensor->said && tensor->readers == readers && maker_of(m, t)->layer &&
           takes_laid(m, maker_of(m, t), layout);
}

/* The same of all that a concatenation lays side by side, each read there alone. */
static bool are_free(const making *m, const graph_node *concat, cvk_layout layout) {
    bool free = true;
    for (int i = 0; i < concat->input_count; i++) free &= is_free(m, concat->input[i], layout, 1);
    return free;
}

/* Whether what is laid side by side may lie so: in blocks, where each begins with one. */
static bool may_be_laid(const making *m, const graph_node *concat, cvk_layout layout) {
    int64_t channel = 0;
    bool whole = true;
    for (int i = 0; i < concat->input_count; i++) {
        whole &= channel % BLOCK == 0;
        channel += m->g->tensor[concat->input[i]].channels;
    }
    return whole || layout != CVK_BLOCKED;
}

/* Inside, channels lie together; a concatenation is laid out as the first of its own that it may be laid out as. */
static void choose_layouts(making *m) {
    for (int t = 0; t < m->g->tensor_count; t++) {
        const graph_tensor *of = &m->g->tensor[t];
        m->value[t] = (value){.layout = of->said ? of->layout : CVK_CHANNELS_LAST,
                              .home = NONE,
                              .output = NONE,
                              .list = NONE,
                              .storage = NONE};
    }
    for (const graph_node *n = m->g->node; n < m->g->node + m->g->node_count; n++)
        for (int i = n->input_count - 1; i >= 0 && !n->layer; i--) {
            const cvk_layout own = m->value[n->input[i]].layout;
            if (!comes_in(m, n->input[i]) && may_be_laid(m, n, own)) m->value[n->output].layout = own;
        }
}

/* What is only put out takes the layout that it is wanted in, where that costs nothing. */
static void choose_output(making *m, int index) {
    const graph_output *o = &m->g->output[index];
    value *v = &m->value[o->tensor];
    const graph_node *n = comes_in(m, o->tensor) ? NULL : maker_of(m, o->tensor);
    if (!n) return;
    if (v->layout != o->layout && is_free(m, o->tensor, o->layout, 0)) v->layout = o->layout;
    if (v->layout != o->layout && !n->layer && m->g->tensor[o->tensor].readers == 0 && are_free(m, n, o->layout) &&
        may_be_laid(m, n, o->layout)) {
        for (int i = 0; i < n->input_count; i++)
            if (!graph_is_output(m->g, n->input[i])) m->value[n->input[i]].layout = o->layout;
        v->layout = o->layout;
    }
    if (v->layout == o->layout) v->output = index;
}

/* ---- homes ---- */

/* Whether its producer can put it into the concatenation, from that channel on. */
static bool can_lie_in(const making *m, int t, int concat) {
    const value *v = &m->value[t];
    return !comes_in(m, t) && v->home == NONE && v->output == NONE && v->layout == m->value[concat].layout;
}

static void find_homes(making *m, const graph_node *concat) {
    int64_t channel = 0;
    for (int i = 0; i < concat->input_count; i++) {
        const int t = concat->input[i];
        if (can_lie_in(m, t, concat->output)) {
            m->value[t].home = concat->output;
            m->value[t].channel = channel;
        }
        channel += m->g->tensor[t].channels;
    }
}

/* ---- operands one after another ---- */

/* Whether its producer can put it where several that a layer takes stand. */
static bool can_stand_in_list(const making *m, int t, cvk_layout layout) {
    const value *v = &m->value[t];
    return !comes_in(m, t) && maker_of(m, t)->layer && v->home == NONE && v->output == NONE && v->list == NONE &&
           v->layout == layout;
}

static void find_list(making *m, const graph_node *n, post_operand sort) {
    int found[MOST_POST_OPS];
    const int count = find_operands(n, sort, found);
    if (count < 2) return;
    for (int i = 0; i < count; i++)
        if (can_stand_in_list(m, found[i], m->value[n->output].layout)) {
            m->value[found[i]].list = m->list_count;
            m->value[found[i]].number = i;
        }
    m->list[m->list_count++] = (operand_list){n, sort, count, NONE};
}

static void find_lists(making *m, const graph_node *n) {
    find_list(m, n, OPERAND_TENSOR);
    find_list(m, n, OPERAND_IMAGE_CHANNEL);
}

static int list_of(const making *m, const graph_node *n, post_operand sort) {
    int at = 0;
    while (m->list[at].taker != n || m->list[at].sort != sort) at++;
    return at;
}

/* ---- storages ---- */

static int add_storage(making *m, cvk_space space, int index, const graph_tensor *of, cvk_layout layout, int times) {
    const int64_t channels = spec_stored(layout, of->channels);
    m->n->storage[m->n->storage_count] =
        (network_storage){.space = space,
                          .index = index,
                          .bytes = times * of->batch * channels * graph_pixels(of) * type_bytes(of->type),
                          .channels = channels,
                          .logical = of->channels,
                          .pixels = graph_pixels(of),
                          .times = times,
                          .type = of->type,
                          .first = INT32_MAX,
                          .last = NONE};
    return m->n->storage_count++;
}

/* From its first image's first byte to that of a channel. */
static int64_t bytes_before(const graph_tensor *of, cvk_layout layout, int64_t channel) {
    return channel * (layout == CVK_CHANNELS_LAST ? 1 : graph_pixels(of)) * type_bytes(of->type);
}

static network_tensor tensor_in(const graph_tensor *of, cvk_layout layout, int storage, int64_t begin) {
    return (network_tensor){.name = of->name,
                            .layout = layout,
                            .storage = storage,
                            .channels = of->channels,
                            .pixels = graph_pixels(of),
                            .begin = begin,
                            .type = of->type};
}

/* A tensor like `of` among those of a list. */
static network_tensor tensor_in_list(making *m, int list, const graph_tensor *of, int number) {
    operand_list *l = &m->list[list];
    const cvk_layout layout = m->value[l->taker->output].layout;
    if (l->storage == NONE) l->storage = add_storage(m, CVK_SPACE_WORKSPACE, 0, of, layout, l->count);
    network_tensor t = tensor_in(of, layout, l->storage, 0);
    *(m->n->batch_any ? &t.image_begin : &t.begin) = number * (m->n->storage[l->storage].bytes / l->count);
    t.number = number;
    return t;
}

/* The storage that a tensor lies in as a whole, or with others. */
static void settle(making *m, int t) {
    value *v = &m->value[t];
    const graph_tensor *of = &m->g->tensor[t];
    int64_t begin = 0, channel = 0;
    if (v->storage != NONE) return;
    if (v->list != NONE) {
        m->n->tensor[t] = tensor_in_list(m, v->list, of, v->number);
        v->storage = m->n->tensor[t].storage;
        return;
    }
    if (v->home != NONE) {
        settle(m, v->home);
        v->storage = m->value[v->home].storage;
        channel = m->n->tensor[v->home].channel + v->channel;
        begin = m->n->tensor[v->home].begin + bytes_before(of, v->layout, v->channel);
    } else if (comes_in(m, t)) {
        v->storage = add_storage(m, CVK_SPACE_INPUT, t, of, v->layout, 1);
    } else {
        v->storage =
            add_storage(m, v->output == NONE ? CVK_SPACE_WORKSPACE : CVK_SPACE_OUTPUT, v->output, of, v->layout, 1);
    }
    m->n->tensor[t] = tensor_in(of, v->layout, v->storage, begin);
    m->n->tensor[t].channel = channel;
}

static int add_tensor(making *m, network_tensor t) {
    m->n->tensor[m->n->tensor_count] = t;
    return m->n->tensor_count++;
}

/* ---- steps ---- */

static int64_t pitch_of(const making *m, int tensor) {
    const network_tensor *t = &m->n->tensor[tensor];
    const int64_t all = m->n->storage[t->storage].channels;
    return all == spec_stored(t->layout, t->channels) ? 0 : all;
}

/* What is between the layers of a chain lies as its ends do. */
static void lay_out_links(arena *a, cvk_spec *chain) {
    cvk_spec *link = arena_copy(a, chain->link, sizeof *link * (size_t)chain->links);
    link[0].input_layout = chain->input_layout;
    link[chain->links - 1].output_layout = chain->output_layout;
    spec_chain(a, link, chain->links, NULL, chain);
}

static void add_step(making *m, const cvk_spec *layer, const network_step *tensors) {
    cvk_spec *s = arena_copy(m->arena, layer, sizeof *s);
    const int addend = tensors->operand[OPERAND_TENSOR];
    s->input_layout = m->n->tensor[tensors->input].layout;
    s->output_layout = m->n->tensor[tensors->output].layout;
    s->pitch[PITCH_INPUT] = pitch_of(m, tensors->input);
    s->pitch[PITCH_OUTPUT] = pitch_of(m, tensors->output);
    s->pitch[PITCH_ADDEND] = addend == NONE ? 0 : pitch_of(m, addend);
    if (spec_is_chain(s)) lay_out_links(m->arena, s);
    network_step *step = &m->n->step[m->n->step_count++];
    *step = *tensors;
    step->spec = s;
}

static network_step step_between(int input, int output) {
    network_step s = {.input = input, .output = output};
    for (int i = 0; i < POST_OPERANDS; i++) s.operand[i] = NONE;
    return s;
}

/* What leaves a type as it is. An identity of bytes would multiply them; the greatest of one is itself. */
static layer_kind kind_of_copy(cvk_type type) {
    return type == TYPE_U8 || type == TYPE_S8 ? LAYER_MAX_POOL : LAYER_IDENTITY;
}

/* What a tensor is elsewhere, or laid out otherwise. */
static void add_copy(making *m, int from, const graph_tensor *of, int to) {
    cvk_spec s = {.name = arena_format(m->arena, "%s.copy", of->name),
                  .kind = kind_of_copy(of->type),
                  .rank = of->rank,
                  .batch = of->batch,
                  .batch_any = of->batch_any,
                  .in_channels = of->channels,
                  .out_channels = of->channels,
                  .groups = of->channels,
                  .input_type = of->type,
                  .weights_type = of->type,
                  .output_type = of->type,
                  .accuracy = ACCURACY_DEFAULT,
                  .algorithm = "auto",
                  .at = of->at};
    for (int axis = 0; axis < AXES; axis++) {
        s.in_size[axis] = s.out_size[axis] = of->size[axis];
        s.kernel[axis] = s.stride[axis] = s.dilation[axis] = 1;
    }
    const network_step step = step_between(from, to);
    add_step(m, &s, &step);
}

/* Whether a single one may stay where it is: it is laid out as the output is, and of a gate there is nothing between.
 */
static bool may_stay(const making *m, int t, post_operand sort, cvk_layout layout) {
    const bool alike = m->n->tensor[t].layout == layout || (sort == OPERAND_IMAGE_CHANNEL && layout != CVK_BLOCKED &&
                                                            m->n->tensor[t].layout != CVK_BLOCKED);
    return alike && (sort == OPERAND_TENSOR || pitch_of(m, t) == 0);
}

static int copy_operand(making *m, int t, cvk_layout layout) {
    const graph_tensor *of = &m->g->tensor[t];
    const int to = add_tensor(m, tensor_in(of, layout, add_storage(m, CVK_SPACE_WORKSPACE, 0, of, layout, 1), 0));
    add_copy(m, t, of, to);
    return to;
}

/* Those that do not stand in it yet are copied there. */
static int fill_list(making *m, int list, const int *found) {
    const int begin = m->n->tensor_count, count = m->list[list].count;
    for (int i = 0; i < count; i++) add_tensor(m, tensor_in_list(m, list, &m->g->tensor[found[i]], i));
    for (int i = 0; i < count; i++) {
        const value *v = &m->value[found[i]];
        if (v->list != list || v->number != i) add_copy(m, found[i], &m->g->tensor[found[i]], begin + i);
    }
    return begin;
}

static int make_operands(making *m, const graph_node *n, post_operand sort) {
    const cvk_layout layout = m->value[n->output].layout;
    int found[MOST_POST_OPS];
    const int count = find_operands(n, sort, found);
    if (count == 0) return NONE;
    for (int i = 0; i < count; i++) settle(m, found[i]);
    if (count == 1 && may_stay(m, found[0], sort, layout)) return found[0];
    return count == 1 ? copy_operand(m, found[0], layout) : fill_list(m, list_of(m, n, sort), found);
}

static void add_layer(making *m, const graph_node *n) {
    settle(m, n->input[0]);
    settle(m, n->output);
    network_step step = step_between(n->input[0], n->output);
    step.operand[OPERAND_TENSOR] = make_operands(m, n, OPERAND_TENSOR);
    step.operand[OPERAND_IMAGE_CHANNEL] = make_operands(m, n, OPERAND_IMAGE_CHANNEL);
    step.parts = m->parts[n - m->g->node];
    add_step(m, n->layer, &step);
}

/* What does not lie there yet comes there. */
static void add_concat(making *m, const graph_node *n) {
    int64_t channel = 0;
    settle(m, n->output);
    for (int i = 0; i < n->input_count; i++) {
        const int t = n->input[i];
        const graph_tensor *of = &m->g->tensor[t];
        const value *v = &m->value[t], *in = &m->value[n->output];
        if (v->home != n->output || v->channel != channel) {
            settle(m, t);
            const int64_t begin = m->n->tensor[n->output].begin + bytes_before(of, in->layout, channel);
            network_tensor to = tensor_in(of, in->layout, in->storage, begin);
            to.channel = m->n->tensor[n->output].channel + channel;
            add_copy(m, t, of, add_tensor(m, to));
        }
        channel += of->channels;
    }
}

static void add_output(making *m, int index) {
    const graph_output *o = &m->g->output[index];
    const graph_tensor *of = &m->g->tensor[o->tensor];
    settle(m, o->tensor);
    if (m->value[o->tensor].output == index) return;
    const int storage = add_storage(m, CVK_SPACE_OUTPUT, index, of, o->layout, 1);
    add_copy(m, o->tensor, of, add_tensor(m, tensor_in(of, o->layout, storage, 0)));
}

static void live(network_steps *n, int tensor, int step) {
    network_storage *s = &n->storage[n->tensor[tensor].storage];
    if (step < s->first) s->first = step;
    if (step > s->last) s->last = step;
}

/* From the first that writes to the last that reads. */
static void find_lifetimes(making *m) {
    for (int i = 0; i < m->n->step_count; i++) {
        const network_step *s = &m->n->step[i];
        live(m->n, s->input, i);
        live(m->n, s->output, i);
        for (int k = 0; k < POST_OPERANDS; k++)
            if (s->operand[k] != NONE) live(m->n, s->operand[k], i);
    }
}

/* Each edge and each output is one copy at most. */
static int most_copies(const spec_graph *g) {
    int edges = g->output_count;
    for (const graph_node *n = g->node; n < g->node + g->node_count; n++) edges += n->input_count + n->operand_count;
    return edges;
}

static void make_room(making *m) {
    const int copies = most_copies(m->g);
    network_steps *n = m->n;
    n->step = arena_array(m->arena, network_step, m->g->node_count + copies + 1);
    n->tensor = arena_array(m->arena, network_tensor, m->g->tensor_count + copies + 1);
    n->storage = arena_array(m->arena, network_storage, m->g->tensor_count + copies + 1);
    n->tensor_count = m->g->tensor_count;
    m->value = arena_array(m->arena, value, m->g->tensor_count + 1);
    m->list = arena_array(m->arena, operand_list, 2 * m->g->node_count + 1);
}

int network_most_steps(const cvk_network *file) {
    return file->graph ? file->graph->node_count + most_copies(file->graph) : 0;
}

static const fused_graph *fuse(arena *a, const spec_graph *g, int64_t near) {
    fused_graph *fused = arena_new(a, fused_graph);
    const fused_graph elementwise = network_fuse(a, g);
    *fused = network_chain(a, &elementwise, near);
    return fused;
}

const network_steps *network_of(arena *a, const cvk_network *file, int64_t near) {
    if (!file->graph) return NULL;
    const fused_graph *fused = fuse(a, file->graph, near);
    const spec_graph *g = &fused->graph;
    network_steps *n = arena_new(a, network_steps);
    *n = (network_steps){.name = file->name, .graph = g, .batch = g->tensor->batch, .batch_any = g->tensor->batch_any};
    making m = {.arena = a, .n = n, .g = g, .parts = fused->parts};
    make_room(&m);
    choose_layouts(&m);
    for (int i = 0; i < g->output_count; i++) choose_output(&m, i);
    for (int i = 0; i < g->node_count; i++)
        if (!g->node[i].layer) find_homes(&m, &g->node[i]);
    for (int i = 0; i < g->node_count; i++)
        if (g->node[i].layer) find_lists(&m, &g->node[i]);
    for (int i = 0; i < g->node_count; i++) (g->node[i].layer ? add_layer : add_concat)(&m, &g->node[i]);
    for (int i = 0; i < g->output_count; i++) add_output(&m, i);
    find_lifetimes(&m);
    return n;
}
