/* A kernel in this process: an object loaded, its info checked, shared by reference count. */
#ifndef CVK_JIT_KERNEL_H
#define CVK_JIT_KERNEL_H

#include "jit/load.h"

#include <stdatomic.h>

struct cvk_kernel {
    atomic_size_t references;
    jit_image image;
    const cvk_kernel_info *info; /* in the image */
};

/* A kernel with one reference. The bytes are copied and may be anything: what is not an object of this build for a
 * machine like this one is refused. */
cvk_status kernel_load(const unsigned char *object, size_t size, const char *symbol, cvk_diagnostics *d,
                       cvk_kernel **kernel);

#endif
