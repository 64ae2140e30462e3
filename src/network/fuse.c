/* An identity becomes post-ops of the layer before it, where nothing else reads what that one makes. The two then stand
 * where the identity stood: what its post-ops take is there by then, and nobody has waited for the layer. Of a sum or a
 * product of two tensors, either may be what the other is added to, or multiplied with. */
#include "network/fuse.h"

#include <string.h>

enum { NONE = -1 };

typedef struct fusing {
    arena *arena;
    fused_graph *to;
    int *maker; /* of each tensor, the node of `to`; NONE: it comes in */
    int count;  /* of nodes, with those that are gone */
    bool *gone;
} fusing;

/* ---- what fits ---- */

static bool is_pinned(const cvk_spec *s) { return s->schedule || strcmp(s->algorithm, "auto") != 0; }

static bool is_elementwise(const cvk_spec *s) {
    return s && s->kind == LAYER_IDENTITY && !spec_is_chain(s) && !is_pinned(s) && type_is_float(s->input_type) &&
           s->input_type == s->output_type;
}

/* One tensor of the output's shape is read where it lies, and several are copied, which is dearer than a step. */
static bool takes(const cvk_spec *s, const cvk_spec *elementwise) {
    const int tensors = spec_operands(s, OPERAND_TENSOR), more = spec_operands(elementwise, OPERAND_TENSOR);
    return !spec_is_chain(s) && !s->indices && s->output_type == elementwise->input_type &&
           spec_post_type(s) == spec_post_type(elementwise) &&
           s->post_count + elementwise->post_count <= MOST_POST_OPS && (more == 0 || tensors + more == 1);
}

/* The node that makes a tensor which the identity alone reads, and can take it; or NONE. */
static int maker_for(const fusing *f, int tensor, const cvk_spec *elementwise) {
    const spec_graph *g = &f->to->graph;
    const int maker = f->maker[tensor];
    if (maker == NONE || g->tensor[tensor].readers != 1 || graph_is_output(g, tensor)) return NONE;
    const cvk_spec *s = g->node[maker].layer;
    return s && takes(s, elementwise) ? maker : NONE;
}

/* ---- one of two ---- */

static const cvk_spec *with_post_ops(arena *a, const cvk_spec *s, const cvk_spec *elementwise) {
    cvk_spec *both = arena_copy(a, s, sizeof *s);
    memcpy(both->post + s->post_count, elementwise->post, sizeof *both->post * (size_t)elementwise->post_count);
    both->post_count += elementwise->post_count;
    return both;
}

/* The tensors of the one, then those of the other; of a sum that was turned round, `first` in the place of its first.
 */
static const int *operands_of(arena *a, const graph_node *maker, const graph_node *elementwise, int first) {
    int *both = arena_array(a, int, maker->operand_count + elementwise->operand_count + 1);
    if (maker->operand_count) memcpy(both, maker->operand, sizeof *both * (size_t)maker->operand_count);
    for (int i = 0; i < elementwise->operand_count; i++)
        both[maker->operand_count + i] = i == 0 && first != NONE ? first : elementwise->operand[i];
    return both;
}

static network_parts parts_with(arena *a, network_parts of, const cvk_spec *layer) {
    const cvk_spec **both = arena_array(a, const cvk_spec *, of.count + 1);
    if (of.count) memcpy(both, of.layer, sizeof *both * (size_t)of.count);
    both[of.count] = layer;
    return (network_parts){of.count + 1, both};
}

static void add(fusing *f, graph_node n, network_parts parts) {
    f->to->graph.node[f->count] = n;
    f->to->parts[f->count] = parts;
    f->maker[n.output] = f->count++;
}

/* `first`: as of operands_of. */
static void fuse(fusing *f, int maker, const graph_node *elementwise, int first) {
    graph_node both = f->to->graph.node[maker];
    both.layer = with_post_ops(f->arena, both.layer, elementwise->layer);
    both.operand = operands_of(f->arena, &f->to->graph.node[maker], elementwise, first);
    both.operand_count += elementwise->operand_count;
    both.output = elementwise->output;
    f->gone[maker] = true;
    add(f, both, parts_with(f->arena, f->to->parts[maker], elementwise->layer));
}

static bool is_commutative(const cvk_spec *s) {
    return s->post_count > 0 && (s->post[0].kind == POST_ADD || s->post[0].kind == POST_MULTIPLY);
}

/* False: it stays a step of its own. */
static bool fuse_with_maker(fusing *f, const graph_node *n) {
    if (!is_elementwise(n->layer)) return false;
    int maker = maker_for(f, n->input[0], n->layer), first = NONE;
    if (maker == NONE && is_commutative(n->layer)) {
        maker = maker_for(f, n->operand[0], n->layer);
        first = n->input[0];
    }
    if (maker != NONE) fuse(f, maker, n, first);
    return maker != NONE;
}

/* ---- all of them ---- */

static void close_gaps(fusing *f) {
    spec_graph *g = &f->to->graph;
    g->node_count = 0;
    for (int i = 0; i < f->count; i++) {
        if (f->gone[i]) continue;
        g->node[g->node_count] = g->node[i];
        f->to->parts[g->node_count] = f->to->parts[i];
        g->tensor[g->node[i].output].producer = g->node_count++;
    }
}

fused_graph network_fuse(arena *a, const spec_graph *g) {
    fused_graph to = {.graph = *g};
    fusing f = {.arena = a, .to = &to, .maker = arena_array(a, int, g->tensor_count + 1)};
    to.graph.tensor = arena_copy(a, g->tensor, sizeof *g->tensor * (size_t)g->tensor_count);
    to.graph.node = arena_array(a, graph_node, g->node_count + 1);
    to.parts = arena_array(a, network_parts, g->node_count + 1);
    f.gone = arena_array(a, bool, g->node_count + 1);
    for (int t = 0; t < g->tensor_count; t++) f.maker[t] = NONE;
    for (const graph_node *n = g->node; n < g->node + g->node_count; n++) {
        if (fuse_with_maker(&f, n)) continue;
        add(&f, *n, n->layer ? parts_with(a, (network_parts){0}, n->layer) : (network_parts){0});
    }
    close_gaps(&f);
    return to;
}
