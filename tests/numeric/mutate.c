/* Edits are made in place: the nest belongs to one mutant. */
#include "mutate.h"
#include "nest/build.h"

#include <math.h>
#include <string.h>

/* ---- the walk ---- */

typedef int edit_op(nest *n, nest_op *op, const mutation *m);

static int each_op(nest *n, nest_statement *list, edit_op *change, const mutation *m) {
    int count = 0;
    for (nest_statement *s = list; s; s = s->next)
        count += s->kind == STATEMENT_OP ? change(n, s->op, m) : each_op(n, s->body, change, m);
    return count;
}

static bool named(const nest *n, int variable, const char *name) {
    return strcmp(n->variables[variable].name, name) == 0;
}

static bool accesses(const nest *n, const nest_op *op, const char *tensor) {
    bool does = op->kind == OP_LOAD || op->kind == OP_SPLAT || op->kind == OP_STORE;
    return does && strcmp(n->tensors[op->at.tensor].name, tensor) == 0;
}

/* ---- loops ---- */

int drop_last(nest *n, const mutation *m) {
    int count = 0;
    for (int v = 0; v < n->variable_count; v++) {
        nest_range *r = &n->variables[v].range;
        if (n->variables[v].kind == VARIABLE_QUOTIENT || !named(n, v, m->variable)) continue;
        for (int i = 0; i < r->high_count; i++) r->high[i].numerator.constant -= r->high[i].divisor;
        count++;
    }
    return count;
}

int drop_first(nest *n, const mutation *m) {
    int count = 0;
    for (int v = 0; v < n->variable_count; v++) {
        nest_range *r = &n->variables[v].range;
        if (n->variables[v].kind == VARIABLE_QUOTIENT || !named(n, v, m->variable)) continue;
        for (int i = 0; i < r->low_count; i++) r->low[i].numerator.constant += r->low[i].divisor;
        count++;
    }
    return count;
}

/* ---- addresses ---- */

static affine without(const nest *n, const affine *e, const char *name, int *count) {
    affine kept = affine_constant(e->constant);
    for (int i = 0; i < e->count; i++)
        if (named(n, e->term[i].variable, name))
            ++*count;
        else
            kept = affine_add_scaled(kept, affine_variable(e->term[i].variable), e->term[i].coefficient);
    return kept;
}

static int forget_in_op(nest *n, nest_op *op, const mutation *m) {
    if (!accesses(n, op, m->tensor)) return 0;
    int count = 0;
    op->at.offset = without(n, &op->at.offset, m->variable, &count);
    return count;
}

static int drop_from_number_in_op(nest *n, nest_op *op, const mutation *m) {
    int count = 0;
    if (op->kind == OP_NUMBER) op->at.offset = without(n, &op->at.offset, m->variable, &count);
    return count;
}

static int divide_in_op(nest *n, nest_op *op, const mutation *m) {
    int count = 0;
    if (!accesses(n, op, m->tensor)) return 0;
    for (int i = 0; i < op->at.offset.count; i++) {
        if (!named(n, op->at.offset.term[i].variable, m->variable)) continue;
        op->at.offset.term[i].coefficient /= m->number;
        count++;
    }
    return count;
}

static int swap_in_op(nest *n, nest_op *op, const mutation *m) {
    int one = -1, other = -1;
    affine *at = &op->at.offset;
    for (int i = 0; accesses(n, op, m->tensor) && i < at->count; i++) {
        if (named(n, at->term[i].variable, m->variable)) one = i;
        if (named(n, at->term[i].variable, m->other)) other = i;
    }
    if (one < 0 || other < 0) return 0;
    int64_t coefficient = at->term[one].coefficient;
    at->term[one].coefficient = at->term[other].coefficient;
    at->term[other].coefficient = coefficient;
    return 1;
}

static int shift_in_op(nest *n, nest_op *op, const mutation *m) {
    if (!accesses(n, op, m->tensor)) return 0;
    op->at.offset.constant += m->number;
    return 1;
}

static int divide_stride_in_op(nest *n, nest_op *op, const mutation *m) {
    if (!accesses(n, op, m->tensor) || op->at.stride % m->number != 0) return 0;
    op->at.stride /= m->number;
    return 1;
}

int drop_from_number(nest *n, const mutation *m) { return each_op(n, n->body, drop_from_number_in_op, m); }
int forget_variable(nest *n, const mutation *m) { return each_op(n, n->body, forget_in_op, m); }
int divide_coefficient(nest *n, const mutation *m) { return each_op(n, n->body, divide_in_op, m); }
int swap_variables(nest *n, const mutation *m) { return each_op(n, n->body, swap_in_op, m); }
int shift_offset(nest *n, const mutation *m) { return each_op(n, n->body, shift_in_op, m); }
int divide_stride(nest *n, const mutation *m) { return each_op(n, n->body, divide_stride_in_op, m); }

/* ---- operations ---- */

static int forget_tensor_in_op(nest *n, nest_op *op, const mutation *m) {
    if (op->kind == OP_STORE || !accesses(n, op, m->tensor)) return 0;
    op->kind = OP_CONST;
    op->lanes = NULL;
    op->value = 0;
    return 1;
}

int forget_tensor(nest *n, const mutation *m) { return each_op(n, n->body, forget_tensor_in_op, m); }

static bool is_masked(const nest *n, const nest_op *op, const mutation *m) {
    if (!op->lanes) return false;
    return *m->tensor ? op->kind == OP_LOAD && accesses(n, op, m->tensor)
                      : op->kind == OP_FMA || op->kind == OP_MAXIMUM;
}

static int shorten_in_op(nest *n, nest_op *op, const mutation *m) {
    if (!is_masked(n, op, m)) return 0;
    for (int i = 0; i < op->lanes->high_count; i++) op->lanes->high[i].numerator.constant -= op->lanes->high[i].divisor;
    return 1;
}

static int delay_in_op(nest *n, nest_op *op, const mutation *m) {
    if (!is_masked(n, op, m)) return 0;
    for (int i = 0; i < op->lanes->low_count; i++) op->lanes->low[i].numerator.constant += op->lanes->low[i].divisor;
    return 1;
}

int short_mask(nest *n, const mutation *m) { return each_op(n, n->body, shorten_in_op, m); }
int late_mask(nest *n, const mutation *m) { return each_op(n, n->body, delay_in_op, m); }

static int replace(nest_op *op, op_kind kind, op_kind by) {
    if (op->kind != kind) return 0;
    op->kind = by;
    if (by != OP_FMA) op->lanes = NULL; /* arithmetic takes no lane range */
    return 1;
}

static int max_to_min(nest *n, nest_op *op, const mutation *m) {
    (void)n, (void)m;
    return replace(op, OP_MAX, OP_MIN);
}
static int min_to_max(nest *n, nest_op *op, const mutation *m) {
    (void)n, (void)m;
    return replace(op, OP_MIN, OP_MAX);
}
static int mul_to_div(nest *n, nest_op *op, const mutation *m) {
    (void)n, (void)m;
    return replace(op, OP_MUL, OP_DIV);
}
static int div_to_mul(nest *n, nest_op *op, const mutation *m) {
    (void)n, (void)m;
    return replace(op, OP_DIV, OP_MUL);
}
/* Into the registers that are named, if any are. */
static int add_to_sub(nest *n, nest_op *op, const mutation *m) {
    const bool into = !*m->tensor || (op->to.array >= 0 && strcmp(n->registers[op->to.array].name, m->tensor) == 0);
    return into ? replace(op, OP_ADD, OP_SUB) : 0;
}
static int keep_to_copy(nest *n, nest_op *op, const mutation *m) {
    (void)n, (void)m;
    return replace(op, OP_KEEP, OP_COPY);
}
static int fma_to_mul(nest *n, nest_op *op, const mutation *m) {
    (void)n, (void)m;
    return replace(op, OP_FMA, OP_MUL);
}

static int maximum_to_min(nest *n, nest_op *op, const mutation *m) {
    (void)n, (void)m;
    return replace(op, OP_MAXIMUM, OP_MIN);
}
static int swap_compared(nest *n, nest_op *op, const mutation *m) {
    (void)n, (void)m;
    if (op->kind != OP_GREATER) return 0;
    const register_ref first = op->a;
    op->a = op->b;
    op->b = first;
    return 1;
}
static int zero_in_op(nest *n, nest_op *op, const mutation *m) {
    (void)n, (void)m;
    if (op->kind != OP_CONST || op->value != (double)-INFINITY) return 0;
    op->value = 0;
    return 1;
}

int min_for_maximum(nest *n, const mutation *m) { return each_op(n, n->body, maximum_to_min, m); }
int less_for_greater(nest *n, const mutation *m) { return each_op(n, n->body, swap_compared, m); }
int begin_with_zero(nest *n, const mutation *m) { return each_op(n, n->body, zero_in_op, m); }
int min_for_max(nest *n, const mutation *m) { return each_op(n, n->body, max_to_min, m); }
int max_for_min(nest *n, const mutation *m) { return each_op(n, n->body, min_to_max, m); }
int mul_for_div(nest *n, const mutation *m) { return each_op(n, n->body, div_to_mul, m); }
int div_for_mul(nest *n, const mutation *m) { return each_op(n, n->body, mul_to_div, m); }
int sub_for_add(nest *n, const mutation *m) { return each_op(n, n->body, add_to_sub, m); }
int copy_for_keep(nest *n, const mutation *m) { return each_op(n, n->body, keep_to_copy, m); }
int forget_sum(nest *n, const mutation *m) { return each_op(n, n->body, fma_to_mul, m); }

static int change_constant_in_op(nest *n, nest_op *op, const mutation *m) {
    (void)n;
    if (op->kind != OP_CONST || op->value != (double)m->number) return 0;
    op->value -= 1;
    op->under = 0;
    return 1;
}

int change_constant(nest *n, const mutation *m) { return each_op(n, n->body, change_constant_in_op, m); }

static int nudge_in_op(nest *n, nest_op *op, const mutation *m) {
    (void)n, (void)m;
    if (op->kind != OP_CONST || op->value == 0) return 0;
    op->value = (double)((float)op->value * 1.0001F);
    op->under = 0;
    return 1;
}

int nudge_constants(nest *n, const mutation *m) { return each_op(n, n->body, nudge_in_op, m); }

/* The result of a transpose lies in the second half of its array. */
static int read_untransposed(nest *n, nest_op *op, const mutation *m) {
    (void)m;
    if (op->kind != OP_STORE || strcmp(n->registers[op->a.array].name, "square") != 0) return 0;
    op->a.index.constant -= n->registers[op->a.array].lanes;
    return 1;
}

int forget_transpose(nest *n, const mutation *m) { return each_op(n, n->body, read_untransposed, m); }

static int copy_for_shuffle(nest *n, nest_op *op, const mutation *m) {
    (void)n, (void)m;
    if (op->kind != OP_SHUFFLE) return 0;
    op->kind = OP_COPY;
    return 1;
}

int forget_shuffle(nest *n, const mutation *m) { return each_op(n, n->body, copy_for_shuffle, m); }

/* ---- sums that are not begun ---- */

/* Of several tiles in turn: where each is a task there is no tile before. */
static bool is_tile_loop(const nest *n, const nest_statement *s, const mutation *m) {
    if (s->kind != STATEMENT_FOR || !named(n, s->variable, m->variable)) return false;
    const nest_variable *v = &n->variables[s->variable];
    const nest_range *r = &v->range;
    return v->kind != VARIABLE_TASK && r->high[0].numerator.constant > 1 && s->body && s->body->next;
}

/* Whether a statement holds nothing but the beginning of sums. */
static bool begins(const nest_statement *s) {
    while (s && s->kind != STATEMENT_OP) s = s->body;
    return s && (s->op->kind == OP_CONST || s->op->kind == OP_LOAD || s->op->kind == OP_SPLAT);
}

static int keep_in_list(nest *n, nest_statement *list, const mutation *m) {
    int count = 0;
    for (nest_statement *s = list; s; s = s->next) {
        if (is_tile_loop(n, s, m) && begins(s->body)) {
            nest_statement *first = arena_new(n->arena, nest_statement);
            *first = *s->body;
            first->next = NULL;
            *s->body = (nest_statement){.kind = STATEMENT_IF, .next = s->body->next, .body = first};
            s->body->condition = affine_scale(affine_variable(s->variable), -1);
            count++;
        } else {
            count += keep_in_list(n, s->body, m);
        }
    }
    return count;
}

int keep_sums(nest *n, const mutation *m) { return keep_in_list(n, n->body, m); }

/* ---- what a tolerance may hide ---- */

static int next_float_in_op(nest *n, nest_op *op, const mutation *m) {
    (void)n, (void)m;
    if (op->kind != OP_CONST || op->under == 0 || op->over == 0) return 0;
    op->value = (double)nextafterf((float)op->value, INFINITY);
    op->under = 0;
    return 1;
}

static int forget_ratio_in_op(nest *n, nest_op *op, const mutation *m) {
    (void)n, (void)m;
    if (op->kind != OP_CONST || op->value * (double)op->under == (double)op->over) return 0;
    op->under = 0;
    return 1;
}

static int double_bias_in_op(nest *n, nest_op *op, const mutation *m) {
    (void)m;
    if (op->kind != OP_COPY || strcmp(n->registers[op->a.array].name, "w") != 0) return 0;
    op->kind = OP_ADD;
    op->b = op->a;
    return 1;
}

static int short_store_in_op(nest *n, nest_op *op, const mutation *m) {
    if (op->kind != OP_STORE || !op->lanes || !accesses(n, op, m->tensor)) return 0;
    for (int i = 0; i < op->lanes->high_count; i++) op->lanes->high[i].numerator.constant -= op->lanes->high[i].divisor;
    return 1;
}

static int read_other_in_op(nest *n, nest_op *op, const mutation *m) {
    if (op->kind == OP_STORE || !accesses(n, op, m->tensor)) return 0;
    for (int t = 0; t < n->tensor_count; t++)
        if (strcmp(n->tensors[t].name, m->other) == 0) op->at.tensor = t;
    return 1;
}

int next_float(nest *n, const mutation *m) { return each_op(n, n->body, next_float_in_op, m); }
int forget_ratio(nest *n, const mutation *m) { return each_op(n, n->body, forget_ratio_in_op, m); }
int double_bias(nest *n, const mutation *m) { return each_op(n, n->body, double_bias_in_op, m); }
int short_store(nest *n, const mutation *m) { return each_op(n, n->body, short_store_in_op, m); }
int read_other(nest *n, const mutation *m) { return each_op(n, n->body, read_other_in_op, m); }

/* A copy of the operation behind it; if `variable` >= 0, only where that is 0. */
static void repeat_op(nest *n, nest_statement *s, int variable) {
    nest_statement *copy = arena_new(n->arena, nest_statement);
    *copy = (nest_statement){.kind = STATEMENT_OP, .op = s->op, .next = s->next};
    s->next = copy;
    if (variable < 0) return;
    nest_statement *condition = arena_new(n->arena, nest_statement);
    *condition = (nest_statement){.kind = STATEMENT_IF, .next = copy->next, .body = copy};
    condition->condition = affine_scale(affine_variable(variable), -1);
    copy->next = NULL;
    s->next = condition;
}

/* `variable`: the loop around that is named, or -1. */
static int add_twice_in_list(nest *n, nest_statement *list, int variable, const mutation *m) {
    int count = 0;
    for (nest_statement *s = list; s; s = s->next) {
        bool here = s->kind == STATEMENT_FOR && named(n, s->variable, m->variable);
        count += add_twice_in_list(n, s->body, here ? s->variable : variable, m);
        if (s->kind != STATEMENT_OP || s->op->kind != OP_FMA || variable < 0) continue;
        repeat_op(n, s, variable);
        s = s->next;
        count++;
    }
    return count;
}

static int store_twice_in_list(nest *n, nest_statement *list, const mutation *m) {
    int count = 0;
    for (nest_statement *s = list; s; s = s->next) {
        count += store_twice_in_list(n, s->body, m);
        if (s->kind != STATEMENT_OP || s->op->kind != OP_STORE || !accesses(n, s->op, m->tensor)) continue;
        repeat_op(n, s, -1);
        s = s->next;
        count++;
    }
    return count;
}

static int add_loaded_twice_in_list(nest *n, nest_statement *list, const mutation *m) {
    int count = 0;
    for (nest_statement *s = list; s; s = s->next) {
        count += add_loaded_twice_in_list(n, s->body, m);
        bool loads = s->kind == STATEMENT_OP && s->op->kind == OP_LOAD && accesses(n, s->op, m->tensor);
        if (!loads || !s->next || s->next->kind != STATEMENT_OP || s->next->op->kind != OP_ADD) continue;
        s = s->next;
        repeat_op(n, s, -1);
        s = s->next;
        count++;
    }
    return count;
}

int add_loaded_twice(nest *n, const mutation *m) { return add_loaded_twice_in_list(n, n->body, m); }
int add_first_twice(nest *n, const mutation *m) { return add_twice_in_list(n, n->body, -1, m); }
int store_twice(nest *n, const mutation *m) { return store_twice_in_list(n, n->body, m); }

/* ---- roundings ---- */

/* A register like that of `r`, in an array of its own. */
static register_ref spare_like(nest *n, const register_ref *r) {
    nest_builder b = {.nest = n};
    const nest_register *like = &n->registers[r->array];
    return reg(nest_add_register(&b, "spare", like->type, like->lanes, 1), affine_constant(0));
}

/* The statement becomes `op`, and what it was follows; gives where that is. */
static nest_statement *put_before(nest *n, nest_statement *s, const nest_op *op) {
    nest_statement *was = arena_new(n->arena, nest_statement);
    *was = *s;
    s->op = arena_new(n->arena, nest_op);
    *s->op = *op;
    s->next = was;
    return was;
}

static nest_statement *put_constant(nest *n, nest_statement *s, const register_ref *to, double value) {
    return put_before(n, s, &(nest_op){.kind = OP_CONST, .to = *to, .value = value});
}

static void put_behind(nest *n, nest_statement *s, const nest_op *op) {
    nest_statement *next = put_before(n, s, op);
    nest_op *first = next->op;
    next->op = s->op;
    s->op = first;
}

/* So little that of numbers as large as bytes nothing but halves moves, or what is next to them. */
static int up_at(nest *n, nest_statement *s) {
    const nest_op *op = s->op;
    if (op->kind != OP_CONVERT || type_bytes(n->registers[op->to.array].type) != 1) return 0;
    if (n->registers[op->a.array].type != TYPE_F32) return 0;
    const register_ref x = op->a, little = spare_like(n, &x);
    s = put_constant(n, s, &little, 0x1p-16);
    put_before(n, s, &(nest_op){.kind = OP_ADD, .to = x, .a = x, .b = little});
    return 1;
}

/* - floor(1/2 - x) */
static int down_at(nest *n, nest_statement *s) {
    nest_op *op = s->op;
    if (op->kind != OP_SCALE_HALF_UP) return 0;
    const register_ref zero = spare_like(n, &op->a), less = spare_like(n, &op->a);
    put_behind(n, s, &(nest_op){.kind = OP_SUB, .to = op->to, .a = zero, .b = op->to});
    s = put_constant(n, s, &zero, 0);
    put_before(n, s, &(nest_op){.kind = OP_SUB, .to = less, .a = zero, .b = op->a});
    op->a = less;
    return 1;
}

static int once_at(nest *n, nest_statement *s) {
    nest_op *op = s->op;
    if (op->kind != OP_SCALE_DOUBLE) return 0;
    const register_ref more = spare_like(n, &op->c), by = spare_like(n, &op->c);
    s = put_constant(n, s, &more, 31);
    put_before(n, s, &(nest_op){.kind = OP_ADD, .to = by, .a = op->c, .b = more});
    op->kind = OP_SCALE_HALF_UP;
    op->c = by;
    return 1;
}

/* What is put in has no place of its own kind. */
static int each_statement(nest *n, nest_statement *list, int (*change)(nest *, nest_statement *)) {
    int count = 0;
    for (nest_statement *s = list, *next; s; s = next) {
        next = s->next;
        count += s->kind == STATEMENT_OP ? change(n, s) : each_statement(n, s->body, change);
    }
    return count;
}

int halves_up(nest *n, const mutation *m) { return (void)m, each_statement(n, n->body, up_at); }
int halves_down(nest *n, const mutation *m) { return (void)m, each_statement(n, n->body, down_at); }
int round_once(nest *n, const mutation *m) { return (void)m, each_statement(n, n->body, once_at); }
