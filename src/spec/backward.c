/* Backward: what takes gradients of a layer's sums to those of its input, which its transpose does, or of its weights.
 */
#include "spec/rules.h"

#include <string.h>

static void trade(int64_t *a, int64_t *b) {
    int64_t kept = *a;
    *a = *b;
    *b = kept;
}

/* From the outputs back to as many inputs as there were: what the stride left over at the end is output padding. */
static void turn_axis(cvk_spec *s, int axis) {
    const int64_t span = (s->kernel[axis] - 1) * s->dilation[axis] + 1;
    const int64_t padded = s->in_size[axis] + s->pad_before[axis] + s->pad_after[axis];
    s->output_padding[axis] = s->transposed ? 0 : (padded - span) % s->stride[axis];
    trade(&s->in_size[axis], &s->out_size[axis]);
}

/* Whether the convolution of what came out has as many outputs as there were inputs. */
static bool comes_back(const cvk_spec *s) {
    for (int axis = 0; axis < AXES; axis++)
        if (s->transposed && s->output_padding[axis] >= s->stride[axis]) return false;
    return true;
}

static const char *to_weights(cvk_spec *s) {
    if (s->batch == 0) return "gradients of weights over no images are not supported yet";
    if (!spec_sums_any(s)) return "gradients of weights over any number of images are not supported yet in halves";
    s->direction = DIRECTION_BACKWARD_WEIGHTS;
    s->post_count = 0;
    return NULL;
}

static const char *to_data(cvk_spec *s) {
    const cvk_layout input = s->input_layout;
    if (!comes_back(s)) return "gradients of output_padding from a stride on are not supported yet";
    for (int axis = 0; axis < AXES; axis++) turn_axis(s, axis);
    trade(&s->in_channels, &s->out_channels);
    s->input_layout = s->output_layout;
    s->output_layout = input;
    const cvk_type type = s->input_type;
    s->input_type = s->output_type;
    s->output_type = type;
    s->transposed = !s->transposed;
    if (s->padding == PAD_CONSTANT) s->padding = PAD_ZEROS; /* what constants would be given has nowhere to go */
    s->bias = false;
    s->post_count = 0;
    return NULL;
}

const char *spec_turn_backward(cvk_spec *s, direction way) {
    if (s->ignore_nan) return "gradients of a layer that ignores NaN are not supported yet";
    return way == DIRECTION_BACKWARD_DATA ? to_data(s) : to_weights(s);
}
