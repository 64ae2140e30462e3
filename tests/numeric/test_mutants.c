/* Does the check see a wrong kernel? Each row is a bug that stays inside its buffers, so that nest_check has nothing to
 * say, seeded into every plan of a layer where it makes a difference. Every one must break the identity with the
 * formula or the certificate of stores; and put the output outside its bound, but for those whose effect floats may
 * hide: there it is said how many were seen.
 */
#include "chain_mutants.h"
#include "mutate.h"
#include "trial.h"

#include "emit/emit.h"
#include "jit/kernel.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* A change of the layer: the nests are built for what a generator took it to be. */
typedef void misread(cvk_spec *s);

typedef struct mutant {
    const char *name;
    const char *layer;
    misread *misread; /* or */
    edit *edit;       /* of the kernel; in `pack`, of the packing */
    mutation mutation;
    bool pack;
    int phase;                                    /* the first whose nests it may be in */
    bool subtle;                                  /* the check in floats may miss it */
    bool in_indices;                              /* of which the identity knows nothing */
    bool of_type;                                 /* residues, which have no type, do not see it */
    void (*hide)(const cvk_spec *, layer_data *); /* data behind which it hides, or NULL */
} mutant;

/* ---- layers misread ---- */

static void swap_pads(cvk_spec *s) {
    int64_t before = s->pad_before[AXIS_W];
    s->pad_before[AXIS_W] = s->pad_after[AXIS_W];
    s->pad_after[AXIS_W] = before;
}

static void swap_pad_axes(cvk_spec *s) {
    int64_t before = s->pad_before[AXIS_H], after = s->pad_after[AXIS_H];
    s->pad_before[AXIS_H] = s->pad_before[AXIS_W], s->pad_after[AXIS_H] = s->pad_after[AXIS_W];
    s->pad_before[AXIS_W] = before, s->pad_after[AXIS_W] = after;
}

static void swap_post_ops(cvk_spec *s) {
    post_op first = s->post[0];
    s->post[0] = s->post[1];
    s->post[1] = first;
}

static void forget_post_op(cvk_spec *s) { s->post_count--; }
static void forget_before(cvk_spec *s) { s->accumulate = false; }
static void forget_flip(cvk_spec *s) { s->flip_kernel = !s->flip_kernel; }
static void repeat_the_edge(cvk_spec *s) { s->padding = PAD_SYMMETRIC; }
static void replicate_border(cvk_spec *s) { s->padding = PAD_REPLICATE; }
static void forget_border(cvk_spec *s) { s->padding = PAD_ZEROS; }
static void forget_nan(cvk_spec *s) { s->ignore_nan = false; }
static void nudge_border(cvk_spec *s) { s->padding_constant *= 1.0001; }
static void border_from_0(cvk_spec *s) { s->padding_constant += s->input_zero; }
static void crop_the_other_end(cvk_spec *s) { s->pad_before[AXIS_W]--, s->pad_after[AXIS_W]++; }
static void shift_phases(cvk_spec *s) { s->pad_before[AXIS_H]++, s->output_padding[AXIS_H]++; }
static void steeper_slope(cvk_spec *s) { s->post[0].a *= 1.0001F; }

static void relu_for_leaky(cvk_spec *s) { s->post[0] = (post_op){.kind = POST_RELU}; }
static void tanh_gelu(cvk_spec *s) { s->post[0].kind = POST_GELU_TANH; }
static void hard_sigmoid(cvk_spec *s) { s->post[0].kind = POST_HARD_SIGMOID; }
static void input_from_0(cvk_spec *s) { s->input_zero = 0; }
static void weights_from_1(cvk_spec *s) { s->weights_zero++; }
static void f16_input(cvk_spec *s) { s->input_type = TYPE_F16; }
static void bf16_weights(cvk_spec *s) { s->weights_type = TYPE_BF16; }
static void bf16_output(cvk_spec *s) { s->output_type = TYPE_BF16; }

static void instance_for_group(cvk_spec *s) { s->groups = s->in_channels; }
static void twice_epsilon(cvk_spec *s) { s->epsilon *= 2; }
static void plain_for_half_pixel(cvk_spec *s) { s->coordinates = COORDINATES_ASYMMETRIC; }
static void corners_for_half_pixel(cvk_spec *s) { s->coordinates = COORDINATES_ALIGN_CORNERS; }
static void round_up_for_down(cvk_spec *s) { s->nearest = ROUNDING_CEIL; }
static void add_for_multiply(cvk_spec *s) { s->post[0].kind = POST_ADD; }
static void other_share(cvk_spec *s) { s->post[0].a *= 1.0001; }

static void average_over_padding(cvk_spec *s) { s->count_include_pad = !s->count_include_pad; }
static void average_for_maximum(cvk_spec *s) { s->kind = LAYER_AVERAGE_POOL; }

/* ---- data that hide a bug ---- */

/* The layers are f32. */
static float *writable(layer_data *d, const void *tensor) {
    return (float *)d->memory + ((const float *)tensor - (const float *)d->tensors.input);
}
static float *weights_of(layer_data *d) { return writable(d, d->tensors.weights); }
static float *bias_of(layer_data *d) { return writable(d, d->tensors.bias); }

/* Weights of the first kernel row count for nothing. */
static void tiny_first_row(const cvk_spec *s, layer_data *d) {
    float *w = weights_of(d);
    for (int64_t i = 0; i < spec_weights_elements(s); i++)
        if (i / s->kernel[AXIS_W] % s->kernel[AXIS_H] == 0) w[i] *= 1e-12F;
}

static void tiny_last_channel(const cvk_spec *s, layer_data *d) {
    float *w = weights_of(d);
    for (int64_t i = 0; i < spec_weights_elements(s); i++)
        if (i / spec_taps(s) % spec_group_in(s) == spec_group_in(s) - 1) w[i] *= 1e-12F;
}

static void tiny_bias(const cvk_spec *s, layer_data *d) {
    for (int64_t i = 0; i < s->out_channels; i++) bias_of(d)[i] *= 1e-12F;
}

static void small_weights(const cvk_spec *s, layer_data *d) {
    for (int64_t i = 0; i < spec_weights_elements(s); i++) weights_of(d)[i] *= 0x1p-6F;
}

/* All taps of a filter are one. */
static void flat_filters(const cvk_spec *s, layer_data *d) {
    float *w = weights_of(d);
    for (int64_t i = 0; i < spec_weights_elements(s); i++) w[i] = w[i / spec_taps(s) * spec_taps(s)];
}

static void flat_input(const cvk_spec *s, layer_data *d) {
    for (int64_t i = 0; i < s->batch * s->in_channels * s->in_size[0] * s->in_size[1] * s->in_size[2]; i++)
        writable(d, d->tensors.input)[i] = 1;
}

static void equal_scales(const cvk_spec *s, layer_data *d) {
    float *scale = writable(d, d->tensors.scale);
    for (int64_t i = 0; i < s->out_channels; i++) scale[i] = 0.5F;
}

/* For edits that need to know no more. */
#define NOTHING {"", "", "", 0}

#define NORM "{name: norm, kind: group_norm, input: [2, 12, 9, 19]"
#define POSITIONS "{name: positions, kind: layer_norm, input: [2, 21, 5, 9], layout: channels_last"
#define RESIZED "{name: resized, kind: resize, input: [2, 9, 5, 8], output_size: [10, 13]"
#define DENSE "{name: dense, input: [2, 5, 9, 19], out_channels: 21, kernel_size: 3, padding: 1, bias: true"
#define TRANSPOSED                                                                                                     \
    "{name: transposed, input: [1, 5, 4, 9], out_channels: 21, kernel_size: 5, stride: 2, padding: [[1, 2], [2, 1]], " \
    "transposed: true"
#define FOLDED                                                                                                         \
    "{name: folded, input: [1, 5, 6, 9], out_channels: 21, kernel_size: 3, padding: 2, stride: 2, bias: true, "        \
    "transposed: true"
#define GRADIENT                                                                                                       \
    "{name: gradient, input: [2, 33, 5, 9], out_channels: 21, kernel_size: 3, padding: 1, direction: backward_weights"
#define IN_PARTS                                                                                                       \
    "{name: parts, input: [2, 9, 90, 90], out_channels: 17, kernel_size: 1, direction: backward_weights, bias: true"
#define OF_DATA                                                                                                        \
    "{name: of_data, input: [1, 20, 9, 7], out_channels: 6, kernel_size: 3, padding: 1, direction: backward_data, "    \
    "accumulate: true"
#define BYTES                                                                                                          \
    ", dtype: {input: u8, weights: s8, output: s32}, quantization: {input_zero_point: 7, weights_zero_point: -3}"
#define LAST ", layout: channels_last"
#define BLOCKED ", layout: blocked"
#define GROUPED "{name: grouped, input: [1, 12, 7, 18], out_channels: 18, groups: 3, kernel_size: 3, padding: 1"
#define FEW                                                                                                            \
    "{name: few, input: [1, 37, 6, 9], out_channels: 3, kernel_size: 3, padding: 1, bias: true, layout: channels_last"
#define DEPTHWISE                                                                                                      \
    "{name: depthwise, input: [1, 21, 8, 18], out_channels: 21, groups: depthwise, kernel_size: 3, padding: 1"
#define LONG "{name: long, input: [1, 3, 70], out_channels: 19, kernel_size: 5"
#define BORDER "{name: border, input: [1, 5, 8, 19], out_channels: 17, kernel_size: 3, padding: 2, padding_mode: "
#define NANS "{name: nans, input: [1, 3, 8, 19], out_channels: 5, kernel_size: 3, padding: 1, nan: ignore"
#define SOLID "{name: solid, input: [1, 4, 5, 6, 18], out_channels: 18, kernel_size: [3, 2, 3], padding: 1"

#define MAXIMUM "{name: maximum, kind: max_pool, input: [2, 21, 9, 19], kernel_size: [3, 2], stride: 2, padding: 1"
#define MEAN "{name: mean, kind: average_pool, input: [2, 21, 9, 19], kernel_size: 3, stride: 2, padding: 1"

#define WINOGRAD                                                                                                       \
    "{name: winograd, input: [1, 5, 9, 19], out_channels: 21, kernel_size: 3, padding: 1, bias: true, algorithm: winograd"

/* Blocks of tiles and slices of input channels enough for both to be tasks. */
#define SPECTRA                                                                                                        \
    "{name: spectra, input: [1, 3, 20, 70], out_channels: 4, kernel_size: 5, padding: 2, bias: true, schedule: "       \
    "{algorithm: fft, lanes: columns, tile: {oc: 2, od: 1, oh: 16, ow: 32}, block: {oh: 1, ow: 1}, unroll: {ic: 1, "   \
    "kw: false}, order: [n, g, oc, od, oh, ow], tasks: 6, pack: {input_rows: 0}}"
#define PHASED                                                                                                         \
    "{name: phased, input: [1, 35, 18, 30], out_channels: 70, kernel_size: 3, padding: 1, algorithm: winograd"

static const mutant mutants[] = {
    /* Layers misread: padding, order, borders. */
    {"pads swapped", LONG ", padding: [[3, 1]]}", .misread = swap_pads},
    {"pads swapped, strided", LONG ", padding: [[3, 0]], stride: 2}", .misread = swap_pads},
    {"pads swapped, depthwise",
     "{name: depthwise, input: [1, 21, 18], out_channels: 21, groups: depthwise, kernel_size: 4, padding: [[2, 1]]}",
     .misread = swap_pads},
    {"pads of two axes swapped",
     "{name: axes, input: [1, 3, 17, 17], out_channels: 17, kernel_size: 3, padding: [[1, 0], [0, 1]]}",
     .misread = swap_pad_axes},
    {"post-ops swapped: add, relu", DENSE ", post_ops: [add, relu]}", .misread = swap_post_ops},
    {"post-ops swapped: scale, add", DENSE ", post_ops: [{scale: per_channel}, add]" LAST "}",
     .misread = swap_post_ops},
    {"last post-op forgotten", DENSE ", post_ops: [add, relu6]" LAST "}", .misread = forget_post_op},
    {"flip_kernel forgotten", DENSE ", flip_kernel: true}", .misread = forget_flip},
    {"flip_kernel invented", DEPTHWISE LAST "}", .misread = forget_flip},
    {"the edge repeated", BORDER "reflect}", .misread = repeat_the_edge},
    {"the edge replicated, not mirrored", BORDER "symmetric" LAST "}", .misread = replicate_border},
    {"replicated for circular", BORDER "circular" BLOCKED "}", .misread = replicate_border},
    {"border left out", BORDER "replicate}", .misread = forget_border},
    {"zeros for a constant", BORDER "{constant: -0.5}" BLOCKED "}", .misread = forget_border},
    {"the edge for a constant", BORDER "{constant: 0.75}" LAST "}", .misread = replicate_border},
    {"a constant off by 1e-4", BORDER "{constant: 3}}", .misread = nudge_border},
    {"a constant counted from 0", BORDER "{constant: 200}" BYTES "}", .misread = border_from_0},
    {"slope off by 1e-4", DENSE ", post_ops: [{leaky_relu: 0.25}]" LAST "}", .misread = steeper_slope},
    {"relu for leaky_relu", DENSE ", post_ops: [{leaky_relu: 0.01}]}", .misread = relu_for_leaky},
    {"gelu_tanh for gelu", DENSE ", post_ops: [gelu]" LAST "}", .misread = tanh_gelu},
    {"instances for groups", NORM ", groups: 3}", .misread = instance_for_group},
    {"epsilon twice", NORM ", groups: 3, epsilon: 0.01}", .misread = twice_epsilon},
    {"epsilon twice, of positions", POSITIONS ", epsilon: 0.01}", .misread = twice_epsilon},
    {"output n where o n / out lies", RESIZED ", interpolation: linear}", .misread = plain_for_half_pixel},
    {"corners aligned", RESIZED LAST ", interpolation: linear}", .misread = corners_for_half_pixel},
    {"the nearest above", RESIZED "}", .misread = round_up_for_down},
    {"sum for product", RESIZED LAST ", post_ops: [multiply]}", .misread = add_for_multiply},
    {"share off by 1e-4", DENSE ", post_ops: [{blend: 0.25}]}", .misread = other_share},
    {"hard_sigmoid for sigmoid", DENSE ", post_ops: [sigmoid]}", .misread = hard_sigmoid},
    {"zero point of the input forgotten", DENSE BYTES "}", .misread = input_from_0},
    {"zero point of the weights off by one", DEPTHWISE LAST BYTES "}", .misread = weights_from_1},
    {"f16 for bf16 input", DENSE ", dtype: bf16}", .misread = f16_input, .of_type = true},
    {"f16 for bf16 input, depthwise", DEPTHWISE LAST ", dtype: bf16}", .misread = f16_input, .of_type = true},
    {"bf16 for f16 weights", DENSE LAST ", dtype: {input: f32, weights: f16, output: f32}}", .misread = bf16_weights,
     .of_type = true},
    {"bf16 for f16 weights, transformed", WINOGRAD ", dtype: f16}", .misread = bf16_weights, .of_type = true},
    {"bf16 for f16 output", GROUPED BLOCKED ", dtype: f16}", .misread = bf16_output, .of_type = true},
    /* Loop bounds. */
    {"last kernel row dropped", DENSE LAST "}", .edit = drop_last, .mutation = {"", "kh", "", 0}},
    {"first kernel row dropped", DENSE "}", .edit = drop_first, .mutation = {"", "kh", "", 0}},
    {"last kernel column dropped", DENSE LAST "}", .edit = drop_last, .mutation = {"", "kw", "", 0}},
    {"first kernel column dropped", LONG ", padding: same}", .edit = drop_first, .mutation = {"", "kw", "", 0}},
    {"last kernel slice dropped", SOLID "}", .edit = drop_last, .mutation = {"", "kd", "", 0}},
    {"last kernel column dropped, depthwise", DEPTHWISE "}", .edit = drop_last, .mutation = {"", "kw", "", 0}},
    {"last input channel dropped", DENSE "}", .edit = drop_last, .mutation = {"", "ic", "", 0}},
    {"first input channel dropped", GROUPED LAST "}", .edit = drop_first, .mutation = {"", "ic", "", 0}},
    {"last input channel of a block dropped", DENSE BLOCKED "}", .edit = drop_last, .mutation = {"", "ic", "", 0}},
    {"last packed row dropped", BORDER "reflect" LAST "}", .edit = drop_last, .mutation = {"", "row", "", 0}},
    {"last packed channel dropped", BORDER "reflect}", .edit = drop_last, .mutation = {"", "c", "", 0}},
    /* Addresses. */
    {"every image reads the first", DENSE "}", .edit = forget_variable, .mutation = {"input", "n", "", 0}},
    {"every group reads the first", GROUPED "}", .edit = forget_variable, .mutation = {"input", "g", "", 0}},
    {"every group has the weights of the first", GROUPED LAST "}", .edit = forget_variable,
     .mutation = {"weights", "g", "", 0}},
    {"channel multiplier reads other filters",
     "{name: multiplier, input: [1, 9, 6, 18], out_channels: 18, "
     "groups: depthwise, kernel_size: 3, bias: true}",
     .edit = forget_variable, .mutation = {"weights", "g", "", 0}},
    {"kernel rows and columns of the weights swapped", DENSE LAST "}", .edit = swap_variables,
     .mutation = {"weights", "kh", "kw", 0}},
    {"kernel rows and columns of the weights swapped, depthwise", DEPTHWISE "}", .edit = swap_variables,
     .mutation = {"weights", "kh", "kw", 0}},
    {"input channel of the weights forgotten", DENSE "}", .edit = forget_variable,
     .mutation = {"weights", "ic", "", 0}},
    {"input channel of the input forgotten", DENSE LAST "}", .edit = forget_variable,
     .mutation = {"input", "ic", "", 0}},
    {"every block of input channels is the first",
     "{name: blocks, input: [1, 40, 5, 9], out_channels: 17, "
     "kernel_size: 1, layout: blocked}",
     .edit = forget_variable, .mutation = {"input", "cb", "", 0}},
    {"dilation forgotten", LONG ", dilation: 2}", .edit = divide_coefficient, .mutation = {"input", "kw", "", 2}},
    {"stride of the rows forgotten",
     "{name: rows, input: [1, 3, 19, 9], out_channels: 17, kernel_size: 3, "
     "stride: [2, 1]}",
     .edit = divide_coefficient, .mutation = {"input", "oh", "", 2}},
    {"stride of a tile's columns forgotten", LONG ", stride: 2" LAST "}", .edit = divide_coefficient,
     .mutation = {"input", "c", "", 2}},
    {"stride of the lanes forgotten", LONG ", stride: 2}", .edit = divide_stride, .mutation = {"input", "", "", 2}},
    {"rows of scratch forgotten", BORDER "circular" LAST "}", .edit = forget_variable,
     .mutation = {"packed", "kh", "", 0}},
    /* Bias, addend, scale. */
    {"bias left out", DENSE LAST "}", .edit = forget_tensor, .mutation = {"bias", "", "", 0}},
    {"bias of the wrong channel", "{name: bias, input: [1, 3, 5, 18], out_channels: 70, kernel_size: 1, bias: true}",
     .edit = forget_variable, .mutation = {"bias", "j", "", 0}},
    {"bias of the first group", GROUPED ", bias: true}", .edit = forget_variable, .mutation = {"bias", "g", "", 0}},
    {"addend left out", DENSE ", post_ops: [add]}", .edit = forget_tensor, .mutation = {"addend", "", "", 0}},
    {"addend of the first image", DENSE ", post_ops: [add]" LAST "}", .edit = forget_variable,
     .mutation = {"addend", "n", "", 0}},
    {"scale of the first group", GROUPED ", post_ops: [{scale: per_channel}]}", .edit = forget_variable,
     .mutation = {"scale", "g", "", 0}},
    {"divided by the scale", DENSE ", post_ops: [{scale: per_channel}]}", .edit = div_for_mul, .mutation = NOTHING},
    {"mean of the first image", NORM ", groups: 3}", .edit = forget_variable, .mutation = {"mean", "n", "", 0}},
    {"gate of the first image", DENSE ", post_ops: [gate]" LAST "}", .edit = forget_variable,
     .mutation = {"gate", "n", "", 0}},
    {"weights of the first column", RESIZED LAST ", interpolation: linear}", .edit = forget_variable,
     .mutation = {"input", "ow", "", 0}},
    {"addend subtracted", DENSE ", post_ops: [add]" LAST "}", .edit = sub_for_add, .mutation = NOTHING},
    /* Masks and lanes. */
    {"last column of a masked load lost", LONG ", padding: same}", .edit = short_mask,
     .mutation = {"input", "", "", 0}},
    {"last lane of an edge's sum lost", LONG ", padding: same}", .edit = short_mask, .mutation = {"", "", "", 0}},
    {"first lane of an edge's sum lost", LONG ", padding: same}", .edit = late_mask, .mutation = {"", "", "", 0}},
    {"last valid channel of a load lost", DEPTHWISE LAST "}", .edit = short_mask, .mutation = {"input", "", "", 0}},
    {"last valid channel of the bias lost", DENSE LAST "}", .edit = short_mask, .mutation = {"bias", "", "", 0}},
    {"fill channels not cleared", DENSE ", post_ops: [sigmoid]" BLOCKED "}", .edit = copy_for_keep,
     .mutation = NOTHING},
    {"last channel of a vector of input lost", FEW "}", .edit = short_mask, .mutation = {"input", "", "", 0}},
    {"lanes not brought together", FEW "}", .edit = forget_shuffle, .mutation = NOTHING},
    {"lanes of a group not turned back",
     "{name: four, input: [1, 24, 7, 9], out_channels: 24, groups: 6, kernel_size: 3" LAST "}", .edit = forget_shuffle,
     .mutation = NOTHING},
    {"tile not transposed", DENSE "}", .edit = forget_transpose, .mutation = NOTHING},
    /* Sums and post-ops. */
    {"sums of the tile before", LONG ", padding: same}", .edit = keep_sums, .mutation = {"", "ow", "", 0}},
    {"sums of the tile before, channels_last", LONG LAST "}", .edit = keep_sums, .mutation = {"", "ow", "", 0}},
    {"products not summed", DENSE "}", .edit = forget_sum, .mutation = NOTHING},
    {"min for max", DENSE ", post_ops: [relu]" LAST "}", .edit = min_for_max, .mutation = NOTHING},
    {"max for min", DENSE ", post_ops: [relu6]}", .edit = max_for_min, .mutation = NOTHING},
    {"six is five", DENSE ", post_ops: [hard_swish]" LAST "}", .edit = change_constant, .mutation = {"", "", "", 6}},
    /* Winograd's transforms. */
    {"coefficient 4 is 3", WINOGRAD "}", .edit = change_constant, .mutation = {"", "", "", 4}},
    {"coefficient -5 is -6", WINOGRAD LAST "}", .edit = change_constant, .mutation = {"", "", "", -5}},
    {"coefficient -8 is -9", WINOGRAD "}", .edit = change_constant, .mutation = {"", "", "", -8}},
    {"coefficients off by 1e-4", WINOGRAD BLOCKED "}", .edit = nudge_constants, .mutation = NOTHING},
    {"zeros outside are not", WINOGRAD "}", .edit = change_constant, .mutation = {"", "", "", 0}},
    {"points added, not subtracted", WINOGRAD LAST "}", .edit = sub_for_add, .mutation = NOTHING},
    {"every point has the weights of the first", WINOGRAD "}", .edit = forget_variable,
     .mutation = {"weights", "point", "", 0}},
    {"every point has the input of the first", WINOGRAD "}", .edit = forget_variable,
     .mutation = {"scratch", "point", "", 0}},
    {"every point has the input of the first, by phases", PHASED "}", .edit = forget_variable,
     .mutation = {"workspace", "point", "", 0}},
    {"every block is left where the first is, by phases", PHASED ", layout: channels_last}", .edit = forget_variable,
     .mutation = {"workspace", "oh", "", 0}},
    {"every block reads the first, by phases", PHASED ", layout: channels_last}", .edit = forget_variable,
     .mutation = {"workspace", "oh", "", 0}, .phase = 1},
    {"last column of points is not left, by phases", PHASED "}", .edit = drop_last, .mutation = {"", "pw", "", 0}},
    {"every slice of channels is the first, by phases", PHASED "}", .edit = forget_variable,
     .mutation = {"workspace", "slice", "", 0}},
    {"last input channel of a point dropped", WINOGRAD LAST "}", .edit = drop_last, .mutation = {"", "ic", "", 0}},
    {"every tile reads the first", WINOGRAD "}", .edit = forget_variable, .mutation = {"scratch", "tw", "", 0}},
    /* Transposed layers. */
    {"cropped at the other end", TRANSPOSED "}", .misread = crop_the_other_end},
    {"a phase for its neighbour", TRANSPOSED LAST "}", .misread = shift_phases},
    {"a transposed kernel flipped", TRANSPOSED BLOCKED "}", .misread = forget_flip},
    {"a phase reads the first tap alone", TRANSPOSED LAST "}", .edit = forget_variable,
     .mutation = {"weights", "kw", "", 0}},
    {"a phase's last tap not packed", TRANSPOSED "}", .edit = drop_last, .mutation = {"", "kw", "", 0}, .pack = true},
    {"a border folded back with the edge", FOLDED ", padding_mode: reflect}", .misread = repeat_the_edge},
    {"a border dropped, not folded back", FOLDED ", padding_mode: circular" LAST "}", .misread = forget_border},
    {"a folded row lost", FOLDED ", padding_mode: replicate" BLOCKED "}", .edit = drop_last,
     .mutation = {"", "fh", "", 0}, .phase = 1},
    /* Gradients of weights. */
    {"gradients of a border that is not there", GRADIENT ", padding_mode: replicate}", .misread = forget_border},
    {"gradients of zeros for a constant", GRADIENT ", padding_mode: {constant: 2}}", .misread = forget_border},
    {"gradients of a kernel flipped", GRADIENT LAST "}", .misread = forget_flip},
    {"a row of gradients not packed", GRADIENT "}", .edit = drop_last, .mutation = {"", "kd", "", 0}},
    {"every image is the first", GRADIENT LAST "}", .edit = forget_variable, .mutation = {"input", "ic", "", 0}},
    {"every input channel is the first", GRADIENT LAST "}", .edit = forget_variable,
     .mutation = {"input", "ow", "", 0}},
    {"gradients of weights overwrite what they are added to", GRADIENT ", bias: true, accumulate: true}",
     .misread = forget_before},
    {"sums of parts overwrite what they are added to", IN_PARTS ", accumulate: true}", .misread = forget_before,
     .subtle = true},
    {"gradients of the data overwrite what they are added to", OF_DATA LAST "}", .misread = forget_before},
    {"a folded border overwrites what it is added to", OF_DATA ", padding_mode: reflect}", .misread = forget_before},
    {"what is there is added twice", OF_DATA LAST "}", .edit = add_loaded_twice, .mutation = {"output", "", "", 0}},
    {"winograd's kernel flipped", WINOGRAD "}", .misread = forget_flip},
    {"winograd's pads swapped",
     "{name: winograd, input: [1, 5, 12, 19], out_channels: 21, kernel_size: 3, padding: [[1, 1], [2, 0]], "
     "algorithm: winograd}",
     .misread = swap_pads},
    {"packed transform of the kernel off by 1e-4", WINOGRAD "}", .edit = nudge_constants, .mutation = NOTHING,
     .pack = true},
#include "nan_mutants.def"
#include "chain_mutants.def"
    /* Pools. */
    {"a minimum", MAXIMUM "}", .edit = min_for_maximum, .mutation = NOTHING},
    {"a minimum, channels_last", MAXIMUM LAST "}", .edit = min_for_maximum, .mutation = NOTHING},
    {"padding as zeros in a maximum", MAXIMUM LAST "}", .edit = begin_with_zero, .mutation = NOTHING},
    {"an average for a maximum", MAXIMUM "}", .misread = average_for_maximum},
    {"a maximum's last row dropped", MAXIMUM "}", .edit = drop_last, .mutation = {"", "kh", "", 0}},
    {"a maximum's first column dropped", MAXIMUM LAST "}", .edit = drop_first, .mutation = {"", "kw", "", 0}},
    {"windows a column off", MAXIMUM BLOCKED "}", .misread = crop_the_other_end},
    {"last lane of an edge's maximum lost", MAXIMUM "}", .edit = short_mask, .mutation = {"", "", "", 0}},
    {"an average over padding", MEAN "}", .misread = average_over_padding},
    {"an average over padding, channels_last", MEAN LAST "}", .misread = average_over_padding},
    {"an average not over padding", MEAN ", count_include_pad: true" BLOCKED "}", .misread = average_over_padding},
    {"six taps are five", MEAN LAST "}", .edit = change_constant, .mutation = {"", "", "", 6}},
    {"nine taps are eight", MEAN "}", .edit = change_constant, .mutation = {"", "", "", 9}},
    {"times the number of taps", MEAN "}", .edit = mul_for_div, .mutation = NOTHING},
    {"inputs subtracted", MEAN LAST "}", .edit = sub_for_add, .mutation = {"acc", "", "", 0}},
    {"indices of the least", MAXIMUM ", indices: true}", .edit = less_for_greater, .mutation = NOTHING,
     .in_indices = true},
    {"indices count columns of one row", MAXIMUM ", indices: true" LAST "}", .edit = drop_from_number,
     .mutation = {"", "kh", "", 0}, .in_indices = true},
    {"an index not stored", MAXIMUM ", indices: true" LAST "}", .edit = short_store, .mutation = {"indices", "", "", 0},
     .in_indices = true},
    /* Packing of the weights. */
    {"packed from the first group", GROUPED "}", .edit = forget_variable, .mutation = {"weights", "g", "", 0},
     .pack = true},
    {"packed with rows and columns swapped", DENSE "}", .edit = swap_variables, .mutation = {"weights", "kh", "kw", 0},
     .pack = true},
    {"last input channel not packed", DENSE LAST "}", .edit = drop_last, .mutation = {"", "ic", "", 0}, .pack = true},
    {"last kernel row not packed", DEPTHWISE LAST "}", .edit = drop_last, .mutation = {"", "kh", "", 0}, .pack = true},
    {"last channel of a block packed as zero", DENSE "}", .edit = short_mask, .mutation = {"weights", "", "", 0},
     .pack = true},
    /* Fast transforms. */
    {"every node has the constants of the first", SPECTRA "}", .edit = forget_variable,
     .mutation = {"cosines", "node", "", 0}, .phase = 1},
    {"constants are those that follow", SPECTRA "}", .edit = shift_offset, .mutation = {"cosines", "", "", 1},
     .phase = 1},
    {"a constant missing, packing", SPECTRA "}", .edit = forget_tensor, .mutation = {"cosines", "", "", 0},
     .pack = true},
    {"signs are twice", SPECTRA "}", .edit = change_constant, .mutation = {"", "", "", -1}, .phase = 1},
    {"a sum reflected once, not twice", SPECTRA "}", .edit = change_constant, .mutation = {"", "", "", 2}, .phase = 1},
    {"squares stay as they were", SPECTRA "}", .edit = forget_transpose, .mutation = NOTHING, .phase = 1},
    {"every tile has the first one's spectrum", SPECTRA "}", .edit = forget_variable,
     .mutation = {"spectra", "oh", "", 0}, .phase = 2},
    {"last input channel of a spectrum dropped", SPECTRA "}", .edit = drop_last, .mutation = {"", "ic", "", 0},
     .phase = 2},
    {"last column of a plane not copied", SPECTRA "}", .edit = short_mask, .mutation = {"input", "", "", 0}},
    {"last tap not transformed", SPECTRA "}", .edit = drop_last, .mutation = {"", "kw", "", 0}, .pack = true},
    /* What a tolerance, or data alike, may hide. */
    {"a coefficient one float off", WINOGRAD "}", .edit = next_float, .mutation = NOTHING, .subtle = true},
    {"a coefficient one float off, packing", WINOGRAD LAST "}", .edit = next_float, .mutation = NOTHING, .pack = true,
     .subtle = true},
    {"a sixth is a float", WINOGRAD BLOCKED "}", .edit = forget_ratio, .mutation = NOTHING, .pack = true,
     .subtle = true},
    {"kernel row of tiny weights counted twice", DENSE LAST "}", .edit = add_first_twice, .mutation = {"", "kh", "", 0},
     .subtle = true, .hide = tiny_first_row},
    {"kernel row of tiny weights dropped", DENSE "}", .edit = drop_first, .mutation = {"", "kh", "", 0}, .subtle = true,
     .hide = tiny_first_row},
    {"last input channel of tiny weights missed", DENSE LAST "}", .edit = drop_last, .mutation = {"", "ic", "", 0},
     .subtle = true, .hide = tiny_last_channel},
    {"small bias added twice", DENSE LAST "}", .edit = double_bias, .mutation = NOTHING, .subtle = true,
     .hide = tiny_bias},
    {"tiles stored twice", DENSE BLOCKED "}", .edit = store_twice, .mutation = {"output", "", "", 0}, .subtle = true},
    {"weights packed twice", DENSE LAST "}", .edit = store_twice, .mutation = {"packed", "", "", 0}, .pack = true,
     .subtle = true},
    {"transformed tiles stored twice, by phases", PHASED "}", .edit = store_twice, .mutation = {"workspace", "", "", 0},
     .subtle = true},
    {"last channel not stored", DENSE LAST "}", .edit = short_store, .mutation = {"output", "", "", 0}, .subtle = true},
    {"output read for the addend", DENSE ", post_ops: [add]" LAST "}", .edit = read_other,
     .mutation = {"addend", "", "output", 0}, .subtle = true},
    {"rows and columns of like weights swapped", DENSE LAST "}", .edit = swap_variables,
     .mutation = {"weights", "kh", "kw", 0}, .subtle = true, .hide = flat_filters},
    {"flip of like weights forgotten", DENSE ", flip_kernel: true}", .misread = forget_flip, .subtle = true,
     .hide = flat_filters},
    {"the edge of a flat input repeated", BORDER "reflect}", .misread = repeat_the_edge, .subtle = true,
     .hide = flat_input},
    {"like scales of the first group", GROUPED ", post_ops: [{scale: per_channel}]}", .edit = forget_variable,
     .mutation = {"scale", "g", "", 0}, .subtle = true, .hide = equal_scales},
    {"six is five where nothing is as large", DENSE ", post_ops: [relu6]" LAST "}", .edit = change_constant,
     .mutation = {"", "", "", 6}, .subtle = true, .hide = small_weights},
};

#ifndef MOST_PLANS
#define MOST_PLANS                                                                                                     \
    INT_MAX /* that a bug is seeded into, of one layer and target: fewer where sanitizers make each slow */
#endif

enum { MUTANTS = sizeof mutants / sizeof *mutants };

/* ---- trying them ---- */

/* A mutant on one layer and target. */
typedef struct attempt {
    const mutant *mutant;
    arena *arena;
    const cvk_target *target;
    cvk_spec meant;   /* the layer */
    cvk_spec misread; /* what the nests are built for */
    trial trial;
    int plans; /* that have a place for the bug */
    int seen, broke_identity, broke_stores;
} attempt;

static const char *describe(const attempt *a, const layer_plan *plan) {
    return arena_format(a->arena, "%s, target %s\n%s", a->mutant->name, a->target->name,
                        trial_yaml(a->arena, &a->meant, plan));
}

static bool seed_in(const attempt *a, nest *n) { return a->mutant->edit(n, &a->mutant->mutation); }

/* In the first nest that has a place for it. */
static bool seed_in_phase(const attempt *a, const nest_phase *phase) {
    for (int k = 0; k < phase->count; k++)
        if (seed_in(a, phase->nest[k])) return true;
    return false;
}

static bool seed_in_program(const attempt *a, const nest_program *run) {
    for (int p = a->mutant->phase; p < run->count; p++)
        if (seed_in_phase(a, &run->phase[p])) return true;
    return false;
}

/* Whether the bug went in and stays inside its buffers. */
static bool seed_bug(const attempt *a, const compile_unit *unit) {
    if (a->mutant->edit && !(a->mutant->pack ? seed_in_phase(a, &unit->pack) : seed_in_program(a, &unit->run)))
        return false;
    bool sound = program_check(&unit->run, NULL, NULL) == CVK_OK;
    for (int i = 0; i < unit->pack.count; i++) sound = sound && nest_check(unit->pack.nest[i], NULL, NULL) == CVK_OK;
    return sound;
}

static bool is_seen(attempt *a, const compile_unit *unit) {
    double worst = 0;
    return trial_nests(&a->trial, unit, &worst) != CVK_OK || worst > 1;
}

static void expect_right(attempt *a, const compile_unit *unit) {
    cr_assert(!is_seen(a, unit), "not right before: %s", describe(a, &unit->plan));
    cr_assert(trial_stored(&a->trial, &unit->run, &unit->pack), "%s: %s", a->trial.words, describe(a, &unit->plan));
    cr_assert(trial_identity(&a->trial, unit), "%s: %s", a->trial.words, describe(a, &unit->plan));
}

static void expect_caught(attempt *a, const layer_plan *plan) {
    compile_unit unit;
    cr_assert_eq(compile_plan(a->arena, &a->misread, (goal){.target = a->target}, plan, NULL, &unit, NULL), CVK_OK,
                 "%s", describe(a, plan));
    if (!a->mutant->misread) expect_right(a, &unit);
    if (!seed_bug(a, &unit)) return;
    bool seen = is_seen(a, &unit), unequal = !trial_identity(&a->trial, &unit);
    bool stores = !trial_stored(&a->trial, &unit.run, &unit.pack);
    const bool blind = a->mutant->in_indices || a->mutant->of_type;
    cr_expect(unequal || stores || blind, "NOT CAUGHT EXACTLY: %s", describe(a, plan));
    cr_expect(seen || a->mutant->subtle, "NOT CAUGHT: %s", describe(a, plan));
    a->plans++, a->seen += seen, a->broke_identity += unequal, a->broke_stores += stores;
}

static void try_target(attempt *a, const char *target) {
    ranked_layer *plans;
    int count;
    a->target = target_find(target);
    cr_assert_eq(compile_rank(a->arena, &a->misread, (goal){.target = a->target}, 0, NULL, &plans, &count), CVK_OK);
    for (int i = 0; i < count && a->plans < MOST_PLANS; i++) expect_caught(a, &plans[i].plan);
}

static void say_seen(const attempt *a) {
    fprintf(stderr, "%-45s %3d nests: identity broken in %3d, stores in %3d; seen in floats in %3d\n", a->mutant->name,
            a->plans, a->broke_identity, a->broke_stores, a->seen);
}

/* How many plans had the bug. */
static int try_mutant(const mutant *m, data_kind kind, const char *target) {
    cvk_network *network;
    arena memory;
    arena_init(&memory);
    if (arena_guard(&memory)) cr_assert_fail("out of memory");
    const char *yaml = arena_format(&memory, "{version: 1, layers: [%s]}", m->layer);
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), m->name, NULL, &network), CVK_OK, "%s: %s", m->name, yaml);
    attempt a = {.mutant = m, .arena = &memory, .meant = *cvk_network_layer(network, 0)};
    a.misread = a.meant;
    if (m->misread) m->misread(&a.misread);
    cr_assert_eq(spec_finish(&a.misread, NULL), CVK_OK, "%s", m->name);
    cr_assert(trial_open(&a.trial, &a.meant, kind, false, 1));
    cr_assert(!m->hide || trial_change(&a.trial, m->hide));
    try_target(&a, target);
    if (m->subtle) say_seen(&a);
    trial_close(&a.trial);
    arena_free(&memory);
    cvk_network_free(network);
    return a.plans;
}

Test(mutants, every_seeded_bug_is_caught) {
    int plans = 0;
    for (int i = 0; i < MUTANTS; i++) {
        int wide = try_mutant(&mutants[i], DATA_REALS, "x86-64-v4");
        cr_expect_gt(wide, 0, "%s: no plan has a place for it", mutants[i].name);
        plans += wide + try_mutant(&mutants[i], DATA_INTEGERS, "x86-64");
    }
    fprintf(stderr, "%d seeded bugs in %d nests\n", MUTANTS, plans);
}

/* ---- images of a kernel for any batch ---- */

/* Its nests are of one image, of which the code that goes from image to image finds each tensor's part by the tensor's
 * size and beginning: wrong ones are a wrong step from image to image, or from one addend's images to the next's. */
typedef void edit_images(nest_tensor *t);

static void step_too_short(nest_tensor *t) { t->elements -= t->elements / 3; }
static void no_step(nest_tensor *t) { t->elements = 0; }
static void begin_at_once(nest_tensor *t) { t->begin = 0; }
static void every_second(nest_tensor *t) { t->elements *= 2, t->begin = 0; }
static void no_step_of_the_second(nest_tensor *t) {
    if (t->begin) t->elements = 0;
}

typedef struct image_mutant {
    const char *name, *tensor;
    edit_images *edit;
} image_mutant;

static const image_mutant image_mutants[] = {
    {"an image begins within the one before", "input", step_too_short},
    {"every image reads the first", "input", no_step},
    {"an image is written over the one before", "output", step_too_short},
    {"every image is written over the first", "output", no_step},
    {"every image adds the first one's addend", "addend", no_step},
    {"an addend begins within the one of the image before", "addend", step_too_short},
    {"the second addend is the first", "addend", begin_at_once},
    {"every image adds that of twice its number", "addend", every_second},
    {"every image adds the first one's second addend", "addend", no_step_of_the_second},
};

/* How many tensors it changed. */
static int seed_in_images(const image_mutant *m, const nest_program *run) {
    int count = 0;
    const nest *n;
    for (int i = 0; (n = program_nest(run, i)); i++)
        for (int t = 0; t < n->tensor_count; t++) {
            if (strcmp(n->tensors[t].name, m->tensor) != 0) continue;
            m->edit(&n->tensors[t]);
            count++;
        }
    return count;
}

static bool is_right_for_any(trial *t, const compile_unit *unit) {
    cvk_object object;
    cvk_kernel *kernel;
    cr_assert_eq(compile_emit(unit, &unit->spec->name, 1, 1, NULL, EMIT_OBJECT, NULL, &object, NULL), CVK_OK);
    cr_assert_eq(kernel_load(object.bytes, object.size, unit->spec->name, NULL, &kernel), CVK_OK);
    bool right = trial_any(t, cvk_kernel_get_info(kernel));
    cvk_kernel_free(kernel);
    object_free(&object);
    return right;
}

static void expect_caught_in_images(trial *t, arena *a, const layer_plan *p) {
    const cvk_spec any = trial_spec_any(t);
    cr_assert(trial_kernel(t, target_host(), p, (trial_extras){.any = true}), "%s", t->words);
    for (size_t i = 0; i < sizeof image_mutants / sizeof *image_mutants; i++) {
        compile_unit unit;
        cr_assert_eq(compile_plan(a, &any, (goal){target_host(), 0}, p, NULL, &unit, NULL), CVK_OK);
        cr_assert_gt(seed_in_images(&image_mutants[i], &unit.run), 0, "%s: no place for it", image_mutants[i].name);
        cr_expect(!is_right_for_any(t, &unit), "NOT CAUGHT: %s\n%s", image_mutants[i].name, trial_yaml(a, t->spec, p));
    }
}

Test(mutants, every_wrong_step_from_image_to_image_is_caught) {
    static const char yaml[] = "{version: 1, layers: [{name: images, input: [3, 5, 9, 19], out_channels: 21, "
                               "kernel_size: 3, padding: 1, bias: true, post_ops: [add, relu, add]}]}";
    enum { PLANS = 6 };
    cvk_network *network;
    ranked_layer *plans;
    int count;
    trial t;
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) cr_assert_fail("out of memory");
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "images", NULL, &network), CVK_OK);
    const cvk_spec *spec = cvk_network_layer(network, 0);
    cr_assert(trial_open(&t, spec, DATA_REALS, false, 1));
    cr_assert_eq(compile_rank(&a, spec, (goal){target_host(), 0}, 0, NULL, &plans, &count), CVK_OK);
    for (int i = 0; i < PLANS; i++) expect_caught_in_images(&t, &a, &plans[i * (count - 1) / (PLANS - 1)].plan);
    trial_close(&t);
    arena_free(&a);
    cvk_network_free(network);
}
