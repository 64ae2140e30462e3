/* Edges while a file with `inputs` is read: names become tensors of the graph, and shapes follow along them. */
#ifndef CVK_SPEC_EDGES_H
#define CVK_SPEC_EDGES_H

#include "spec/graph.h"
#include "spec/reader.h"

/* The graph as far as it has been read. */
typedef struct edges {
    spec_graph graph;
    const node *layers; /* of the file, to tell a name that comes later from one that never does */
    report *report;
    arena *arena;
} edges;

/* `inputs`, a mapping of names to shapes. `layers` may be NULL. The edges stay where they are. */
edges *edges_begin(arena *a, report *r, const node *inputs, const node *layers);
/* `outputs`, a list of names or a mapping of them to layouts; then what nobody reads is refused. */
void edges_end(edges *e, const node *outputs);

/* The layer's input by its name: fills in what follows of its shape. */
void edges_read_input(reader *r, const node *name);
/* The tensor that a post-op takes. */
void edges_read_operand(reader *r, const node *name);

/* What a layer that was read and settled puts out is there from now on. `layer` is where it will stay; `sound`: it has
 * no mistakes. */
void edges_add_layer(edges *e, const reader *r, const cvk_spec *layer, bool sound);
/* A mapping of kind `concat`, which is no layer. */
bool edges_is_concat(const node *layer);
void edges_add_concat(edges *e, const char *owner, const node *layer);

/* Whether an input or what was made before has the name. */
const graph_tensor *edges_named(const edges *e, const char *name);

#endif
