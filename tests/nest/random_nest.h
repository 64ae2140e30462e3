/* Random well-formed nests: loops clipped by outer variables, conditions, quotients, lane ranges, few trips each. */
#ifndef CVK_TESTS_NEST_RANDOM_NEST_H
#define CVK_TESTS_NEST_RANDOM_NEST_H

#include "nest/build.h"

/* CVK_SEED or `otherwise`; CVK_CASES or `otherwise`. */
uint64_t random_seed(uint64_t otherwise);
uint64_t random_cases(uint64_t otherwise);

/* The nest of a seed. Its one tensor is `input`, of 2 RANDOM_BASE elements; it is read around RANDOM_BASE, far from
 * both ends. */
enum { RANDOM_BASE = 100000 };
nest *random_nest(arena *a, uint64_t seed);

#endif
