/* The interpreter as the public functions have it: all of a layer, rounded to what comes out. */
#include "judge/naive.h"

#include <stdlib.h>
#include <string.h>

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

cvk_status cvk_reference_of(const cvk_spec *spec, const cvk_reference_tensors *tensors, void *output) {
    if (!spec || !tensors) return CVK_ERROR_ARGUMENT;
    cvk_reference_tensors t = {0};
    memcpy(&t, tensors, tensors->struct_size < sizeof t ? tensors->struct_size : sizeof t);
    const naive_tensors given = {.input = t.input,
                                 .weights = spec->known ? spec->known : t.weights,
                                 .bias = t.bias,
                                 .scale = t.scale,
                                 .shift = t.shift,
                                 .addend = t.addend,
                                 .gate = t.gate,
                                 .before = output};
    return reference(spec, &given, output);
}

cvk_status cvk_reference(const cvk_spec *spec, const void *input, const void *weights, const void *bias,
                         const void *scale, const void *addend, void *output) {
    const cvk_reference_tensors given = {.struct_size = sizeof given,
                                         .input = input,
                                         .weights = weights,
                                         .bias = bias,
                                         .scale = scale,
                                         .addend = addend};
    return cvk_reference_of(spec, &given, output);
}

cvk_status cvk_reference_indices(const cvk_spec *spec, const void *input, int32_t *indices) {
    if (!spec || !spec->indices) return CVK_ERROR_ARGUMENT;
    if (spec->batch && (!input || !indices)) return CVK_ERROR_NULL;
    naive_places(spec, &(naive_tensors){.input = input}, 0, naive_channels(spec), indices);
    return CVK_OK;
}
