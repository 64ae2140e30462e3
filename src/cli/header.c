/* Writes the header in C that C++ also takes. Nothing in it depends on when or where it is written. Macros are named
 * after the symbol as it stands, so that no two layers share one. */
#include "cli/header.h"
#include "spec/words.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

char *header_identifier(arena *a, const char *name) {
    bool digit = isdigit((unsigned char)*name);
    char *identifier = arena_format(a, "%s%s", digit ? "_" : "", name);
    for (char *c = identifier; *c; c++)
        if (!isalnum((unsigned char)*c) || (unsigned char)*c > 127) *c = '_';
    return identifier;
}

/* "1 x 128 x 28 x 28": N and C or O and I, then the axes the layer has. */
static const char *shape(arena *a, const int64_t dimensions[5], uint32_t rank, bool any) {
    text t = text_new(a);
    if (any)
        text_add(&t, "any x %" PRId64, dimensions[1]);
    else
        text_add(&t, "%" PRId64 " x %" PRId64, dimensions[0], dimensions[1]);
    for (uint32_t i = AXES - rank; i < AXES; i++) text_add(&t, " x %" PRId64, dimensions[2 + i]);
    return t.bytes;
}

static void print_buffer(text *out, const char *name, const char *what, const cvk_buffer_info *buffer) {
    if (!buffer->bytes) return;
    text_add(out, " *   %-8s %s, %" PRIu64 " bytes, aligned to %" PRIu32 "\n", name, what, buffer->bytes,
             buffer->alignment);
}

/* What the caller brings, whatever the target. */
static void print_tensors(const cvk_kernel_info *i, text *out) {
    arena *a = out->arena;
    if (i->batch_any)
        text_add(out, " *   bytes and tasks are those of one image, but for weights, bias, scale, scratch\n");
    print_buffer(out, "input",
                 arena_format(a, "%s %s of %s", shape(a, i->input_shape, i->spatial_rank, i->batch_any),
                              spec_layout_name(i->input_layout), dtype_words.word[i->input_dtype]),
                 &i->input);
    print_buffer(out, "weights",
                 arena_format(a, "%s dense of %s", shape(a, i->weights_shape, i->spatial_rank, false),
                              dtype_words.word[i->weights_dtype]),
                 &i->weights);
    print_buffer(out, "gradient",
                 arena_format(a, "%s %s of %s", shape(a, i->weights_shape, i->spatial_rank, false),
                              spec_layout_name(i->output_layout), dtype_words.word[i->weights_dtype]),
                 &i->gradient);
    const char *sum = type_name(type_of_sums((cvk_type)i->input_dtype));
    print_buffer(out, "bias", arena_format(a, "one %s a channel", sum), &i->bias);
    const char *factors = i->shift.bytes ? "s32" : strcmp(sum, "f64") == 0 ? sum : "f32";
    print_buffer(out, "scale", arena_format(a, "%" PRIu32 " of %s, one a channel or one for all", i->scales, factors),
                 &i->scale);
    print_buffer(out, "shift", "of s32, one a channel or one for all", &i->shift);
    print_buffer(out, "addend", arena_format(a, "%" PRIu32 " like the output", i->addends), &i->addend);
    print_buffer(out, "gate", "one a channel of each image, as an output of one position", &i->gate);
    print_buffer(
        out, "output",
        arena_format(a, "%s %s of %s", shape(a, i->output_shape, i->spatial_rank, i->batch_any),
                     i->gradient.bytes ? "dense, then gradients of the bias," : spec_layout_name(i->output_layout),
                     dtype_words.word[i->output_dtype]),
        &i->output);
    print_buffer(out, "indices", "laid out as the output, s32: where in its channel each maximum stands", &i->indices);
}

static void print_variant(const cvk_kernel_info *i, text *out) {
    print_buffer(out, "packed", "the weights, packed by cvk_pack_weights", &i->packed_weights);
    print_buffer(out, "scratch", "for each worker", &i->scratch);
    print_buffer(out, "workspace", "for a run", &i->workspace);
    text_add(out, " *   ");
    for (uint32_t p = 0; p < i->phases; p++) text_add(out, "%s%" PRIu32, p ? ", then " : "", i->tasks[p]);
    text_add(out, " tasks\n *   plan %s", i->plan);
}

/* For memory that is laid out at compile time: enough for every target. */
static void print_sizes(const kernel_list *k, size_t layer, text *out) {
    const buffer_row *row;
    for (int i = 0; (row = buffer_at(i)); i++) {
        cvk_buffer_info all = buffer_for_all(k, layer, row);
        if (!row->always && !all.bytes) continue;
        text_add(out, "#define %s_%s_BYTES %" PRIu64 "\n#define %s_%s_ALIGNMENT %" PRIu32 "\n", k->symbols[layer],
                 row->macro, all.bytes, k->symbols[layer], row->macro, all.alignment);
    }
}

static void print_one(const kernel_list *k, size_t layer, text *out) {
    const cvk_kernel_info *i = &k->units[layer].info;
    text_add(out, "\n/* %s, for %s\n", i->name, i->target);
    print_tensors(i, out);
    print_variant(i, out);
    text_add(out, " */\nextern const cvk_kernel_info %s;\n", k->symbols[layer]);
}

static void print_set(const kernel_list *k, size_t layer, text *out) {
    const char *symbol = k->symbols[layer];
    const compile_unit *units = &k->units[layer];
    text_add(out, "\n/* %s, for several targets, of which cvk_select(&%s, &status) takes the best\n", units->info.name,
             symbol);
    print_tensors(&units->info, out);
    for (size_t t = 0; t < k->targets; t++) {
        const cvk_kernel_info *i = &units[t * k->layers].info;
        text_add(out, "%s * for %s\n", t ? "\n" : "", i->target);
        print_variant(i, out);
    }
    text_add(out, " */\nextern const cvk_kernel_set %s;\n", symbol);
}

/* ---- a network ---- */

static void print_tensor(const char *what, const cvk_tensor_info *t, bool any, text *out) {
    text_add(out, " *   %-8s %s: %s %s of %s, %" PRIu64 " bytes%s, aligned to %" PRIu32 "\n", what, t->name,
             shape(out->arena, t->shape, t->spatial_rank, any), spec_layout_name(t->layout), dtype_words.word[t->dtype],
             t->bytes, any ? " an image" : "", t->alignment);
}

/* What the caller brings, whatever the target. */
static void print_network_tensors(const cvk_network_info *n, text *out) {
    for (uint32_t i = 0; i < n->inputs; i++) print_tensor("input", &n->input[i], n->batch_any, out);
    for (uint32_t i = 0; i < n->outputs; i++) print_tensor("output", &n->output[i], n->batch_any, out);
    for (uint32_t i = 0; i < n->weights; i++) {
        const cvk_weight_info *w = &n->weight[i];
        text_add(out, " *   %-8s %" PRIu32 ": %s, dense of %s, %" PRIu64 " bytes\n", i ? "" : "weights", i, w->name,
                 dtype_words.word[w->dtype], w->bytes);
    }
}

static void print_network_variant(const cvk_network_info *n, text *out) {
    print_buffer(out, "packed", "all weights, packed by cvk_network_pack", &n->packed_weights);
    const cvk_buffer_info workspace = cvk_network_workspace(n, 1, 1);
    print_buffer(out, "workspace", n->batch_any ? "of one image, on one worker" : "on one worker", &workspace);
    text_add(out, " *   %" PRIu32 " steps\n", n->steps);
}

static void print_network_size(const kernel_list *k, const char *what, cvk_buffer_info all, text *out) {
    text_add(out, "#define %s_%s_BYTES %" PRIu64 "\n#define %s_%s_ALIGNMENT %" PRIu32 "\n", k->table_symbol, what,
             all.bytes, k->table_symbol, what, all.alignment);
}

static void print_network_sizes(const kernel_list *k, text *out) {
    cvk_buffer_info packed = {.alignment = 1}, workspace = {.alignment = 1};
    for (size_t t = 0; t < k->targets; t++) {
        const cvk_buffer_info p = k->table[t].packed_weights, w = cvk_network_workspace(&k->table[t], 1, 1);
        if (p.bytes > packed.bytes) packed.bytes = p.bytes;
        if (w.bytes > workspace.bytes) workspace.bytes = w.bytes;
        packed.alignment = p.alignment;
        workspace.alignment = w.alignment;
    }
    print_network_size(k, "PACKED_WEIGHTS", packed, out);
    print_network_size(k, "WORKSPACE", workspace, out);
}

static void print_network(const kernel_list *k, text *out) {
    text_add(out, "\n/* The network in one call, cvk_network_run%s\n",
             k->targets > 1 ? ", for several targets, of which cvk_network_select takes the best" : "");
    print_network_tensors(k->table, out);
    for (size_t t = 0; t < k->targets; t++) {
        if (k->targets > 1) text_add(out, " * for %s\n", k->table[t].target);
        print_network_variant(&k->table[t], out);
    }
    text_add(out, " */\nextern const cvk_network_%s %s;\n", k->targets > 1 ? "set" : "info", k->table_symbol);
    print_network_sizes(k, out);
}

void header_print(const kernel_list *k, text *out) {
    char *guard = header_identifier(out->arena, arena_format(out->arena, "%s%s", k->prefix, k->stem));
    for (char *c = guard; *c; c++) *c = (char)toupper((unsigned char)*c);
    text_add(out, "/* %s.h: convolution kernels of %s.o, compiled by convoke %s. Run them with cvk_run. */\n", k->stem,
             k->stem, CVK_VERSION);
    text_add(out, "#ifndef CVK_KERNELS_%s_H\n#define CVK_KERNELS_%s_H\n\n#include <convoke/runtime.h>\n\n", guard,
             guard);
    text_add(
        out,
        "/* Of a layer L, as macros: L_INPUT_BYTES, L_INPUT_ALIGNMENT and so on, enough for every target; scratch\n"
        " * is that of one worker. */\n\n");
    text_add(out, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    for (size_t l = 0; l < k->layers; l++) {
        (k->targets == 1 ? print_one : print_set)(k, l, out);
        print_sizes(k, l, out);
    }
    if (k->table) print_network(k, out);
    text_add(out, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}
