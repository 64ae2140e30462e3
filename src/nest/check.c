/* nest_check: needs a finished nest; gives the proof that it is well-formed and touches nothing outside its tensors.
 * Every nest is checked before it is lowered, so lowering may take all of this for granted. */
#include "base/turn.h"
#include "nest/math.h"

#include <string.h>

typedef struct checker {
    const nest *nest;
    cvk_diagnostics *diagnostics;
    nest_extent *extent;
    bool refused;
} checker;

typedef struct interval {
    int64_t low, high;
} interval;

#define REFUSE(c, ...)                                                                                                 \
    do {                                                                                                               \
        (c)->refused = true;                                                                                           \
        diag_error((c)->diagnostics, E_NEST, (place){.file = (c)->nest->name}, NULL, __VA_ARGS__);                     \
    } while (0)

static bool in_scope(const checker *c, const nest_scope *s, int variable) {
    const nest_variable *v = &c->nest->variables[variable];
    if (v->kind == VARIABLE_QUOTIENT) {
        for (int i = 0; i < v->quotient.numerator.count; i++) {
            int earlier = v->quotient.numerator.term[i].variable;
            if (earlier < 0 || earlier >= variable || !in_scope(c, s, earlier)) return false;
        }
        return v->quotient.divisor > 0;
    }
    for (; s; s = s->outer)
        if (s->statement->kind == STATEMENT_FOR && s->statement->variable == variable) return true;
    return false;
}

/* `unrolled`: the expression must be known once unrolled loops are expanded. */
static bool check_affine(checker *c, const nest_scope *s, const affine *e, bool unrolled, const char *what) {
    if (e->overflowed) {
        REFUSE(c, "%s has more than %d terms", what, AFFINE_MOST_TERMS);
        return false;
    }
    for (int i = 0; i < e->count; i++) {
        int v = e->term[i].variable;
        if (v < 0 || v >= c->nest->variable_count || !in_scope(c, s, v)) {
            REFUSE(c, "%s uses a variable that no loop around it defines", what);
            return false;
        }
        if (unrolled && c->nest->variables[v].kind != VARIABLE_UNROLLED) {
            REFUSE(c, "%s depends on %s, which is not unrolled", what, c->nest->variables[v].name);
            return false;
        }
    }
    return true;
}

static bool check_range(checker *c, const nest_scope *s, const nest_range *r, bool unrolled, const char *what) {
    if (r->low_count < 1 || r->high_count < 1) {
        REFUSE(c, "%s has an open end", what);
        return false;
    }
    bool good = true;
    for (int i = 0; i < r->low_count + r->high_count; i++) {
        const nest_bound *b = i < r->low_count ? &r->low[i] : &r->high[i - r->low_count];
        if (b->divisor <= 0) REFUSE(c, "%s divides by %lld", what, (long long)b->divisor);
        good = b->divisor > 0 && check_affine(c, s, &b->numerator, unrolled, what) && good;
    }
    return good;
}

/* The array of a register, or NULL where it is none. */
static const nest_register *check_register(checker *c, const nest_scope *s, const register_ref *r, const char *op) {
    if (r->array < 0 || r->array >= c->nest->register_count) {
        REFUSE(c, "%s: an operand is no register", op);
        return NULL;
    }
    const nest_register *array = &c->nest->registers[r->array];
    if (!check_affine(c, s, &r->index, true, array->name)) return NULL;
    int64_t low = nest_minimum(c->nest, s, r->index), high = nest_maximum(c->nest, s, r->index);
    if (low < 0 || high >= array->count)
        REFUSE(c, "%s: %s[%lld..%lld] of %d registers", op, array->name, (long long)low, (long long)high, array->count);
    return array;
}

/* Lowest and highest element of an access of `lanes` lanes: the lane is one more variable, inside all others. */
static interval reach(const checker *c, const nest_scope *s, const nest_op *op, int lanes) {
    const nest *n = c->nest;
    int64_t distance = op->kind == OP_SPLAT ? op->repeat - 1 : (lanes - 1) * op->at.stride;
    affine last = affine_offset(op->at.offset, distance);
    int64_t at_first = nest_maximum(n, s, op->at.offset), at_last = nest_maximum(n, s, last);
    int64_t low_first = nest_minimum(n, s, op->at.offset), low_last = nest_minimum(n, s, last);
    interval whole = {low_first < low_last ? low_first : low_last, at_first > at_last ? at_first : at_last};
    if (!op->lanes || op->at.stride <= 0) return whole;
    for (int i = 0; i < op->lanes->high_count; i++) {
        const nest_bound *b = &op->lanes->high[i];
        int64_t d = b->divisor, t = op->at.stride, high;
        affine offset = affine_offset(op->at.offset, -t);
        if (t % d == 0)
            high = nest_maximum(n, s, affine_add_scaled(offset, b->numerator, t / d));
        else
            high = nest_maximum(n, s, offset) + t * floor_div(nest_maximum(n, s, b->numerator), d);
        if (high < whole.high) whole.high = high;
    }
    for (int i = 0; i < op->lanes->low_count; i++) {
        const nest_bound *b = &op->lanes->low[i];
        int64_t d = b->divisor, t = op->at.stride, low;
        if (t % d == 0)
            low = nest_minimum(n, s, affine_add_scaled(op->at.offset, b->numerator, t / d));
        else
            low = nest_minimum(n, s, op->at.offset) + t * ceil_div(nest_minimum(n, s, b->numerator), d);
        if (low > whole.low) whole.low = low;
    }
    return whole;
}

static void widen_extent(checker *c, nest_role role, interval bytes) {
    if (!c->extent) return;
    if (bytes.low < c->extent->low[role]) c->extent->low[role] = bytes.low;
    if (bytes.high > c->extent->high[role]) c->extent->high[role] = bytes.high;
}

static void check_bytes(checker *c, const nest_tensor *t, interval elements, const char *name) {
    if (elements.low > elements.high) return;
    int64_t size = type_bytes(t->type), last = t->elements * size - 1;
    interval bytes = {elements.low * size, elements.high * size + size - 1};
    if (bytes.low < 0 || bytes.high > last)
        REFUSE(c, "%s reaches bytes %lld..%lld of %s, which has 0..%lld", name, (long long)bytes.low,
               (long long)bytes.high, t->name, (long long)last);
    const int64_t before = t->begin * type_bytes(t->type);
    widen_extent(c, t->role, (interval){bytes.low + before, bytes.high + before});
}

/* `r` is the register that is loaded or stored; NULL: none. */
static void check_access(checker *c, const nest_scope *s, const nest_op *op, const nest_register *r, const char *name) {
    if (op->at.tensor < 0 || op->at.tensor >= c->nest->tensor_count) {
        REFUSE(c, "%s: no tensor", name);
        return;
    }
    const nest_tensor *t = &c->nest->tensors[op->at.tensor];
    if (!check_affine(c, s, &op->at.offset, false, t->name)) return;
    if (op->kind == OP_PREFETCH) return;
    if (op->kind == OP_STORE && !t->writable) REFUSE(c, "store to %s, which is read-only", t->name);
    if (op->at.stride < 0 && op->lanes) REFUSE(c, "%s: a lane range on a negative stride", name);
    if (!r) return;
    if (r->type != t->type)
        REFUSE(c, "%s: %s is of %s, %s of %s", name, r->name, type_name(r->type), t->name, type_name(t->type));
    check_bytes(c, t, reach(c, s, op, r->lanes), name);
}

/* Elements that one splat repeats are loaded as one number. */
enum { SPLAT_MOST_BYTES = 8 };

static void check_splat(checker *c, const nest_op *op, const nest_register *to) {
    int n = op->repeat;
    bool good = n > 0 && (n & (n - 1)) == 0 && to->lanes % n == 0 && n * type_bytes(to->type) <= SPLAT_MOST_BYTES;
    if (!good) REFUSE(c, "splat of %d elements in turn into %d lanes of %s", n, to->lanes, type_name(to->type));
}

static void check_shuffle(checker *c, const nest_op *op, int to, int from) {
    if (!op->pattern) {
        REFUSE(c, "shuffle has no pattern");
        return;
    }
    for (int l = 0; l < to; l++)
        if (op->pattern[l] < -1 || op->pattern[l] >= 2 * from)
            REFUSE(c, "shuffle: lane %d of %d", op->pattern[l], 2 * from);
}

static void check_transpose(checker *c, const nest_scope *s, const nest_op *op, int lanes) {
    register_ref last[2] = {op->to, op->a};
    if ((lanes & (lanes - 1)) != 0) REFUSE(c, "transpose of %d lanes, which is no power of two", lanes);
    for (int i = 0; i < 2; i++) {
        last[i].index = affine_offset(last[i].index, lanes - 1);
        check_register(c, s, &last[i], "transpose");
    }
}

static bool takes_lanes(op_kind kind) {
    return kind == OP_LOAD || kind == OP_STORE || kind == OP_FMA || kind == OP_DOT || kind == OP_MAXIMUM ||
           kind == OP_KEEP;
}

/* What an operation's registers are, NULL where there is none. */
typedef struct operands {
    const nest_register *to, *source[3];
    int sources;
} operands;

/* All of one type and width, but for what has rules of its own. */
static void check_alike(checker *c, const nest_op *op, const operands *o, const char *name) {
    const nest_register *first = o->source[0];
    for (int i = 1; i < o->sources; i++) {
        if (o->source[i]->lanes != first->lanes)
            REFUSE(c, "%s: operands of %d and %d lanes", name, first->lanes, o->source[i]->lanes);
        if (o->source[i]->type != first->type)
            REFUSE(c, "%s: operands of %s and %s", name, type_name(first->type), type_name(o->source[i]->type));
    }
    if (!o->to || !first) return;
    if (o->to->lanes != first->lanes && op->kind != OP_SHUFFLE)
        REFUSE(c, "%s: %d lanes into %d", name, first->lanes, o->to->lanes);
    if (o->to->type != first->type && op->kind != OP_CONVERT)
        REFUSE(c, "%s: %s into %s", name, type_name(first->type), type_name(o->to->type));
}

/* Factors of a dot that are summed into one lane: what fills 32 bits, but one of f16; 0 where their types do not allow
 * it. */
static int dot_factors(cvk_type a, cvk_type b) {
    bool bytes_both = type_bytes(a) == 1 && type_bytes(b) == 1;
    if (bytes_both) return 4;
    if (a != b) return 0;
    return a == TYPE_F16 ? 1 : a == TYPE_S16 || a == TYPE_BF16 ? 2 : 0;
}

static cvk_type dot_sum(cvk_type factor) { return type_is_float(factor) ? TYPE_F32 : TYPE_S32; }

static void check_dot(checker *c, const operands *o) {
    const nest_register *a = o->source[0], *b = o->source[1], *sum = o->source[2];
    int n = dot_factors(a->type, b->type);
    if (n == 0) REFUSE(c, "dot of %s and %s", type_name(a->type), type_name(b->type));
    if (sum->type != dot_sum(a->type) || o->to->type != sum->type)
        REFUSE(c, "dot: sums of %s into %s", type_name(sum->type), type_name(o->to->type));
    if (sum->lanes != o->to->lanes || a->lanes != n * sum->lanes || b->lanes != a->lanes)
        REFUSE(c, "dot: %d and %d lanes and sums of %d into %d", a->lanes, b->lanes, sum->lanes, o->to->lanes);
}

static void check_constant(checker *c, const nest_op *op, const nest_register *to) {
    double rounded = type_round(to->type, op->value);
    if (rounded != op->value && !(type_is_float(to->type) && op->value != op->value))
        REFUSE(c, "constant %g is no %s", op->value, type_name(to->type));
    if (op->under < 0) REFUSE(c, "constant with the denominator %lld", (long long)op->under);
}

static void check_shift(checker *c, const nest_op *op, const nest_register *to, const char *name) {
    if (op->shift < 0 || op->shift >= type_rows[to->type].bits)
        REFUSE(c, "%s of %s by %d", name, type_name(to->type), op->shift);
}

/* Sums with what stands for 0 do not leave the integers that every conversion has on the way. */
static void check_zero(checker *c, const nest_op *op, const nest_register *to) {
    if (op->zero == 0) return;
    if (type_is_float(to->type) || type_bytes(to->type) != 1 || type_round(to->type, op->zero) != op->zero)
        REFUSE(c, "convert to %s, in which %d stands for 0", type_name(to->type), op->zero);
}

static void check_call(checker *c, const nest_op *op, const nest_register *to) {
    if ((int)op->math < 0 || op->math >= MATH_KINDS)
        REFUSE(c, "call of no function");
    else if (!nest_math_exists(to->type))
        REFUSE(c, "call of %s, which has no program for %s", nest_math_name(op->math), type_name(to->type));
}

/* The registers of an operation; false where one is none. */
static bool find_operands(checker *c, const nest_scope *s, const nest_op *op, const char *name, operands *o) {
    const register_ref *source[] = {&op->a, &op->b, &op->c};
    bool writes = op->kind != OP_STORE && op->kind != OP_PREFETCH;
    *o = (operands){.sources = nest_op_sources(op->kind)};
    if (writes) o->to = check_register(c, s, &op->to, name);
    bool found = !writes || o->to;
    for (int i = 0; i < o->sources; i++) {
        o->source[i] = check_register(c, s, source[i], name);
        found = found && o->source[i];
    }
    return found;
}

static void check_types(checker *c, const nest_op *op, const operands *o, const char *name) {
    for (int i = -1; i < o->sources; i++) {
        const nest_register *r = i < 0 ? o->to : o->source[i];
        if (r && !nest_op_takes(op->kind, r->type)) REFUSE(c, "%s of %s", name, type_name(r->type));
    }
}

static void check_op(checker *c, const nest_scope *s, const nest_op *op) {
    if ((int)op->kind < 0 || op->kind >= OP_KINDS) {
        REFUSE(c, "an operation of no kind");
        return;
    }
    const char *name = nest_op_name(op->kind);
    operands o;
    if (!find_operands(c, s, op, name, &o)) return;
    check_types(c, op, &o, name);
    if (op->kind == OP_DOT)
        check_dot(c, &o);
    else
        check_alike(c, op, &o, name);
    if (op->lanes && !check_range(c, s, op->lanes, true, "a lane range")) return;
    if (op->kind == OP_KEEP && !op->lanes) REFUSE(c, "keep has no lane range");
    if (op->lanes && !takes_lanes(op->kind)) REFUSE(c, "%s takes no lane range", name);
    if (c->refused) return;
    switch (op->kind) {
    case OP_CONST: check_constant(c, op, o.to); break;
    case OP_SHUFFLE: check_shuffle(c, op, o.to->lanes, o.source[0]->lanes); break;
    case OP_TRANSPOSE: check_transpose(c, s, op, o.to->lanes); break;
    case OP_NUMBER: check_affine(c, s, &op->at.offset, false, name); break;
    case OP_CALL: check_call(c, op, o.to); break;
    case OP_CONVERT: check_zero(c, op, o.to); break;
    case OP_SHIFT_LEFT:
    case OP_SHIFT_RIGHT: check_shift(c, op, o.to, name); break;
    case OP_SPLAT: check_splat(c, op, o.to); break;
    default: break;
    }
    if (nest_op_class(op->kind) == CLASS_LOAD || op->kind == OP_STORE || op->kind == OP_PREFETCH)
        check_access(c, s, op, op->kind == OP_STORE ? o.source[0] : o.to, name);
}

static void check_for(checker *c, const nest_scope *s, const nest_statement *f) {
    if (f->variable < 0 || f->variable >= c->nest->variable_count) {
        REFUSE(c, "a loop has no variable");
        return;
    }
    const nest_variable *v = &c->nest->variables[f->variable];
    if (v->kind == VARIABLE_QUOTIENT || in_scope(c, s, f->variable)) REFUSE(c, "loop over %s, which is taken", v->name);
    check_range(c, s, &v->range, v->kind == VARIABLE_UNROLLED, v->name);
    if (v->kind != VARIABLE_TASK) return;
    for (const nest_scope *o = s; o; o = o->outer)
        if (o->statement->kind != STATEMENT_FOR || c->nest->variables[o->statement->variable].kind != VARIABLE_TASK)
            REFUSE(c, "task loop %s is not outermost", v->name);
    const nest_range *r = &v->range;
    if (r->low_count != 1 || r->high_count != 1 || r->low[0].numerator.count || r->high[0].numerator.count ||
        r->low[0].numerator.constant != 0)
        REFUSE(c, "task loop %s is not a constant range from 0", v->name);
}

static bool holds_task(const nest *n, const nest_statement *s) {
    return s->kind == STATEMENT_FOR && s->variable >= 0 && s->variable < n->variable_count &&
           n->variables[s->variable].kind == VARIABLE_TASK;
}

static void check_list(checker *c, const nest_scope *s, const nest_statement *list) {
    for (const nest_statement *at = list; at && !c->refused; at = at->next) {
        if (holds_task(c->nest, at) && (at != list || at->next)) REFUSE(c, "a task loop has neighbours");
        if (at->kind == STATEMENT_OP)
            check_op(c, s, at->op);
        else if (at->kind == STATEMENT_FOR)
            check_for(c, s, at);
        else
            check_affine(c, s, &at->condition, false, "a condition");
        if (c->refused) return;
        nest_scope inner = {s, at};
        check_list(c, &inner, at->body);
    }
}

static bool is_type(cvk_type type) { return (int)type >= 0 && type < TYPES; }
/* Whether whoever enters has something to bind to that role. */
static bool is_bound(nest_entry entry, nest_role role) {
    bool packs = role == ROLE_PACK_FROM || role == ROLE_PACK_TO;
    return (int)role >= 0 && role < ROLE_COUNT && (role == ROLE_TABLE || packs == (entry == ENTRY_PACK));
}

static bool is_table(const nest_tensor *t) {
    return t->part && type_is_computed_float(t->type) && !t->writable && t->halvings >= 0 &&
           t->halvings <= TURN_MOST_HALVINGS;
}

static bool is_sound(nest_entry entry, const nest_tensor *t) {
    return is_table(t) == (t->role == ROLE_TABLE) && t->elements >= 0 && t->begin >= 0 && is_type(t->type) &&
           is_bound(entry, t->role) && t->elements <= INT64_MAX / type_bytes(t->type) - t->begin;
}

/* Whether one ends before the other begins: in bytes, and in elements, in which the evaluator of residues counts. */
static bool is_before(const nest_tensor *t, const nest_tensor *u) {
    const int64_t end = t->begin + t->elements;
    return end <= u->begin && end * type_bytes(t->type) <= u->begin * type_bytes(u->type);
}

/* Tensors of one role, unless they are parts that stand apart, or nothing of it. */
static bool overlap(const nest_tensor *t, const nest_tensor *u) {
    return t->role == u->role && t->elements > 0 && u->elements > 0 && !is_before(t, u) && !is_before(u, t);
}

static bool check_declarations(checker *c) {
    const nest *n = c->nest;
    if (n->fault) REFUSE(c, "%s", n->fault);
    for (int t = 0; t < n->tensor_count; t++)
        if (!is_sound(n->entry, &n->tensors[t])) REFUSE(c, "tensor %s is ill-formed", n->tensors[t].name);
    for (int t = 0; t < n->tensor_count; t++)
        for (int u = 0; u < t; u++)
            if (overlap(&n->tensors[t], &n->tensors[u]))
                REFUSE(c, "tensors %s and %s have one role", n->tensors[u].name, n->tensors[t].name);
    for (int r = 0; r < n->register_count; r++)
        if (!is_type(n->registers[r].type) || n->registers[r].lanes < 1 || n->registers[r].lanes > NEST_MOST_LANES ||
            n->registers[r].count < 1)
            REFUSE(c, "register array %s is ill-formed", n->registers[r].name);
    return !c->refused;
}

/* The task loops, which check_list found outermost, make the nest's count of tasks. */
static void check_tasks(checker *c) {
    const nest *n = c->nest;
    int64_t tasks = 1;
    for (const nest_statement *s = n->body; s && holds_task(n, s); s = s->body)
        tasks *= n->variables[s->variable].range.high[0].numerator.constant;
    if (n->body && tasks != n->tasks)
        REFUSE(c, "the task loops make %lld tasks, not %lld", (long long)tasks, (long long)n->tasks);
}

cvk_status nest_check(const nest *n, cvk_diagnostics *diagnostics, nest_extent *extent) {
    checker c = {.nest = n, .diagnostics = diagnostics, .extent = extent};
    if (extent)
        for (int r = 0; r < ROLE_COUNT; r++) extent->low[r] = INT64_MAX, extent->high[r] = -1;
    if (check_declarations(&c)) check_list(&c, NULL, n->body);
    if (!c.refused) check_tasks(&c);
    return c.refused ? CVK_ERROR_INTERNAL : CVK_OK;
}
