/* Layers are drawn field by field, and drawn again where the fields do not go together or the layer is not small. */
#include "random_layer.h"

#include "spec/rules.h"

#include <string.h>

enum { MOST_OUTPUTS = 20000, MOST_MULTIPLY_ADDS = 2000000 };

typedef void draw_part(draws *d, cvk_spec *s);

/* ---- channels ---- */

static void dense(draws *d, cvk_spec *s) {
    s->groups = 1;
    s->in_channels = draw_small(d, 1, 40);
    s->out_channels = draw_small(d, 1, 75);
}

static void one_channel(draws *d, cvk_spec *s) {
    s->groups = 1;
    s->in_channels = draw_chance(d, 50) ? 1 : draw_small(d, 1, 5);
    s->out_channels = draw_chance(d, 70) ? 1 : draw_small(d, 1, 20);
}

static void grouped(draws *d, cvk_spec *s) {
    s->groups = draw_from(d, 2, 6);
    s->in_channels = s->groups * draw_small(d, 1, 18);
    s->out_channels = s->groups * draw_small(d, 1, 35);
}

static void depthwise(draws *d, cvk_spec *s) {
    s->groups = s->in_channels = draw_from(d, 1, draw_chance(d, 30) ? 70 : 20);
    s->out_channels = s->groups * (draw_chance(d, 60) ? 1 : draw_from(d, 2, 4));
}

static void draw_channels(draws *d, cvk_spec *s) {
    static draw_part *const kinds[] = {dense, dense, dense, dense, one_channel, grouped, grouped, depthwise, depthwise};
    kinds[draw_from(d, 0, sizeof kinds / sizeof *kinds - 1)](d, s);
}

/* ---- space ---- */

typedef void draw_axis_of(draws *d, cvk_spec *s, int axis);

static int64_t reach(const cvk_spec *s, int axis) { return (s->kernel[axis] - 1) * s->dilation[axis]; }

static void draw_axis(draws *d, cvk_spec *s, int axis) {
    static const int64_t longest[AXES] = {6, 14, 40}, widest[AXES] = {3, 5, 7};
    bool only = s->rank == 1, large = draw_chance(d, 8);
    s->in_size[axis] = draw_small(d, 1, only ? 150 : longest[axis]);
    s->kernel[axis] = draw_small(d, 1, large ? 2 * widest[axis] : widest[axis]);
    s->stride[axis] = draw_chance(d, 55) ? 1 : draw_small(d, 2, 5);
    s->dilation[axis] = draw_chance(d, 70) ? 1 : draw_from(d, 2, 3);
}

/* What transforms are made for: three taps side by side. */
static void draw_plain_axis(draws *d, cvk_spec *s, int axis) {
    s->in_size[axis] = draw_small(d, 1, axis == AXIS_W ? 40 : 14);
    s->kernel[axis] = draw_chance(d, 80) ? 3 : 5;
    s->stride[axis] = s->dilation[axis] = 1;
}

static void draw_pad_numbers(draws *d, cvk_spec *s) {
    bool symmetric = draw_chance(d, 30), wide = draw_chance(d, 15);
    for (int a = AXES - s->rank; a < AXES; a++) {
        int64_t most = wide ? reach(s, a) + s->kernel[a] + 2 : reach(s, a) + 1;
        s->pad_before[a] = draw_from(d, 0, most);
        s->pad_after[a] = symmetric ? s->pad_before[a] : draw_from(d, 0, most);
    }
}

static void draw_pad_word(draws *d, cvk_spec *s) {
    spec_resolve_padding(s, (padding_word)draw_from(d, PADDING_VALID, PADDING_CAUSAL));
}

/* How far a padding mode may reach into the image. */
static int64_t most_padding(const cvk_spec *s, int axis) {
    bool mirrors = s->padding == PAD_REFLECT || s->padding == PAD_SYMMETRIC || s->padding == PAD_CIRCULAR;
    return mirrors ? s->in_size[axis] - (s->padding == PAD_REFLECT) : INT64_MAX;
}

static void draw_padding(draws *d, cvk_spec *s) {
    if (draw_chance(d, 70)) (draw_chance(d, 60) ? draw_pad_numbers : draw_pad_word)(d, s);
    s->padding = draw_chance(d, 60) ? PAD_ZEROS : (padding_mode)draw_from(d, PAD_REFLECT, PAD_CONSTANT);
    if (s->padding == PAD_CONSTANT) s->padding_constant = (double)draw_from(d, -20, 20) / 8;
    for (int a = AXES - s->rank; a < AXES; a++) {
        int64_t most = most_padding(s, a);
        if (s->pad_before[a] > most) s->pad_before[a] = most;
        if (s->pad_after[a] > most) s->pad_after[a] = most;
    }
}

static void draw_space(draws *d, cvk_spec *s) {
    static const int ranks[] = {1, 1, 2, 2, 2, 3};
    s->rank = ranks[draw_from(d, 0, sizeof ranks / sizeof *ranks - 1)];
    for (int a = 0; a < AXES - s->rank; a++) s->in_size[a] = s->kernel[a] = s->stride[a] = s->dilation[a] = 1;
    draw_axis_of *const axis = draw_chance(d, 12) ? draw_plain_axis : draw_axis;
    for (int a = AXES - s->rank; a < AXES; a++) axis(d, s, a);
    draw_padding(d, s);
}

/* ---- the rest ---- */

/* Parameters of the size that sums have, so that both sides of each are seen. */
static post_op draw_post_op(draws *d) {
    post_op op = {.kind = (post_kind)draw_from(d, 0, POST_KINDS - 1)};
    float a = (float)draw_from(d, -16, 8) / 4, b = (float)draw_from(d, 1, 40) / 4;
    if (op.kind == POST_LEAKY_RELU || op.kind == POST_TIMES || op.kind == POST_PLUS) op.a = a;
    if (op.kind == POST_BLEND) op.a = b / 10;
    if (op.kind == POST_CLAMP) op.a = a, op.b = a + b;
    return op;
}

static void draw_post_ops(draws *d, cvk_spec *s) {
    s->post_count = draw_chance(d, 45) ? 0 : (int)draw_small(d, 1, 4);
    bool linear = draw_chance(d, 15);
    for (int i = 0; i < s->post_count; i++) {
        s->post[i] = draw_post_op(d);
        if (linear) s->post[i] = (post_op){.kind = draw_chance(d, 50) ? POST_ADD : POST_SCALE};
    }
}

/* ---- transposed ---- */

enum { MOST_PHASES = 12 };

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* The layer's transpose, of few phases: their problems are compiled one by one. */
static void transpose(draws *d, cvk_spec *s) {
    int64_t phases = 1;
    s->transposed = true;
    if (draw_chance(d, 70)) s->padding = PAD_ZEROS;
    for (int a = AXES - s->rank; a < AXES; a++) {
        if (phases * s->stride[a] > MOST_PHASES) s->stride[a] = MOST_PHASES / phases;
        phases *= s->stride[a];
        if (draw_chance(d, 30)) s->output_padding[a] = draw_from(d, 0, larger(s->stride[a], s->dilation[a]) - 1);
    }
    if (draw_chance(d, 20)) spec_resolve_padding(s, (padding_word)draw_from(d, PADDING_VALID, PADDING_SAME_LOWER));
}

/* One for all tensors. */
static void draw_pooled_type(draws *d, cvk_spec *s) {
    static const cvk_type types[] = {TYPE_F32, TYPE_F32, TYPE_F16, TYPE_BF16, TYPE_U8, TYPE_S8};
    if (s->input_type != TYPE_F64) s->input_type = types[draw_from(d, 0, 5)];
    s->weights_type = s->output_type = s->input_type;
    s->weights_zero = s->input_zero = s->addend_zero = 0;
    s->rounding = ROUND_NEAREST_EVEN;
    s->one_multiplier = false;
    if (type_bytes(s->input_type) == 1) s->input_zero = (int)draw_from(d, (int64_t)type_least(s->input_type), 20);
    s->output_zero = s->input_zero;
}

/* Many a window would see nothing but padding: those are drawn again. */
static void pool(draws *d, cvk_spec *s) {
    s->kind = draw_chance(d, 50) ? LAYER_MAX_POOL : LAYER_AVERAGE_POOL;
    s->groups = s->out_channels = s->in_channels;
    s->bias = s->flip_kernel = s->transposed = false;
    s->direction = DIRECTION_FORWARD;
    s->padding = PAD_ZEROS;
    s->ceil_mode = draw_chance(d, 40);
    s->count_include_pad = s->kind == LAYER_AVERAGE_POOL && draw_chance(d, 50);
    s->indices = s->kind == LAYER_MAX_POOL && draw_chance(d, 30);
    s->accumulate = false;
    draw_pooled_type(d, s);
    for (int a = 0; a < AXES; a++) s->output_padding[a] = 0;
    if (draw_chance(d, 10))
        for (int a = 0; a < AXES; a++) s->kernel[a] = s->in_size[a], s->dilation[a] = 1;
    if (draw_chance(d, 60)) spec_resolve_padding(s, (padding_word)draw_from(d, PADDING_VALID, PADDING_CAUSAL));
}

/* ---- kinds without windows ---- */

static void forward_alone(cvk_spec *s) {
    s->flip_kernel = s->transposed = s->accumulate = false;
    s->direction = DIRECTION_FORWARD;
    s->padding = PAD_ZEROS;
    for (int a = 0; a < AXES; a++) {
        s->kernel[a] = s->stride[a] = s->dilation[a] = 1;
        s->pad_before[a] = s->pad_after[a] = s->output_padding[a] = 0;
    }
}

/* Of all that an image has, or of its channels alone. */
static void all_of_an_image(draws *d, cvk_spec *s) {
    forward_alone(s);
    s->kind = LAYER_DENSE;
    s->groups = 1;
    if (draw_chance(d, 60)) s->batch = draw_from(d, 1, 9);
    for (int a = 0; a < AXES; a++) {
        if (draw_chance(d, 30)) s->in_size[a] = 1;
        s->kernel[a] = s->in_size[a];
    }
}

static void of_floats(cvk_spec *s) {
    if (!type_is_float(s->input_type)) s->input_type = s->weights_type = s->output_type = TYPE_F32;
    s->input_zero = s->weights_zero = 0;
}

static int zero_of(draws *d, cvk_type type) {
    return draw_chance(d, 30) ? 0 : (int)draw_from(d, (int64_t)type_least(type), (int64_t)type_greatest(type));
}

/* Bytes come in, or go out, or both. */
static void identity_of_bytes(draws *d, cvk_spec *s) {
    static const cvk_type types[] = {TYPE_U8, TYPE_S8, TYPE_F32, TYPE_F16};
    s->input_type = s->weights_type = types[draw_from(d, 0, 3)];
    s->output_type = types[draw_from(d, 0, type_is_float(s->input_type) ? 1 : 3)];
    s->rounding = ROUND_NEAREST_EVEN;
    s->input_zero = type_is_float(s->input_type) ? 0 : zero_of(d, s->input_type);
    s->output_zero = type_is_float(s->output_type) ? 0 : zero_of(d, s->output_type);
    if (s->post_count < MOST_POST_OPS && draw_chance(d, 70))
        s->post[s->post_count++] = (post_op){.kind = POST_TIMES, .a = (double)draw_from(d, -40, 40) / 8};
}

static bool has_groups(layer_kind kind) {
    return kind == LAYER_GROUP_NORM || kind == LAYER_LAYER_NORM || kind == LAYER_SOFTMAX;
}

static void weightless(draws *d, cvk_spec *s) {
    static const layer_kind kinds[] = {LAYER_IDENTITY, LAYER_GROUP_NORM, LAYER_LAYER_NORM,
                                       LAYER_SOFTMAX,  LAYER_RESIZE,     LAYER_RESIZE};
    forward_alone(s);
    of_floats(s);
    s->kind = kinds[draw_from(d, 0, sizeof kinds / sizeof *kinds - 1)];
    s->bias = false;
    s->out_channels = s->in_channels;
    s->epsilon = draw_chance(d, 50) ? 1e-5 : 0.5;
    for (int a = 0; a < AXES && s->kind == LAYER_RESIZE; a++) s->out_size[a] = 1;
    for (int a = AXES - s->rank; a < AXES && s->kind == LAYER_RESIZE; a++)
        s->out_size[a] = draw_chance(d, 50) ? s->in_size[a] * draw_from(d, 1, 4) : draw_small(d, 1, 40);
    s->interpolation = (interpolation)draw_from(d, INTERPOLATION_NEAREST, INTERPOLATION_LINEAR);
    s->coordinates = (coordinates)draw_from(d, COORDINATES_HALF_PIXEL, COORDINATES_ALIGN_CORNERS);
    s->nearest = (nearest_rounding)draw_from(d, ROUNDING_PREFER_FLOOR, ROUNDING_CEIL);
    if (!has_groups(s->kind) || draw_chance(d, 30)) s->groups = spec_groups_of_kind(s);
    if (s->kind == LAYER_IDENTITY && s->input_type != TYPE_F64 && draw_chance(d, 50)) identity_of_bytes(d, s);
}

static void without_windows(draws *d, cvk_spec *s) { (draw_chance(d, 35) ? all_of_an_image : weightless)(d, s); }

/* As gradients do; those of the data are transposes, and forward layers, without bias and post-ops. */
static void accumulate(cvk_spec *s) {
    s->accumulate = true;
    s->post_count = 0;
    if (s->direction == DIRECTION_FORWARD) s->bias = false;
}

/* ---- types ---- */

/* What keeps integers, of the size that sums have, or bytes. */
static void draw_integer_post_ops(draws *d, cvk_spec *s) {
    const int64_t most = s->output_type == TYPE_S32 ? 90000 : 200;
    for (int i = 0; i < s->post_count; i++)
        s->post[i] = (post_op){POST_CLAMP, (double)draw_from(d, -most / 10, 0), (double)draw_from(d, 1, most)};
    if (s->post_count > 0) s->post[0] = (post_op){.kind = draw_chance(d, 80) ? POST_RELU : POST_RELU6};
}

static bool adds(const cvk_spec *s) { return spec_operands(s, OPERAND_TENSOR) > 0; }

/* Bytes, from any zero points, summed in s32, which come out in every way that there is. */
static void draw_bytes(draws *d, cvk_spec *s) {
    static const cvk_type outputs[] = {TYPE_U8, TYPE_U8, TYPE_S8, TYPE_S8, TYPE_F32, TYPE_S32};
    s->input_type = draw_chance(d, 60) ? TYPE_U8 : TYPE_S8;
    s->weights_type = draw_chance(d, 80) ? TYPE_S8 : TYPE_U8;
    s->output_type = outputs[draw_from(d, 0, 5)];
    s->input_zero = zero_of(d, s->input_type);
    s->weights_zero = zero_of(d, s->weights_type);
    if (s->padding == PAD_CONSTANT) s->padding_constant = zero_of(d, s->input_type);
    if (type_bytes(s->output_type) == 1) {
        s->output_zero = zero_of(d, s->output_type);
        s->rounding = (rounding_mode)draw_from(d, 0, ROUNDINGS - 1);
    }
    if (!type_is_float(spec_post_type(s))) draw_integer_post_ops(d, s);
    if (adds(s) && type_bytes(s->output_type) == 1) s->addend_zero = zero_of(d, s->output_type);
    s->one_multiplier = spec_scaling(s) != SCALING_NONE && draw_chance(d, 30);
}

/* f32 for the most part, bytes, f64, or floats that are summed in f32, one for all or one for each. */
static void draw_types(draws *d, cvk_spec *s) {
    static const cvk_type narrow[] = {TYPE_F32, TYPE_F16, TYPE_BF16};
    s->input_type = s->weights_type = s->output_type = draw_chance(d, 20) ? TYPE_F64 : TYPE_F32;
    if (s->input_type == TYPE_F64 || draw_chance(d, 50)) return;
    if (draw_chance(d, 30)) {
        draw_bytes(d, s);
        return;
    }
    s->input_type = s->weights_type = s->output_type = narrow[draw_from(d, 1, 2)];
    if (draw_chance(d, 50)) return;
    s->input_type = narrow[draw_from(d, 0, 2)];
    s->weights_type = narrow[draw_from(d, 0, 2)];
    s->output_type = narrow[draw_from(d, 0, 2)];
}

/* Some of its tensors' channels are part of wider tensors'. */
static void lie_in_others(draws *d, cvk_spec *s) {
    for (int i = 0; i < PITCHES; i++) {
        const bool input = i == PITCH_INPUT;
        const cvk_layout layout = input ? s->input_layout : s->output_layout;
        const int64_t own = spec_stored(layout, input ? s->in_channels : s->out_channels);
        if (draw_chance(d, 50) && (i != PITCH_ADDEND || spec_operands(s, OPERAND_TENSOR) == 1))
            s->pitch[i] = spec_stored(layout, own + draw_from(d, 1, 40));
    }
}

/* ---- weights that are known ---- */

/* Few channels, side by side or each by itself. */
static void filter(draws *d, cvk_spec *s) {
    s->groups = draw_chance(d, 50) ? 1 : draw_from(d, 2, 5);
    s->in_channels = s->groups * (draw_chance(d, 80) ? 1 : draw_from(d, 2, 3));
    s->out_channels = s->groups * (draw_chance(d, 80) ? 1 : draw_from(d, 2, 4));
    if (draw_chance(d, 60)) s->input_layout = s->output_layout = CVK_CHANNELS_FIRST;
    for (int a = 0; a < AXES; a++)
        if (draw_chance(d, 60)) s->stride[a] = 1;
}

enum { MOST_KNOWN = 4096, KEPT = 16 };

/* Small integers, many of them 0, 1 and -1. */
static double draw_tap(draws *d) { return draw_chance(d, 30) ? 0 : (double)draw_from(d, -3, 3); }
static double draw_real(draws *d) { return (double)draw_from(d, -9999, 9999) / 7777; }

static void fill_taps(draws *d, double *to, int64_t count, bool integers) {
    for (int64_t i = 0; i < count; i++) to[i] = integers ? draw_tap(d) : draw_real(d);
}

/* The kernel is its mirror image along the last axis, or minus that. */
static void mirror(double *kernel, int64_t rows, int64_t columns, double sign) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns / 2; c++)
            kernel[r * columns + columns - 1 - c] = sign * kernel[r * columns + c];
}

static void multiply(draws *d, double *kernel, int64_t rows, int64_t columns, bool integers) {
    double across[MOST_KNOWN];
    fill_taps(d, across, columns, integers);
    if (draw_chance(d, 60)) mirror(across, 1, columns, draw_chance(d, 50) ? 1 : -1);
    for (int64_t r = 0; r < rows; r++) {
        double down;
        fill_taps(d, &down, 1, integers);
        for (int64_t c = 0; c < columns; c++) kernel[r * columns + c] = down * across[c];
    }
}

static void draw_kernel(draws *d, const cvk_spec *s, double *to) {
    const int64_t columns = s->kernel[AXIS_W], rows = spec_taps(s) / columns;
    const bool integers = !type_is_float(s->weights_type) || draw_chance(d, 50);
    fill_taps(d, to, rows * columns, integers);
    if (draw_chance(d, 30)) mirror(to, rows, columns, draw_chance(d, 50) ? 1 : -1);
    if (draw_chance(d, 40)) multiply(d, to, rows, columns, integers);
}

/* The latest few layers' are kept. */
static void know(draws *d, cvk_spec *s) {
    static _Thread_local char kept[KEPT][MOST_KNOWN * sizeof(double)];
    static _Thread_local int next;
    double values[MOST_KNOWN];
    const int64_t count = spec_weights_elements(s), taps = spec_taps(s);
    char *to = kept[next++ % KEPT];
    const bool alike = draw_chance(d, 50);
    for (int64_t i = 0; i < count; i += taps)
        if (i && alike && s->groups > 1)
            for (int64_t k = 0; k < taps; k++) values[i + k] = values[k];
        else
            draw_kernel(d, s, values + i);
    for (int64_t i = 0; i < count; i++)
        type_write(s->weights_type, to + i * type_bytes(s->weights_type), values[i] + s->weights_zero);
    for (int64_t i = 0; i < count; i++) { /* no negative zeros, which do not print as such */
        const double value = type_read(s->weights_type, to + i * type_bytes(s->weights_type)) + 0.0;
        type_write(s->weights_type, to + i * type_bytes(s->weights_type), value);
    }
    s->known = to;
}

static cvk_spec draw_once(draws *d, const char *name, bool *known) {
    cvk_spec s = {.name = name, .at = {.file = ""}};
    s.batch = draw_chance(d, 2) ? 0 : draw_chance(d, 60) ? 1 : draw_from(d, 2, 3);
    s.input_layout = (cvk_layout)draw_from(d, CVK_CHANNELS_FIRST, CVK_BLOCKED);
    s.output_layout = (cvk_layout)draw_from(d, CVK_CHANNELS_FIRST, CVK_BLOCKED);
    s.bias = draw_chance(d, 50);
    s.flip_kernel = draw_chance(d, 15);
    s.accuracy = (accuracy)draw_from(d, ACCURACY_STRICT, ACCURACY_FAST);
    draw_channels(d, &s);
    draw_space(d, &s);
    draw_post_ops(d, &s);
    draw_types(d, &s); /* late: what is drawn before stays as it was */
    if (draw_chance(d, 20)) transpose(d, &s);
    if (draw_chance(d, 15)) s.direction = DIRECTION_BACKWARD_WEIGHTS, s.post_count = 0;
    if (draw_chance(d, 12)) accumulate(&s);
    if (draw_chance(d, 15)) pool(d, &s);
    if (draw_chance(d, 20)) without_windows(d, &s);
    if (draw_chance(d, 15)) lie_in_others(d, &s);
    *known = draw_chance(d, 20) && s.kind == LAYER_CONVOLUTION && spec_has_weights(&s);
    if (*known) filter(d, &s);
    s.ignore_nan = s.kind == LAYER_CONVOLUTION && draw_chance(d, 15);
    return s;
}

/* Weights follow where they are to be known. */
static bool is_good(draws *d, cvk_spec *s, bool known) {
    if (spec_finish(s, NULL) != CVK_OK) return false;
    if (spec_output_elements(s) > MOST_OUTPUTS || spec_macs(s) > MOST_MULTIPLY_ADDS) return false;
    if (known && spec_weights_elements(s) <= MOST_KNOWN) know(d, s);
    return true;
}

cvk_spec random_layer(draws *d, const char *name) {
    for (;;) {
        bool known;
        cvk_spec s = draw_once(d, name, &known);
        if (is_good(d, &s, known)) return s;
    }
}

/* ---- of a tensor ---- */

/* As many as there are, in groups where that goes. */
static void take_channels(cvk_spec *s, int64_t channels) {
    const bool each = s->groups > 1 && s->groups == s->in_channels;
    const int64_t multiplier = each ? s->out_channels / s->groups : 1;
    s->in_channels = channels;
    if (!spec_weighs(s)) {
        s->out_channels = channels;
        s->groups = has_groups(s->kind) && channels % s->groups == 0 ? s->groups : spec_groups_of_kind(s);
    } else if (each) {
        s->groups = channels, s->out_channels = channels * multiplier;
    } else if (channels % s->groups != 0) {
        s->groups = 1;
    }
}

static void take_tensor(cvk_spec *s, const graph_tensor *t) {
    s->batch = t->batch;
    s->batch_any = t->batch_any;
    memcpy(s->in_size, t->size, sizeof s->in_size);
    if (s->kind == LAYER_DENSE) memcpy(s->kernel, t->size, sizeof s->kernel);
    memset(s->pitch, 0, sizeof s->pitch);
    take_channels(s, t->channels);
}

bool random_layer_of(draws *d, const char *name, const graph_tensor *input, cvk_spec *s) {
    enum { MOST_DRAWS = 3000 };
    for (int i = 0; i < MOST_DRAWS; i++) {
        bool known;
        *s = draw_once(d, name, &known);
        const bool gradient = s->direction != DIRECTION_FORWARD || s->accumulate;
        if (s->rank != input->rank || s->input_type != input->type || gradient || s->indices) continue;
        take_tensor(s, input);
        if (is_good(d, s, known)) return true;
    }
    return false;
}
