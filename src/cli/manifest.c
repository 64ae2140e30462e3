/* Objects keep the order in which their keys are set here. */
#include "cli/manifest.h"

#include "spec/words.h"

#include <jansson.h>
#include <string.h>

enum { MANIFEST_VERSION = 1, CPU_BITS = 32, DOUBLE_DIGITS = 17 };

static json_t *json_features(uint64_t features) {
    json_t *list = json_array();
    for (int bit = 0; bit < CPU_BITS; bit++) {
        char name[32];
        uint64_t one = features & UINT64_C(1) << bit;
        if (one && cvk_cpu_names(one, name, sizeof name)) json_array_append_new(list, json_string(name));
    }
    return list;
}

/* N and C or O and I, then the axes the layer has. */
static json_t *json_shape(const int64_t dimensions[5], uint32_t rank) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < 5; i++)
        if (i < 2 || i >= 5 - rank) json_array_append_new(list, json_integer((json_int_t)dimensions[i]));
    return list;
}

/* The double of the fewest digits that is the number when rounded to the type: of f32 0.1, not 0.100000001. */
static double as_written(cvk_type type, double value, int *precision) {
    char digits[48];
    for (*precision = 1; *precision < DOUBLE_DIGITS; ++*precision) {
        snprintf(digits, sizeof digits, "%.*g", *precision, value);
        if (type_round(type, strtod(digits, NULL)) == value) break;
    }
    snprintf(digits, sizeof digits, "%.*g", *precision, value);
    return strtod(digits, NULL);
}

/* As a spec writes it: "relu", {"clamp": [0, 6]}. */
static json_t *json_post_op(cvk_type type, const post_op *op) {
    int precision;
    const char *name = spec_post_name(op->kind);
    if (post_rows[op->kind].operand == OPERAND_CHANNEL) return json_pack("{s:s}", name, scale_words.word[0]);
    if (post_rows[op->kind].parameters == 1) return json_pack("{s:f}", name, as_written(type, op->a, &precision));
    if (post_rows[op->kind].parameters == 2)
        return json_pack("{s:[f, f]}", name, as_written(type, op->a, &precision), as_written(type, op->b, &precision));
    return json_string(name);
}

static json_t *json_post_ops(const cvk_spec *s) {
    json_t *list = json_array();
    for (int i = 0; i < s->post_count; i++) json_array_append_new(list, json_post_op(spec_post_type(s), &s->post[i]));
    return list;
}

/* Bytes and alignment of each buffer, for one target or enough for all. */
static json_t *json_buffers(const kernel_list *k, size_t layer, const size_t *target) {
    json_t *all = json_object();
    const buffer_row *row;
    for (int i = 0; (row = buffer_at(i)); i++) {
        cvk_buffer_info b = target ? buffer_of_kernel(k, layer, *target, row) : buffer_for_all(k, layer, row);
        json_object_set_new(
            all, row->word,
            json_pack("{s:I, s:I}", "bytes", (json_int_t)b.bytes, "alignment", (json_int_t)b.alignment));
    }
    return all;
}

/* Of each phase. */
static json_t *json_tasks(const cvk_kernel_info *i) {
    json_t *list = json_array();
    for (uint32_t p = 0; p < i->phases; p++) json_array_append_new(list, json_integer((json_int_t)i->tasks[p]));
    return list;
}

static json_t *json_variant(const kernel_list *k, size_t layer, size_t target) {
    const compile_unit *u = &k->units[target * k->layers + layer];
    return json_pack("{s:s, s:s, s:o, s:I, s:o}", "target", u->target->name, "plan", u->info.plan, "tasks",
                     json_tasks(&u->info), "kilocycles", (json_int_t)u->info.kilocycles, "buffers",
                     json_buffers(k, layer, &target));
}

static json_t *json_variants(const kernel_list *k, size_t layer) {
    json_t *list = json_array();
    for (size_t t = 0; t < k->targets; t++) json_array_append_new(list, json_variant(k, layer, t));
    return list;
}

/* N C and sizes; N is "any" of a layer for any batch. */
static json_t *json_images(const cvk_kernel_info *i, const int64_t dimensions[5]) {
    json_t *all = json_shape(dimensions, i->spatial_rank);
    if (i->batch_any) json_array_set_new(all, 0, json_string(batch_words.word[0]));
    return all;
}

static json_t *json_dtypes(const cvk_kernel_info *i) {
    return json_pack("{s:s, s:s, s:s}", "input", dtype_words.word[i->input_dtype], "weights",
                     dtype_words.word[i->weights_dtype], "output", dtype_words.word[i->output_dtype]);
}

/* `words` is the layer as one line of YAML. */
static json_t *json_layer(const kernel_list *k, size_t layer, const char *words) {
    const compile_unit *u = &k->units[layer];
    const cvk_kernel_info *i = &u->info;
    json_t *shapes =
        json_pack("{s:o, s:o, s:o}", "input", json_images(i, i->input_shape), "weights",
                  json_shape(i->weights_shape, i->spatial_rank), "output", json_images(i, i->output_shape));
    json_t *layouts = json_pack("{s:s, s:s}", "input", spec_layout_name(i->input_layout), "output",
                                spec_layout_name(i->output_layout));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name", i->name, "symbol",
                     k->symbols[layer], "operation", operation_words.word[i->operation], "type",
                     k->targets == 1 ? "cvk_kernel_info" : "cvk_kernel_set", "spec", words, "dtypes", json_dtypes(i),
                     "shapes", shapes, "layouts", layouts, "post_ops", json_post_ops(u->spec), "buffers",
                     json_buffers(k, layer, NULL), "variants", json_variants(k, layer));
}

static json_t *json_target(const cvk_target *t) {
    return json_pack("{s:s, s:s?, s:s, s:o}", "name", t->name, "triple", t->triple, "cpu", t->cpu, "cpu_features",
                     json_features(t->cpu_features));
}

static json_t *json_targets(const kernel_list *k) {
    json_t *list = json_array();
    for (size_t t = 0; t < k->targets; t++) json_array_append_new(list, json_target(k->units[t * k->layers].target));
    return list;
}

static json_t *json_strings(const char *const *strings, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, json_string(strings[i]));
    return list;
}

static json_t *json_kernels(const kernel_list *k, const char *const *words, const char *const *files, size_t count) {
    json_t *layers = json_array();
    for (size_t l = 0; l < k->layers; l++) json_array_append_new(layers, json_layer(k, l, words[l]));
    return json_pack("{s:i, s:s, s:i, s:s, s:s, s:o, s:o, s:o}", "version", MANIFEST_VERSION, "convoke", CVK_VERSION,
                     "abi", (int)CVK_ABI_VERSION, "network", k->network, "prefix", k->prefix, "files",
                     json_strings(files, count), "targets", json_targets(k), "layers", layers);
}

/* As many as the longest parameter has: to more of them, 0.1 would not be printed so. */
static size_t digits_of_parameters(const kernel_list *k) {
    int most = 1, one;
    for (size_t l = 0; l < k->layers; l++) {
        const cvk_spec *s = k->units[l].spec;
        for (const post_op *op = s->post; op < s->post + s->post_count; op++) {
            as_written(spec_post_type(s), op->a, &one);
            most = one > most ? one : most;
            as_written(spec_post_type(s), op->b, &one);
            most = one > most ? one : most;
        }
    }
    return (size_t)most;
}

cvk_status manifest_print(const kernel_list *k, const char *const *files, size_t count, text *out) {
    const char **words = arena_array(out->arena, const char *, k->layers);
    for (size_t l = 0; l < k->layers; l++) {
        text line = text_new(out->arena);
        spec_print(k->units[l].spec, &line);
        words[l] = line.bytes;
    }
    json_t *all = json_kernels(k, words, files, count);
    char *bytes = all ? json_dumps(all, JSON_INDENT(1) | JSON_REAL_PRECISION(digits_of_parameters(k))) : NULL;
    json_decref(all);
    if (!bytes) return CVK_ERROR_MEMORY;
    text_add(out, "%s\n", bytes);
    free(bytes);
    return CVK_OK;
}
