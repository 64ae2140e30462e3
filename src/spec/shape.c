/* Shape: the figures that follow from a spec's fields. Products stop at INT64_MAX, which is past every limit, so the
 * same functions serve the rules that keep a layer within the limits and all who read a checked one. */
#include "spec/spec.h"

enum { BLOCK = 16 };

static int64_t times(int64_t a, int64_t b) {
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

static int64_t volume(const int64_t size[AXES]) { return times(times(size[AXIS_D], size[AXIS_H]), size[AXIS_W]); }

static int64_t channels_in_memory(cvk_layout layout, int64_t channels) {
    return layout == CVK_BLOCKED ? (channels + BLOCK - 1) / BLOCK * BLOCK : channels;
}

cvk_type spec_type(const cvk_spec *s) {
    static const cvk_type TYPE_OF[] = {[CVK_F32] = TYPE_F32, [CVK_F64] = TYPE_F64};
    return TYPE_OF[s->dtype];
}

cvk_spec spec_of_batch(const cvk_spec *s, int64_t batch) {
    cvk_spec of = *s;
    if (s->batch_any) of.batch = batch, of.batch_any = false;
    return of;
}

int64_t spec_group_in(const cvk_spec *s) { return s->in_channels / s->groups; }
int64_t spec_group_out(const cvk_spec *s) { return s->out_channels / s->groups; }
int64_t spec_taps(const cvk_spec *s) { return volume(s->kernel); }

/* Every tap of every position that taps are counted from: an output, or of a transposed layer an input. */
int64_t spec_macs(const cvk_spec *s) {
    int64_t positions = times(times(s->batch, s->out_channels), volume(s->transposed ? s->in_size : s->out_size));
    return times(positions, times(spec_group_in(s), spec_taps(s)));
}

int spec_count_post(const cvk_spec *s, post_kind kind) {
    int count = 0;
    for (int i = 0; i < s->post_count; i++) count += s->post[i].kind == kind;
    return count;
}

int64_t spec_input_elements(const cvk_spec *s) {
    return times(times(s->batch, channels_in_memory(s->input_layout, s->in_channels)), volume(s->in_size));
}

int64_t spec_output_elements(const cvk_spec *s) {
    return times(times(s->batch, channels_in_memory(s->output_layout, s->out_channels)), volume(s->out_size));
}

int64_t spec_weights_elements(const cvk_spec *s) {
    return times(times(s->out_channels, spec_group_in(s)), spec_taps(s));
}

int64_t spec_result_elements(const cvk_spec *s) {
    if (s->direction == DIRECTION_FORWARD) return spec_output_elements(s);
    return spec_weights_elements(s) + (s->bias ? s->out_channels : 0);
}

int64_t spec_offset(cvk_layout layout, int64_t channels, const int64_t size[AXES], int64_t n, int64_t c,
                    const int64_t at[AXES]) {
    int64_t pixels = volume(size);
    int64_t pixel = (at[AXIS_D] * size[AXIS_H] + at[AXIS_H]) * size[AXIS_W] + at[AXIS_W];
    if (layout == CVK_CHANNELS_LAST) return (n * pixels + pixel) * channels + c;
    if (layout == CVK_CHANNELS_FIRST) return (n * channels + c) * pixels + pixel;
    int64_t blocks = channels_in_memory(layout, channels) / BLOCK;
    return ((n * blocks + c / BLOCK) * pixels + pixel) * BLOCK + c % BLOCK;
}
