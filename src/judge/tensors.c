/* Binding buffers to a kernel. Layouts are converted by spec_offset, element by element: plain rather than fast. */
#include "judge/tensors.h"

#include <string.h>

enum { ALL_NAN = 0xFF, BLOCK = 16 };

static int64_t volume(const int64_t size[AXES]) { return size[AXIS_D] * size[AXIS_H] * size[AXIS_W]; }

/* Where the positions of one channel of one image lie: in every layout the same distance apart. */
typedef struct channel_walk {
    int64_t first, step, count;
} channel_walk;

static channel_walk walk(cvk_layout layout, int64_t channels, const int64_t size[AXES], int64_t n, int64_t c) {
    const int64_t at[2][AXES] = {{0}, {[AXIS_W] = 1}};
    int64_t first = spec_offset(layout, channels, size, n, c, at[0]);
    return (channel_walk){first, spec_offset(layout, channels, size, n, c, at[1]) - first, volume(size)};
}

/* Elements of 1, 2, 4 or 8 bytes, each some elements from the one before. */
static void copy_spaced(int bytes, int64_t count, const void *from, int64_t from_step, void *to, int64_t to_step) {
    for (int64_t i = 0; i < count; i++) {
        const char *one = (const char *)from + i * from_step * bytes;
        char *there = (char *)to + i * to_step * bytes;
        switch (bytes) { /* of a size that is known, a copy is an instruction */
        case 1: *there = *one; break;
        case 2: memcpy(there, one, 2); break;
        case 4: memcpy(there, one, 4); break;
        default: memcpy(there, one, 8); break;
        }
    }
}

static void to_layout(cvk_layout layout, int bytes, int64_t batch, int64_t channels, const int64_t size[AXES],
                      const char *from, char *to) {
    for (int64_t n = 0; n < batch; n++)
        for (int64_t c = 0; c < channels; c++) {
            channel_walk w = walk(layout, channels, size, n, c);
            copy_spaced(bytes, w.count, from, 1, to + w.first * bytes, w.step);
            from += w.count * bytes;
        }
}

static bool allocate_one(cvk_buffer_info needs, guard_side side, guarded *to) {
    return guard_alloc((size_t)needs.bytes, needs.alignment ? needs.alignment : 1, side, to);
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

/* Whether the kernel wants the sizes that the layer has. */
static bool sizes_agree(const cvk_spec *s, const cvk_kernel_info *info) {
    const int64_t adds = spec_operands(s, OPERAND_TENSOR), gates = spec_operands(s, OPERAND_IMAGE_CHANNEL);
    const uint64_t post = (uint64_t)type_bytes(spec_post_type(s));
    const uint64_t x = (uint64_t)type_bytes(s->input_type), w = (uint64_t)type_bytes(s->weights_type);
    const uint64_t y = (uint64_t)type_bytes(s->output_type), sum = (uint64_t)type_bytes(spec_sum_type(s));
    const bool forward = s->direction == DIRECTION_FORWARD;
    const uint64_t places = s->indices ? sizeof(int32_t) * (uint64_t)spec_output_elements(s) : 0;
    return of(info, CVK_ROLE_INPUT, s) == x * (uint64_t)spec_input_elements(s) &&
           info->weights.bytes == (forward && !s->known ? w * (uint64_t)spec_weights_elements(s) : 0) &&
           of(info, CVK_ROLE_GRADIENT, s) == (forward ? 0 : y * (uint64_t)spec_output_elements(s)) &&
           info->bias.bytes == (forward ? sum * (uint64_t)spec_bias_elements(s) : 0) &&
           info->scale.bytes == post * (uint64_t)spec_scale_elements(s) &&
           info->shift.bytes == sizeof(int32_t) * (uint64_t)spec_shift_elements(s) &&
           of(info, CVK_ROLE_ADDEND, s) == y * (uint64_t)(adds * spec_output_elements(s)) &&
           of(info, CVK_ROLE_GATE, s) == y * (uint64_t)(gates * spec_operand_elements(s, OPERAND_IMAGE_CHANNEL)) &&
           of(info, CVK_ROLE_INDICES, s) == places &&
           of(info, CVK_ROLE_OUTPUT, s) == (forward ? y : w) * (uint64_t)spec_result_elements(s);
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
        to_layout(s->output_layout, type_bytes(s->output_type), s->batch, s->out_channels, s->out_size, data->before,
                  output->data);
}

/* One after another. */
static void lay_out_operands(const cvk_spec *s, post_operand reads, const int64_t size[AXES], const char *from,
                             char *to) {
    const int bytes = type_bytes(s->output_type);
    for (int i = 0; i < spec_operands(s, reads); i++) {
        to_layout(s->output_layout, bytes, s->batch, s->out_channels, size, from, to);
        from += s->batch * s->out_channels * volume(size) * bytes;
        to += spec_operand_elements(s, reads) * bytes;
    }
}

static void fill(const naive_tensors *data, tensors *t) {
    const cvk_spec *s = t->spec;
    static const int64_t ONE[AXES] = {1, 1, 1};
    const int bytes = type_bytes(s->output_type);
    to_layout(s->input_layout, type_bytes(s->input_type), s->batch, s->in_channels, s->in_size, data->input,
              t->buffer[CVK_ROLE_INPUT].data);
    lay_out_operands(s, OPERAND_TENSOR, s->out_size, data->addend, t->buffer[CVK_ROLE_ADDEND].data);
    lay_out_operands(s, OPERAND_IMAGE_CHANNEL, ONE, data->gate, t->buffer[CVK_ROLE_GATE].data);
    if (s->direction == DIRECTION_BACKWARD_WEIGHTS)
        to_layout(s->output_layout, bytes, s->batch, s->out_channels, s->out_size, data->weights,
                  t->buffer[CVK_ROLE_GRADIENT].data);
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
            channel_walk w = walk(s->output_layout, end, s->out_size, n, c);
            for (int64_t i = 0; i < w.count; i++)
                if (!(type_read(type, output + (w.first + i * w.step) * type_bytes(type)) == 0)) return false;
        }
    return true;
}

const char *tensors_damage(const tensors *t) {
    if (!guard_intact(&t->dense)) return "wrote outside a buffer";
    for (int i = 0; i < CVK_ROLES; i++)
        if (!guard_intact(&t->buffer[i])) return "wrote outside a buffer";
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
    channel_walk w = walk(s->output_layout, s->out_channels, s->out_size, i / s->out_channels, i % s->out_channels);
    copy_spaced(bytes, w.count, output + w.first * bytes, w.step, to, 1);
}

void tensors_read_places(const tensors *t, int64_t i, int32_t *to) {
    const cvk_spec *s = t->spec;
    const int32_t *indices = t->buffer[CVK_ROLE_INDICES].data;
    channel_walk w = walk(s->output_layout, s->out_channels, s->out_size, i / s->out_channels, i % s->out_channels);
    copy_spaced(sizeof *indices, w.count, indices + w.first, w.step, to, 1);
}
