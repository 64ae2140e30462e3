/* Layers built field by field are those that a file describes, and are refused for the same reasons. */
#include "spec/spec.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SCHEDULE                                                                                                       \
    "{algorithm: direct, lanes: columns, tile: {oc: 2, od: 1, oh: 1, ow: 16}, block: {oh: 1, ow: 1}, "                 \
    "unroll: {ic: 4, kw: true}, order: [n, g, od, oh, oc], tasks: 2, pack: {input_rows: 3}}"

static cvk_layer plain(void) {
    return (cvk_layer){.struct_size = sizeof(cvk_layer),
                       .name = "built",
                       .spatial_rank = 2,
                       .batch = 1,
                       .in_channels = 8,
                       .out_channels = 16,
                       .input_size = {10, 12},
                       .kernel_size = {3, 5}};
}

/* The layer prints as the YAML's does, and has the same sizes. */
static void expect_same(const cvk_layer *layer, const char *keys) {
    char yaml[2048];
    snprintf(yaml, sizeof yaml, "version: 1\nlayers: [{%s}]\n", keys);
    cvk_network *network;
    cvk_spec *built;
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "", NULL, &network), CVK_OK, "%s", keys);
    cr_assert_eq(cvk_spec_create(layer, NULL, &built), CVK_OK, "%s", keys);
    arena a;
    arena_init(&a);
    cr_assert_eq(arena_guard(&a), false);
    text read = text_new(&a), made = text_new(&a);
    spec_print(cvk_network_layer(network, 0), &read);
    spec_print(built, &made);
    cr_assert_str_eq(made.bytes, read.bytes);
    cr_assert_arr_eq(built->out_size, cvk_network_layer(network, 0)->out_size, sizeof built->out_size, "%s", keys);
    arena_free(&a);
    cvk_spec_free(built);
    cvk_network_free(network);
}

Test(layer, zero_means_the_default) {
    cvk_layer l = plain();
    expect_same(&l, "name: built, input: [1, 8, 10, 12], out_channels: 16, kernel_size: [3, 5]");
}

static cvk_status create_with(cvk_layer l, const void *weights, uint64_t bytes) {
    cvk_spec *spec;
    l.weights = (cvk_const_buffer){weights, bytes};
    cvk_status status = cvk_spec_create(&l, NULL, &spec);
    cvk_spec_free(spec);
    return status;
}

Test(layer, layers_can_have_their_weights) {
    cvk_layer l = plain();
    static const float sobel[] = {1, 0, -1, 2, 0, -2, 1, -0.0F, -1}, twice[18] = {1, 2, 3};
    l.in_channels = l.out_channels = 1;
    l.kernel_size[1] = 3;
    l.weights = (cvk_const_buffer){sobel, sizeof sobel};
    expect_same(&l,
                "name: built, input: [1, 1, 10, 12], out_channels: 1, kernel_size: 3, weights: {values: [[1, 0, -1], "
                "[2, 0, -2], [1, 0, -1]]}");
    l.in_channels = l.out_channels = l.groups = 2;
    expect_same(&l, "name: built, input: [1, 2, 10, 12], out_channels: 2, groups: 2, kernel_size: 3, weights: {values: "
                    "[[1, 0, -1], [2, 0, -2], [1, 0, -1]]}");
    cr_expect_eq(create_with(l, twice, sizeof twice), CVK_OK, "all of them");
    cr_expect_eq(create_with(l, twice, sizeof twice - sizeof *twice), CVK_ERROR_SPEC, "neither all nor one kernel");
    cr_expect_eq(create_with(l, (float[9]){INFINITY}, 36), CVK_ERROR_SPEC, "not finite");
    l.direction = CVK_BACKWARD_WEIGHTS;
    cr_expect_eq(create_with(l, twice, sizeof twice), CVK_ERROR_SPEC, "gradients of weights have none");
}

Test(layer, transposed_layers_can_be_built) {
    cvk_layer l = plain();
    l.transposed = true;
    l.stride[0] = l.stride[1] = 2;
    l.output_padding[1] = 1;
    expect_same(&l, "name: built, input: [1, 8, 10, 12], out_channels: 16, kernel_size: [3, 5], stride: 2, transposed: "
                    "true, output_padding: [0, 1]");
    l.padding = CVK_PADDING_SAME;
    l.output_padding[1] = 0;
    expect_same(&l, "name: built, input: [1, 8, 10, 12], out_channels: 16, kernel_size: [3, 5], stride: 2, transposed: "
                    "true, padding: same");
    cvk_spec *spec;
    l.padding = CVK_PADDING_CAUSAL;
    cr_assert_eq(cvk_spec_create(&l, NULL, &spec), CVK_ERROR_SPEC);
    l = plain();
    l.output_padding[0] = 1;
    cr_assert_eq(cvk_spec_create(&l, NULL, &spec), CVK_ERROR_SPEC);
}

Test(layer, layers_of_gradients_can_be_built) {
    cvk_layer l = plain();
    l.bias = true;
    l.direction = CVK_BACKWARD_WEIGHTS;
    expect_same(&l, "name: built, input: [1, 8, 10, 12], out_channels: 16, kernel_size: [3, 5], bias: true, direction: "
                    "backward_weights");
    l.direction = CVK_BACKWARD_DATA;
    expect_same(&l, "name: built, input: [1, 8, 10, 12], out_channels: 16, kernel_size: [3, 5], direction: "
                    "backward_data");
    l.accumulate = true;
    expect_same(&l, "name: built, input: [1, 8, 10, 12], out_channels: 16, kernel_size: [3, 5], direction: "
                    "backward_data, accumulate: true");
    static const cvk_post_op relu = {CVK_POST_RELU, 0, 0};
    cvk_spec *spec;
    l.direction = CVK_FORWARD;
    cr_expect_eq(cvk_spec_create(&l, NULL, &spec), CVK_ERROR_SPEC, "what goes forward does not accumulate");
    l.direction = CVK_BACKWARD_DATA;
    l.post_ops = &relu, l.post_op_count = 1;
    cr_assert_eq(cvk_spec_create(&l, NULL, &spec), CVK_ERROR_SPEC);
}

Test(layer, pools_can_be_built) {
    cvk_layer l = plain();
    l.kind = CVK_LAYER_MAX_POOL;
    l.out_channels = 0;
    l.ceil_mode = l.indices = true;
    expect_same(&l,
                "name: built, kind: max_pool, input: [1, 8, 10, 12], kernel_size: [3, 5], ceil_mode: true, indices: "
                "true");
    l.kind = CVK_LAYER_AVERAGE_POOL;
    l.indices = false;
    l.count_include_pad = true;
    l.kernel_size[0] = l.kernel_size[1] = 0;
    expect_same(&l, "name: built, kind: average_pool, input: [1, 8, 10, 12], kernel_size: global, ceil_mode: true, "
                    "count_include_pad: true");
    cvk_spec *spec;
    const cvk_layer sound = l;
    l.indices = true;
    cr_expect_eq(cvk_spec_create(&l, NULL, &spec), CVK_ERROR_SPEC, "indices of averages");
    l = sound, l.out_channels = 16;
    cr_expect_eq(cvk_spec_create(&l, NULL, &spec), CVK_ERROR_SPEC, "more channels than come in");
    l = sound, l.bias = true;
    cr_expect_eq(cvk_spec_create(&l, NULL, &spec), CVK_ERROR_SPEC, "a bias");
    l = sound, l.direction = CVK_BACKWARD_DATA;
    cr_expect_eq(cvk_spec_create(&l, NULL, &spec), CVK_ERROR_SPEC, "backward");
    l = plain(), l.ceil_mode = true;
    cr_expect_eq(cvk_spec_create(&l, NULL, &spec), CVK_ERROR_SPEC, "ceil_mode of a convolution");
}

Test(layer, every_field_can_be_built) {
    static const cvk_post_op ops[] = {{CVK_POST_ADD, 0, 0},
                                      {CVK_POST_LEAKY_RELU, 0.1f, 0},
                                      {CVK_POST_CLAMP, -1, 2.5f},
                                      {CVK_POST_SCALE, 0, 0},
                                      {CVK_POST_SOFTPLUS, 0, 0}};
    cvk_layer l = {.struct_size = sizeof l,
                   .name = "all",
                   .spatial_rank = 3,
                   .batch = 2,
                   .in_channels = 8,
                   .out_channels = 16,
                   .groups = 4,
                   .input_size = {5, 6, 7},
                   .kernel_size = {1, 2, 3},
                   .stride = {1, 2, 3},
                   .dilation = {3, 2, 1},
                   .padding_before = {0, 1, 2},
                   .padding_after = {2, 1, 0},
                   .padding_mode = CVK_PADDING_REFLECT,
                   .bias = true,
                   .flip_kernel = true,
                   .input_layout = CVK_CHANNELS_LAST,
                   .output_layout = CVK_BLOCKED,
                   .accuracy = CVK_ACCURACY_STRICT,
                   .post_op_count = sizeof ops / sizeof *ops,
                   .post_ops = ops,
                   .algorithm = "direct",
                   .schedule = SCHEDULE};
    expect_same(&l,
                "name: all, input: [2, 8, 5, 6, 7], out_channels: 16, kernel_size: [1, 2, 3], groups: 4, stride: [1, "
                "2, 3], dilation: [3, 2, 1], padding: [[0, 2], [1, 1], [2, 0]], padding_mode: reflect, bias: true, "
                "flip_kernel: true, layout: {input: channels_last, output: blocked}, accuracy: strict, post_ops: "
                "[add, {leaky_relu: 0.1}, {clamp: [-1, 2.5]}, {scale: per_channel}, softplus], algorithm: direct, "
                "schedule: " SCHEDULE);
    l.accuracy = CVK_ACCURACY_FAST;
    l.spatial_rank = 1;
    l.groups = 8;
    l.post_op_count = 0;
    l.schedule = l.algorithm = NULL;
    expect_same(&l,
                "name: all, input: [2, 8, 5], out_channels: 16, kernel_size: 1, groups: 8, dilation: 3, padding: [[0, "
                "2]], padding_mode: reflect, bias: true, flip_kernel: true, layout: {input: channels_last, output: "
                "blocked}, accuracy: fast");
    l.padding_mode = CVK_PADDING_CONSTANT;
    l.padding_constant = 0.1;
    l.ignore_nan = true;
    expect_same(&l,
                "name: all, input: [2, 8, 5], out_channels: 16, kernel_size: 1, groups: 8, dilation: 3, padding: [[0, "
                "2]], padding_mode: {constant: 0.1}, bias: true, flip_kernel: true, layout: {input: channels_last, "
                "output: blocked}, nan: ignore, accuracy: fast");
}

Test(layer, padding_words_are_resolved) {
    static const char *const words[] = {NULL, "valid", "same", "same_lower", "full", "causal"};
    for (int padding = CVK_PADDING_VALID; padding <= CVK_PADDING_CAUSAL; padding++) {
        cvk_layer l = plain();
        l.padding = (cvk_padding)padding;
        l.stride[0] = 2;
        l.stride[1] = 3;
        char keys[256];
        snprintf(
            keys, sizeof keys,
            "name: built, input: [1, 8, 10, 12], out_channels: 16, kernel_size: [3, 5], stride: [2, 3], padding: %s",
            words[padding]);
        expect_same(&l, keys);
    }
}

static void expect_refused(const cvk_layer *l, cvk_status status, const char *words) {
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_spec *spec = (cvk_spec *)d;
    char said[512] = "";
    cr_assert_eq(cvk_spec_create(l, d, &spec), status, "\"%s\" is expected", words);
    cr_assert_null(spec);
    if (cvk_diagnostics_count(d)) cvk_diagnostic_format(cvk_diagnostics_get(d, 0), said, sizeof said);
    cr_assert_not_null(strstr(said, words), "\"%s\" is expected, not \"%s\"", words, said);
    cr_assert_eq(cvk_spec_create(l, NULL, &spec), status, "and without anybody listening");
    cvk_diagnostics_free(d);
}

#define REFUSED(change, status, words)                                                                                 \
    do {                                                                                                               \
        cvk_layer l = plain();                                                                                         \
        l.change;                                                                                                      \
        expect_refused(&l, status, words);                                                                             \
    } while (0)

Test(layer, mistakes_are_refused_with_a_reason) {
    REFUSED(name = NULL, CVK_ERROR_SPEC, "name");
    REFUSED(name = "3d", CVK_ERROR_SPEC, "name");
    REFUSED(spatial_rank = 0, CVK_ERROR_SPEC, "spatial_rank");
    REFUSED(spatial_rank = 4, CVK_ERROR_SPEC, "spatial_rank");
    REFUSED(in_channels = 0, CVK_ERROR_SPEC, "");
    REFUSED(groups = 3, CVK_ERROR_SPEC, "groups");
    REFUSED(stride[0] = -1, CVK_ERROR_SPEC, "stride");
    REFUSED(kernel_size[0] = 11, CVK_ERROR_SPEC, "spans 11");
    REFUSED(kernel_size[1] = INT64_MAX, CVK_ERROR_UNSUPPORTED, "kernel_size");
    REFUSED(padding = (cvk_padding)77, CVK_ERROR_SPEC, "padding");
    REFUSED(padding_mode = (cvk_padding_mode)99, CVK_ERROR_SPEC, "padding");
    REFUSED(accuracy = (cvk_accuracy)9, CVK_ERROR_SPEC, "accuracy");
    REFUSED(input_layout = (cvk_layout)9, CVK_ERROR_SPEC, "layout");
    REFUSED(post_op_count = 1, CVK_ERROR_SPEC, "post_ops");
    REFUSED(post_op_count = 17, CVK_ERROR_SPEC, "post_ops");
    REFUSED(schedule = "{a: b", CVK_ERROR_SPEC, "");
    REFUSED(schedule = "3", CVK_ERROR_SPEC, "schedule");
    static const cvk_post_op nan_slope[] = {{CVK_POST_LEAKY_RELU, NAN, 0}}, unknown[] = {{(cvk_post_kind)99, 0, 0}};
    REFUSED(post_op_count = 1; l.post_ops = nan_slope, CVK_ERROR_SPEC, "post");
    REFUSED(post_op_count = 1; l.post_ops = unknown, CVK_ERROR_SPEC, "post");
    REFUSED(padding = CVK_PADDING_SAME; l.kernel_size[0] = INT64_MAX;
            l.dilation[0] = INT64_MAX, CVK_ERROR_UNSUPPORTED, "");
}

Test(layer, callers_of_older_and_newer_headers_are_honoured) {
    struct {
        cvk_layer known;
        int64_t later;
    } newer = {.known = plain()};
    cvk_spec *spec;
    newer.known.struct_size = sizeof newer;
    cr_assert_eq(cvk_spec_create(&newer.known, NULL, &spec), CVK_OK, "what is not known here is zero");
    cvk_spec_free(spec);
    newer.later = 1;
    cr_assert_eq(cvk_spec_create(&newer.known, NULL, &spec), CVK_ERROR_ARGUMENT, "and may not be ignored if it is not");
    cvk_layer older = plain();
    older.algorithm = "no_such_thing";
    older.struct_size = offsetof(cvk_layer, algorithm);
    cr_assert_eq(cvk_spec_create(&older, NULL, &spec), CVK_OK);
    cr_assert_str_eq(spec->algorithm, "auto", "what the caller's header lacks is not looked at");
    cvk_spec_free(spec);
    older.struct_size = 0;
    cr_assert_eq(cvk_spec_create(&older, NULL, &spec), CVK_ERROR_ARGUMENT);
    cr_assert_eq(cvk_spec_create(NULL, NULL, &spec), CVK_ERROR_ARGUMENT);
    cr_assert_eq(cvk_spec_create(&older, NULL, NULL), CVK_ERROR_ARGUMENT);
    cvk_spec_free(NULL);
}

Test(layer, nothing_of_the_callers_is_kept) {
    char name[] = "mine", schedule[] = SCHEDULE;
    cvk_post_op op = {CVK_POST_RELU, 0, 0};
    cvk_layer l = plain();
    l.name = name;
    l.schedule = schedule;
    l.post_op_count = 1;
    l.post_ops = &op;
    cvk_spec *spec;
    cr_assert_eq(cvk_spec_create(&l, NULL, &spec), CVK_OK);
    memset(name, 'x', sizeof name - 1);
    memset(schedule, 'x', sizeof schedule - 1);
    memset(&op, 0x7f, sizeof op);
    cr_assert_str_eq(cvk_spec_name(spec), "mine");
    cr_assert_str_eq(spec->schedule->part[0].algorithm, "direct");
    cr_assert_eq(spec->post[0].kind, POST_RELU);
    cvk_spec_free(spec);
}

/* The layer's only weight is 2. */
static void run_batch(const cvk_kernel_info *info, uint64_t images, cvk_status expected) {
    _Alignas(64) static float input[8 * 4], output[8 * 4], packed[1024], scratch[4096];
    const float weight = 2;
    const uint64_t bytes = images * 4 * sizeof *input;
    for (int i = 0; i < 8 * 4; i++) input[i] = (float)i, output[i] = -1;
    cvk_buffer to = {packed, sizeof packed}, out = {output, bytes}, mine = {scratch, sizeof scratch};
    cr_assert_eq(cvk_pack_weights(info, (cvk_const_buffer){&weight, sizeof weight}, to), CVK_OK);
    cvk_buffers b = {.struct_size = sizeof b, .batch = images, .input = {input, bytes}, .output = out, .scratch = mine};
    b.weights = (cvk_const_buffer){packed, sizeof packed};
    cr_assert_eq(cvk_run(info, &b, NULL), expected);
    for (uint64_t i = 0; i < 8 * 4; i++)
        cr_assert_eq(output[i], expected == CVK_OK && i < images * 4 ? 2 * input[i] : -1, "%d", (int)i);
    if (!images) return;
    b.output.bytes--;
    cr_assert_eq(cvk_run(info, &b, NULL), CVK_ERROR_SIZE, "a byte short of so many images");
}

Test(layer, any_batch_is_one_kernel) {
    cvk_layer l = {.struct_size = sizeof l, .name = "twice", .spatial_rank = 1, .batch = CVK_BATCH_ANY};
    l.in_channels = l.out_channels = 1;
    l.input_size[0] = 4;
    l.kernel_size[0] = 1;
    cvk_options options = {.struct_size = sizeof options, .cache = CVK_CACHE_OFF};
    cvk_spec *spec;
    cvk_kernel *kernel;
    cr_assert_eq(cvk_spec_create(&l, NULL, &spec), CVK_OK);
    cr_assert_eq(cvk_compile(spec, &options, NULL, &kernel), CVK_OK);
    const cvk_kernel_info *info = cvk_kernel_get_info(kernel);
    cr_assert(info->batch_any == 1 && info->input_shape[0] == 0 && info->output_shape[0] == 0);
    cr_assert_eq(info->input.bytes, 4 * sizeof(float), "of one image");
    for (uint64_t images = 0; images <= 8; images++) run_batch(info, images, CVK_OK);
    cvk_buffers many = {.struct_size = sizeof many, .batch = (uint64_t)UINT32_MAX + 1};
    cr_assert_eq(cvk_run(info, &many, NULL), CVK_ERROR_ARGUMENT, "tasks are numbered by 32 bits");
    cvk_kernel_free(kernel);
    cvk_spec_free(spec);
    l.batch = -2;
    cr_assert_eq(cvk_spec_create(&l, NULL, &spec), CVK_ERROR_SPEC);
}
