/* nest_count: needs a nest that nest_check accepts; gives how often each operation is executed, without executing it.
 *
 * Every variable stands for an interval. A loop multiplies by its trips where everything inside it that depends on its
 * variable is decided by the interval: ranges whose ends are single numbers or that are surely empty, conditions of one
 * sign. Elsewhere its interval is halved and both halves are counted; a single value decides everything. So a clipped
 * loop costs its edges and the logarithm of its middle. What was counted is kept, and counted again only for other
 * values of the variables it depends on. */
#include "nest/nest.h"

typedef struct interval {
    int64_t low, high;
} interval;

/* A loop, condition or operation, and what is known of it. */
typedef struct part {
    const nest_statement *statement;
    struct part *next, *body;
    int outer_count;
    int *outer;         /* the loop variables around it that anything in it depends on */
    int64_t *counted;   /* their least values when `counts` was found; NULL before that */
    nest_counts counts; /* of one execution; not kept for operations */
} part;

typedef struct counter {
    const nest *nest;
    interval *box; /* of each variable */
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

static bool affine_depends(const counter *c, const affine *e, int variable) {
    for (int i = 0; i < e->count; i++) {
        const nest_variable *v = &c->nest->variables[e->term[i].variable];
        if (e->term[i].variable == variable) return true;
        if (v->kind == VARIABLE_QUOTIENT && affine_depends(c, &v->quotient.numerator, variable)) return true;
    }
    return false;
}

static bool range_depends(const counter *c, const nest_range *r, int variable) {
    for (int i = 0; i < r->low_count; i++)
        if (affine_depends(c, &r->low[i].numerator, variable)) return true;
    for (int i = 0; i < r->high_count; i++)
        if (affine_depends(c, &r->high[i].numerator, variable)) return true;
    return false;
}

/* Adding to the list of variables a part depends on, each once. */
static void add_outer(part *p, int variable) {
    for (int i = 0; i < p->outer_count; i++)
        if (p->outer[i] == variable) return;
    p->outer[p->outer_count++] = variable;
}

static void add_affine(const counter *c, part *p, const affine *e) {
    for (int i = 0; i < e->count; i++) {
        const nest_variable *v = &c->nest->variables[e->term[i].variable];
        if (v->kind == VARIABLE_QUOTIENT)
            add_affine(c, p, &v->quotient.numerator);
        else
            add_outer(p, e->term[i].variable);
    }
}

static void add_range(const counter *c, part *p, const nest_range *r) {
    for (int i = 0; i < r->low_count; i++) add_affine(c, p, &r->low[i].numerator);
    for (int i = 0; i < r->high_count; i++) add_affine(c, p, &r->high[i].numerator);
}

static part *parts_of(const counter *c, const nest_statement *list);

static part *part_of(const counter *c, const nest_statement *s) {
    part *p = arena_new(c->nest->arena, part);
    p->statement = s;
    p->outer = arena_array(c->nest->arena, int, c->nest->variable_count + 1);
    p->body = parts_of(c, s->body);
    for (const part *inner = p->body; inner; inner = inner->next)
        for (int i = 0; i < inner->outer_count; i++)
            if (s->kind != STATEMENT_FOR || inner->outer[i] != s->variable) add_outer(p, inner->outer[i]);
    if (s->kind == STATEMENT_FOR) add_range(c, p, &c->nest->variables[s->variable].range);
    if (s->kind == STATEMENT_IF) add_affine(c, p, &s->condition);
    if (s->kind == STATEMENT_OP && s->op->lanes) add_range(c, p, s->op->lanes);
    return p;
}

static part *parts_of(const counter *c, const nest_statement *list) {
    part *first = NULL, **tail = &first;
    for (const nest_statement *s = list; s; s = s->next) {
        *tail = part_of(c, s);
        tail = &(*tail)->next;
    }
    return first;
}

static bool depends(const part *p, int variable) {
    for (int i = 0; i < p->outer_count; i++)
        if (p->outer[i] == variable) return true;
    return false;
}

/* Is everything in the list that depends on the variable decided? Inner loops' variables stand for all their values. */
static bool all_decided(const counter *c, const part *list, int variable);

static bool for_decided(const counter *c, const part *p, int variable) {
    const nest_range *r = &c->nest->variables[p->statement->variable].range;
    ends e = ends_of(c, r);
    if (is_empty(e)) return true;
    c->box[p->statement->variable] = (interval){e.from.low, e.to.high - 1};
    return all_decided(c, p->body, variable) && (is_decided(e) || !range_depends(c, r, variable));
}

static bool if_decided(const counter *c, const part *p, int variable) {
    interval i = interval_of(c, &p->statement->condition);
    if (i.high < 0) return true;
    return (i.low >= 0 || !affine_depends(c, &p->statement->condition, variable)) && all_decided(c, p->body, variable);
}

static bool all_decided(const counter *c, const part *list, int variable) {
    for (const part *p = list; p; p = p->next) {
        if (!depends(p, variable)) continue;
        bool decided = p->statement->kind == STATEMENT_FOR  ? for_decided(c, p, variable)
                       : p->statement->kind == STATEMENT_IF ? if_decided(c, p, variable)
                                                            : is_decided(ends_of(c, p->statement->op->lanes));
        if (!decided) return false;
    }
    return true;
}

/* Adds what `times` executions of the list do. */
static void add_list(const counter *c, nest_counts *sum, part *list, double times);

static bool is_multiple(const affine *e, int64_t of) {
    if (e->constant % of) return false;
    for (int i = 0; i < e->count; i++)
        if (e->term[i].coefficient % of) return false;
    return true;
}

/* Of its tensor that an operation moves. */
static int64_t bytes_of(const counter *c, const nest_op *op, int64_t active) {
    if (op->kind != OP_LOAD && op->kind != OP_SPLAT && op->kind != OP_STORE) return 0;
    return type_bytes(c->nest->tensors[op->at.tensor].type) * (op->kind == OP_SPLAT ? op->repeat : active);
}

static void add_op(const counter *c, nest_counts *sum, const nest_op *op, double times) {
    const register_ref *r = op->kind == OP_STORE ? &op->a : &op->to;
    int lanes = r->array < 0 ? 1 : c->nest->registers[r->array].lanes;
    int64_t active = op->lanes ? lanes_in(ends_of(c, op->lanes), lanes) : lanes;
    if (active == 0) return;
    sum->ops[op->kind] += times;
    if (op->kind == OP_DOT) sum->dots[c->nest->registers[op->a.array].type] += times;
    if (op->kind == OP_FMA || op->kind == OP_DOT) {
        sum->fma_lanes += times * (double)active;
        sum->fma_all_lanes += times * lanes;
    }
    sum->bytes += times * (double)bytes_of(c, op, active);
    if (op->kind == OP_LOAD && op->at.stride == 1 && !is_multiple(&op->at.offset, lanes)) sum->astray += times;
}

static void add_values(const counter *c, nest_counts *sum, const part *loop, interval values) {
    int variable = loop->statement->variable;
    c->box[variable] = values;
    bool one = values.low == values.high;
    if (one || all_decided(c, loop->body, variable)) {
        add_list(c, sum, loop->body, (double)(values.high - values.low + 1));
        return;
    }
    int64_t middle = values.low + (values.high - values.low) / 2;
    add_values(c, sum, loop, (interval){values.low, middle});
    add_values(c, sum, loop, (interval){middle + 1, values.high});
}

static void count_once(const counter *c, part *p) {
    const nest_statement *s = p->statement;
    p->counts = (nest_counts){0};
    if (s->kind == STATEMENT_FOR) {
        ends e = ends_of(c, &c->nest->variables[s->variable].range);
        if (!is_empty(e)) add_values(c, &p->counts, p, (interval){e.from.low, e.to.low - 1});
    } else if (interval_of(c, &s->condition).low >= 0) {
        add_list(c, &p->counts, p->body, 1);
    }
}

/* Counts the part unless that was done. All values of a decided interval count alike, so its least one stands for it.
 */
static void count_part(const counter *c, part *p) {
    bool known = p->counted != NULL;
    for (int i = 0; known && i < p->outer_count; i++) known = p->counted[i] == c->box[p->outer[i]].low;
    if (known) return;
    count_once(c, p);
    if (!p->counted) p->counted = arena_array(c->nest->arena, int64_t, p->outer_count + 1);
    for (int i = 0; i < p->outer_count; i++) p->counted[i] = c->box[p->outer[i]].low;
}

static void add_counts(nest_counts *sum, const nest_counts *once, double times) {
    for (int kind = 0; kind < OP_KINDS; kind++) sum->ops[kind] += times * once->ops[kind];
    for (int type = 0; type < TYPES; type++) sum->dots[type] += times * once->dots[type];
    sum->fma_lanes += times * once->fma_lanes;
    sum->fma_all_lanes += times * once->fma_all_lanes;
    sum->bytes += times * once->bytes;
    sum->astray += times * once->astray;
}

static void add_list(const counter *c, nest_counts *sum, part *list, double times) {
    for (part *p = list; p; p = p->next) {
        if (p->statement->kind == STATEMENT_OP) {
            add_op(c, sum, p->statement->op, times);
            continue;
        }
        count_part(c, p);
        add_counts(sum, &p->counts, times);
    }
}

void nest_count(const nest *n, nest_counts *counts) {
    counter c = {.nest = n, .box = arena_array(n->arena, interval, n->variable_count + 1)};
    *counts = (nest_counts){0};
    add_list(&c, counts, parts_of(&c, n->body), 1);
}

void nest_counts_add(nest_counts *to, const nest_counts *more) { add_counts(to, more, 1); }
