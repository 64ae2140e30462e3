/* Types as every target has them, bit for bit: floats by IEEE, integers modulo 2^bits. Halves are only converted. */
#include "ref/ring.h"

#include <math.h>

#define ENTRY(prefix, kind, function) [OP_##kind] = prefix##_##function

/* What a type needs to be one: constants, and lanes as double, which holds every number of every type. */
#define CELLS(prefix, type)                                                                                            \
    static void prefix##_constant(const nest_op *op, void *lane) { *(type *)lane = (type)op->value; }                  \
    static double prefix##_read(const void *lanes, int lane) { return (double)((const type *)lanes)[lane]; }           \
    static void prefix##_write(void *lanes, int lane, double value) { ((type *)lanes)[lane] = (type)value; }
#define CELL_MEMBERS(prefix, size)                                                                                     \
    .bytes = (size), .constant = prefix##_constant, .read = prefix##_read, .write = prefix##_write

/* ---- floats ---- */

#define FLOAT(prefix, type, bits_type, one_fma, absolute, sign_of, shift, bias, mantissa)                              \
    CELLS(prefix, type)                                                                                                \
    RING_LANES(prefix##_copy, type, a)                                                                                 \
    RING_LANES(prefix##_fma_fused, type, one_fma(a, b, c))                                                             \
    RING_LANES(prefix##_fma_rounded, type, a *b + c)                                                                   \
    RING_LANES(prefix##_add, type, a + b)                                                                              \
    RING_LANES(prefix##_sub, type, a - b)                                                                              \
    RING_LANES(prefix##_mul, type, a *b)                                                                               \
    RING_LANES(prefix##_div, type, a / b)                                                                              \
    RING_LANES(prefix##_min, type, a < b ? a : b)                                                                      \
    RING_LANES(prefix##_max, type, a > b ? a : b)                                                                      \
    RING_LANES(prefix##_select_negative, type, a < 0 ? b : c)                                                          \
    RING_LANES(prefix##_abs, type, absolute(a))                                                                        \
    RING_LANES(prefix##_copysign, type, sign_of(a, b))                                                                 \
    static void prefix##_exp2i(void *to, const void *const *from, int lanes, int amount) {                             \
        (void)amount;                                                                                                  \
        for (int l = 0; l < lanes; l++) {                                                                              \
            type shifted = ((const type *)from[0])[l] + (shift);                                                       \
            bits_type bits;                                                                                            \
            memcpy(&bits, &shifted, sizeof bits);                                                                      \
            bits = (bits + (bias)) << (mantissa);                                                                      \
            memcpy((type *)to + l, &bits, sizeof bits);                                                                \
        }                                                                                                              \
    }
#define FLOAT_RING(prefix, size, fma)                                                                                  \
    {                                                                                                                  \
        CELL_MEMBERS(prefix, size), .lanewise = {                                                                      \
            ENTRY(prefix, COPY, copy),                                                                                 \
            ENTRY(prefix, FMA, fma),                                                                                   \
            ENTRY(prefix, ADD, add),                                                                                   \
            ENTRY(prefix, SUB, sub),                                                                                   \
            ENTRY(prefix, MUL, mul),                                                                                   \
            ENTRY(prefix, DIV, div),                                                                                   \
            ENTRY(prefix, MIN, min),                                                                                   \
            ENTRY(prefix, MAX, max),                                                                                   \
            ENTRY(prefix, SELECT_NEGATIVE, select_negative),                                                           \
            ENTRY(prefix, ABS, abs),                                                                                   \
            ENTRY(prefix, COPYSIGN, copysign),                                                                         \
            ENTRY(prefix, EXP2I, exp2i),                                                                               \
        }                                                                                                              \
    }

FLOAT(f32, float, uint32_t, fmaf, fabsf, copysignf, 0x3p22F, 127, 23)
FLOAT(f64, double, uint64_t, fma, fabs, copysign, 0x3p51, 1023, 52)

/* ---- halves ---- */

/* Of `digits` significant bits and least normal exponent 2^least: bits as they stand in memory. */
static double half_value(uint16_t bits, int digits, int least) {
    int fraction_bits = digits - 1, exponent = bits >> fraction_bits & (0x7FFF >> fraction_bits);
    int fraction = bits & ((1 << fraction_bits) - 1), top = 0x7FFF >> fraction_bits;
    double magnitude = exponent == top ? (fraction ? NAN : INFINITY)
                       : exponent == 0 ? ldexp(fraction, least - fraction_bits)
                                       : ldexp(fraction + (1 << fraction_bits), exponent - 1 + least - fraction_bits);
    return bits >> 15 ? -magnitude : magnitude;
}

static uint16_t half_bits(double value, int digits, int least) {
    int fraction_bits = digits - 1, top = 0x7FFF >> fraction_bits, exponent;
    unsigned sign = signbit(value) ? 0x8000U : 0;
    double magnitude = fabs(value);
    if (isnan(value)) return (uint16_t)(sign | (unsigned)top << fraction_bits | 1U << (fraction_bits - 1));
    if (isinf(value)) return (uint16_t)(sign | (unsigned)top << fraction_bits);
    if (magnitude < ldexp(1, least)) return (uint16_t)(sign | (unsigned)ldexp(magnitude, fraction_bits - least));
    frexp(magnitude, &exponent);
    unsigned biased = (unsigned)(exponent - 1 - least + 1);
    unsigned fraction = (unsigned)ldexp(magnitude, fraction_bits - (exponent - 1)) - (1U << fraction_bits);
    return (uint16_t)(sign | biased << fraction_bits | fraction);
}

#define HALF(prefix, digits, least)                                                                                    \
    static double prefix##_read(const void *lanes, int lane) {                                                         \
        return half_value(((const uint16_t *)lanes)[lane], digits, least);                                             \
    }                                                                                                                  \
    static void prefix##_write(void *lanes, int lane, double value) {                                                  \
        ((uint16_t *)lanes)[lane] = half_bits(value, digits, least);                                                   \
    }                                                                                                                  \
    static void prefix##_constant(const nest_op *op, void *lane) { prefix##_write(lane, 0, op->value); }
HALF(f16, 11, -14)
HALF(bf16, 8, -126)
RING_LANES(half_copy, uint16_t, a)

/* ---- integers ---- */

/* `wide` is unsigned and wraps. */
#define INTEGER(prefix, type, wide)                                                                                    \
    CELLS(prefix, type)                                                                                                \
    RING_LANES(prefix##_copy, type, a)                                                                                 \
    RING_LANES(prefix##_fma, type, (wide)a *(wide)b + (wide)c)                                                         \
    RING_LANES(prefix##_add, type, (wide)a + (wide)b)                                                                  \
    RING_LANES(prefix##_sub, type, (wide)a - (wide)b)                                                                  \
    RING_LANES(prefix##_mul, type, (wide)a *(wide)b)                                                                   \
    RING_LANES(prefix##_min, type, a < b ? a : b)                                                                      \
    RING_LANES(prefix##_max, type, a > b ? a : b)                                                                      \
    RING_LANES(prefix##_select_negative, type, (double)a < 0 ? b : c)                                                 \
    RING_LANES(prefix##_shift_left, type, (wide)a << amount)                                                           \
    RING_LANES(prefix##_shift_right, type, a >> amount)
#define INTEGER_RING(prefix, size)                                                                                     \
    {                                                                                                                  \
        CELL_MEMBERS(prefix, size), .lanewise = {                                                                      \
            ENTRY(prefix, COPY, copy),                                                                                 \
            ENTRY(prefix, FMA, fma),                                                                                   \
            ENTRY(prefix, ADD, add),                                                                                   \
            ENTRY(prefix, SUB, sub),                                                                                   \
            ENTRY(prefix, MUL, mul),                                                                                   \
            ENTRY(prefix, MIN, min),                                                                                   \
            ENTRY(prefix, MAX, max),                                                                                   \
            ENTRY(prefix, SELECT_NEGATIVE, select_negative),                                                           \
            ENTRY(prefix, SHIFT_LEFT, shift_left),                                                                     \
            ENTRY(prefix, SHIFT_RIGHT, shift_right),                                                                   \
        }                                                                                                              \
    }
INTEGER(s8, int8_t, uint32_t)
INTEGER(u8, uint8_t, uint32_t)
INTEGER(s16, int16_t, uint32_t)
INTEGER(s32, int32_t, uint32_t)

/* ---- the table ---- */

static const ring ROUNDED[TYPES] = {
    [TYPE_F32] = FLOAT_RING(f32, 4, fma_rounded),
    [TYPE_F64] = FLOAT_RING(f64, 8, fma_rounded),
    [TYPE_F16] = {CELL_MEMBERS(f16, 2), .lanewise = {ENTRY(half, COPY, copy)}},
    [TYPE_BF16] = {CELL_MEMBERS(bf16, 2), .lanewise = {ENTRY(half, COPY, copy)}},
    [TYPE_S8] = INTEGER_RING(s8, 1),
    [TYPE_U8] = INTEGER_RING(u8, 1),
    [TYPE_S16] = INTEGER_RING(s16, 2),
    [TYPE_S32] = INTEGER_RING(s32, 4),
};
static const ring F32_FUSED = FLOAT_RING(f32, 4, fma_fused), F64_FUSED = FLOAT_RING(f64, 8, fma_fused);

const ring *ring_of_type(cvk_type type, bool fused) {
    if (fused && type == TYPE_F32) return &F32_FUSED;
    if (fused && type == TYPE_F64) return &F64_FUSED;
    return &ROUNDED[type];
}
