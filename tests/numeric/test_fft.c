/* Transforms of every size, there, multiplied and back: exactly the formula over the residues, in which roots of unity
 * are exact. */
#include "trial.h"

#include "layer.h"
#include "spec/words.h"

#include "judge/identity.h"

#include <criterion/criterion.h>
#include <string.h>

/* Whether there are such tiles; on the host, whose lanes they have to fill. */
static int expect_exact(const char *axes, const char *type, int d, int h, int w, int oc) {
    cvk_network *network;
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) cr_assert_fail("out of memory");
    const char *yaml = arena_format(
        &a,
        "{version: 1, layers: [{name: a, %s, dtype: %s, schedule: {algorithm: fft, lanes: columns, tile: {oc: %d, od: %d, "
        "oh: %d, ow: %d}, block: {oh: 1, ow: 1}, unroll: {ic: 1, kw: false}, order: [n, g, oc, od, oh, ow], tasks: 6, "
        "pack: {input_rows: 0}}}]}",
        axes, type, oc, d, h, w);
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "fft.yaml", NULL, &network), CVK_OK, "%s", yaml);
    const cvk_spec *s = cvk_network_layer(network, 0);
    const problem p = problem_of(s, 0);
    const int tried = !algo_refuse(&p, target_host(), layer_plan_part(s->schedule, 0));
    if (tried) {
        const layer_nests nests = layer_build(&a, s, (goal){.target = target_host()}, s->schedule, NULL);
        identity *exact = identity_new(s, NULL, 1, NULL);
        char words[IDENTITY_WORDS];
        cr_assert(exact);
        cr_expect_eq(identity_judge(exact, &nests.pack, &nests.run, NULL, words), CVK_OK);
        cr_expect_str_eq(words, "", "%s: %s", yaml, words);
        identity_free(exact);
    }
    cvk_network_free(network);
    arena_free(&a);
    return tried;
}

Test(fft, lines_of_every_size_are_transformed_exactly) {
    int tried = 0;
    for (int w = 8; w <= 1 << 12; w *= 2) {
        tried += expect_exact("input: [1, 1, 300], out_channels: 1, kernel_size: 5, padding: 2", "f32", 1, 1, w, 1);
        tried += expect_exact("input: [1, 1, 300], out_channels: 1, kernel_size: 5, padding: 2", "f64", 1, 1, w, 1);
    }
    expect_exact("input: [1, 1, 9000], out_channels: 1, kernel_size: 3", "f32", 1, 1, 1 << 14, 1);
    cr_expect_geq(tried, 8);
}

Test(fft, borders_of_a_number_are_transformed_exactly) {
    const char *const rows =
        "input: [1, 1, 300], out_channels: 1, kernel_size: 5, padding: [[3, 7]], padding_mode: {constant: 3}";
    int tried = 0;
    for (int w = 512; w <= 2048; w *= 2) tried += expect_exact(rows, "f32", 1, 1, w, 1);
    tried += expect_exact("input: [1, 2, 20, 40], out_channels: 2, kernel_size: [5, 4], padding: [[2, 3], [3, 0]], "
                          "padding_mode: {constant: -0.5}",
                          "f32", 1, 16, 64, 2);
    cr_expect_geq(tried, 3);
}

Test(fft, tiles_of_every_shape_are_transformed_exactly) {
    int tried = 0;
    for (int h = 4; h <= 64; h *= 2)
        for (int w = 8; w <= 256; w *= 2)
            tried += expect_exact("input: [1, 2, 20, 40], out_channels: 2, kernel_size: 4, padding: [2, 3]", "f32", 1,
                                  h, w, 2);
    for (int d = 4; d <= 8; d *= 2)
        for (int h = 4; h <= 16; h *= 2)
            tried +=
                expect_exact("input: [1, 1, 6, 9, 20], out_channels: 1, kernel_size: [2, 3, 4]", "f32", d, h, 32, 1);
    cr_expect_geq(tried, 16);
}

/* Along one axis, the other, and both. */
Test(fft, kernels_longer_than_half_a_tile_come_in_parts) {
    expect_exact("input: [1, 1, 700], out_channels: 1, kernel_size: 301, dilation: 2", "f32", 1, 1, 128, 1);
    expect_exact("input: [1, 2, 50, 60], out_channels: 2, kernel_size: [9, 33], padding: 3", "f32", 1, 8, 32, 1);
    expect_exact("input: [1, 1, 30, 30], out_channels: 1, kernel_size: [30, 3], padding: 3", "f32", 1, 8, 32, 1);
}
