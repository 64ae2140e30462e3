/* The bytes a second that this machine's loads get from a level of its memory: a kernel of nothing but loads, and the
 * additions without which they would be for nothing. */
#ifndef CVK_LAB_BANDWIDTH_H
#define CVK_LAB_BANDWIDTH_H

#include "lab/probe.h"

/* Bytes a second. */
typedef struct bandwidths {
    double l2, memory;
} bandwidths;

cvk_status bandwidth_measure(arena *a, const lab *l, bandwidths *to);

#endif
