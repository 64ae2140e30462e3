/* Edges: names to tensors. What is said of a layer that has mistakes of its own is passed over, so that each mistake is
 * told once. */
#include "spec/edges.h"

#include "spec/limits.h"
#include "spec/scalar.h"

#include <stdio.h>
#include <string.h>

/* "[1, 64, 56, 56]" */
const char *edges_show_shape(arena *a, const graph_tensor *t) {
    text words = text_new(a);
    if (t->batch_any)
        text_add(&words, "[%s, %lld", batch_words.word[0], (long long)t->channels);
    else
        text_add(&words, "[%lld, %lld", (long long)t->batch, (long long)t->channels);
    for (int axis = AXES - t->rank; axis < AXES; axis++) text_add(&words, ", %lld", (long long)t->size[axis]);
    text_add(&words, "]");
    return words.bytes;
}

bool edges_same_batch(const graph_tensor *a, const graph_tensor *b) {
    return a->batch == b->batch && a->batch_any == b->batch_any;
}

static bool same_sizes(const graph_tensor *a, const graph_tensor *b) {
    return a->rank == b->rank && memcmp(a->size, b->size, sizeof a->size) == 0;
}

const node *edges_value(const node *mapping, const char *key) {
    for (size_t i = 0; i < mapping->count; i += 2)
        if (strcmp(mapping->child[i]->text, key) == 0) return mapping->child[i + 1];
    return NULL;
}

/* ---- names ---- */

static int find(const edges *e, const char *name) {
    for (int i = 0; i < e->graph.tensor_count; i++)
        if (strcmp(e->graph.tensor[i].name, name) == 0) return i;
    return -1;
}

const graph_tensor *edges_named(const edges *e, const char *name) {
    const int found = find(e, name);
    return found < 0 ? NULL : &e->graph.tensor[found];
}

/* Whether a layer has the name, wherever it stands. */
static bool is_a_layer(const edges *e, const char *name) {
    for (size_t i = 0; e->layers && i < e->layers->count; i++) {
        const node *layer = e->layers->child[i];
        const node *own = layer->kind == NODE_MAPPING ? edges_value(layer, "name") : NULL;
        if (own && own->kind == NODE_SCALAR && strcmp(own->text, name) == 0) return true;
    }
    return false;
}

static hint_text nearest_name(const edges *e, const char *name) {
    enum { MOST = LIMIT_LAYERS };
    const char *names[MOST];
    size_t count = 0;
    for (int i = 0; i < e->graph.tensor_count && count < MOST; i++) names[count++] = e->graph.tensor[i].name;
    const char *nearest = text_nearest(name, names, count);
    hint_text h = {.text = ""};
    if (nearest) snprintf(h.text, sizeof h.text, "did you mean `%s`?", nearest);
    return h;
}

/* The tensor that a node names, counted as read; -1: there is none, which has been said of `path`. */
int edges_read_name(edges *e, const char *path, const node *n) {
    if (n->kind != NODE_SCALAR) {
        report_error(e->report, E_KIND, n->at, NULL, "%s: expected the name of an input or an earlier layer, got %s",
                     path, describe(n).text);
        return -1;
    }
    const int found = find(e, n->text);
    if (found >= 0) {
        e->graph.tensor[found].readers++;
        return found;
    }
    const bool later = is_a_layer(e, n->text);
    report_error(e->report, E_NO_TENSOR, n->at,
                 later ? "layers stand behind those that they read" : nearest_name(e, n->text).text,
                 later ? "%s: %s does not stand before this layer" : "%s: there is no input or earlier layer %s", path,
                 describe(n).text);
    return -1;
}

static const char *path_of(const reader *r) { return arena_format(r->arena, "%s.%s", r->owner, r->field->key); }

/* ---- layers ---- */

void edges_read_input(reader *r, const node *name) {
    cvk_spec *s = &r->draft.spec;
    r->draft.input = edges_read_name(r->edges, path_of(r), name);
    if (r->draft.input < 0 || r->edges->graph.tensor[r->draft.input].broken) {
        r->complete = false;
        return;
    }
    const graph_tensor *t = &r->edges->graph.tensor[r->draft.input];
    r->rank = s->rank = t->rank;
    s->batch = t->batch;
    s->batch_any = t->batch_any;
    s->in_channels = t->channels;
    memcpy(s->in_size, t->size, sizeof s->in_size);
}

void edges_read_operand(reader *r, const node *name) {
    draft *d = &r->draft;
    const int found = edges_read_name(r->edges, path_of(r), name);
    if (found < 0) {
        r->complete = false;
        return;
    }
    d->operand[d->operand_count] = found;
    d->operand_at[d->operand_count++] = name->at;
}

static void add_tensor(edges *e, graph_tensor t) { e->graph.tensor[e->graph.tensor_count++] = t; }

void edges_add(edges *e, graph_node n, graph_tensor made) {
    n.output = e->graph.tensor_count;
    made.producer = e->graph.node_count;
    e->graph.node[e->graph.node_count++] = n;
    add_tensor(e, made);
}

static graph_tensor output_of(const reader *r) {
    const cvk_spec *s = &r->draft.spec;
    graph_tensor t = {.name = s->name,
                      .rank = s->rank,
                      .batch = s->batch,
                      .batch_any = s->batch_any,
                      .channels = s->out_channels,
                      .type = s->output_type,
                      .layout = s->output_layout,
                      .said = r->draft.layout,
                      .at = s->at};
    memcpy(t.size, s->out_size, sizeof t.size);
    return t;
}

static void check_type(edges *e, const reader *r) {
    const graph_tensor *t = &e->graph.tensor[r->draft.input];
    if (t->type != r->draft.spec.input_type)
        report_error(e->report, E_EDGE, r->draft.at[FIELD_input], "`dtype`, of the layer or under `defaults`, says it",
                     "%s.input: %s is of %s, and the layer takes %s", r->owner, t->name, type_name(t->type),
                     type_name(r->draft.spec.input_type));
}

static bool is_one_position(const graph_tensor *t) {
    return t->size[AXIS_D] == 1 && t->size[AXIS_H] == 1 && t->size[AXIS_W] == 1;
}

/* What post-ops take that number i of the operands is one of. */
static post_operand sort_of_operand(const cvk_spec *s, int i) {
    for (const post_op *op = s->post; op < s->post + s->post_count; op++)
        if (post_takes_tensor(op->kind) && i-- == 0) return post_rows[op->kind].operand;
    return OPERAND_NONE;
}

/* Of the shape and the type of what it is combined with, or of one position. */
static void check_operand(edges *e, const reader *r, int i, const graph_tensor *output) {
    const graph_tensor *t = &e->graph.tensor[r->draft.operand[i]];
    const bool gate = sort_of_operand(&r->draft.spec, i) == OPERAND_IMAGE_CHANNEL;
    if (t->broken) return;
    if (!edges_same_batch(t, output) || !(gate ? is_one_position(t) : same_sizes(t, output)) ||
        t->channels != output->channels)
        report_error(e->report, E_EDGE, r->draft.operand_at[i],
                     gate ? "a gate has one position" : "both have one shape",
                     "%s.post_ops: %s is %s, and what the layer puts out %s", r->owner, t->name,
                     edges_show_shape(e->arena, t), edges_show_shape(e->arena, output));
    else if (t->type != output->type)
        report_error(e->report, E_EDGE, r->draft.operand_at[i], NULL,
                     "%s.post_ops: %s is of %s, and what the layer puts out of %s", r->owner, t->name,
                     type_name(t->type), type_name(output->type));
}

/* What a network has no place for. */
static void check_kept(edges *e, const reader *r) {
    if (r->draft.direction != DIRECTION_FORWARD)
        report_error(e->report, E_DIRECTION, r->draft.at[FIELD_direction],
                     "a file of its own, without `inputs`, may have them",
                     "%s.direction: layers that feed one another go forward", r->owner);
    if (r->draft.spec.indices)
        report_error(e->report, E_UNSUPPORTED, r->draft.at[FIELD_indices], NULL,
                     "%s.indices: nothing in a network reads them yet", r->owner);
}

void edges_add_layer(edges *e, const reader *r, const cvk_spec *layer, bool sound) {
    if (!r->draft.spec.name) return;
    graph_tensor t = output_of(r);
    t.broken = !sound;
    if (sound) {
        check_kept(e, r);
        check_type(e, r);
        for (int i = 0; i < r->draft.operand_count; i++) check_operand(e, r, i, &t);
    }
    const graph_node n = {.kind = GRAPH_LAYER,
                          .layer = layer,
                          .input_count = 1,
                          .input = arena_copy(e->arena, &r->draft.input, sizeof r->draft.input),
                          .operand_count = r->draft.operand_count,
                          .operand = arena_copy(e->arena, r->draft.operand, sizeof r->draft.operand),
                          .at = r->draft.spec.at};
    edges_add(e, n, t);
}

/* ---- inputs and outputs ---- */

typedef enum input_key { INPUT_SHAPE, INPUT_DTYPE, INPUT_LAYOUT, INPUT_KEYS } input_key;
static const char *const input_words[INPUT_KEYS] = {"shape", "dtype", "layout"};
static const field_id input_fields[INPUT_KEYS] = {FIELD_input, FIELD_dtype, FIELD_layout};

/* One of the keys of an input, by the reader of a layer's own; `key` is what messages call it. */
static void read_input_key(reader *r, input_key which, const char *key, const node *value) {
    field_row *row = arena_copy(r->arena, &spec_fields[input_fields[which]], sizeof *row);
    row->key = key;
    r->field = row;
    if (which == INPUT_SHAPE || value->kind == NODE_SCALAR)
        read_field(r, value);
    else
        refuse(r, E_KIND, value, NULL, "expected one word, got %s", describe(value).text);
}

static void read_input_mapping(reader *r, const node *value) {
    static const word_list keys = {"key", INPUT_KEYS, input_words};
    for (size_t i = 0; i < value->count; i += 2) {
        const node *key = value->child[i];
        const int found = word_find(&keys, key->text);
        if (found < 0)
            report_error(r->report, E_UNKNOWN_KEY, key->at, word_hint(&keys, key->text).text, "%s: no such key, \"%s\"",
                         r->owner, show_text(key->text).text);
        else
            read_input_key(r, (input_key)found, key->text, value->child[i + 1]);
        r->complete &= found >= 0;
    }
    if (r->rank || !r->complete) return;
    report_error(r->report, E_MISSING_KEY, value->at, NULL, "%s: shape is missing", r->owner);
    r->complete = false;
}

static void read_input(edges *e, const node *name, const node *value) {
    reader r = {.report = e->report, .arena = e->arena, .owner = "inputs", .complete = true};
    cvk_spec *s = &r.draft.spec;
    if (!is_name(name->text)) {
        report_error(e->report, E_NAME, name->at, "letters, digits and underscores, not beginning with a digit",
                     "inputs: expected a name, got %s", describe(name).text);
        return;
    }
    if (value->kind == NODE_MAPPING) {
        r.owner = arena_format(e->arena, "inputs.%s", name->text);
        read_input_mapping(&r, value);
    } else {
        read_input_key(&r, INPUT_SHAPE, name->text, value);
    }
    graph_tensor t = {.name = name->text,
                      .rank = s->rank,
                      .batch = s->batch,
                      .batch_any = s->batch_any,
                      .channels = s->in_channels,
                      .type = s->input_type,
                      .layout = s->input_layout,
                      .said = true,
                      .producer = GRAPH_COMES_IN,
                      .broken = !r.complete,
                      .at = name->at};
    memcpy(t.size, s->in_size, sizeof t.size);
    add_tensor(e, t);
    e->graph.input_count++;
}

/* Images go through all layers together. */
static void check_batches(const edges *e) {
    const graph_tensor *first = e->graph.tensor;
    for (const graph_tensor *t = first; t < first + e->graph.input_count; t++)
        if (!t->broken && !first->broken && !edges_same_batch(first, t))
            report_error(e->report, E_EDGE, t->at, "all inputs have as many images", "inputs.%s: %s goes with %s of %s",
                         t->name, edges_show_shape(e->arena, t), edges_show_shape(e->arena, first), first->name);
}

edges *edges_begin(arena *a, report *r, const node *inputs, const node *layers) {
    edges *e = arena_new(a, edges);
    const size_t count = layers ? layers->count : 0;
    *e = (edges){.report = r, .arena = a, .layers = layers};
    const bool sound = inputs->kind == NODE_MAPPING && inputs->count > 0 && inputs->count / 2 <= LIMIT_LAYERS;
    e->graph.tensor = arena_array(a, graph_tensor, count + (sound ? inputs->count / 2 : 0) + 1);
    e->graph.node = arena_array(a, graph_node, count + 1);
    if (!sound)
        report_error(r, inputs->kind == NODE_MAPPING && inputs->count ? E_COUNT_LIMIT : E_KIND, inputs->at,
                     "as in `inputs: {x: [1, 3, 224, 224]}`", "inputs: expected a mapping of 1 to %d names, got %s",
                     LIMIT_LAYERS, inputs->kind == NODE_MAPPING && !inputs->count ? "none" : describe(inputs).text);
    for (size_t i = 0; sound && i < inputs->count; i += 2) read_input(e, inputs->child[i], inputs->child[i + 1]);
    check_batches(e);
    return e;
}

/* As arrays outside are, unless the layer or the output itself says otherwise. */
static void add_output(edges *e, const node *name, const node *value) {
    const int found = edges_read_name(e, "outputs", name);
    if (found < 0) return;
    graph_tensor *t = &e->graph.tensor[found];
    t->readers--;
    for (int i = 0; i < e->graph.output_count; i++)
        if (e->graph.output[i].tensor == found)
            report_error(e->report, E_DUPLICATE_NAME, name->at, NULL, "outputs: %s stands there already", t->name);
    graph_output *o = &e->graph.output[e->graph.output_count++];
    *o = (graph_output){found, t->said ? t->layout : CVK_CHANNELS_FIRST};
    if (!value) return;
    reader r = {.report = e->report, .arena = e->arena, .complete = true};
    r.owner = arena_format(e->arena, "outputs.%s", t->name);
    for (size_t i = 0; value->kind == NODE_MAPPING && i < value->count; i += 2) {
        if (strcmp(value->child[i]->text, input_words[INPUT_LAYOUT]) == 0)
            read_input_key(&r, INPUT_LAYOUT, input_words[INPUT_LAYOUT], value->child[i + 1]);
        else
            report_error(e->report, E_UNKNOWN_KEY, value->child[i]->at, "`layout` is the only one",
                         "%s: no such key, \"%s\"", r.owner, show_text(value->child[i]->text).text);
    }
    if (value->kind != NODE_MAPPING || !value->count)
        report_error(e->report, E_KIND, value->at, "as in `{layout: channels_last}`", "%s: expected a mapping, got %s",
                     r.owner, describe(value).text);
    o->layout = r.draft.spec.input_layout;
}

static void check_read(const edges *e) {
    for (int i = 0; i < e->graph.tensor_count; i++) {
        const graph_tensor *t = &e->graph.tensor[i];
        bool read = t->readers > 0 || t->broken;
        for (int k = 0; k < e->graph.output_count; k++) read |= e->graph.output[k].tensor == i;
        if (!read)
            report_error(e->report, E_UNREAD, t->at,
                         t->producer == GRAPH_COMES_IN ? "leave it out" : "name it in `outputs`, or leave it out",
                         "nothing reads %s", t->name);
    }
}

void edges_end(edges *e, const node *outputs) {
    const bool mapping = outputs->kind == NODE_MAPPING, sound = outputs->kind != NODE_SCALAR && outputs->count > 0;
    if (!sound)
        report_error(e->report, E_KIND, outputs->at, "as in `outputs: [y]`",
                     "outputs: expected a list of names, got %s",
                     outputs->kind == NODE_SCALAR ? describe(outputs).text : "none");
    e->graph.output = arena_array(e->arena, graph_output, outputs->count + 1);
    for (size_t i = 0; sound && i < outputs->count; i += mapping ? 2 : 1)
        add_output(e, outputs->child[i], mapping ? outputs->child[i + 1] : NULL);
    if (report_clean(e->report)) check_read(e);
}
