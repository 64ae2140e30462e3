/* Sizes: output sizes and padding by every word against figures worked out by hand, and the same for all small shapes
 * against definitions that do not use the formula. */
#include "support.h"

typedef struct size_case {
    const char *keys;
    int64_t out[AXES], before, after; /* padding of the last axis */
} size_case;

Test(sizes, are_those_worked_out_by_hand) {
    static const size_case cases[] = {
        {"input: [1, 1, 32, 5], kernel_size: 3, padding: 2, stride: 2", {1, 17, 4}, 2, 2},
        {"input: [1, 1, 227, 227], kernel_size: 11, stride: 4", {1, 55, 55}, 0, 0},
        {"input: [1, 1, 224, 224], kernel_size: 7, stride: 2, padding: 3", {1, 112, 112}, 3, 3},
        {"input: [1, 1, 28, 28], kernel_size: 5, dilation: 3, padding: same", {1, 28, 28}, 6, 6},
        {"input: [1, 1, 7, 7], kernel_size: 4, stride: 2, padding: same", {1, 4, 4}, 1, 2},
        {"input: [1, 1, 7, 7], kernel_size: 4, stride: 2, padding: same_lower", {1, 4, 4}, 2, 1},
        {"input: [1, 1, 6, 6], kernel_size: 3, padding: full", {1, 8, 8}, 2, 2},
        {"input: [1, 1, 16000], kernel_size: 2, dilation: 512, padding: causal", {1, 1, 16000}, 512, 0},
        {"input: [1, 1, 16000], kernel_size: 2, dilation: 512, padding: causal, stride: 2", {1, 1, 8000}, 512, 0},
        {"input: [1, 1, 9, 9], kernel_size: 4, padding: causal", {1, 9, 9}, 1, 2},
        {"input: [1, 1, 5, 9, 9], kernel_size: [3, 1, 1], padding: causal", {5, 9, 9}, 0, 0},
        {"input: [1, 1, 10], kernel_size: 1, stride: 3, padding: same", {1, 1, 4}, 0, 0},
        {"input: [1, 1, 10], kernel_size: 3, padding: valid", {1, 1, 8}, 0, 0},
        {"input: [1, 1, 3], kernel_size: 3", {1, 1, 1}, 0, 0},
        {"input: [1, 1, 1], kernel_size: 9, padding: same", {1, 1, 1}, 4, 4},
        {"input: [1, 1, 4], kernel_size: 3, padding: [[7, 0]]", {1, 1, 9}, 7, 0},
        {"input: [1, 1, 5], kernel_size: 2, stride: 32768", {1, 1, 1}, 0, 0},
        {"input: [1, 1, 4, 6, 8], kernel_size: [2, 3, 4], stride: [1, 2, 3]", {3, 2, 2}, 0, 0},
        {"input: [0, 1, 6], kernel_size: 3", {1, 1, 4}, 0, 0},
        {"input: [1, 1, 6], kernel_size: 3, dilation: 2, padding: full", {1, 1, 10}, 4, 4},
        {"transposed: true, input: [1, 1, 4, 4], kernel_size: 4", {1, 7, 7}, 0, 0},
        {"transposed: true, input: [1, 1, 5], kernel_size: 3, stride: 2, padding: 1", {1, 1, 9}, 1, 1},
        {"transposed: true, input: [1, 1, 5], kernel_size: 3, stride: 2, padding: 1, output_padding: 1",
         {1, 1, 10},
         1,
         1},
        {"transposed: true, input: [1, 1, 4, 4], kernel_size: 4, stride: 2, padding: same", {1, 8, 8}, 1, 1},
        {"transposed: true, input: [1, 1, 7], kernel_size: 5, stride: 2, padding: same", {1, 1, 14}, 1, 2},
        {"transposed: true, input: [1, 1, 7], kernel_size: 5, stride: 2, padding: same_lower", {1, 1, 14}, 2, 1},
        {"transposed: true, input: [1, 1, 7], kernel_size: 1, stride: 3, padding: same", {1, 1, 21}, 0, 0},
        {"transposed: true, input: [1, 1, 3], kernel_size: 3, dilation: 4, output_padding: 3", {1, 1, 14}, 0, 0},
        {"transposed: true, input: [1, 1, 2, 3, 4], kernel_size: 2, stride: [1, 2, 3], padding: [[0, 1], [0, 0], [0, "
         "0]]",
         {2, 6, 11},
         0,
         0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char keys[512];
        snprintf(keys, sizeof keys, "name: a, out_channels: 1, %s", cases[i].keys);
        cvk_network *network = one_layer(keys);
        const cvk_spec *s = cvk_network_layer(network, 0);
        cr_expect_arr_eq(s->out_size, cases[i].out, sizeof s->out_size, "%s: %lld x %lld x %lld", keys,
                         (long long)s->out_size[0], (long long)s->out_size[1], (long long)s->out_size[2]);
        cr_expect_eq(s->pad_before[AXIS_W], cases[i].before, "%s: before", keys);
        cr_expect_eq(s->pad_after[AXIS_W], cases[i].after, "%s: after", keys);
        cvk_network_free(network);
    }
}

/* How many windows fit, counted by placing them. */
static int64_t count_windows(int64_t padded, int64_t span, int64_t stride) {
    int64_t n = 0;
    for (int64_t start = 0; start + span <= padded; start += stride) n++;
    return n;
}

static void check_word(const char *word, int64_t in, int64_t kernel, int64_t stride, int64_t dilation) {
    int64_t span = (kernel - 1) * dilation + 1, ceiling = (in + stride - 1) / stride;
    char keys[256];
    if (strcmp(word, "valid") == 0 && span > in) return;
    snprintf(
        keys, sizeof keys,
        "name: a, input: [1, 1, %lld], out_channels: 1, kernel_size: %lld, stride: %lld, dilation: %lld, padding: %s",
        (long long)in, (long long)kernel, (long long)stride, (long long)dilation, word);
    cvk_network *network = one_layer(keys);
    const cvk_spec *s = cvk_network_layer(network, 0);
    int64_t before = s->pad_before[AXIS_W], after = s->pad_after[AXIS_W], out = s->out_size[AXIS_W];
    cr_expect_eq(out, count_windows(in + before + after, span, stride), "%s: as many outputs as windows", keys);
    if (strcmp(word, "same") == 0)
        cr_expect(out == ceiling && (after == before || after == before + 1), "%s: the odd one after", keys);
    if (strcmp(word, "same_lower") == 0)
        cr_expect(out == ceiling && (after == before || before == after + 1), "%s: the odd one before", keys);
    if (strcmp(word, "full") == 0) cr_expect(before == span - 1 && after == span - 1, "%s: every overlap", keys);
    if (strcmp(word, "causal") == 0)
        cr_expect(out == ceiling && before == span - 1 && after == 0, "%s: no future", keys);
    if (strcmp(word, "valid") == 0) cr_expect(before == 0 && after == 0, "%s: nothing", keys);
    cvk_network_free(network);
}

Test(sizes, of_all_small_shapes_follow_the_meaning_of_the_words) {
    static const char *const words[] = {"valid", "same", "same_lower", "full", "causal"};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        for (int64_t in = 1; in <= 9; in++)
            for (int64_t kernel = 1; kernel <= 5; kernel++)
                for (int64_t stride = 1; stride <= 4; stride++)
                    for (int64_t dilation = 1; dilation <= 3; dilation++)
                        check_word(words[w], in, kernel, stride, dilation);
}

/* The two of the literature: s(i - 1) + k - 2p; and with a = (n + 2p - k) mod s added, n, the size from which a
 * convolution gives i. */
Test(sizes, of_transposed_layers_lead_back_to_where_the_convolution_came_from) {
    for (int64_t n = 1; n <= 12; n++)
        for (int64_t k = 1; k <= 5; k++)
            for (int64_t s = 1; s <= 4; s++)
                for (int64_t p = 0; p < k && n + 2 * p >= k; p++) {
                    int64_t i = (n + 2 * p - k) / s + 1, a = (n + 2 * p - k) % s;
                    for (int64_t added = 0; added <= a; added += a ? a : 1) {
                        int64_t expected = s * (i - 1) + added + k - 2 * p;
                        char keys[256];
                        snprintf(keys, sizeof keys,
                                 "name: a, input: [1, 1, %d], out_channels: 1, kernel_size: %d, stride: %d, padding: "
                                 "%d, transposed: true, output_padding: %d",
                                 (int)i, (int)k, (int)s, (int)p, (int)added);
                        if (expected < 1) continue;
                        cvk_network *network = one_layer(keys);
                        cr_expect_eq(cvk_network_layer(network, 0)->out_size[AXIS_W], expected, "%s", keys);
                        cr_expect(added < a || expected == n, "%s", keys);
                        cvk_network_free(network);
                    }
                }
}

Test(sizes, offsets_of_every_layout_number_its_elements_without_gaps) {
    enum { N = 2, C = 18, D = 2, H = 3, W = 4, BLOCKS = 2, MOST = N * 32 * D * H * W };
    const int64_t size[AXES] = {D, H, W};
    for (int layout = CVK_CHANNELS_FIRST; layout <= CVK_BLOCKED; layout++) {
        bool seen[MOST] = {false};
        int64_t elements = layout == CVK_BLOCKED ? MOST : N * C * D * H * W;
        for (int64_t i = 0; i < N * C * D * H * W; i++) {
            int64_t pixel = i % (D * H * W), c = i / (D * H * W) % C, n = i / (D * H * W) / C;
            const int64_t at[AXES] = {pixel / (H * W), pixel / W % H, pixel % W};
            int64_t offset = spec_offset((cvk_layout)layout, C, size, n, c, at);
            cr_assert(offset >= 0 && offset < elements && !seen[offset], "%s: element %lld",
                      spec_layout_name((cvk_layout)layout), (long long)i);
            seen[offset] = true;
        }
    }
    const int64_t at[AXES] = {1, 2, 3};
    cr_expect_eq(spec_offset(CVK_CHANNELS_FIRST, C, size, 1, 17, at), ((1 * C + 17) * D + 1) * H * W + 2 * W + 3);
    cr_expect_eq(spec_offset(CVK_CHANNELS_LAST, C, size, 1, 17, at), (((1 * D + 1) * H + 2) * W + 3) * C + 17);
    cr_expect_eq(spec_offset(CVK_BLOCKED, C, size, 1, 17, at), ((((1 * BLOCKS + 1) * D + 1) * H + 2) * W + 3) * 16 + 1);
}

/* Counted tap by tap. */
static int64_t macs_of_input(const cvk_spec *s) {
    int64_t along[AXES] = {0};
    for (int axis = 0; axis < AXES; axis++)
        for (int64_t o = 0; o < s->out_size[axis]; o++)
            for (int64_t k = 0; k < s->kernel[axis]; k++) {
                const int64_t at = o * s->stride[axis] + k * s->dilation[axis] - s->pad_before[axis];
                along[axis] += at >= 0 && at < s->in_size[axis];
            }
    return s->batch * s->out_channels * spec_group_in(s) * along[AXIS_D] * along[AXIS_H] * along[AXIS_W];
}

Test(sizes, multiply_adds_of_the_input_leave_out_those_of_padding) {
    static const char *const layers[] = {
        "name: a, input: [2, 6, 9], out_channels: 4, kernel_size: 3",
        "name: a, input: [1, 4, 8, 8], out_channels: 4, kernel_size: 3, padding: 1",
        "name: a, input: [1, 4, 5, 9], out_channels: 4, kernel_size: [4, 3], padding: [[3, 1], [0, 5]], stride: [2, 3]",
        "name: a, input: [1, 4, 7, 7], out_channels: 4, kernel_size: 3, dilation: 12, padding: 12",
        "name: a, input: [1, 4, 3, 6, 7], out_channels: 4, kernel_size: [1, 5, 2], padding: same, groups: 2",
        "name: a, input: [1, 2, 4], out_channels: 2, kernel_size: 2, padding: 9, stride: 4",
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        cvk_network *network = one_layer(layers[i]);
        const cvk_spec *s = cvk_network_layer(network, 0);
        cr_expect_eq(spec_macs_of_input(s), macs_of_input(s), "%s", layers[i]);
        cvk_network_free(network);
    }
}

Test(sizes, no_other_border_is_absent) {
    cvk_network *network =
        one_layer("name: a, input: [1, 2, 8, 8], out_channels: 2, kernel_size: 3, padding: 1, padding_mode: reflect");
    const cvk_spec *s = cvk_network_layer(network, 0);
    cr_expect_eq(spec_macs_of_input(s), spec_macs(s));
    cvk_network_free(network);
}

Test(sizes, derived_figures_are_right) {
    cvk_network *network = one_layer("name: a, input: [2, 12, 5, 7], out_channels: 18, kernel_size: [3, 2], groups: 3, "
                                     "layout: {input: blocked, output: channels_last}, post_ops: [add, relu, add]");
    const cvk_spec *s = cvk_network_layer(network, 0);
    cr_expect(spec_group_in(s) == 4 && spec_group_out(s) == 6 && spec_taps(s) == 6);
    cr_expect_eq(spec_macs(s), 2 * 18 * 3 * 6 * 4 * 6);
    cr_expect_eq(spec_input_elements(s), 2 * 16 * 5 * 7, "blocks are filled up");
    cr_expect_eq(spec_output_elements(s), 2 * 18 * 3 * 6);
    cr_expect_eq(spec_weights_elements(s), 18 * 4 * 6);
    cr_expect_eq(spec_operands(s, OPERAND_TENSOR), 2);
    cvk_network_free(network);
}
