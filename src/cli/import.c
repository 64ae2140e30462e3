/* convoke import: a spec and arrays of weights out of another program's file, and what became of each of its parts. */
#include "arrays/npy.h"
#include "cli/session_main.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "cli/weights.h"
#include "files/folders.h"
#include "files/output.h"
#include "import/import.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const column columns[] = {
    {"node", NULL, 32},       {"op", NULL, 20},          {"fate", NULL, 8},         {"layer", NULL, 24},
    {"why", NULL, 1},         {"macs", "%.0f", 0},       {"input", NULL, 0},        {"output", NULL, 0},
    {"addends", NULL, 0},     {"gates", NULL, 0},        {"input_axis", "%.0f", 0}, {"output_axis", "%.0f", 0},
    {"input_shape", NULL, 0}, {"output_shape", NULL, 0},
};

/* ---- what is asked for ---- */

static const import_format *find_format(const char *word) {
    const import_format *row;
    for (int i = 0; (row = import_row(i)); i++)
        if (strcmp(row->word, word) == 0) return row;
    session_say("import: --from takes onnx and benchdnn, not `%s`", word);
    return NULL;
}

/* "1x3x640x640", of an input that may be named before it: "x=1x3x640x640". */
static bool parse_shape(arena *a, const char *words, graph_shape *to) {
    const char *sizes = strrchr(words, '=');
    *to = (graph_shape){.name = sizes ? arena_string(a, words, (size_t)(sizes - words)) : NULL};
    const char *at = sizes ? sizes + 1 : words;
    for (char *end; to->rank < GRAPH_MOST_RANK; at = end + 1) {
        const long size = strtol(at, &end, 10);
        if (*at < '0' || *at > '9' || size < 1 || size > 1 << 20) break;
        to->size[to->rank++] = size;
        if (!*end) return true;
        if (*end != 'x') break;
    }
    session_say("import: --input takes a shape such as 1x3x640x640, or NAME=1x3x640x640, not `%s`", words);
    return false;
}

static cli_exit read_file(session *s, arena *a, const char *path, import_source *to) {
    struct stat info;
    FILE *file = fopen(path, "rb");
    const bool regular = file && fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode);
    *to = (import_source){.path = path, .size = regular ? (size_t)info.st_size : 0};
    void *bytes = regular ? arena_alloc(a, to->size + 1) : NULL;
    const bool whole = regular && fread(bytes, 1, to->size, file) == to->size;
    const char *why = file && !regular ? "this is not a regular file" : strerror(errno);
    if (file) fclose(file);
    to->bytes = bytes;
    if (whole) return CLI_DONE;
    diag_error(s->diagnostics, E_FILE_READ, (place){.file = path}, NULL, "%s", why);
    return session_fail(s, CVK_ERROR_IO);
}

/* The file's name without folders and ending. */
static const char *stem_of(arena *a, const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    return arena_string(a, name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

/* ---- what is written ---- */

/* Numbers that the type has. */
static void *as_type(arena *a, const float *data, int64_t count, cvk_type type) {
    char *made = arena_array(a, char, (size_t)count *(size_t)type_bytes(type) + 1);
    for (int64_t i = 0; i < count; i++) type_write(type, made + i * type_bytes(type), (double)data[i]);
    return made;
}

static cvk_status write_array(arena *a, session *s, const weights_file *file, const void *data) {
    npy_array array = {.type = file->shape.type, .rank = file->shape.rank, .elements = 1};
    for (int i = 0; i < array.rank; i++) array.elements *= array.shape[i] = file->shape.size[i];
    const bool as_it_is = array.type == TYPE_F32 || array.type == TYPE_S32;
    array.data = as_it_is ? (void *)(uintptr_t)data : as_type(a, data, array.elements, array.type);
    return npy_write(file->path, s->diagnostics, &array);
}

static cvk_status write_arrays(arena *a, session *s, const import_layer *l) {
    weights_file files[WEIGHTS_FILES];
    const void *const data[WEIGHTS_FILES] = {l->weights, l->bytes ? (const void *)l->sums : l->bias, l->scale};
    cvk_status status = CVK_OK;
    weights_files(a, &l->spec, s->options->directory, files);
    for (int i = 0; i < WEIGHTS_FILES && status == CVK_OK; i++)
        if (files[i].taken && data[i]) status = write_array(a, s, &files[i], data[i]);
    return status;
}

static cvk_status write_spec(arena *a, session *s, const char *stem, const import_layers *layers) {
    text out = text_new(a);
    import_print(import_name(a, &(import_layers){0}, stem), layers, &out);
    const output_file file = {arena_format(a, "%s/%s.yaml", s->options->directory, stem), out.bytes, out.length};
    return output_write(&file, 1, s->diagnostics);
}

static cli_exit write_all(session *s, arena *a, const char *stem, const import_layers *layers) {
    if (!folders_make(s->options->directory)) {
        diag_error(s->diagnostics, E_FILE_WRITE, (place){.file = s->options->directory}, NULL, "%s", strerror(errno));
        return session_fail(s, CVK_ERROR_IO);
    }
    cvk_status status = CVK_OK;
    for (size_t i = 0; i < layers->count && status == CVK_OK; i++) status = write_arrays(a, s, layers->layer[i]);
    if (status == CVK_OK) status = write_spec(a, s, stem, layers); /* last, when all that it wants is there */
    return status == CVK_OK ? CLI_DONE : session_fail(s, status);
}

/* ---- what is said ---- */

/* A word of the model's, for a terminal. */
static const char *shown(arena *a, const char *words) {
    char *copy = arena_format(a, "%s", words ? words : "");
    for (char *at = copy; *at; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at >= 0x7f) *at = '?';
    return copy;
}

/* Of the tensors that post-ops take, those of one sort. */
static const char *names_of(arena *a, const import_layer *l, post_operand sort) {
    text names = text_new(a);
    int at = 0;
    for (const post_op *op = l->spec.post; op < l->spec.post + l->spec.post_count; op++) {
        if (!post_takes_tensor(op->kind)) continue;
        const char *name = shown(a, l->operand[at++]->name);
        if (post_rows[op->kind].operand == sort) text_add(&names, "%s%s", names.length ? " " : "", name);
    }
    return names.bytes;
}

/* The axis that channels are of the model's tensor; -1: none is; -2: several are, each a part of them. */
static double axis_of(const graph_value *v, const graph_view *view) {
    const bool split = view_size(view, PART_A) > 1 || view_size(view, PART_B) > 1;
    return !v ? -1 : split ? -2 : view_channel_axis(v, view);
}

/* As the layer has it. */
static const char *shape_words(arena *a, int64_t batch, int64_t channels, int rank, const int64_t size[AXES]) {
    text words = text_new(a);
    text_add(&words, "%lldx%lld", (long long)batch, (long long)channels);
    for (int axis = AXES - rank; axis < AXES; axis++) text_add(&words, "x%lld", (long long)size[axis]);
    return words.bytes;
}

static void tell_row(table *t, arena *a, const graph_node *n, const import_layer *l) {
    static const char *const fates[] = {"left out", "layer", "folded", "view", "constant"};
    const cvk_spec *s = l ? &l->spec : NULL;
    const char *layer = l ? s->name : n && n->layer ? n->layer : "";
    const cell row[] = {{shown(a, n ? n->name : l->spec.name), 0},
                        {shown(a, n ? n->op : "Conv"), 0},
                        {fates[n ? n->fate : FATE_LAYER], 0},
                        {layer, 0},
                        {n && n->why ? n->why : "", 0},
                        {NULL, !l                 ? (double)n->macs
                               : !n || l->weights ? (double)spec_macs(s)
                                                  : 0},
                        {l && l->input ? shown(a, l->input->name) : "", 0},
                        {l && l->output ? shown(a, l->output->name) : "", 0},
                        {l ? names_of(a, l, OPERAND_TENSOR) : "", 0},
                        {l ? names_of(a, l, OPERAND_IMAGE_CHANNEL) : "", 0},
                        {NULL, l ? axis_of(l->input, &l->reads) : -1},
                        {NULL, l ? axis_of(l->output, &l->view) : -1},
                        {s ? shape_words(a, s->batch, s->in_channels, s->rank, s->in_size) : "", 0},
                        {s ? shape_words(a, s->batch, s->out_channels, s->rank, s->out_size) : "", 0}};
    table_row(t, row);
}

static void tell_nodes(table *t, arena *a, const imported *from) {
    const import_layers *layers = &from->layers;
    size_t next = 0;
    for (size_t i = 0; i < from->graph.node_count; i++) {
        const graph_node *n = &from->graph.nodes[i];
        const bool begins = next < layers->count && layers->layer[next]->head == n;
        if (strcmp(n->op, "Constant") != 0 && !begins && !n->made) tell_row(t, a, n, NULL);
        while (next < layers->count && layers->layer[next]->head == n) tell_row(t, a, n, layers->layer[next++]);
    }
    for (; next < layers->count; next++) tell_row(t, a, NULL, layers->layer[next]);
}

static json_t *pair(const char *model, const char *network) {
    return json_pack("{s:s, s:s}", "model", model, "network", network);
}

/* What the model's inputs and outputs are called in the network. */
static void tell_network(table *t, arena *a, const import_network *n) {
    json_t *inputs = json_array(), *outputs = json_array();
    for (size_t i = 0; i < n->input_count && n->whole; i++)
        json_array_append_new(inputs, pair(shown(a, n->input[i]->name), n->input[i]->view->tensor));
    for (size_t i = 0; i < n->output_count && n->whole; i++)
        json_array_append_new(outputs, pair(shown(a, n->output[i].value->name), n->output[i].tensor));
    table_extra(t, "network", json_boolean(n->whole));
    table_extra(t, "inputs", inputs);
    table_extra(t, "outputs", outputs);
}

/* Whether it is one network, and if not, why. */
static void say_network(arena *a, const import_network *n) {
    if (n->whole)
        printf("one network: each layer names what it reads\n");
    else if (n->lacks)
        printf(
            "no network, but layers by themselves: %d nodes are left out that it takes, the first of them %s, a %s: %s\n",
            n->lacking, shown(a, n->lacks->name), shown(a, n->lacks->op), n->lacks->why);
    else
        printf("no network, but layers by themselves: what the model puts out does not follow from its inputs\n");
}

static cli_exit tell(session *s, arena *a, const imported *from) {
    const import_layers *layers = &from->layers;
    table t;
    if (!table_open(&t, "import", columns, sizeof columns / sizeof *columns, s->format, stdout))
        return session_fail(s, CVK_ERROR_MEMORY);
    tell_nodes(&t, a, from);
    table_extra(&t, "layers", json_integer((json_int_t)layers->count));
    table_extra(&t, "macs", json_integer((json_int_t)layers->macs));
    table_extra(&t, "covered", json_integer((json_int_t)layers->covered));
    tell_network(&t, a, &layers->network);
    table_close(&t, s->diagnostics);
    if (s->format != FORMAT_TEXT) return CLI_DONE;
    printf("%zu layers, with %.4g of %.4g million multiply-adds (%.1f %%)\n", layers->count,
           1e-6 * (double)layers->covered, 1e-6 * (double)layers->macs,
           layers->macs ? 100 * (double)layers->covered / (double)layers->macs : 100.0);
    if (from->graph.node_count) say_network(a, &layers->network);
    return CLI_DONE;
}

/* ---- the verb ---- */

/* An input without sizes is why most of a model is left out. */
static cli_exit demand_layers(const session *s, const imported *from) {
    const char *path = s->options->specs[0];
    if (from->graph.unshaped)
        session_say("%s: the model leaves sizes of its input open: --input says them, as in --input 1x3x224x224", path);
    if (from->layers.count || from->layers.network.whole) return CLI_DONE;
    const graph_node *lacks = from->layers.network.lacks;
    session_say("%s: there is nothing in it that a layer can be made of%s", path,
                lacks ? arena_format(from->graph.arena, "; %s, a %s, is left out: %s",
                                     shown(from->graph.arena, lacks->name), shown(from->graph.arena, lacks->op),
                                     lacks->why)
                      : "");
    return CLI_UNSUPPORTED;
}

static cli_exit import_body(session *s, arena *a, void *context) {
    (void)context;
    const cli_options *o = s->options;
    graph_shape shapes[CLI_MOST_LIST];
    import_source source;
    imported from = {0};
    const import_format *format = find_format(o->from);
    for (int i = 0; i < o->input_shapes.count; i++)
        if (!parse_shape(a, o->input_shapes.text[i], &shapes[i])) return CLI_USAGE;
    if (!format) return CLI_USAGE;
    cli_exit status = read_file(s, a, o->specs[0], &source);
    if (status != CLI_DONE) return status;
    source.shapes = shapes;
    source.shape_count = (size_t)o->input_shapes.count;
    cvk_status read = format->read(a, &source, s->diagnostics, &from);
    if (read != CVK_OK) return session_fail(s, read);
    status = demand_layers(s, &from);
    if (status == CLI_DONE) status = write_all(s, a, stem_of(a, o->specs[0]), &from.layers);
    return status == CLI_DONE ? tell(s, a, &from) : status;
}

cli_exit cli_import(const cli_options *options) {
    if (options->spec_count > 1) {
        session_say("import: `%s` is one too many", options->specs[1]);
        return CLI_USAGE;
    }
    if (!options->directory) {
        session_say("import: -o says where to write to");
        return CLI_USAGE;
    }
    return session_without_layers(options, options->format, import_body, NULL);
}
