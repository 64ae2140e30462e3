/* A model node by node: layers, what goes into them, and the rest. */
#include "import/layers.h"
#include "spec/limits.h"

#include <string.h>

static bool is_taken(const import_layers *layers, const char *name) {
    for (size_t i = 0; i < layers->names; i++)
        if (strcmp(layers->name[i], name) == 0) return true;
    return false;
}

static const char *take_name(arena *a, import_layers *layers, const char *name) {
    if (layers->names == layers->names_room) {
        const char **more = arena_array(a, const char *, 2 * layers->names_room + 64);
        if (layers->names) memcpy(more, layers->name, layers->names * sizeof *more);
        layers->name = more;
        layers->names_room = 2 * layers->names_room + 64;
    }
    return layers->name[layers->names++] = name;
}

const char *import_name(arena *a, import_layers *layers, const char *words) {
    enum { MOST = 100 };
    char name[MOST + 1];
    size_t length = 0;
    for (const char *at = words; *at && length < MOST; at++) {
        const bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z'), digit = *at >= '0' && *at <= '9';
        if (digit && !length) name[length++] = '_';
        if (letter || digit || length) name[length++] = letter || digit ? *at : '_';
    }
    name[length] = 0;
    const char *whole = length ? name : "layer", *made = arena_string(a, whole, strlen(whole));
    for (size_t n = 2; is_taken(layers, made); n++) made = arena_format(a, "%s_%zu", whole, n);
    return take_name(a, layers, made);
}

const char *import_refusal(arena *a, cvk_spec *s) {
    cvk_diagnostics *d = cvk_diagnostics_new();
    if (!d) arena_exhaust(a);
    const cvk_status status = spec_finish(s, d);
    const char *why = status == CVK_OK ? NULL : cvk_status_text(status);
    if (why && cvk_diagnostics_count(d)) why = cvk_diagnostics_get(d, 0)->message;
    if (why) why = arena_format(a, "%s", why);
    cvk_diagnostics_free(d);
    return why;
}

static int64_t product(int64_t a, int64_t b) {
    int64_t c;
    return a < 0 || b < 0 || __builtin_mul_overflow(a, b, &c) ? 0 : c;
}

/* What a node multiplies by shapes alone: of those that are no layer. */
static int64_t count_macs(const graph_node *n) {
    const graph_value *w = node_input(n, 1), *x = node_input(n, 0), *y = n->out_count ? n->out[0] : NULL;
    if (!w || !x || !y || w->rank < 2 || x->rank < 2 || y->rank < 0) return 0;
    if (strcmp(n->op, "MatMul") == 0) return product(y->elements, x->shape[x->rank - 1]);
    if (strcmp(n->op, "Gemm") == 0) return product(y->elements, x->shape[node_int(n, "transA", 0) == 0]);
    if (strcmp(n->op, "Conv") == 0 && w->shape[0] > 0) return product(y->elements, w->elements / w->shape[0]);
    if (strcmp(n->op, "ConvTranspose") == 0 && w->shape[0] > 0) return product(x->elements, w->elements / w->shape[0]);
    return 0;
}

/* The output lies as the maker said, in a tensor that the rules gave its sizes. */
static void settle_view(import_layer *l) {
    const cvk_spec *s = &l->spec;
    l->view.rank = s->rank;
    l->view.batch = s->batch;
    l->view.channels = s->out_channels;
    memcpy(l->view.size, s->out_size, sizeof s->out_size);
    l->view.tensor = l->reads.tensor ? s->name : NULL;
    if (!l->flat) view_join(l->output, &l->view);
}

/* NULL, or why there is no such layer. */
static const char *make(graph *g, graph_node *n, import_layers *layers, import_layer *l) {
    const char *why = layer_of_node(g->arena, n, l);
    if (why && !*why) why = layer_of_step(g->arena, n, l);
    if (why && !layer_of_numbers(g->arena, n, l)) why = NULL;
    if (why) return why;
    if (layers->count == LIMIT_LAYERS) return "a spec has room for no more layers";
    l->spec.name = "layer";
    if ((why = import_refusal(g->arena, &l->spec))) return why;
    l->spec.name = import_name(g->arena, layers, n->name);
    return NULL;
}

static void take_layer(graph *g, graph_node *n, import_layers *layers) {
    import_layer *l = arena_new(g->arena, import_layer);
    n->why = make(g, n, layers, l);
    if (n->why) {
        n->macs = count_macs(n);
    } else {
        n->fate = FATE_LAYER;
        n->layer = l->spec.name;
        n->why = "";
        n->macs = l->weights ? spec_macs(&l->spec) : 0;
        settle_view(l);
        if (!l->flat) layer_fold(g->arena, l);
        layers->layer[layers->count++] = l;
        network_add_layer(g, layers, l);
        __builtin_add_overflow(layers->covered, n->macs, &layers->covered);
    }
    __builtin_add_overflow(layers->macs, n->macs, &layers->macs);
}

/* Numbers that are known: a constant, or sizes that were computed with. */
static bool is_known(const graph_node *n) {
    return n->out_count && n->out[0] && (n->out[0]->floats || n->out[0]->ints);
}

static void take_node(graph *g, graph_node *n, import_layers *layers) {
    if (is_known(n)) {
        n->fate = FATE_CONSTANT;
        n->why = "";
        return;
    }
    const bool split = strcmp(n->op, "Split") == 0 && !layers_split(g, n, layers);
    if (!split && !network_take_node(g, n, layers)) take_layer(g, n, layers);
}

void layers_of_graph(graph *g, import_layers *layers) {
    *layers = (import_layers){.layer = arena_array(g->arena, import_layer *, graph_count_made(g) + 1)};
    network_begin(g, layers);
    for (size_t i = 0; i < g->node_count; i++)
        if (g->nodes[i].fate == FATE_LEFT_OUT && !g->nodes[i].part_of) take_node(g, &g->nodes[i], layers);
    for (size_t i = 0; i < g->node_count; i++) {
        graph_node *n = &g->nodes[i];
        if (!n->part_of) continue;
        n->fate = n->part_of->fate == FATE_LAYER ? FATE_FOLDED : n->part_of->fate;
        n->layer = n->part_of->layer;
        if (!n->why || n->fate != FATE_FOLDED) n->why = n->part_of->why;
    }
    network_end(g, layers);
}
