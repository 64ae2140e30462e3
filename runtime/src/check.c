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

cvk_status check_buffer_alone(const check_buffer *b, cvk_refusal *why) {
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

cvk_status check_buffers_apart(const check_buffer *a, const check_buffer *b, cvk_refusal *why) {
    if (!(a->written || b->written) || !overlap(a, b)) return CVK_OK;
    const check_buffer *written = a->written ? a : b, *other = a->written ? b : a;
    return check_refuse(why, (cvk_refusal){CVK_ERROR_OVERLAP, written->name, .other = other->name});
}

cvk_status check_buffers(const check_buffer *buffers, size_t n, cvk_refusal *why) {
    cvk_status status = CVK_OK;
    for (size_t i = 0; i < n && status == CVK_OK; i++) status = check_buffer_alone(&buffers[i], why);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i && status == CVK_OK; j++) status = check_buffers_apart(&buffers[i], &buffers[j], why);
    return status;
}

cvk_status check_tag(const cvk_kernel_info *info, const void *packed, cvk_refusal *why) {
    uint64_t tag;
    if (!info->packed_tag || !info->packed_weights.bytes) return CVK_OK;
    __builtin_memcpy(&tag, packed, sizeof tag);
    if (tag == info->packed_tag) return CVK_OK;
    return check_refuse(why, (cvk_refusal){CVK_ERROR_WEIGHTS, "weights", NULL, info->packed_tag, tag});
}
