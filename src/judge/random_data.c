/* Random data from splitmix64: one stream, tensor after tensor.
 *
 * Where NaN is ignored, an input in eight is NaN, and weights are positive, so that what is left of them is not next to
 * nothing. Half of the sums are positive, so that a relu leaves enough to compare, and no weight is zero, so that a tap
 * left out shows. */
#include "judge/random_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 3 }; /* integers lie in -SMALL .. SMALL: sums of K products stay below 9 K */

static uint64_t next(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Multiples of 2^-23, every one an f32; and of 2^-52, every one an f64. */
static double real_f32(uint64_t bits) { return (double)((int64_t)(bits >> 40) - (1 << 23)) * 0x1p-23; }
static double real_f64(uint64_t bits) { return (double)((int64_t)(bits >> 11) - (INT64_C(1) << 52)) * 0x1p-52; }

static double integer(uint64_t bits) { return (double)((int)(bits >> 33) % (2 * SMALL + 1) - SMALL); }

static double nonzero_integer(uint64_t bits) {
    int magnitude = 1 + (int)(bits >> 33) % SMALL;
    return (double)(bits & 1 ? magnitude : -magnitude);
}

/* Bytes are any, the ends of their range often. */
static double any_byte(uint64_t bits, double least, double greatest) {
    const double drawn = least + (double)(bits >> 32 & 255);
    return bits & 7 ? drawn : bits & 8 ? least : greatest;
}
static double any_u8(uint64_t bits) { return any_byte(bits, 0, 255); }
static double any_s8(uint64_t bits) { return any_byte(bits, -128, 127); }

typedef double draw(uint64_t bits);

/* Of weights, and of the other tensors. */
static draw *draw_for(data_kind kind, cvk_type type, bool weights) {
    if (type_bytes(type) == 1) return type == TYPE_U8 ? any_u8 : any_s8;
    if (kind == DATA_INTEGERS || type == TYPE_S32) return weights ? nonzero_integer : integer;
    return type == TYPE_F64 ? real_f64 : real_f32;
}

/* Halves are the nearest ones. */
static void fill(draw *one, uint64_t *seed, cvk_type type, void *to, int64_t elements) {
    float *singles = to;
    double *doubles = to;
    for (int64_t i = 0; i < elements; i++)
        if (type == TYPE_F64)
            doubles[i] = one(next(seed));
        else if (type == TYPE_F32)
            singles[i] = (float)one(next(seed));
        else
            type_write(type, (char *)to + i * type_bytes(type), one(next(seed)));
}

/* A NaN in eight inputs. */
static void strew_nan(uint64_t *seed, cvk_type type, char *input, int64_t elements) {
    for (int64_t i = 0; i < elements; i++)
        if (next(seed) % 8 == 0) type_write(type, input + i * type_bytes(type), NAN);
}

static void make_positive(cvk_type type, char *weights, int64_t elements) {
    for (int64_t i = 0; i < elements; i++, weights += type_bytes(type))
        type_write(type, weights, fabs(type_read(type, weights)));
}

static int64_t volume(const int64_t size[AXES]) { return size[AXIS_D] * size[AXIS_H] * size[AXIS_W]; }

/* Each begins where any type may. */
static int64_t tensor_bytes(cvk_type type, int64_t elements) { return (elements * type_bytes(type) + 7) / 8 * 8; }

/* ---- multipliers of sums of integers ---- */

/* How far bytes are from what stands for 0: on average, and their root mean square. */
typedef struct distance {
    double mean, square;
} distance;

static distance distance_of(cvk_type type, int zero) {
    const double deviation = 256 / sqrt(12), mean = (type_least(type) + type_greatest(type)) / 2 - zero;
    return (distance){fabs(mean), sqrt(mean * mean + deviation * deviation)};
}

/* About as large as sums of a layer's products are. */
static double size_of_sums(const cvk_spec *s) {
    const distance x = distance_of(s->input_type, s->input_zero), w = distance_of(s->weights_type, s->weights_zero);
    const double terms = (double)(spec_group_in(s) * spec_taps(s));
    return sqrt(terms) * x.square * w.square + terms * x.mean * w.mean;
}

/* By which sums become bytes of every size, and some saturate; often a power of two, which makes ties, sometimes
 * negative. */
static double multiplier(uint64_t bits, double size) {
    const double drawn = (16 + (double)(bits >> 40 & 127)) / size;
    const double m = bits & 3 ? drawn : ldexp(1, ilogb(drawn));
    return bits >> 2 & 7 ? m : -m;
}

/* m / 2^s of all the digits that there are, or of few. */
static void put_fraction(double value, int digits, int32_t *m, int *s) {
    int exponent;
    const double fraction = frexp(value, &exponent);
    *m = (int32_t)type_round(TYPE_S32, ldexp(fraction, digits));
    *s = digits - exponent;
}

static void draw_multipliers(const cvk_spec *s, uint64_t *seed, void *scale, int32_t *shift) {
    const double size = size_of_sums(s);
    float *floats = scale;
    int32_t *integers = scale;
    for (int64_t i = 0; i < spec_scale_size(s, 0); i++) {
        const uint64_t bits = next(seed);
        const double m = multiplier(bits, size);
        int by = 0;
        if (spec_scaling(s) == SCALING_FLOAT)
            floats[i] = (float)m;
        else
            put_fraction(m, bits >> 5 & 7 ? 31 : 12, &integers[i], &by);
        if (spec_scaling(s) == SCALING_HALF_UP) shift[i] = by;
        if (spec_scaling(s) == SCALING_DOUBLE) shift[i] = by - 31;
    }
}

bool data_draw(const cvk_spec *s, data_kind kind, uint64_t seed, layer_data *data) {
    enum { TENSORS = 8, WEIGHTS = 1 };
    const int64_t outputs = s->batch * s->out_channels * volume(s->out_size);
    const bool backward = s->direction == DIRECTION_BACKWARD_WEIGHTS; /* gradients of the output for weights */
    const int64_t results = backward ? spec_result_elements(s) : outputs;
    const int64_t elements[TENSORS] = {s->batch * s->in_channels * volume(s->in_size),
                                       backward ? outputs : spec_weights_elements(s),
                                       spec_bias_elements(s),
                                       spec_scale_elements(s),
                                       outputs * spec_operands(s, OPERAND_TENSOR),
                                       s->accumulate ? results : 0,
                                       s->batch * s->out_channels * spec_operands(s, OPERAND_IMAGE_CHANNEL),
                                       spec_shift_elements(s)};
    const void **const tensors[TENSORS] = {&data->tensors.input, &data->tensors.weights, &data->tensors.bias,
                                           &data->tensors.scale, &data->tensors.addend,  &data->tensors.before,
                                           &data->tensors.gate,  &data->tensors.shift};
    const cvk_type sum = spec_sum_type(s), weights = backward ? s->output_type : s->weights_type;
    const cvk_type type[TENSORS] = {s->input_type,       weights,        sum,     spec_post_type(s), s->output_type,
                                    spec_result_type(s), s->output_type, TYPE_S32};
    int64_t bytes = 1;
    for (int i = 0; i < TENSORS; i++) bytes += tensor_bytes(type[i], elements[i]);
    char *to = data->memory = malloc((size_t)bytes);
    if (!to) return false;
    for (int i = 0; i < TENSORS; i++) {
        *tensors[i] = to;
        fill(draw_for(kind, type[i], i == WEIGHTS), &seed, type[i], to, elements[i]);
        if (s->ignore_nan && i == WEIGHTS) make_positive(type[i], to, elements[i]);
        if (i == WEIGHTS && s->known) memcpy(to, s->known, (size_t)(elements[i] * type_bytes(type[i])));
        to += tensor_bytes(type[i], elements[i]);
    }
    if (spec_scaling(s) != SCALING_NONE)
        draw_multipliers(s, &seed, (void *)(uintptr_t)data->tensors.scale, (void *)(uintptr_t)data->tensors.shift);
    if (s->ignore_nan) strew_nan(&seed, type[0], data->memory, elements[0]);
    return true;
}

void data_give(layer_data *data, const known_tensors *known) {
    if (!known) return;
    if (known->weights) data->tensors.weights = known->weights;
    if (known->bias) data->tensors.bias = known->bias;
    if (known->scale) data->tensors.scale = known->scale;
    if (known->shift) data->tensors.shift = known->shift;
}

void data_free(layer_data *data) {
    free(data->memory);
    data->memory = NULL;
}
