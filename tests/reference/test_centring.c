/* Where kernels stand and what borders read, as other programs have it. The numbers are worked by hand, so that neither
 * those programs nor the interpreter are asked: of the signal 1 2 3 4 and the kernel 1 10, say, the whole convolution
 * is
 *
 *     1   2+10   3+20   4+30   40   =   1 12 23 34 40
 *
 * and each program's word says which four of the five `same` is. */
#include "judge/naive.h"

#include <convoke/convoke.h>

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 32 };

typedef struct worked {
    const char *who; /* the program's call */
    const char *keys;
    float x[MOST], w[MOST], y[MOST];
} worked;

/* Quotients are rounded. */
static bool agree(long double got, long double expected) {
    if (isnan(expected)) return isnan(got);
    return got == expected || fabsl(got - expected) <= 0x1p-60L * fabsl(expected);
}

static void is_as_worked(const worked *c) {
    char yaml[512];
    cvk_network *network;
    long double y[MOST];
    snprintf(yaml, sizeof yaml, "{version: 1, layers: [{name: a, out_channels: 1, %s}]}", c->keys);
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "worked", NULL, &network), CVK_OK, "%s", yaml);
    const cvk_spec *s = cvk_network_layer(network, 0);
    const int64_t count = naive_channel_size(s);
    cr_assert(count < MOST && c->y[count] == 0, "%s: %d outputs", c->who, (int)count);
    naive_run(s, &(naive_tensors){.input = c->x, .weights = c->w}, y, NULL);
    for (int64_t i = 0; i < count; i++)
        cr_expect(agree(y[i], c->y[i]), "%s: output %d is %Lg, not %g", c->who, (int)i, y[i], (double)c->y[i]);
    cvk_network_free(network);
}

#define FOUR "input: [1, 1, 4], kernel_size: 2, "
#define ALL(cases)                                                                                                     \
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) is_as_worked(&cases[i])

Test(centring, of_kernels_of_two_is_that_of_each_program) {
    static const worked cases[] = {
        {"scipy.signal.convolve(x, w), MATLAB's conv(x, w)",
         FOUR "padding: full, flip_kernel: true",
         {1, 2, 3, 4},
         {1, 10},
         {1, 12, 23, 34, 40}},
        /* Each output's product with the other end of the kernel: 10 1, 20 + 1 .. */
        {"scipy.signal.correlate(x, w)", FOUR "padding: full", {1, 2, 3, 4}, {1, 10}, {10, 21, 32, 43, 4}},
        /* From (5 - 4) / 2 = 0 on. */
        {"scipy.signal.convolve(x, w, 'same')",
         FOUR "padding: same_lower, flip_kernel: true",
         {1, 2, 3, 4},
         {1, 10},
         {1, 12, 23, 34}},
        /* From the kernel's element floor(2 / 2) + 1 = 2 on, that is from 12. */
        {"MATLAB's conv(x, w, 'same')",
         FOUR "padding: same, flip_kernel: true",
         {1, 2, 3, 4},
         {1, 10},
         {12, 23, 34, 40}},
        /* Tap 2 / 2 = 1 stands over the output, so that the first output is 10 1 and the first tap reads in front. */
        {"scipy.ndimage.correlate1d(x, w, mode='constant'), OpenCV's filter2D",
         FOUR "padding: same_lower",
         {1, 2, 3, 4},
         {1, 10},
         {10, 21, 32, 43}},
        /* The same tap of the turned kernel, 1, stands one to the left: even kernels have their origin moved. */
        {"scipy.ndimage.convolve1d(x, w, mode='constant')",
         FOUR "padding: same, flip_kernel: true",
         {1, 2, 3, 4},
         {1, 10},
         {12, 23, 34, 40}},
        /* Tap floor((2 + 1) / 2) = 1, counted from 1, stands over the output. */
        {"MATLAB's imfilter(x, w)", FOUR "padding: same", {1, 2, 3, 4}, {1, 10}, {21, 32, 43, 4}},
        {"scipy.signal.convolve(x, w, 'valid'), MATLAB's conv(x, w, 'valid')",
         FOUR "padding: valid, flip_kernel: true",
         {1, 2, 3, 4},
         {1, 10},
         {12, 23, 34}},
    };
    ALL(cases);
}

Test(centring, of_kernels_of_four_is_that_of_each_program) {
    /* The whole convolution of 1 2 3 with 1 10 100 1000 is 1, 2 + 10, 3 + 20 + 100, 30 + 200 + 1000, 300 + 2000, 3000.
     */
#define THREE "input: [1, 1, 3], kernel_size: 4, flip_kernel: true, "
    static const worked cases[] = {
        {"scipy.signal.convolve(x, w)",
         THREE "padding: full",
         {1, 2, 3},
         {1, 10, 100, 1000},
         {1, 12, 123, 1230, 2300, 3000}},
        /* From (6 - 3) / 2 = 1 on. */
        {"scipy.signal.convolve(x, w, 'same')",
         THREE "padding: same_lower",
         {1, 2, 3},
         {1, 10, 100, 1000},
         {12, 123, 1230}},
        /* From element floor(4 / 2) + 1 = 3 on. */
        {"MATLAB's conv(x, w, 'same')", THREE "padding: same", {1, 2, 3}, {1, 10, 100, 1000}, {123, 1230, 2300}},
    };
    ALL(cases);
}

Test(centring, of_a_kernel_of_two_by_two_is_that_of_each_program) {
    /* Of 1 2 / 3 4 with 1 10 / 100 1000. Whole: 1 12 20 / 103 1234 2040... : row by row,
     *   1                 2 + 10                   20
     *   3 + 100           4 + 30 + 200 + 1000      40 + 2000
     *   300               400 + 3000               4000 */
#define SQUARE "input: [1, 1, 2, 2], kernel_size: 2, flip_kernel: true, "
    static const worked cases[] = {
        {"scipy.signal.convolve2d(x, w), MATLAB's conv2(x, w)",
         SQUARE "padding: full",
         {1, 2, 3, 4},
         {1, 10, 100, 1000},
         {1, 12, 20, 103, 1234, 2040, 300, 3400, 4000}},
        {"scipy.signal.convolve2d(x, w, 'same')",
         SQUARE "padding: same_lower",
         {1, 2, 3, 4},
         {1, 10, 100, 1000},
         {1, 12, 103, 1234}},
        {"MATLAB's conv2(x, w, 'same')",
         SQUARE "padding: same",
         {1, 2, 3, 4},
         {1, 10, 100, 1000},
         {1234, 2040, 3400, 4000}},
    };
    ALL(cases);
}

Test(centring, borders_are_those_of_other_programs_by_our_words) {
    /* Sums of five around each of 1 2 3 4, so that the outputs are the border's reach of two, written out. */
#define FIVE "input: [1, 1, 4], kernel_size: 5, padding: same, padding_mode: "
    static const worked cases[] = {
        /* 0 0 | 1 2 3 4 | 0 0 */
        {"scipy's constant, MATLAB's 0", FIVE "zeros", {1, 2, 3, 4}, {1, 1, 1, 1, 1}, {6, 10, 10, 9}},
        /* 3 2 | 1 2 3 4 | 3 2 */
        {"scipy's mirror, numpy's reflect, OpenCV's BORDER_REFLECT_101",
         FIVE "reflect",
         {1, 2, 3, 4},
         {1, 1, 1, 1, 1},
         {11, 12, 13, 14}},
        /* 2 1 | 1 2 3 4 | 4 3 */
        {"scipy's reflect, numpy's symmetric, OpenCV's BORDER_REFLECT",
         FIVE "symmetric",
         {1, 2, 3, 4},
         {1, 1, 1, 1, 1},
         {9, 11, 14, 16}},
        /* 1 1 | 1 2 3 4 | 4 4 */
        {"scipy's nearest, numpy's edge, Astropy's extend",
         FIVE "replicate",
         {1, 2, 3, 4},
         {1, 1, 1, 1, 1},
         {8, 11, 14, 17}},
        /* 3 4 | 1 2 3 4 | 1 2 */
        {"scipy's wrap and grid-wrap", FIVE "circular", {1, 2, 3, 4}, {1, 1, 1, 1, 1}, {13, 14, 11, 12}},
        /* 0.5 0.5 | 1 2 3 4 | 0.5 0.5 */
        {"scipy's constant with cval=0.5, MATLAB's 0.5, Astropy's fill",
         FIVE "{constant: 0.5}",
         {1, 2, 3, 4},
         {1, 1, 1, 1, 1},
         {7, 10.5F, 10.5F, 10}},
    };
    ALL(cases);
}

/* Nine ones over 0 0 3 / 1 NaN 0 / 0 2 0, which Astropy's own tests have, too. Its kernel is normalised, so that its
 * results are a ninth of these: of the eight numbers that a window has, zeros of padding among them, the sum times 9/8.
 * In the first window they are 0 0 1 and five zeros beside, in the second 0 0 3 1 0, and so on. */
Test(centring, nan_is_left_out_as_astropy_does) {
#define NINE "input: [1, 1, 3, 3], kernel_size: 3, padding: same, nan: ignore"
#define ONES {1, 1, 1, 1, 1, 1, 1, 1, 1}
    static const worked cases[] = {
        {"Astropy's convolve, boundary='fill'",
         NINE,
         {0, 0, 3, 1, NAN, 0, 0, 2, 0},
         ONES,
         {1.125F, 4.5F, 3.375F, 3.375F, 6.75F, 5.625F, 3.375F, 3.375F, 2.25F}},
        /* All nine in every window: 6 9/8. */
        {"Astropy's convolve, boundary='wrap'",
         NINE ", padding_mode: circular",
         {0, 0, 3, 1, NAN, 0, 0, 2, 0},
         ONES,
         {6.75F, 6.75F, 6.75F, 6.75F, 6.75F, 6.75F, 6.75F, 6.75F, 6.75F}},
        /* The first window is 0 0 0 / 0 0 0 / 1 1 NaN, the last NaN 0 0 / 2 0 0 / 2 0 0. */
        {"Astropy's convolve, boundary='extend'",
         NINE ", padding_mode: replicate",
         {0, 0, 3, 1, NAN, 0, 0, 2, 0},
         ONES,
         {2.25F, 7.875F, 13.5F, 4.5F, 6.75F, 9, 6.75F, 5.625F, 4.5F}},
        /* One NaN among ones: eight of them times 9/8, five and three at edges and corners, whose zeros count. */
        {"Astropy's convolve, boundary='fill'",
         NINE,
         {1, 1, 1, 1, NAN, 1, 1, 1, 1},
         ONES,
         {3.375F, 5.625F, 3.375F, 5.625F, 9, 5.625F, 3.375F, 5.625F, 3.375F}},
        /* Nothing is left out: a convolution like any other. */
        {"Astropy's convolve", NINE, {1, 2, 3, 4, 5, 6, 7, 8, 9}, ONES, {12, 21, 16, 27, 45, 33, 24, 39, 28}},
    };
    ALL(cases);
}

Test(centring, weights_of_what_is_left_out_go_to_the_others) {
#define THREE_OF_FOUR "input: [1, 1, 4], kernel_size: 3, nan: ignore"
    static const worked cases[] = {
        /* (1 2 + 5 8) 8/6, and (2 8 + 5 1) 8/7. */
        {"weights 1 2 5 of 8, without one", THREE_OF_FOUR, {2, NAN, 8, 1}, {1, 2, 5}, {56, 24}},
        /* (1 1 + 2 1) 4/3. */
        {"infinity is a number", THREE_OF_FOUR, {INFINITY, 1, NAN, 1}, {1, 1, 2}, {INFINITY, 4}},
        {"nothing is left", THREE_OF_FOUR, {NAN, NAN, NAN, 6}, {1, 1, 1}, {NAN, 18}},
        /* -1 0 1 come to 0: there is nothing to scale up to. */
        {"weights whose sum is 0", THREE_OF_FOUR, {1, 2, 3, NAN}, {-1, 0, 1}, {NAN, 0}},
    };
    ALL(cases);
}
