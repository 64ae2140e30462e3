/* Binding buffers to a kernel. Layouts are converted by spec_offset, element by element: plain rather than fast. */
#include "judge/tensors.h"

#include "judge/layouts.h"

#include <string.h>

enum { ALL_NAN = 0xFF, BLOCK = 16 };

static int64_t volume(const int64_t size[AXES]) { return size[AXIS_D] * size[AXIS_H] * size[AXIS_W]; }

static bool allocate_one(cvk_buffer_info needs, guard_side side, guarded *to) {
    return guard_again((size_t)needs.bytes, needs.alignment ? needs.alignment : 1, side, to);
}

static bool allocate(const cvk_kernel_info *info, guard_side side, uint32_t workers, tensors *t) {
    const uint64_t batch = (uint64_t)t->spec->batch;
    if (!allocate_one(info->weights, side, &t->dense)) return false;
    for (int i = 0; i < CVK_ROLES; i++)
        if (!allocate_one(cvk_buffer_needs(info, (cvk_role)i, batch, workers), side, &t->buffer[i])) return false;
    return true;
}

static uint64_t of(const cvk_kernel_info *info, cvk_role role, const cvk_spec *s) {
    return cvk_buffer_needs(info, role, (uint64_t)s->batch, 1).bytes;
}

/* Of any batch, what is part of a wider tensor is counted in whole images of that. */
static int64_t counted(const cvk_spec *s, const cvk_kernel_info *info, spec_pitch of, int64_t elements) {
    if (!info->batch_any || !s->pitch[of]) return elements;
    return s->batch * s->pitch[of] * volume(of == PITCH_INPUT ? s->in_size : s->out_size);
}

/* Whether the kernel wants the sizes that the layer has. */
static bool sizes_agree(const cvk_spec *s, const cvk_kernel_info *info) {
    const int64_t adds = spec_operands(s, OPERAND_TENSOR), gates = spec_operands(s, OPERAND_IMAGE_CHANNEL);
    const uint64_t post = (uint64_t)type_bytes(spec_post_type(s));
    const uint64_t x = (uint64_t)type_bytes(s->input_type), w = (uint64_t)type_bytes(s->weights_type);
    const uint64_t y = (uint64_t)type_bytes(s->output_type), sum = (uint64_t)type_bytes(spec_sum_type(s));
    const bool forward = s->direction == DIRECTION_FORWARD;
    const uint64_t places = s->indices ? sizeof(int32_t) * (uint64_t)spec_output_elements(s) : 0;
    return of(info, CVK_ROLE_INPUT, s) == x * (uint64_t)counted(s, info, PITCH_INPUT, spec_input_elements(s)) &&
           info->weights.bytes == (forward && !s->known ? w * (uint64_t)spec_weights_elements(s) : 0) &&
           of(info, CVK_ROLE_GRADIENT, s) == (forward ? 0 : y * (uint64_t)spec_output_elements(s)) &&
           info->bias.bytes == (forward ? sum * (uint64_t)spec_bias_elements(s) : 0) &&
           info->scale.bytes == post * (uint64_t)spec_scale_elements(s) &&
           info->shift.bytes == sizeof(int32_t) * (uint64_t)spec_shift_elements(s) &&
           of(info, CVK_ROLE_ADDEND, s) ==
               y * (uint64_t)(adds * counted(s, info, PITCH_ADDEND, spec_operand_elements(s, OPERAND_TENSOR))) &&
           of(info, CVK_ROLE_GATE, s) == y * (uint64_t)(gates * spec_operand_elements(s, OPERAND_IMAGE_CHANNEL)) &&
           of(info, CVK_ROLE_INDICES, s) == places &&
           of(info, CVK_ROLE_OUTPUT, s) ==
               (forward ? y : w) * (uint64_t)counted(s, info, PITCH_OUTPUT, spec_result_elements(s));
}

static void copy(const void *from, const guarded *to) {
    if (to->bytes) memcpy(to->data, from, to->bytes);
}

/* What is added to. */
static void fill_output(const naive_tensors *data, tensors *t) {
    const cvk_spec *s = t->spec;
    const guarded *output = &t->buffer[CVK_ROLE_OUTPUT];
    if (s->direction == DIRECTION_BACKWARD_WEIGHTS)
        copy(data->before, output);
    else
        layout_write_pitched(s->output_layout, type_bytes(s->output_type), s->batch, s->out_channels,
                             spec_pitch_of(s, PITCH_OUTPUT), s->out_size, data->before, output->data);
}

/* One after another. */
static void lay_out_operands(const cvk_spec *s, post_operand reads, const int64_t size[AXES], const char *from,
                             char *to) {
    const int bytes = type_bytes(s->output_type);
    const int64_t pitch = reads == OPERAND_TENSOR ? spec_pitch_of(s, PITCH_ADDEND) : s->out_channels;
    for (int i = 0; i < spec_operands(s, reads); i++) {
        layout_write_pitched(s->output_layout, bytes, s->batch, s->out_channels, pitch, size, from, to);
        from += s->batch * s->out_channels * volume(size) * bytes;
        to += spec_operand_elements(s, reads) * bytes;
    }
}

/* The fill of a blocked tensor's last block is zeros, also where others' channels follow. */
static void fill_blocks_of(cvk_layout layout, cvk_type type, int64_t batch, int64_t channels, int64_t pitch,
                           const int64_t size[AXES], char *to) {
    for (int64_t n = 0; n < batch && layout == CVK_BLOCKED; n++)
        for (int64_t c = channels; c < spec_stored(layout, channels); c++) {
            channel_walk w = layout_walk(layout, pitch, size, n, c);
            for (int64_t i = 0; i < w.count; i++) type_write(type, to + (w.first + i * w.step) * type_bytes(type), 0);
        }
}

static void fill_blocks(const cvk_spec *s, tensors *t) {
    if (s->pitch[PITCH_INPUT])
        fill_blocks_of(s->input_layout, s->input_type, s->batch, s->in_channels, s->pitch[PITCH_INPUT], s->in_size,
                       t->buffer[CVK_ROLE_INPUT].data);
    if (s->pitch[PITCH_ADDEND])
        fill_blocks_of(s->output_layout, s->output_type, s->batch, s->out_channels, s->pitch[PITCH_ADDEND], s->out_size,
                       t->buffer[CVK_ROLE_ADDEND].data);
}

static void fill(const naive_tensors *data, tensors *t) {
    const cvk_spec *s = t->spec;
    static const int64_t ONE[AXES] = {1, 1, 1};
    const int bytes = type_bytes(s->output_type);
    /* What is others', between channels, is not to be read. */
    if (s->pitch[PITCH_INPUT]) memset(t->buffer[CVK_ROLE_INPUT].data, ALL_NAN, t->buffer[CVK_ROLE_INPUT].bytes);
    if (s->pitch[PITCH_ADDEND]) memset(t->buffer[CVK_ROLE_ADDEND].data, ALL_NAN, t->buffer[CVK_ROLE_ADDEND].bytes);
    fill_blocks(s, t);
    layout_write_pitched(s->input_layout, type_bytes(s->input_type), s->batch, s->in_channels,
                         spec_pitch_of(s, PITCH_INPUT), s->in_size, data->input, t->buffer[CVK_ROLE_INPUT].data);
    lay_out_operands(s, OPERAND_TENSOR, s->out_size, data->addend, t->buffer[CVK_ROLE_ADDEND].data);
    lay_out_operands(s, OPERAND_IMAGE_CHANNEL, ONE, data->gate, t->buffer[CVK_ROLE_GATE].data);
    if (s->direction == DIRECTION_BACKWARD_WEIGHTS)
        layout_write_pitched(s->output_layout, bytes, s->batch, s->out_channels, s->out_channels, s->out_size,
                             data->weights, t->buffer[CVK_ROLE_GRADIENT].data);
    else
        copy(data->weights, &t->dense);
    copy(data->bias, &t->buffer[CVK_ROLE_BIAS]);
    copy(data->scale, &t->buffer[CVK_ROLE_SCALE]);
    copy(data->shift, &t->buffer[CVK_ROLE_SHIFT]);
    static const cvk_role written[] = {CVK_ROLE_OUTPUT, CVK_ROLE_INDICES, CVK_ROLE_SCRATCH, CVK_ROLE_WORKSPACE};
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        memset(t->buffer[written[i]].data, ALL_NAN, t->buffer[written[i]].bytes);
    if (s->accumulate) fill_output(data, t);
}

cvk_status tensors_bind(const cvk_spec *s, const cvk_kernel_info *info, const naive_tensors *data, guard_side side,
                        uint32_t workers, tensors *t) {
    *t = (tensors){.spec = s};
    return tensors_rebind(s, info, data, side, workers, t);
}

cvk_status tensors_rebind(const cvk_spec *s, const cvk_kernel_info *info, const naive_tensors *data, guard_side side,
                          uint32_t workers, tensors *t) {
    t->spec = s;
    if (!sizes_agree(s, info)) return CVK_ERROR_INTERNAL;
    if (!allocate(info, side, workers, t)) return CVK_ERROR_MEMORY;
    fill(data, t);
    t->buffers = (cvk_buffers){
        .struct_size = sizeof t->buffers,
        .batch = (uint64_t)s->batch,
#define CVK_BUFFER(NAME, member, needs, access, share)                                                                 \
    .member = {t->buffer[CVK_ROLE_##NAME].data, t->buffer[CVK_ROLE_##NAME].bytes},
#include <convoke/buffers.def>
#undef CVK_BUFFER
    };
    const guarded *packed = &t->buffer[CVK_ROLE_WEIGHTS];
    if (!spec_has_weights(s)) return CVK_OK;
    return cvk_pack_weights(info, (cvk_const_buffer){t->dense.data, t->dense.bytes},
                            (cvk_buffer){packed->data, packed->bytes});
}

void tensors_free(tensors *t) {
    guard_free(&t->dense);
    for (int i = 0; i < CVK_ROLES; i++) guard_free(&t->buffer[i]);
}

/* The channels beyond the last one that a blocked output has room for. */
static bool fill_is_zero(const tensors *t, cvk_role role, cvk_type type) {
    const cvk_spec *s = t->spec;
    const char *output = t->buffer[role].data;
    int64_t end = (s->out_channels + BLOCK - 1) / BLOCK * BLOCK;
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t c = s->out_channels; c < end; c++) {
            channel_walk w = layout_walk(s->output_layout, spec_pitch_of(s, PITCH_OUTPUT), s->out_size, n, c);
            for (int64_t i = 0; i < w.count; i++)
                if (!(type_read(type, output + (w.first + i * w.step) * type_bytes(type)) == 0)) return false;
        }
    return true;
}

/* Whether what lies between the output's channels, which is others', is as it was. */
static bool others_are_left(const tensors *t) {
    const cvk_spec *s = t->spec;
    const int bytes = type_bytes(s->output_type);
    const unsigned char *output = t->buffer[CVK_ROLE_OUTPUT].data;
    for (int64_t e = 0; e < spec_output_elements(s) && s->pitch[PITCH_OUTPUT]; e++)
        for (int i = 0; i < bytes && !spec_output_owns(s, e); i++)
            if (output[e * bytes + i] != ALL_NAN) return false;
    return true;
}

const char *tensors_damage(const tensors *t) {
    if (!guard_intact(&t->dense)) return "wrote outside a buffer";
    for (int i = 0; i < CVK_ROLES; i++)
        if (!guard_intact(&t->buffer[i])) return "wrote outside a buffer";
    if (!others_are_left(t)) return "wrote between its channels";
    const bool filled = t->spec->output_layout == CVK_BLOCKED && t->spec->direction == DIRECTION_FORWARD;
    if (filled && !fill_is_zero(t, CVK_ROLE_OUTPUT, t->spec->output_type)) return "fill channels are not zero";
    if (filled && t->spec->indices && !fill_is_zero(t, CVK_ROLE_INDICES, TYPE_S32))
        return "fill channels of indices are not zero";
    return NULL;
}

void tensors_read(const tensors *t, int64_t i, void *to) {
    const cvk_spec *s = t->spec;
    const int bytes = type_bytes(spec_result_type(s));
    const char *output = t->buffer[CVK_ROLE_OUTPUT].data;
    if (s->direction == DIRECTION_BACKWARD_WEIGHTS) {
        memcpy(to, output + i * bytes, (size_t)bytes);
        return;
    }
    channel_walk w = layout_walk(s->output_layout, spec_pitch_of(s, PITCH_OUTPUT), s->out_size, i / s->out_channels,
                                 i % s->out_channels);
    layout_copy_spaced(bytes, w.count, output + w.first * bytes, w.step, to, 1);
}

void tensors_read_places(const tensors *t, int64_t i, int32_t *to) {
    const cvk_spec *s = t->spec;
    const int32_t *indices = t->buffer[CVK_ROLE_INDICES].data;
    channel_walk w = layout_walk(s->output_layout, spec_pitch_of(s, PITCH_OUTPUT), s->out_size, i / s->out_channels,
                                 i % s->out_channels);
    layout_copy_spaced(sizeof *indices, w.count, indices + w.first, w.step, to, 1);
}
