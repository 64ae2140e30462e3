/* Reading: every key, every way of writing its value, and what absence means. */
#include "support.h"

#define BASE "name: conv, input: [2, 8, 16, 20], out_channels: 4, kernel_size: 3"

/* The first layer of a text, read and compared by `check`. */
static void with_layer(const char *keys, void (*check)(const cvk_spec *s, const char *keys)) {
    cvk_network *network = one_layer(keys);
    check(cvk_network_layer(network, 0), keys);
    cvk_network_free(network);
}

static void is_plain(const cvk_spec *s, const char *keys) {
    cr_expect_str_eq(s->name, "conv", "%s", keys);
    cr_expect(s->rank == 2 && s->batch == 2 && s->in_channels == 8 && s->out_channels == 4 && s->groups == 1, "%s",
              keys);
    const int64_t in[AXES] = {1, 16, 20}, kernel[AXES] = {1, 3, 3}, ones[AXES] = {1, 1, 1}, none[AXES] = {0};
    cr_expect_arr_eq(s->in_size, in, sizeof in, "%s", keys);
    cr_expect_arr_eq(s->kernel, kernel, sizeof kernel, "%s", keys);
    cr_expect_arr_eq(s->stride, ones, sizeof ones, "%s", keys);
    cr_expect_arr_eq(s->dilation, ones, sizeof ones, "%s", keys);
    cr_expect_arr_eq(s->pad_before, none, sizeof none, "%s", keys);
    cr_expect_arr_eq(s->pad_after, none, sizeof none, "%s", keys);
    cr_expect(s->padding == PAD_ZEROS && s->accuracy == ACCURACY_DEFAULT && s->input_type == TYPE_F32, "%s", keys);
    cr_expect(s->input_layout == CVK_CHANNELS_FIRST && s->output_layout == CVK_CHANNELS_FIRST, "%s", keys);
    cr_expect(!s->bias && !s->flip_kernel && !s->transposed && s->post_count == 0 && !s->schedule, "%s", keys);
    cr_expect_str_eq(s->algorithm, "auto", "%s", keys);
}

Test(reading, an_absent_key_means_what_the_language_says) { with_layer(BASE, is_plain); }

static void expect_printed(const char *layers, size_t index, const char *expected) {
    char yaml[1024];
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    snprintf(yaml, sizeof yaml, "version: 1\ndefaults: {bias: true, post_ops: [relu]}\nlayers:\n%s", layers);
    cvk_network *network;
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "of.yaml", NULL, &network), CVK_OK, "%s", yaml);
    text printed = text_new(&a);
    spec_print(cvk_network_layer(network, index), &printed);
    cr_expect_str_eq(printed.bytes, expected);
    cvk_network_free(network);
    arena_free(&a);
}

Test(reading, a_layer_of_another_has_its_keys_but_for_its_own) {
    static const char layers[] = "  - {name: b, of: a, stride: 2, direction: forward}\n"
                                 "  - {name: a, input: [2, 8, 9, 7], out_channels: 4, kernel_size: 3, groups: 2, "
                                 "algorithm: direct, post_ops: [tanh]}\n";
    expect_printed(layers, 0,
                   "{name: b, input: [2, 8, 9, 7], out_channels: 4, kernel_size: 3, stride: 2, groups: 2, bias: true, "
                   "post_ops: [tanh]}");
}

Test(reading, gradients_of_the_data_are_what_the_transpose_gives) {
    static const char layers[] = "  - {name: a, input: [2, 8, 9, 8], out_channels: 4, kernel_size: 3, stride: 2, "
                                 "padding: 1, layout: {input: blocked, output: channels_last}}\n"
                                 "  - {name: back, of: a, direction: backward_data, accuracy: strict}\n"
                                 "  - {name: there, of: a, transposed: true, direction: backward_data, bias: true}\n";
    expect_printed(layers, 1,
                   "{name: back, input: [2, 4, 5, 4], out_channels: 8, kernel_size: 3, stride: 2, padding: 1, layout: "
                   "{input: channels_last, output: blocked}, transposed: true, output_padding: [0, 1], accuracy: "
                   "strict}");
    expect_printed(layers, 2,
                   "{name: there, input: [2, 4, 17, 15], out_channels: 8, kernel_size: 3, stride: 2, padding: 1, "
                   "layout: {input: channels_last, output: blocked}}");
}

Test(reading, gradients_of_the_weights_keep_the_layer_but_for_its_post_ops) {
    static const char layers[] = "  - {name: a, input: [2, 8, 9, 8], out_channels: 4, kernel_size: 3, stride: 2}\n"
                                 "  - {name: w, of: a, direction: backward_weights}\n";
    expect_printed(layers, 1,
                   "{name: w, input: [2, 8, 9, 8], out_channels: 4, kernel_size: 3, stride: 2, bias: true, direction: "
                   "backward_weights}");
}

Test(reading, writing_a_default_out_changes_nothing) {
    static const char *const same[] = {
        "stride: 1",
        "stride: [1, 1]",
        "dilation: [1, 1]",
        "padding: 0",
        "padding: valid",
        "padding: [0, 0]",
        "groups: 1",
        "padding: [[0, 0], [0, 0]]",
        "bias: false",
        "post_ops: []",
        "padding_mode: zeros",
        "algorithm: auto",
        "layout: channels_first",
        "dtype: f32",
        "flip_kernel: false",
        "transposed: false",
        "direction: forward",
        "accuracy: default",
        "\"stride\": 1",
        "padding: 'valid'",
        "layout: {input: channels_first, output: channels_first}",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        char keys[512];
        snprintf(keys, sizeof keys, BASE ", %s", same[i]);
        with_layer(keys, is_plain);
    }
}

/* One number per axis, D H W, of some field. */
typedef struct axes_case {
    const char *keys;
    size_t member;
    int64_t expected[AXES];
} axes_case;

Test(reading, values_per_axis_stand_right_aligned) {
#define AT(m) offsetof(cvk_spec, m)
    static const axes_case cases[] = {
        {"input: [1, 1, 9], kernel_size: 3", AT(kernel), {1, 1, 3}},
        {"input: [1, 1, 9], kernel_size: [3]", AT(kernel), {1, 1, 3}},
        {"input: [1, 1, 9, 8], kernel_size: [3, 2]", AT(kernel), {1, 3, 2}},
        {"input: [1, 1, 9, 8, 7], kernel_size: [4, 3, 2]", AT(kernel), {4, 3, 2}},
        {"input: [1, 1, 9, 8, 7], kernel_size: 2", AT(kernel), {2, 2, 2}},
        {"input: [1, 1, 9, 8, 7], kernel_size: 2", AT(in_size), {9, 8, 7}},
        {"input: [1, 1, 9, 8], kernel_size: 2, stride: [3, 2]", AT(stride), {1, 3, 2}},
        {"input: [1, 1, 9, 8], kernel_size: 2, dilation: [3, 2]", AT(dilation), {1, 3, 2}},
        {"input: [1, 1, 9, 8], kernel_size: 2, padding: 3", AT(pad_after), {0, 3, 3}},
        {"input: [1, 1, 9, 8], kernel_size: 2, padding: [3, 2]", AT(pad_before), {0, 3, 2}},
        {"input: [1, 1, 9, 8], kernel_size: 2, padding: [3, 2]", AT(pad_after), {0, 3, 2}},
        {"input: [1, 1, 9, 8], kernel_size: 2, padding: [[1, 2], [3, 4]]", AT(pad_before), {0, 1, 3}},
        {"input: [1, 1, 9, 8], kernel_size: 2, padding: [[1, 2], [3, 4]]", AT(pad_after), {0, 2, 4}},
        {"input: [1, 1, 9], kernel_size: 2, padding: [[1, 2]]", AT(pad_after), {0, 0, 2}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char keys[512];
        snprintf(keys, sizeof keys, "name: a, out_channels: 1, %s", cases[i].keys);
        cvk_network *network = one_layer(keys);
        const char *spec = (const char *)cvk_network_layer(network, 0);
        cr_expect_arr_eq(spec + cases[i].member, cases[i].expected, sizeof cases[i].expected, "%s", keys);
        cvk_network_free(network);
    }
}

static void is_everything_else(const cvk_spec *s, const char *keys) {
    cr_expect(s->bias && s->flip_kernel && s->groups == 4 && s->padding == PAD_REFLECT, "%s", keys);
    cr_expect(s->input_layout == CVK_CHANNELS_LAST && s->output_layout == CVK_BLOCKED, "%s", keys);
    cr_expect(s->accuracy == ACCURACY_FAST, "%s", keys);
    cr_expect_str_eq(s->algorithm, "direct", "%s", keys);
    cr_assert(s->schedule && s->schedule->part[0].unroll_ic == 4, "%s", keys);
    cr_expect(s->schedule_at.line == 3 && s->schedule_at.column > 1, "the schedule keeps its place");
}

Test(reading, every_other_key_arrives_where_it_belongs) {
    with_layer(BASE ", groups: 4, bias: true, flip_kernel: true, padding: 1, padding_mode: reflect, accuracy: fast, "
                    "layout: {input: channels_last, output: blocked}, algorithm: direct, schedule: " SCHEDULE,
               is_everything_else);
}

static void is_depthwise(const cvk_spec *s, const char *keys) {
    cr_expect(s->groups == 8 && spec_group_in(s) == 1 && spec_group_out(s) == 2, "%s", keys);
}

Test(reading, depthwise_means_as_many_groups_as_input_channels) {
    with_layer("name: a, input: [1, 8, 5], out_channels: 16, kernel_size: 3, groups: depthwise", is_depthwise);
}

/* From that kind on, in the table's order. */
static void has_kinds(const cvk_spec *s, int first, const char *keys) {
    for (int i = 0; i < s->post_count; i++)
        cr_expect_eq(s->post[i].kind, (post_kind)(first + i), "%s: %s", keys, spec_post_name((post_kind)(first + i)));
}

static void has_first_post_ops(const cvk_spec *s, const char *keys) {
    cr_assert_eq(s->post_count, POST_SCALE + 1, "%s", keys);
    has_kinds(s, 0, keys);
    cr_expect_eq(s->post[POST_LEAKY_RELU].a, 0.01F, "%s", keys);
    cr_expect(s->post[POST_CLAMP].a == -1.5F && s->post[POST_CLAMP].b == 6e2F, "%s", keys);
    cr_expect_eq(spec_operands(s, OPERAND_TENSOR), 1, "%s", keys);
}

static void has_other_post_ops(const cvk_spec *s, const char *keys) {
    cr_assert_eq(s->post_count, POST_KINDS - POST_SHIFT, "%s", keys);
    has_kinds(s, POST_SHIFT, keys);
    const post_op *blend = &s->post[POST_BLEND - POST_SHIFT];
    cr_expect(blend->a == 0.3F && blend->b == 1 - 0.3F, "%s", keys);
    cr_expect_eq(spec_operands(s, OPERAND_TENSOR), 2, "%s", keys);
    cr_expect_eq(spec_operands(s, OPERAND_IMAGE_CHANNEL), 1, "%s", keys);
    cr_expect_eq(spec_operands(s, OPERAND_CHANNEL), 1, "%s", keys);
}

Test(reading, every_post_op_is_read_in_its_order) {
    with_layer(BASE ", post_ops: [add, relu, relu6, {leaky_relu: 0.01}, {clamp: [-1.5, 6e+2]}, sigmoid, tanh, silu, "
                    "gelu, gelu_tanh, hard_swish, hard_sigmoid, elu, softplus, {scale: per_channel}]",
               has_first_post_ops);
    with_layer(BASE ", post_ops: [{shift: per_channel}, multiply, gate, {blend: 0.3}, {times: -2}, {plus: 1e-3}]",
               has_other_post_ops);
}

Test(reading, floats_are_read_to_the_nearest_whatever_their_form) {
    static const struct {
        const char *word;
        float value;
    } cases[] = {{"0", 0},
                 {"-0", -0.0F},
                 {"-3", -3},
                 {"0.1", 0.1F},
                 {"1e-3", 1e-3F},
                 {"1E5", 1e5F},
                 {"16777217", 16777216},
                 {"3.4028234e38", 3.4028234e38F},
                 {"1e-45", 1e-45F},
                 {"1e-60", 0},
                 {"0.333333343267440796", 0.33333334F}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char keys[512];
        snprintf(keys, sizeof keys, BASE ", post_ops: [{leaky_relu: %s}]", cases[i].word);
        cvk_network *network = one_layer(keys);
        cr_expect_eq(cvk_network_layer(network, 0)->post[0].a, cases[i].value, "%s", cases[i].word);
        cvk_network_free(network);
    }
}

Test(reading, parameters_of_post_ops_are_numbers_of_what_is_summed_in) {
    static const struct {
        const char *dtype;
        double slope, least, greatest;
    } cases[] = {{"f32", (double)0.1F, (double)-0.7F, (double)16777217.3F},
                 {"bf16", (double)0.1F, (double)-0.7F, (double)16777217.3F},
                 {"f64", 0.1, -0.7, 16777217.3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char keys[512];
        snprintf(keys, sizeof keys, BASE ", dtype: %s, post_ops: [{leaky_relu: 0.1}, {clamp: [-0.7, 16777217.3]}]",
                 cases[i].dtype);
        cvk_network *network = one_layer(keys);
        const post_op *op = cvk_network_layer(network, 0)->post;
        cr_expect_eq(op[0].a, cases[i].slope, "%s", keys);
        cr_expect(op[1].a == cases[i].least && op[1].b == cases[i].greatest, "%s", keys);
        cvk_network_free(network);
    }
}

Test(reading, a_layers_own_key_wins_over_the_defaults) {
    char message[512];
    cvk_network *network;
    cvk_status status =
        parse("version: 1\nname: net\ndefaults: {stride: 2, bias: true, post_ops: [relu], kernel_size: 3}\n"
              "layers:\n  - {name: a, input: [1, 1, 9, 9], out_channels: 1}\n"
              "  - {name: b, input: [1, 1, 9], out_channels: 1, stride: 3, bias: false, post_ops: []}\n",
              &network, message, sizeof message);
    cr_assert_eq(status, CVK_OK, "%s", message);
    const cvk_spec *a = cvk_network_layer(network, 0), *b = cvk_network_layer(network, 1);
    cr_expect_str_eq(cvk_network_name(network), "net");
    cr_expect(a->stride[AXIS_H] == 2 && a->stride[AXIS_W] == 2 && a->bias && a->post_count == 1,
              "what it does not say");
    cr_expect(b->stride[AXIS_H] == 1 && b->stride[AXIS_W] == 3 && !b->bias && b->post_count == 0,
              "what it says itself");
    cr_expect(a->at.line == 5 && a->at.column == 5 && b->at.line == 6, "a layer knows where it stands");
    cr_expect_str_eq(a->at.file, "test.yaml");
    cvk_network_free(network);
}

Test(reading, every_way_to_lay_out_a_file_reads_the_same) {
    static const char *const files[] = {
        "version: 1\r\nlayers:\r\n- name: a\r\n  input: [1, 1, 5]\r\n  out_channels: 1\r\n  kernel_size: 3\r\n",
        "\xEF\xBB\xBFversion: 1\nlayers: [{name: a, input: [1, 1, 5], out_channels: 1, kernel_size: 3}]",
        "%YAML 1.1\n---\nversion: 1\nlayers: [{name: a, input: [1, 1, 5], out_channels: 1, kernel_size: 3}]\n...\n",
        "%YAML 1.2\n---\nlayers: [{kernel_size: 3, out_channels: 1, input: [1, 1, 5], name: a}]\nversion: 1\n",
        "{\"version\": 1, \"layers\": [{\"name\": \"a\", \"input\": [1, 1, 5], \"out_channels\": 1, \"kernel_size\": 3}]}",
        "# größe, 大きさ\nversion: 1\nlayers:\n-\n  name: a\n  input: [1,\n    1, 5]\n  out_channels: 1\n  kernel_size: 3",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char message[512];
        cvk_network *network;
        cvk_status status = parse(files[i], &network, message, sizeof message);
        cr_assert_eq(status, CVK_OK, "%s\n%s", files[i], message);
        cr_expect_eq(cvk_network_layer(network, 0)->out_size[AXIS_W], 3, "%s", files[i]);
        cr_expect_str_eq(cvk_spec_name(cvk_network_layer(network, 0)), "a");
        cvk_network_free(network);
    }
}
