/* Activations that a model writes out by other operators: a table of terms. */
#include "import/border.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The operator, and what is written in its place: x is what it is applied to; numbers are constants of one element; Add
 * and Mul take their operands in either order. */
static const struct {
    const char *op, *term;
} ROWS[] = {
    {"HardSwish", "Div(Mul(x,Clip(Add(x,3),0,6)),6)"},
    {"HardSwish", "Mul(Mul(x,Clip(Add(x,3),0,6)),0.16666667)"},
    {"HardSwish", "Mul(x,Div(Clip(Add(x,3),0,6),6))"},
    {"HardSwish", "Mul(x,Mul(Clip(Add(x,3),0,6),0.16666667))"},
    {"HardSigmoid6", "Div(Clip(Add(x,3),0,6),6)"},
    {"HardSigmoid6", "Mul(Clip(Add(x,3),0,6),0.16666667)"},
    {"HardSwish", "Mul(x,HardSigmoid(x))"},
    {"Silu", "Mul(x,Sigmoid(x))"},
    {"Silu", "Mul(x,Sigmoid(Mul(x,1)))"},
    {"Gelu", "Mul(Mul(x,Add(Erf(Div(x,1.4142135)),1)),0.5)"},
    {"Gelu", "Mul(x,Mul(Add(Erf(Div(x,1.4142135)),1),0.5))"},
    {"Gelu", "Mul(Mul(x,0.5),Add(Erf(Div(x,1.4142135)),1))"},
    {"Gelu", "Mul(Mul(x,0.5),Add(Erf(Mul(x,0.70710677)),1))"},
    {"GeluTanh", "Mul(Mul(x,0.5),Add(Tanh(Mul(Add(x,Mul(Pow(x,3),0.044715)),0.7978846)),1))"},
};

enum { MOST_PARTS = 16 };

/* A match as far as it has come. */
typedef struct match {
    const graph_value *x;
    graph_node *part[MOST_PARTS];
    int parts;
} match;

static bool is_number(const graph_value *v, double wanted) {
    if (v->elements != 1 || (!v->floats && !v->ints)) return false;
    const double got = v->floats ? (double)v->floats[0] : (double)v->ints[0];
    return fabs(got - wanted) <= 1e-6 * fabs(wanted);
}

/* Behind the operand that begins there. */
static const char *operand_end(const char *at) {
    int depth = 0;
    for (; *at && (depth || (*at != ',' && *at != ')')); at++) depth += (*at == '(') - (*at == ')');
    return at;
}

static bool matches(const char *term, const graph_value *v, bool whole, match *m);

static bool operands_match(const char *const *operand, int count, const graph_node *n, bool swapped, match *m) {
    for (int i = 0; i < count; i++)
        if (!n->in[swapped ? 1 - i : i] || !matches(operand[i], n->in[swapped ? 1 - i : i], false, m)) return false;
    return true;
}

/* HardSigmoid by the parameters that ours has. */
static bool has_our_parameters(const graph_node *n) {
    return strcmp(n->op, "HardSigmoid") != 0 ||
           (fabs(node_float(n, "alpha", 0.2) - 1.0 / 6) <= 1e-6 && node_float(n, "beta", 0.5) == 0.5);
}

static bool node_matches(const char *term, graph_node *n, match *m) {
    const char *operand[3] = {0};
    int count = 0;
    const size_t length = strcspn(term, "(");
    if (strlen(n->op) != length || memcmp(n->op, term, length) != 0 || m->parts == MOST_PARTS) return false;
    for (const char *at = term + length; count < 3 && (*at == '(' || *at == ','); at = operand_end(at + 1))
        operand[count++] = at + 1;
    if (n->in_count != count || n->out_count < 1 || !has_our_parameters(n)) return false;
    m->part[m->parts++] = n;
    const match before = *m;
    if (operands_match(operand, count, n, false, m)) return true;
    *m = before;
    const bool either = strcmp(n->op, "Add") == 0 || strcmp(n->op, "Mul") == 0;
    return either && operands_match(operand, count, n, true, m);
}

/* Values within a term have no other reader. */
static bool matches(const char *term, const graph_value *v, bool whole, match *m) {
    if (*term == 'x') {
        if (!m->x) m->x = v;
        return m->x == v;
    }
    if (isdigit((unsigned char)*term)) return is_number(v, strtod(term, NULL));
    return v->maker && (whole || v->readers == 1) && node_matches(term, (graph_node *)(uintptr_t)v->maker, m);
}

/* The node becomes the operator; those it was written out with are parts of it. */
static void replace(arena *a, graph_node *n, const char *op, const match *m) {
    n->op = op;
    n->in = arena_copy(a, &m->x, sizeof m->x);
    n->in_count = 1;
    n->source = NULL;
    for (int i = 1; i < m->parts; i++) m->part[i]->part_of = n;
}

static bool recognise(arena *a, graph_node *n) {
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        match m = {0};
        if (!matches(ROWS[i].term, n->out[0], true, &m)) continue;
        replace(a, n, ROWS[i].op, &m);
        return true;
    }
    return false;
}

/* From the end, so that what is larger is found first. */
void graph_recognise(graph *g) {
    for (size_t i = g->node_count; i-- > 0;) {
        graph_node *n = &g->nodes[i];
        quantized_recognise(n);
        norm_recognise(g->arena, n);
        border_recognise(g->arena, n);
        if (n->out_count == 1 && n->out[0] && n->out[0]->maker == n && !n->part_of) recognise(g->arena, n);
    }
    graph_count_readers(g);
}
