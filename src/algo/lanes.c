/* Lane l meets lane l ^ half: what commutes gives both the same. */
#include "algo/lanes.h"

void lanes_together(nest_builder *b, op_kind kind, register_ref of, register_ref spare) {
    const int lanes = b->nest->registers[of.array].lanes;
    int pattern[NEST_MOST_LANES];
    for (int half = lanes / 2; half > 0; half /= 2) {
        for (int l = 0; l < lanes; l++) pattern[l] = l ^ half;
        build_shuffle(b, spare, of, of, pattern);
        if (kind == OP_MAXIMUM)
            build_maximum(b, of, spare, NULL);
        else
            build_op(b, kind, of, of, spare);
    }
}
