/* Operators on bytes, written out as what they stand for: numbers are made of what comes in, computed with, and made
 * bytes again. So the rest of an import knows one form of a model of bytes. */
#include "import/graph.h"

#include <string.h>

/* An operator's inputs are triples of bytes, scale and zero point, as many as it has operands, with those of its output
 * before or behind them, or pairs; then what it has besides. */
typedef struct written {
    const char *word, *as;
    int operands;
    bool whole; /* sums of integers come out: there are zero points, no scales */
    int axis;   /* of weights, that scales go along */
} written;

static const written ROWS[] = {
    {"QLinearConv", "Conv", 2, false, 0},
    {"QLinearMatMul", "MatMul", 2, false, 1},
    {"QLinearAdd", "Add", 2, false, 0},
    {"QLinearMul", "Mul", 2, false, 0},
    {"QLinearAveragePool", "AveragePool", 1, false, 0},
    {"QLinearGlobalAveragePool", "GlobalAveragePool", 1, false, 0},
    {"QLinearLeakyRelu", "LeakyRelu", 1, false, 0},
    {"QLinearSigmoid", "Sigmoid", 1, false, 0},
    {"ConvInteger", "Conv", 2, true, 0},
    {"MatMulInteger", "MatMul", 2, true, 1},
};
enum { TRIPLE = 3, MOST_ADDED = 3 }; /* inputs of one operand; nodes that are added for one */

static const written *row_of(const graph_node *n) {
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (strcmp(ROWS[i].word, n->op) == 0) return &ROWS[i];
    return NULL;
}

static graph_value *input(const graph_node *n, int i) { return i < n->in_count ? n->in[i] : NULL; }

typedef struct writing {
    arena *arena;
    graph_node *next; /* where the next node goes */
    const graph_node *of;
} writing;

static graph_value *new_value(const writing *w) {
    graph_value *v = arena_new(w->arena, graph_value);
    *v = (graph_value){.name = w->of->out[0]->name, .rank = -1};
    return v;
}

static graph_value *one(const writing *w) {
    static const float number = 1;
    graph_value *v = arena_new(w->arena, graph_value);
    *v = (graph_value){.name = "", .elements = 1, .floats = &number};
    return v;
}

static graph_value **list(const writing *w, graph_value *a, graph_value *b, graph_value *c) {
    graph_value *const all[] = {a, b, c};
    return arena_copy(w->arena, all, sizeof all);
}

/* A node that the model does not have, part of the one that it has. */
static void add(writing *w, const char *op, int axis, graph_value **in, graph_value *out) {
    graph_node *n = w->next++;
    *n = (graph_node){.name = in[0] ? in[0]->name : w->of->name,
                      .op = op,
                      .opset = w->of->opset,
                      .in_count = TRIPLE,
                      .out_count = 1,
                      .made = true,
                      .axis = axis};
    n->in = in;
    n->out = list(w, out, NULL, NULL);
    out->maker = n;
}

/* Number `i` of its operands, as numbers. */
static graph_value *operand(writing *w, const written *row, int i) {
    const graph_node *n = w->of;
    graph_value *bytes = input(n, row->whole ? i : TRIPLE * i), *v = new_value(w);
    graph_value *scale = row->whole ? one(w) : input(n, TRIPLE * i + 1);
    graph_value *zero = input(n, row->whole ? row->operands + i : TRIPLE * i + 2);
    add(w, "DequantizeLinear", row->axis, list(w, bytes, scale, zero), v);
    return v;
}

static void write_out(writing *w, const written *row) {
    const graph_node *n = w->of;
    const int after = TRIPLE * row->operands;
    graph_value *in[2] = {0}, *sum = row->whole ? n->out[0] : new_value(w);
    for (int i = 0; i < row->operands; i++) in[i] = operand(w, row, i);
    graph_node *op = w->next++;
    *op = *n;
    op->op = row->as;
    op->in_count = TRIPLE;
    op->in = list(w, in[0], in[1], row->whole ? NULL : input(n, after + 2));
    op->out_count = 1;
    op->out = list(w, sum, NULL, NULL);
    sum->maker = op;
    if (!row->whole) add(w, "QuantizeLinear", 0, list(w, sum, input(n, after), input(n, after + 1)), n->out[0]);
}

/* Of channels last an attribute of these operators says so; ours are first. None makes more than one tensor. */
static bool can_be_written(const graph_node *n) {
    return n->out_count == 1 && n->out[0] && !node_int(n, "channels_last", 0);
}

/* As it is, in another place. */
static void move(writing *w) {
    const graph_node *n = w->of;
    graph_node *to = w->next++;
    *to = *n;
    for (int i = 0; i < n->out_count; i++)
        if (n->out[i] && n->out[i]->maker == n) n->out[i]->maker = to;
}

void graph_write_out(graph *g) {
    size_t rows = 0;
    for (size_t i = 0; i < g->node_count; i++) rows += row_of(&g->nodes[i]) != NULL;
    if (!rows) return;
    writing w = {.arena = g->arena};
    graph_node *all = w.next = arena_array(g->arena, graph_node, g->node_count + MOST_ADDED * rows + 1);
    for (size_t i = 0; i < g->node_count; i++) {
        const written *row = row_of(&g->nodes[i]);
        w.of = &g->nodes[i];
        if (row && can_be_written(w.of))
            write_out(&w, row);
        else
            move(&w);
    }
    g->nodes = all;
    g->node_count = (size_t)(w.next - all);
    graph_count_readers(g);
}
