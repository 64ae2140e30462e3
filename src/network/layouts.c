/* Inside, channels lie together, but where somebody says otherwise; what is seen in another tensor lies as that does,
 * and what is put out as it is wanted, where that costs nothing. */
#include "network/making.h"

/* Whether all that it takes of its output's shape lies in a layout. */
static bool takes_laid(const making *m, const graph_node *n, cvk_layout layout) {
    int found[MOST_POST_OPS];
    const int count = find_operands(n, OPERAND_TENSOR, found);
    bool laid = true;
    for (int i = 0; i < count; i++) laid &= m->value[found[i]].layout == layout;
    return laid;
}

/* Whether a layer may put it out in a layout as well as in any other: nobody has said one, and its post-ops take no
 * tensor that has another. */
static bool is_free(const making *m, int t, cvk_layout layout, int readers) {
    const graph_tensor *tensor = &m->g->tensor[t];
    return !comes_in(m, t) && !tensor->said && tensor->readers == readers && maker_of(m, t)->layer &&
           takes_laid(m, maker_of(m, t), layout);
}

/* The same of all that a concatenation lays side by side, each read there alone. */
static bool are_free(const making *m, const graph_node *concat, cvk_layout layout) {
    bool free = true;
    for (int i = 0; i < concat->input_count; i++) free &= is_free(m, concat->input[i], layout, 1);
    return free;
}

/* Whether what is laid side by side may lie so: in blocks, where each begins with one. */
static bool may_be_laid(const making *m, const graph_node *concat, cvk_layout layout) {
    int64_t channel = 0;
    bool whole = true;
    for (int i = 0; i < concat->input_count; i++) {
        whole &= channel % BLOCK == 0;
        channel += m->g->tensor[concat->input[i]].channels;
    }
    return whole || layout != CVK_BLOCKED;
}

/* As the first of its own that it may be laid out as. */
static cvk_layout layout_of_concat(const making *m, const graph_node *n) {
    cvk_layout layout = m->value[n->output].layout;
    for (int i = n->input_count - 1; i >= 0 && !n->along_positions; i--) {
        const cvk_layout own = m->value[n->input[i]].layout;
        if (!comes_in(m, n->input[i]) && may_be_laid(m, n, own)) layout = own;
    }
    return layout;
}

/* As what it is seen in lies, where it can be seen there. */
static cvk_layout layout_of_view(const making *m, const graph_node *n) {
    const cvk_layout source = m->value[n->input[0]].layout;
    switch (n->kind) {
    case GRAPH_CONCAT: return layout_of_concat(m, n);
    case GRAPH_SLICE:
        return n->along_positions || (source == CVK_BLOCKED && !is_of_blocks(m, n)) ? CVK_CHANNELS_LAST : source;
    case GRAPH_RESHAPE: return same_channels(m, n) ? source : CVK_CHANNELS_FIRST;
    default: return source == CVK_CHANNELS_FIRST ? CVK_CHANNELS_LAST : CVK_CHANNELS_FIRST;
    }
}

/* Inside, channels lie together. */
static void choose_inside(making *m) {
    for (int t = 0; t < m->g->tensor_count; t++) {
        const graph_tensor *of = &m->g->tensor[t];
        m->value[t] = (value){.layout = of->said ? of->layout : CVK_CHANNELS_LAST,
                              .home = NONE,
                              .output = NONE,
                              .list = NONE,
                              .storage = NONE};
    }
    for (const graph_node *n = m->g->node; n < m->g->node + m->g->node_count; n++)
        if (!n->layer) m->value[n->output].layout = layout_of_view(m, n);
}

/* All that the concatenation lays side by side, and so itself, where that costs nothing. */
static void lay_out_concat(making *m, const graph_node *n, cvk_layout layout) {
    if (n->along_positions || !are_free(m, n, layout) || !may_be_laid(m, n, layout)) return;
    for (int i = 0; i < n->input_count; i++)
        if (!graph_is_output(m->g, n->input[i])) m->value[n->input[i]].layout = layout;
    m->value[n->output].layout = layout;
}

/* What is only put out takes the layout that it is wanted in, where that costs nothing. */
static void choose_output(making *m, int index) {
    const graph_output *o = &m->g->output[index];
    const int root = root_of(m, o->tensor);
    value *v = &m->value[root];
    const graph_node *n = comes_in(m, root) ? NULL : maker_of(m, root);
    if (!n || (root != o->tensor && graph_is_output(m->g, root))) return;
    const bool unread = root == o->tensor && m->g->tensor[root].readers == 0;
    if (v->layout != o->layout && unread && is_free(m, root, o->layout, 0)) v->layout = o->layout;
    if (v->layout != o->layout && unread && n->kind == GRAPH_CONCAT) lay_out_concat(m, n, o->layout);
    if (v->layout == o->layout && v->output == NONE && (n->layer || n->kind == GRAPH_CONCAT)) v->output = index;
}

void making_choose_layouts(making *m) {
    choose_inside(m);
    for (int i = 0; i < m->g->output_count; i++) choose_output(m, i);
}
