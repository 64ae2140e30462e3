/* Random numbers from splitmix64: the same for the same seed everywhere. */
#ifndef NUMERIC_DRAW_H
#define NUMERIC_DRAW_H

#include <stdbool.h>
#include <stdint.h>

typedef struct draws {
    uint64_t state;
} draws;

/* A stream of its own for each case of a seed. */
draws draws_for(uint64_t seed, uint64_t number);
uint64_t draw_bits(draws *d);
/* low <= n <= high, each equally likely. */
int64_t draw_from(draws *d, int64_t low, int64_t high);
/* The smaller of two of them. */
int64_t draw_small(draws *d, int64_t low, int64_t high);
bool draw_chance(draws *d, int percent);

/* A number in the environment, or `otherwise`. */
int64_t environment_number(const char *name, int64_t otherwise);

#endif
