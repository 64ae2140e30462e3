/* Kernels: needs an object, gives a handle to what it exports. */
#include "jit/kernel.h"

#include <stdlib.h>

/* Whether the symbol found is wholly in the image, and describes code that may run here. */
static cvk_status check_info(const cvk_kernel *k, cvk_diagnostics *d) {
    uintptr_t base = (uintptr_t)k->image.base, at = (uintptr_t)k->info, offset = at - base;
    bool inside = offset <= k->image.size && sizeof *k->info <= k->image.size - offset;
    if (!inside || at % _Alignof(cvk_kernel_info) || k->info->struct_size != sizeof *k->info ||
        k->info->abi_version != CVK_ABI_VERSION || k->info->phases > CVK_MOST_PHASES) {
        diag_error(d, E_LOAD, (place){.file = ""}, NULL, "loading an object: its kernel's description is ill-formed");
        return CVK_ERROR_ABI;
    }
    return k->info->cpu_features & ~cvk_cpu_features() ? CVK_ERROR_CPU : CVK_OK;
}

cvk_status kernel_load(const unsigned char *object, size_t size, const char *symbol, cvk_diagnostics *d,
                       cvk_kernel **kernel) {
    *kernel = NULL;
    cvk_kernel *k = calloc(1, sizeof *k);
    if (!k) return CVK_ERROR_MEMORY;
    atomic_init(&k->references, 1);
    const void *address;
    cvk_status status = jit_load(object, size, symbol, d, &k->image, &address);
    if (!status) {
        k->info = address;
        status = check_info(k, d);
    }
    if (!status)
        *kernel = k;
    else
        cvk_kernel_free(k);
    return status;
}

const cvk_kernel_info *cvk_kernel_get_info(const cvk_kernel *kernel) { return kernel ? kernel->info : NULL; }

cvk_kernel *cvk_kernel_ref(cvk_kernel *kernel) {
    if (kernel) atomic_fetch_add_explicit(&kernel->references, 1, memory_order_relaxed);
    return kernel;
}

void cvk_kernel_free(cvk_kernel *kernel) {
    if (!kernel || atomic_fetch_sub_explicit(&kernel->references, 1, memory_order_acq_rel) != 1) return;
    jit_unload(&kernel->image);
    free(kernel);
}
