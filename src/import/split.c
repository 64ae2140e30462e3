/* A layer whose channels go different ways is a layer for each way: nothing has to be taken apart when it runs. */
#include "import/layers.h"
#include "spec/limits.h"

#include <string.h>

/* Channels of each output, in order; false: not known, or not all of them. */
static bool find_sizes(const graph_node *n, int64_t channels, int64_t *size) {
    const graph_value *list = node_input(n, 1);
    int count = n->out_count;
    const int64_t *given = node_ints(n, "split", &count);
    if (!given && list && list->ints) given = list->ints, count = (int)list->elements;
    if (list && !given) return false;
    if (!given) count = n->out_count;
    const int64_t even = (channels + count - 1) / (count ? count : 1);
    int64_t left = channels;
    for (int i = 0; i < n->out_count && count == n->out_count; i++) {
        size[i] = given ? given[i] : left < even ? left : even;
        if (size[i] < 1 || size[i] > left || !n->out[i]) return false;
        left -= size[i];
    }
    return count == n->out_count && left == 0;
}

/* Whose sums and post-ops are channel by channel, by an array of its own for each. */
static bool can_be_split(const import_layer *l) {
    return l->weights && !l->bytes && !l->operands && l->spec.groups == 1 && !l->spec.transposed;
}

static float *cut(arena *a, const float *all, int64_t rows, int64_t each, int64_t channels, int64_t begin,
                  int64_t count) {
    float *part = all ? arena_array(a, float, rows *each *count) : NULL;
    for (int64_t r = 0; part && r < rows; r++)
        memcpy(part + r * each * count, all + (r * channels + begin) * each, (size_t)(each * count) * sizeof *part);
    return part;
}

/* So many of the layer's channels, from one on. */
static import_layer *part_of(arena *a, const import_layer *whole, int64_t begin, int64_t count) {
    const int64_t channels = whole->spec.out_channels, each = spec_group_in(&whole->spec) * spec_taps(&whole->spec);
    import_layer *l = arena_copy(a, whole, sizeof *whole);
    l->spec.out_channels = l->view.channels = count;
    l->weights = cut(a, whole->weights, 1, each, channels, begin, count);
    l->bias = cut(a, whole->bias, 1, 1, channels, begin, count);
    l->scale = cut(a, whole->scale, whole->scales, 1, channels, begin, count);
    return l;
}

/* The layer that puts the value out, if the node alone reads it. */
static size_t find_layer(const import_layers *layers, const graph_value *v) {
    for (size_t i = layers->count; v && v->readers == 1 && i-- > 0;)
        if (layers->layer[i]->output == v) return i;
    return layers->count;
}

static void make_room(import_layer **layer, size_t count, size_t at, size_t more) {
    memmove(layer + at + more, layer + at, (count - at) * sizeof *layer);
}

const char *layers_split(graph *g, graph_node *n, import_layers *layers) {
    const graph_value *x = node_input(n, 0);
    const size_t at = find_layer(layers, x), more = (size_t)(n->out_count ? n->out_count - 1 : 0);
    int64_t *size = arena_array(g->arena, int64_t, n->out_count + 1), axis = node_int(n, "axis", 0), begin = 0;
    if (at == layers->count) return "it follows no layer that it alone reads";
    import_layer *whole = layers->layer[at];
    if (axis < 0) axis += x->rank;
    if (!x->view || view_channel_axis(x, &whole->view) != axis) return "it is not along channels";
    if (!can_be_split(whole) || !find_sizes(n, whole->spec.out_channels, size))
        return "its parts are not known to be layers";
    if (layers->count + more > LIMIT_LAYERS) return "a spec has room for no more layers";
    make_room(layers->layer, layers->count, at + 1, more);
    layers->count += more;
    for (int i = 0; i < n->out_count; begin += size[i++]) {
        import_layer *l = layers->layer[at + (size_t)i] = part_of(g->arena, whole, begin, size[i]);
        l->output = n->out[i];
        if (i) l->spec.name = import_name(g->arena, layers, whole->spec.name);
        l->view.tensor = l->spec.name;
        layer_fold(g->arena, l);
    }
    network_replace_layer(g, layers, whole, layers->layer + at, (size_t)n->out_count);
    n->fate = FATE_FOLDED;
    n->layer = whole->spec.name;
    n->why = "layers of its own";
    return NULL;
}
