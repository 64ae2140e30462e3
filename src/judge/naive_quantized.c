/* Integers in 128 bits, by division and not by shifts; floats in double, rounded to f32 after each operation, which is
 * what f32 gives: a double has more than twice its digits. */
#include "judge/naive_quantized.h"
#include "judge/post.h"

#include <math.h>

__extension__ typedef __int128 wide;

static double single(double x) { return type_round(TYPE_F32, x); }

static wide power_of_two(int exponent) { return (wide)1 << exponent; }

static wide floor_of(wide over, wide under) {
    const wide whole = over / under;
    return whole - (over % under < 0);
}

static wide limited(wide x, wide low, wide high) { return x < low ? low : x > high ? high : x; }
static wide to_s32(wide x) { return limited(x, INT32_MIN, INT32_MAX); }

/* floor(sum m / 2^s + 1/2) */
static wide half_up(wide sum, wide m, int shift) {
    const wide unit = power_of_two((int)limited(shift, 1, 62));
    return to_s32(floor_of(2 * sum * m + unit, 2 * unit));
}

/* gemmlowp's SaturatingRoundingDoublingHighMul. */
static wide doubling_high(wide a, wide b) {
    const wide half = power_of_two(30), nudge = a * b >= 0 ? half : 1 - half;
    return a == b && a == INT32_MIN ? INT32_MAX : (a * b + nudge) / power_of_two(31);
}

/* gemmlowp's RoundingDivideByPOT: to nearest, ties away from 0. */
static wide away(wide x, int exponent) {
    const wide unit = power_of_two(exponent), size = x < 0 ? -x : x, rounded = (2 * size + unit) / (2 * unit);
    return x < 0 ? -rounded : rounded;
}

static wide doubled(wide sum, wide m, int shift) {
    const int left = (int)limited(-(wide)shift, 0, 31), right = (int)limited(shift, 0, 31);
    return away(doubling_high(to_s32(sum * power_of_two(left)), m), right);
}

static int32_t integer(const void *tensor, int64_t i) { return ((const int32_t *)tensor)[i]; }

long double naive_scaled(const cvk_spec *s, const naive_tensors *t, int64_t oc, long double sum) {
    const int64_t i = s->one_multiplier ? 0 : oc;
    switch (spec_scaling(s)) {
    case SCALING_FLOAT: return single(single((double)sum) * (double)((const float *)t->scale)[i]);
    case SCALING_HALF_UP: return (long double)half_up((wide)sum, integer(t->scale, i), integer(t->shift, i));
    case SCALING_DOUBLE: return (long double)doubled((wide)sum, integer(t->scale, i), integer(t->shift, i));
    case SCALING_NONE: break;
    }
    return sum;
}

double naive_addend(const cvk_spec *s, double addend, double multiplier) {
    return single((addend - s->addend_zero) * multiplier);
}

static double hard_sigmoid(double x) {
    const double raised = single(x + 3), kept = raised < 0 ? 0 : raised > 6 ? 6 : raised;
    return single(kept / 6);
}

bool naive_step(const post_op *op, double operand, long double *value) {
    const double x = (double)*value;
    switch (op->kind) {
    case POST_ADD:
    case POST_SHIFT: *value = single(x + operand); return true;
    case POST_SCALE:
    case POST_GATE:
    case POST_MULTIPLY: *value = single(x * operand); return true;
    case POST_TIMES: *value = single(x * op->a); return true;
    case POST_PLUS: *value = single(x + op->a); return true;
    case POST_LEAKY_RELU: *value = x < 0 ? single(op->a * x) : x; return true;
    case POST_HARD_SIGMOID: *value = hard_sigmoid(x); return true;
    case POST_HARD_SWISH: *value = single(x * hard_sigmoid(x)); return true;
    case POST_RELU:
    case POST_RELU6:
    case POST_CLAMP: *value = post_apply(op, 0, *value); return true;
    default: return false;
    }
}

/* saturate(the nearest integer + what stands for 0). */
static double byte_of(const cvk_spec *s, long double value) {
    const cvk_type type = s->output_type;
    return type_round(type, isnan(value) ? s->output_zero : type_round(TYPE_S32, (double)value) + s->output_zero);
}

void naive_store_byte(const cvk_spec *s, long double *value, double *error) {
    const double byte = byte_of(s, *value);
    if (error) {
        const double low = byte_of(s, *value - *error), high = byte_of(s, *value + *error);
        *error = fmax(byte - low, high - byte);
    }
    *value = byte;
}
