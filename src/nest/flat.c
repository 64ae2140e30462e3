/* Flattening and execution. An affine expression, once unrolled variables have their values, is a constant and a sum
 * over loop variables and quotients. Equal sums are one. A loop that steps adds to the sums its variable is in, and
 * rounds anew the quotients it moves, which add to their sums in turn; so no operation evaluates anything. */
#include "nest/flat.h"

#include <string.h>

/* `factor` times what something moved by is added to a sum. */
typedef struct addend {
    int sum;
    int64_t factor;
} addend;

/* What sums are over: a loop variable or a quotient. */
typedef struct source {
    addend *adds;
    int add_count, add_capacity;
    int *quotients; /* that move with a loop variable, inner ones first */
    int quotient_count, quotient_capacity;
} source;

typedef struct value {
    int sum;
    int64_t constant;
} value;

typedef struct quotient {
    value numerator;
    int64_t divisor, initial;
} quotient;

typedef struct sum {
    affine terms; /* of sources; the constant is 0 */
    int64_t initial;
    int next; /* in its chain */
} sum;

typedef struct bound {
    value numerator;
    int64_t divisor;
} bound;

typedef struct loop {
    int variable, low_count, high_count;
    bound *low, *high;
} loop;

typedef struct step {
    statement_kind kind;
    int after; /* where it goes on after the body */
    union {
        flat_op op;
        loop loop;
        value condition;
    };
} step;

enum { CHAINS = 256 };

struct flat {
    const nest *nest;
    step *steps;
    int step_count, step_capacity;
    source *sources; /* loop variables by number, then quotients */
    int source_count, source_capacity;
    quotient *quotients;
    int quotient_count, quotient_capacity;
    sum *sums; /* number 0 is empty */
    int sum_count, sum_capacity;
};

typedef struct maker {
    arena *arena;
    flat *flat;
    flat_prepare *prepare;
    void *context;
    int64_t *unrolled; /* values of unrolled variables */
    int *first;        /* register of each array */
    int chain[CHAINS];
    bool refused;
} maker;

static void *grown(arena *a, void *old, int count, int *capacity, size_t size) {
    if (count < *capacity) return old;
    *capacity = *capacity ? 2 * *capacity : 8;
    void *new = arena_alloc(a, size * (size_t)*capacity);
    if (count) memcpy(new, old, size * (size_t)count);
    return new;
}

#define GROW(m, list, count, capacity) (list) = grown((m)->arena, list, count, &(capacity), sizeof *(list))

/* ---- sums and quotients ---- */

static void add_term(maker *m, affine *e, int variable, int64_t coefficient) {
    int i = 0;
    while (i < e->count && e->term[i].variable < variable) i++;
    if (i < e->count && e->term[i].variable == variable) {
        e->term[i].coefficient += coefficient;
        if (e->term[i].coefficient != 0) return;
        memmove(&e->term[i], &e->term[i + 1], sizeof e->term[0] * (size_t)(--e->count - i));
    } else if (coefficient != 0) {
        if (e->count == AFFINE_MOST_TERMS) {
            m->refused = true;
            return;
        }
        memmove(&e->term[i + 1], &e->term[i], sizeof e->term[0] * (size_t)(e->count++ - i));
        e->term[i].variable = variable;
        e->term[i].coefficient = coefficient;
    }
}

static uint64_t hash_of(const affine *e) {
    uint64_t h = 0;
    for (int i = 0; i < e->count; i++)
        h = (h ^ (uint64_t)e->term[i].variable ^ (uint64_t)e->term[i].coefficient << 20) * UINT64_C(0x9E3779B97F4A7C15);
    return h >> 32;
}

static bool same_terms(const affine *a, const affine *b) {
    return a->count == b->count && memcmp(a->term, b->term, sizeof a->term[0] * (size_t)a->count) == 0;
}

static void append_add(maker *m, source *s, addend a) {
    GROW(m, s->adds, s->add_count, s->add_capacity);
    s->adds[s->add_count++] = a;
}

/* The terms of an expression, stored or found. */
static int sum_of(maker *m, const affine *e) {
    flat *f = m->flat;
    int *chain = &m->chain[hash_of(e) % CHAINS];
    if (e->count == 0) return 0;
    for (int i = *chain; i > 0; i = f->sums[i].next)
        if (same_terms(&f->sums[i].terms, e)) return i;
    GROW(m, f->sums, f->sum_count, f->sum_capacity);
    sum made = {*e, 0, *chain};
    for (int i = 0; i < e->count; i++) {
        int s = e->term[i].variable, q = s - f->nest->variable_count;
        append_add(m, &f->sources[s], (addend){f->sum_count, e->term[i].coefficient});
        if (q >= 0) made.initial += e->term[i].coefficient * f->quotients[q].initial;
    }
    f->sums[f->sum_count] = made;
    return *chain = f->sum_count++;
}

static value value_of(maker *m, const affine *e) { return (value){sum_of(m, e), e->constant}; }

/* Quotient q moves with every loop variable that its numerator is over. */
static void move_with(maker *m, const affine *e, int q) {
    flat *f = m->flat;
    for (int i = 0; i < e->count; i++) {
        int s = e->term[i].variable;
        if (s >= f->nest->variable_count) {
            int inner = s - f->nest->variable_count;
            move_with(m, &f->sums[f->quotients[inner].numerator.sum].terms, q);
            continue;
        }
        source *of = &f->sources[s];
        if (of->quotient_count && of->quotients[of->quotient_count - 1] == q) continue;
        GROW(m, of->quotients, of->quotient_count, of->quotient_capacity);
        of->quotients[of->quotient_count++] = q;
    }
}

/* The source that is a quotient, stored or found. */
static int quotient_of(maker *m, const affine *numerator, int64_t divisor) {
    flat *f = m->flat;
    value v = value_of(m, numerator);
    for (int q = f->quotient_count - 1; q >= 0; q--) {
        const quotient *known = &f->quotients[q];
        if (known->numerator.sum == v.sum && known->numerator.constant == v.constant && known->divisor == divisor)
            return f->nest->variable_count + q;
    }
    int q = f->quotient_count++;
    GROW(m, f->quotients, q, f->quotient_capacity);
    f->quotients[q] = (quotient){v, divisor, floor_div(f->sums[v.sum].initial + v.constant, divisor)};
    GROW(m, f->sources, f->source_count, f->source_capacity);
    f->sources[f->source_count++] = (source){0};
    move_with(m, numerator, q);
    return f->nest->variable_count + q;
}

/* An expression over sources. */
static affine resolve(maker *m, const affine *e) {
    const nest *n = m->flat->nest;
    affine r = affine_constant(e->constant);
    for (int i = 0; i < e->count && !m->refused; i++) {
        int v = e->term[i].variable;
        int64_t c = e->term[i].coefficient;
        if (v < 0 || v >= n->variable_count) {
            m->refused = true;
        } else if (n->variables[v].kind == VARIABLE_UNROLLED) {
            r.constant += c * m->unrolled[v];
        } else if (n->variables[v].kind == VARIABLE_QUOTIENT) {
            affine numerator = resolve(m, &n->variables[v].quotient.numerator);
            int64_t divisor = n->variables[v].quotient.divisor;
            if (affine_is_constant(&numerator))
                r.constant += c * floor_div(numerator.constant, divisor);
            else
                add_term(m, &r, quotient_of(m, &numerator, divisor), c);
        } else {
            add_term(m, &r, v, c);
        }
    }
    return r;
}

static value resolved(maker *m, const affine *e) {
    affine r = resolve(m, e);
    return value_of(m, &r);
}

/* ---- statements ---- */

static step *append_step(maker *m, statement_kind kind) {
    flat *f = m->flat;
    GROW(m, f->steps, f->step_count, f->step_capacity);
    step *s = &f->steps[f->step_count++];
    *s = (step){.kind = kind};
    return s;
}

/* Of a register, its number, or -1; `lanes` gets how many it has. */
static int register_of(maker *m, const register_ref *r, int *lanes) {
    const nest *n = m->flat->nest;
    *lanes = 0;
    if (r->array < 0 || r->array >= n->register_count) return -1;
    affine index = resolve(m, &r->index);
    bool inside = index.constant >= 0 && index.constant < n->registers[r->array].count;
    if (!affine_is_constant(&index)) m->refused = true;
    *lanes = n->registers[r->array].lanes;
    return inside ? m->first[r->array] + (int)index.constant : -1;
}

static bool constant_range(maker *m, const nest_range *r, int64_t *low, int64_t *high) {
    *low = INT64_MIN, *high = INT64_MAX;
    for (int i = 0; i < r->low_count + r->high_count; i++) {
        const nest_bound *b = i < r->low_count ? &r->low[i] : &r->high[i - r->low_count];
        affine e = resolve(m, &b->numerator);
        if (!affine_is_constant(&e)) m->refused = true;
        int64_t end = i < r->low_count ? ceil_div(e.constant, b->divisor) : floor_div(e.constant, b->divisor);
        if (i < r->low_count && end > *low) *low = end;
        if (i >= r->low_count && end < *high) *high = end;
    }
    return !m->refused;
}

static uint64_t first_lanes(int64_t count) { return count >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1; }

static uint64_t active_lanes(maker *m, const nest_op *op, int lanes) {
    int64_t low, high;
    if (!op->lanes) return first_lanes(lanes);
    if (!constant_range(m, op->lanes, &low, &high)) return 0;
    if (low < 0) low = 0;
    if (high > lanes) high = lanes;
    return low < high ? first_lanes(high) & ~first_lanes(low) : 0;
}

static void make_op(maker *m, const nest_op *op) {
    flat_op o = {.op = op};
    o.to = register_of(m, &op->to, &o.to_lanes);
    o.a = register_of(m, &op->a, &o.a_lanes);
    o.b = register_of(m, &op->b, &o.b_lanes);
    o.c = register_of(m, &op->c, &o.c_lanes);
    o.active = active_lanes(m, op, op->kind == OP_STORE ? o.a_lanes : o.to_lanes);
    if (m->refused || !m->prepare(m->context, &o)) {
        m->refused = true;
        return;
    }
    if (!o.run) return;
    value at = resolved(m, &op->at.offset);
    o.at.sum = at.sum, o.at.constant = at.constant;
    append_step(m, STATEMENT_OP)->op = o;
}

static void make_list(maker *m, const nest_statement *list);

static bound *bounds_of(maker *m, const nest_bound *from, int count) {
    bound *to = arena_array(m->arena, bound, count);
    for (int i = 0; i < count; i++) to[i] = (bound){resolved(m, &from[i].numerator), from[i].divisor};
    return to;
}

static void make_unrolled(maker *m, const nest_statement *s) {
    int64_t low, high;
    if (!constant_range(m, &m->flat->nest->variables[s->variable].range, &low, &high)) return;
    for (int64_t i = low; i < high && !m->refused; i++) {
        m->unrolled[s->variable] = i;
        make_list(m, s->body);
    }
}

static void make_for(maker *m, const nest_statement *s) {
    const nest *n = m->flat->nest;
    if (s->variable < 0 || s->variable >= n->variable_count || n->variables[s->variable].kind == VARIABLE_QUOTIENT) {
        m->refused = true;
        return;
    }
    const nest_variable *v = &n->variables[s->variable];
    if (v->kind == VARIABLE_UNROLLED) {
        make_unrolled(m, s);
        return;
    }
    int at = m->flat->step_count;
    append_step(m, STATEMENT_FOR);
    loop made = {.variable = s->variable, .low_count = v->range.low_count, .high_count = v->range.high_count};
    made.low = bounds_of(m, v->range.low, made.low_count);
    made.high = bounds_of(m, v->range.high, made.high_count);
    make_list(m, s->body);
    m->flat->steps[at].loop = made;
    m->flat->steps[at].after = m->flat->step_count;
    if (m->flat->step_count == at + 1 && v->kind != VARIABLE_TASK) m->flat->step_count = at;
}

static void make_if(maker *m, const nest_statement *s) {
    affine e = resolve(m, &s->condition);
    if (affine_is_constant(&e)) {
        if (e.constant >= 0) make_list(m, s->body);
        return;
    }
    int at = m->flat->step_count;
    append_step(m, STATEMENT_IF);
    value condition = value_of(m, &e);
    make_list(m, s->body);
    m->flat->steps[at].condition = condition;
    m->flat->steps[at].after = m->flat->step_count;
    if (m->flat->step_count == at + 1) m->flat->step_count = at;
}

static void make_list(maker *m, const nest_statement *list) {
    for (const nest_statement *s = list; s && !m->refused; s = s->next)
        if (s->kind == STATEMENT_OP)
            make_op(m, s->op);
        else if (s->kind == STATEMENT_FOR)
            make_for(m, s);
        else
            make_if(m, s);
}

const flat *flat_make(arena *a, const nest *n, flat_prepare *prepare, void *context) {
    flat *f = arena_new(a, flat);
    maker m = {.arena = a, .flat = f, .prepare = prepare, .context = context};
    f->nest = n;
    f->source_count = f->source_capacity = n->variable_count;
    f->sources = arena_array(a, source, n->variable_count + 1);
    GROW(&m, f->sums, f->sum_count, f->sum_capacity);
    f->sum_count = 1;
    m.unrolled = arena_array(a, int64_t, n->variable_count + 1);
    m.first = arena_array(a, int, n->register_count + 1);
    for (int i = 0; i < n->register_count; i++) m.first[i + 1] = m.first[i] + n->registers[i].count;
    make_list(&m, n->body);
    return m.refused ? NULL : f;
}

/* ---- execution ---- */

struct flat_state {
    const flat *flat;
    void *context;
    int64_t *sums, *quotients;
};

flat_state *flat_begin(arena *a, const flat *f, void *context) {
    flat_state *s = arena_new(a, flat_state);
    *s =
        (flat_state){f, context, arena_array(a, int64_t, f->sum_count), arena_array(a, int64_t, f->quotient_count + 1)};
    return s;
}

/* All variables are 0. */
static void begin(const flat_state *s) {
    const flat *f = s->flat;
    for (int i = 0; i < f->sum_count; i++) s->sums[i] = f->sums[i].initial;
    for (int q = 0; q < f->quotient_count; q++) s->quotients[q] = f->quotients[q].initial;
}

static int64_t current(const flat_state *s, value v) { return s->sums[v.sum] + v.constant; }

static void add_to_sums(const flat_state *s, const source *from, int64_t moved) {
    for (int i = 0; i < from->add_count; i++) s->sums[from->adds[i].sum] += moved * from->adds[i].factor;
}

static void move(const flat_state *s, int variable, int64_t by) {
    const flat *f = s->flat;
    const source *of = &f->sources[variable];
    if (by == 0) return;
    add_to_sums(s, of, by);
    for (int i = 0; i < of->quotient_count; i++) {
        int q = of->quotients[i];
        int64_t new = floor_div(current(s, f->quotients[q].numerator), f->quotients[q].divisor);
        if (new == s->quotients[q]) continue;
        add_to_sums(s, &f->sources[f->nest->variable_count + q], new - s->quotients[q]);
        s->quotients[q] = new;
    }
}

static void ends(const flat_state *s, const loop *l, int64_t *low, int64_t *high) {
    *low = INT64_MIN, *high = INT64_MAX;
    for (int i = 0; i < l->low_count; i++) {
        int64_t end = ceil_div(current(s, l->low[i].numerator), l->low[i].divisor);
        if (end > *low) *low = end;
    }
    for (int i = 0; i < l->high_count; i++) {
        int64_t end = floor_div(current(s, l->high[i].numerator), l->high[i].divisor);
        if (end < *high) *high = end;
    }
}

static bool run_steps(const flat_state *s, int from, int to);

static bool run_loop(const flat_state *s, int at) {
    const step *of = &s->flat->steps[at];
    int64_t low, high;
    ends(s, &of->loop, &low, &high);
    if (low >= high) return true;
    move(s, of->loop.variable, low);
    for (int64_t i = low;;) {
        if (!run_steps(s, at + 1, of->after)) return false;
        if (++i == high) break;
        move(s, of->loop.variable, 1);
    }
    move(s, of->loop.variable, 1 - high);
    return true;
}

static bool run_steps(const flat_state *s, int from, int to) {
    for (int i = from; i < to;) {
        const step *at = &s->flat->steps[i];
        if (at->kind == STATEMENT_OP) {
            if (!at->op.run(s->context, &at->op, s->sums[at->op.at.sum] + at->op.at.constant)) return false;
            i++;
        } else if (at->kind == STATEMENT_FOR) {
            if (!run_loop(s, i)) return false;
            i = at->after;
        } else {
            i = current(s, at->condition) >= 0 ? i + 1 : at->after;
        }
    }
    return true;
}

static bool is_task(const flat *f, int at) {
    return at < f->step_count && f->steps[at].kind == STATEMENT_FOR &&
           f->nest->variables[f->steps[at].loop.variable].kind == VARIABLE_TASK;
}

/* The innermost task loop counts fastest. */
bool flat_task(flat_state *s, int64_t task) {
    const flat *f = s->flat;
    int depth = 0;
    begin(s);
    while (is_task(f, depth)) depth++;
    for (int i = depth - 1; i >= 0; i--) {
        int64_t low, high;
        ends(s, &f->steps[i].loop, &low, &high);
        if (low >= high) return true;
        move(s, f->steps[i].loop.variable, low + task % (high - low));
        task /= high - low;
    }
    return run_steps(s, depth, f->step_count);
}
