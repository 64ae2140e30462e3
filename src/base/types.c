/* The table of types, and rounding to one of them by the double it is given. */
#include "base/types.h"

#include <float.h>
#include <math.h>

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
