/* Integers modulo the prime 2^61 - 1: numbers in which a nest and its formula are either equal or not. */
#ifndef CVK_JUDGE_RESIDUE_H
#define CVK_JUDGE_RESIDUE_H

#include <stdbool.h>
#include <stdint.h>

#define RESIDUE_PRIME ((UINT64_C(1) << 61) - 1)

typedef uint64_t residue; /* below the prime */

#define RESIDUE_NONE (~UINT64_C(0)) /* of what was not computed; no residue */

static inline residue residue_reduced(uint64_t a) { /* a < 2 primes */
    uint64_t less = a - RESIDUE_PRIME;
    return less < a ? less : a;
}
static inline residue residue_add(residue a, residue b) { return residue_reduced(a + b); }
static inline residue residue_sub(residue a, residue b) { return residue_reduced(a + RESIDUE_PRIME - b); }

/* a b + c by products of halves, which compilers make vector code of. 2^64 is 8 and 2^61 is 1. */
static inline residue residue_fma(residue a, residue b, residue c) {
    uint64_t a0 = (uint32_t)a, a1 = (uint32_t)(a >> 32), b0 = (uint32_t)b, b1 = (uint32_t)(b >> 32);
    uint64_t low = a0 * b0, middle = a1 * b0 + a0 * b1, high = a1 * b1;
    uint64_t sum =
        8 * high + (middle >> 29) + ((middle & ((1U << 29) - 1)) << 32) + (low & RESIDUE_PRIME) + (low >> 61) + c;
    return residue_reduced((sum & RESIDUE_PRIME) + (sum >> 61));
}
static inline residue residue_mul(residue a, residue b) { return residue_fma(a, b, 0); }

/* 1 / a; 0 for 0. */
residue residue_inverse(residue a);
residue residue_of_integer(int64_t value);
/* What a finite floating-point number is exactly; infinities and NaN are symbols. */
residue residue_of_double(double value);

/* What stands for the cosine of part / 2^halvings of a turn, halvings <= TURN_MOST_HALVINGS: the real part of a power
 * of a root of unity. The prime is 3 modulo 4, so that residues have no square root of -1, and with one they make a
 * field of p^2; its elements of norm 1, the circle of turns, are p + 1 = 2^61. So sines and cosines of binary parts of
 * a turn have all that they have among real numbers: sums of angles, halves of them, squares that add up to 1. */
residue residue_cosine(int64_t part, int halvings);

/* Uninterpreted functions: operations that are no polynomials stand for random functions that both sides know by their
 * words. Equal terms have equal values, and others hardly ever. */
uint64_t residue_symbol(const char *word);
residue residue_apply(uint64_t symbol, residue a, residue b, residue c);
residue residue_apply_commutative(uint64_t symbol, residue a, residue b);

/* Of pools: the greater of two in an order of which minus infinity, what a maximum begins with, is the least. Any other
 * would do as well, for what is pooled are residues that both sides know. */
bool residue_is_greater(residue a, residue b);

#endif
