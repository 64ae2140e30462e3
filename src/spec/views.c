/* A table of kinds: the keys that each has, and what reads them. What is said of a tensor that has mistakes of its own
 * is passed over. */
#include "spec/views.h"

#include "spec/limits.h"
#include "spec/scalar.h"

#include <string.h>

/* A node while it is read: what it makes, and where that is `sound`. */
typedef struct viewing {
    edges *edges;
    const char *owner;
    const node *layer;
    graph_node node;
    graph_tensor made;
    bool sound;
} viewing;

typedef void read_view(viewing *v);
static read_view read_concat, read_slice, read_reshape, read_transpose;

enum { MOST_KEYS = 5, OWN = 3 };

/* By graph_kind: the first OWN are required. */
static const struct {
    const char *key[MOST_KEYS];
    size_t keys;
    read_view *read;
} ROWS[GRAPH_KINDS] = {
    [GRAPH_CONCAT] = {{"name", "kind", "input", "along"}, 4, read_concat},
    [GRAPH_SLICE] = {{"name", "kind", "input", "channels", "positions"}, 5, read_slice},
    [GRAPH_RESHAPE] = {{"name", "kind", "input", "shape"}, 4, read_reshape},
    [GRAPH_TRANSPOSE] = {{"name", "kind", "input"}, 3, read_transpose},
};

static const char *const WORDS[GRAPH_KINDS] = {
#define VIEW(NAME, word) [GRAPH_##NAME] = word,
#include "spec/views.def"
#undef VIEW
};

graph_kind view_kind(const node *layer) {
    const node *kind = edges_value(layer, "kind");
    for (int k = GRAPH_LAYER + 1; kind && kind->kind == NODE_SCALAR && k < GRAPH_KINDS; k++)
        if (strcmp(kind->text, WORDS[k]) == 0) return (graph_kind)k;
    return GRAPH_LAYER;
}

/* ---- parts of a value ---- */

static const node *value(const viewing *v, const char *key) { return edges_value(v->layer, key); }
static report *report_of(const viewing *v) { return v->edges->report; }

/* Whole and in range, or said of `key` and false. */
static bool read_number(viewing *v, const char *key, const node *n, int64_t least, int64_t *to) {
    const bool whole = n->kind == NODE_SCALAR && scalar_integer(n, to) && *to >= least;
    if (!whole)
        report_error(report_of(v), n->kind == NODE_SCALAR ? E_INTEGER : E_KIND, n->at,
                     n->kind == NODE_SCALAR ? integer_hint(n, least, LIMIT_SIZE).text : NULL,
                     "%s.%s: expected an integer %lld..%d, got %s", v->owner, key, (long long)least, LIMIT_SIZE,
                     describe(n).text);
    else if (*to > LIMIT_SIZE)
        report_error(report_of(v), E_NUMBER_LIMIT, n->at, NULL, "%s.%s: %lld is over the limit of %d", v->owner, key,
                     (long long)*to, LIMIT_SIZE);
    return whole && *to <= LIMIT_SIZE;
}

/* The one tensor that the node reads; NULL: there is none that is sound, which has been said. */
static const graph_tensor *read_input(viewing *v) {
    const node *n = value(v, "input");
    int *input = arena_array(v->edges->arena, int, 1);
    *input = edges_read_name(v->edges, arena_format(v->edges->arena, "%s.input", v->owner), n);
    v->node.input = input;
    v->node.input_count = *input >= 0;
    const graph_tensor *t = *input < 0 ? NULL : &v->edges->graph.tensor[*input];
    return t && !t->broken ? t : NULL;
}

/* Like the tensor, but for its shape. */
static void make_like(viewing *v, const graph_tensor *t) {
    const graph_tensor named = v->made;
    v->made = *t;
    v->made.name = named.name;
    v->made.at = named.at;
}

static bool same_sizes(const graph_tensor *a, const graph_tensor *b, int first_axis) {
    const size_t count = (size_t)(AXES - first_axis);
    return a->rank == b->rank && memcmp(a->size + first_axis, b->size + first_axis, sizeof *a->size * count) == 0;
}

/* ---- concatenations ---- */

static int first_axis(const graph_tensor *t) { return AXES - t->rank; }

/* Of channels, or along the first size. */
static int64_t *extent(graph_tensor *t, bool along_positions) {
    return along_positions ? &t->size[first_axis(t)] : &t->channels;
}

/* What comes of laying it beside those before; false where it does not fit, which has been said. */
static bool lay_beside(viewing *v, const node *n, const graph_tensor *t) {
    edges *e = v->edges;
    graph_tensor *sum = &v->made, one = *t;
    const bool along = v->node.along_positions;
    if (sum->rank == 0) {
        make_like(v, t);
        *extent(sum, along) = 0;
    }
    const bool fits = edges_same_batch(t, sum) && same_sizes(t, sum, along ? first_axis(t) + 1 : 0) &&
                      (!along || t->channels == sum->channels);
    if (!fits)
        report_error(e->report, E_EDGE, n->at,
                     along ? "all but the first size have to agree" : "all but the channels have to agree",
                     "%s.input: %s is %s, which does not lie beside %s", v->owner, t->name,
                     edges_show_shape(e->arena, t), edges_show_shape(e->arena, sum));
    else if (t->type != sum->type)
        report_error(e->report, E_EDGE, n->at, NULL, "%s.input: %s is of %s, and those before it of %s", v->owner,
                     t->name, type_name(t->type), type_name(sum->type));
    *extent(sum, along) += *extent(&one, along);
    return fits && t->type == sum->type;
}

static void read_along(viewing *v) {
    static const char *const words[] = {"channels", "positions"};
    static const word_list list = {"along", 2, words};
    const node *n = value(v, "along");
    const int found = n && n->kind == NODE_SCALAR ? word_find(&list, n->text) : n ? -1 : 0;
    v->node.along_positions = found == 1;
    if (found >= 0) return;
    report_error(report_of(v), n->kind == NODE_SCALAR ? E_WORD : E_KIND, n->at,
                 n->kind == NODE_SCALAR ? word_hint(&list, n->text).text : NULL, "%s.along: expected %s, got %s",
                 v->owner, word_choices(&list).text, describe(n).text);
    v->sound = false;
}

static void read_concat(viewing *v) {
    edges *e = v->edges;
    const node *list = value(v, "input");
    const char *path = arena_format(e->arena, "%s.input", v->owner);
    int *inputs = arena_array(e->arena, int, list->count + 1);
    read_along(v);
    if (list->kind != NODE_SEQUENCE || !list->count) {
        report_error(e->report, E_KIND, list->at, "as in `input: [left, right]`",
                     "%s: expected a list of names, got %s", path, describe(list).text);
        v->sound = false;
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        inputs[i] = edges_read_name(e, path, list->child[i]);
        const bool known = inputs[i] >= 0 && !e->graph.tensor[inputs[i]].broken;
        v->sound = known && lay_beside(v, list->child[i], &e->graph.tensor[inputs[i]]) && v->sound;
    }
    v->node.input = inputs;
    v->node.input_count = (int)list->count;
    if (!v->sound || *extent(&v->made, v->node.along_positions) <= LIMIT_SIZE) return;
    report_error(e->report, E_NUMBER_LIMIT, list->at, NULL, "%s: %lld %s are over the limit of %d", path,
                 (long long)*extent(&v->made, v->node.along_positions),
                 v->node.along_positions ? "positions" : "channels", LIMIT_SIZE);
    v->sound = false;
}

/* ---- slices ---- */

/* From one number, counted from 0, to before another. */
static void read_range(viewing *v, const graph_tensor *t, const char *key, const node *n) {
    int64_t from, to, *whole = extent(&v->made, v->node.along_positions);
    v->sound = n->kind == NODE_SEQUENCE && n->count == 2;
    if (!v->sound) {
        report_error(report_of(v), n->kind == NODE_SEQUENCE ? E_LENGTH : E_KIND, n->at, "as in `[0, 16]`, the first 16",
                     "%s.%s: expected a pair [from, to], got %s", v->owner, key, describe(n).text);
        return;
    }
    v->sound = read_number(v, key, n->child[0], 0, &from) && read_number(v, key, n->child[1], 1, &to);
    if (!v->sound) return;
    v->sound = from < to && to <= *whole;
    if (!v->sound)
        report_error(report_of(v), E_EDGE, n->at, "the second number is that behind the last, as in Python",
                     "%s.%s: [%lld, %lld] is no part of the %lld of %s, which is %s", v->owner, key, (long long)from,
                     (long long)to, (long long)*whole, t->name, edges_show_shape(v->edges->arena, t));
    v->node.first = from;
    *whole = to - from;
}

static void read_slice(viewing *v) {
    const graph_tensor *t = read_input(v);
    const node *channels = value(v, "channels"), *positions = value(v, "positions");
    v->sound = t != NULL;
    v->node.along_positions = positions != NULL;
    if (!channels == !positions)
        report_error(report_of(v), channels ? E_MISPLACED_KEY : E_MISSING_KEY, channels ? positions->at : v->layer->at,
                     "as in `channels: [0, 16]`, the first 16", "%s: a slice is of either channels or positions",
                     v->owner);
    v->sound = v->sound && !channels != !positions;
    if (!v->sound) return;
    make_like(v, t);
    read_range(v, t, channels ? "channels" : "positions", channels ? channels : positions);
}

/* ---- other shapes ---- */

static int64_t elements_of_image(const graph_tensor *t) {
    int64_t elements;
    return __builtin_mul_overflow(t->channels, graph_pixels(t), &elements) ? INT64_MAX : elements;
}

/* C, and one to three sizes. */
static void read_shape(viewing *v, const node *n) {
    v->sound = n->kind == NODE_SEQUENCE && n->count >= 2 && n->count <= 1 + AXES;
    if (!v->sound) {
        report_error(report_of(v), n->kind == NODE_SEQUENCE ? E_LENGTH : E_KIND, n->at,
                     "C, and one to three sizes: images stay what they are",
                     "%s.shape: expected a list of 2 to %d integers, got %s", v->owner, 1 + AXES, describe(n).text);
        return;
    }
    v->made.rank = (int)n->count - 1;
    for (int axis = 0; axis < AXES; axis++) v->made.size[axis] = 1;
    for (size_t i = 0; i < n->count; i++) {
        int64_t *to = i ? &v->made.size[AXES - n->count + i] : &v->made.channels;
        v->sound = read_number(v, "shape", n->child[i], 1, to) && v->sound;
    }
}

static void read_reshape(viewing *v) {
    const graph_tensor *t = read_input(v);
    v->sound = t != NULL;
    if (!t) return;
    make_like(v, t);
    read_shape(v, value(v, "shape"));
    if (!v->sound || elements_of_image(&v->made) == elements_of_image(t)) return;
    report_error(report_of(v), E_EDGE, value(v, "shape")->at, "an image keeps all that it has, in the same order",
                 "%s.shape: %s has %lld numbers an image, and this shape %lld", v->owner, t->name,
                 (long long)elements_of_image(t), (long long)elements_of_image(&v->made));
    v->sound = false;
}

/* Channels and positions change places. */
static void read_transpose(viewing *v) {
    const graph_tensor *t = read_input(v);
    v->sound = t != NULL && graph_pixels(t) <= LIMIT_SIZE;
    if (!t) return;
    make_like(v, t);
    v->made.rank = 1;
    v->made.channels = graph_pixels(t);
    v->made.size[AXIS_D] = v->made.size[AXIS_H] = 1;
    v->made.size[AXIS_W] = t->channels;
    if (!v->sound)
        report_error(report_of(v), E_NUMBER_LIMIT, v->layer->at, NULL, "%s: %lld channels are over the limit of %d",
                     v->owner, (long long)graph_pixels(t), LIMIT_SIZE);
}

/* ---- all of them ---- */

/* Keys are few, and none from `defaults`. */
static bool check_keys(const viewing *v, graph_kind kind) {
    const word_list known = {"key", ROWS[kind].keys, ROWS[kind].key};
    bool sound = true;
    for (size_t i = 0; i < v->layer->count; i += 2) {
        const node *key = v->layer->child[i];
        if (word_find(&known, key->text) >= 0) continue;
        report_error(report_of(v), E_LAYER_KIND, key->at, NULL, "%s.%s: a layer of kind %s has %s alone", v->owner,
                     key->text, WORDS[kind], word_choices(&known).text);
        sound = false;
    }
    for (size_t i = 0; i < (kind == GRAPH_RESHAPE ? OWN + 1 : OWN); i++) {
        if (value(v, known.word[i])) continue;
        report_error(report_of(v), E_MISSING_KEY, v->layer->at, NULL, "%s: %s is missing", v->owner, known.word[i]);
        sound = false;
    }
    return sound;
}

/* False: nothing can name it. */
static bool check_name(const viewing *v) {
    const node *name = value(v, "name");
    if (!name) return false;
    if (name->kind != NODE_SCALAR || !is_name(name->text)) {
        report_error(report_of(v), name->kind == NODE_SCALAR ? E_NAME : E_KIND, name->at,
                     "letters, digits and underscores, not beginning with a digit", "%s.name: expected a name, got %s",
                     v->owner, describe(name).text);
        return false;
    }
    if (edges_named(v->edges, name->text))
        report_error(report_of(v), E_DUPLICATE_NAME, name->at, NULL,
                     "%s.name: \"%s\" is the name of an input or another layer too", v->owner,
                     show_text(name->text).text);
    return true;
}

void view_read(edges *e, graph_kind kind, const char *owner, const node *layer) {
    viewing v = {.edges = e, .owner = owner, .layer = layer, .node = {.kind = kind, .at = layer->at}};
    v.sound = check_keys(&v, kind);
    if (!check_name(&v)) return;
    v.made = (graph_tensor){.name = value(&v, "name")->text, .at = layer->at};
    if (v.sound) ROWS[kind].read(&v);
    if (v.sound && graph_elements(&v.made) > LIMIT_TENSOR_ELEMENTS) {
        report_error(e->report, E_TENSOR_LIMIT, layer->at, NULL, "%s: %s is over the limit of %d elements", owner,
                     v.made.name, LIMIT_TENSOR_ELEMENTS);
        v.sound = false;
    }
    v.made.broken = !v.sound;
    v.made.said = false;
    v.made.readers = 0;
    if (!v.sound) v.node.input_count = 0;
    edges_add(e, v.node, v.made);
}
