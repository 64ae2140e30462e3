/* Borders: each mode's positions, case by case. */
#include "algo/border.h"

affine border_before(padding_mode mode, affine i, int64_t n) {
    if (mode == PAD_REFLECT) return affine_scale(i, -1);
    if (mode == PAD_SYMMETRIC) return affine_offset(affine_scale(i, -1), -1);
    if (mode == PAD_CIRCULAR) return affine_offset(i, n);
    return affine_constant(0);
}

affine border_after(padding_mode mode, affine i, int64_t n) {
    if (mode == PAD_REFLECT) return affine_offset(affine_scale(i, -1), 2 * n - 2);
    if (mode == PAD_SYMMETRIC) return affine_offset(affine_scale(i, -1), 2 * n - 1);
    if (mode == PAD_CIRCULAR) return affine_offset(i, -n);
    return affine_constant(n - 1);
}

bool border_is_constant(padding_mode mode) { return mode == PAD_ZEROS || mode == PAD_CONSTANT; }

int64_t border_source(padding_mode mode, int64_t i, int64_t n) {
    if (i >= 0 && i < n) return i;
    if (border_is_constant(mode)) return -1;
    return (i < 0 ? border_before : border_after)(mode, affine_constant(i), n).constant;
}

/* A case that holds nowhere is left out: if its positions are constants, no clipping of a loop shows the proof of
 * bounds that its copies never happen. */
static void add_case(nest_builder *b, border_case c, border_case *cases, int *count) {
    bool possible = nest_maximum(b->nest, b->scope, c.low) >= 0 && nest_maximum(b->nest, b->scope, c.high) >= 0;
    if (possible) cases[(*count)++] = c;
}

int border_cases_of(nest_builder *b, padding_mode mode, int64_t n, int64_t before, int64_t after, affine i,
                    border_case cases[BORDER_CASES]) {
    const bool nowhere = border_is_constant(mode);
    affine minus = affine_scale(i, -1);
    border_case inside = {i, affine_offset(minus, n - 1), i, false};
    border_case in_front = {affine_offset(i, before), affine_offset(minus, -1), border_before(mode, i, n), nowhere};
    border_case behind = {affine_offset(i, -n), affine_offset(minus, n - 1 + after), border_after(mode, i, n), nowhere};
    int count = 0;
    add_case(b, inside, cases, &count);
    if (before > 0) add_case(b, in_front, cases, &count);
    if (after > 0) add_case(b, behind, cases, &count);
    return count;
}

void border_open(nest_builder *b, affine low, affine high) {
    build_if(b, low, NULL);
    build_if(b, high, NULL);
}

void border_close(nest_builder *b) {
    build_end(b);
    build_end(b);
}
