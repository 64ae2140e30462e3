/* Products with weights that are known when compiling. */
#ifndef CVK_ALGO_KNOWN_PRODUCT_H
#define CVK_ALGO_KNOWN_PRODUCT_H

#include "nest/build.h"

/* to += w x, or = where nothing was added to it yet, which `fresh` says; `constant` holds w, where that is not 1 or -1.
 */
void known_add_product(nest_builder *b, register_ref to, bool *fresh, double w, register_ref constant, register_ref x);

#endif
