/* Zeros, to which what is gone through image by image is added. */
#ifndef CVK_ALGO_CLEAR_H
#define CVK_ALGO_CLEAR_H

#include "algo/algo.h"

/* Elements `begin` and on of what a role is bound to, which all images share. */
typedef struct clearing {
    const char *name;
    nest_role role;
    cvk_type type;
    int64_t begin, elements;
} clearing;

/* Tasks are runs of vectors. */
nest *clear_build(arena *a, const clearing *c, const cvk_target *target);

#endif
