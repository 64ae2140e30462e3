/* Tensors find the storage that they lie in, and what no producer can put where it is wanted is
 * copied by a step of its own. */
#include "network/making.h"

#include "network/chains.h"

#include <string.h>

/* ---- homes ---- */

/* What lies there is written row by row, each image's apart; and is then no part of anything. */
static bool is_written_apart(const making *m, const graph_node *n) { return n->along_positions && !is_one_image(m); }

/* Whether its producer can put it into the concatenation. */
static bool can_lie_in(const making *m, int t, const graph_node *concat) {
    const value *v = &m->value[t];
    if (comes_in(m, t) || is_written_apart(m, concat)) return false;
    const graph_node *n = maker_of(m, t);
    const bool may = n->layer ? !spec_is_chain(n->layer) : n->kind == GRAPH_CONCAT && !is_written_apart(m, n);
    return may && v->home == NONE && v->output == NONE && v->layout == m->value[concat->output].layout;
}

/* Where the next one begins. */
static void pass(const making *m, const graph_node *concat, int t, int64_t *channel, int64_t *position) {
    const graph_tensor *of = &m->g->tensor[t];
    *(concat->along_positions ? position : channel) += concat->along_positions ? graph_pixels(of) : of->channels;
}

static void find_homes(making *m, const graph_node *concat) {
    int64_t channel = 0, position = 0;
    for (int i = 0; i < concat->input_count; i++) {
        const int root = root_of(m, concat->input[i]);
        if (can_lie_in(m, root, concat)) {
            m->value[root].home = concat->output;
            m->value[root].channel = channel;
            m->value[root].position = position;
        }
        pass(m, concat, root, &channel, &position);
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
                          .first = INT32_MAX,
                          .last = NONE};
    return m->n->storage_count++;
}

static network_tensor tensor_in(const graph_tensor *of, cvk_layout layout, int storage) {
    return (network_tensor){.name = of->name,
                            .layout = layout,
                            .storage = storage,
                            .channels = of->channels,
                            .pixels = graph_pixels(of),
                            .pitch = spec_stored(layout, of->channels),
                            .type = of->type};
}

/* A part of another, from a channel and a position on. */
static network_tensor part_of(const network_tensor *whole, const graph_tensor *of, int64_t channel, int64_t position) {
    network_tensor t = *whole;
    const bool last = whole->layout == CVK_CHANNELS_LAST;
    t.name = of->name;
    t.channels = of->channels;
    t.pixels = graph_pixels(of);
    t.begin += (channel * (last ? 1 : whole->pixels) + position * whole->pitch) * type_bytes(of->type);
    return t;
}

/* A tensor like `of` among those of a list. */
static network_tensor tensor_in_list(making *m, int list, const graph_tensor *of, int number) {
    operand_list *l = &m->list[list];
    const cvk_layout layout = m->value[l->taker->output].layout;
    if (l->storage == NONE) l->storage = add_storage(m, CVK_SPACE_WORKSPACE, 0, of, layout, l->count);
    network_tensor t = tensor_in(of, layout, l->storage);
    *(m->n->batch_any ? &t.image_begin : &t.begin) = number * (m->n->storage[l->storage].bytes / l->count);
    return t;
}

static void lie(making *m, int t, network_tensor there) {
    m->n->tensor[t] = there;
    m->value[t].storage = there.storage;
}

/* The storage that a tensor lies in as a whole, or with others. */
static void settle(making *m, int t) {
    const value *v = &m->value[t];
    const graph_tensor *of = &m->g->tensor[t];
    if (v->storage != NONE) return;
    if (v->list != NONE) {
        lie(m, t, tensor_in_list(m, v->list, of, v->number));
    } else if (v->home != NONE) {
        settle(m, v->home);
        lie(m, t, part_of(&m->n->tensor[v->home], of, v->channel, v->position));
    } else {
        const cvk_space space = comes_in(m, t)      ? CVK_SPACE_INPUT
                                : v->output == NONE ? CVK_SPACE_WORKSPACE
                                                    : CVK_SPACE_OUTPUT;
        lie(m, t, tensor_in(of, v->layout, add_storage(m, space, comes_in(m, t) ? t : v->output, of, v->layout, 1)));
    }
}

static int add_tensor(making *m, network_tensor t) {
    m->n->tensor[m->n->tensor_count] = t;
    return m->n->tensor_count++;
}

/* ---- steps ---- */

static int64_t pitch_of(const making *m, int tensor) {
    const network_tensor *t = &m->n->tensor[tensor];
    return t->pitch == spec_stored(t->layout, t->channels) ? 0 : t->pitch;
}

static bool is_dense(const making *m, int t) { return pitch_of(m, t) == 0; }

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
    return alike && (sort == OPERAND_TENSOR || is_dense(m, t));
}

/* As a whole, in a layout. */
static int copy_to(making *m, int t, cvk_layout layout) {
    const graph_tensor *of = &m->g->tensor[t];
    const int to = add_tensor(m, tensor_in(of, layout, add_storage(m, CVK_SPACE_WORKSPACE, 0, of, layout, 1)));
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
    const bool apart = !spec_is_chain(n->layer) || is_dense(m, found[0]);
    if (count == 1 && apart && may_stay(m, found[0], sort, layout)) return found[0];
    return count == 1 ? copy_to(m, found[0], layout) : fill_list(m, list_of(m, n, sort), found);
}

static void add_layer(making *m, const graph_node *n) {
    settle(m, n->input[0]);
    settle(m, n->output);
    const bool apart = !spec_is_chain(n->layer) || is_dense(m, n->input[0]); /* chains read no part of a tensor */
    const int input = apart ? n->input[0] : copy_to(m, n->input[0], m->value[n->input[0]].layout);
    network_step step = step_between(input, n->output);
    step.operand[OPERAND_TENSOR] = make_operands(m, n, OPERAND_TENSOR);
    step.operand[OPERAND_IMAGE_CHANNEL] = make_operands(m, n, OPERAND_IMAGE_CHANNEL);
    step.parts = m->parts[n - m->g->node];
    add_step(m, n->layer, &step);
}

/* ---- views ---- */

/* The tensor itself where it lies as a whole with its channels last, else a copy that does. */
static int with_channels_last(making *m, int t) {
    const bool so = is_dense(m, t) && m->n->tensor[t].layout == CVK_CHANNELS_LAST;
    return so ? t : copy_to(m, t, CVK_CHANNELS_LAST);
}

/* An image's rows, of what has its channels last, as channels of one position: then those of a wider one are a part of
 * its channels. */
static int add_rows(making *m, int of, const graph_tensor *rows, int64_t position) {
    const graph_tensor flat = {.name = rows->name,
                               .rank = 1,
                               .batch = rows->batch,
                               .batch_any = rows->batch_any,
                               .channels = rows->channels * graph_pixels(rows),
                               .size = {1, 1, 1},
                               .type = rows->type,
                               .at = rows->at};
    const network_tensor *whole = &m->n->tensor[of];
    network_tensor t = tensor_in(&flat, CVK_CHANNELS_LAST, whole->storage);
    t.begin = whole->begin + position * whole->pitch * type_bytes(whole->type);
    t.image_begin = whole->image_begin;
    t.pitch = whole->pixels * whole->pitch;
    return add_tensor(m, t);
}

/* Rows `of` one tensor, from one position on, to where others are in another. */
static void copy_rows(making *m, const graph_tensor *rows, int from, int64_t at, int to, int64_t there) {
    const int begin = add_rows(m, from, rows, at), end = add_rows(m, to, rows, there);
    graph_tensor flat = *rows;
    flat.rank = 1;
    flat.channels = m->n->tensor[begin].channels;
    flat.size[AXIS_D] = flat.size[AXIS_H] = flat.size[AXIS_W] = 1;
    add_copy(m, begin, &flat, end);
}

static void put_beside(making *m, const graph_node *n, int t, int64_t channel, int64_t position) {
    const graph_tensor *of = &m->g->tensor[t];
    settle(m, t);
    if (is_written_apart(m, n))
        copy_rows(m, of, with_channels_last(m, t), 0, n->output, position);
    else
        add_copy(m, t, of, add_tensor(m, part_of(&m->n->tensor[n->output], of, channel, position)));
}

/* What does not lie there yet comes there. */
static void add_concat(making *m, const graph_node *n) {
    int64_t channel = 0, position = 0;
    settle(m, n->output);
    for (int i = 0; i < n->input_count; i++) {
        const value *v = &m->value[root_of(m, n->input[i])];
        if (v->home != n->output || v->channel != channel || v->position != position)
            put_beside(m, n, n->input[i], channel, position);
        pass(m, n, n->input[i], &channel, &position);
    }
}

/* Whether an image's numbers lie in the order in which they are counted: N C D H W. */
static bool is_in_order(const making *m, int t) {
    const network_tensor *of = &m->n->tensor[t];
    const bool either = of->layout == CVK_CHANNELS_LAST && (of->channels == 1 || of->pixels == 1);
    return is_dense(m, t) && (of->layout == CVK_CHANNELS_FIRST || either);
}

/* Whether what a node makes can be seen in its input where that lies. */
static bool is_seen_in(const making *m, const graph_node *n) {
    const cvk_layout layout = m->value[n->input[0]].layout;
    switch (n->kind) {
    case GRAPH_SLICE:
        return n->along_positions ? layout == CVK_CHANNELS_LAST : layout != CVK_BLOCKED || is_of_blocks(m, n);
    case GRAPH_RESHAPE: return same_channels(m, n) || is_in_order(m, n->input[0]);
    default: return layout != CVK_BLOCKED && is_dense(m, n->input[0]);
    }
}

/* The layout of a copy in which it can be seen. */
static cvk_layout layout_to_see(const making *m, const graph_node *n) {
    const bool turned = n->kind == GRAPH_TRANSPOSE && m->value[n->output].layout == CVK_CHANNELS_LAST;
    return turned || n->kind == GRAPH_RESHAPE ? CVK_CHANNELS_FIRST : CVK_CHANNELS_LAST;
}

/* Of a slice along positions, what one row has. */
static int64_t pixels_of_row(const graph_tensor *t) { return graph_pixels(t) / t->size[AXES - t->rank]; }

static void slice_positions(making *m, const graph_node *n, int from) {
    const graph_tensor *of = &m->g->tensor[n->output];
    const int64_t at = n->first * pixels_of_row(of);
    if (is_one_image(m)) {
        lie(m, n->output, part_of(&m->n->tensor[from], of, 0, at));
        return;
    }
    settle(m, n->output);
    copy_rows(m, of, with_channels_last(m, from), at, n->output, 0);
}

/* The same numbers in the same places, counted otherwise. */
static network_tensor counted_as(const making *m, int from, int t) {
    const network_tensor *whole = &m->n->tensor[from];
    network_tensor seen = tensor_in(&m->g->tensor[t], m->value[t].layout, whole->storage);
    seen.begin = whole->begin;
    seen.image_begin = whole->image_begin;
    if (seen.channels == whole->channels && seen.layout == whole->layout) seen.pitch = whole->pitch;
    return seen;
}

static void add_view(making *m, const graph_node *n) {
    settle(m, n->input[0]);
    const int from = is_seen_in(m, n) ? n->input[0] : copy_to(m, n->input[0], layout_to_see(m, n));
    if (n->kind != GRAPH_SLICE)
        lie(m, n->output, counted_as(m, from, n->output));
    else if (n->along_positions)
        slice_positions(m, n, from);
    else
        lie(m, n->output, part_of(&m->n->tensor[from], &m->g->tensor[n->output], n->first, 0));
}

static void add_output(making *m, int index) {
    const graph_output *o = &m->g->output[index];
    const graph_tensor *of = &m->g->tensor[o->tensor];
    settle(m, o->tensor);
    if (m->value[root_of(m, o->tensor)].output == index) return;
    const int storage = add_storage(m, CVK_SPACE_OUTPUT, index, of, o->layout, 1);
    add_copy(m, o->tensor, of, add_tensor(m, tensor_in(of, o->layout, storage)));
}

static void add_node(making *m, const graph_node *n) {
    (n->layer ? add_layer : n->kind == GRAPH_CONCAT ? add_concat : add_view)(m, n);
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

/* Each edge and each output is one copy at most, but that of a view two: as a whole, then its rows. */
static int most_copies(const spec_graph *g) {
    int copies = g->output_count;
    for (const graph_node *n = g->node; n < g->node + g->node_count; n++)
        copies += (n->layer ? 1 : 2) * n->input_count + n->operand_count;
    return copies;
}

static void make_room(making *m) {
    const int copies = most_copies(m->g);
    network_steps *n = m->n;
    n->step = arena_array(m->arena, network_step, m->g->node_count + copies + 1);
    n->tensor = arena_array(m->arena, network_tensor, m->g->tensor_count + 2 * copies + 1); /* 2: of rows both */
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
    making_choose_layouts(&m);
    for (int i = 0; i < g->node_count; i++)
        if (g->node[i].kind == GRAPH_CONCAT) find_homes(&m, &g->node[i]);
    for (int i = 0; i < g->node_count; i++)
        if (g->node[i].layer) find_lists(&m, &g->node[i]);
    for (int i = 0; i < g->node_count; i++) add_node(&m, &g->node[i]);
    for (int i = 0; i < g->output_count; i++) add_output(&m, i);
    find_lifetimes(&m);
    return n;
}
