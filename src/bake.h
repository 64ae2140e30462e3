/* Weights that are known when a layer is compiled: packed there and then, whatever the target, and made part of the
 * code. */
#ifndef CVK_BAKE_H
#define CVK_BAKE_H

#include "compile.h"
#include "judge/random_data.h"

/* Puts them into `unit`, which then takes none of them from its caller. They stay the caller's, for as long as the
 * unit. */
cvk_status bake(arena *a, compile_unit *unit, const known_tensors *known);

#endif
