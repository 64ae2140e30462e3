/* The plain walk over a nest: every loop is run, every expression evaluated where it stands. */
#include "walk.h"

#include <math.h>

typedef struct walker {
    const nest *nest;
    walk_visit *visit;
    void *context;
    int64_t values[64];
} walker;

static int64_t expression(const walker *w, const affine *e) {
    int64_t sum = e->constant;
    for (int i = 0; i < e->count; i++) {
        int v = e->term[i].variable;
        int64_t value = w->values[v];
        if (w->nest->variables[v].kind == VARIABLE_QUOTIENT) {
            const nest_bound *q = &w->nest->variables[v].quotient;
            value = (int64_t)floor((double)expression(w, &q->numerator) / (double)q->divisor);
        }
        sum += e->term[i].coefficient * value;
    }
    return sum;
}

static int64_t low_end(const walker *w, const nest_range *r) {
    double end = -INFINITY;
    for (int i = 0; i < r->low_count; i++)
        end = fmax(end, ceil((double)expression(w, &r->low[i].numerator) / (double)r->low[i].divisor));
    return (int64_t)end;
}

static int64_t high_end(const walker *w, const nest_range *r) {
    double end = INFINITY;
    for (int i = 0; i < r->high_count; i++)
        end = fmin(end, floor((double)expression(w, &r->high[i].numerator) / (double)r->high[i].divisor));
    return (int64_t)end;
}

static void walk_op(const walker *w, const nest_op *op) {
    const register_ref *r = op->kind == OP_STORE ? &op->a : &op->to;
    int64_t low = 0, high = r->array < 0 || op->kind == OP_SPLAT ? 1 : w->nest->registers[r->array].lanes;
    if (op->lanes) {
        int64_t from = low_end(w, op->lanes), to = high_end(w, op->lanes);
        low = from > low ? from : low;
        high = to < high ? to : high;
    }
    if (low < high) w->visit(w->context, op, expression(w, &op->at.offset), low, high);
}

static void walk_list(walker *w, const nest_statement *list) {
    for (const nest_statement *s = list; s; s = s->next) {
        if (s->kind == STATEMENT_OP) walk_op(w, s->op);
        if (s->kind == STATEMENT_IF && expression(w, &s->condition) >= 0) walk_list(w, s->body);
        if (s->kind != STATEMENT_FOR) continue;
        int64_t high = high_end(w, &w->nest->variables[s->variable].range);
        for (int64_t i = low_end(w, &w->nest->variables[s->variable].range); i < high; i++) {
            w->values[s->variable] = i;
            walk_list(w, s->body);
        }
    }
}

void walk(const nest *n, walk_visit *visit, void *context) {
    walker w = {.nest = n, .visit = visit, .context = context};
    walk_list(&w, n->body);
}
