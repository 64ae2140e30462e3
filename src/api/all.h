/* Many layers compiled on the settings' threads: all of them or none. */
#ifndef CVK_API_ALL_H
#define CVK_API_ALL_H

#include "api/settings.h"

/* `kernels` has room for all, and is NULL in each. On failure, that of the first layer to fail, it is so again. */
cvk_status request_all(const cvk_spec *const *layers, size_t count, const settings *s, cvk_diagnostics *d,
                       cvk_kernel **kernels);

#endif
