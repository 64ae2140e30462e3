/* Where an output of a resize lies among the inputs of an axis, exactly, from the formulas of the language. */
#ifndef CVK_JUDGE_RESIZE_PLACE_H
#define CVK_JUDGE_RESIZE_PLACE_H

#include "spec/spec.h"

/* Two inputs, of which the second may be the first, and their weights: over[i] / under, 1 together. */
typedef struct resize_place {
    int64_t index[2], over[2], under;
} resize_place;

resize_place resize_place_of(const cvk_spec *s, int axis, int64_t o);

#endif
