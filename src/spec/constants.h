/* Constants: weights that a layer says itself, and which are compiled into its code. */
#ifndef CVK_SPEC_CONSTANTS_H
#define CVK_SPEC_CONSTANTS_H

#include "spec/rules.h"

#include "base/node.h"

/* As they are written: lists of numbers, each of which is taken `scale` times. */
typedef struct constants {
    const node *values; /* NULL: the layer says none */
    double scale;
} constants;

/* Makes dense weights of them, of the layer's type, and of a layer that is sound but for them. */
void constants_settle(cvk_spec *s, arena *a, const constants *from, const findings *f);
/* Numbers that are dense already, of the layer's type, whoever keeps them; the same rules. */
void constants_take(cvk_spec *s, arena *a, const void *dense, uint64_t bytes, const findings *f);

/* Whether each channel is filtered by itself, so that the taps of one kernel may stand for the weights of all. */
bool constants_repeat(const cvk_spec *s);

#endif
