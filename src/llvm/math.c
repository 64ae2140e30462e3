/* Math functions: each program of nest/math.c as one internal function a module, called rather than inlined, so that a
 * tile's post-ops cost code once. */
#include "llvm/lowering.h"

#include "nest/math.h"

static void fill(lower_module *m, LLVMValueRef function, math_program p, int lanes) {
    LLVMBuilderRef b = LLVMCreateBuilderInContext(m->context);
    LLVMPositionBuilderAtEnd(b, LLVMAppendBasicBlockInContext(m->context, function, ""));
    LLVMValueRef *value = arena_array(m->arena, LLVMValueRef, p.count);
    value[0] = LLVMGetParam(function, 0);
    for (int i = 1; i < p.count; i++) {
        const math_step *s = &p.step[i];
        if (s->kind == OP_CONST)
            value[i] = lower_splat_constant(m, p.type, lanes, s->value);
        else
            value[i] = lower_arithmetic(m, b, s->kind, p.type, value[s->a], value[s->b], value[s->c]);
    }
    LLVMBuildRet(b, value[p.count - 1]);
    LLVMDisposeBuilder(b);
}

/* Functions of f32 have no type in their names. */
static const char *symbol_of(lower_module *m, math_kind kind, cvk_type type, int lanes) {
    if (type == TYPE_F32) return arena_format(m->arena, "cvk_%s_x%d", nest_math_name(kind), lanes);
    return arena_format(m->arena, "cvk_%s_%s_x%d", nest_math_name(kind), type_name(type), lanes);
}

LLVMValueRef lower_math(lower_module *m, math_kind kind, cvk_type type, int lanes) {
    LLVMValueRef *known = &m->math[type][kind][lanes];
    if (*known) return *known;
    LLVMTypeRef vector = lower_vector(m, type, lanes);
    math_program p = nest_math(m->arena, kind, type);
    const char *symbol = symbol_of(m, kind, type, lanes);
    *known = LLVMAddFunction(m->module, symbol, LLVMFunctionType(vector, &vector, 1, false));
    LLVMSetLinkage(*known, LLVMInternalLinkage);
    lower_place(m, *known, ".text", symbol);
    lower_attributes(m, *known);
    unsigned noinline_kind = LLVMGetEnumAttributeKindForName("noinline", 8);
    LLVMAddAttributeAtIndex(*known, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                            LLVMCreateEnumAttribute(m->context, noinline_kind, 0));
    fill(m, *known, p, lanes);
    return *known;
}
