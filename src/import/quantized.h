/* Bytes, and the numbers that they stand for: (byte - zero) scale. */
#ifndef CVK_IMPORT_QUANTIZED_H
#define CVK_IMPORT_QUANTIZED_H

#include "import/layers.h"

typedef struct quantity {
    const graph_value *bytes;
    int zero;
    const float *scale; /* one for all, or one for each along an axis of the bytes */
    int64_t scales, axis;
} quantity;

/* Whether a value is made of bytes, by constants; which. */
bool quantity_of(const graph_value *v, quantity *to);
/* The same, of one scale for all. */
bool quantity_plain(const graph_value *v, quantity *to);
/* Whether all that reads a value are nodes that go into the layer that makes it, up to one that makes bytes of it. */
bool quantized_follows(const graph_value *v);
/* Of constants what they stand for, so that who knows nothing of bytes finds floats. */
void quantized_constants(graph *g);

/* NULL: the layer multiplies bytes by bytes, and numbers come out, or `*takes` is false: it has to multiply floats.
 * Else why there is no layer. */
const char *quantized_products(arena *a, const graph_node *n, import_layer *l, bool *takes);
/* An identity of bytes makes the numbers of them that the value is; false: it cannot. */
bool quantized_numbers(const graph_value *x, import_layer *l);
/* An identity that would read numbers reads the bytes that they are made of, and makes them, where there are any. */
void quantized_identity(const graph_value *x, import_layer *l);
/* The same of a pool, of which bytes are to be made: whose numbers are then `l->step` times what they stand for. */
const graph_value *quantized_pool(const graph_node *n, import_layer *l);
/* What the layer puts out becomes bytes; false: it is as it was. */
bool quantized_store(arena *a, import_layer *l, const graph_node *n);

#endif
