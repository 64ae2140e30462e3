/* Bounds of affine expressions: the interval arithmetic behind the proof that a kernel stays inside its buffers.
 *
 * The innermost variable v of e = c v + rest is eliminated by putting each of its bounds in its place. A bound
 * v <= floor(a / d) - 1 with d | c gives c v <= (c / d) a - c, an affine expression again, so that what v's bound
 * has in common with the rest cancels: this is what makes clipped loops exact. Where d does not divide c, the bound is
 * replaced by its own extreme. Every candidate is a true upper bound, so the least of them is. */
#include "nest/nest.h"

#include <stdlib.h>

/* An upper bound of rest + c * v where v <= floor(a / d), c > 0. */
static int64_t under(const nest *n, const nest_scope *s, affine rest, int64_t c, affine a, int64_t d) {
    if (c % d == 0) return nest_maximum(n, s, affine_add_scaled(rest, a, c / d));
    return nest_maximum(n, s, affine_offset(rest, c * floor_div(nest_maximum(n, s, a), d)));
}

/* An upper bound of rest + c * v where v >= ceil(a / d), c < 0. */
static int64_t over(const nest *n, const nest_scope *s, affine rest, int64_t c, affine a, int64_t d) {
    if (c % d == 0) return nest_maximum(n, s, affine_add_scaled(rest, a, c / d));
    return nest_maximum(n, s, affine_offset(rest, c * ceil_div(nest_minimum(n, s, a), d)));
}

static int64_t maximum_by_range(const nest *n, const nest_scope *s, affine rest, int64_t c, const nest_range *r) {
    int64_t best = INT64_MAX;
    if (c > 0)
        for (int i = 0; i < r->high_count; i++)
            best = lesser(best, under(n, s, affine_offset(rest, -c), c, r->high[i].numerator, r->high[i].divisor));
    else
        for (int i = 0; i < r->low_count; i++)
            best = lesser(best, over(n, s, rest, c, r->low[i].numerator, r->low[i].divisor));
    return best;
}

/* The same from a condition k v + others >= 0. */
static int64_t maximum_by_condition(const nest *n, const nest_scope *s, affine rest, int64_t c, int64_t k,
                                    affine others) {
    if (c > 0 && k < 0) return under(n, s, rest, c, others, -k);
    if (c < 0 && k > 0) return over(n, s, rest, c, affine_scale(others, -1), k);
    return INT64_MAX;
}

static int64_t maximum_by_quotient(const nest *n, const nest_scope *s, affine rest, int64_t c, const nest_bound *q) {
    int64_t d = q->divisor;
    affine a = c > 0 ? q->numerator : affine_offset(q->numerator, 1 - d);
    int64_t ends = c * floor_div(c > 0 ? nest_maximum(n, s, q->numerator) : nest_minimum(n, s, q->numerator), d);
    int64_t best = nest_maximum(n, s, affine_offset(rest, ends));
    if (c % d == 0) best = lesser(best, nest_maximum(n, s, affine_add_scaled(rest, a, c / d)));
    return best;
}

static bool in_outer_loops(const nest_scope *s, int variable) {
    for (; s; s = s->outer)
        if (s->statement->kind == STATEMENT_FOR && s->statement->variable == variable) return true;
    return false;
}

static bool bound_by_outer_loops(const nest_scope *s, const affine *e) {
    for (int i = 0; i < e->count; i++)
        if (!in_outer_loops(s, e->term[i].variable)) return false;
    return true;
}

static int quotient_in(const nest *n, const affine *e) {
    for (int i = e->count - 1; i >= 0; i--)
        if (n->variables[e->term[i].variable].kind == VARIABLE_QUOTIENT) return e->term[i].variable;
    return -1;
}

int64_t nest_maximum(const nest *n, const nest_scope *scope, affine e) {
    if (e.overflowed) return INT64_MAX / 4; /* unknown; nest_check reports it */
    if (affine_is_constant(&e)) return e.constant;
    int q = quotient_in(n, &e);
    if (q >= 0) {
        int64_t c = affine_coefficient(&e, q);
        affine rest = affine_add_scaled(e, affine_variable(q), -c);
        return maximum_by_quotient(n, scope, rest, c, &n->variables[q].quotient);
    }
    const nest_scope *home = scope;
    while (home && !(home->statement->kind == STATEMENT_FOR && affine_coefficient(&e, home->statement->variable)))
        home = home->outer;
    if (!home) return INT64_MAX / 4; /* a variable out of scope: nest_check reports it */
    int v = home->statement->variable;
    int64_t c = affine_coefficient(&e, v);
    affine rest = affine_add_scaled(e, affine_variable(v), -c);
    int64_t best = maximum_by_range(n, scope, rest, c, &n->variables[v].range);
    for (const nest_scope *s = scope; s != home; s = s->outer) {
        if (s->statement->kind != STATEMENT_IF) continue;
        int64_t k = affine_coefficient(&s->statement->condition, v);
        affine others = affine_add_scaled(s->statement->condition, affine_variable(v), -k);
        if (k != 0 && bound_by_outer_loops(home->outer, &others))
            best = lesser(best, maximum_by_condition(n, scope, rest, c, k, others));
    }
    return best;
}

int64_t nest_minimum(const nest *n, const nest_scope *scope, affine e) {
    return -nest_maximum(n, scope, affine_scale(e, -1));
}
