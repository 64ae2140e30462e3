/* What a caller hands over, checked against what a kernel needs. */
#ifndef CVK_RUNTIME_CHECK_H
#define CVK_RUNTIME_CHECK_H

#include <convoke/runtime.h>

/* One buffer: what was given, what is needed. Nothing is asked of it where `needed` is 0. */
typedef struct check_buffer {
    const void *data;
    uint64_t given, needed;
    uint32_t alignment; /* a power of two */
} check_buffer;

/* NULL, ABI version, CPU features. */
cvk_status check_kernel(const cvk_kernel_info *info);

/* NULL, size and alignment of each buffer; then that each of the last `written` overlaps no other. */
cvk_status check_buffers(const check_buffer *buffers, size_t n, size_t written);

#endif
