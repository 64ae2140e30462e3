/* By 1 and -1 nothing is multiplied. */
#include "algo/known_product.h"

#include <math.h>

void known_add_product(nest_builder *b, register_ref to, bool *fresh, double w, register_ref constant, register_ref x) {
    if (fabs(w) == 1 && !*fresh)
        build_op(b, w > 0 ? OP_ADD : OP_SUB, to, to, x);
    else if (w == 1)
        build_op(b, OP_COPY, to, x, x);
    else if (*fresh)
        build_op(b, OP_MUL, to, x, constant);
    else
        build_fma(b, to, x, constant, NULL);
    *fresh = false;
}
