/* Transforms by constant matrices: a row at a time, or two at once where they share an even and an odd part. */
#include "algo/winograd/transform.h"

typedef struct network {
    nest_builder *b;
    const transform_registers *r;
    const ratio (*matrix)[COOK_TOOM_MOST];
    int columns;
    register_ref from, to;
    int64_t from_step, to_step;
} network;

static register_ref at(register_ref base, int64_t steps) {
    base.index = affine_offset(base.index, steps);
    return base;
}

static register_ref source(const network *n, int k) { return at(n->from, k * n->from_step); }
static register_ref target(const network *n, int i) { return at(n->to, i * n->to_step); }
static register_ref part(const network *n, int i) { return reg(n->r->parts, affine_constant(i)); }
static register_ref none(void) { return reg(-1, affine_constant(0)); }

transform_registers transform_declare(nest_builder *b, cvk_type type) {
    int lanes = nest_lanes(b->nest, type);
    return (transform_registers){nest_add_register(b, "part", type, lanes, 2),
                                 nest_add_register(b, "k", type, lanes, 1)};
}

static register_ref constant(const network *n, ratio value) {
    register_ref k = reg(n->r->constant, affine_constant(0));
    build_const_ratio(n->b, k, value.over, value.under);
    return k;
}

static bool is(ratio r, int64_t value) { return r.over == value && r.under == 1; }

/* A term to begin with: one with coefficient 1 costs nothing. */
static int first_term(const network *n, const ratio *coefficient) {
    int first = -1;
    for (int k = 0; k < n->columns; k++) {
        if (is(coefficient[k], 1)) return k;
        if (first < 0 && coefficient[k].over != 0) first = k;
    }
    return first;
}

static void add_term(const network *n, register_ref to, ratio coefficient, register_ref x) {
    if (is(coefficient, 1))
        build_op(n->b, OP_ADD, to, to, x);
    else if (is(coefficient, -1))
        build_op(n->b, OP_SUB, to, to, x);
    else
        build_fma(n->b, to, x, constant(n, coefficient), NULL);
}

static void combine(const network *n, const ratio *coefficient, register_ref to) {
    int first = first_term(n, coefficient);
    if (first < 0) {
        build_const(n->b, to, 0);
        return;
    }
    if (is(coefficient[first], 1))
        build_op(n->b, OP_COPY, to, source(n, first), none());
    else
        build_op(n->b, OP_MUL, to, source(n, first), constant(n, coefficient[first]));
    for (int k = 0; k < n->columns; k++)
        if (k != first && coefficient[k].over != 0) add_term(n, to, coefficient[k], source(n, k));
}

/* Whether two rows are even + odd and even - odd, with at least two terms to share. */
static bool split(const network *n, int i, int j, ratio *even, ratio *odd) {
    int evens = 0, odds = 0;
    for (int k = 0; k < COOK_TOOM_MOST; k++) even[k] = odd[k] = (ratio){0, 1};
    for (int k = 0; k < n->columns; k++) {
        ratio a = n->matrix[i][k], b = n->matrix[j][k];
        if (a.under != b.under || (a.over != b.over && a.over != -b.over)) return false;
        if (a.over == 0) continue;
        if (a.over == b.over)
            even[k] = a, evens++;
        else
            odd[k] = a, odds++;
    }
    return evens > 0 && odds > 0 && evens + odds > 2;
}

static int partner(const network *n, int i, int rows, const bool *done, ratio *even, ratio *odd) {
    for (int j = i + 1; j < rows; j++)
        if (!done[j] && split(n, i, j, even, odd)) return j;
    return -1;
}

void transform_apply(nest_builder *b, const transform_registers *r, const ratio (*matrix)[COOK_TOOM_MOST], int rows,
                     int columns, register_ref from, int64_t from_step, register_ref to, int64_t to_step) {
    network n = {b, r, matrix, columns, from, to, from_step, to_step};
    bool done[COOK_TOOM_MOST] = {false};
    for (int i = 0; i < rows; i++) {
        ratio even[COOK_TOOM_MOST], odd[COOK_TOOM_MOST];
        if (done[i]) continue;
        int j = partner(&n, i, rows, done, even, odd);
        if (j < 0) {
            combine(&n, matrix[i], target(&n, i));
            continue;
        }
        combine(&n, even, part(&n, 0));
        combine(&n, odd, part(&n, 1));
        build_op(b, OP_ADD, target(&n, i), part(&n, 0), part(&n, 1));
        build_op(b, OP_SUB, target(&n, j), part(&n, 0), part(&n, 1));
        done[j] = true;
    }
}
