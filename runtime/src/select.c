/* Choosing among the variants of a layer, and naming what keeps a CPU from running one. */
#include "check.h"

static const struct {
    uint64_t feature;
    const char *name;
} names[] = {
#define CVK_CPU(name, bit, llvm_name) {CVK_CPU_##name, llvm_name},
#define CVK_CPU_FAR CVK_CPU
#include <convoke/cpu.def>
#undef CVK_CPU_FAR
#undef CVK_CPU
};

#define CVK_CPU(name, bit, llvm_name)
#define CVK_CPU_FAR(name, bit, llvm_name)                                                                              \
    _Static_assert(CVK_CPU_##name == UINT64_C(1) << (bit), "a macro of runtime.h");
#include <convoke/cpu.def>
#undef CVK_CPU_FAR
#undef CVK_CPU

static const cvk_kernel_info *find(const cvk_kernel_set *set, cvk_status *status) {
    *status = CVK_ERROR_ARGUMENT;
    if (!set) return NULL;
    *status = CVK_ERROR_ABI;
    if (set->abi_version != CVK_ABI_VERSION) return NULL;
    *status = CVK_ERROR_CPU;
    for (uint32_t i = 0; i < set->count && *status == CVK_ERROR_CPU; i++) {
        *status = check_kernel(set->variants[i], NULL);
        if (*status == CVK_OK) return set->variants[i];
    }
    return NULL;
}

const cvk_kernel_info *cvk_select(const cvk_kernel_set *set, cvk_status *status) {
    cvk_status ignored;
    return find(set, status ? status : &ignored);
}

/* What of `word` still fits, and a zero after it; gives the length of the whole word. */
static size_t append(char *text, size_t size, size_t at, const char *word) {
    size_t length = 0;
    for (; word[length]; length++)
        if (at + length + 1 < size) text[at + length] = word[length];
    if (at < size) text[at + length < size ? at + length : size - 1] = 0;
    return length;
}

size_t cvk_cpu_names(uint64_t features, char *text, size_t size) {
    size_t length = 0;
    append(text, size, 0, "");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(features & names[i].feature)) continue;
        if (length) length += append(text, size, length, " ");
        length += append(text, size, length, names[i].name);
    }
    return length;
}
