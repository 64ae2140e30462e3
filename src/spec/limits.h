/* The limits of spec/limits.def as numbers, LIMIT_STRIDE and so on. (An enumeration of 64 bits is GNU C.) */
#ifndef CVK_SPEC_LIMITS_H
#define CVK_SPEC_LIMITS_H

#include "spec/spec.h"

enum {
#define LIMIT(name, most, about) LIMIT_##name = most,
#include "spec/limits.def"
#undef LIMIT
};

#endif
