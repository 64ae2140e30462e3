/* One layer to be compiled, by settings already read: what all public ways to compile come down to. */
#ifndef CVK_API_REQUEST_H
#define CVK_API_REQUEST_H

#include "api/settings.h"

/* From memory, from disk, or from the start. */
cvk_status request_kernel(const cvk_spec *spec, const settings *s, cvk_diagnostics *d, cvk_kernel **kernel);

#endif
