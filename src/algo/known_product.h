/* Products with weights that are known when compiling. */
#ifndef CVK_ALGO_KNOWN_PRODUCT_H
#define CVK_ALGO_KNOWN_PRODUCT_H

#include "nest/build.h"

/* to += w x, or = where nothing was added to it yet, which `fresh` says; `constant` holds w, where that is not 1 or -1.
 */
void known_add_product(nest_builder *b, register_ref to, bool *fresh, double w, register_ref constant, register_ref x);

/* Products of so many weights with registers, `step` after `step` from `x` on; those that are absent count as none. */
typedef struct known_sum {
    const double *weight;
    const bool *present;
    int64_t count;
    register_ref x;
    int64_t step;
    register_ref group, constant; /* its own */
} known_sum;

/* to += the sum of w x, those of one magnitude added before they are multiplied. */
void known_add_sum(nest_builder *b, const known_sum *s, register_ref to, bool *fresh);

#endif
