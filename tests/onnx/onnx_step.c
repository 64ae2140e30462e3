/* Norms, softmax, resizing, products with matrices and elementwise steps as layers, row by row of STEPS. Axes that a
 * node goes through together become images, channels and positions. */
#include "onnx_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct step {
    const char *folder;
    const Onnx__Graph *graph;
    const Onnx__Node *node;
    onnx_case *c;
    int64_t dims[5];
    size_t rank;
} step;

static int64_t product(const int64_t *dims, size_t from, size_t to) {
    int64_t n = 1;
    for (size_t i = from; i < to; i++) n *= dims[i];
    return n;
}

static double number(const step *s, const char *name, double otherwise) {
    const Onnx__Attribute *a = attribute(s->node, name);
    return a ? (double)a->f : otherwise;
}

static int64_t integer(const step *s, const char *name, int64_t otherwise) {
    const Onnx__Attribute *a = attribute(s->node, name);
    return a ? a->i : otherwise;
}

static bool has_word(const step *s, const char *name, const char *word, bool otherwise) {
    const Onnx__Attribute *a = attribute(s->node, name);
    return a ? a->s.len == strlen(word) && memcmp(a->s.data, word, a->s.len) == 0 : otherwise;
}

/* Floats of the n-th input, which has so many; NULL where it has not. */
static float *floats(const step *s, size_t n, int64_t count) {
    int64_t elements, dims[5];
    size_t rank;
    const char *word;
    float *data = n < s->node->n_input ? operand(s->folder, s->graph, n, &elements, dims, &rank, &word) : NULL;
    if (data && elements == count && strcmp(word, "f32") == 0) return data;
    free(data);
    return NULL;
}

/* From dimension `first` of the input on are channels, from `behind` on positions, before them images. */
static void say_layer(const step *s, const char *name, const char *kind, size_t first, size_t behind) {
    const int64_t shape[] = {product(s->dims, 0, first), product(s->dims, first, behind),
                             product(s->dims, behind, s->rank)};
    say(s->c, "version: 1\nlayers:\n  - name: %s\n    kind: %s\n", name, kind);
    say_list(s->c, "input", 3, shape);
}

static size_t axis_of(const step *s, int64_t otherwise) {
    const int64_t axis = integer(s, "axis", otherwise);
    return (size_t)(axis < 0 ? axis + (int64_t)s->rank : axis);
}

/* Two vectors, one behind the other, as a scale and a shift; the second may be missing, and is 0. */
static bool take_affine(const step *s, float *scale, float *shift, int64_t channels) {
    float *both = scale ? calloc((size_t)(2 * channels), sizeof *both) : NULL;
    if (both) memcpy(both, scale, sizeof *scale * (size_t)channels);
    if (both && shift) memcpy(both + channels, shift, sizeof *shift * (size_t)channels);
    free(scale);
    free(shift);
    s->c->scale = both;
    say(s->c, "    post_ops: [{scale: per_channel}, {shift: per_channel}]\n");
    return both ? true : skip(s->c, "scale or shift are missing, or not of type float");
}

/* ---- norms ---- */

static bool batch_norm(const step *s, const char *name) {
    const int64_t channels = s->dims[1];
    float *v[4];
    bool all = true;
    if (integer(s, "training_mode", 0)) return skip(s->c, "it takes statistics of its own and puts them out");
    for (size_t i = 0; i < 4; i++) all &= (v[i] = floats(s, i + 1, channels)) != NULL;
    for (int64_t c = 0; all && c < channels; c++) {
        const double scale = (double)v[0][c] / sqrt((double)v[3][c] + number(s, "epsilon", 1e-5));
        v[1][c] = (float)((double)v[1][c] - (double)v[2][c] * scale);
        v[0][c] = (float)scale;
    }
    free(v[2]);
    free(v[3]);
    say_layer(s, name, "identity", 1, 2);
    s->c->slack = 16; /* scale and shift are rounded, where there the formula is computed step by step */
    return take_affine(s, v[0], v[1], channels);
}

static bool instance_norm(const step *s, const char *name) {
    say_layer(s, name, "group_norm", 1, 2);
    say(s->c, "    groups: depthwise\n    epsilon: %.9g\n", number(s, "epsilon", 1e-5));
    return take_affine(s, floats(s, 1, s->dims[1]), floats(s, 2, s->dims[1]), s->dims[1]);
}

static bool layer_norm(const step *s, const char *name) {
    const size_t axis = axis_of(s, -1);
    const int64_t channels = product(s->dims, axis, s->rank);
    if (s->node->n_input < 3) return skip(s->c, "it has no bias");
    say_layer(s, name, "layer_norm", axis, s->rank);
    say(s->c, "    epsilon: %.9g\n", number(s, "epsilon", 1e-5));
    return take_affine(s, floats(s, 1, channels), floats(s, 2, channels), channels);
}

static bool softmax(const step *s, const char *name) {
    const size_t axis = axis_of(s, -1);
    say_layer(s, name, "softmax", axis, axis + 1);
    return true;
}

/* ---- elementwise ---- */

/* With a tensor of its shape, or a vector along the last dimension. */
static bool with_tensor(const step *s, const char *name, const char *whole, const char *vector) {
    const int64_t all = product(s->dims, 0, s->rank), last = s->dims[s->rank - 1];
    float *other = floats(s, 1, all);
    if (other) {
        say_layer(s, name, "identity", 1, s->rank > 1 ? 2 : 1);
        say(s->c, "    post_ops: [%s]\n", whole);
        s->c->addend = other;
        return true;
    }
    s->c->scale = floats(s, 1, last);
    say_layer(s, name, "identity", s->rank - 1, s->rank);
    say(s->c, "    post_ops: [{%s: per_channel}]\n", vector);
    return s->c->scale ? true : skip(s->c, "shapes that are broadcast along other dimensions, or not of type float");
}

static bool sum(const step *s, const char *name) { return with_tensor(s, name, "add", "shift"); }
static bool multiple(const step *s, const char *name) { return with_tensor(s, name, "multiply", "scale"); }

/* ---- products with matrices ---- */

static void turn(void *matrix, int64_t rows, int64_t columns) {
    float *m = matrix, *copy = malloc(sizeof *copy * (size_t)(rows * columns));
    memcpy(copy, m, sizeof *copy * (size_t)(rows * columns));
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) m[c * rows + r] = copy[r * columns + c];
    free(copy);
}

/* beta C: a row, one number or all of the output. */
static bool take_addend(const step *s, int64_t rows, int64_t columns) {
    static const char *const words[] = {"{shift: per_channel}", "{shift: per_channel}", "add"};
    const int64_t counts[] = {columns, 1, rows * columns};
    const double beta = number(s, "beta", 1);
    for (int i = 0; i < 3; i++) {
        float *given = floats(s, 2, counts[i]),
              *taken = given ? malloc(sizeof *taken * (size_t)(rows * columns)) : NULL;
        if (!given) continue;
        for (int64_t at = 0; at < (i == 2 ? counts[i] : columns); at++)
            taken[at] = (float)beta * given[counts[i] == 1 ? 0 : at];
        free(given);
        *(i == 2 ? &s->c->addend : &s->c->scale) = taken;
        say(s->c, ", %s]\n", words[i]);
        return true;
    }
    return skip(s->c, "what is added is not of type float, or a column");
}

static bool matrix_product(const step *s, const char *name) {
    const bool turned_a = integer(s, "transA", 0), turned_b = integer(s, "transB", 0);
    const int64_t rows = s->dims[turned_a], depth = s->dims[!turned_a];
    int64_t dims[5];
    size_t rank;
    const char *word;
    s->c->weights = operand(s->folder, s->graph, 1, &s->c->weights_elements, dims, &rank, &word);
    if (!s->c->weights || rank != 2 || s->rank != 2) return skip(s->c, "it is not of two matrices");
    const int64_t columns = dims[!turned_b], shape[] = {rows, depth};
    if (turned_a) turn(s->c->input, s->dims[0], s->dims[1]);
    if (!turned_b) turn(s->c->weights, dims[0], dims[1]);
    say(s->c, "version: 1\nlayers:\n  - name: %s\n    kind: dense\n", name);
    say_list(s->c, "input", 2, shape);
    say(s->c, "    out_channels: %lld\n    post_ops: [{times: %.9g}", (long long)columns, number(s, "alpha", 1));
    if (s->node->n_input > 2) return take_addend(s, rows, columns);
    say(s->c, "]\n");
    return true;
}

/* ---- resizing ---- */

/* The sizes that came out; of factors, whether these come to them without a rest. */
static bool say_sizes(const step *s, const int64_t out[5], const float *factors) {
    for (size_t i = 0; i < s->rank; i++) {
        const float whole = factors ? (float)s->dims[i] * factors[i] : (float)out[i];
        if (whole != (float)out[i]) return skip(s->c, "a factor that does not come to a whole size");
    }
    if (out[0] != s->dims[0] || out[1] != s->dims[1]) return skip(s->c, "images or channels are resized");
    say_list(s->c, "output_size", s->rank - 2, out + 2);
    return true;
}

static bool say_mode(const step *s, bool old) {
    static const char *const ROUNDING[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    static const char *const COORDINATES[] = {"half_pixel", "asymmetric", "align_corners"};
    const char *rounding = NULL, *coordinates = NULL;
    if (has_word(s, "mode", "cubic", false)) return skip(s->c, "cubic interpolation is not supported yet");
    for (int i = 0; i < 4; i++)
        if (has_word(s, "nearest_mode", ROUNDING[i], i == 0)) rounding = ROUNDING[i];
    for (int i = 0; i < 3; i++)
        if (has_word(s, "coordinate_transformation_mode", COORDINATES[i], i == 0)) coordinates = COORDINATES[i];
    if (!rounding || !coordinates) return skip(s->c, "coordinates that the language does not have");
    say(s->c, "    interpolation: %s\n    coordinates: %s\n    rounding: %s\n",
        has_word(s, "mode", "linear", false) ? "linear" : "nearest", old ? "asymmetric" : coordinates,
        old ? "floor" : rounding);
    return true;
}

static bool resize(const step *s, const char *name) {
    const bool old = strcmp(s->node->op_type, "Upsample") == 0;
    const size_t at = old ? 1 : 2;
    float *factors = floats(s, at, (int64_t)s->rank);
    if (s->rank < 3) return skip(s->c, "it has no positions");
    say(s->c, "version: 1\nlayers:\n  - name: %s\n    kind: resize\n", name);
    say_list(s->c, "input", s->rank, s->dims);
    const bool good = say_mode(s, old) && say_sizes(s, s->c->output_dims, factors);
    free(factors);
    return good;
}

/* ---- all of them ---- */

static const struct step_row {
    const char *op_type;
    bool (*load)(const step *s, const char *name);
} STEPS[] = {{"BatchNormalization", batch_norm},
             {"InstanceNormalization", instance_norm},
             {"LayerNormalization", layer_norm},
             {"Softmax", softmax},
             {"Add", sum},
             {"Mul", multiple},
             {"Gemm", matrix_product},
             {"Resize", resize},
             {"Upsample", resize}};

static const struct step_row *row_of(const Onnx__Node *node) {
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++)
        if (strcmp(node->op_type, STEPS[i].op_type) == 0) return &STEPS[i];
    return NULL;
}

bool is_step(const Onnx__Node *node) { return row_of(node) != NULL; }

bool load_step(const char *folder, const char *name, const Onnx__Graph *graph, onnx_case *c) {
    step s = {folder, graph, graph->node[0], c, {0}, 0};
    const char *word;
    c->input = operand(folder, graph, 0, &c->input_elements, s.dims, &s.rank, &word);
    if (!c->input || strcmp(word, "f32") != 0) return skip(c, "the input is missing, or not of type float");
    return load_output(folder, c) && row_of(s.node)->load(&s, name);
}
