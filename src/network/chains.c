/* Depthwise layers, pools and layers of one tap are chained with what they read, where that is a layer of such a kind,
 * too, which nothing else reads: they do little with each byte, and lose little in the bands of a chain. Its node
 * stands where the last of them stood. */
#include "network/chains.h"

#include <string.h>

enum { NONE = -1, MOST_CHAINED = 3 }; /* an inverted bottleneck: what follows is the next block */

typedef struct chaining {
    arena *arena;
    const fused_graph *from;
    const spec_graph *g;
    int64_t near;
    int *before; /* of each node, the one that it is chained to, or NONE */
    int *links;  /* so many layers, from the first of its chain to it */
} chaining;

/* ---- what is worth it ---- */

static bool is_one_tap(const cvk_spec *s) {
    return s->kind == LAYER_CONVOLUTION && s->groups == 1 && spec_taps(s) == 1 && !s->transposed;
}

static bool is_depthwise(const cvk_spec *s) {
    return s->kind == LAYER_CONVOLUTION && s->groups == s->in_channels && s->groups == s->out_channels;
}

static bool is_light(const cvk_spec *s) {
    return s && (spec_is_pool(s) || is_depthwise(s) || is_one_tap(s)) && !s->schedule && !spec_is_chain(s) &&
           strcmp(s->algorithm, "auto") == 0;
}

/* It may be part of a wider tensor then, which chains neither read nor write. */
static bool lies_beside(const spec_graph *g, int tensor) {
    const int maker = g->tensor[tensor].producer;
    if (maker != GRAPH_COMES_IN && !g->node[maker].layer) return true;
    for (const graph_node *n = g->node; n < g->node + g->node_count; n++)
        for (int i = 0; i < n->input_count && !n->layer; i++)
            if (n->input[i] == tensor) return true;
    return false;
}

static bool is_far(const chaining *c, int tensor) {
    const graph_tensor *t = &c->g->tensor[tensor];
    return 2 * t->batch * t->channels * graph_pixels(t) * type_bytes(t->type) > c->near;
}

/* The layers from the first of a chain to `last`. */
static const cvk_spec *links_to(const chaining *c, int last) {
    const int count = c->links[last];
    cvk_spec *link = arena_array(c->arena, cvk_spec, count);
    for (int i = count - 1; i >= 0; i--, last = c->before[last]) link[i] = *c->g->node[last].layer;
    return link;
}

static int first_of(const chaining *c, int last) {
    while (c->before[last] != NONE) last = c->before[last];
    return last;
}

static bool may_be_one(const chaining *c, int end) {
    const graph_node *first = &c->g->node[first_of(c, end)], *last = &c->g->node[end];
    cvk_spec chain;
    bool apart = !lies_beside(c->g, first->input[0]) && !lies_beside(c->g, last->output);
    for (int i = 0; i < last->operand_count; i++) apart &= !lies_beside(c->g, last->operand[i]);
    return apart && spec_chain(c->arena, links_to(c, end), c->links[end], NULL, &chain) == CVK_OK;
}

/* Chains a node to what makes its input. */
static void chain_to_maker(chaining *c, int last) {
    const graph_node *n = &c->g->node[last];
    const int input = n->input[0], maker = c->g->tensor[input].producer;
    if (!is_light(n->layer) || maker == GRAPH_COMES_IN || !is_light(c->g->node[maker].layer)) return;
    if (c->g->tensor[input].readers != 1 || graph_is_output(c->g, input) || !is_far(c, input)) return;
    if (c->links[maker] == MOST_CHAINED) return;
    c->before[last] = maker;
    c->links[last] = c->links[maker] + 1;
    if (may_be_one(c, last)) return;
    c->before[last] = NONE;
    c->links[last] = 1;
}

/* ---- one of several ---- */

static network_parts parts_of(const chaining *c, int last) {
    network_parts all = {0};
    const cvk_spec **layer;
    for (int n = last; n != NONE; n = c->before[n]) all.count += c->from->parts[n].count;
    layer = arena_array(c->arena, const cvk_spec *, all.count);
    for (int n = last, end = all.count; n != NONE; n = c->before[n]) {
        const network_parts *own = &c->from->parts[n];
        end -= own->count;
        if (own->count) memcpy(layer + end, own->layer, sizeof *layer * (size_t)own->count);
    }
    all.layer = layer;
    return all;
}

static graph_node chained(const chaining *c, int last) {
    graph_node of = c->g->node[last];
    cvk_spec *chain = arena_new(c->arena, cvk_spec);
    spec_chain(c->arena, links_to(c, last), c->links[last], NULL, chain);
    of.layer = chain;
    of.input = c->g->node[first_of(c, last)].input;
    return of;
}

static void find_chains(chaining *c) {
    for (int i = 0; i < c->g->node_count; i++) {
        c->before[i] = NONE;
        c->links[i] = 1;
        if (c->g->node[i].layer) chain_to_maker(c, i);
    }
}

/* What others are chained to is no node any more. */
static bool goes_on(const chaining *c, int last) {
    for (int i = last + 1; i < c->g->node_count; i++)
        if (c->before[i] == last) return true;
    return false;
}

fused_graph network_chain(arena *a, const fused_graph *g, int64_t near) {
    fused_graph to = *g;
    chaining c = {.arena = a, .from = g, .g = &g->graph, .near = near};
    c.links = arena_array(a, int, g->graph.node_count + 1);
    c.before = arena_array(a, int, g->graph.node_count + 1);
    find_chains(&c);
    to.graph.tensor = arena_copy(a, g->graph.tensor, sizeof *g->graph.tensor * (size_t)g->graph.tensor_count);
    to.graph.node = arena_array(a, graph_node, g->graph.node_count + 1);
    to.parts = arena_array(a, network_parts, g->graph.node_count + 1);
    to.graph.node_count = 0;
    for (int i = 0; i < g->graph.node_count; i++) {
        if (goes_on(&c, i)) continue;
        const int at = to.graph.node_count++;
        to.graph.node[at] = c.links[i] > 1 ? chained(&c, i) : g->graph.node[i];
        to.parts[at] = parts_of(&c, i);
        to.graph.tensor[to.graph.node[at].output].producer = at;
    }
    return to;
}
