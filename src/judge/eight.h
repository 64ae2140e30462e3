/* Eight elements as the floats they stand for, by the definitions of their formats. The interpreter's own: it shares no
 * conversion with what it judges. */
#ifndef CVK_JUDGE_EIGHT_H
#define CVK_JUDGE_EIGHT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { EIGHT = 8 };

typedef float floats __attribute__((vector_size(EIGHT * sizeof(float))));
typedef double doubles __attribute__((vector_size(EIGHT * sizeof(double))));
typedef int8_t signed_bytes __attribute__((vector_size(EIGHT)));
typedef uint8_t unsigned_bytes __attribute__((vector_size(EIGHT)));
typedef uint16_t shorts __attribute__((vector_size(EIGHT * sizeof(uint16_t))));
typedef uint32_t words __attribute__((vector_size(EIGHT * sizeof(uint32_t))));

/* Elements x[at[0]], x[at[1]], …, which may be known to be side by side. Vectors go through pointers: how they are
 * returned depends on the CPU that is compiled for. */
#define EIGHT_LOADED(vector, element)                                                                                  \
    static inline void vector##_at(const element *x, const int64_t at[EIGHT], bool beside, vector *to) {               \
        if (beside)                                                                                                    \
            memcpy(to, x + at[0], sizeof *to);                                                                         \
        else                                                                                                           \
            *to = (vector){x[at[0]], x[at[1]], x[at[2]], x[at[3]], x[at[4]], x[at[5]], x[at[6]], x[at[7]]};            \
    }
EIGHT_LOADED(floats, float)
EIGHT_LOADED(shorts, uint16_t)
EIGHT_LOADED(signed_bytes, int8_t)
EIGHT_LOADED(unsigned_bytes, uint8_t)

static inline void eight_f32(const void *x, const int64_t at[EIGHT], bool beside, floats *to) {
    floats_at(x, at, beside, to);
}

static inline void eight_s8(const void *x, const int64_t at[EIGHT], bool beside, floats *to) {
    signed_bytes bytes;
    signed_bytes_at(x, at, beside, &bytes);
    *to = __builtin_convertvector(bytes, floats);
}

static inline void eight_u8(const void *x, const int64_t at[EIGHT], bool beside, floats *to) {
    unsigned_bytes bytes;
    unsigned_bytes_at(x, at, beside, &bytes);
    *to = __builtin_convertvector(bytes, floats);
}

/* The upper half of a f32. */
static inline void eight_bf16(const void *x, const int64_t at[EIGHT], bool beside, floats *to) {
    shorts bits;
    shorts_at(x, at, beside, &bits);
    *to = (floats)(__builtin_convertvector(bits, words) << 16);
}

/* A sign, five bits of exponent and ten of fraction. Where those of a f32 stand they are 2^112 times less, for its
 * exponents count from 127 and these from 15; the greatest exponent is of infinity and NaN in both. */
static inline void eight_f16(const void *x, const int64_t at[EIGHT], bool beside, floats *to) {
    shorts loaded;
    shorts_at(x, at, beside, &loaded);
    const words bits = __builtin_convertvector(loaded, words);
    const words special = (words)((bits & 0x7c00) == 0x7c00) & 0x7f800000, sign = (bits & 0x8000) << 16;
    *to = (floats)((words)((floats)((bits & 0x7fff) << 13) * 0x1p112F) | special | sign);
}

#endif
