/* Makers of layers, and what they have in common. */
#ifndef CVK_IMPORT_HEADS_H
#define CVK_IMPORT_HEADS_H

#include "import/layers.h"

/* NULL, or why there is no such layer. `l` has its head, input and output, and is otherwise neutral. */
typedef const char *make_layer(arena *a, const graph_node *n, import_layer *l);

/* HEAD(op, maker) of the rows of import/heads.def */
#define HEAD(op, maker) make_layer make_##maker;
#include "import/heads.def"
#undef HEAD

static const char HEAD_UNKNOWN[] = "the shape of its input is not known",
                  HEAD_NOT_CONSTANT[] = "its weights are no constants",
                  HEAD_NO_SENSE[] = "its attributes do not fit its shapes";

/* The layer reads a tensor of that view, and puts out as many channels. */
void head_reads(import_layer *l, const graph_view *x);
/* It reads its input with channels and positions in one another's place; false: that cannot be. */
bool head_turn(import_layer *l);
/* Its output lies as its input does. */
void head_keeps_axes(import_layer *l, const graph_view *x);
/* Of a value with its channels first, the spatial axis of the tensor that each of its own behind them goes through, in
 * ascending order; false: it lies otherwise. */
bool heads_axes(const graph_value *x, const graph_view *view, int axis[AXES]);
/* A number for each channel, which a post-op reads. */
bool head_add_vector(arena *a, import_layer *l, post_kind kind, const float *numbers);
bool head_add_post(import_layer *l, post_op op);
/* The numbers alone: multipliers. */
void head_add_row(arena *a, import_layer *l, const float *numbers);

#endif
