/* Is the exact judge right: residues against arithmetic of 128 bits, and the formula over them against the naive
 * interpreter where both are exact? That it catches what is wrong is for the mutants to show (tests/numeric). */
#include "judge/formula.h"
#include "judge/naive.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 wide;

static uint64_t state = 1;

static uint64_t bits(void) {
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    return (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
}

static int64_t draw(int64_t low, int64_t high) { return low + (int64_t)((bits() >> 33) % (uint64_t)(high - low + 1)); }

static const residue CORNERS[] = {0,
                                  1,
                                  2,
                                  UINT32_MAX,
                                  UINT64_C(1) << 32,
                                  (UINT64_C(1) << 60) - 1,
                                  UINT64_C(1) << 60,
                                  RESIDUE_PRIME - UINT32_MAX,
                                  RESIDUE_PRIME - 2,
                                  RESIDUE_PRIME - 1};
enum { CORNER_COUNT = sizeof CORNERS / sizeof *CORNERS };

static void expect_arithmetic(residue a, residue b, residue c) {
    cr_assert_eq(residue_fma(a, b, c), (uint64_t)(((wide)a * b + c) % RESIDUE_PRIME));
    cr_assert_eq(residue_add(a, b), (uint64_t)(((wide)a + b) % RESIDUE_PRIME));
    cr_assert_eq(residue_sub(a, b), (uint64_t)(((wide)a + RESIDUE_PRIME - b) % RESIDUE_PRIME));
}

Test(exact, residues_are_integers_modulo_the_prime) {
    for (int i = 0; i < CORNER_COUNT; i++)
        for (int j = 0; j < CORNER_COUNT; j++)
            for (int k = 0; k < CORNER_COUNT; k++) expect_arithmetic(CORNERS[i], CORNERS[j], CORNERS[k]);
    for (int i = 0; i < 100000; i++)
        expect_arithmetic(bits() % RESIDUE_PRIME, bits() % RESIDUE_PRIME, bits() % RESIDUE_PRIME);
    for (int i = 0; i < CORNER_COUNT; i++)
        cr_expect_eq(residue_mul(CORNERS[i], residue_inverse(CORNERS[i])), CORNERS[i] != 0);
}

Test(exact, numbers_are_what_they_are_as_residues) {
    residue half = residue_inverse(2), third = residue_inverse(3);
    cr_expect_eq(residue_of_double(0.5), half);
    cr_expect_eq(residue_of_double(-1.5), residue_sub(0, residue_mul(3, half)));
    cr_expect_eq(residue_of_double(0x1p-149), residue_inverse(residue_of_double(0x1p149)));
    cr_expect_eq(residue_of_integer(-7), RESIDUE_PRIME - 7);
    cr_expect_neq(residue_of_double(1.0 / 3), third, "a rounded third is no third");
    for (int i = 0; i < 10000; i++) {
        int64_t a = draw(-1000000, 1000000), b = draw(-1000000, 1000000);
        cr_assert_eq(residue_of_double((double)a * (double)b),
                     residue_mul(residue_of_integer(a), residue_of_integer(b)));
    }
}

Test(exact, uninterpreted_functions_tell_their_arguments_apart) {
    uint64_t max = residue_symbol("max"), min = residue_symbol("min");
    cr_expect_eq(residue_apply_commutative(max, 3, 4), residue_apply_commutative(max, 4, 3));
    cr_expect_neq(residue_apply_commutative(max, 3, 4), residue_apply_commutative(min, 3, 4));
    cr_expect_neq(residue_apply(max, 3, 4, 0), residue_apply(max, 4, 3, 0));
    cr_expect_neq(residue_apply_commutative(max, 0, residue_apply_commutative(max, 0, 5)),
                  residue_apply_commutative(max, 0, 5));
}

/* ---- the formula ---- */

static cvk_spec random_spec(void) {
    cvk_spec s = {.name = "layer", .rank = 3, .batch = draw(1, 2), .groups = draw(1, 3)};
    s.in_channels = s.groups * draw(1, 40), s.out_channels = s.groups * draw(1, 3);
    s.padding = (padding_mode)draw(PAD_ZEROS, PAD_CONSTANT);
    if (s.padding == PAD_CONSTANT) s.padding_constant = (double)draw(-9, 9) / 4;
    for (int a = 0; a < AXES; a++) {
        s.kernel[a] = draw(1, 3), s.stride[a] = draw(1, 3), s.dilation[a] = draw(1, 2);
        s.in_size[a] = draw((s.kernel[a] - 1) * s.dilation[a] + 1, 8);
        int64_t most = s.in_size[a] - 1 < 3 ? s.in_size[a] - 1 : 3;
        s.pad_before[a] = draw(0, most), s.pad_after[a] = draw(0, most);
    }
    s.bias = draw(0, 1), s.flip_kernel = draw(0, 1);
    if (draw(0, 1)) s.post[s.post_count++].kind = POST_ADD;
    if (draw(0, 1)) s.post[s.post_count++].kind = POST_SCALE;
    return s;
}

static int64_t volume(const int64_t *size) { return size[0] * size[1] * size[2]; }

/* Small integers, as floats in the order of one judge and as residues in that of the other. */
typedef struct both {
    float *floats;
    residue *residues;
} both;

/* `outer` arrays of `channels` of `inner` numbers; the residues have the channels innermost if `last`. */
static both draw_both(int64_t outer, int64_t channels, int64_t inner, bool last) {
    int64_t count = outer * channels * inner;
    both b = {malloc(sizeof(float) * (size_t)(count + 1)), malloc(sizeof(residue) * (size_t)(count + 1))};
    for (int64_t i = 0; i < count; i++) {
        int64_t value = draw(-9, 9), o = i / inner / channels, c = i / inner % channels, p = i % inner;
        b.floats[i] = (float)value;
        b.residues[last ? (o * inner + p) * channels + c : i] = residue_of_integer(value);
    }
    return b;
}

static void free_both(both b) {
    free(b.floats);
    free(b.residues);
}

static void expect_naive(const cvk_spec *s, int number) {
    int64_t outputs = s->batch * s->out_channels * volume(s->out_size);
    both x = draw_both(s->batch, s->in_channels, volume(s->in_size), true), b = draw_both(1, s->out_channels, 1, false);
    both w = draw_both(s->out_channels, s->in_channels / s->groups, volume(s->kernel), true);
    both scale = draw_both(1, s->out_channels, 1, false), addend = draw_both(1, 1, outputs, false);
    long double *expected = malloc(sizeof *expected * (size_t)outputs);
    residue *got = malloc(sizeof *got * (size_t)outputs);
    naive_run(
        s,
        &(naive_tensors){
            .input = x.floats, .weights = w.floats, .bias = b.floats, .scale = scale.floats, .addend = addend.floats},
        expected, NULL);
    formula *f = formula_new(
        s, &(formula_tensors){x.residues, w.residues, b.residues, scale.residues, addend.residues, NULL, NULL});
    formula_range(f, 0, s->batch * s->out_channels, got);
    for (int64_t i = 0; i < outputs; i++)
        cr_assert_eq(got[i], residue_of_double((double)expected[i]), "layer %d, output %lld", number, (long long)i);
    formula_free(f);
    free(expected);
    free(got);
    free_both(x), free_both(w), free_both(b), free_both(scale), free_both(addend);
}

Test(exact, the_formula_agrees_with_the_naive_interpreter_on_integers) {
    for (int number = 1; number <= 300; number++) {
        state = (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15);
        cvk_spec s = random_spec();
        if (spec_finish(&s, NULL) == CVK_OK) expect_naive(&s, number);
    }
}
