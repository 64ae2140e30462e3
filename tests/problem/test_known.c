/* What is found of weights that are known. */
#include "problem/known.h"
#include "spec/spec.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

typedef struct known_layer_case {
    arena arena;
    cvk_network *network;
    problem p;
} known_layer_case;

static known_layer_case *open_case(const char *keys) {
    static known_layer_case c;
    arena_init(&c.arena);
    if (arena_guard(&c.arena)) cr_assert_fail("out of memory");
    const char *yaml = arena_format(&c.arena, "{version: 1, layers: [{name: a, %s}]}", keys);
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "known.yaml", NULL, &c.network), CVK_OK, "%s", yaml);
    c.p = problem_of(cvk_network_layer(c.network, 0), 0);
    return &c;
}

static void close_case(known_layer_case *c) {
    cvk_network_free(c->network);
    arena_free(&c->arena);
}

static void expect_words(const char *keys, const char *words) {
    known_layer_case *c = open_case(keys);
    text found = text_new(&c->arena);
    known_print(&c->p, &found);
    cr_expect_str_eq(found.bytes, words, "%s", keys);
    close_case(c);
}

#define IMAGE "input: [1, 1, 9, 9], out_channels: 1, kernel_size: 3, "

#define TWO_PRODUCTS "[[5, 4, 4, 4, 5], [4, 5, 8, 5, 4], [4, 8, 16, 8, 4], [4, 5, 8, 5, 4], [5, 4, 4, 4, 5]]"

Test(known, what_is_found_is_said) {
    expect_words(IMAGE "weights: {values: [[1, 0, -1], [2, 0, -2], [1, 0, -1]]}",
                 "6 of 9 taps, 1 product, symmetric rows, antisymmetric columns, a column by a row");
    expect_words(IMAGE "weights: {values: [[0, 1, 0], [1, -4, 1], [0, 1, 0]]}",
                 "5 of 9 taps, 1 product, symmetric rows, symmetric columns");
    expect_words(IMAGE "weights: {values: [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}", "9 of 9 taps, 8 products");
    expect_words("input: [1, 1, 9, 9], out_channels: 1, kernel_size: 5, weights: {values: " TWO_PRODUCTS "}",
                 "25 of 25 taps, 4 products, symmetric rows, symmetric columns, 2 columns by rows");
    expect_words("input: [1, 2, 9], out_channels: 2, groups: 2, kernel_size: 3, weights: {values: [1, 1, 1]}",
                 "6 of 6 taps, 0 products, symmetric columns");
}

#define DIFFERENCE                                                                                                     \
    "[[-0.00194872327, -0.00516532902, -0.00919713907, -0.0110834199, -0.00919713907, "                                \
    "-0.00516532902, -0.00194872327], [-0.00516532902, -0.0132611448, -0.0196861171, -0.019087397, "                   \
    "-0.0196861171, -0.0132611448, -0.00516532902], [-0.00919713907, -0.0196861171, 0.00776862483, "                   \
    "0.0599285873, 0.00776862483, -0.0196861171, -0.00919713907], [-0.0110834199, -0.019087397, "                      \
    "0.0599285873, 0.183122573, 0.0599285873, -0.019087397, -0.0110834199], [-0.00919713907, "                         \
    "-0.0196861171, 0.00776862483, 0.0599285873, 0.00776862483, -0.0196861171, -0.00919713907], "                      \
    "[-0.00516532902, -0.0132611448, -0.0196861171, -0.019087397, -0.0196861171, -0.0132611448, "                      \
    "-0.00516532902], [-0.00194872327, -0.00516532902, -0.00919713907, -0.0110834199, "                                \
    "-0.00919713907, -0.00516532902, -0.00194872327]]"

static bool separates(const char *keys, known_factors *f) {
    known_layer_case *c = open_case(keys);
    const bool found = known_separate(&c->p, &c->arena, f);
    close_case(c);
    return found;
}

Test(known, products_of_a_column_and_a_row_are_found) {
    known_factors f;
    cr_expect(separates(IMAGE "weights: {values: [[1, 2, 1], [2, 4, 2], [1, 2, 1]], scale: 0.0625}", &f));
    cr_expect(f.exact, "of powers of two nothing is rounded");
    cr_expect(separates(IMAGE "weights: {values: [[0.09, 0.12, 0.09], [0.12, 0.16, 0.12], [0.09, 0.12, 0.09]]}", &f));
    cr_expect_not(f.exact, "of tenths something is");
    cr_expect(separates(IMAGE "weights: {values: [[0, 0, 0], [0, 5, 0], [0, 0, 0]]}", &f));
}

Test(known, sums_of_few_products_are_found) {
    known_factors f;
    cr_expect(
        separates("input: [1, 1, 9, 9], out_channels: 1, kernel_size: 5, weights: {values: " TWO_PRODUCTS "}", &f));
    cr_expect(f.terms == 2 && f.exact, "%d", f.terms);
    cr_expect(separates("input: [1, 1, 9, 9], out_channels: 1, kernel_size: 7, weights: {values: " DIFFERENCE "}", &f));
    cr_expect(f.terms == 2 && !f.exact && f.share < 4 && f.growth < 1.5, "%d, %g, %g", f.terms, f.share, f.growth);
    cr_expect_not(separates(IMAGE "weights: {values: [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}", &f),
                  "two products are more than its taps");
}

Test(known, what_is_only_nearly_one_is_none) {
    known_factors f;
    cr_expect_not(separates(IMAGE "weights: {values: [[1, 2, 1], [2, 4.00001, 2], [1, 2, 1]]}", &f));
    cr_expect_not(separates(IMAGE "weights: {values: [[0, 1, 0], [1, -4, 1], [0, 1, 0]]}", &f));
    cr_expect_not(separates(IMAGE "weights: {values: [[0, 0, 0], [0, 0, 0], [0, 0, 0]]}", &f),
                  "nothing is to be summed");
    cr_expect_not(separates("input: [1, 1, 9], out_channels: 1, kernel_size: 3, weights: {values: [1, 2, 1]}", &f),
                  "of one axis");
}

Test(known, quotients_are_exact_or_none) {
    double q;
    cr_expect(known_quotient(TYPE_F32, 3, 0.125, &q) && q == 24);
    cr_expect(known_quotient(TYPE_F32, -1, 1, &q) && q == -1);
    cr_expect_not(known_quotient(TYPE_F32, 1, 3, &q));
    cr_expect_not(known_quotient(TYPE_F32, 0x1p-100, 1, &q), "too far from what is multiplied");
    cr_expect(known_quotient(TYPE_S32, 6, 3, &q) && q == 2);
    cr_expect_not(known_quotient(TYPE_S32, 5, 3, &q));
}
