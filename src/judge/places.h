/* Dense tensors and the places of an axis each, as those go through them that bound what an algorithm may round. */
#ifndef CVK_JUDGE_PLACES_H
#define CVK_JUDGE_PLACES_H

#include "base/types.h"
#include "problem/problem.h"

#include <math.h>

static inline double magnitude_at(cvk_type type, const void *tensor, int64_t i) {
    return fabs(type_read(type, (const char *)tensor + i * type_bytes(type)));
}

/* Number `i` of so many places an axis, the last counting fastest. */
static inline void place_at(int64_t i, const int64_t count[AXES], int64_t at[AXES]) {
    for (int a = AXES - 1; a >= 0; a--) {
        at[a] = i % count[a];
        i /= count[a];
    }
}

#endif
