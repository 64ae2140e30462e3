/* From a nest to code in a function of LLVM IR. Needs a nest that nest_check accepted; gives what passes LLVM's
 * verifier. Run-time loops become rotated loops with a prelude block for addresses, unrolled ones are expanded here,
 * registers live in stack slots until mem2reg. */
#include "llvm/lowering.h"

static void lower_list(lowering *l, const nest_statement *list);

/* The body of what may run any number of times. */
static void lower_whole(lowering *l, const nest_statement *list) {
    lower_list(l, list);
    lower_streams(l);
}

LLVMBasicBlockRef lower_block(lowering *l, const char *name) {
    return LLVMAppendBasicBlockInContext(l->m->context, l->function, name);
}

static LLVMValueRef number(lowering *l, int64_t value) {
    return LLVMConstInt(l->m->index, (unsigned long long)value, true);
}

/* The greatest of the lower bounds, or the least of the upper ones. */
static LLVMValueRef range_end(lowering *l, const nest_bound *bound, int count, bool low) {
    LLVMValueRef end = lower_bound(l, &bound[0], low);
    for (int i = 1; i < count; i++) {
        LLVMValueRef other = lower_bound(l, &bound[i], low);
        LLVMValueRef better = LLVMBuildICmp(l->builder, low ? LLVMIntSGT : LLVMIntSLT, other, end, "");
        end = LLVMBuildSelect(l->builder, better, other, end, "");
    }
    return end;
}

/* Opens a level whose prelude is a new block; code goes to the block after it. */
static void open_level(lowering *l, int variable, LLVMBasicBlockRef prelude) {
    lower_level *level = arena_new(l->m->arena, lower_level);
    *level = (lower_level){
        .outer = l->level, .depth = l->level ? l->level->depth + 1 : 0, .variable = variable, .prelude = prelude};
    l->level = level;
    LLVMBasicBlockRef body = lower_block(l, "body");
    LLVMPositionBuilderAtEnd(l->builder, prelude);
    LLVMBuildBr(l->builder, body);
    LLVMPositionBuilderAtEnd(l->builder, body);
}

/* for v from low to high, body first tested where it may not run at all. */
static void lower_counted(lowering *l, int variable, LLVMValueRef low, LLVMValueRef high, bool surely,
                          void (*body)(lowering *, const void *), const void *argument) {
    LLVMBasicBlockRef prelude = lower_block(l, "loop"), done = lower_block(l, "done");
    LLVMBasicBlockRef before = LLVMGetInsertBlock(l->builder);
    if (surely)
        LLVMBuildBr(l->builder, prelude);
    else
        LLVMBuildCondBr(l->builder, LLVMBuildICmp(l->builder, LLVMIntSLT, low, high, ""), prelude, done);
    LLVMPositionBuilderAtEnd(l->builder, prelude);
    LLVMValueRef counter = LLVMBuildPhi(l->builder, l->m->index, "");
    open_level(l, variable, prelude);
    if (variable >= 0) {
        l->variable[variable] = counter;
        l->level_of[variable] = l->level;
    } else {
        l->variable[l->nest->variable_count] = counter; /* the task number */
    }
    body(l, argument);
    LLVMValueRef next = LLVMBuildAdd(l->builder, counter, number(l, 1), "");
    LLVMAddIncoming(counter, (LLVMValueRef[]){low, next}, (LLVMBasicBlockRef[]){before, LLVMGetInsertBlock(l->builder)},
                    2);
    LLVMBuildCondBr(l->builder, LLVMBuildICmp(l->builder, LLVMIntSLT, next, high, ""), prelude, done);
    LLVMMoveBasicBlockAfter(done, LLVMGetInsertBlock(l->builder));
    LLVMPositionBuilderAtEnd(l->builder, done);
    l->level = l->level->outer;
}

static void lower_body(lowering *l, const void *statement) {
    lower_whole(l, ((const nest_statement *)statement)->body);
}

static bool constant_range(const nest_range *r) {
    return r->low_count == 1 && r->high_count == 1 && r->low[0].numerator.count == 0 && r->high[0].numerator.count == 0;
}

static void lower_loop(lowering *l, const nest_statement *f) {
    const nest_range *r = &l->nest->variables[f->variable].range;
    bool fixed = constant_range(r);
    if (fixed && r->low[0].numerator.constant >= r->high[0].numerator.constant) return;
    LLVMValueRef low = range_end(l, r->low, r->low_count, true), high = range_end(l, r->high, r->high_count, false);
    lower_counted(l, f->variable, low, high, fixed, lower_body, f);
}

static void lower_unrolled(lowering *l, const nest_statement *f) {
    const nest_range *r = &l->nest->variables[f->variable].range;
    int64_t low, high;
    nest_range_ends(l->nest, r, l->known, &low, &high);
    for (int64_t v = low; v < high; v++) {
        l->known[f->variable] = v;
        lower_list(l, f->body);
    }
}

static void lower_if(lowering *l, const nest_statement *s) {
    LLVMValueRef holds = LLVMBuildICmp(l->builder, LLVMIntSGE, lower_affine(l, &s->condition), number(l, 0), "");
    LLVMBasicBlockRef body = lower_block(l, "then"), done = lower_block(l, "done");
    LLVMBuildCondBr(l->builder, holds, body, done);
    LLVMPositionBuilderAtEnd(l->builder, body);
    lower_whole(l, s->body);
    LLVMBuildBr(l->builder, done);
    LLVMMoveBasicBlockAfter(done, LLVMGetInsertBlock(l->builder));
    LLVMPositionBuilderAtEnd(l->builder, done);
}

/* One that runs; others are expanded here. */
static bool is_loop(lowering *l, const nest_statement *s) {
    return s->kind == STATEMENT_FOR && l->nest->variables[s->variable].kind != VARIABLE_UNROLLED;
}

static void lower_list(lowering *l, const nest_statement *list) {
    for (const nest_statement *s = list; s; s = s->next) {
        if (s->kind == STATEMENT_IF || is_loop(l, s)) lower_streams(l);
        if (s->kind == STATEMENT_OP)
            lower_op(l, s->op);
        else if (s->kind == STATEMENT_IF)
            lower_if(l, s);
        else if (is_loop(l, s))
            lower_loop(l, s);
        else
            lower_unrolled(l, s);
    }
}

/* Task loops become one loop over task numbers, whose digits are the variables, the innermost the fastest. */
static void lower_tasks(lowering *l, const void *statement) {
    const nest_statement *s = statement;
    int64_t rest = l->nest->tasks;
    LLVMValueRef number_left = l->variable[l->nest->variable_count];
    LLVMBuilderRef b = l->builder;
    LLVMBasicBlockRef body = LLVMGetInsertBlock(b);
    LLVMPositionBuilderBefore(b, LLVMGetBasicBlockTerminator(l->level->prelude));
    while (s && s->kind == STATEMENT_FOR && l->nest->variables[s->variable].kind == VARIABLE_TASK) {
        const nest_range *r = &l->nest->variables[s->variable].range;
        rest /= r->high[0].numerator.constant;
        LLVMValueRef weight = number(l, rest);
        l->variable[s->variable] = LLVMBuildUDiv(b, number_left, weight, "");
        l->level_of[s->variable] = l->level;
        number_left = LLVMBuildURem(b, number_left, weight, "");
        s = s->body;
    }
    LLVMPositionBuilderAtEnd(b, body);
    lower_whole(l, s);
}

void lower_registers(lowering *l) {
    const nest *n = l->nest;
    l->reg = arena_array(l->m->arena, LLVMValueRef *, n->register_count);
    for (int r = 0; r < n->register_count; r++) {
        l->reg[r] = arena_array(l->m->arena, LLVMValueRef, n->registers[r].count);
        LLVMTypeRef type = lower_vector(l->m, n->registers[r].type, n->registers[r].lanes);
        for (int i = 0; i < n->registers[r].count; i++) l->reg[r][i] = LLVMBuildAlloca(l->builder, type, "");
    }
}

/* Addresses that no loop changes go to the block that code stands in now. */
static void open_function_level(lowering *l) {
    LLVMBasicBlockRef prelude = lower_block(l, "start");
    LLVMBuildBr(l->builder, prelude);
    open_level(l, -1, prelude);
}

void lower_nest(lowering *l) {
    open_function_level(l);
    lower_whole(l, l->nest->body);
}

void lower_nest_tasks(lowering *l, LLVMValueRef first, LLVMValueRef last) {
    open_function_level(l);
    lower_counted(l, -1, first, last, false, lower_tasks, l->nest->body);
}
