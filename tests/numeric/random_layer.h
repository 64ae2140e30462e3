/* Random layers: every field of a spec, in every combination that a spec may have, and small. */
#ifndef NUMERIC_RANDOM_LAYER_H
#define NUMERIC_RANDOM_LAYER_H

#include "draw.h"
#include "spec/graph.h"

/* `name` stays the caller's. */
cvk_spec random_layer(draws *d, const char *name);

/* One that goes forward, of such a tensor and no others beside it. False: none was found. */
bool random_layer_of(draws *d, const char *name, const graph_tensor *input, cvk_spec *s);

#endif
