/* A line at a time, whatever the vectors. */
#include "algo/ahead.h"

#include "algo/cost.h"

enum { AHEAD_BYTES = 8192 };

static bool come_from_afar(const nest_tensor *weights, const cvk_target *target) {
    return weights->elements * type_bytes(weights->type) > target->l2_bytes / 2;
}

void ahead_ask(nest_builder *b, const cvk_target *target, int tensor, affine at, int64_t elements) {
    const nest_tensor *weights = &b->nest->tensors[tensor];
    const int64_t bytes = type_bytes(weights->type), of_line = LINE_BYTES / bytes;
    if (!come_from_afar(weights, target)) return;
    affine line = build_unrolled(b, "line", ceil_div(elements, of_line));
    build_prefetch(b, access_at(tensor, affine_offset(affine_add_scaled(at, line, of_line), AHEAD_BYTES / bytes), 1));
    build_end(b);
}
