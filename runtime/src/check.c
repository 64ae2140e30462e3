/* The checks of cvk_run and cvk_pack_weights. They look at a handful of numbers and at no data, so that a checked call
 * costs little more than an unchecked one. */
#include "check.h"

#include <stdbool.h>

cvk_status check_kernel(const cvk_kernel_info *info) {
    if (!info) return CVK_ERROR_ARGUMENT;
    /* A kernel of a later runtime may have fields after ours; one with fewer is of no version there ever was. */
    if (info->abi_version != CVK_ABI_VERSION || info->struct_size < sizeof *info) return CVK_ERROR_ABI;
    if (info->cpu_features & ~cvk_cpu_features()) return CVK_ERROR_CPU;
    return CVK_OK;
}

static cvk_status check_one(const check_buffer *b) {
    if (!b->needed) return CVK_OK;
    if (!b->data) return CVK_ERROR_NULL;
    if (b->given < b->needed) return CVK_ERROR_SIZE;
    if ((uintptr_t)b->data & (b->alignment - 1u)) return CVK_ERROR_ALIGNMENT;
    return CVK_OK;
}

/* Of the bytes the kernel touches; no sum is formed that could wrap around. */
static bool overlap(const check_buffer *a, const check_buffer *b) {
    if (!a->needed || !b->needed) return false;
    uintptr_t x = (uintptr_t)a->data, y = (uintptr_t)b->data;
    return x <= y ? y - x < a->needed : x - y < b->needed;
}

cvk_status check_buffers(const check_buffer *buffers, size_t n, size_t written) {
    for (size_t i = 0; i < n; i++) {
        cvk_status status = check_one(&buffers[i]);
        if (status != CVK_OK) return status;
    }
    for (size_t i = n - written; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (overlap(&buffers[i], &buffers[j])) return CVK_ERROR_OVERLAP;
    return CVK_OK;
}
