/* Random layers: every field of a spec, in every combination that a spec may have, and small. */
#ifndef NUMERIC_RANDOM_LAYER_H
#define NUMERIC_RANDOM_LAYER_H

#include "draw.h"
#include "spec/spec.h"

/* `name` stays the caller's. */
cvk_spec random_layer(draws *d, const char *name);

#endif
