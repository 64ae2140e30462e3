/* The checks of cvk_run and cvk_pack_weights. They look at a handful of numbers, so that a checked call costs little
 * more than an unchecked one. */
#include "check.h"

cvk_status check_refuse(cvk_refusal *why, cvk_refusal refusal) {
    if (why) *why = refusal;
    return refusal.status;
}

cvk_status check_kernel(const cvk_kernel_info *info, cvk_refusal *why) {
    if (!info) return check_refuse(why, (cvk_refusal){CVK_ERROR_ARGUMENT, .what = "info"});
    /* A kernel of a later runtime may have fields after ours; one with fewer is of no version there ever was. */
    if (info->abi_version != CVK_ABI_VERSION || info->struct_size < sizeof *info)
        return check_refuse(why, (cvk_refusal){CVK_ERROR_ABI, "info", NULL, CVK_ABI_VERSION, info->abi_version});
    if (info->phases > CVK_MOST_PHASES)
        return check_refuse(why, (cvk_refusal){CVK_ERROR_ABI, "phases", NULL, CVK_MOST_PHASES, info->phases});
    if (info->cpu_features & ~cvk_cpu_features())
        return check_refuse(why, (cvk_refusal){CVK_ERROR_CPU, "info", NULL, info->cpu_features, cvk_cpu_features()});
    return CVK_OK;
}

/* The largest power of two that divides an address, of those there are. */
static uint64_t alignment_of(const void *data) {
    uintptr_t address = (uintptr_t)data;
    return address & (~address + 1);
}

static cvk_status check_one(const check_buffer *b, cvk_refusal *why) {
    if (!b->needed) return CVK_OK;
    if (!b->data) return check_refuse(why, (cvk_refusal){CVK_ERROR_NULL, b->name, NULL, b->needed, 0});
    if (b->given < b->needed)
        return check_refuse(why, (cvk_refusal){CVK_ERROR_SIZE, b->name, NULL, b->needed, b->given});
    if ((uintptr_t)b->data & (b->alignment - 1u))
        return check_refuse(why,
                            (cvk_refusal){CVK_ERROR_ALIGNMENT, b->name, NULL, b->alignment, alignment_of(b->data)});
    return CVK_OK;
}

/* Of the bytes the kernel touches; no sum is formed that could wrap around. */
static bool overlap(const check_buffer *a, const check_buffer *b) {
    if (!a->needed || !b->needed) return false;
    uintptr_t x = (uintptr_t)a->data, y = (uintptr_t)b->data;
    return x <= y ? y - x < a->needed : x - y < b->needed;
}

cvk_status check_buffers(const check_buffer *buffers, size_t n, cvk_refusal *why) {
    for (size_t i = 0; i < n; i++) {
        cvk_status status = check_one(&buffers[i], why);
        if (status != CVK_OK) return status;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if ((buffers[i].written || buffers[j].written) && overlap(&buffers[i], &buffers[j])) {
                const check_buffer *written = &buffers[buffers[i].written ? i : j];
                const check_buffer *other = &buffers[buffers[i].written ? j : i];
                return check_refuse(why, (cvk_refusal){CVK_ERROR_OVERLAP, written->name, .other = other->name});
            }
    return CVK_OK;
}
