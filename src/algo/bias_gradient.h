/* Gradients of a bias: those of the output, summed over images and positions. */
#ifndef CVK_ALGO_BIAS_GRADIENT_H
#define CVK_ALGO_BIAS_GRADIENT_H

#include "algo/algo.h"

/* What is summed, a dense image: so many images of sizes; sums go to the last `v->channels` of `elements` outputs,
 * or are added to what those hold. */
typedef struct bias_gradient {
    const char *name;
    view v;
    cvk_type sum, output;
    int64_t n, size[AXES], elements;
    bool accumulate;
} bias_gradient;

/* Tasks are a few vectors of channels. Reads ROLE_GRADIENT. */
nest *bias_gradient_build(arena *a, const bias_gradient *g, const cvk_target *target);

#endif
