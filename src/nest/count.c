/* nest_count: needs a nest that nest_check accepts; gives how often each operation is executed, without executing it.
 *
 * Every variable stands for an interval. A loop multiplies by its trips where everything inside it that depends on its
 * variable is decided by the interval: ranges whose ends are single numbers or that are surely empty, conditions of one
 * sign. Elsewhere its interval is halved and both halves are counted; a single value decides everything. So a clipped
 * loop costs its edges and the logarithm of its middle. */
#include "nest/nest.h"

typedef struct interval {
    int64_t low, high;
} interval;

typedef struct counter {
    const nest *nest;
    interval *box; /* of each variable */
    nest_counts *counts;
} counter;

static interval interval_of(const counter *c, const affine *e);

static interval interval_of_bound(const counter *c, const nest_bound *b, int64_t (*round)(int64_t, int64_t)) {
    interval i = interval_of(c, &b->numerator);
    return (interval){round(i.low, b->divisor), round(i.high, b->divisor)};
}

static interval interval_of(const counter *c, const affine *e) {
    interval sum = {e->constant, e->constant};
    for (int i = 0; i < e->count; i++) {
        const nest_variable *v = &c->nest->variables[e->term[i].variable];
        int64_t k = e->term[i].coefficient;
        interval term =
            v->kind == VARIABLE_QUOTIENT ? interval_of_bound(c, &v->quotient, floor_div) : c->box[e->term[i].variable];
        sum.low += k * (k > 0 ? term.low : term.high);
        sum.high += k * (k > 0 ? term.high : term.low);
    }
    return sum;
}

/* Where a range begins and ends. */
typedef struct ends {
    interval from, to;
} ends;

static ends ends_of(const counter *c, const nest_range *r) {
    ends e = {{INT64_MIN, INT64_MIN}, {INT64_MAX, INT64_MAX}};
    for (int i = 0; i < r->low_count; i++) {
        interval b = interval_of_bound(c, &r->low[i], ceil_div);
        if (b.low > e.from.low) e.from.low = b.low;
        if (b.high > e.from.high) e.from.high = b.high;
    }
    for (int i = 0; i < r->high_count; i++) {
        interval b = interval_of_bound(c, &r->high[i], floor_div);
        if (b.low < e.to.low) e.to.low = b.low;
        if (b.high < e.to.high) e.to.high = b.high;
    }
    return e;
}

static bool is_empty(ends e) { return e.to.high <= e.from.low; }
static bool is_decided(ends e) { return is_empty(e) || (e.from.low == e.from.high && e.to.low == e.to.high); }

/* The lanes of a decided range that a register of `lanes` has. */
static int64_t lanes_in(ends e, int lanes) {
    int64_t low = e.from.low < 0 ? 0 : e.from.low, high = e.to.low > lanes ? lanes : e.to.low;
    return is_empty(e) || low >= high ? 0 : high - low;
}

static bool depends(const counter *c, const affine *e, int variable) {
    for (int i = 0; i < e->count; i++) {
        const nest_variable *v = &c->nest->variables[e->term[i].variable];
        if (e->term[i].variable == variable) return true;
        if (v->kind == VARIABLE_QUOTIENT && depends(c, &v->quotient.numerator, variable)) return true;
    }
    return false;
}

static bool range_depends(const counter *c, const nest_range *r, int variable) {
    for (int i = 0; i < r->low_count; i++)
        if (depends(c, &r->low[i].numerator, variable)) return true;
    for (int i = 0; i < r->high_count; i++)
        if (depends(c, &r->high[i].numerator, variable)) return true;
    return false;
}

static bool range_decided(const counter *c, const nest_range *r, int variable) {
    return !r || !range_depends(c, r, variable) || is_decided(ends_of(c, r));
}

/* Is everything in the list that depends on the variable decided? Inner loops' variables stand for all their values. */
static bool list_decided(const counter *c, const nest_statement *list, int variable);

static bool for_decided(const counter *c, const nest_statement *s, int variable) {
    const nest_range *r = &c->nest->variables[s->variable].range;
    if (!range_decided(c, r, variable)) return false;
    ends e = ends_of(c, r);
    c->box[s->variable] = (interval){e.from.low, e.to.high - 1};
    return is_empty(e) || list_decided(c, s->body, variable);
}

static bool if_decided(const counter *c, const nest_statement *s, int variable) {
    interval i = interval_of(c, &s->condition);
    if (i.high < 0) return true;
    if (i.low < 0 && depends(c, &s->condition, variable)) return false;
    return list_decided(c, s->body, variable);
}

static bool list_decided(const counter *c, const nest_statement *list, int variable) {
    for (const nest_statement *s = list; s; s = s->next) {
        bool decided = s->kind == STATEMENT_FOR  ? for_decided(c, s, variable)
                       : s->kind == STATEMENT_IF ? if_decided(c, s, variable)
                                                 : range_decided(c, s->op->lanes, variable);
        if (!decided) return false;
    }
    return true;
}

static void count_op(const counter *c, const nest_op *op, double times) {
    const register_ref *r = op->kind == OP_STORE ? &op->a : &op->to;
    int lanes = r->array < 0 ? 1 : c->nest->registers[r->array].lanes;
    int64_t active = op->lanes ? lanes_in(ends_of(c, op->lanes), lanes) : lanes;
    if (active == 0) return;
    c->counts->ops[op->kind] += times;
    if (op->kind == OP_FMA) c->counts->fma_lanes += times * (double)active;
}

static void count_list(const counter *c, const nest_statement *list, double times);

static void count_for(const counter *c, const nest_statement *s, interval values, double times) {
    c->box[s->variable] = values;
    if (values.low == values.high || list_decided(c, s->body, s->variable)) {
        count_list(c, s->body, times * (double)(values.high - values.low + 1));
        return;
    }
    int64_t middle = values.low + (values.high - values.low) / 2;
    count_for(c, s, (interval){values.low, middle}, times);
    count_for(c, s, (interval){middle + 1, values.high}, times);
}

static void count_list(const counter *c, const nest_statement *list, double times) {
    for (const nest_statement *s = list; s; s = s->next) {
        if (s->kind == STATEMENT_FOR) {
            ends e = ends_of(c, &c->nest->variables[s->variable].range);
            if (!is_empty(e)) count_for(c, s, (interval){e.from.low, e.to.low - 1}, times);
        } else if (s->kind == STATEMENT_OP) {
            count_op(c, s->op, times);
        } else if (interval_of(c, &s->condition).low >= 0) {
            count_list(c, s->body, times);
        }
    }
}

void nest_count(const nest *n, nest_counts *counts) {
    *counts = (nest_counts){0};
    counter c = {.nest = n, .counts = counts};
    c.box = arena_array(n->arena, interval, n->variable_count + 1);
    count_list(&c, n->body, 1);
}
