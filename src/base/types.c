/* The table of types, and rounding to one of them by the double it is given. */
#include "base/types.h"

#include <math.h>
#include <string.h>

const type_row type_rows[TYPES] = {
#define CVK_TYPE(name, word, bits, kind, numpy, onnx, llvm, unit_roundoff)                                             \
    {word, bits, KIND_##kind, numpy, onnx, llvm, unit_roundoff},
#include "base/types.def"
#undef CVK_TYPE
};

/* Significant bits, and the exponent of the least normal number. */
typedef struct float_format {
    int digits, least_exponent;
} float_format;

static const float_format FORMAT[TYPES] = {
    [TYPE_F32] = {24, -126}, [TYPE_F64] = {53, -1022}, [TYPE_F16] = {11, -14}, [TYPE_BF16] = {8, -126}};

const char *type_name(cvk_type type) { return (int)type >= 0 && type < TYPES ? type_rows[type].name : "?"; }
int type_bytes(cvk_type type) { return type_rows[type].bits / 8; }
bool type_is_float(cvk_type type) { return type_rows[type].kind == KIND_FLOAT; }
bool type_is_computed_float(cvk_type type) { return type == TYPE_F32 || type == TYPE_F64; }

cvk_type type_of_sums(cvk_type type) {
    if (!type_is_float(type)) return TYPE_S32;
    return type == TYPE_F64 ? TYPE_F64 : TYPE_F32;
}

/* Bits that a number's magnitude may take up. */
static int digits(cvk_type type) {
    const type_row *row = &type_rows[type];
    return row->kind == KIND_FLOAT ? FORMAT[type].digits : row->bits - (row->kind == KIND_SIGNED);
}

bool type_holds(cvk_type type, cvk_type other) {
    if (digits(type) < digits(other)) return false;
    if (type_is_float(other)) return type_is_float(type) && FORMAT[type].least_exponent <= FORMAT[other].least_exponent;
    return type_rows[type].kind != KIND_UNSIGNED || type_rows[other].kind == KIND_UNSIGNED;
}

/* (2 - 2^(1 - digits)) 2^(1 - least_exponent) */
static double greatest_float(cvk_type type) {
    const float_format *f = &FORMAT[type];
    return ldexp(2 - ldexp(1, 1 - f->digits), 1 - f->least_exponent);
}

double type_greatest(cvk_type type) {
    const type_row *row = &type_rows[type];
    if (row->kind == KIND_FLOAT) return greatest_float(type);
    return ldexp(1, row->kind == KIND_SIGNED ? row->bits - 1 : row->bits) - 1;
}

double type_least(cvk_type type) {
    const type_row *row = &type_rows[type];
    if (row->kind == KIND_FLOAT) return -greatest_float(type);
    return row->kind == KIND_SIGNED ? -ldexp(1, row->bits - 1) : 0;
}

double type_ulp(cvk_type type, double value) {
    const float_format *f = &FORMAT[type];
    int exponent = value == 0 ? f->least_exponent : ilogb(value);
    if (exponent < f->least_exponent) exponent = f->least_exponent;
    return ldexp(1, exponent - (f->digits - 1));
}

/* Ties to even whatever the rounding mode of the caller's library. */
static double nearest_integer(double value) {
    double below = floor(value), rest = value - below;
    bool up = rest > 0.5 || (rest == 0.5 && fmod(below, 2) != 0);
    return copysign(up ? below + 1 : below, value);
}

static double round_float(cvk_type type, double value) {
    const float_format *f = &FORMAT[type];
    if (type == TYPE_F64 || value == 0 || !isfinite(value)) return value;
    int exponent;
    frexp(value, &exponent);
    exponent = exponent - 1 < f->least_exponent ? f->least_exponent : exponent - 1;
    double rounded = ldexp(nearest_integer(ldexp(value, f->digits - 1 - exponent)), exponent - f->digits + 1);
    return fabs(rounded) > type_greatest(type) ? copysign(INFINITY, value) : rounded;
}

double type_round(cvk_type type, double value) {
    if (type_is_float(type)) return round_float(type, value);
    if (isnan(value)) return 0;
    if (value <= type_least(type)) return type_least(type);
    if (value >= type_greatest(type)) return type_greatest(type);
    return nearest_integer(value) + 0.0;
}

/* Sign, exponent and fraction of a half; value is one of the type's. */
static uint64_t half_bits(cvk_type type, double value) {
    const float_format *f = &FORMAT[type];
    const int fraction_bits = f->digits - 1;
    const uint64_t sign = signbit(value) ? UINT64_C(0x8000) : 0, infinite = UINT64_C(0x7fff) >> fraction_bits;
    if (isnan(value)) return sign | infinite << fraction_bits | UINT64_C(1) << (fraction_bits - 1);
    if (isinf(value)) return sign | infinite << fraction_bits;
    if (value == 0) return sign;
    int exponent;
    frexp(value, &exponent);
    bool normal = exponent - 1 >= f->least_exponent;
    uint64_t biased = normal ? (uint64_t)(exponent - f->least_exponent) : 0;
    int scale = normal ? exponent - 1 : f->least_exponent;
    uint64_t digits = (uint64_t)ldexp(fabs(value), fraction_bits - scale);
    return sign | (biased << fraction_bits | (digits & ((UINT64_C(1) << fraction_bits) - 1)));
}

static double half_value(cvk_type type, uint64_t bits) {
    const float_format *f = &FORMAT[type];
    const int fraction_bits = f->digits - 1;
    const uint64_t infinite = UINT64_C(0x7fff) >> fraction_bits, exponent = bits >> fraction_bits & infinite;
    const uint64_t fraction = bits & ((UINT64_C(1) << fraction_bits) - 1);
    double magnitude;
    if (exponent == infinite)
        magnitude = fraction ? NAN : INFINITY;
    else if (exponent == 0)
        magnitude = ldexp((double)fraction, f->least_exponent - fraction_bits);
    else
        magnitude = ldexp((double)(fraction | UINT64_C(1) << fraction_bits),
                          (int)exponent - 1 + f->least_exponent - fraction_bits);
    return copysign(magnitude, bits & 0x8000 ? -1.0 : 1.0);
}

uint64_t type_bits(cvk_type type, double value) {
    uint64_t bits = 0;
    float single;
    value = type_round(type, value);
    switch (type) {
    case TYPE_F64: memcpy(&bits, &value, sizeof value); return bits;
    case TYPE_F32:
        single = (float)value;
        memcpy(&bits, &single, sizeof single);
        return bits;
    case TYPE_F16:
    case TYPE_BF16: return half_bits(type, value);
    default: break;
    }
    return (uint64_t)(int64_t)value & (UINT64_MAX >> (64 - type_rows[type].bits));
}

/* Integers as two's complement of their bits. */
static double integer_value(cvk_type type, uint64_t bits) {
    int64_t sign = type_rows[type].kind == KIND_SIGNED ? INT64_C(1) << (type_rows[type].bits - 1) : 0;
    return (double)(((int64_t)bits ^ sign) - sign);
}

/* All systems convoke runs on are little-endian. */
double type_read(cvk_type type, const void *from) {
    uint64_t bits = 0;
    float single;
    double value;
    memcpy(&bits, from, (size_t)type_bytes(type));
    switch (type) {
    case TYPE_F64: memcpy(&value, &bits, sizeof value); return value;
    case TYPE_F32: memcpy(&single, &bits, sizeof single); return (double)single;
    case TYPE_F16:
    case TYPE_BF16: return half_value(type, bits);
    default: break;
    }
    return integer_value(type, bits);
}

void type_write(cvk_type type, void *to, double value) {
    uint64_t bits = type_bits(type, value);
    memcpy(to, &bits, (size_t)type_bytes(type));
}

/* A double that rounds to any narrower type as the value does: the nearest, or where that is inexact its neighbour
 * whose last digit is odd. */
static double rounded_to_odd(long double value) {
    const double nearest = (double)value;
    uint64_t bits;
    memcpy(&bits, &nearest, sizeof bits);
    if (!isfinite(nearest) || nearest == value || bits & 1) return nearest;
    return nextafter(nearest, nearest < value ? INFINITY : -INFINITY);
}

void type_write_long(cvk_type type, void *to, long double value) {
    type_write(type, to, type == TYPE_F64 ? (double)value : rounded_to_odd(value));
}
