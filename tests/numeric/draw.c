/* Random numbers, and the numbers that choose them. */
#include "draw.h"

#include <stdlib.h>

draws draws_for(uint64_t seed, uint64_t number) {
    draws d = {seed};
    d.state = draw_bits(&d) ^ number * UINT64_C(0xD1342543DE82EF95);
    return d;
}

uint64_t draw_bits(draws *d) {
    uint64_t z = d->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

int64_t draw_from(draws *d, int64_t low, int64_t high) {
    return low + (int64_t)(draw_bits(d) % (uint64_t)(high - low + 1));
}

int64_t draw_small(draws *d, int64_t low, int64_t high) {
    int64_t a = draw_from(d, low, high), b = draw_from(d, low, high);
    return a < b ? a : b;
}

bool draw_chance(draws *d, int percent) { return draw_from(d, 0, 99) < percent; }

int64_t environment_number(const char *name, int64_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoll(text, NULL, 10) : otherwise;
}
