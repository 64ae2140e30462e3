/* Do nests written by hand compute, to the last bit, what plain C computes that shares nothing with the compiler? On
 * conversions: every half, every f32 exponent with ties, denormals, infinities and NaN. Prints and returns what is
 * wrong. Without a C library (WebAssembly) it says the number of the first wrong nest, from 1. */
#include "nests.h"

#include <convoke/runtime.h>

#define NEST(symbol, what, a, w, y, lanes) extern const cvk_kernel_info symbol;
#include "nests.inc"
#undef NEST

typedef enum type { F32, F64, F16, BF16, S8, U8, S32, S16, TYPES } type;
typedef enum what {
    CONVERT,
    ADD,
    SUB,
    MUL,
    DIV,
    MIN,
    MAX,
    MAXIMUM,
    GREATER,
    SELECT_NEGATIVE,
    ABS,
    COPYSIGN,
    EXP2I,
    SHIFT_LEFT,
    SHIFT_RIGHT,
    NUMBERS,
    QUANTIZE,
    HALF_UP,
    DOUBLE,
    MIXED,
    PRODUCT,
    MOVES,
    TRANSPOSE,
    DECAY,
    SIGMOID,
    TANH,
    SILU,
    GELU,
    GELU_TANH,
    ELU,
    SOFTPLUS
} what;

typedef struct nest {
    const char *name;
    const cvk_kernel_info *info;
    what what;
    type a, w, y;
    int lanes;
} nest;
static const nest NESTS[] = {
#define NEST(symbol, what, a, w, y, lanes) {#symbol, &symbol, what, a, w, y, lanes},
#include "nests.inc"
#undef NEST
};
enum { NEST_COUNT = sizeof NESTS / sizeof *NESTS };

static const int BITS[TYPES] = {32, 64, 16, 16, 8, 8, 32, 16};

/* An element, by any of its types. */
typedef union element {
    float f32;
    double f64;
    uint16_t half;
    int8_t s8;
    uint8_t u8;
    int16_t s16;
    int32_t s32;
    uint64_t bits;
} element;

typedef union buffer {
    float f32[ELEMENTS];
    double f64[ELEMENTS];
    uint8_t u8[ELEMENTS];
    uint16_t u16[ELEMENTS];
    uint32_t u32[ELEMENTS];
    uint64_t u64[ELEMENTS];
} buffer;
static buffer input, output;

/* As a kernel takes them: after a header, which it does not read. */
static struct {
    _Alignas(CVK_PACKED_HEADER) unsigned char header[CVK_PACKED_HEADER];
    buffer weights;
} packed;

static uint64_t bits_at(const buffer *b, type t, int i) {
    return BITS[t] == 8 ? b->u8[i] : BITS[t] == 16 ? b->u16[i] : BITS[t] == 32 ? b->u32[i] : b->u64[i];
}

static void put_bits(buffer *b, type t, int i, uint64_t bits) {
    switch (BITS[t]) {
    case 8: b->u8[i] = (uint8_t)bits; break;
    case 16: b->u16[i] = (uint16_t)bits; break;
    case 32: b->u32[i] = (uint32_t)bits; break;
    default: b->u64[i] = bits; break;
    }
}

/* 2^e, exact. */
static double power(int e) {
    double p = 1;
    for (; e > 0; e--) p *= 2;
    for (; e < 0; e++) p /= 2;
    return p;
}

/* Halves by a table of all of them, made from the definition of their formats. */
static double halves[2][1 << 16];

static double half_of(uint32_t bits, int fraction_bits, int bias) {
    int exponent = (int)((bits & 0x7fff) >> fraction_bits), most = 0x7fff >> fraction_bits;
    uint32_t fraction = bits & ((1u << fraction_bits) - 1);
    double magnitude = exponent ? (double)(fraction | 1u << fraction_bits) * power(exponent - bias - fraction_bits)
                                : (double)fraction * power(1 - bias - fraction_bits);
    if (exponent == most) magnitude = fraction ? (double)__builtin_nanf("") : (double)__builtin_inff();
    return bits & 0x8000 ? -magnitude : magnitude;
}

static void make_halves(void) {
    for (uint32_t i = 0; i < 1 << 16; i++) halves[0][i] = half_of(i, 10, 15), halves[1][i] = half_of(i, 7, 127);
}

static double value_of(type t, uint64_t bits) {
    element e = {.bits = bits};
    switch (t) {
    case F32: return (double)e.f32;
    case F64: return e.f64;
    case F16: return halves[0][e.half];
    case BF16: return halves[1][e.half];
    case S8: return e.s8;
    case U8: return e.u8;
    case S16: return e.s16;
    default: return e.s32;
    }
}

static double value_at(const buffer *b, type t, int i) { return value_of(t, bits_at(b, t, i)); }

static int is_float(type t) { return t == F32 || t == F64 || t == F16 || t == BF16; }
static int is_nan(double x) { return x != x; }
static double magnitude_of(double x) { return x < 0 ? -x : x; }
static int negative(double x) { return (element){.f64 = x}.bits >> 63 != 0; }

/* The half nearest to a magnitude, by search among the finite ones and the infinite one, which stands where the next
 * would be. */
static uint32_t nearest_half(const double *table, uint32_t infinite, double x) {
    uint32_t low = 0, high = infinite;
    double beyond = 2 * table[infinite - 1] - table[infinite - 2];
    if (x >= beyond) return infinite;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (table[middle] <= x)
            low = middle;
        else
            high = middle;
    }
    double above = high == infinite ? beyond : table[high], tie = (table[low] + above) / 2;
    return x > tie || (x == tie && low % 2) ? high : low;
}

static double least_of(type t) { return t == U8 ? 0 : t == S8 ? -128 : t == S16 ? -32768 : -2147483648.0; }
static double most_of(type t) { return t == U8 ? 255 : t == S8 ? 127 : t == S16 ? 32767 : 2147483647; }

static int64_t nearest_integer(double x) {
    int64_t below = (int64_t)x - ((double)(int64_t)x > x);
    double rest = x - (double)below;
    return below + (rest > 0.5 || (rest == 0.5 && below % 2 != 0));
}

/* The bits of x as an element of a type, converted as nest/ops.def says. */
static uint64_t converted(type t, double x) {
    if (t == F64) return (element){.f64 = x}.bits;
    if (t == F32) return (element){.f32 = (float)x}.bits & UINT32_MAX;
    if (is_float(t)) {
        uint32_t infinite = t == F16 ? 0x7c00 : 0x7f80, sign = negative(x) ? 0x8000 : 0;
        return is_nan(x) ? infinite + 1 : sign | nearest_half(halves[t == BF16], infinite, magnitude_of(x));
    }
    if (is_nan(x)) x = 0;
    if (x < least_of(t)) x = least_of(t);
    if (x > most_of(t)) x = most_of(t);
    return (uint64_t)nearest_integer(x) & (UINT64_MAX >> (64 - BITS[t]));
}

/* Integers modulo 2^bits. */
static uint64_t wrapped(type t, int64_t x) { return (uint64_t)x & (UINT64_MAX >> (64 - BITS[t])); }

static uint64_t state;
static uint64_t random_bits(void) {
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Fractions with one or two bits, near to such, and any: ties of every rounding to come. */
static uint64_t some_fraction(int i, int bits) {
    uint64_t one = UINT64_C(1) << ((i >> 3) % bits);
    switch (i & 7) {
    case 0: return one;
    case 1: return 3 * one;
    case 2: return one - 1;
    case 3: return one + 1;
    case 4: return 0 - one;
    case 5: return one | one << 13;
    case 6: return one | (one << 13) | 1;
    default: return random_bits();
    }
}

/* Number i of a type's numbers: halves and small integers all of them; of f32 every exponent with some_fraction, of f64
 * those near f32's and the extreme. */
static uint64_t some_bits(type t, int i) {
    uint64_t sign = (uint64_t)(i >> 15 & 1);
    uint64_t fraction;
    if (BITS[t] <= 16) return (uint64_t)i;
    switch (t) {
    case F32:
        fraction = some_fraction(i >> 8 & 127, 23) & 0x7fffff;
        return sign << 31 | (uint64_t)(i & 255) << 23 | fraction;
    case F64:
        fraction = some_fraction(i >> 8 & 127, 52);
        if (i & 1 << 14) fraction = some_fraction(i >> 8 & 127, 23) << 29 | (i & 256 ? 1 : 0);
        fraction &= (UINT64_C(1) << 52) - 1;
        return sign << 63 |
               (uint64_t)((i & 255) == 0     ? 0
                          : (i & 255) == 255 ? 2047
                                             : 1023 - 155 + (i & 255))
                   << 52 |
               fraction;
    default: return (some_fraction(i, 32) ^ (0 - sign)) & UINT32_MAX;
    }
}

static void fill(buffer *b, type t, int count, int from) {
    for (int i = 0; i < count; i++) put_bits(b, t, i, some_bits(t, i + from));
}

/* Small numbers, of few digits, in a half's middle. */
static void fill_moderately(buffer *b, type t) {
    for (int i = 0; i < ELEMENTS; i++) {
        double x = ((double)(random_bits() % 256) + 1) / power((int)(random_bits() % 12));
        put_bits(b, t, i, converted(t, random_bits() & 1 ? x : -x));
    }
}

/* Extremes in every product, and any numbers. Of f64 more digits than f32 has, but few enough to be exact. */
static void fill_factors(buffer *b, type t, int count) {
    for (int i = 0; i < count; i++) {
        uint64_t any = random_bits();
        double x = is_float(t) ? (double)(any >> 44) * (t == F64 ? 1 : 0x1p-10) : 0;
        if (t == F32 || t == F16) x = (double)(int64_t)(any % 201) - 100;
        uint64_t bits = is_float(t) ? converted(t, x) : wrapped(t, (int64_t)any);
        if (!is_float(t) && i % SUMMED < SUMMED / 2)
            bits = wrapped(t, (int64_t)(i % 3 == 2 ? most_of(t) : i % 3 ? least_of(t) : -1));
        put_bits(b, t, i, bits);
    }
}

static void run(const nest *n) {
    const cvk_args arguments = {.input = &input, .weights = &packed, .output = &output};
    n->info->run(&arguments, 0, 0, n->info->tasks[0]);
}

static int same(type t, uint64_t got, uint64_t expected) {
    if (is_float(t) && is_nan(value_of(t, expected))) return is_nan(value_of(t, got));
    return got == expected;
}

static float float_operation(what op, float x, float y) {
    switch (op) {
    case ADD: return x + y;
    case SUB: return x - y;
    case MUL: return x * y;
    default: return x / y;
    }
}

static double double_operation(what op, double x, double y) {
    switch (op) {
    case ADD: return x + y;
    case SUB: return x - y;
    case MUL: return x * y;
    default: return x / y;
    }
}

static int64_t integer_operation(what op, int64_t x, int64_t y) {
    switch (op) {
    case ADD: return x + y;
    case SUB: return x - y;
    case MUL: return x * y;
    case SHIFT_LEFT: return x * (1 << SHIFT);
    default: return x >= 0 ? x / (1 << SHIFT) : -((-x + (1 << SHIFT) - 1) / (1 << SHIFT));
    }
}

/* The expected bits of y = x op z for elements of one type. */
static uint64_t operation(what op, type t, uint64_t a, uint64_t b) {
    double x = value_of(t, a), z = value_of(t, b);
    uint64_t sign = UINT64_C(1) << (BITS[t] - 1);
    switch (op) {
    case MIN: return x < z ? a : b;
    case MAX: return x > z ? a : b;
    case MAXIMUM: return z > x || is_nan(z) ? b : a;
    case GREATER: return converted(t, x > z || (is_nan(x) && !is_nan(z)) ? -1 : 0);
    case SELECT_NEGATIVE: return x < 0 ? b : a;
    case ABS: return a & ~sign;
    case COPYSIGN: return (a & ~sign) | (b & sign);
    case EXP2I: return converted(t, power((int)x));
    default: break;
    }
    if (t == F32) return converted(F32, (double)float_operation(op, (float)x, (float)z));
    if (t == F64) return converted(F64, double_operation(op, x, z));
    return wrapped(t, integer_operation(op, (int64_t)x, (int64_t)z));
}

static void fill_exponents(buffer *b, type t) {
    int most = t == F32 ? 127 : 1023;
    for (int i = 0; i < ELEMENTS; i++) put_bits(b, t, i, converted(t, i % (2 * most) - most + 1));
}

static int check_operation(const nest *n) {
    fill(&input, n->a, ELEMENTS, 0);
    fill(&packed.weights, n->w, ELEMENTS, 12345);
    if (n->what == EXP2I) fill_exponents(&input, n->a);
    run(n);
    for (int i = 0; i < ELEMENTS; i++) {
        uint64_t expected = operation(n->what, n->y, bits_at(&input, n->a, i), bits_at(&packed.weights, n->w, i));
        if (!same(n->y, bits_at(&output, n->y, i), expected)) return i;
    }
    return -1;
}

/* Of element i the number STEP i - OFFSET. */
static int check_numbers(const nest *n) {
    run(n);
    for (int i = 0; i < ELEMENTS; i++)
        if (bits_at(&output, n->y, i) != converted(n->y, STEP * i - OFFSET)) return i;
    return -1;
}

static int check_conversion(const nest *n) {
    fill(&input, n->a, ELEMENTS, 0);
    run(n);
    for (int i = 0; i < ELEMENTS; i++)
        if (!same(n->y, bits_at(&output, n->y, i), converted(n->y, value_at(&input, n->a, i)))) return i;
    return -1;
}

/* Rounded before what stands for 0 is added, and saturated after. */
static uint64_t quantized(type t, double x) {
    const int zero = t == U8 ? ZERO_U8 : ZERO_S8;
    if (is_nan(x)) x = 0;
    if (x < -1e6) x = -1e6;
    if (x > 1e6) x = 1e6;
    const double y = (double)(nearest_integer(x) + zero);
    return wrapped(t, (int64_t)(y < least_of(t) ? least_of(t) : y > most_of(t) ? most_of(t) : y));
}

static int check_quantization(const nest *n) {
    fill(&input, n->a, ELEMENTS, 0);
    for (int i = 0; n->a == F32 && i < ELEMENTS; i += 2) input.f32[i] = (float)(i - ELEMENTS / 2) / 64; /* ties */
    run(n);
    for (int i = 0; i < ELEMENTS; i++)
        if (bits_at(&output, n->y, i) != quantized(n->y, value_at(&input, n->a, i))) return i;
    return -1;
}

static int64_t floor_of(int64_t x, int64_t divisor) { return x / divisor - (x % divisor < 0); }

static int64_t in_32_bits(int64_t x) { return x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : x; }

static int64_t half_up(int64_t a, int64_t b, int64_t shift) {
    const int s = shift < 1 ? 1 : shift > 62 ? 62 : (int)shift;
    return in_32_bits(floor_of(a * b + (INT64_C(1) << (s - 1)), INT64_C(1) << s));
}

/* As gemmlowp and TensorFlow Lite write it, but that a shift to the left saturates. */
static int64_t doubled(int64_t a, int64_t b, int64_t shift) {
    const int right = shift < 0    ? 0
                      : shift > 31 ? 31
                                   : (int)shift,
              left = shift < -31 ? 31
                     : shift < 0 ? (int)-shift
                                 : 0;
    const int64_t x = in_32_bits(a * (INT64_C(1) << left)), product = x * b;
    const int64_t nudge = product >= 0 ? 1 << 30 : 1 - (1 << 30);
    const int64_t high = x == b && b == INT32_MIN ? INT32_MAX : (product + nudge) / (INT64_C(1) << 31);
    const int64_t mask = (INT64_C(1) << right) - 1, rest = high & mask, threshold = (mask >> 1) + (high < 0);
    return floor_of(high, INT64_C(1) << right) + (rest > threshold);
}

/* Every multiplier at its full width, the sums about ties of it, and any. */
static void fill_sums(void) {
    for (int i = 0; i < ELEMENTS; i += 3) {
        packed.weights.u32[i] = (uint32_t)(i % 2 ? UINT32_C(1) << 30 : random_bits() >> 34 | UINT32_C(1) << 30);
        input.u32[i] = (uint32_t)(random_bits() >> (40 + i % 16)) - 5000u;
    }
}

static int check_scale(const nest *n) {
    fill(&input, S32, ELEMENTS, 0);
    fill(&packed.weights, S32, ELEMENTS, 12345);
    fill_sums();
    run(n);
    for (int i = 0; i < ELEMENTS; i++) {
        const uint32_t a = input.u32[i], b = packed.weights.u32[i];
        const int64_t shift = floor_of((int32_t)(a * SPREAD + b), INT64_C(1) << SHIFTED);
        const int64_t y = (n->what == HALF_UP ? half_up : doubled)((int32_t)a, (int32_t)b, shift);
        if (output.u32[i] != (uint32_t)y) return i;
    }
    return -1;
}

/* Exact in double, rounded to f32 once and to the half once more. */
static int check_mixed(const nest *n) {
    fill_moderately(&input, n->a);
    fill_moderately(&packed.weights, n->w);
    run(n);
    for (int i = 0; i < ELEMENTS; i++) {
        double x = value_at(&input, n->a, i), w = value_at(&packed.weights, n->w, i);
        if (!same(n->y, bits_at(&output, n->y, i), converted(n->y, (double)(float)(x * w + x)))) return i;
    }
    return -1;
}

static uint64_t product_at(const nest *n, int p, int oc) {
    int group = n->a == F16 ? 1 : BITS[n->y] / BITS[n->a];
    double sum = 0;
    uint64_t integer = 0;
    for (int ic = 0; ic < SUMMED; ic++) {
        double x = value_at(&input, n->a, p * SUMMED + ic);
        double w = value_at(&packed.weights, n->w, (ic / group * CHANNELS + oc) * group + ic % group);
        sum += x * w;
        if (!is_float(n->a)) integer += (uint64_t)((int64_t)x * (int64_t)w);
    }
    return is_float(n->y) ? converted(n->y, sum) : integer & UINT32_MAX;
}

static int check_product(const nest *n) {
    fill_factors(&input, n->a, POSITIONS * SUMMED);
    fill_factors(&packed.weights, n->w, SUMMED * CHANNELS);
    run(n);
    for (int i = 0; i < POSITIONS * CHANNELS; i++)
        if (bits_at(&output, n->y, i) != product_at(n, i / CHANNELS, i % CHANNELS)) return i;
    return -1;
}

/* What make_moves moves, element by element. */
static int check_moves(const nest *n) {
    static buffer expected;
    int at = 0;
    fill(&input, n->a, 8 * n->lanes, 77);
    for (int i = 0; i < 64 * n->lanes; i++)
        put_bits(&output, n->y, i, UNTOUCHED), put_bits(&expected, n->y, i, UNTOUCHED);
    for (int i = 0; i < STRIDES; i++, at += n->lanes)
        for (int l = 0; l < n->lanes; l++)
            put_bits(&expected, n->y, at + l,
                     l >= 1 && l < n->lanes - 1 ? bits_at(&input, n->a, i + l * STRIDE[i]) : 0);
    for (int i = 0; i < STRIDES; at += STRIDE[i++] * n->lanes)
        for (int l = 1; l < n->lanes - 1; l++)
            put_bits(&expected, n->y, at + l * STRIDE[i], bits_at(&input, n->a, 5 + l));
    for (int l = 0; l < n->lanes; l++) {
        put_bits(&expected, n->y, at + l, bits_at(&input, n->a, 5 + (l + 1) % n->lanes));
        put_bits(&expected, n->y, at + n->lanes + l, l >= 1 && l < n->lanes - 1 ? bits_at(&input, n->a, 5 + l) : 0);
    }
    run(n);
    for (int i = 0; i < 64 * n->lanes; i++)
        if (bits_at(&output, n->y, i) != bits_at(&expected, n->y, i)) return i;
    return -1;
}

static int check_transpose(const nest *n) {
    fill(&input, n->a, n->lanes * n->lanes, 300);
    run(n);
    for (int i = 0; i < n->lanes * n->lanes; i++)
        if (bits_at(&output, n->y, i) != bits_at(&input, n->a, i % n->lanes * n->lanes + i / n->lanes)) return i;
    return -1;
}

#ifndef __wasm__
#include <float.h>
#include <math.h>

/* Where long double has no more digits than f64, it cannot judge it, but of what is not a number. */
enum { IS_FINER = LDBL_MANT_DIG > DBL_MANT_DIG };

/* More digits than f64 has. */
static long double function(what f, long double x) {
    switch (f) {
    case DECAY: return expl(-fabsl(x));
    case SIGMOID: return 1 / (1 + expl(-x));
    case TANH: return tanhl(x);
    case SILU: return x / (1 + expl(-x));
    case GELU: return x / 2 * erfcl(-x / sqrtl(2));
    case GELU_TANH: return x / (1 + expl(-2 * sqrtl(2 / acosl(-1)) * (x + 0.044715L * x * x * x)));
    case ELU: return x < 0 ? expm1l(x) : x;
    default: return fmaxl(x, 0) + log1pl(expl(-fabsl(x)));
    }
}

static const double ULP[] = {
#define NEST_MATH(name, word, ulp, formula) [name] = ulp,
#include "math.def"
#undef NEST_MATH
};

static double ulps(double got, long double exact) {
    int exponent;
    frexpl(exact, &exponent);
    return (double)(fabsl(got - exact) / ldexpl(1, exponent - 1 < -1022 ? -1074 : exponent - 53));
}

/* Finite arguments of every size, most of them where the functions bend. */
static int check_function(const nest *n) {
    fill(&input, F64, ELEMENTS, 0);
    for (int i = 0; i < ELEMENTS; i += 2)
        input.f64[i] = ((double)(random_bits() >> 11) * 0x1p-52 - 1) * power((int)(random_bits() % 12) - 1);
    run(n);
    for (int i = 0; i < ELEMENTS; i++) {
        double x = input.f64[i];
        if (is_nan(x) != is_nan(output.f64[i]) && !isinf(x)) return i;
        if (IS_FINER && isfinite(x) && i % 4 < 2 && !(ulps(output.f64[i], function(n->what, x)) <= ULP[n->what]))
            return i;
    }
    return -1;
}
#else
/* There is no library to compare with. */
static int check_function(const nest *n) {
    (void)n;
    return -1;
}
#endif

/* The first wrong element, or -1. */
static int check(const nest *n) {
    state = 1;
    switch (n->what) {
    case CONVERT: return check_conversion(n);
    case NUMBERS: return check_numbers(n);
    case QUANTIZE: return check_quantization(n);
    case HALF_UP:
    case DOUBLE: return check_scale(n);
    case MIXED: return check_mixed(n);
    case PRODUCT: return check_product(n);
    case MOVES: return check_moves(n);
    case TRANSPOSE: return check_transpose(n);
    default: return n->what >= DECAY ? check_function(n) : check_operation(n);
    }
}

#ifdef __wasm__
void *memcpy(void *to, const void *from, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) ((char *)to)[i] = ((const char *)from)[i];
    return to;
}
void *memset(void *to, int byte, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) ((char *)to)[i] = (char)byte;
    return to;
}

__attribute__((export_name("first_wrong"))) int first_wrong(void) {
    make_halves();
    for (int i = 0; i < NEST_COUNT; i++)
        if (check(&NESTS[i]) >= 0) return i + 1;
    return 0;
}
#else
#include <stdio.h>

int main(void) {
    int wrong = 0;
    if (NESTS[0].info->cpu_features & ~cvk_cpu_features()) {
        printf("skipped: this CPU does not run %s\n", NESTS[0].info->target);
        return 77;
    }
    make_halves();
    for (const nest *n = NESTS; n < NESTS + NEST_COUNT; n++) {
        int at = check(n);
        if (at < 0) continue;
        wrong++;
        printf("%s: element %d is %llx; of %llx and %llx\n", n->name, at,
               (unsigned long long)bits_at(&output, n->y, at), (unsigned long long)bits_at(&input, n->a, at),
               (unsigned long long)bits_at(&packed.weights, n->w, at));
    }
    printf("%d of %d nests right\n", NEST_COUNT - wrong, NEST_COUNT);
    return wrong != 0;
}
#endif
