/* What becomes of layers that are done to each value by itself. */
#include "network/steps.h"

#include <convoke/convoke.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void use_no_disk(void) { setenv("CONVOKE_CACHE", "off", 1); }
TestSuite(fuse, .init = use_no_disk);

static const char HEAD[] = "version: 1\n"
                           "inputs: {x: [2, 6, 9, 8], s: [2, 8, 1, 1]}\n"
                           "outputs: [%s]\n"
                           "defaults: {kind: identity}\n"
                           "layers:\n"
                           "- {name: conv, kind: convolution, input: x, out_channels: 8, kernel_size: 3, padding: 1}\n"
                           "- {name: used, input: conv, post_ops: [{gate: s}]}\n";

static cvk_network *read_net(const char *outputs, const char *layers) {
    char yaml[4000];
    int at = snprintf(yaml, sizeof yaml, HEAD, outputs);
    snprintf(yaml + at, sizeof yaml - (size_t)at, "%s", layers);
    cvk_network *net = NULL;
    cvk_diagnostics *d = cvk_diagnostics_new();
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "net.yaml", d, &net), CVK_OK, "%s",
                 cvk_diagnostics_count(d) ? cvk_diagnostics_get(d, 0)->message : "");
    cvk_diagnostics_free(d);
    return net;
}

/* Adds what is to be said of a step to the words. */
typedef void say_step(const network_step *s, char *words, size_t room);

static void say(char *words, size_t room, const char *joint, const char *name) {
    const size_t length = strlen(words);
    snprintf(words + length, room - length, "%s%s", length ? joint : "", name);
}

/* Each with the layers that are in it: "conv used, side sum". Copies are left out. */
static void say_layers(const network_step *s, char *words, size_t room) {
    for (int k = 0; k < s->parts.count; k++) say(words, room, k ? " " : ", ", s->parts.layer[k]->name);
}

/* With their copies. */
static void say_name(const network_step *s, char *words, size_t room) { say(words, room, ", ", s->spec->name); }

static void expect_said(say_step *one, int64_t near, const char *outputs, const char *layers, const char *expected) {
    char words[1000] = "";
    cvk_network *net = read_net(outputs, layers);
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    const network_steps *n = network_of(&a, net, near);
    for (int i = 0; i < n->step_count; i++) one(&n->step[i], words, sizeof words);
    cr_expect_str_eq(words, expected);
    arena_free(&a);
    cvk_network_free(net);
}

static void expect_steps_near(int64_t near, const char *outputs, const char *layers, const char *expected) {
    expect_said(say_layers, near, outputs, layers, expected);
}

static void expect_steps(const char *outputs, const char *layers, const char *expected) {
    expect_steps_near(INT64_MAX, outputs, layers, expected);
}

Test(fuse, goes_into_the_layer_that_it_alone_reads_and_so_does_the_next) {
    expect_steps("y",
                 "- {name: norm, input: used, post_ops: [{scale: per_channel}, {shift: per_channel}]}\n"
                 "- {name: y, input: norm, post_ops: [silu]}\n",
                 "conv used norm y");
}

Test(fuse, what_another_reads_or_is_put_out_is_kept) {
    expect_steps("y, used", "- {name: y, input: used, post_ops: [relu]}\n", "conv used, y");
    expect_steps("y, z", "- {name: y, input: used, post_ops: [relu]}\n- {name: z, input: used, post_ops: [tanh]}\n",
                 "conv used, y, z");
}

Test(fuse, what_comes_in_has_nothing_that_could_take_it) {
    expect_steps("used, y", "- {name: y, input: x, post_ops: [relu]}\n", "conv used, y");
}

Test(fuse, of_a_sum_either_side_may_be_what_the_other_is_added_to) {
    static const char SIDE[] = "- {name: side, kind: convolution, input: x, out_channels: 8, kernel_size: 1}\n"
                               "- {name: y, input: used, post_ops: [{%s}]}\n";
    char layers[400];
    snprintf(layers, sizeof layers, SIDE, "add: side");
    expect_steps("y", layers, "side, conv used y");
    expect_steps("y, used", layers, "conv used, side y");
    snprintf(layers, sizeof layers, SIDE, "multiply: side");
    expect_steps("y, used", layers, "conv used, side y");
    snprintf(layers, sizeof layers, SIDE, "blend: [0.25, side]");
    expect_steps("y, used", layers, "conv used, side, y");
}

Test(fuse, a_second_tensor_is_not_copied_for_it) {
    expect_steps("y",
                 "- {name: a, kind: convolution, input: x, out_channels: 8, kernel_size: 1}\n"
                 "- {name: b, kind: convolution, input: x, out_channels: 8, kernel_size: 1}\n"
                 "- {name: both, input: used, post_ops: [{add: a}]}\n"
                 "- {name: y, input: both, post_ops: [{multiply: b}]}\n",
                 "a, conv used both, b y");
}

Test(fuse, a_type_or_a_plan_of_its_own_is_kept) {
    expect_steps("y", "- {name: y, input: used, dtype: {input: f32, weights: f32, output: f16}}\n", "conv used, y");
    expect_steps("y", "- {name: y, input: used, algorithm: depthwise, post_ops: [relu]}\n", "conv used, y");
}

Test(fuse, no_more_than_a_layer_has_room_for) {
    char layers[2000] = "- {name: y0, input: used}\n", name[] = "y16";
    for (int i = 1; i <= MOST_POST_OPS; i++)
        snprintf(layers + strlen(layers), sizeof layers - strlen(layers),
                 "- {name: y%d, input: y%d, post_ops: [relu]}\n", i, i - 1);
    expect_steps(name, layers, "conv used y0 y1 y2 y3 y4 y5 y6 y7 y8 y9 y10 y11 y12 y13 y14 y15, y16");
}

/* Behind `used`, which is no light layer: a bottleneck, and what it feeds. */
#define BOTTLENECK                                                                                                     \
    "- {name: expand, kind: convolution, input: used, out_channels: 24, kernel_size: 1, post_ops: [relu]}\n"           \
    "- {name: deep, kind: convolution, input: expand, out_channels: 24, kernel_size: 3, padding: 1, groups: "          \
    "depthwise}\n"                                                                                                     \
    "- {name: project, kind: convolution, input: deep, out_channels: 8, kernel_size: 1}\n"                             \
    "- {name: sum, input: project, post_ops: [{add: used}]}\n"

Test(fuse, light_layers_are_chained_where_what_is_between_them_is_not_near) {
    expect_steps_near(0, "sum", BOTTLENECK, "conv used, expand deep project sum");
    expect_steps_near(2 * 2 * 24 * 9 * 8 * 4 - 1, "sum", BOTTLENECK, "conv used, expand deep project sum");
    expect_steps_near(2 * 2 * 24 * 9 * 8 * 4, "sum", BOTTLENECK, "conv used, expand, deep, project sum");
    expect_steps_near(0, "sum, deep", BOTTLENECK, "conv used, expand deep, project sum");
}

Test(fuse, a_chain_is_of_three_layers_and_none_of_them_is_dense_with_a_window) {
    expect_steps_near(0, "y",
                      BOTTLENECK "- {name: next, kind: convolution, input: sum, out_channels: 8, kernel_size: 1}\n"
                                 "- {name: p, kind: max_pool, input: next, kernel_size: 2}\n"
                                 "- {name: y, kind: convolution, input: p, out_channels: 3, kernel_size: 3}\n",
                      "conv used, expand deep project sum, next p, y");
}

/* Two bottlenecks that differ in their names alone. */
Test(fuse, chains_that_are_alike_have_one_kernel) {
    cvk_network *net = read_net("again", BOTTLENECK
                                "- {name: expand2, kind: convolution, input: sum, out_channels: 24, kernel_size: 1, "
                                "post_ops: [relu]}\n"
                                "- {name: deep2, kind: convolution, input: expand2, out_channels: 24, kernel_size: 3, "
                                "padding: 1, groups: depthwise}\n"
                                "- {name: project2, kind: convolution, input: deep2, out_channels: 8, kernel_size: 1}\n"
                                "- {name: again, input: project2, layout: channels_last, post_ops: [{add: sum}]}\n");
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    const network_steps *n = network_of(&a, net, 0);
    const network_kernels k = network_kernels_of(&a, n);
    cr_expect_eq(n->step_count, 3);
    cr_expect_eq(k.count, 2);
    cr_expect_eq(k.of[1], k.of[2]);
    arena_free(&a);
    cvk_network_free(net);
}

Test(fuse, what_lies_beside_others_is_in_no_chain) {
    expect_steps_near(0, "both",
                      "- {name: a, kind: convolution, input: used, out_channels: 8, kernel_size: 1}\n"
                      "- {name: p, kind: max_pool, input: a, kernel_size: 3, padding: 1}\n"
                      "- {name: both, kind: concat, input: [p, used]}\n",
                      "conv used, a, p");
}

static void expect_all_steps(const char *outputs, const char *layers, const char *expected) {
    expect_said(say_name, INT64_MAX, outputs, layers, expected);
}

Test(fuse, several_tensors_that_a_layer_takes_are_put_one_after_another_by_who_makes_them) {
    static const char TWO[] = "- {name: a, kind: convolution, input: used, out_channels: 8, kernel_size: 1}\n"
                              "- {name: b, kind: convolution, input: a, out_channels: 8, kernel_size: 1}\n"
                              "- {name: y, kind: convolution, input: used, out_channels: 8, kernel_size: 1, layout: "
                              "channels_last, post_ops: [{add: %s}, {multiply: %s}]}\n";
    char layers[500];
    snprintf(layers, sizeof layers, TWO, "a", "b");
    expect_all_steps("y", layers, "conv, a, b, y");
    snprintf(layers, sizeof layers, TWO, "b", "b"); /* it cannot stand in two places */
    expect_all_steps("y", layers, "conv, a, b, b.copy, y");
    snprintf(layers, sizeof layers, TWO, "b", "used");
    expect_all_steps("y, used", layers, "conv, a, b, y, used.copy");
}

Test(fuse, nobody_is_asked_for_arrays_of_copies_of_bytes) {
    static const char BYTES[] = "version: 1\ninputs: {x: {shape: [1, 2, 5, 5], dtype: u8}}\noutputs: [p, q]\n"
                                "defaults: {kind: max_pool, kernel_size: 2, dtype: u8}\n"
                                "layers:\n- {name: p, input: x}\n- {name: q, input: p}\n";
    cvk_network *net = NULL;
    cvk_compiled_network *made = NULL;
    cr_assert_eq(cvk_network_parse(BYTES, strlen(BYTES), "net.yaml", NULL, &net), CVK_OK);
    cr_assert_eq(cvk_network_build(net, NULL, NULL, &made), CVK_OK);
    const cvk_network_info *info = cvk_compiled_network_get_info(made);
    cr_expect_eq(info->steps, 3);
    cr_expect_eq(info->weights, 0);
    cr_expect_eq(info->packed_weights.bytes, 0);
    cvk_compiled_network_free(made);
    cvk_network_free(net);
}

Test(fuse, arrays_keep_the_names_of_their_layers) {
    static const char *const names[] = {"conv.weights", "norm.scale", "y.scale"};
    cvk_network *net = read_net("y", "- {name: norm, input: used, post_ops: [{scale: per_channel}, relu, {shift: "
                                     "per_channel}]}\n- {name: y, input: norm, post_ops: [{shift: per_channel}]}\n");
    cvk_compiled_network *made = NULL;
    cr_assert_eq(cvk_network_build(net, NULL, NULL, &made), CVK_OK);
    const cvk_network_info *info = cvk_compiled_network_get_info(made);
    cr_assert_eq(info->steps, 1);
    cr_assert_eq(info->weights, 3);
    for (uint32_t i = 0; i < 3; i++) cr_expect_str_eq(info->weight[i].name, names[i]);
    cr_expect_eq(info->weight[1].shape[0], 2);
    cr_expect_eq(info->weight[1].shape[1], 8);
    cr_expect_eq(info->weight[1].bytes, 2 * 8 * sizeof(float));
    cr_expect_eq(info->weight[2].shape[0], 8);
    cr_expect_eq(info->weight[2].packed, info->weight[1].packed + info->weight[1].bytes);
    cvk_compiled_network_free(made);
    cvk_network_free(net);
}

Test(fuse, what_only_sees_a_tensor_otherwise_is_no_step) {
    expect_all_steps("y, z",
                     "- {name: part, kind: slice, input: used, channels: [2, 6]}\n"
                     "- {name: shape, kind: reshape, input: part, shape: [4, 72]}\n"
                     "- {name: y, kind: softmax, input: shape}\n"
                     "- {name: turned, kind: transpose, input: used}\n"
                     "- {name: whole, kind: reshape, input: turned, shape: [576, 1]}\n"
                     "- {name: z, input: whole, post_ops: [{scale: per_channel}]}\n",
                     "conv, y, z");
}

Test(fuse, parts_that_are_put_out_and_positions_of_several_images_are_copied) {
    expect_all_steps("y", "- {name: y, kind: slice, input: used, channels: [0, 4]}\n", "conv, y.copy");
    expect_all_steps("y",
                     "- {name: both, kind: concat, input: [used, used], along: positions}\n"
                     "- {name: y, input: both, post_ops: [relu]}\n",
                     "conv, used.copy, used.copy, y");
}
