/* Are chains read as the language says, printed so that they read back, and refused where they are none? */
#include "support.h"

#define BEGIN "name: chain, input: [2, 8, 16, 20], out_channels: 4, kernel_size: 3, bias: true"

static void expect_printed(const cvk_spec *s, const char *expected) {
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) cr_assert_fail("out of memory");
    text printed = text_new(&a);
    spec_print(s, &printed);
    cr_expect_str_eq(printed.bytes, expected);
    arena_free(&a);
}

/* Prints as `printed`, and that as itself. */
static void expect_read(const char *keys, const char *printed) {
    for (int i = 0; i < 2; i++) {
        char braces[4096];
        cvk_network *network = one_layer(i ? printed : keys);
        snprintf(braces, sizeof braces, "{%s}", printed);
        expect_printed(cvk_network_layer(network, 0), braces);
        cvk_network_free(network);
    }
}

Test(chain, what_is_said_reads_back) {
    expect_read(BEGIN ", post_ops: [relu, {max_pool: {kernel_size: 3, stride: 2, padding: same}}, sigmoid]", BEGIN
                ", post_ops: [relu, {max_pool: {kernel_size: 3, stride: 2, padding: [[0, 1], [0, 1]]}}, sigmoid]");
    expect_read(BEGIN ", then: [{out_channels: 8, kernel_size: 3, groups: 4, post_ops: [{average_pool: "
                      "{kernel_size: global}}]}, {out_channels: 2, kernel_size: 1, dtype: f32}], layout: blocked",
                BEGIN ", then: [{out_channels: 8, kernel_size: 3, groups: depthwise, post_ops: [{average_pool: "
                      "{kernel_size: [12, 16]}}]}, {out_channels: 2, kernel_size: 1}], layout: blocked");
    expect_read(
        "name: pools, kind: max_pool, input: [any, 8, 16], kernel_size: 2, post_ops: [{max_pool: {kernel_size: 2}}]",
        "name: pools, kind: max_pool, input: [any, 8, 16], kernel_size: 2, post_ops: [{max_pool: {kernel_size: 2}}]");
}

Test(chain, it_has_the_input_of_its_first_layer_and_the_output_of_its_last) {
    cvk_network *network =
        one_layer(BEGIN ", post_ops: [{max_pool: {kernel_size: 2, stride: 2}}], "
                        "then: [{out_channels: 6, kernel_size: 1, bias: true, post_ops: [add, {scale: per_channel}]}], "
                        "layout: {input: channels_last, output: blocked}");
    const cvk_spec *s = cvk_network_layer(network, 0);
    const int64_t out[AXES] = {1, 7, 9};
    cr_assert_eq(spec_link_count(s), 3);
    cr_expect_arr_eq(s->out_size, out, sizeof out);
    cr_expect_eq(s->in_channels, 8);
    cr_expect_eq(s->out_channels, 6);
    cr_expect_eq(s->input_layout, CVK_CHANNELS_LAST);
    cr_expect_eq(s->output_layout, CVK_BLOCKED);
    cr_expect_eq(spec_weights_elements(s), 4 * 8 * 9 + 6 * 4);
    cr_expect_eq(spec_bias_elements(s), 4 + 6);
    cr_expect_eq(spec_scale_elements(s), 6);
    cr_expect_eq(spec_macs(s), 2 * (4 * 14 * 18 * 8 * 9 + 4 * 7 * 9 * 4 + 6 * 7 * 9 * 4));
    cvk_network_free(network);
}

Test(chain, defaults_hold_for_its_layers_but_not_for_pools) {
    static const char yaml[] =
        "version: 1\ndefaults: {bias: true, post_ops: [relu]}\nlayers:\n"
        "  - {name: a, input: [1, 8, 9], out_channels: 4, kernel_size: 3, then: [{out_channels: 2, kernel_size: 1}]}\n";
    char message[512];
    cvk_network *network;
    cr_assert_eq(parse(yaml, &network, message, sizeof message), CVK_OK, "%s", message);
    expect_printed(cvk_network_layer(network, 0),
                   "{name: a, input: [1, 8, 9], out_channels: 4, kernel_size: 3, bias: true, post_ops: [relu], then: "
                   "[{out_channels: 2, kernel_size: 1, bias: true, post_ops: [relu]}]}");
    cvk_network_free(network);
}

static void expect_refused(const char *keys, const char *expected) {
    char yaml[2048], message[512];
    snprintf(yaml, sizeof yaml, "version: 1\nlayers:\n  - {%s}\n", keys);
    cvk_network *network;
    cr_expect_neq(parse(yaml, &network, message, sizeof message), CVK_OK, "%s", keys);
    cr_expect(strstr(message, expected), "%s: %s", keys, message);
}

Test(chain, what_is_none_is_refused_with_its_place) {
    expect_refused(BEGIN ", post_ops: [max_pool]", "max_pool needs its window");
    expect_refused(BEGIN ", post_ops: [{max_pool: 3}]", "layers[0].post_ops[0]: expected a mapping");
    expect_refused(BEGIN ", post_ops: [{max_pool: {kernel_size: 3, indices: true}}]",
                   "layers[0].post_ops[0].indices: not a key here");
    expect_refused(BEGIN ", post_ops: [{max_pool: {stride: 3}}]", "layers[0].post_ops[0]: kernel_size is missing");
    expect_refused(BEGIN ", post_ops: [{max_pool: {kernel_size: 40}}]",
                   "layers[0].post_ops[0].kernel_size: spans 40 with its dilation");
    expect_refused(BEGIN ", post_ops: [add, {max_pool: {kernel_size: 2}}]", "before the last layer of a chain");
    expect_refused(BEGIN ", then: []", "then: expected a list of layers");
    expect_refused(BEGIN ", then: [{out_channels: 2, kernel_size: 1, input: [1, 4, 14, 18]}]",
                   "layers[0].then[0].input: not a key here");
    expect_refused(BEGIN ", then: [{out_channels: 2, kernel_size: 1, groups: 3}]",
                   "layers[0].then[0].groups: 3 groups");
    expect_refused(BEGIN ", direction: backward_data, then: [{out_channels: 2, kernel_size: 1}]",
                   "then: gradients are of one layer");
    expect_refused(BEGIN ", dtype: f16, then: [{out_channels: 2, kernel_size: 1, dtype: f32}]",
                   "not of the type that the layer before it gives");
    expect_refused(BEGIN ", transposed: true, then: [{out_channels: 2, kernel_size: 1}]",
                   "a transposed layer in a chain");
}
