/* Read: from the tree of a file to its layers. Walks the keys; spec/read_field.c reads each value, spec/rules.c judges
 * each layer as a whole. Goes on after an error, so that one run shows them all. */
#include "spec/reader.h"
#include "spec/edges.h"
#include "spec/limits.h"
#include "spec/rules.h"
#include "spec/scalar.h"
#include "spec/views.h"

#include <string.h>

enum { LANGUAGE_VERSION = 1 };

typedef enum top_key { TOP_VERSION, TOP_NAME, TOP_DEFAULTS, TOP_INPUTS, TOP_LAYERS, TOP_OUTPUTS, TOP_KEYS } top_key;
static const char *const top_words[TOP_KEYS] = {"version", "name", "defaults", "inputs", "layers", "outputs"};
static const word_list top_keys = {"key", TOP_KEYS, top_words};

typedef struct document {
    struct cvk_network *network;
    report *report;
    const node *top[TOP_KEYS];    /* NULL where absent */
    const node *fallback[FIELDS]; /* from `defaults`, else from the table; NULL where there is none */
    bool inherited[FIELDS];       /* from `defaults` */
    edges *edges;                 /* NULL: layers do not feed one another */
} document;

static const node *find_key(const node *mapping, const char *key) {
    for (size_t i = 0; i < mapping->count; i += 2)
        if (strcmp(mapping->child[i]->text, key) == 0) return mapping->child[i + 1];
    return NULL;
}

static void check_kind(report *r, const node *n, const char *path, node_kind kind, const char *expected) {
    if (n->kind != kind)
        report_error(r, E_KIND, n->at, NULL, "%s: expected %s, got %s", path, expected, describe(n).text);
}

/* Keys of a layer or of `defaults` that no field reads. */
static void check_layer_keys(report *r, const char *owner, const node *layer) {
    for (size_t i = 0; i < layer->count; i += 2) {
        const node *key = layer->child[i];
        if (word_find(&field_keys, key->text) < 0)
            report_error(r, E_UNKNOWN_KEY, key->at, word_hint(&field_keys, key->text).text, "%s: no such key, \"%s\"",
                         owner, show_text(key->text).text);
    }
}

static reader new_reader(const document *doc, const char *owner, place at) {
    reader r = {
        .report = doc->report, .arena = &doc->network->arena, .owner = owner, .complete = true, .edges = doc->edges};
    for (int i = 0; i < FIELDS; i++) r.draft.at[i] = at;
    for (int i = 0; i < AXES; i++) r.draft.spec.kernel[i] = r.draft.spec.stride[i] = r.draft.spec.dilation[i] = 1;
    r.draft.spec.at = at;
    r.draft.padding = PADDING_NUMBERS;
    return r;
}

static void read_value(reader *r, const field_row *field, const node *value, bool inherited) {
    r->field = field;
    r->inherited = inherited;
    r->draft.at[field - spec_fields] = value->at;
    read_field(r, value);
}

/* The value an absent key has by the table, as if it had been written. */
static const node *table_fallback(arena *a, const field_row *field) {
    if (!field->fallback || !*field->fallback) return NULL;
    node *n = arena_new(a, node);
    bool list = strcmp(field->fallback, "[]") == 0;
    *n = (node){.kind = list ? NODE_SEQUENCE : NODE_SCALAR, .text = field->fallback};
    return n;
}

static void read_default(document *doc, reader *r, field_id id, const node *value) {
    if (id == FIELD_name || id == FIELD_of || id == FIELD_input || id == FIELD_then) {
        report_error(doc->report, E_MISPLACED_KEY, value->at, NULL, "defaults.%s: every layer has its own",
                     spec_fields[id].key);
        return;
    }
    read_value(r, &spec_fields[id], value, false);
    doc->fallback[id] = value;
    doc->inherited[id] = true;
}

/* `defaults` is read once by itself, so that its mistakes are told even where every layer overrides them. */
static void read_defaults(document *doc) {
    static const char owner[] = "defaults";
    for (int i = 0; i < FIELDS; i++) doc->fallback[i] = table_fallback(&doc->network->arena, &spec_fields[i]);
    const node *defaults = doc->top[TOP_DEFAULTS];
    if (!defaults) return;
    check_kind(doc->report, defaults, owner, NODE_MAPPING, "a mapping of layer keys");
    if (defaults->kind != NODE_MAPPING) return;
    check_layer_keys(doc->report, owner, defaults);
    reader r = new_reader(doc, owner, defaults->at);
    for (int i = 0; i < FIELDS; i++) {
        const node *value = find_key(defaults, spec_fields[i].key);
        if (value) read_default(doc, &r, (field_id)i, value);
    }
}

/* What a layer has of another one: not who it is, nor how that one is computed. */
static bool is_shared(field_id id) {
    return id != FIELD_name && id != FIELD_of && id != FIELD_direction && id != FIELD_accumulate &&
           id != FIELD_algorithm && id != FIELD_schedule;
}

/* The layer that `of` names, or NULL. */
static const node *find_original(const document *doc, reader *r, const node *layer) {
    const node *of = find_key(layer, spec_fields[FIELD_of].key), *layers = doc->top[TOP_LAYERS];
    if (!of) return NULL;
    for (size_t i = 0; of->kind == NODE_SCALAR && i < layers->count; i++) {
        const node *other = layers->child[i], *name;
        if (other->kind != NODE_MAPPING || other == layer) continue;
        name = find_key(other, spec_fields[FIELD_name].key);
        if (!name || name->kind != NODE_SCALAR || strcmp(name->text, of->text) != 0) continue;
        if (!find_key(other, spec_fields[FIELD_of].key)) return other;
        report_error(doc->report, E_OF, of->at, NULL, "%s.of: %s is itself of another layer", r->owner,
                     describe(of).text);
        r->complete = false;
        return NULL;
    }
    report_error(doc->report, of->kind == NODE_SCALAR ? E_OF : E_KIND, of->at, NULL,
                 "%s.of: expected the name of another layer, got %s", r->owner, describe(of).text);
    r->complete = false;
    return NULL;
}

/* Its own, or that of the layer it is of. */
static const node *find_own(const node *layer, const node *original, field_id id) {
    const node *own = find_key(layer, spec_fields[id].key);
    return own || !original || !is_shared(id) ? own : find_key(original, spec_fields[id].key);
}

/* Why a layer of another kind does not have the key. */
static const char *whose(const field_row *field, layer_kind kind) {
    if (kind == LAYER_DENSE) return "a dense layer's one window is all of its input, forward";
    if (field == &spec_fields[FIELD_padding_mode]) return "padding of a pool is absent";
    if (field == &spec_fields[FIELD_transposed] || field == &spec_fields[FIELD_direction])
        return "only convolutions go backwards";
    switch (field->of) {
    case OF_CONVOLUTION:
    case OF_WEIGHED: return "as many channels come out as go in, each by itself, and there are no weights";
    case OF_MAX_POOL: return "it is for `kind: max_pool`";
    case OF_AVERAGE_POOL: return "it is for `kind: average_pool`";
    case OF_POOLS: return "it is for pools: `kind: max_pool` or `kind: average_pool`";
    default: return "it has no windows";
    }
}

/* Where the layer itself says it; what it has from elsewhere is passed over. */
static void refuse_key(const reader *r, const field_row *field, const node *layer) {
    const node *said = find_key(layer, field->key);
    if (said && !r->draft.unknown_kind)
        report_error(r->report, E_LAYER_KIND, said->at, whose(field, r->draft.spec.kind),
                     "%s.%s: a layer of kind %s has none", r->owner, field->key, kind_words.word[r->draft.spec.kind]);
}

static void read_layer_fields(const document *doc, reader *r, const node *layer) {
    const node *original = find_original(doc, r, layer);
    for (int i = 0; i < FIELDS; i++) {
        const field_row *field = &spec_fields[i];
        if (!field_is_of(field, r->draft.spec.kind)) {
            refuse_key(r, field, layer);
            continue;
        }
        const node *own = find_own(layer, original, (field_id)i), *value = own ? own : doc->fallback[i];
        if (i == FIELD_layout) r->draft.layout = own || doc->inherited[i];
        if (value) {
            read_value(r, field, value, !own && doc->inherited[i]);
        } else if (!field->fallback && !(r->draft.unknown_kind && field->of != OF_ALL) &&
                   (original || !find_key(layer, spec_fields[FIELD_of].key))) {
            report_error(doc->report, E_MISSING_KEY, layer->at, NULL, "%s: %s is missing", r->owner, field->key);
            r->complete = false;
        }
        if (!own && !doc->inherited[i]) r->draft.at[i] = layer->at;
    }
    if (r->draft.output_padding && !r->draft.spec.transposed)
        report_error(doc->report, E_OUTPUT_PADDING, r->draft.at[FIELD_output_padding], NULL,
                     "%s.output_padding: only a transposed layer has one", r->owner);
    if (r->draft.spec.accumulate && r->draft.direction == DIRECTION_FORWARD)
        report_error(doc->report, E_ACCUMULATE, r->draft.at[FIELD_accumulate],
                     "`post_ops: [add]` adds a tensor of its own to what goes forward",
                     "%s.accumulate: only gradients are added to what the output holds", r->owner);
    const node *post_ops = find_key(layer, spec_fields[FIELD_post_ops].key);
    if (r->draft.direction != DIRECTION_FORWARD && post_ops && post_ops->count)
        report_error(doc->report, E_DIRECTION, post_ops->at, "what goes in are gradients of the sums, before post-ops",
                     "%s.post_ops: gradients have none", r->owner);
}

static void check_name_is_new(const document *doc, const reader *r) {
    const cvk_spec *layers = doc->network->layers, *s = &r->draft.spec;
    if (s->name && doc->edges && edges_named(doc->edges, s->name)) {
        report_error(doc->report, E_DUPLICATE_NAME, r->draft.at[FIELD_name], NULL,
                     "%s.name: \"%s\" is the name of an input or another layer too", r->owner, show_text(s->name).text);
        return;
    }
    for (size_t i = 0; s->name && i < doc->network->count; i++) {
        if (strcmp(layers[i].name, s->name) != 0) continue;
        report_error(doc->report, E_DUPLICATE_NAME, r->draft.at[FIELD_name], NULL,
                     "%s.name: \"%s\" is the name of layers[%zu] too", r->owner, show_text(s->name).text, i);
        return;
    }
}

/* Of a sound layer. */
static void turn_backward(reader *r, const findings *f) {
    const char *why = spec_turn_backward(&r->draft.spec, r->draft.direction);
    if (why)
        report_error(r->report, E_UNSUPPORTED, r->draft.at[FIELD_direction], NULL, "%s.direction: %s", r->owner, why);
    else
        spec_apply_rules(&r->draft.spec, f);
}

void settle(reader *r) {
    cvk_spec *s = &r->draft.spec;
    if (r->draft.depthwise) s->groups = s->in_channels;
    if (!spec_weighs(s)) s->out_channels = s->in_channels;
    if (!field_is_of(&spec_fields[FIELD_groups], s->kind)) s->groups = spec_groups_of_kind(s);
    for (int axis = 0; axis < AXES && s->kind == LAYER_DENSE; axis++) s->kernel[axis] = s->in_size[axis];
    if (!spec_takes_padding(s, r->draft.padding)) {
        report_error(r->report, E_TRANSPOSED, r->draft.at[FIELD_padding],
                     "padding crops what comes out: say by how much on either side",
                     "%s.padding: a transposed layer takes numbers, valid, same or same_lower", r->owner);
        return;
    }
    const findings f = {.report = r->report, .owner = r->owner, .at = r->draft.at};
    const unsigned before = r->report->errors;
    spec_resolve_padding(s, r->draft.padding);
    spec_apply_rules(s, &f);
    if (r->draft.direction != DIRECTION_FORWARD && report_clean(r->report)) turn_backward(r, &f);
    if (r->report->errors == before) constants_settle(s, r->arena, &r->draft.constants, &f);
}

/* Inside, channels lie together, unless somebody says otherwise. */
static void settle_layouts(const document *doc, reader *r) {
    cvk_spec *s = &r->draft.spec;
    s->input_layout = doc->edges->graph.tensor[r->draft.input].layout;
    if (!r->draft.layout) s->output_layout = CVK_CHANNELS_LAST;
}

static void read_layer(document *doc, const node *layer, const char *owner) {
    struct cvk_network *network = doc->network;
    cvk_spec *s = &network->layers[network->count];
    const unsigned errors = doc->report->errors;
    check_kind(doc->report, layer, owner, NODE_MAPPING, "a mapping");
    if (layer->kind == NODE_MAPPING) {
        check_layer_keys(doc->report, owner, layer);
        reader r = new_reader(doc, owner, layer->at);
        read_layer_fields(doc, &r, layer);
        check_name_is_new(doc, &r);
        if (r.complete && doc->edges) settle_layouts(doc, &r);
        if (r.complete) settle(&r);
        if (r.complete) read_chain(&r, doc->fallback);
        *s = r.draft.spec;
        if (doc->edges) edges_add_layer(doc->edges, &r, s, r.complete && doc->report->errors == errors);
    }
    if (!s->name) s->name = "";
    network->count++;
}

/* A view of other tensors is no layer of the network's: it has no kernel. */
static void read_node(document *doc, const node *layer, size_t index) {
    const char *owner = arena_format(&doc->network->arena, "layers[%zu]", index);
    const graph_kind kind = doc->edges && layer->kind == NODE_MAPPING ? view_kind(layer) : GRAPH_LAYER;
    if (kind == GRAPH_LAYER)
        read_layer(doc, layer, owner);
    else
        view_read(doc->edges, kind, owner, layer);
}

static void read_layers(document *doc) {
    const node *layers = doc->top[TOP_LAYERS];
    if (!layers) return;
    check_kind(doc->report, layers, "layers", NODE_SEQUENCE, "a list");
    if (layers->kind != NODE_SEQUENCE) return;
    if (layers->count == 0) report_error(doc->report, E_NO_LAYERS, layers->at, NULL, "layers: the list is empty");
    if (layers->count > LIMIT_LAYERS) {
        report_error(doc->report, E_COUNT_LIMIT, layers->at, NULL, "layers: %zu are over the limit of %d",
                     layers->count, (int)LIMIT_LAYERS);
        return;
    }
    doc->network->layers = arena_array(&doc->network->arena, cvk_spec, layers->count);
    for (size_t i = 0; i < layers->count; i++) read_node(doc, layers->child[i], i);
}

static void check_top_keys(const document *doc, const node *root) {
    for (size_t i = 0; i < root->count; i += 2) {
        const node *key = root->child[i];
        bool of_layer = word_find(&field_keys, key->text) >= 0;
        if (word_find(&top_keys, key->text) < 0)
            report_error(doc->report, E_UNKNOWN_KEY, key->at,
                         of_layer ? "it belongs to a layer, or under `defaults`" : word_hint(&top_keys, key->text).text,
                         "no such key, \"%s\"", show_text(key->text).text);
    }
    static const top_key required[] = {TOP_VERSION, TOP_LAYERS};
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (!doc->top[required[i]])
            report_error(doc->report, E_MISSING_KEY, root->at, NULL, "%s is missing", top_words[required[i]]);
}

/* False where the file is in a version of the language whose keys are not known. */
static bool check_version(const document *doc) {
    const node *n = doc->top[TOP_VERSION];
    int64_t version = LANGUAGE_VERSION;
    if (n && (!scalar_integer(n, &version) || version < 1)) {
        report_error(doc->report, n->kind == NODE_SCALAR ? E_INTEGER : E_KIND, n->at,
                     integer_hint(n, LANGUAGE_VERSION, LANGUAGE_VERSION).text, "version: expected %d, got %s",
                     LANGUAGE_VERSION, describe(n).text);
        return true;
    }
    if (version == LANGUAGE_VERSION) return true;
    report_error(doc->report, E_VERSION, n->at, NULL, "version: %s is not known; this convoke reads version %d",
                 show_text(n->text).text, LANGUAGE_VERSION);
    return false;
}

static void read_network_name(const document *doc) {
    const node *n = doc->top[TOP_NAME];
    if (!n) return;
    if (n->kind == NODE_SCALAR && is_name(n->text))
        doc->network->name = n->text;
    else
        report_error(doc->report, n->kind == NODE_SCALAR ? E_NAME : E_KIND, n->at,
                     "letters, digits and underscores, not beginning with a digit", "name: expected a name, got %s",
                     describe(n).text);
}

static void begin_edges(document *doc) {
    const node *inputs = doc->top[TOP_INPUTS], *outputs = doc->top[TOP_OUTPUTS], *layers = doc->top[TOP_LAYERS];
    if (inputs)
        doc->edges = edges_begin(&doc->network->arena, doc->report, inputs,
                                 layers && layers->kind == NODE_SEQUENCE ? layers : NULL);
    else if (outputs)
        report_error(doc->report, E_MISSING_KEY, outputs->at, "as in `inputs: {x: [1, 3, 224, 224]}`",
                     "inputs is missing, without which nothing comes out");
}

static void end_edges(document *doc) {
    if (!doc->edges) return;
    if (doc->top[TOP_OUTPUTS])
        edges_end(doc->edges, doc->top[TOP_OUTPUTS]);
    else
        report_error(doc->report, E_MISSING_KEY, doc->top[TOP_INPUTS]->at, "as in `outputs: [y]`",
                     "outputs is missing");
    doc->network->graph = &doc->edges->graph;
}

void spec_read(struct cvk_network *network, const node *root, report *r) {
    network->name = "";
    check_kind(r, root, "the file", NODE_MAPPING, "a mapping with version and layers");
    if (root->kind != NODE_MAPPING) return;
    document doc = {.network = network, .report = r};
    for (int i = 0; i < TOP_KEYS; i++) doc.top[i] = find_key(root, top_words[i]);
    if (!check_version(&doc)) return;
    check_top_keys(&doc, root);
    read_network_name(&doc);
    begin_edges(&doc);
    read_defaults(&doc);
    read_layers(&doc);
    end_edges(&doc);
}
