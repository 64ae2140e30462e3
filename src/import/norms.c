/* A layer normalisation that a model writes out: (x - mean) / sqrt(mean of (x - mean)^2 + epsilon), over the last axis.
 */
#include "import/graph.h"

#include <math.h>
#include <string.h>

static graph_node *maker_of(const graph_value *v, const char *op) {
    graph_node *n = v && v->maker ? (graph_node *)(uintptr_t)v->maker : NULL;
    return n && strcmp(n->op, op) == 0 && !n->part_of ? n : NULL;
}

static const graph_value *input(const graph_node *n, int i) { return n ? node_input(n, i) : NULL; }

static bool is_read_by(const graph_node *n, int readers) {
    return n && n->out_count == 1 && n->out[0] && n->out[0]->readers == readers;
}

/* Over the last axis, which stays. */
static bool is_over_last(const graph_node *mean) {
    const graph_value *x = input(mean, 0), *list = input(mean, 1);
    int count;
    const int64_t *axes = mean ? node_ints(mean, "axes", &count) : NULL;
    if (!axes && list && list->ints && list->elements == 1) axes = list->ints, count = 1;
    return axes && count == 1 && x && x->rank > 0 && (axes[0] == -1 || axes[0] == x->rank - 1) &&
           node_int(mean, "keepdims", 1) != 0;
}

static bool is_one_number(const graph_value *v) { return v && v->floats && v->elements == 1; }

/* What is squared: by Pow, or times itself. */
static const graph_value *squared(const graph_value *v, graph_node **by) {
    const graph_value *two;
    *by = maker_of(v, "Pow");
    two = input(*by, 1);
    if (*by) return is_one_number(two) && two->floats[0] == 2 ? input(*by, 0) : NULL;
    *by = maker_of(v, "Mul");
    return *by && input(*by, 0) == input(*by, 1) ? input(*by, 0) : NULL;
}

void norm_recognise(arena *a, graph_node *n) {
    enum { PARTS = 6 };
    if (strcmp(n->op, "Div") != 0 || n->in_count != 2) return;
    graph_node *sub = maker_of(input(n, 0), "Sub"), *root = maker_of(input(n, 1), "Sqrt"),
               *add = maker_of(input(root, 0), "Add"), *square = NULL;
    const int second = is_one_number(input(add, 0));
    graph_node *variance = maker_of(input(add, second), "ReduceMean"), *mean = maker_of(input(sub, 1), "ReduceMean");
    const graph_value *x = input(sub, 0), *epsilon = input(add, !second), *of = squared(input(variance, 0), &square);
    if (!x || input(mean, 0) != x || !of || of != sub->out[0] || !is_one_number(epsilon)) return;
    if (!is_over_last(mean) || !is_over_last(variance) || !(epsilon->floats[0] > 0)) return;
    const int readers = strcmp(square->op, "Mul") == 0 ? 3 : 2;
    graph_node *const parts[PARTS] = {sub, root, add, variance, mean, square};
    for (int i = 0; i < PARTS; i++)
        if (!is_read_by(parts[i], i ? 1 : readers)) return;
    for (int i = 0; i < PARTS; i++) parts[i]->part_of = n;
    n->op = "LayerNormalization";
    n->in = arena_copy(a, &x, sizeof x);
    n->in_count = 1;
    n->source = NULL;
    n->epsilon = (double)epsilon->floats[0];
}
