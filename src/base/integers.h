/* Quotients rounded down and up; divisor > 0. */
#ifndef CVK_BASE_DIVISION_H
#define CVK_BASE_DIVISION_H

#include <stdint.h>

static inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static inline int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b > 0); }
static inline int64_t floor_mod(int64_t a, int64_t b) { return a - floor_div(a, b) * b; }

#endif
