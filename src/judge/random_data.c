/* Random data from splitmix64: one stream, tensor after tensor.
 *
 * Half of the sums are positive, so that a relu leaves enough to compare, and no weight is zero, so that a tap left out
 * shows. */
#include "judge/random_data.h"

#include <stdlib.h>

enum { SMALL = 3 }; /* integers lie in -SMALL .. SMALL: sums of K products stay below 9 K */

static uint64_t next(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Multiples of 2^-23, every one a float. */
static float real(uint64_t bits) { return (float)((int64_t)(bits >> 40) - (1 << 23)) * 0x1p-23f; }

static float integer(uint64_t bits) { return (float)((int)(bits >> 32) % (2 * SMALL + 1) - SMALL); }

static float nonzero_integer(uint64_t bits) {
    int magnitude = 1 + (int)(bits >> 33) % SMALL;
    return (float)(bits & 1 ? magnitude : -magnitude);
}

typedef float draw(uint64_t bits);
static draw *const draws[][2] = {[DATA_INTEGERS] = {integer, nonzero_integer}, [DATA_REALS] = {real, real}};

static int64_t volume(const int64_t size[AXES]) { return size[AXIS_D] * size[AXIS_H] * size[AXIS_W]; }

bool data_draw(const cvk_spec *s, data_kind kind, uint64_t seed, layer_data *data) {
    enum { TENSORS = 5, WEIGHTS = 1 };
    const int64_t outputs = s->batch * s->out_channels * volume(s->out_size);
    const int64_t elements[TENSORS] = {s->batch * s->in_channels * volume(s->in_size), spec_weights_elements(s),
                                       s->bias ? s->out_channels : 0, s->out_channels * spec_count_post(s, POST_SCALE),
                                       outputs * spec_count_post(s, POST_ADD)};
    const float **const tensors[TENSORS] = {&data->tensors.input, &data->tensors.weights, &data->tensors.bias,
                                            &data->tensors.scale, &data->tensors.addend};
    int64_t all = 1;
    for (int i = 0; i < TENSORS; i++) all += elements[i];
    float *to = data->memory = malloc((size_t)all * sizeof *to);
    if (!to) return false;
    for (int i = 0; i < TENSORS; i++) {
        draw *one = draws[kind][i == WEIGHTS];
        *tensors[i] = to;
        for (int64_t e = 0; e < elements[i]; e++) *to++ = one(next(&seed));
    }
    return true;
}

void data_free(layer_data *data) {
    free(data->memory);
    data->memory = NULL;
}
