/* cvk_compile: one layer, now. */
#include "api/request.h"

cvk_status cvk_compile(const cvk_spec *spec, const cvk_options *options, cvk_diagnostics *diagnostics,
                       cvk_kernel **kernel) {
    if (!kernel) return CVK_ERROR_ARGUMENT;
    *kernel = NULL;
    if (!spec) return CVK_ERROR_ARGUMENT;
    settings s;
    cvk_status status = settings_read(options, diagnostics, &s);
    if (!status) status = request_kernel(spec, &s, diagnostics, kernel);
    settings_free(&s);
    return status;
}
