/* The lines that CONVOKE_VERBOSE=1 asks for. */
#ifndef CVK_API_VERBOSE_H
#define CVK_API_VERBOSE_H

#include <convoke/runtime.h>

/* From the first call on, runs are printed too, if the environment asks. `source`: memory, disk or compiled. */
void verbose_compile(const cvk_kernel_info *info, const char *source, double seconds);
/* Why the cache on disk is not used for a layer. */
void verbose_cache(const char *name, const char *target, const char *why);

#endif
