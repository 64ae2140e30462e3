/* Affine expressions: sums kept sorted by variable, so that equal expressions are equal bytes. */
#include "nest/affine.h"

affine affine_constant(int64_t value) { return (affine){.constant = value}; }

affine affine_variable(int variable) {
    affine a = {.count = 1};
    a.term[0].variable = variable;
    a.term[0].coefficient = 1;
    return a;
}

static void append(affine *a, int variable, int64_t coefficient) {
    if (coefficient == 0) return;
    if (a->count == AFFINE_MOST_TERMS) {
        a->overflowed = true;
        return;
    }
    a->term[a->count].variable = variable;
    a->term[a->count++].coefficient = coefficient;
}

affine affine_add_scaled(affine a, affine b, int64_t factor) {
    affine sum = {.constant = a.constant + factor * b.constant, .overflowed = a.overflowed || b.overflowed};
    int i = 0, j = 0;
    while (i < a.count || j < b.count) {
        int va = i < a.count ? a.term[i].variable : INT32_MAX;
        int vb = j < b.count ? b.term[j].variable : INT32_MAX;
        int64_t c = 0;
        if (va <= vb) c += a.term[i++].coefficient;
        if (vb <= va) c += factor * b.term[j++].coefficient;
        append(&sum, va < vb ? va : vb, c);
    }
    return sum;
}

affine affine_add(affine a, affine b) { return affine_add_scaled(a, b, 1); }
affine affine_sub(affine a, affine b) { return affine_add_scaled(a, b, -1); }
affine affine_scale(affine a, int64_t factor) { return affine_add_scaled(affine_constant(0), a, factor); }

affine affine_offset(affine a, int64_t constant) {
    a.constant += constant;
    return a;
}

bool affine_is_constant(const affine *a) { return a->count == 0 && !a->overflowed; }

bool affine_equal(const affine *a, const affine *b) {
    if (a->constant != b->constant || a->count != b->count || a->overflowed || b->overflowed) return false;
    for (int i = 0; i < a->count; i++)
        if (a->term[i].variable != b->term[i].variable || a->term[i].coefficient != b->term[i].coefficient)
            return false;
    return true;
}

int64_t affine_coefficient(const affine *a, int variable) {
    for (int i = 0; i < a->count; i++)
        if (a->term[i].variable == variable) return a->term[i].coefficient;
    return 0;
}

affine affine_substitute(affine a, int variable, affine by) {
    int64_t c = affine_coefficient(&a, variable);
    if (c == 0) return a;
    return affine_add_scaled(affine_add_scaled(a, affine_variable(variable), -c), by, c);
}

int64_t affine_value(const affine *a, const int64_t *values) {
    int64_t value = a->constant;
    for (int i = 0; i < a->count; i++) value += a->term[i].coefficient * values[a->term[i].variable];
    return value;
}
