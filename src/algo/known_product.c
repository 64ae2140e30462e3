/* By 1 and -1 nothing is multiplied, and by one magnitude once. */
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

/* Whether number k has the magnitude of number `of`, and is there. */
static bool shares(const known_sum *s, int64_t k, int64_t of) {
    return s->present[k] && fabs(s->weight[k]) == fabs(s->weight[of]);
}

static bool is_first(const known_sum *s, int64_t of) {
    for (int64_t k = 0; k < of; k++)
        if (shares(s, k, of)) return false;
    return true;
}

static register_ref at(const known_sum *s, int64_t k) {
    return reg(s->x.array, affine_offset(s->x.index, k * s->step));
}

/* The inputs of one magnitude, with the signs of their weights but for that of the first. */
static register_ref add_group(nest_builder *b, const known_sum *s, int64_t first) {
    register_ref so_far = at(s, first);
    for (int64_t k = first + 1; k < s->count; k++) {
        if (!shares(s, k, first)) continue;
        build_op(b, s->weight[k] == s->weight[first] ? OP_ADD : OP_SUB, s->group, so_far, at(s, k));
        so_far = s->group;
    }
    return so_far;
}

void known_add_sum(nest_builder *b, const known_sum *s, register_ref to, bool *fresh) {
    for (int64_t k = 0; k < s->count; k++) {
        const double w = s->weight[k];
        if (w == 0 || !s->present[k] || !is_first(s, k)) continue;
        const register_ref x = add_group(b, s, k);
        build_const(b, s->constant, w);
        known_add_product(b, to, fresh, w, s->constant, x);
    }
}
