/* The constants of an object: cvk_kernel_info, field by field in the order of the struct, its strings private; sets of
 * them; tensors. */
#include "llvm/constants.h"

#include <llvm-c/Target.h>
#include <stddef.h>
#include <string.h>

/* A field added to the struct and forgotten here changes its size. */
enum {
    WORDS = 12 + CVK_MOST_PHASES, /* from input_layout to tasks */
    HEAD = 8 + 2 * 8 + 3 * 40 + 4 * WORDS,
    POINTERS = 6,
    BUFFERS = 1 + CVK_ROLES
};
_Static_assert(sizeof(cvk_buffer_info) == 16, "info.c writes three fields");
_Static_assert(offsetof(cvk_kernel_info, name) == HEAD && HEAD % 8 == 0 && POINTERS % 2 == 0, "there are no gaps");
_Static_assert(offsetof(cvk_kernel_info, weights) == HEAD + POINTERS * sizeof(void *), "before the buffers");
_Static_assert(sizeof(cvk_kernel_info) == offsetof(cvk_kernel_info, weights) + 16 * BUFFERS, "info.c writes it all");
_Static_assert(4 + 1 + 3 + WORDS + POINTERS + BUFFERS <= CONSTANT_MOST_FIELDS, "and has room for it");

static void add_words(constant_fields *f, const cvk_kernel_info *info) {
    const uint32_t words[] = {(uint32_t)info->input_layout,
                              (uint32_t)info->output_layout,
                              (uint32_t)info->input_dtype,
                              (uint32_t)info->weights_dtype,
                              (uint32_t)info->output_dtype,
                              info->spatial_rank,
                              info->addends,
                              info->scales,
                              info->batch_any,
                              info->kilocycles,
                              info->phases,
                              (uint32_t)info->operation};
    _Static_assert(sizeof words / sizeof words[0] + CVK_MOST_PHASES == WORDS, "the words before the phases'");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) constant_u32(f, words[i]);
    for (int p = 0; p < CVK_MOST_PHASES; p++) constant_u32(f, info->tasks[p]);
}

LLVMValueRef lower_info(lower_module *m, const char *symbol, const cvk_kernel_info *info, LLVMValueRef run,
                        LLVMValueRef pack) {
    constant_fields f = {.m = m, .symbol = symbol};
    constant_u32(&f, 0); /* struct_size: when the fields are known */
    constant_u32(&f, info->abi_version);
    constant_u64(&f, info->cpu_features);
    constant_u64(&f, info->packed_tag);
    constant_shape(&f, info->input_shape);
    constant_shape(&f, info->weights_shape);
    constant_shape(&f, info->output_shape);
    add_words(&f, info);
    constant_string(&f, info->name);
    constant_string(&f, info->target);
    constant_string(&f, info->plan);
    constant_add(&f, run);
    constant_add(&f, pack);
    constant_add(&f, LLVMConstNull(m->ptr));
    constant_buffer(&f, &info->weights);
#define CVK_BUFFER(NAME, member, needs, access, share) constant_buffer(&f, &info->needs);
#include <convoke/buffers.def>
#undef CVK_BUFFER
    f.value[0] = LLVMConstInt(m->i32, constant_size(&f), false);
    return constant_end(&f);
}

_Static_assert(sizeof(cvk_network_set) == sizeof(cvk_kernel_set), "and those of networks");
_Static_assert(offsetof(cvk_kernel_set, variants) + sizeof(void *) == sizeof(cvk_kernel_set),
               "lower_set writes it all");

void lower_set(lower_module *m, const char *symbol, LLVMValueRef *infos, size_t count) {
    for (size_t i = 0; i < count; i++) LLVMSetLinkage(infos[i], LLVMInternalLinkage);
    constant_fields f = {.m = m, .symbol = symbol};
    constant_u32(&f, CVK_ABI_VERSION);
    constant_u32(&f, (uint32_t)count);
    constant_add(&f, constant_private(m, symbol, CONSTANT_ADDRESSES, LLVMConstArray2(m->ptr, infos, count), 8));
    constant_end(&f);
}

/* All targets are little-endian, as we are; as bytes, because a constant of floats is made one object a float. */
LLVMValueRef lower_data(lower_module *m, const char *symbol, const void *data, int64_t bytes) {
    LLVMValueRef value = LLVMConstStringInContext2(m->context, data, (size_t)bytes, true);
    return constant_private(m, arena_format(m->arena, "%s.data", symbol), CONSTANT_PLAIN, value, 64);
}
