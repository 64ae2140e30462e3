/* Types of what nodes make: those of what they read, but for the operators that are about types. */
#include "import/graph.h"

#include <string.h>

/* By an input that tells it, or by that one's own. */
static const struct {
    const char *op;
    int input;
    cvk_type otherwise; /* where that input is left out */
} ROWS[] = {{"QuantizeLinear", 2, TYPE_U8}, {"DequantizeLinear", 1, TYPE_F32}};

static cvk_type type_made(const graph_node *n) {
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (strcmp(ROWS[i].op, n->op) == 0) {
            const graph_value *v = node_input(n, ROWS[i].input);
            return v ? v->type : ROWS[i].otherwise;
        }
    const graph_value *x = node_input(n, 0);
    cvk_type type = TYPE_S32;
    if (strcmp(n->op, "Cast") != 0) return x ? x->type : TYPE_F32;
    return graph_type(node_int(n, "to", 0), &type) ? type : TYPE_S32;
}

void graph_infer_types(graph *g) {
    for (graph_node *n = g->nodes; n < g->nodes + g->node_count; n++)
        for (int i = 0; i < n->out_count; i++)
            if (n->out[i] && n->out[i]->maker == n) n->out[i]->type = type_made(n);
}
