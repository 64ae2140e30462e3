/* Types as every target has them, bit for bit: floats by IEEE, integers modulo 2^bits. Halves are only converted. */
#include "judge/ring.h"

#include <math.h>

#define ENTRY(prefix, kind, function) [OP_##kind] = prefix##_##function

#define CONSTANT(prefix, TYPE)                                                                                         \
    static void prefix##_constant(const nest_op *op, void *lane) { type_write(TYPE_##TYPE, lane, op->value); }
CONSTANT(f32, F32)
CONSTANT(f64, F64)
CONSTANT(f16, F16)
CONSTANT(bf16, BF16)
CONSTANT(s8, S8)
CONSTANT(u8, U8)
CONSTANT(s16, S16)
CONSTANT(s32, S32)

/* What floats and integers have alike. */
#define ARITHMETIC(prefix, fma)                                                                                        \
    ENTRY(prefix, COPY, copy), ENTRY(prefix, FMA, fma), ENTRY(prefix, ADD, add), ENTRY(prefix, SUB, sub),              \
        ENTRY(prefix, MUL, mul), ENTRY(prefix, MIN, min), ENTRY(prefix, MAX, max), ENTRY(prefix, MAXIMUM, maximum),    \
        ENTRY(prefix, SELECT_NEGATIVE, select_negative)

#define RING(size, fill) .bytes = (size), .typed = true, .constant = (fill)

/* ---- floats ---- */

#define FLOAT(prefix, type, bits_type, one_fma, absolute, root, sign_of, shift, bias, mantissa)                        \
    RING_LANES(prefix##_copy, type, a)                                                                                 \
    RING_LANES(prefix##_fma_fused, type, one_fma(a, b, c))                                                             \
    RING_LANES(prefix##_fma_rounded, type, a *b + c)                                                                   \
    RING_LANES(prefix##_add, type, a + b)                                                                              \
    RING_LANES(prefix##_sub, type, a - b)                                                                              \
    RING_LANES(prefix##_mul, type, a *b)                                                                               \
    RING_LANES(prefix##_div, type, a / b)                                                                              \
    RING_LANES(prefix##_min, type, a < b ? a : b)                                                                      \
    RING_LANES(prefix##_max, type, a > b ? a : b)                                                                      \
    RING_LANES(prefix##_maximum, type, b > a || b != b ? b : a)                                                        \
    RING_LANES(prefix##_greater, type, !(a <= b) && b == b ? -1 : 0)                                                   \
    RING_LANES(prefix##_select_negative, type, a < 0 ? b : c)                                                          \
    RING_LANES(prefix##_sqrt, type, root(a))                                                                           \
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
        RING(size, prefix##_constant), .lanewise = {                                                                   \
            ARITHMETIC(prefix, fma),                                                                                   \
            ENTRY(prefix, DIV, div),                                                                                   \
            ENTRY(prefix, GREATER, greater),                                                                           \
            ENTRY(prefix, SQRT, sqrt),                                                                                 \
            ENTRY(prefix, ABS, abs),                                                                                   \
            ENTRY(prefix, COPYSIGN, copysign),                                                                         \
            ENTRY(prefix, EXP2I, exp2i),                                                                               \
        }                                                                                                              \
    }

FLOAT(f32, float, uint32_t, fmaf, fabsf, sqrtf, copysignf, 0x3p22F, 127, 23)
FLOAT(f64, double, uint64_t, fma, fabs, sqrt, copysign, 0x3p51, 1023, 52)

/* ---- halves ---- */

RING_LANES(half_copy, uint16_t, a)

/* ---- integers ---- */

/* `wide` is unsigned and wraps. */
#define INTEGER(prefix, type, wide)                                                                                    \
    RING_LANES(prefix##_copy, type, a)                                                                                 \
    RING_LANES(prefix##_fma, type, (wide)a *(wide)b + (wide)c)                                                         \
    RING_LANES(prefix##_add, type, (wide)a + (wide)b)                                                                  \
    RING_LANES(prefix##_sub, type, (wide)a - (wide)b)                                                                  \
    RING_LANES(prefix##_mul, type, (wide)a *(wide)b)                                                                   \
    RING_LANES(prefix##_min, type, a < b ? a : b)                                                                      \
    RING_LANES(prefix##_max, type, a > b ? a : b)                                                                      \
    RING_LANES(prefix##_maximum, type, b > a ? b : a)                                                                  \
    RING_LANES(prefix##_select_negative, type, (double)a < 0 ? b : c)                                                  \
    RING_LANES(prefix##_shift_left, type, (wide)a << amount)                                                           \
    RING_LANES(prefix##_shift_right, type, a >> amount)
#define INTEGER_RING(prefix, size, ...)                                                                                \
    {                                                                                                                  \
        RING(size, prefix##_constant), .lanewise = {                                                                   \
            ARITHMETIC(prefix, fma),                                                                                   \
            ENTRY(prefix, SHIFT_LEFT, shift_left),                                                                     \
            ENTRY(prefix, SHIFT_RIGHT, shift_right),                                                                   \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
INTEGER(s8, int8_t, uint32_t)
INTEGER(u8, uint8_t, uint32_t)
INTEGER(s16, int16_t, uint32_t)
INTEGER(s32, int32_t, uint32_t)

/* ---- of sums of 32 bits ---- */

static int64_t within(int64_t x, int64_t low, int64_t high) { return x < low ? low : x > high ? high : x; }
static int64_t saturated(int64_t x) { return within(x, INT32_MIN, INT32_MAX); }

static int64_t half_up(int64_t a, int64_t b, int64_t c) {
    const int64_t s = within(c, 1, 62);
    return saturated((a * b + (INT64_C(1) << (s - 1))) >> s);
}

/* Ties away from 0 are half up of the magnitude. */
static int64_t doubled(int64_t a, int64_t b, int64_t c) {
    const int64_t x = saturated(a * (INT64_C(1) << within(-c, 0, 31))), s = within(c, 0, 31);
    const int64_t high = saturated((x * b + (INT64_C(1) << 30)) >> 31), size = high < 0 ? -high : high;
    const int64_t shifted = (size + (INT64_C(1) << s >> 1)) >> s;
    return high < 0 ? -shifted : shifted;
}

RING_LANES(s32_scale_half_up, int32_t, half_up(a, b, c))
RING_LANES(s32_scale_double, int32_t, doubled(a, b, c))

/* ---- the table ---- */

static const ring ROUNDED[TYPES] = {
    [TYPE_F32] = FLOAT_RING(f32, 4, fma_rounded),
    [TYPE_F64] = FLOAT_RING(f64, 8, fma_rounded),
    [TYPE_F16] = {RING(2, f16_constant), .lanewise = {ENTRY(half, COPY, copy)}},
    [TYPE_BF16] = {RING(2, bf16_constant), .lanewise = {ENTRY(half, COPY, copy)}},
    [TYPE_S8] = INTEGER_RING(s8, 1, ),
    [TYPE_U8] = INTEGER_RING(u8, 1, ),
    [TYPE_S16] = INTEGER_RING(s16, 2, ),
    [TYPE_S32] = INTEGER_RING(s32, 4, ENTRY(s32, SCALE_HALF_UP, scale_half_up), ENTRY(s32, SCALE_DOUBLE, scale_double)),
};
static const ring F32_FUSED = FLOAT_RING(f32, 4, fma_fused), F64_FUSED = FLOAT_RING(f64, 8, fma_fused);

const ring *ring_of_type(cvk_type type, bool fused) {
    if (fused && type == TYPE_F32) return &F32_FUSED;
    if (fused && type == TYPE_F64) return &F64_FUSED;
    return &ROUNDED[type];
}
