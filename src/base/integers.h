/* Whole numbers: quotients rounded down and up, divisor > 0, the lesser and greater of two, the nearest of a
 * range, and the greatest that divides two, which is not negative. */
#ifndef CVK_BASE_INTEGERS_H
#define CVK_BASE_INTEGERS_H

#include <stdint.h>

static inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static inline int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b > 0); }
static inline int64_t floor_mod(int64_t a, int64_t b) { return a - floor_div(a, b) * b; }
static inline int64_t lesser(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t greater(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t nearest_in(int64_t v, int64_t low, int64_t high) { return v < low ? low : v > high ? high : v; }
static inline int64_t common_divisor(int64_t a, int64_t b) {
    for (int64_t rest; b != 0; a = b, b = rest) rest = a % b;
    return a < 0 ? -a : a;
}

#endif
