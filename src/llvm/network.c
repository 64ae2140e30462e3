/* The table of a network: cvk_network_info and what it points at. */
#include "llvm/constants.h"

#include <stddef.h>

_Static_assert(sizeof(cvk_place) == 24, "add_place writes it all");
_Static_assert(sizeof(cvk_step) == 3 * sizeof(void *), "lower_step writes it all");
_Static_assert(offsetof(cvk_tensor_info, name) == 64 && sizeof(cvk_tensor_info) == 64 + 2 * sizeof(void *),
               "lower_tensor writes it all");
_Static_assert(offsetof(cvk_weight_info, name) == 72 && sizeof(cvk_weight_info) == 72 + 2 * sizeof(void *),
               "lower_weight writes it all");
_Static_assert(offsetof(cvk_network_info, name) == 64 && sizeof(cvk_network_info) == 64 + 6 * sizeof(void *),
               "lower_network writes it all");

/* The fields so far as a value, and none begun. */
static LLVMValueRef end_value(constant_fields *f) {
    LLVMValueRef value = LLVMConstStructInContext(f->m->context, f->value, f->count, false);
    f->count = 0;
    return value;
}

static LLVMValueRef array_of(lower_module *m, const char *symbol, LLVMValueRef *values, uint32_t count) {
    if (!count) return LLVMConstNull(m->ptr);
    return constant_private(m, symbol, CONSTANT_ADDRESSES, LLVMConstArray2(LLVMTypeOf(values[0]), values, count), 8);
}

static LLVMValueRef lower_place_of_buffer(constant_fields *f, const cvk_place *p) {
    constant_u32(f, (uint32_t)p->space);
    constant_u32(f, p->index);
    constant_u64(f, p->bytes);
    constant_u64(f, p->image_bytes);
    return end_value(f);
}

static LLVMValueRef lower_places(constant_fields *f, const cvk_place *p, uint32_t count) {
    LLVMValueRef value[CVK_ROLES];
    for (uint32_t i = 0; i < count; i++) value[i] = lower_place_of_buffer(f, &p[i]);
    return constant_private(f->m, f->symbol, CONSTANT_PLAIN, LLVMConstArray2(LLVMTypeOf(value[0]), value, count), 8);
}

static LLVMValueRef lower_step(constant_fields *f, const cvk_network_info *info, uint32_t i, LLVMValueRef kernel) {
    const LLVMValueRef places = lower_places(f, info->step[i].place, info->roles);
    constant_string(f, info->step[i].name);
    constant_add(f, kernel);
    constant_add(f, places);
    return end_value(f);
}

static LLVMValueRef lower_tensor(constant_fields *f, const cvk_tensor_info *t) {
    constant_shape(f, t->shape);
    constant_u64(f, t->bytes);
    constant_u32(f, t->alignment);
    constant_u32(f, t->spatial_rank);
    constant_u32(f, (uint32_t)t->layout);
    constant_u32(f, (uint32_t)t->dtype);
    constant_string(f, t->name);
    constant_add(f, LLVMConstNull(f->m->ptr));
    return end_value(f);
}

static LLVMValueRef lower_weight(constant_fields *f, const cvk_weight_info *w) {
    constant_shape(f, w->shape);
    constant_u64(f, w->bytes);
    constant_u64(f, w->packed);
    constant_u32(f, w->step);
    constant_u32(f, (uint32_t)w->role);
    constant_u32(f, (uint32_t)w->dtype);
    constant_u32(f, w->alignment);
    constant_string(f, w->name);
    constant_add(f, LLVMConstNull(f->m->ptr));
    return end_value(f);
}

/* What the table points at. */
typedef struct parts {
    LLVMValueRef input, output, weight, step;
} parts;

static parts lower_parts(lower_module *m, const char *symbol, const cvk_network_info *info, LLVMValueRef *kernels) {
    constant_fields f = {.m = m, .symbol = symbol};
    const uint32_t most = info->inputs + info->outputs + info->weights + info->steps;
    LLVMValueRef *value = arena_array(m->arena, LLVMValueRef, most + 1);
    parts p;
    for (uint32_t i = 0; i < info->inputs; i++) value[i] = lower_tensor(&f, &info->input[i]);
    p.input = array_of(m, symbol, value, info->inputs);
    for (uint32_t i = 0; i < info->outputs; i++) value[i] = lower_tensor(&f, &info->output[i]);
    p.output = array_of(m, symbol, value, info->outputs);
    for (uint32_t i = 0; i < info->weights; i++) value[i] = lower_weight(&f, &info->weight[i]);
    p.weight = array_of(m, symbol, value, info->weights);
    for (uint32_t i = 0; i < info->steps; i++) value[i] = lower_step(&f, info, i, kernels[i]);
    p.step = array_of(m, symbol, value, info->steps);
    return p;
}

LLVMValueRef lower_network(lower_module *m, const char *symbol, const cvk_network_info *info, LLVMValueRef *kernels) {
    const parts p = lower_parts(m, symbol, info, kernels);
    constant_fields f = {.m = m, .symbol = symbol};
    const uint32_t words[] = {0 /* struct_size: when the fields are known */,
                              info->abi_version,
                              info->inputs,
                              info->outputs,
                              info->weights,
                              info->steps,
                              info->roles,
                              info->batch_any};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) constant_u32(&f, words[i]);
    constant_buffer(&f, &info->packed_weights);
    constant_buffer(&f, &info->workspace);
    constant_string(&f, info->name);
    constant_string(&f, info->target);
    constant_add(&f, p.input);
    constant_add(&f, p.output);
    constant_add(&f, p.weight);
    constant_add(&f, p.step);
    f.value[0] = LLVMConstInt(m->i32, constant_size(&f), false);
    return constant_end(&f);
}
