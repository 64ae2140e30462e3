/* Residues beyond sums and products. */
#include "judge/residue.h"

#include "base/turn.h"

#include <math.h>

/* a^(p - 2), by Fermat. */
residue residue_inverse(residue a) {
    residue power = 1;
    for (int bit = 60; bit >= 0; bit--) {
        power = residue_mul(power, power);
        if ((RESIDUE_PRIME - 2) >> bit & 1) power = residue_mul(power, a);
    }
    return power;
}

residue residue_of_integer(int64_t value) {
    int64_t rest = value % (int64_t)RESIDUE_PRIME;
    return (residue)(rest < 0 ? rest + (int64_t)RESIDUE_PRIME : rest);
}

/* mantissa 2^exponent; 2^61 is 1. */
residue residue_of_double(double value) {
    int exponent;
    if (isnan(value)) return residue_apply(residue_symbol("nan"), 0, 0, 0);
    if (isinf(value)) return residue_apply(residue_symbol("infinity"), value > 0, 0, 0);
    int64_t mantissa = (int64_t)ldexp(frexp(value, &exponent), 53);
    exponent = ((exponent - 53) % 61 + 61) % 61;
    return residue_mul(residue_of_integer(mantissa), residue_of_integer(INT64_C(1) << exponent));
}

typedef struct point {
    residue x, y; /* x + i y, i i = -1 */
} point;

static point times(point a, point b) {
    return (point){residue_sub(residue_mul(a.x, b.x), residue_mul(a.y, b.y)),
                   residue_add(residue_mul(a.x, b.y), residue_mul(a.y, b.x))};
}

residue residue_cosine(int64_t part, int halvings) {
    /* ((5 + 12 i) / 13)^(2^20): of the order 2^TURN_MOST_HALVINGS; a quarter of a turn is i */
    point root = {UINT64_C(1211605771581326640), UINT64_C(2142461068190472701)}, power = {1, 0};
    const uint64_t most = UINT64_C(1) << TURN_MOST_HALVINGS;
    for (uint64_t rest = ((uint64_t)part << (TURN_MOST_HALVINGS - halvings)) % most; rest; rest >>= 1) {
        if (rest & 1) power = times(power, root);
        root = times(root, root);
    }
    return power.x;
}

static uint64_t mixed(uint64_t z) {
    z += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

uint64_t residue_symbol(const char *word) {
    uint64_t symbol = 0;
    for (; *word; word++) symbol = mixed(symbol ^ (unsigned char)*word);
    return symbol;
}

residue residue_apply(uint64_t symbol, residue a, residue b, residue c) {
    return mixed(mixed(mixed(symbol ^ a) ^ b) ^ c) % RESIDUE_PRIME;
}

residue residue_apply_commutative(uint64_t symbol, residue a, residue b) {
    return a < b ? residue_apply(symbol, a, b, 0) : residue_apply(symbol, b, a, 0);
}

bool residue_is_greater(residue a, residue b) {
    const residue least = residue_of_double(-INFINITY);
    return residue_sub(a, least) > residue_sub(b, least);
}
