/* Rules: needs a spec whose fields are each within their range; fills in out_size and reports what cannot be together.
 * Ranges keep every sum below 2^30 here; products go through shape.c, which stops at INT64_MAX. */
#include "spec/rules.h"
#include "spec/limits.h"
#include "base/integers.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static const char axis_names[AXES] = {'D', 'H', 'W'};

static void broken(const findings *f, field_id field, diag_code code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

static void broken(const findings *f, field_id field, diag_code code, const char *hint, const char *format, ...) {
    char message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    report_error(f->report, code, f->at[field], hint, "%s.%s: %s", f->owner, spec_fields[field].key, message);
}

static void check_groups(const cvk_spec *s, const findings *f) {
    long long groups = s->groups, in = s->in_channels, out = s->out_channels;
    if (in % groups)
        broken(f, FIELD_groups, E_GROUPS, NULL, "%lld groups do not divide %lld input channels", groups, in);
    else if (out % groups)
        broken(f, FIELD_groups, E_GROUPS, NULL, "%lld groups do not divide %lld output channels", groups, out);
}

/* Padding by words can come out larger than may be written as a number. */
static void check_padding(const cvk_spec *s, int axis, const findings *f) {
    int64_t larger = s->pad_before[axis] > s->pad_after[axis] ? s->pad_before[axis] : s->pad_after[axis];
    if (larger > LIMIT_PAD)
        broken(f, FIELD_padding, E_NUMBER_LIMIT, NULL, "comes to %lld on axis %c, over the limit of %d",
               (long long)larger, axis_names[axis], LIMIT_PAD);
}

/* How far a border mode can reach into an input of that size; reflect does not repeat the edge. */
static int64_t border_reach(padding_mode mode, int64_t size) {
    if (mode == PAD_REFLECT) return size - 1;
    return mode == PAD_SYMMETRIC || mode == PAD_CIRCULAR ? size : INT64_MAX;
}

/* Of the side that has the border: the input, or a transposed layer's output. */
static void check_border(const cvk_spec *s, int axis, int64_t size, const findings *f) {
    long long reach = border_reach(s->padding, size);
    if (s->pad_before[axis] <= reach && s->pad_after[axis] <= reach) return;
    broken(f, FIELD_padding_mode, E_BORDER,
           s->padding == PAD_REFLECT ? "reflect does not repeat the edge; what does, as scipy's, is symmetric" : NULL,
           "%s can pad axis %c of size %lld by at most %lld on a side, not by %lld and %lld",
           padding_mode_words.word[s->padding], axis_names[axis], (long long)size, reach,
           (long long)s->pad_before[axis], (long long)s->pad_after[axis]);
}

/* The constant becomes a number of the input's type; what stands for 0 there is the border of zeros. */
static void settle_constant(cvk_spec *s, const findings *f) {
    if (s->padding != PAD_CONSTANT) {
        s->padding_constant = 0;
        return;
    }
    const double value = s->padding_constant, rounded = type_round(s->input_type, value);
    if (!isfinite(rounded) || (!type_is_float(s->input_type) && rounded != value))
        broken(f, FIELD_padding_mode, E_BORDER, NULL, "constant: %.9g is no %s", value, type_name(s->input_type));
    else if (s->transposed && rounded != s->input_zero)
        broken(f, FIELD_padding_mode, E_BORDER, "padding crops what comes out",
               "a transposed layer has no border of a constant");
    s->padding_constant = rounded == s->input_zero ? 0 : rounded;
    if (rounded == s->input_zero) s->padding = PAD_ZEROS;
}

/* Every input position spreads over the kernel's span, a stride from the one before. */
static void find_transposed_size(cvk_spec *s, int axis, const findings *f) {
    int64_t whole = (s->in_size[axis] - 1) * s->stride[axis] + (s->kernel[axis] - 1) * s->dilation[axis] + 1;
    int64_t size = whole - s->pad_before[axis] - s->pad_after[axis] + s->output_padding[axis];
    s->out_size[axis] = size < 1 ? 0 : size;
    if (size < 1)
        broken(f, FIELD_padding, E_EMPTY_OUTPUT, NULL, "crops %lld and %lld of the %lld that come out on axis %c",
               (long long)s->pad_before[axis], (long long)s->pad_after[axis], (long long)whole, axis_names[axis]);
}

/* More would be a border that no tap could have reached. */
static void check_output_padding(const cvk_spec *s, int axis, const findings *f) {
    int64_t most = s->stride[axis] > s->dilation[axis] ? s->stride[axis] : s->dilation[axis];
    if (s->output_padding[axis] >= most)
        broken(f, FIELD_output_padding, E_OUTPUT_PADDING, NULL,
               "%lld on axis %c is not less than the stride, %lld, or the dilation, %lld",
               (long long)s->output_padding[axis], axis_names[axis], (long long)s->stride[axis],
               (long long)s->dilation[axis]);
}

/* Positions that come out, a border that is folded back with them. */
static int64_t most_out(const cvk_spec *s, int axis) {
    return s->out_size[axis] + (s->padding == PAD_ZEROS ? 0 : s->pad_before[axis] + s->pad_after[axis]);
}

/* Each phase of the strides is a problem with code of its own. */
static void check_phases(const cvk_spec *s, const findings *f) {
    int64_t phases = 1;
    for (int axis = 0; axis < AXES; axis++)
        phases *= s->stride[axis] < most_out(s, axis) ? s->stride[axis] : most_out(s, axis);
    if (phases > LIMIT_PHASES)
        broken(f, FIELD_stride, E_NUMBER_LIMIT, NULL, "makes %lld phases, over the limit of %d", (long long)phases,
               LIMIT_PHASES);
}

static void apply_transposed_rules(cvk_spec *s, const findings *f) {
    for (int axis = 0; axis < AXES; axis++) {
        check_output_padding(s, axis, f);
        find_transposed_size(s, axis, f);
        check_border(s, axis, s->out_size[axis], f);
    }
    check_phases(s, f);
}

/* So many positions behind the first a window may begin; with ceil_mode also less than a stride farther, but not where
 * only padding behind the input is left. */
static int64_t windows(const cvk_spec *s, int axis, int64_t room) {
    const int64_t stride = s->stride[axis];
    if (!s->ceil_mode) return room < 0 ? 0 : room / stride + 1;
    const int64_t count = floor_div(room + stride - 1, stride) + 1;
    return (count - 1) * stride >= s->in_size[axis] + s->pad_before[axis] ? count - 1 : count;
}

static void find_output_size(cvk_spec *s, int axis, const findings *f) {
    int64_t span = (s->kernel[axis] - 1) * s->dilation[axis] + 1;
    int64_t padded = s->in_size[axis] + s->pad_before[axis] + s->pad_after[axis];
    const int64_t size = windows(s, axis, padded - span);
    s->out_size[axis] = size < 1 ? 0 : size;
    if (size < 1)
        broken(f, FIELD_kernel_size, E_EMPTY_OUTPUT, NULL,
               "spans %lld with its dilation, the padded input only %lld on axis %c", (long long)span,
               (long long)padded, axis_names[axis]);
}

/* Channels in memory of a tensor of a layer's own. */
static int64_t own_channels(const cvk_spec *s, spec_pitch of) {
    return of == PITCH_INPUT ? spec_stored(s->input_layout, s->in_channels)
                             : spec_stored(s->output_layout, s->out_channels);
}

static void check_one_pitch(cvk_spec *s, spec_pitch of, const findings *f) {
    const cvk_layout layout = of == PITCH_INPUT ? s->input_layout : s->output_layout;
    const long long own = own_channels(s, of), pitch = s->pitch[of];
    if (pitch < own)
        broken(f, FIELD_pitch, E_PITCH, NULL, "%s: %lld channels are part of no %lld", pitch_words.word[of], own,
               pitch);
    else if (spec_stored(layout, pitch) != pitch)
        broken(f, FIELD_pitch, E_PITCH, NULL, "%s: %lld are no whole blocks of channels", pitch_words.word[of], pitch);
    else if (of == PITCH_ADDEND && spec_operands(s, OPERAND_TENSOR) != 1)
        broken(f, FIELD_pitch, E_PITCH, "several stand one after another", "addend: the layer has %d addends, not one",
               spec_operands(s, OPERAND_TENSOR));
    if (pitch == own) s->pitch[of] = 0;
}

/* What goes forward alone, and puts out one thing. */
static void check_pitch(cvk_spec *s, const findings *f) {
    bool pitched = false;
    for (int i = 0; i < PITCHES; i++) {
        pitched |= s->pitch[i] != 0;
        if (s->pitch[i]) check_one_pitch(s, (spec_pitch)i, f);
    }
    if (pitched && (s->direction != DIRECTION_FORWARD || s->accumulate || s->indices))
        broken(f, FIELD_pitch, E_PITCH, NULL, "it is for layers that go forward, without indices");
}

static void check_tensor(const findings *f, field_id field, const char *what, int64_t elements) {
    if (elements > LIMIT_TENSOR_ELEMENTS)
        broken(f, field, E_TENSOR_LIMIT, NULL, "the %s is over the limit of %d elements", what, LIMIT_TENSOR_ELEMENTS);
}

/* An empty batch is held to the limits of a batch of one, for it has strides all the same. */
static void check_amounts(const cvk_spec *s, const findings *f) {
    cvk_spec full = *s;
    if (full.batch == 0) full.batch = 1;
    check_tensor(f, FIELD_input, "input", spec_input_elements(&full));
    check_tensor(f, FIELD_kernel_size, "weights tensor", spec_weights_elements(&full));
    check_tensor(f, FIELD_out_channels, "output", spec_output_elements(&full));
    if (spec_macs(&full) > (int64_t)LIMIT_MULTIPLY_ADDS)
        broken(f, FIELD_name, E_WORK_LIMIT, NULL, "the layer is over the limit of %lld multiply-adds",
               (long long)LIMIT_MULTIPLY_ADDS);
}

/* Of gradients of weights, each group is a problem, but where it is one channel of an input with an axis to spare. */
static void check_groups_apart(const cvk_spec *s, const findings *f) {
    const bool depthwise = spec_group_in(s) == 1 && !s->transposed && s->rank < AXES;
    if (s->direction == DIRECTION_BACKWARD_WEIGHTS && !depthwise && s->groups > LIMIT_PHASES)
        broken(f, FIELD_groups, E_NUMBER_LIMIT, NULL, "%lld problems are over the limit of %d", (long long)s->groups,
               LIMIT_PHASES);
}

static bool is_byte(cvk_type type) { return type_bytes(type) == 1; }

/* What post-ops can be computed on in that type of floats. */
static bool is_widened_to(cvk_type type, cvk_type sum) {
    return type_of_sums(type) == sum || (sum == TYPE_F32 && is_byte(type));
}

/* Floats that are widened exactly to what is summed in, or bytes whose sums come out as they are, or scaled. What an
 * identity takes and gives may be bytes or floats. */
static bool types_are_sound(const cvk_spec *s) {
    const cvk_type sum = spec_sum_type(s), out = s->output_type;
    if (s->kind == LAYER_IDENTITY) return is_widened_to(s->input_type, sum) && is_widened_to(out, sum);
    if (type_is_float(sum)) return type_of_sums(s->weights_type) == sum && type_of_sums(out) == sum;
    return is_byte(s->input_type) && is_byte(s->weights_type) && (out == TYPE_S32 || out == TYPE_F32 || is_byte(out));
}

static void check_types(const cvk_spec *s, const findings *f) {
    if (!types_are_sound(s) && !spec_is_pool(s))
        broken(f, FIELD_dtype, E_DTYPE,
               "f64 is for all tensors; f32, f16 and bf16 go with one another; u8 and s8 give s32, f32, u8 or s8",
               "input of %s, weights of %s and output of %s do not go together", type_name(s->input_type),
               type_name(s->weights_type), type_name(s->output_type));
}

/* ---- integers ---- */

static void check_zero_point(const findings *f, const char *key, cvk_type type, int zero) {
    if (!is_byte(type) && zero != 0)
        broken(f, FIELD_quantization, E_QUANTIZATION, NULL, "%s: %s counts from 0", key, type_name(type));
    else if (type_round(type, zero) != zero)
        broken(f, FIELD_quantization, E_QUANTIZATION, NULL, "%s: %d is no %s", key, zero, type_name(type));
}

/* How far from its zero point a number may be. */
static double farthest(cvk_type type, int zero) {
    const double below = zero - type_least(type), above = type_greatest(type) - zero;
    return below > above ? below : above;
}

/* Products that one output sums: of a transposed layer, whose border may be folded back, at most. */
static int64_t most_products(const cvk_spec *s) {
    int64_t products = spec_group_in(s) * spec_taps(s);
    for (int axis = 0; axis < AXES && s->transposed && s->padding != PAD_ZEROS; axis++)
        products *= 1 + s->pad_before[axis] + s->pad_after[axis];
    return products;
}

/* Whatever the data, no sum of products leaves 32 bits. */
static void check_sums(const cvk_spec *s, const findings *f) {
    const double each = farthest(s->input_type, s->input_zero) * farthest(s->weights_type, s->weights_zero);
    const double worst = each * (double)most_products(s);
    const bool bytes = type_bytes(s->input_type) == 1 && type_bytes(s->weights_type) == 1; /* else it is said already */
    if (bytes && worst > (double)INT32_MAX)
        broken(f, FIELD_dtype, E_QUANTIZATION, NULL,
               "%lld products of %.0f at most come to %.0f, which s32 does not hold: its greatest is %d",
               (long long)most_products(s), each, worst, INT32_MAX);
}

static bool keeps_integers(const post_op *op) {
    const bool integral = type_round(TYPE_S32, op->a) == op->a && type_round(TYPE_S32, op->b) == op->b;
    return op->kind == POST_RELU || op->kind == POST_RELU6 || (op->kind == POST_CLAMP && integral);
}

/* Sums that stay integers on their way out have post-ops of integers. */
static void check_integer_post_ops(const cvk_spec *s, const findings *f) {
    for (const post_op *op = s->post; op < s->post + s->post_count; op++)
        if (!keeps_integers(op))
            broken(f, FIELD_post_ops, E_QUANTIZATION,
                   "relu, relu6 and clamp to integers are; all are with output of f32, and of u8 and s8 with rounding: "
                   "nearest_even",
                   "%s of integers is not supported", spec_post_name(op->kind));
}

static void check_quantization(const cvk_spec *s, const findings *f) {
    const bool adds = spec_operands(s, OPERAND_TENSOR) > 0, out = is_byte(s->output_type);
    check_zero_point(f, "input_zero_point", s->input_type, s->input_zero);
    check_zero_point(f, "weights_zero_point", s->weights_type, s->weights_zero);
    check_zero_point(f, "output_zero_point", s->output_type, s->output_zero);
    check_zero_point(f, "addend_zero_point", s->output_type, s->addend_zero);
    if (out && spec_operands(s, OPERAND_IMAGE_CHANNEL) > 0)
        broken(f, FIELD_post_ops, E_UNSUPPORTED, NULL, "gates of %s are not supported yet", type_name(s->output_type));
    if (s->addend_zero && !adds)
        broken(f, FIELD_quantization, E_QUANTIZATION, NULL, "addend_zero_point: there is no post-op that adds");
    if (s->rounding && (!out || spec_is_pool(s)))
        broken(f, FIELD_quantization, E_QUANTIZATION, NULL, "rounding: output of %s is not rounded",
               type_name(s->output_type));
    else if (s->rounding && s->kind == LAYER_IDENTITY)
        broken(f, FIELD_quantization, E_QUANTIZATION, NULL, "rounding: what is no sum is rounded to nearest_even");
    if (s->one_multiplier && spec_scaling(s) == SCALING_NONE && !(out && adds))
        broken(f, FIELD_quantization, E_QUANTIZATION, NULL, "multipliers: there are none with output of %s",
               type_name(s->output_type));
}

static void check_integers(const cvk_spec *s, const findings *f) {
    check_quantization(s, f);
    if (type_is_float(spec_sum_type(s))) return;
    check_sums(s, f);
    if (!type_is_float(spec_post_type(s))) check_integer_post_ops(s, f);
    if (s->direction != DIRECTION_FORWARD || s->accumulate)
        broken(f, FIELD_direction, E_QUANTIZATION, NULL, "integers have no gradients");
}

/* What is reweighed is a sum of floats that goes forward, alone. */
static void check_nan(const cvk_spec *s, const findings *f) {
    if (!s->ignore_nan) return;
    if (!type_is_float(s->input_type)) broken(f, FIELD_nan, E_DTYPE, NULL, "%s has no NaN", type_name(s->input_type));
    if (s->transposed || s->direction != DIRECTION_FORWARD || s->accumulate)
        broken(f, FIELD_nan, E_UNSUPPORTED, NULL,
               "to ignore it in transposed layers and gradients is not supported yet");
}

/* Parameters become numbers of what post-ops are computed in. */
static void round_parameters(cvk_spec *s) {
    const cvk_type type = spec_post_type(s);
    s->epsilon = type_round(spec_sum_type(s), s->epsilon);
    for (post_op *op = s->post; op < s->post + s->post_count; op++) {
        op->a = type_round(type, op->a);
        op->b = type_round(type, op->kind == POST_BLEND ? 1 - op->a : op->b);
    }
}

/* Whether the first tap of window o that is not before the input is there, too. */
static bool window_sees(const cvk_spec *s, int axis, int64_t o) {
    const int64_t begin = o * s->stride[axis] - s->pad_before[axis], dilation = s->dilation[axis];
    const int64_t taps_before = begin < 0 ? (dilation - 1 - begin) / dilation : 0;
    return taps_before < s->kernel[axis] && begin + taps_before * dilation < s->in_size[axis];
}

/* There is no maximum and no average of nothing. */
static void check_windows(const cvk_spec *s, int axis, const findings *f) {
    for (int64_t o = 0; o < s->out_size[axis]; o++) {
        if (window_sees(s, axis, o)) continue;
        broken(f, FIELD_padding, E_WINDOW, NULL, "window %lld of axis %c sees nothing but padding", (long long)o,
               axis_names[axis]);
        return;
    }
}

/* A position in the map of a channel is a number of the type that is computed in. */
static void check_indices(const cvk_spec *s, const findings *f) {
    const int64_t most = spec_sum_type(s) == TYPE_F64 ? INT32_MAX : 1 << 24;
    int64_t positions = 1;
    for (int axis = 0; axis < AXES; axis++) positions *= s->in_size[axis];
    if (s->indices && positions > most)
        broken(f, FIELD_indices, E_NUMBER_LIMIT, NULL, "into %lld positions are over the limit of %lld of this type",
               (long long)positions, (long long)most);
}

enum { MOST_BYTES_OF_A_MEAN = 65535 }; /* so many have an exact sum in f32, and a mean that no rounding makes a tie */

/* Nothing is weighed: numbers come out as they went in. */
static void check_pool_types(const cvk_spec *s, const findings *f) {
    const bool alike = s->input_type == s->output_type && s->weights_type == s->input_type;
    const bool bytes = is_byte(s->input_type);
    if (!alike || !(type_is_float(s->input_type) || bytes))
        broken(f, FIELD_dtype, E_DTYPE, "one of f32, f64, f16, bf16, u8 and s8",
               "a pool has one type for all tensors, not %s in and %s out", type_name(s->input_type),
               type_name(s->output_type));
    if (bytes && s->kind == LAYER_AVERAGE_POOL && spec_taps(s) > MOST_BYTES_OF_A_MEAN)
        broken(f, FIELD_kernel_size, E_NUMBER_LIMIT, NULL, "a mean of %lld is over the limit of %d for %s",
               (long long)spec_taps(s), MOST_BYTES_OF_A_MEAN, type_name(s->input_type));
}

/* What is not summed is computed in the type that sums have. */
static void check_weightless_types(const cvk_spec *s, const findings *f) {
    if (spec_is_pool(s) || s->kind == LAYER_IDENTITY) return;
    if (!type_is_float(s->input_type) || !type_is_float(s->output_type))
        broken(f, FIELD_dtype, E_UNSUPPORTED, NULL, "%s of integers is not supported yet",
               layer_kind_rows[s->kind].word);
}

static void apply_pool_rules(const cvk_spec *s, const findings *f) {
    check_pool_types(s, f);
    for (int axis = 0; axis < AXES; axis++) check_windows(s, axis, f);
    check_indices(s, f);
}

/* A kernel that is not said. */
static void check_dense(const cvk_spec *s, int axis, const findings *f) {
    if (s->kernel[axis] > LIMIT_KERNEL)
        broken(f, FIELD_input, E_NUMBER_LIMIT, NULL, "%lld on axis %c are over the limit of %d of a dense layer",
               (long long)s->kernel[axis], axis_names[axis], LIMIT_KERNEL);
}

static void apply_direct_rules(cvk_spec *s, const findings *f) {
    for (int axis = 0; axis < AXES; axis++) {
        if (s->kind == LAYER_DENSE) check_dense(s, axis, f);
        if (s->kind != LAYER_RESIZE) find_output_size(s, axis, f);
        check_border(s, axis, s->in_size[axis], f);
    }
}

void spec_apply_rules(cvk_spec *s, const findings *f) {
    settle_constant(s, f);
    check_groups(s, f);
    for (int axis = 0; axis < AXES; axis++) check_padding(s, axis, f);
    if (s->transposed)
        apply_transposed_rules(s, f);
    else
        apply_direct_rules(s, f);
    if (spec_is_pool(s)) apply_pool_rules(s, f);
    if (!spec_weighs(s)) check_weightless_types(s, f);
    check_pitch(s, f);
    check_amounts(s, f);
    check_groups_apart(s, f);
    check_types(s, f);
    check_integers(s, f);
    check_nan(s, f);
    round_parameters(s);
}
