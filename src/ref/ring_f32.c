/* f32, as every target has it. */
#include "ref/ring.h"

#include <math.h>

RING_LANES(copy, float, a)
RING_LANES(fma_fused, float, fmaf(a, b, c))
RING_LANES(fma_rounded, float, a *b + c)
RING_LANES(add, float, a + b)
RING_LANES(sub, float, a - b)
RING_LANES(mul, float, a *b)
RING_LANES(quotient, float, a / b)
RING_LANES(least, float, a < b ? a : b)
RING_LANES(greatest, float, a > b ? a : b)
RING_LANES(select_negative, float, a < 0 ? b : c)
RING_LANES(magnitude, float, fabsf(a))
RING_LANES(with_sign, float, copysignf(a, b))

static void exp2i(void *to, const void *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) {
        float shifted = ((const float *)from[0])[l] + 0x3p22F;
        uint32_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        bits = (bits + 127) << 23;
        memcpy((float *)to + l, &bits, sizeof bits);
    }
}

static void constant(const nest_op *op, void *lane) {
    float value = op->value;
    memcpy(lane, &value, sizeof value);
}

#define OPERATIONS(fma)                                                                                                \
    {                                                                                                                  \
        [OP_COPY] = copy,                                                                                              \
        [OP_FMA] = (fma),                                                                                              \
        [OP_ADD] = add,                                                                                                \
        [OP_SUB] = sub,                                                                                                \
        [OP_MUL] = mul,                                                                                                \
        [OP_DIV] = quotient,                                                                                           \
        [OP_MIN] = least,                                                                                              \
        [OP_MAX] = greatest,                                                                                           \
        [OP_ABS] = magnitude,                                                                                          \
        [OP_EXP2I] = exp2i,                                                                                            \
        [OP_SELECT_NEGATIVE] = select_negative,                                                                        \
        [OP_COPYSIGN] = with_sign,                                                                                     \
    }
const ring ring_f32_fused = {.bytes = 4, .constant = constant, .lanewise = OPERATIONS(fma_fused)};
const ring ring_f32 = {.bytes = 4, .constant = constant, .lanewise = OPERATIONS(fma_rounded)};
