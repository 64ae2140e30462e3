/* Channels that change places: groups of so many each become so many groups of one from each. The groups are laid one
 * behind the other as positions, (group, position, channel); turned round as a whole that is (position, channel,
 * group), which has the groups innermost. */
#include "import/layers.h"
#include "spec/limits.h"

enum { MOST_GROUPS = 64 };

/* The concatenation that makes the tensor of a group for each of its operands; NULL: another node makes it. */
static const import_item *find_concat(const import_layers *layers, const graph_view *x, int64_t groups) {
    const import_network *net = &layers->network;
    const import_item *at = net->item, *end = net->item + net->item_count;
    while (at < end && at->name != x->tensor) at++;
    bool whole = at < end && at->kind == GRAPH_CONCAT && !at->along_positions && at->read_count == groups;
    for (int i = 0; whole && i < at->read_count; i++) {
        const graph_view *part = at->node->in[i]->view;
        whole = part->tensor == at->reads[i] && part->channels * groups == x->channels;
    }
    return whole ? at : NULL;
}

static const char *const *slice_groups(graph *g, import_layers *layers, const graph_node *n, const graph_view *x,
                                       int64_t groups) {
    const int64_t each = x->channels / groups;
    const char **names = arena_array(g->arena, const char *, groups);
    for (int64_t i = 0; i < groups; i++) {
        const import_item item = {.node = n,
                                  .kind = GRAPH_SLICE,
                                  .reads = arena_copy(g->arena, &x->tensor, sizeof x->tensor),
                                  .read_count = 1,
                                  .from = i * each,
                                  .to = (i + 1) * each};
        names[i] = network_add_item(g, layers, arena_format(g->arena, "%s_group", x->tensor), item);
    }
    return names;
}

static const char *count_as(graph *g, import_layers *layers, const graph_node *n, const char *tensor, int64_t channels,
                            int64_t positions) {
    const graph_view to = {.rank = 1, .channels = channels, .size = {1, 1, positions}};
    return network_reshape(g, layers, n, tensor, &to, "shape");
}

static const char *shuffle(graph *g, import_layers *layers, const graph_node *n, const graph_view *x, int64_t groups) {
    const import_item *concat = find_concat(layers, x, groups);
    const int64_t each = x->channels / groups, positions = view_positions(x);
    const import_item behind = {.node = n,
                                .kind = GRAPH_CONCAT,
                                .reads = concat ? concat->reads : slice_groups(g, layers, n, x, groups),
                                .read_count = (int)groups,
                                .along_positions = true};
    const char *name = network_add_item(g, layers, n->name, behind);
    name = network_transpose(g, layers, n, name);
    name = count_as(g, layers, n, name, groups, positions * each);
    name = network_transpose(g, layers, n, name);
    name = count_as(g, layers, n, name, positions, each * groups);
    name = network_transpose(g, layers, n, name);
    return x->rank > 1 ? network_reshape(g, layers, n, name, x, "shape") : name;
}

bool network_shuffle(graph *g, import_layers *layers, const graph_node *n, const graph_value *v, graph_view *shuffled) {
    const graph_view *x = v->view;
    int64_t groups;
    if (!view_rotate(v, x, &groups, shuffled) || groups > MOST_GROUPS) return false;
    if (view_positions(x) > LIMIT_SIZE / groups || view_positions(x) > LIMIT_SIZE / (x->channels / groups))
        return false;
    shuffled->tensor = shuffle(g, layers, n, x, groups);
    return true;
}
