/* The interpreter as the public functions have it: all of a layer, rounded to what comes out. */
#include "judge/naive.h"

#include <stdlib.h>

static bool has_all(const cvk_spec *s, const naive_tensors *t, const void *output) {
    const bool adds = post_count_reading(s->post, s->post_count, OPERAND_TENSOR) > 0;
    const bool gated = post_count_reading(s->post, s->post_count, OPERAND_IMAGE_CHANNEL) > 0;
    if (s->batch && (!t->input || !output || (adds && !t->addend) || (gated && !t->gate))) return false;
    const bool biased = s->direction == DIRECTION_FORWARD && spec_bias_elements(s) > 0;
    return (t->weights || spec_weights_elements(s) == 0) && (!biased || t->bias) && (spec_scales(s) == 0 || t->scale) &&
           (spec_shift_elements(s) == 0 || t->shift);
}

/* `tensors->before` is what the output holds. */
static cvk_status reference(const cvk_spec *spec, const naive_tensors *tensors, void *output) {
    if (!has_all(spec, tensors, output)) return CVK_ERROR_NULL;
    int64_t size = naive_channel_size(spec);
    const cvk_type type = spec_result_type(spec);
    long double *one = malloc((size_t)size * sizeof *one);
    naive_last last;
    const bool good = naive_begin(spec, tensors, false, NULL, &last) && one;
    for (int64_t i = 0; good && i < naive_channels(spec); i++) {
        naive_range(&last.spec, &last.tensors, i, i + 1, one, NULL);
        for (int64_t at = 0; at < size; at++)
            type_write_long(type, (char *)output + (i * size + at) * type_bytes(type), one[at]);
    }
    naive_end(&last);
    free(one);
    return good ? CVK_OK : CVK_ERROR_MEMORY;
}

static cvk_status refer(const cvk_spec *spec, naive_tensors tensors, void *output) {
    if (!spec) return CVK_ERROR_ARGUMENT;
    if (spec->known) tensors.weights = spec->known;
    tensors.before = output;
    return reference(spec, &tensors, output);
}

cvk_status cvk_reference(const cvk_spec *spec, const void *input, const void *weights, const void *bias,
                         const void *scale, const void *addend, void *output) {
    return cvk_reference_gated(spec, input, weights, bias, scale, addend, NULL, output);
}

cvk_status cvk_reference_gated(const cvk_spec *spec, const void *input, const void *weights, const void *bias,
                               const void *scale, const void *addend, const void *gate, void *output) {
    const naive_tensors given = {
        .input = input, .weights = weights, .bias = bias, .scale = scale, .addend = addend, .gate = gate};
    return refer(spec, given, output);
}

cvk_status cvk_reference_quantized(const cvk_spec *spec, const void *input, const void *weights, const void *bias,
                                   const void *scale, const void *shift, const void *addend, void *output) {
    const naive_tensors given = {
        .input = input, .weights = weights, .bias = bias, .scale = scale, .addend = addend, .shift = shift};
    return refer(spec, given, output);
}

cvk_status cvk_reference_indices(const cvk_spec *spec, const void *input, int32_t *indices) {
    if (!spec || !spec->indices) return CVK_ERROR_ARGUMENT;
    if (spec->batch && (!input || !indices)) return CVK_ERROR_NULL;
    naive_places(spec, &(naive_tensors){.input = input}, 0, naive_channels(spec), indices);
    return CVK_OK;
}
