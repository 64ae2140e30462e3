/* Weights that are known when a layer is compiled: packed there and then, whatever the target, and made part of the
 * code. */
#ifndef CVK_BAKE_H
#define CVK_BAKE_H

#include "compile.h"

/* Dense, of the layer's type, as a caller would pass them; bias, scale and shift NULL where the layer has none. */
typedef struct known_tensors {
    const void *weights, *bias, *scale, *shift;
} known_tensors;

/* Puts them into `unit`, which then takes none of them from its caller. They stay the caller's, for as long as the
 * unit. */
cvk_status bake(arena *a, compile_unit *unit, const known_tensors *known);

#endif
