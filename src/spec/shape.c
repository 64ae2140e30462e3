/* Shape: the figures that follow from a spec's fields. Products stop at INT64_MAX, which is past every limit, so the
 * same functions serve the rules that keep a layer within the limits and all who read a checked one. */
#include "spec/graph.h"

enum { BLOCK = 16 };

static int64_t times(int64_t a, int64_t b) {
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

static int64_t volume(const int64_t size[AXES]) { return times(times(size[AXIS_D], size[AXIS_H]), size[AXIS_W]); }

int64_t spec_stored(cvk_layout layout, int64_t channels) {
    return layout == CVK_BLOCKED ? (channels + BLOCK - 1) / BLOCK * BLOCK : channels;
}

cvk_type spec_sum_type(const cvk_spec *s) {
    return !spec_weighs(s) && type_bytes(s->input_type) == 1 ? TYPE_F32 : type_of_sums(s->input_type);
}

scaling spec_scaling(const cvk_spec *s) {
    static const scaling OF[ROUNDINGS] = {SCALING_FLOAT, SCALING_HALF_UP, SCALING_DOUBLE};
    if (type_is_float(spec_sum_type(s)) || s->output_type == TYPE_S32) return SCALING_NONE;
    return type_is_float(s->output_type) ? SCALING_FLOAT : OF[s->rounding];
}

cvk_type spec_post_type(const cvk_spec *s) { return spec_scaling(s) == SCALING_FLOAT ? TYPE_F32 : spec_sum_type(s); }

cvk_type spec_result_type(const cvk_spec *s) {
    return s->direction == DIRECTION_FORWARD ? s->output_type : s->weights_type;
}

bool spec_sums_any(const cvk_spec *s) { return !s->batch_any || s->weights_type == spec_sum_type(s); }

cvk_spec spec_of_batch(const cvk_spec *s, int64_t batch) {
    cvk_spec of = *s;
    if (s->batch_any) of.batch = batch, of.batch_any = false;
    return of;
}

bool spec_is_chain(const cvk_spec *s) { return s->links > 0; }
int spec_link_count(const cvk_spec *s) { return spec_is_chain(s) ? s->links : 1; }

cvk_spec spec_link(const cvk_spec *s, int index) {
    cvk_spec of = spec_is_chain(s) ? s->link[index] : *s;
    of.batch = s->batch, of.batch_any = s->batch_any;
    of.accuracy = s->accuracy;
    return of;
}

/* Over the layers of a chain. */
static int64_t sum_of_links(const cvk_spec *s, int64_t (*figure)(const cvk_spec *)) {
    int64_t sum = 0, more;
    for (int i = 0; i < s->links; i++) {
        const cvk_spec link = spec_link(s, i);
        more = figure(&link);
        sum = more > INT64_MAX - sum ? INT64_MAX : sum + more;
    }
    return sum;
}

bool spec_weighs(const cvk_spec *s) { return layer_kind_rows[s->kind].weighs; }
bool spec_is_pool(const cvk_spec *s) { return layer_kind_rows[s->kind].windows && !spec_weighs(s); }
bool spec_has_weights(const cvk_spec *s) {
    if (spec_is_chain(s)) return spec_weights_elements(s) > 0;
    return s->direction == DIRECTION_FORWARD && spec_weighs(s);
}
int64_t spec_groups_of_kind(const cvk_spec *s) {
    const bool together = s->kind == LAYER_GROUP_NORM || s->kind == LAYER_LAYER_NORM || s->kind == LAYER_SOFTMAX;
    return spec_weighs(s) || together ? 1 : s->in_channels;
}
int64_t spec_group_in(const cvk_spec *s) { return s->in_channels / s->groups; }
int64_t spec_group_out(const cvk_spec *s) { return s->out_channels / s->groups; }
int64_t spec_taps(const cvk_spec *s) { return volume(s->kernel); }

/* Every tap of every position that taps are counted from: an output, or of a transposed layer an input. */
int64_t spec_macs(const cvk_spec *s) {
    if (spec_is_chain(s)) return sum_of_links(s, spec_macs);
    int64_t positions = times(times(s->batch, s->out_channels), volume(s->transposed ? s->in_size : s->out_size));
    return times(positions, times(spec_weighs(s) ? spec_group_in(s) : 1, spec_taps(s)));
}

/* Outputs along an axis, over all its taps, whose tap is within the input. */
static int64_t present(const cvk_spec *s, int axis) {
    const int64_t counted = s->transposed ? s->in_size[axis] : s->out_size[axis];
    const int64_t size = s->transposed ? s->out_size[axis] : s->in_size[axis]; /* of the side that taps lie on */
    int64_t count = 0;
    for (int64_t k = 0; k < s->kernel[axis]; k++) {
        const int64_t at = k * s->dilation[axis] - s->pad_before[axis], stride = s->stride[axis];
        const int64_t first = at < 0 ? (-at + stride - 1) / stride : 0;
        const int64_t room = size - 1 - at;
        const int64_t past = room < 0 ? 0 : room / stride + 1;
        const int64_t last = past < counted ? past : counted;
        if (last > first) count += last - first;
    }
    return count;
}

int64_t spec_macs_of_input(const cvk_spec *s) {
    if (spec_is_chain(s)) return sum_of_links(s, spec_macs_of_input);
    if (s->padding != PAD_ZEROS) return spec_macs(s);
    int64_t count = times(times(s->batch, s->out_channels), spec_weighs(s) ? spec_group_in(s) : 1);
    for (int axis = 0; axis < AXES; axis++) count = times(count, present(s, axis));
    return count;
}

int spec_operands(const cvk_spec *s, post_operand operand) {
    return post_count_reading(s->post, s->post_count, operand);
}

int spec_computed_post_ops(const cvk_spec *s) {
    const bool bytes = type_bytes(s->output_type) == 1 && !s->accumulate;
    const bool saturates = bytes && s->post_count > 0 && s->output_zero == (int)type_least(s->output_type);
    return s->post_count - (saturates && s->post[s->post_count - 1].kind == POST_RELU);
}

int64_t spec_pitch_of(const cvk_spec *s, spec_pitch of) {
    const bool input = of == PITCH_INPUT;
    if (s->pitch[of]) return s->pitch[of];
    return spec_stored(input ? s->input_layout : s->output_layout, input ? s->in_channels : s->out_channels);
}

/* From the first that is a tensor's own to the last. */
static int64_t elements(const cvk_spec *s, cvk_layout layout, int64_t channels, int64_t pitch,
                        const int64_t size[AXES]) {
    const int64_t own = spec_stored(layout, channels), pixels = volume(size), image = times(pitch, pixels);
    if (pitch == own || s->batch == 0) return times(s->batch, image);
    const int64_t last = layout == CVK_CHANNELS_LAST ? image - pitch + own : times(own, pixels);
    int64_t all; /* sizes may be negative here: of a kernel larger than its input */
    return __builtin_add_overflow(times(s->batch - 1, image), last, &all) ? INT64_MAX : all;
}

int64_t spec_input_elements(const cvk_spec *s) {
    return elements(s, s->input_layout, s->in_channels, spec_pitch_of(s, PITCH_INPUT), s->in_size);
}

int64_t spec_output_elements(const cvk_spec *s) {
    return elements(s, s->output_layout, s->out_channels, spec_pitch_of(s, PITCH_OUTPUT), s->out_size);
}

bool spec_output_owns(const cvk_spec *s, int64_t element) {
    const int64_t own = spec_stored(s->output_layout, s->out_channels), pitch = spec_pitch_of(s, PITCH_OUTPUT);
    const int64_t run = s->output_layout == CVK_CHANNELS_LAST ? 1 : volume(s->out_size);
    return element % (pitch * run) < own * run;
}

int64_t spec_operand_elements(const cvk_spec *s, post_operand operand) {
    switch (operand) {
    case OPERAND_TENSOR:
        return elements(s, s->output_layout, s->out_channels, spec_pitch_of(s, PITCH_ADDEND), s->out_size);
    case OPERAND_IMAGE_CHANNEL: return times(s->batch, spec_stored(s->output_layout, s->out_channels));
    case OPERAND_CHANNEL: return s->out_channels;
    default: return 0;
    }
}

int64_t spec_weights_elements(const cvk_spec *s) {
    if (spec_is_chain(s)) return sum_of_links(s, spec_weights_elements);
    if (!spec_weighs(s)) return 0;
    return times(times(s->out_channels, spec_group_in(s)), spec_taps(s));
}

int64_t spec_bias_elements(const cvk_spec *s) {
    if (spec_is_chain(s)) return sum_of_links(s, spec_bias_elements);
    return s->bias ? s->out_channels : 0;
}

static bool adds_bytes(const cvk_spec *s) { return type_bytes(s->output_type) == 1; }

/* Of one layer. */
static int count_scales(const cvk_spec *s) {
    const int addends = adds_bytes(s) ? spec_operands(s, OPERAND_TENSOR) : 0;
    return (spec_scaling(s) != SCALING_NONE) + addends + spec_operands(s, OPERAND_CHANNEL);
}

int spec_scales(const cvk_spec *s) {
    int scales = spec_is_chain(s) ? 0 : count_scales(s);
    for (int i = 0; i < s->links; i++) scales += count_scales(&s->link[i]);
    return scales;
}

/* Whether vector i is one of multipliers: the first is, and those of addends are. */
static bool is_multiplier(const cvk_spec *s, int i) {
    int at = spec_scaling(s) != SCALING_NONE;
    if (i < at) return true;
    for (const post_op *op = s->post; op < s->post + s->post_count; op++) {
        const bool adds = post_rows[op->kind].operand == OPERAND_TENSOR && adds_bytes(s);
        if ((adds || post_rows[op->kind].operand == OPERAND_CHANNEL) && at++ == i) return adds;
    }
    return false;
}

int64_t spec_scale_size(const cvk_spec *s, int i) {
    return s->one_multiplier && is_multiplier(s, i) ? 1 : s->out_channels;
}

int64_t spec_scale_elements(const cvk_spec *s) {
    if (spec_is_chain(s)) return sum_of_links(s, spec_scale_elements);
    int64_t elements = 0;
    for (int i = 0; i < spec_scales(s); i++) elements += spec_scale_size(s, i);
    return elements;
}

int64_t spec_shift_elements(const cvk_spec *s) {
    const scaling how = spec_scaling(s);
    return how == SCALING_HALF_UP || how == SCALING_DOUBLE ? spec_scale_size(s, 0) : 0;
}

int64_t spec_result_elements(const cvk_spec *s) {
    if (s->direction == DIRECTION_FORWARD) return spec_output_elements(s);
    return spec_weights_elements(s) + spec_bias_elements(s);
}

int64_t spec_offset(cvk_layout layout, int64_t channels, const int64_t size[AXES], int64_t n, int64_t c,
                    const int64_t at[AXES]) {
    int64_t pixels = volume(size);
    int64_t pixel = (at[AXIS_D] * size[AXIS_H] + at[AXIS_H]) * size[AXIS_W] + at[AXIS_W];
    if (layout == CVK_CHANNELS_LAST) return (n * pixels + pixel) * channels + c;
    if (layout == CVK_CHANNELS_FIRST) return (n * channels + c) * pixels + pixel;
    int64_t blocks = spec_stored(layout, channels) / BLOCK;
    return ((n * blocks + c / BLOCK) * pixels + pixel) * BLOCK + c % BLOCK;
}

int64_t graph_elements(const graph_tensor *t) {
    return times(times(t->batch, spec_stored(t->layout, t->channels)), volume(t->size));
}

int64_t graph_pixels(const graph_tensor *t) { return volume(t->size); }

bool graph_is_output(const spec_graph *g, int tensor) {
    for (int i = 0; i < g->output_count; i++)
        if (g->output[i].tensor == tensor) return true;
    return false;
}
