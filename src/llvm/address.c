/* Addresses. tensor + constant + sum of coefficient * variable is built a loop level at a time, outermost first, each
 * partial sum in the prelude of the loop whose variable it adds: hoisted by construction, shared by all accesses that
 * differ in constants alone, which end up as displacements of the machine's addressing modes. */
#include "llvm/lowering.h"

#include <string.h>

/* A term known only at run time. */
typedef struct runtime_term {
    LLVMValueRef value;
    lower_level *level;
    int64_t coefficient;
} runtime_term;

static LLVMValueRef number(lowering *l, int64_t value) {
    return LLVMConstInt(l->m->index, (unsigned long long)value, true);
}

/* Addresses go before the prelude's branch. */
static LLVMBuilderRef at_prelude(lowering *l, lower_level *level) {
    LLVMPositionBuilderBefore(l->prelude, LLVMGetBasicBlockTerminator(level->prelude));
    return l->prelude;
}

/* e with unrolled variables replaced by their values; quotients that become numbers too. */
static affine known_parts(lowering *l, const affine *e) {
    affine rest = affine_constant(e->constant);
    for (int i = 0; i < e->count; i++) {
        int v = e->term[i].variable;
        int64_t c = e->term[i].coefficient;
        const nest_variable *variable = &l->nest->variables[v];
        if (variable->kind == VARIABLE_UNROLLED) {
            rest.constant += c * l->known[v];
        } else if (variable->kind == VARIABLE_QUOTIENT) {
            affine numerator = known_parts(l, &variable->quotient.numerator);
            if (affine_is_constant(&numerator))
                rest.constant += c * floor_div(numerator.constant, variable->quotient.divisor);
            else
                rest = affine_add_scaled(rest, affine_variable(v), c);
        } else {
            rest = affine_add_scaled(rest, affine_variable(v), c);
        }
    }
    return rest;
}

static runtime_term term_of(lowering *l, int variable, int64_t coefficient);

static LLVMValueRef sum(lowering *l, LLVMBuilderRef b, const affine *e) {
    LLVMValueRef total = number(l, e->constant);
    for (int i = 0; i < e->count; i++) {
        runtime_term t = term_of(l, e->term[i].variable, e->term[i].coefficient);
        LLVMValueRef product = LLVMBuildMul(b, t.value, number(l, t.coefficient), "");
        total = LLVMBuildAdd(b, total, product, "");
    }
    return total;
}

static lower_level *innermost(lowering *l, const affine *e) {
    lower_level *inner = NULL;
    for (int i = 0; i < e->count; i++) {
        lower_level *level = term_of(l, e->term[i].variable, 1).level;
        if (!inner || level->depth > inner->depth) inner = level;
    }
    return inner;
}

/* floor(numerator / divisor) of a value that may be negative. */
static LLVMValueRef floor_quotient(lowering *l, LLVMBuilderRef b, LLVMValueRef value, int64_t divisor) {
    if ((divisor & (divisor - 1)) == 0)
        return LLVMBuildAShr(b, value, number(l, __builtin_ctzll((unsigned long long)divisor)), "");
    LLVMValueRef d = number(l, divisor);
    LLVMValueRef quotient = LLVMBuildSDiv(b, value, d, ""), rest = LLVMBuildSRem(b, value, d, "");
    LLVMValueRef below = LLVMBuildICmp(b, LLVMIntSLT, rest, number(l, 0), "");
    return LLVMBuildAdd(b, quotient, LLVMBuildSExt(b, below, l->m->index, ""), "");
}

static LLVMValueRef ceil_quotient(lowering *l, LLVMBuilderRef b, LLVMValueRef value, int64_t divisor) {
    return floor_quotient(l, b, LLVMBuildAdd(b, value, number(l, divisor - 1), ""), divisor);
}

static lower_cached *remember(lowering *l, lower_level *level, lower_cached entry) {
    lower_cached *c = arena_new(l->m->arena, lower_cached);
    *c = entry;
    c->next = level->cached;
    level->cached = c;
    return c;
}

static runtime_term quotient_term(lowering *l, const nest_bound *q, int64_t coefficient) {
    affine numerator = known_parts(l, &q->numerator);
    lower_level *level = innermost(l, &numerator);
    for (lower_cached *c = level->cached; c; c = c->next)
        if (c->numerator && c->divisor == q->divisor && affine_equal(c->numerator, &numerator))
            return (runtime_term){c->value, level, coefficient};
    LLVMValueRef value = sum(l, at_prelude(l, level), &numerator);
    value = floor_quotient(l, at_prelude(l, level), value, q->divisor);
    const affine *key = arena_copy(l->m->arena, &numerator, sizeof numerator);
    remember(l, level, (lower_cached){.numerator = key, .divisor = q->divisor, .value = value});
    return (runtime_term){value, level, coefficient};
}

static runtime_term term_of(lowering *l, int variable, int64_t coefficient) {
    const nest_variable *v = &l->nest->variables[variable];
    if (v->kind == VARIABLE_QUOTIENT) return quotient_term(l, &v->quotient, coefficient);
    return (runtime_term){l->variable[variable], l->level_of[variable], coefficient};
}

LLVMValueRef lower_affine(lowering *l, const affine *e) {
    affine rest = known_parts(l, e);
    return sum(l, l->builder, &rest);
}

/* An empty piece of assembly that gives its argument back. LLVM's strength reduction looks for better forms of every
 * address of a loop, at a cost that grows faster than their number (0.4 s for a grouped layer); ours are good, and
 * behind this it does not see what they are made of. */
LLVMValueRef lower_opaque(lower_module *m, LLVMBuilderRef b, LLVMValueRef pointer) {
    LLVMTypeRef type = LLVMFunctionType(m->ptr, &m->ptr, 1, false);
    LLVMValueRef same = LLVMGetInlineAsm(type, "", 0, "=r,0", 4, false, false, LLVMInlineAsmDialectATT, false);
    return LLVMBuildCall2(b, type, same, &pointer, 1, "");
}

/* base + value * coefficient bytes, computed once in the prelude of `level`. */
static LLVMValueRef step(lowering *l, lower_level *level, LLVMValueRef base, const runtime_term *t) {
    for (lower_cached *c = level->cached; c; c = c->next)
        if (!c->numerator && c->base == base && c->factor == t->value && c->coefficient == t->coefficient)
            return c->value;
    LLVMBuilderRef b = at_prelude(l, level);
    LLVMValueRef bytes = LLVMBuildMul(b, t->value, number(l, t->coefficient), "");
    LLVMValueRef value = lower_opaque(l->m, b, LLVMBuildGEP2(b, l->m->i8, base, &bytes, 1, ""));
    remember(l, level, (lower_cached){.base = base, .factor = t->value, .coefficient = t->coefficient, .value = value});
    return value;
}

/* Terms by level, outermost first; within a level in the order of the expression. */
static int ordered_terms(lowering *l, const affine *e, runtime_term *terms) {
    int count = 0;
    for (int i = 0; i < e->count; i++) {
        runtime_term t = term_of(l, e->term[i].variable, e->term[i].coefficient);
        int at = count++;
        for (; at > 0 && terms[at - 1].level->depth > t.level->depth; at--) terms[at] = terms[at - 1];
        terms[at] = t;
    }
    return count;
}

LLVMValueRef lower_base(lowering *l, const nest_access *at, int64_t lane, int64_t *offset) {
    const int64_t size = type_bytes(l->nest->tensors[at->tensor].type);
    affine in_bytes = affine_scale(at->offset, size), rest = known_parts(l, &in_bytes);
    runtime_term terms[AFFINE_MOST_TERMS];
    int count = ordered_terms(l, &rest, terms);
    LLVMValueRef pointer = l->tensor[at->tensor];
    for (int i = 0; i < count; i++) pointer = step(l, terms[i].level, pointer, &terms[i]);
    *offset = rest.constant + lane * at->stride * size;
    return pointer;
}

LLVMValueRef lower_beyond(lowering *l, LLVMValueRef base, int64_t offset) {
    if (offset == 0) return base;
    LLVMValueRef bytes = number(l, offset);
    return LLVMBuildGEP2(l->builder, l->m->i8, base, &bytes, 1, "");
}

LLVMValueRef lower_address(lowering *l, const nest_access *at, int64_t lane) {
    int64_t offset;
    LLVMValueRef base = lower_base(l, at, lane, &offset);
    return lower_beyond(l, base, offset);
}

LLVMValueRef lower_bound(lowering *l, const nest_bound *bound, bool low) {
    LLVMValueRef value = lower_affine(l, &bound->numerator);
    if (bound->divisor == 1) return value;
    return (low ? ceil_quotient : floor_quotient)(l, l->builder, value, bound->divisor);
}
