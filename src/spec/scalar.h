/* Scalars: numbers as a spec writes them, and what to say of those it does not. */
#ifndef CVK_SPEC_SCALAR_H
#define CVK_SPEC_SCALAR_H

#include "base/node.h"
#include "spec/words.h"
#include <stdint.h>

/* `0|-?[1-9][0-9]*`, unquoted. Past 64 bits the nearest number that fits. */
bool scalar_integer(const node *n, int64_t *value);
/* An integer, then perhaps a fraction, then perhaps an exponent; '.' whatever the locale; unquoted, and no larger than
 * f32 can hold. */
bool scalar_float(const node *n, double *value);

/* The spelling that was meant, if it can be told; of an integer only if that would be in range. */
hint_text integer_hint(const node *n, int64_t least, int64_t most);
hint_text float_hint(const node *n);

/* `"0x2"`, `the string "2"`, `a list`, `a mapping` or `nothing`. */
typedef struct description {
    char text[96];
} description;
description describe(const node *n);

#endif
