/* An object to damage. */
#ifndef CVK_TESTS_JIT_SMALL_OBJECT_H
#define CVK_TESTS_JIT_SMALL_OBJECT_H

#include "compile.h"

/* Of a small layer called SMALL, for this machine. */
#define SMALL "small"
cvk_object small_object(void);

/* Where the kernel's description is in an object. */
cvk_kernel_info *small_info(const cvk_object *object);

/* The next number of a xorshift generator; the state is not 0. */
static inline uint64_t random_next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif
