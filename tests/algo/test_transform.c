/* A matrix of Winograd's applied to registers is the product of matrix and vector: over residues, where equal is equal.
 */
#include "algo/winograd/transform.h"
#include "judge/nest_eval.h"
#include "judge/residue.h"

#include <criterion/criterion.h>

enum { LANES = 4, ELEMENTS = LANES * COOK_TOOM_MOST };

typedef const ratio (*matrix)[COOK_TOOM_MOST];

static residue entry(ratio r) {
    return residue_mul(residue_of_integer(r.over), residue_inverse(residue_of_integer(r.under)));
}

/* output[i] = sum over k of m[i][k] input[k], a vector each. */
static const nest *build(arena *a, matrix m, int rows, int columns, int step) {
    nest_builder b = nest_begin(a, "transform", ENTRY_TASKS, 4 * LANES);
    int input = nest_add_tensor(&b, "input", ROLE_INPUT, TYPE_F32, ELEMENTS, 4, false);
    int output = nest_add_tensor(&b, "output", ROLE_OUTPUT, TYPE_F32, ELEMENTS, 4, true);
    int from = nest_add_register(&b, "from", TYPE_F32, LANES, COOK_TOOM_MOST * step);
    int to = nest_add_register(&b, "to", TYPE_F32, LANES, COOK_TOOM_MOST * step);
    transform_registers r = transform_declare(&b, TYPE_F32);
    for (int k = 0; k < columns; k++)
        build_load(&b, reg(from, affine_constant(k * step)), access_at(input, affine_constant(k * LANES), 1), NULL);
    transform_apply(&b, &r, m, rows, columns, reg(from, affine_constant(0)), step, reg(to, affine_constant(0)), step);
    for (int i = 0; i < rows; i++)
        build_store(&b, access_at(output, affine_constant(i * LANES), 1), reg(to, affine_constant(i * step)), NULL);
    return nest_finish(&b);
}

static void applies(const cook_toom *f, const char *name, matrix m, int rows, int columns, int step) {
    residue x[ELEMENTS], y[ELEMENTS];
    void *tensors[ROLE_COUNT] = {[ROLE_INPUT] = x, [ROLE_OUTPUT] = y};
    for (int i = 0; i < ELEMENTS; i++) x[i] = residue_symbol("input") / 3 + (residue)(i * i + 1);
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a), "out of memory");
    cr_assert_eq(nest_eval(build(&a, m, rows, columns, step), tensors, 0, 1, EVAL_RESIDUES), CVK_OK, "%s of F(%d, %d)",
                 name, f->m, f->r);
    for (int i = 0; i < rows; i++)
        for (int lane = 0; lane < LANES; lane++) {
            residue sum = 0;
            for (int k = 0; k < columns; k++) sum = residue_fma(entry(m[i][k]), x[k * LANES + lane], sum);
            cr_expect_eq(y[i * LANES + lane], sum, "%s of F(%d, %d), row %d", name, f->m, f->r, i);
        }
    arena_free(&a);
}

Test(transform, every_matrix_applied_is_the_product) {
    for (int m = 1; m <= 8; m++)
        for (int r = 1; m + r - 1 <= 9; r++)
            for (int step = 1; step <= 3; step += 2) {
                cook_toom f;
                cr_assert(cook_toom_make(m, r, &f), "F(%d, %d)", m, r);
                applies(&f, "A'", f.a, f.m, f.alpha, step);
                applies(&f, "G", f.g, f.alpha, f.r, step);
                applies(&f, "B'", f.b, f.alpha, f.alpha, step);
            }
}
