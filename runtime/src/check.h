/* What a caller hands over, checked against what a kernel needs. `why` may be NULL everywhere. */
#ifndef CVK_RUNTIME_CHECK_H
#define CVK_RUNTIME_CHECK_H

#include <convoke/runtime.h>

#include <stdbool.h>

/* One buffer: what was given, what is needed. Nothing is asked of it where `needed` is 0. */
typedef struct check_buffer {
    const char *name;
    const void *data;
    uint64_t given, needed;
    uint32_t alignment; /* a power of two */
    bool written;
} check_buffer;

/* Keeps a refusal, and gives its status. */
cvk_status check_refuse(cvk_refusal *why, cvk_refusal refusal);

/* That packed weights begin with the kernel's tag. */
cvk_status check_tag(const cvk_kernel_info *info, const void *packed, cvk_refusal *why);

/* NULL, ABI version, CPU features. */
cvk_status check_kernel(const cvk_kernel_info *info, cvk_refusal *why);

/* NULL, size and alignment of one; that two do not overlap where one is written. */
cvk_status check_buffer_alone(const check_buffer *b, cvk_refusal *why);
cvk_status check_buffers_apart(const check_buffer *a, const check_buffer *b, cvk_refusal *why);

/* NULL, size and alignment of each buffer; then that each that is written overlaps no other. */
cvk_status check_buffers(const check_buffer *buffers, size_t n, cvk_refusal *why);

#endif
