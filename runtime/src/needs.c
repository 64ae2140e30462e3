/* How much a run needs of each buffer: the description's numbers times images or workers, as convoke/buffers.def says.
 */
#include <convoke/runtime.h>

#include <stdbool.h>

enum { SHARE_ONCE, SHARE_IMAGE, SHARE_WORKER };

static const struct {
    size_t offset; /* in cvk_kernel_info */
    int share;
} rows[CVK_ROLES] = {
#define CVK_BUFFER(NAME, member, needs, access, share) {offsetof(cvk_kernel_info, needs), SHARE_##share},
#include <convoke/buffers.def>
#undef CVK_BUFFER
};

/* Every worker's share starts at a multiple of the alignment. Wraps to 0 only for sizes no machine has. */
static uint64_t rounded_up(const cvk_buffer_info *b) {
    uint64_t mask = b->alignment - UINT64_C(1);
    return (b->bytes + mask) & ~mask;
}

static uint64_t times(uint64_t bytes, uint64_t count) {
    uint64_t product;
    return __builtin_mul_overflow(bytes, count, &product) ? UINT64_MAX : product;
}

static bool sums_over_images(const cvk_kernel_info *info) {
    return info->operation == CVK_WEIGHTS_GRADIENT || info->operation == CVK_TRANSPOSED_WEIGHTS_GRADIENT;
}

uint64_t cvk_phase_tasks(const cvk_kernel_info *info, uint32_t phase, uint64_t batch) {
    const bool once = !info->batch_any || (phase > 0 && sums_over_images(info));
    return info->tasks[phase] * (once ? UINT64_C(1) : batch);
}

/* How many times the bytes of an image. Sums over images wait in the first one's workspace, also where there is none.
 */
static uint64_t images_of(const cvk_kernel_info *info, cvk_role role, uint64_t batch) {
    if (rows[role].share != SHARE_IMAGE || !info->batch_any) return 1;
    if (!sums_over_images(info)) return batch;
    return role == CVK_ROLE_OUTPUT || (role == CVK_ROLE_WORKSPACE && !batch) ? 1 : batch;
}

cvk_buffer_info cvk_buffer_needs(const cvk_kernel_info *info, cvk_role role, uint64_t batch, uint32_t workers) {
    if (!info || (unsigned)role >= CVK_ROLES) return (cvk_buffer_info){.alignment = 1};
    cvk_buffer_info b = *(const cvk_buffer_info *)(const void *)((const char *)info + rows[role].offset);
    b.bytes = times(b.bytes, images_of(info, role, batch));
    if (rows[role].share == SHARE_WORKER && b.bytes) {
        uint64_t stride = rounded_up(&b);
        b.bytes = stride < b.bytes ? UINT64_MAX : times(stride, workers);
    }
    return b;
}

uint64_t cvk_scratch_bytes(const cvk_kernel_info *info, uint32_t workers) {
    return cvk_buffer_needs(info, CVK_ROLE_SCRATCH, 0, workers).bytes;
}
