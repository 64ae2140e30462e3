/* Reads the ONNX format. Nothing in a file is believed before it is compared with what is there: a constant has as many
 * numbers as its shape says, or it is none. What the messages take comes from the arena. */
#include "import/external.h"
#include "import/graph.h"
#include <onnx.pb-c.h>

#include "base/types.h"

#include <stdlib.h>
#include <string.h>

/* ---- messages ---- */

static void *allocate(void *a, size_t bytes) { return arena_alloc(a, bytes ? bytes : 1); }
static void keep(void *a, void *memory) { (void)a, (void)memory; } /* until the arena goes */

static const Onnx__Attribute *attribute(const graph_node *n, const char *name) {
    for (size_t i = 0; n->source && i < n->source->n_attribute; i++) {
        const Onnx__Attribute *a = n->source->attribute[i];
        if (a->name && strcmp(a->name, name) == 0) return a;
    }
    return NULL;
}

int64_t node_int(const graph_node *n, const char *name, int64_t otherwise) {
    const Onnx__Attribute *a = attribute(n, name);
    return a && a->has_i ? a->i : otherwise;
}

double node_float(const graph_node *n, const char *name, double otherwise) {
    const Onnx__Attribute *a = attribute(n, name);
    return a && a->has_f ? (double)a->f : otherwise;
}

const int64_t *node_ints(const graph_node *n, const char *name, int *count) {
    const Onnx__Attribute *a = attribute(n, name);
    *count = a && a->n_ints <= GRAPH_MOST_INPUTS ? (int)a->n_ints : 0;
    return *count ? a->ints : NULL;
}

bool node_has(const graph_node *n, const char *name) { return attribute(n, name) != NULL; }

bool node_says(const graph_node *n, const char *name, const char *word) {
    const Onnx__Attribute *a = attribute(n, name);
    return a && a->has_s && a->s.len == strlen(word) && memcmp(a->s.data, word, a->s.len) == 0;
}

/* ---- constants ---- */

/* Element types of the format that an import reads; the numbers are its own. */
typedef enum element_type {
    ELEMENT_FLOAT = 1,
    ELEMENT_UINT8 = 2,
    ELEMENT_INT8 = 3,
    ELEMENT_INT32 = 6,
    ELEMENT_INT64 = 7,
    ELEMENT_HALF = 10,
    ELEMENT_DOUBLE = 11,
    ELEMENT_BFLOAT = 16
} element_type;

/* What tensors of a network are of; other numbers of constants are brought to one of these. */
static const struct {
    element_type element;
    cvk_type type;
} TYPES_OF[] = {{ELEMENT_FLOAT, TYPE_F32}, {ELEMENT_HALF, TYPE_F16}, {ELEMENT_BFLOAT, TYPE_BF16},
                {ELEMENT_UINT8, TYPE_U8},  {ELEMENT_INT8, TYPE_S8},  {ELEMENT_INT32, TYPE_S32}};

bool graph_type(int64_t element, cvk_type *type) {
    for (size_t i = 0; i < sizeof TYPES_OF / sizeof *TYPES_OF; i++) {
        if ((int64_t)TYPES_OF[i].element != element) continue;
        *type = TYPES_OF[i].type;
        return true;
    }
    return false;
}

typedef struct numbers {
    const void *bytes;
    size_t each, count; /* bytes of one, and how many */
} numbers;

static numbers raw(const Onnx__Tensor *t, size_t each) {
    return (numbers){t->raw_data.data, each, t->raw_data.len / each};
}

/* Where a tensor keeps its numbers; halves that are not raw are the low bytes of 32 bits. */
static numbers numbers_of(const Onnx__Tensor *t) {
    const bool is_raw = t->has_raw_data;
    switch (t->data_type) {
    case ELEMENT_FLOAT: return is_raw ? raw(t, 4) : (numbers){t->float_data, 4, t->n_float_data};
    case ELEMENT_DOUBLE: return is_raw ? raw(t, 8) : (numbers){t->double_data, 8, t->n_double_data};
    case ELEMENT_BFLOAT:
    case ELEMENT_HALF: return is_raw ? raw(t, 2) : (numbers){t->int32_data, 4, t->n_int32_data};
    case ELEMENT_INT32: return is_raw ? raw(t, 4) : (numbers){t->int32_data, 4, t->n_int32_data};
    case ELEMENT_UINT8:
    case ELEMENT_INT8: return is_raw ? raw(t, 1) : (numbers){t->int32_data, 4, t->n_int32_data};
    case ELEMENT_INT64: return is_raw ? raw(t, 8) : (numbers){t->int64_data, 8, t->n_int64_data};
    default: return (numbers){NULL, 0, 0};
    }
}

static float float_at(element_type type, const char *bytes) {
    cvk_type ours = TYPE_F64;
    graph_type(type, &ours);
    return (float)type_read(ours, bytes);
}

/* So many bytes long; a byte may stand in 32 bits. */
static int64_t int_at(element_type type, size_t each, const char *bytes) {
    int32_t narrow;
    int64_t wide;
    if (type == ELEMENT_INT64) {
        memcpy(&wide, bytes, sizeof wide);
        return wide;
    }
    if (each == 1) return type == ELEMENT_UINT8 ? *(const uint8_t *)bytes : *(const int8_t *)bytes;
    memcpy(&narrow, bytes, sizeof narrow);
    return type == ELEMENT_UINT8 ? (uint8_t)narrow : type == ELEMENT_INT8 ? (int8_t)narrow : narrow;
}

static bool is_whole(element_type type) {
    return type == ELEMENT_INT32 || type == ELEMENT_INT64 || type == ELEMENT_UINT8 || type == ELEMENT_INT8;
}

static void take_numbers(arena *a, const numbers *n, element_type type, graph_value *to) {
    const bool whole = is_whole(type);
    float *floats = whole ? NULL : arena_array(a, float, n->count + 1);
    int64_t *ints = whole ? arena_array(a, int64_t, n->count + 1) : NULL;
    for (size_t i = 0; i < n->count; i++)
        if (whole)
            ints[i] = int_at(type, n->each, (const char *)n->bytes + i * n->each);
        else
            floats[i] = float_at(type, (const char *)n->bytes + i * n->each);
    to->floats = floats;
    to->ints = ints;
    to->type = whole ? TYPE_S32 : TYPE_F32;
    graph_type(type, &to->type);
}

/* Where tensors are read from, and to. */
typedef struct reading {
    arena *arena;
    external_files files;
    cvk_diagnostics *diagnostics;
    bool failed;
} reading;

static const char *entry(const Onnx__Tensor *t, const char *key) {
    for (size_t i = 0; i < t->n_external_data; i++) {
        const Onnx__Entry *e = t->external_data[i];
        if (e->key && e->value && strcmp(e->key, key) == 0) return e->value;
    }
    return "";
}

/* Those of a file of their own, as if they stood in the model; once one cannot be read, none is. */
static numbers numbers_beside(reading *r, const Onnx__Tensor *t, size_t each) {
    const char *location = entry(t, "location"), *why = NULL;
    uint64_t length = strtoull(entry(t, "length"), NULL, 10);
    const void *bytes =
        r->failed ? NULL : external_read(&r->files, location, strtoull(entry(t, "offset"), NULL, 10), &length, &why);
    if (!bytes && !r->failed) {
        r->failed = true;
        diag_error(r->diagnostics, E_MODEL, (place){.file = r->files.model}, NULL,
                   "weights are in a file of their own, %s: %s", *location ? location : "which is not named", why);
    }
    return (numbers){bytes, each, length / each};
}

/* A tensor of another type has a shape and is no constant. */
static void take_tensor(reading *r, const Onnx__Tensor *t, graph_value *to) {
    enum { EXTERNAL = 1 };
    if (!value_set_shape(to, t->n_dims <= GRAPH_MOST_RANK ? (int)t->n_dims : -1, t->dims)) return;
    Onnx__Tensor as_raw = *t;
    const bool beside = t->has_data_location && t->data_location == EXTERNAL;
    as_raw.has_raw_data |= beside;
    numbers n = numbers_of(&as_raw);
    if (beside && n.each) n = numbers_beside(r, t, n.each);
    if (n.bytes && n.count == (size_t)to->elements) take_numbers(r->arena, &n, (element_type)t->data_type, to);
}

bool value_set_shape(graph_value *v, int rank, const int64_t *shape) {
    int64_t elements = 1;
    bool sound = rank >= 0 && rank <= GRAPH_MOST_RANK;
    for (int i = 0; sound && i < rank; i++)
        sound = shape[i] >= 0 && shape[i] <= INT32_MAX && !__builtin_mul_overflow(elements, shape[i], &elements);
    v->rank = sound ? rank : -1;
    v->elements = sound ? elements : 0;
    if (sound && rank) memcpy(v->shape, shape, (size_t)rank * sizeof *shape);
    return sound;
}

/* ---- names ---- */

/* Values by name: a table with room to spare. */
typedef struct names {
    arena *arena;
    reading *reading;
    graph_value **slot;
    size_t mask;
} names;

static size_t hash(const char *name) {
    uint64_t h = UINT64_C(14695981039346656037);
    for (; *name; name++) h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 32);
}

static names names_for(reading *r, size_t most) {
    size_t size = 16;
    while (size < 2 * most) size *= 2;
    return (names){r->arena, r, arena_array(r->arena, graph_value *, size), size - 1};
}

/* The value of that name, new where there is none; NULL of an empty name, which is an input that is left out. */
static graph_value *value_named(names *n, const char *name) {
    if (!name || !*name) return NULL;
    size_t at = hash(name) & n->mask;
    while (n->slot[at] && strcmp(n->slot[at]->name, name) != 0) at = (at + 1) & n->mask;
    if (!n->slot[at]) {
        n->slot[at] = arena_new(n->arena, graph_value);
        *n->slot[at] = (graph_value){.name = name, .rank = -1};
    }
    return n->slot[at];
}

static size_t count_names(const Onnx__Graph *g) {
    size_t count = g->n_initializer + g->n_input + g->n_output + g->n_value_info;
    for (size_t i = 0; i < g->n_node; i++) count += g->node[i]->n_input + g->node[i]->n_output + 2;
    return count;
}

/* ---- the graph ---- */

static void take_info(names *n, const Onnx__Value *info) {
    graph_value *v = value_named(n, info->name);
    const Onnx__Shape *s = info->type && info->type->tensor_type ? info->type->tensor_type->shape : NULL;
    int64_t shape[GRAPH_MOST_RANK];
    if (!v || !s || s->n_dim > GRAPH_MOST_RANK || v->rank >= 0) return;
    for (size_t i = 0; i < s->n_dim; i++) {
        if (!s->dim[i]->has_dim_value || s->dim[i]->dim_value <= 0) return;
        shape[i] = s->dim[i]->dim_value;
    }
    value_set_shape(v, (int)s->n_dim, shape);
}

static graph_value **take_values(names *n, size_t count, char **words, int *taken) {
    *taken = (int)(count < GRAPH_MOST_INPUTS ? count : GRAPH_MOST_INPUTS);
    graph_value **values = arena_array(n->arena, graph_value *, *taken + 2); /* + 2: clip_inputs, fill_input */
    for (int i = 0; i < *taken; i++) values[i] = value_named(n, words[i]);
    return values;
}

static graph_value *scalar(arena *a, float value) {
    graph_value *v = arena_new(a, graph_value);
    *v = (graph_value){.name = "", .elements = 1, .floats = arena_copy(a, &value, sizeof value)};
    return v;
}

/* What Clip and Dropout had as attributes once became inputs; here Clip always has it so. */
static void clip_inputs(arena *a, graph_node *n) {
    static const char *const words[] = {"min", "max"};
    for (int i = 0; i < 2 && strcmp(n->op, "Clip") == 0; i++) {
        const Onnx__Attribute *x = attribute(n, words[i]);
        if (!x || !x->has_f) continue;
        n->in[1 + i] = scalar(a, x->f);
        if (n->in_count < 2 + i) n->in_count = 2 + i;
    }
}

/* What ConstantOfShape repeats is its second input here. */
static void fill_input(names *n, const Onnx__Attribute *value, graph_node *to) {
    if (strcmp(to->op, "ConstantOfShape") != 0 || to->in_count != 1 || !value || !value->t) return;
    graph_value *v = to->in[to->in_count++] = arena_new(n->arena, graph_value);
    *v = (graph_value){.name = "", .rank = -1};
    take_tensor(n->reading, value->t, v);
}

static void take_node(names *n, const Onnx__Node *source, graph_node *to) {
    static const char empty[] = "";
    *to = (graph_node){.source = source, .op = source->op_type ? source->op_type : empty};
    to->in = take_values(n, source->n_input, source->input, &to->in_count);
    to->out = take_values(n, source->n_output, source->output, &to->out_count);
    to->name = source->name && *source->name ? source->name : to->out_count && to->out[0] ? to->out[0]->name : to->op;
    const Onnx__Attribute *value = strcmp(to->op, "Constant") == 0 ? attribute(to, "value") : NULL;
    if (value && value->t && to->out_count && to->out[0]) take_tensor(n->reading, value->t, to->out[0]);
    clip_inputs(n->arena, to);
    fill_input(n, attribute(to, "value"), to);
    for (int i = 0; i < to->out_count; i++)
        if (to->out[i] && !to->out[i]->maker && !value) to->out[i]->maker = to;
}

static bool is_constant(const graph_value *v) { return v->floats || v->ints || v->rank >= 0; }

static const graph_shape *shape_for(const graph_shape *shapes, size_t count, const char *name, bool only) {
    for (size_t i = 0; i < count; i++)
        if (shapes[i].name ? strcmp(shapes[i].name, name) == 0 : only) return &shapes[i];
    return NULL;
}

/* Without a word of it, f32. */
static void take_type(graph_value *v, const Onnx__Value *info) {
    const Onnx__TensorType *t = info->type ? info->type->tensor_type : NULL;
    if (!t || !t->has_elem_type) return;
    v->other_type = !graph_type(t->elem_type, &v->type) || v->type == TYPE_S32;
}

/* Inputs of the model that no initializer is for get the sizes that they have, or are given. */
static cvk_status take_inputs(names *n, const Onnx__Graph *source, const char *path, const graph_shape *shapes,
                              size_t count, cvk_diagnostics *d, graph *g) {
    size_t open = 0, used = 0;
    for (size_t i = 0; i < source->n_input; i++) {
        const graph_value *v = value_named(n, source->input[i]->name);
        open += v && !is_constant(v);
    }
    g->inputs = arena_array(n->arena, graph_value *, source->n_input + 1);
    for (size_t i = 0; i < source->n_input; i++) {
        graph_value *v = value_named(n, source->input[i]->name);
        if (!v || is_constant(v)) continue;
        g->inputs[g->input_count++] = v;
        take_type(v, source->input[i]);
        const graph_shape *given = shape_for(shapes, count, v->name, open == 1);
        if (given)
            used += value_set_shape(v, given->rank, given->size);
        else
            take_info(n, source->input[i]);
        if (v->rank < 0 && !g->unshaped) g->unshaped = v;
    }
    if (used == count) return CVK_OK;
    diag_error(d, E_MODEL, (place){.file = path}, open == 1 ? NULL : "NAME=SHAPE says of which",
               "a shape is given that no input of the model takes; it has %zu that are no constants", open);
    return CVK_ERROR_SPEC;
}

size_t graph_count_made(const graph *g) {
    size_t count = g->node_count;
    for (const graph_node *n = g->nodes; n < g->nodes + g->node_count; n++) count += (size_t)n->out_count;
    return count;
}

void graph_count_readers(graph *g) {
    for (graph_node *n = g->nodes; n < g->nodes + g->node_count; n++)
        for (int i = 0; i < n->out_count; i++)
            if (n->out[i]) n->out[i]->readers = 0, n->out[i]->reader = NULL;
    for (graph_node *n = g->nodes; n < g->nodes + g->node_count; n++)
        for (int i = 0; i < n->in_count && !n->part_of; i++)
            if (n->in[i]) n->in[i]->readers++, n->in[i]->reader = n;
    for (size_t i = 0; i < g->output_count; i++)
        if (g->outputs[i]) g->outputs[i]->readers++;
}

const graph_value *node_input(const graph_node *n, int i) { return i < n->in_count ? n->in[i] : NULL; }

const int64_t *node_list(const graph_node *n, const char *attribute, int input, int *count) {
    const int64_t *given = node_ints(n, attribute, count);
    const graph_value *v = node_input(n, input);
    if (given || !v || !v->ints || v->elements > GRAPH_MOST_INPUTS) return given;
    *count = (int)v->elements;
    return v->ints;
}

/* The version of the format's own operators. */
static int64_t find_opset(const Onnx__Model *m) {
    for (size_t i = 0; i < m->n_opset_import; i++) {
        const char *domain = m->opset_import[i]->domain;
        if (!domain || !*domain || strcmp(domain, "ai.onnx") == 0) return m->opset_import[i]->version;
    }
    return 1;
}

static cvk_status build(arena *a, const char *path, const Onnx__Model *model, const graph_shape *shapes,
                        size_t shape_count, cvk_diagnostics *d, graph *g) {
    const Onnx__Graph *source = model->graph;
    const int64_t opset = find_opset(model);
    reading r = {.arena = a, .files = {.arena = a, .model = path}, .diagnostics = d};
    names n = names_for(&r, count_names(source));
    *g = (graph){.arena = a, .node_count = source->n_node, .output_count = source->n_output};
    g->nodes = arena_array(a, graph_node, g->node_count + 1);
    g->outputs = arena_array(a, graph_value *, g->output_count + 1);
    for (size_t i = 0; i < source->n_initializer; i++) {
        graph_value *v = value_named(&n, source->initializer[i]->name);
        if (v) take_tensor(&r, source->initializer[i], v);
    }
    cvk_status status = take_inputs(&n, source, path, shapes, shape_count, d, g);
    for (size_t i = 0; i < g->node_count; i++) {
        take_node(&n, source->node[i], &g->nodes[i]);
        g->nodes[i].opset = opset;
    }
    for (size_t i = 0; i < g->output_count; i++) g->outputs[i] = value_named(&n, source->output[i]->name);
    if (!shape_count) /* others were made for other sizes */
        for (size_t i = 0; i < source->n_value_info; i++) take_info(&n, source->value_info[i]);
    graph_count_readers(g);
    return r.failed ? CVK_ERROR_IO : status;
}

cvk_status graph_read(arena *a, const char *path, const void *bytes, size_t size, const graph_shape *shapes,
                      size_t shape_count, cvk_diagnostics *d, graph *g) {
    ProtobufCAllocator memory = {allocate, keep, a};
    const Onnx__Model *model = onnx__model__unpack(&memory, size, bytes);
    if (model && model->graph && model->graph->n_node) return build(a, path, model, shapes, shape_count, d, g);
    diag_error(d, E_MODEL, (place){.file = path}, "a model is what torch.onnx.export, tf2onnx or paddle2onnx write",
               "this is not an ONNX model");
    return CVK_ERROR_SPEC;
}
