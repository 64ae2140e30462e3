/* Turns a model of one Conv, ConvTranspose, ConvInteger, QLinearConv or pool into a spec's YAML text, and its .pb files
 * into arrays.
 */
#include "onnx_read.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOAT = 1, INT64 = 7, MOST_AXES = 3 };

/* TensorProto's numbers for types, and our words. */
static const struct type {
    int number;
    size_t bytes;
    const char *word;
} TYPES[] = {{FLOAT, 4, "f32"}, {2, 1, "u8"}, {3, 1, "s8"}, {6, 4, "s32"}};

static const struct type *type_of(const Onnx__Tensor *tensor) {
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (tensor->data_type == TYPES[i].number) return &TYPES[i];
    return NULL;
}

bool skip(onnx_case *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(c->skipped, sizeof c->skipped, format, args);
    va_end(args);
    return false;
}

/* The whole file, or NULL. */
static uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    if (bytes && fread(bytes, 1, *size, file) != *size) {
        free(bytes);
        bytes = NULL;
    }
    fclose(file);
    return bytes;
}

static Onnx__Model *read_model(const char *folder) {
    char path[512];
    size_t size;
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    uint8_t *bytes = read_file(path, &size);
    Onnx__Model *model = bytes ? onnx__model__unpack(NULL, size, bytes) : NULL;
    free(bytes);
    return model;
}

static Onnx__Tensor *read_tensor(const char *folder, const char *kind, size_t n) {
    char path[512];
    size_t size;
    snprintf(path, sizeof path, "%s/test_data_set_0/%s_%zu.pb", folder, kind, n);
    uint8_t *bytes = read_file(path, &size);
    Onnx__Tensor *tensor = bytes ? onnx__tensor__unpack(NULL, size, bytes) : NULL;
    free(bytes);
    return tensor;
}

/* A copy of the tensor's numbers; NULL if they are of another type, or not as many as its dimensions say. */
static void *data_of(const Onnx__Tensor *tensor, int64_t *elements) {
    const struct type *type = type_of(tensor);
    *elements = 1;
    for (size_t i = 0; i < tensor->n_dims; i++) *elements *= tensor->dims[i];
    size_t bytes = type ? (size_t)*elements * type->bytes : 0;
    const void *data = tensor->has_raw_data ? (const void *)tensor->raw_data.data : tensor->float_data;
    size_t given = tensor->has_raw_data ? tensor->raw_data.len : tensor->n_float_data * sizeof(float);
    if (!type || given != bytes || (!tensor->has_raw_data && tensor->data_type != FLOAT)) return NULL;
    void *copy = malloc(bytes + 1);
    if (copy) memcpy(copy, data, bytes);
    return copy;
}

static const Onnx__Tensor *initializer(const Onnx__Graph *graph, const char *name) {
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (strcmp(graph->initializer[i]->name, name) == 0) return graph->initializer[i];
    return NULL;
}

/* Which input_N.pb holds that input of the graph: those with an initializer have none. */
static size_t file_number(const Onnx__Graph *graph, const char *name) {
    size_t n = 0;
    for (size_t i = 0; i < graph->n_input && strcmp(graph->input[i]->name, name) != 0; i++)
        n += !initializer(graph, graph->input[i]->name);
    return n;
}

void *operand(const char *folder, const Onnx__Graph *graph, size_t n, int64_t *elements, int64_t dims[5], size_t *rank,
              const char **word) {
    const char *name = graph->node[0]->input[n];
    const Onnx__Tensor *constant = initializer(graph, name);
    Onnx__Tensor *file = constant ? NULL : read_tensor(folder, "input", file_number(graph, name));
    const Onnx__Tensor *tensor = constant ? constant : file;
    void *data = tensor && tensor->n_dims <= 5 ? data_of(tensor, elements) : NULL;
    *word = data ? type_of(tensor)->word : "";
    *rank = data ? tensor->n_dims : 0;
    for (size_t i = 0; i < *rank; i++) dims[i] = tensor->dims[i];
    if (file) onnx__tensor__free_unpacked(file, NULL);
    return data;
}

const Onnx__Attribute *attribute(const Onnx__Node *node, const char *name) {
    for (size_t i = 0; i < node->n_attribute; i++)
        if (strcmp(node->attribute[i]->name, name) == 0) return node->attribute[i];
    return NULL;
}

void say(onnx_case *c, const char *format, ...) {
    size_t used = strlen(c->yaml);
    va_list args;
    va_start(args, format);
    vsnprintf(c->yaml + used, sizeof c->yaml - used, format, args);
    va_end(args);
}

void say_list(onnx_case *c, const char *key, size_t n, const int64_t *values) {
    say(c, "    %s: [", key);
    for (size_t i = 0; i < n; i++) say(c, i ? ", %lld" : "%lld", (long long)values[i]);
    say(c, "]\n");
}

static void say_attribute(onnx_case *c, const Onnx__Node *node, const char *name, const char *key) {
    const Onnx__Attribute *a = attribute(node, name);
    if (a) say_list(c, key, a->n_ints, a->ints);
}

/* ONNX lists what goes before on every axis, then what goes after. */
static void say_pads(onnx_case *c, const Onnx__Attribute *pads) {
    size_t axes = pads->n_ints / 2;
    say(c, "    padding: [");
    for (size_t i = 0; i < axes; i++)
        say(c, i ? ", [%lld, %lld]" : "[%lld, %lld]", (long long)pads->ints[i], (long long)pads->ints[axes + i]);
    say(c, "]\n");
}

static void say_padding(onnx_case *c, const Onnx__Node *node) {
    static const char *const words[][2] = {{"SAME_UPPER", "same"}, {"SAME_LOWER", "same_lower"}, {"VALID", "valid"}};
    const Onnx__Attribute *automatic = attribute(node, "auto_pad"), *pads = attribute(node, "pads");
    for (size_t i = 0; automatic && i < sizeof words / sizeof *words; i++)
        if (automatic->s.len == strlen(words[i][0]) && memcmp(automatic->s.data, words[i][0], automatic->s.len) == 0) {
            say(c, "    padding: %s\n", words[i][1]);
            return;
        }
    if (pads) say_pads(c, pads);
}

bool load_output(const char *folder, onnx_case *c) {
    Onnx__Tensor *output = read_tensor(folder, "output", 0);
    c->output = output ? data_of(output, &c->output_elements) : NULL;
    for (size_t i = 0; output && i < output->n_dims && i < 5; i++) c->output_dims[i] = output->dims[i];
    if (output) onnx__tensor__free_unpacked(output, NULL);
    return c->output ? true : skip(c, "no expected output");
}

/* Where a node has its operands, which differ where tensors come with scales and zero points; 0: it has none such. */
typedef struct operand_places {
    const char *op_type;
    size_t weights, bias, zero[3], scale[3]; /* of input, weights and output */
} operand_places;

static const operand_places *places_of(const Onnx__Node *node) {
    static const operand_places PLACES[] = {{"Conv", 1, 2, {0}, {0}},
                                            {"ConvTranspose", 1, 2, {0}, {0}},
                                            {"ConvInteger", 1, 0, {2, 3, 0}, {0}},
                                            {"QLinearConv", 3, 8, {2, 5, 7}, {1, 4, 6}}};
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++)
        if (strcmp(node->op_type, PLACES[i].op_type) == 0) return &PLACES[i];
    return NULL;
}

/* A byte of the node's n-th input, where it has one, and its type. */
static bool find_zero_point(const char *folder, const Onnx__Graph *graph, size_t n, int *zero, const char **word) {
    int64_t elements, dims[5];
    size_t rank;
    *zero = 0;
    if (n == 0 || graph->node[0]->n_input <= n) return true;
    void *data = operand(folder, graph, n, &elements, dims, &rank, word);
    const bool one = data && elements == 1 && strcmp(*word, "f32") != 0;
    if (one) *zero = strcmp(*word, "u8") == 0 ? *(const uint8_t *)data : *(const int8_t *)data;
    free(data);
    return one;
}

/* The scale of the input times that of the weights over that of the output, of each channel or of all. */
static bool load_multipliers(const char *folder, const Onnx__Graph *graph, const operand_places *p, onnx_case *c,
                             int64_t *count) {
    float *scale[3];
    int64_t elements[3] = {0}, dims[5];
    size_t rank;
    const char *word;
    for (int i = 0; i < 3; i++) scale[i] = operand(folder, graph, p->scale[i], &elements[i], dims, &rank, &word);
    const bool sound = scale[0] && scale[1] && scale[2] && elements[0] == 1 && elements[2] == 1;
    for (int64_t i = 0; sound && i < elements[1]; i++) scale[1][i] = *scale[0] * scale[1][i] / *scale[2];
    c->scale = sound ? scale[1] : NULL;
    *count = elements[1];
    free(scale[0]);
    free(scale[2]);
    if (!sound) free(scale[1]);
    return sound;
}

/* Bytes, and what stands for 0 in them. */
static bool say_types(const char *folder, const Onnx__Graph *graph, onnx_case *c, const char *in, const char *w) {
    static const char *const NAMES[] = {"input", "weights", "output"};
    const operand_places *p = places_of(graph->node[0]);
    const char *word[3] = {in, w, "s32"};
    int64_t multipliers = 0;
    int zero;
    if (!p->zero[0]) return strcmp(in, "f32") == 0 && strcmp(w, "f32") == 0;
    say(c, "    quantization: {");
    for (size_t i = 0; i < 3; i++) {
        if (!find_zero_point(folder, graph, p->zero[i], &zero, &word[i])) return false;
        if (zero) say(c, "%s_zero_point: %d, ", NAMES[i], zero);
    }
    if (p->scale[0] && !load_multipliers(folder, graph, p, c, &multipliers)) return false;
    say(c, "%s}\n", multipliers == 1 ? "multipliers: per_tensor" : "");
    say(c, "    dtype: {input: %s, weights: %s, output: %s}\n", word[0], word[1], word[2]);
    return true;
}

static bool load_operands(const char *folder, const Onnx__Graph *graph, onnx_case *c, int64_t in[5], int64_t w[5],
                          size_t *rank, const char *words[2]) {
    int64_t ignored[5];
    size_t weights_rank, bias_rank;
    const char *of_bias;
    const operand_places *p = places_of(graph->node[0]);
    bool bias = p->bias && graph->node[0]->n_input > p->bias;
    c->input = operand(folder, graph, 0, &c->input_elements, in, rank, &words[0]);
    c->weights = operand(folder, graph, p->weights, &c->weights_elements, w, &weights_rank, &words[1]);
    if (bias) c->bias = operand(folder, graph, p->bias, &c->bias_elements, ignored, &bias_rank, &of_bias);
    if (!c->input || !c->weights || (bias && !c->bias)) return skip(c, "a tensor is missing, or of another type");
    if (*rank < 3 || *rank != weights_rank) return skip(c, "tensors of rank %zu and %zu", *rank, weights_rank);
    return load_output(folder, c);
}

/* What an axis of a transposed convolution gives without padding. */
typedef struct spread {
    int64_t whole, output_padding;
} spread;

static int64_t number_of(const Onnx__Attribute *a, size_t i, int64_t otherwise) { return a ? a->ints[i] : otherwise; }

static spread spread_of(const Onnx__Node *node, size_t axis, int64_t in, int64_t kernel) {
    int64_t stride = number_of(attribute(node, "strides"), axis, 1),
            dilation = number_of(attribute(node, "dilations"), axis, 1);
    return (spread){(in - 1) * stride + (kernel - 1) * dilation + 1,
                    number_of(attribute(node, "output_padding"), axis, 0)};
}

/* An asked for output is cropped to, the odd one before; what it has beyond the last position is output padding. */
static void say_output_shape(onnx_case *c, const Onnx__Node *node, const Onnx__Attribute *shape, const int64_t *in,
                             const int64_t *kernel) {
    int64_t extra[MOST_AXES];
    say(c, "    padding: [");
    for (size_t i = 0; i < shape->n_ints; i++) {
        spread s = spread_of(node, i, in[i], kernel[i]);
        int64_t total = s.whole + s.output_padding - shape->ints[i], cropped = total > 0 ? total : 0;
        extra[i] = s.output_padding + cropped - total;
        say(c, i ? ", [%lld, %lld]" : "[%lld, %lld]", (long long)(cropped - cropped / 2), (long long)(cropped / 2));
    }
    say(c, "]\n");
    say_list(c, "output_padding", shape->n_ints, extra);
}

static void say_transposed(onnx_case *c, const Onnx__Node *node, const int64_t *in, const int64_t *kernel) {
    const Onnx__Attribute *shape = attribute(node, "output_shape");
    say(c, "    transposed: true\n");
    if (shape) {
        say_output_shape(c, node, shape, in, kernel);
        return;
    }
    say_attribute(c, node, "output_padding", "output_padding");
    say_padding(c, node);
}

static const Onnx__Node *layer_of(const Onnx__Graph *graph) {
    for (size_t i = 0; i < graph->n_node; i++)
        if (strstr(graph->node[i]->op_type, "Conv") || strstr(graph->node[i]->op_type, "Pool")) return graph->node[i];
    return NULL;
}

/* ---- pools ---- */

static const struct pool_row {
    const char *op_type, *kind;
    bool global;
} POOLS[] = {{"MaxPool", "max_pool", false},
             {"AveragePool", "average_pool", false},
             {"GlobalMaxPool", "max_pool", true},
             {"GlobalAveragePool", "average_pool", true}};

static const struct pool_row *pool_of(const Onnx__Node *node) {
    for (size_t i = 0; i < sizeof POOLS / sizeof *POOLS; i++)
        if (strcmp(node->op_type, POOLS[i].op_type) == 0) return &POOLS[i];
    return NULL;
}

static void say_switch(onnx_case *c, const Onnx__Node *node, const char *name) {
    const Onnx__Attribute *a = attribute(node, name);
    if (a && a->i) say(c, "    %s: true\n", name);
}

/* An index there counts through all images and channels of the tensor: as one of its channel. Columns first, the map of
 * a channel is turned. */
static int32_t index_of(int64_t index, const int64_t in[5], size_t rank, bool columns_first) {
    int64_t map = 1;
    for (size_t i = 2; i < rank; i++) map *= in[i];
    index %= map;
    return (int32_t)(columns_first ? index % in[2] * (map / in[2]) + index / in[2] : index);
}

static bool load_indices(const char *folder, onnx_case *c, const int64_t in[5], size_t rank, bool columns_first) {
    Onnx__Tensor *tensor = read_tensor(folder, "output", 1);
    const size_t count = (size_t)c->output_elements;
    const bool raw = tensor && tensor->data_type == INT64 && tensor->raw_data.len == count * sizeof(int64_t);
    c->indices = raw ? malloc((count + 1) * sizeof *c->indices) : NULL;
    for (size_t i = 0; c->indices && i < count; i++) {
        int64_t index;
        memcpy(&index, tensor->raw_data.data + i * sizeof index, sizeof index);
        c->indices[i] = index_of(index, in, rank, columns_first);
    }
    if (tensor) onnx__tensor__free_unpacked(tensor, NULL);
    return c->indices ? true : skip(c, "no expected indices");
}

/* Pools of one axis were exported as of two, between nodes that add and take away an axis of size 1. */
static bool insert_axis(const Onnx__Graph *graph, const Onnx__Node *pool, int64_t in[5], size_t *rank) {
    const Onnx__Attribute *kernel = attribute(pool, "kernel_shape"), *axes = attribute(graph->node[0], "axes");
    if (graph->node[0] == pool) return graph->n_node == 1;
    if (graph->n_node != 3 || strcmp(graph->node[0]->op_type, "Unsqueeze") != 0 || !axes || axes->n_ints != 1 ||
        *rank != kernel->n_ints + 1)
        return false;
    const size_t at = (size_t)axes->ints[0];
    memmove(in + at + 1, in + at, sizeof *in * (*rank - at));
    in[at] = 1;
    ++*rank;
    return true;
}

static bool load_pool(const char *folder, const char *name, const Onnx__Graph *graph, onnx_case *c) {
    const Onnx__Node *node = layer_of(graph);
    const struct pool_row *pool = pool_of(node);
    const Onnx__Attribute *kernel = attribute(node, "kernel_shape"), *order = attribute(node, "storage_order");
    const bool indices = node->n_output > 1;
    int64_t in[5];
    size_t rank;
    const char *type;
    c->input = operand(folder, graph, 0, &c->input_elements, in, &rank, &type);
    if (!c->input || strcmp(type, "s32") == 0) return skip(c, "the input is missing, or of another type");
    if (!insert_axis(graph, node, in, &rank))
        return skip(c, "a %s in a graph of %zu nodes", node->op_type, graph->n_node);
    if (!load_output(folder, c) || (indices && !load_indices(folder, c, in, rank, order && order->i))) return false;
    say(c, "version: 1\nlayers:\n  - name: %s\n    kind: %s\n", name, pool->kind);
    say_list(c, "input", rank, in);
    say(c, "    dtype: %s\n", type);
    if (pool->global)
        say(c, "    kernel_size: global\n");
    else
        say_list(c, "kernel_size", kernel->n_ints, kernel->ints);
    say_attribute(c, node, "strides", "stride");
    say_attribute(c, node, "dilations", "dilation");
    say_padding(c, node);
    say_switch(c, node, "ceil_mode");
    say_switch(c, node, "count_include_pad");
    if (indices) say(c, "    indices: true\n");
    return true;
}

/* ---- a graph ---- */

static bool load_conv(const char *folder, const char *name, const Onnx__Graph *graph, onnx_case *c) {
    const Onnx__Node *node = graph->node[0];
    const Onnx__Attribute *group = attribute(node, "group");
    int64_t in[5], w[5];
    size_t rank;
    const char *words[2];
    if (!load_operands(folder, graph, c, in, w, &rank, words)) return false;
    say(c, "version: 1\nlayers:\n  - name: %s\n", name);
    say_list(c, "input", rank, in);
    const bool transposed = strcmp(node->op_type, "ConvTranspose") == 0;
    const int64_t groups = group ? group->i : 1;
    say(c, "    out_channels: %lld\n", (long long)(transposed ? groups * w[1] : w[0]));
    say_list(c, "kernel_size", rank - 2, w + 2);
    say_attribute(c, node, "strides", "stride");
    say_attribute(c, node, "dilations", "dilation");
    if (transposed)
        say_transposed(c, node, in + 2, w + 2);
    else
        say_padding(c, node);
    say(c, "    groups: %lld\n", (long long)groups);
    say(c, "    bias: %s\n    layout: channels_first\n", c->bias ? "true" : "false");
    return say_types(folder, graph, c, words[0], words[1]) ? true
                                                           : skip(c, "types or zero points that do not go together");
}

static bool load_graph(const char *folder, const char *name, const Onnx__Graph *graph, onnx_case *c) {
    const Onnx__Node *node = layer_of(graph);
    c->layer = node != NULL || (graph->n_node == 1 && is_step(graph->node[0]));
    if (!node && c->layer) return load_step(folder, name, graph, c);
    if (!node) return skip(c, "no layer, or of several nodes");
    if (pool_of(node)) return load_pool(folder, name, graph, c);
    if (!places_of(node)) return skip(c, "%s is not known here", node->op_type);
    if (graph->n_node != 1) return skip(c, "a graph of %zu nodes, not of one Conv", graph->n_node);
    return load_conv(folder, name, graph, c);
}

bool onnx_case_load(const char *folder, const char *name, onnx_case *c) {
    *c = (onnx_case){.layer = false};
    Onnx__Model *model = read_model(folder);
    bool loaded = model && model->graph ? load_graph(folder, name, model->graph, c) : skip(c, "no model");
    if (model) onnx__model__free_unpacked(model, NULL);
    return loaded;
}

void onnx_case_free(onnx_case *c) {
    free(c->input);
    free(c->weights);
    free(c->bias);
    free(c->scale);
    free(c->output);
    free(c->indices);
    free(c->addend);
    *c = (onnx_case){.layer = false};
}

static int each_in(const char *parent, void (*run)(const char *name, const onnx_case *c)) {
    struct dirent **entries;
    int n = scandir(parent, &entries, NULL, alphasort), count = 0;
    for (int i = 0; i < n; i++) {
        char folder[512];
        onnx_case c;
        snprintf(folder, sizeof folder, "%s/%s", parent, entries[i]->d_name);
        if (onnx_case_load(folder, entries[i]->d_name, &c)) {
            run(entries[i]->d_name, &c);
            count++;
        } else if (c.layer) {
            printf("skipped %s: %s\n", entries[i]->d_name, c.skipped);
        }
        onnx_case_free(&c);
        free(entries[i]);
    }
    if (n >= 0) free(entries);
    return count;
}

int onnx_cases_each(void (*run)(const char *name, const onnx_case *c)) {
    static const char *const parents[] = {ONNX_TESTDATA "/node", ONNX_TESTDATA "/pytorch-converted",
                                          ONNX_TESTDATA "/pytorch-operator", ONNX_TESTDATA "/simple"};
    int count = 0;
    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) count += each_in(parents[i], run);
    fflush(stdout);
    return count;
}
