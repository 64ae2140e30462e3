/* Overlap-save along one axis: tiles of the input that overlap, of each of which a cyclic convolution gives some
 * outputs, `hop`, that did not wrap around. A kernel that would leave less than half of a tile is cut in parts of half
 * a tile; the outputs of a tile are then summed over tiles of the input, that at its place by the first part and those
 * that follow by the others. Needs an axis whose step is 1. */
#ifndef CVK_PROBLEM_OVERLAP_H
#define CVK_PROBLEM_OVERLAP_H

#include "problem/axis.h"

typedef struct overlap {
    int64_t size;    /* positions of a tile */
    int64_t span;    /* that the kernel covers, from its first tap to its last */
    int64_t hop;     /* from a tile to the next, of the output and of the input */
    int64_t parts;   /* of the kernel; of several, each covers `hop` positions */
    int64_t tiles;   /* of the output */
    int64_t inputs;  /* tiles of the input */
    int64_t covered; /* positions of the input that these cover */
} overlap;

/* `size` is a power of two; 1, where the axis has one tap. A hop is a multiple of `unit`, unless that is more than half
 * a tile. */
overlap overlap_of(const problem_axis *axis, int64_t size, int64_t unit);
/* The unit of columns: hops keep to lines of what is summed in. */
int64_t overlap_columns(int bytes);

#endif
