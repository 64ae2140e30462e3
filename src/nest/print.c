/* nest_print: needs any nest, also one that nest_check refuses; gives pseudo-C that a person can follow. Declarations
 * come first, then a line a statement; an operation is the template of its kind with the operands filled in. */
#include "nest/math.h"

#include <stdlib.h>

typedef struct printer {
    const nest *nest;
    text *out;
    int depth;
} printer;

/* @t: destination; @d: destination with its type; @a @b @c: sources; @m: what is accessed; @n: a number a lane; @l:
 * lane range; @v: value;
 * @p: pattern; @f: function; @s: shift; @r: rounding of a conversion; @z: what it adds. What has its own destination as
 * the last source is printed by ACCUMULATE. */
static const char *const ACCUMULATE[OP_KINDS] = {[OP_FMA] = "@t += @a * @b@l", [OP_DOT] = "@t += dot(@a, @b)@l"};
static const char *const OP_TEMPLATE[OP_KINDS] = {
    [OP_CONST] = "@d = @v",
    [OP_LOAD] = "@d = load @m@l",
    [OP_SPLAT] = "@d = splat @m",
    [OP_STORE] = "@w @m = @a@l",
    [OP_PREFETCH] = "prefetch @m",
    [OP_COPY] = "@t = @a",
    [OP_FMA] = "@t = @a * @b + @c@l",
    [OP_DOT] = "@t = dot(@a, @b) + @c@l",
    [OP_ADD] = "@t = @a + @b",
    [OP_SUB] = "@t = @a - @b",
    [OP_MUL] = "@t = @a * @b",
    [OP_DIV] = "@t = @a / @b",
    [OP_MIN] = "@t = min(@a, @b)",
    [OP_MAX] = "@t = max(@a, @b)",
    [OP_MAXIMUM] = "@t = maximum(@a, @b)@l",
    [OP_GREATER] = "@t = @a > @b ? -1 : 0",
    [OP_NUMBER] = "@d = @n",
    [OP_SELECT_NEGATIVE] = "@t = @a < 0 ? @b : @c",
    [OP_ABS] = "@t = abs(@a)",
    [OP_SQRT] = "@t = sqrt(@a)",
    [OP_COPYSIGN] = "@t = copysign(@a, @b)",
    [OP_EXP2I] = "@t = exp2i(@a)",
    [OP_SHIFT_LEFT] = "@t = @a << @s",
    [OP_SHIFT_RIGHT] = "@t = @a >> @s",
    [OP_KEEP] = "@t = keep @a@l",
    [OP_CONVERT] = "@d = convert @a@r@z",
    [OP_SCALE_HALF_UP] = "@t = scale_half_up(@a, @b, @c)",
    [OP_SCALE_DOUBLE] = "@t = scale_double(@a, @b, @c)",
    [OP_SHUFFLE] = "@t = shuffle(@a, @b)[@p]",
    [OP_TRANSPOSE] = "@t .. = transpose @a ..",
    [OP_CALL] = "@t = @f(@a)",
};

static void print_affine(printer *p, const affine *e);

static void print_quotient(printer *p, const char *rounding, const nest_bound *b) {
    bool sum = b->numerator.count + (b->numerator.constant != 0) > 1;
    text_add(p->out, sum ? "%s((" : "%s(", rounding);
    print_affine(p, &b->numerator);
    text_add(p->out, sum ? ")/%lld)" : "/%lld)", (long long)b->divisor);
}

static void print_variable(printer *p, int variable) {
    if (variable < 0 || variable >= p->nest->variable_count) {
        text_add(p->out, "?");
        return;
    }
    const nest_variable *v = &p->nest->variables[variable];
    if (v->kind == VARIABLE_QUOTIENT)
        print_quotient(p, "floor", &v->quotient);
    else
        text_add(p->out, "%s", v->name);
}

/* The sign between two terms, or before the first. */
static void print_sign(printer *p, bool negative, bool first) {
    if (!first)
        text_add(p->out, negative ? " - " : " + ");
    else if (negative)
        text_add(p->out, "-");
}

static void print_magnitude(printer *p, int64_t value) {
    text_add(p->out, "%llu", value < 0 ? 0ULL - (unsigned long long)value : (unsigned long long)value);
}

/* The terms by falling size of their coefficients, as one writes an index. */
static void sort_terms(const affine *e, int *order) {
    for (int i = 0; i < e->count; i++) {
        int at = i;
        for (; at > 0 && llabs(e->term[order[at - 1]].coefficient) < llabs(e->term[i].coefficient); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

/* The terms of one sign and the constant if it has that sign, too; true if nothing is printed yet. */
static bool print_terms(printer *p, const affine *e, const int *order, bool negative, bool first) {
    for (int i = 0; i < e->count; i++) {
        int64_t c = e->term[order[i]].coefficient;
        if ((c < 0) != negative) continue;
        print_sign(p, negative, first);
        first = false;
        if (c != 1 && c != -1) {
            print_magnitude(p, c);
            text_add(p->out, "*");
        }
        print_variable(p, e->term[order[i]].variable);
    }
    if (e->constant == 0 || (e->constant < 0) != negative) return first;
    print_sign(p, negative, first);
    print_magnitude(p, e->constant);
    return false;
}

/* Positive terms first: 3*oc + kh - 1. */
static void print_affine(printer *p, const affine *e) {
    int order[AFFINE_MOST_TERMS];
    sort_terms(e, order);
    bool nothing = print_terms(p, e, order, false, true);
    nothing = print_terms(p, e, order, true, nothing);
    if (nothing) text_add(p->out, "0");
}

static void print_end(printer *p, const char *several, const char *rounding, const nest_bound *bounds, int count) {
    if (count > 1) text_add(p->out, "%s(", several);
    for (int i = 0; i < count; i++) {
        if (i > 0) text_add(p->out, ", ");
        if (bounds[i].divisor == 1)
            print_affine(p, &bounds[i].numerator);
        else
            print_quotient(p, rounding, &bounds[i]);
    }
    if (count > 1) text_add(p->out, ")");
}

static bool is_number(const nest_bound *bounds, int count) {
    return count == 1 && bounds[0].divisor == 1 && affine_is_constant(&bounds[0].numerator);
}

static void print_range(printer *p, const nest_range *r) {
    bool numbers = is_number(r->low, r->low_count) && is_number(r->high, r->high_count);
    print_end(p, "max", "ceil", r->low, r->low_count);
    text_add(p->out, numbers ? ".." : " .. ");
    print_end(p, "min", "floor", r->high, r->high_count);
}

static bool known_register(const printer *p, const register_ref *r) {
    return r->array >= 0 && r->array < p->nest->register_count;
}

static void print_register(printer *p, const register_ref *r) {
    if (!known_register(p, r)) {
        text_add(p->out, "?");
        return;
    }
    const nest_register *array = &p->nest->registers[r->array];
    text_add(p->out, "%s", array->name);
    if (array->count == 1 && affine_is_constant(&r->index) && r->index.constant == 0) return;
    text_add(p->out, "[");
    print_affine(p, &r->index);
    text_add(p->out, "]");
}

/* The type of a register, where it is not the usual one. */
static void print_type(printer *p, const nest_register *r) {
    text_add(p->out, "v%d ", r->lanes);
    if (r->type != TYPE_F32) text_add(p->out, "%s ", type_name(r->type));
}

static void print_typed_register(printer *p, const register_ref *r) {
    if (known_register(p, r)) print_type(p, &p->nest->registers[r->array]);
    print_register(p, r);
}

/* The shortest digits that tell a constant from its neighbours. */
static void print_value(printer *p, const nest_op *op) {
    if (known_register(p, &op->to) && p->nest->registers[op->to.array].type == TYPE_F64)
        text_add_double(p->out, op->value);
    else
        text_add_float(p->out, (float)op->value);
}

/* How a conversion rounds; one that is exact rounds not at all. */
static void print_rounding(printer *p, const nest_op *op) {
    if (!known_register(p, &op->to) || !known_register(p, &op->a)) return;
    cvk_type to = p->nest->registers[op->to.array].type, from = p->nest->registers[op->a.array].type;
    if (type_holds(to, from)) return;
    if (type_is_float(from) || type_is_float(to)) text_add(p->out, ", to nearest");
    if (!type_is_float(to)) text_add(p->out, ", saturated");
}

/* From a lane to the next. */
static void print_step(printer *p, const nest_op *op) {
    text_add(p->out, " %c %lld*lane", op->at.stride < 0 ? '-' : '+', llabs((long long)op->at.stride));
}

static void print_number(printer *p, const nest_op *op) {
    print_affine(p, &op->at.offset);
    if (op->at.stride != 0) print_step(p, op);
}

static void print_access(printer *p, const nest_op *op) {
    bool known = op->at.tensor >= 0 && op->at.tensor < p->nest->tensor_count;
    text_add(p->out, "%s[", known ? p->nest->tensors[op->at.tensor].name : "?");
    print_affine(p, &op->at.offset);
    bool one_element = op->kind == OP_SPLAT || op->kind == OP_PREFETCH;
    if (op->kind == OP_SPLAT && op->repeat != 1) text_add(p->out, " + lane %% %d", op->repeat);
    if (op->at.stride != 1 && !one_element) print_step(p, op);
    text_add(p->out, "]");
}

static void print_lanes(printer *p, const nest_op *op) {
    if (!op->lanes) return;
    text_add(p->out, " lanes ");
    print_range(p, op->lanes);
}

static void print_pattern(printer *p, const nest_op *op) {
    bool known = op->pattern && known_register(p, &op->to);
    int lanes = known ? p->nest->registers[op->to.array].lanes : 0;
    for (int l = 0; l < lanes; l++)
        if (op->pattern[l] < 0)
            text_add(p->out, l ? " _" : "_");
        else
            text_add(p->out, l ? " %d" : "%d", op->pattern[l]);
}

static void print_zero(printer *p, const nest_op *op) {
    if (op->zero) text_add(p->out, ", from %d on", op->zero);
}

static void print_operand(printer *p, const nest_op *op, char which) {
    switch (which) {
    case 't': print_register(p, &op->to); break;
    case 'd': print_typed_register(p, &op->to); break;
    case 'a': print_register(p, &op->a); break;
    case 'b': print_register(p, &op->b); break;
    case 'c': print_register(p, &op->c); break;
    case 'm': print_access(p, op); break;
    case 'l': print_lanes(p, op); break;
    case 'n': print_number(p, op); break;
    case 'w': text_add(p->out, "%s", op->streams ? "stream" : "store"); break;
    case 'p': print_pattern(p, op); break;
    case 'v': print_value(p, op); break;
    case 's': text_add(p->out, "%d", op->shift); break;
    case 'r': print_rounding(p, op); break;
    case 'z': print_zero(p, op); break;
    case 'f': text_add(p->out, "%s", op->math < MATH_KINDS ? nest_math_name(op->math) : "?"); break;
    default: break;
    }
}

static bool same_register(const register_ref *a, const register_ref *b) {
    return a->array == b->array && affine_equal(&a->index, &b->index);
}

static void print_op(printer *p, const nest_op *op) {
    const char *template = OP_TEMPLATE[op->kind];
    if (ACCUMULATE[op->kind] && same_register(&op->to, &op->c)) template = ACCUMULATE[op->kind];
    for (const char *c = template; *c; c++)
        if (*c == '@')
            print_operand(p, op, *++c);
        else
            text_add_bytes(p->out, c, 1);
}

void nest_print_op(const nest *n, const nest_op *op, text *out) { print_op(&(printer){.nest = n, .out = out}, op); }

static void print_for(printer *p, const nest_statement *s) {
    static const char *const WORD[] = {
        [VARIABLE_TASK] = "task", [VARIABLE_LOOP] = "for", [VARIABLE_UNROLLED] = "unrolled", [VARIABLE_QUOTIENT] = "?"};
    const nest_variable *v = &p->nest->variables[s->variable];
    text_add(p->out, "%s %s in ", WORD[v->kind], v->name);
    print_range(p, &v->range);
}

static void print_if(printer *p, const nest_statement *s) {
    text_add(p->out, "if ");
    print_affine(p, &s->condition);
    text_add(p->out, " >= 0");
}

static void print_list(printer *p, const nest_statement *list) {
    for (const nest_statement *s = list; s; s = s->next) {
        text_add(p->out, "%*s", 2 * p->depth, "");
        if (s->kind == STATEMENT_FOR)
            print_for(p, s);
        else if (s->kind == STATEMENT_IF)
            print_if(p, s);
        else
            print_op(p, s->op);
        text_add(p->out, s->note ? "  // %s\n" : "\n", s->note);
        p->depth++;
        print_list(p, s->body);
        p->depth--;
    }
}

static void print_declarations(printer *p) {
    const nest *n = p->nest;
    text_add(p->out, "%s: %lld task%s, vectors of %d bytes\n", n->name, (long long)n->tasks, n->tasks == 1 ? "" : "s",
             n->vector_bytes);
    for (int i = 0; i < n->tensor_count; i++) {
        const nest_tensor *t = &n->tensors[i];
        text_add(p->out, "%s%s %s[%lld], aligned to %d bytes", t->writable ? "" : "const ", type_name(t->type), t->name,
                 (long long)t->elements, t->alignment);
        if (t->part) text_add(p->out, ", cosines of parts of 2^%d", t->halvings);
        text_add(p->out, t->begin ? ", after %lld elements\n" : "\n", (long long)t->begin);
    }
    for (int i = 0; i < n->register_count; i++) {
        const nest_register *r = &n->registers[i];
        print_type(p, r);
        text_add(p->out, r->count == 1 ? "%s\n" : "%s[%d]\n", r->name, r->count);
    }
}

void nest_print(const nest *n, text *out) {
    printer p = {.nest = n, .out = out};
    print_declarations(&p);
    text_add(out, "\n");
    print_list(&p, n->body);
}
