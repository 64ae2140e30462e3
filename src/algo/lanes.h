/* What the lanes of a vector come to together. */
#ifndef CVK_ALGO_LANES_H
#define CVK_ALGO_LANES_H

#include "nest/build.h"

/* Every lane becomes the sum (OP_ADD) or the greatest (OP_MAXIMUM) of all, taken in halves, the same bits in each.
 * `spare` is lost. Of as many lanes as a vector has: a power of two. */
void lanes_together(nest_builder *b, op_kind kind, register_ref of, register_ref spare);

#endif
