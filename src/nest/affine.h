/* Affine expressions over the variables of a nest: constant + sum of coefficient * variable. Plain values. */
#ifndef CVK_NEST_AFFINE_H
#define CVK_NEST_AFFINE_H

#include "base/integers.h"

#include <stdbool.h>
#include <stdint.h>

enum { AFFINE_MOST_TERMS = 16 };

typedef struct affine {
    int64_t constant;
    int count;
    bool overflowed; /* a term found no place: the value is not known, and nest_check refuses it */
    struct {
        int variable;
        int64_t coefficient;
    } term[AFFINE_MOST_TERMS]; /* variables ascend; no coefficient is 0 */
} affine;

affine affine_constant(int64_t value);
affine affine_variable(int variable);
affine affine_add(affine a, affine b);
affine affine_sub(affine a, affine b);
affine affine_scale(affine a, int64_t factor);
affine affine_offset(affine a, int64_t constant);
/* a + factor * b, the shape of most addresses. */
affine affine_add_scaled(affine a, affine b, int64_t factor);
bool affine_is_constant(const affine *a);
bool affine_equal(const affine *a, const affine *b);
int64_t affine_coefficient(const affine *a, int variable); /* 0 where absent */
/* a with `variable` replaced by `by`. */
affine affine_substitute(affine a, int variable, affine by);
/* The value under values[variable]. */
int64_t affine_value(const affine *a, const int64_t *values);

#endif
