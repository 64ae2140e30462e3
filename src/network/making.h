/* Steps while they are made: of each tensor of the graph how it lies, and in what. For network/ alone. */
#ifndef CVK_NETWORK_MAKING_H
#define CVK_NETWORK_MAKING_H

#include "network/steps.h"

enum { NONE = -1, BLOCK = 16 };

/* Of each tensor of the graph, while steps are made. */
typedef struct value {
    cvk_layout layout;
    int home;                  /* the concatenation that it lies in, or NONE */
    int64_t channel, position; /* where in it */
    int output;                /* the output whose buffer it lies in, or NONE */
    int list;                  /* the operands of a layer that it lies among, or NONE */
    int number;                /* which of them it is */
    int storage;               /* where it lies, or NONE: it has not been asked for */
} value;

/* Tensors that post-ops of one layer take, one after another. */
typedef struct operand_list {
    const graph_node *taker;
    post_operand sort;
    int count, storage; /* storage: NONE until it is asked for */
} operand_list;

typedef struct making {
    arena *arena;
    network_steps *n;
    const spec_graph *g;
    const network_parts *parts; /* of each node */
    value *value;
    operand_list *list;
    int list_count;
} making;

static inline bool comes_in(const making *m, int t) { return m->g->tensor[t].producer == GRAPH_COMES_IN; }
static inline const graph_node *maker_of(const making *m, int t) { return &m->g->node[m->g->tensor[t].producer]; }

static inline bool same_channels(const making *m, const graph_node *n) {
    return m->g->tensor[n->input[0]].channels == m->g->tensor[n->output].channels;
}

/* Of a tensor whose positions are only counted otherwise, the one that it is: one node may put that where the other is
 * wanted. */
static inline int root_of(const making *m, int t) {
    while (!comes_in(m, t) && maker_of(m, t)->kind == GRAPH_RESHAPE && same_channels(m, maker_of(m, t)))
        t = maker_of(m, t)->input[0];
    return t;
}

static inline bool is_one_image(const making *m) { return m->n->batch == 1 && !m->n->batch_any; }

/* The tensors of one sort that a layer's post-ops take, in their order. */
static inline int find_operands(const graph_node *n, post_operand sort, int found[MOST_POST_OPS]) {
    int count = 0, at = 0;
    for (const post_op *op = n->layer->post; op < n->layer->post + n->layer->post_count; op++) {
        if (!post_takes_tensor(op->kind)) continue;
        if (post_rows[op->kind].operand == sort) found[count++] = n->operand[at];
        at++;
    }
    return count;
}

/* Whether a slice of what is in blocks is of whole ones. */
static inline bool is_of_blocks(const making *m, const graph_node *slice) {
    const int64_t end = slice->first + m->g->tensor[slice->output].channels;
    return slice->first % BLOCK == 0 && (end % BLOCK == 0 || end == m->g->tensor[slice->input[0]].channels);
}

/* The layout that each tensor of the graph has inside, and which of them lie in the buffers of outputs. */
void making_choose_layouts(making *m);

#endif
