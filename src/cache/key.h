/* The key of a kernel in the caches: everything its code depends on, as text. */
#ifndef CVK_CACHE_KEY_H
#define CVK_CACHE_KEY_H

#include "spec/spec.h"
#include "target/goal.h"

/* Lines: the build of convoke with the LLVM it was built with and the ABI; the target, field by field, and the features
 * of this CPU; how the plan is chosen, for how many threads, and whether for a step of a network; the spec.
 * Arena-owned. */
const char *cache_key(arena *a, const cvk_spec *spec, goal aim, const char *effort);

#endif
