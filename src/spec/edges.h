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
/* A node, and the tensor that it makes. */
void edges_add(edges *e, graph_node n, graph_tensor made);

/* Whether an input or what was made before has the name. */
const graph_tensor *edges_named(const edges *e, const char *name);
/* The tensor that a node names, counted as read; -1: there is none, which has been said of `path`. */
int edges_read_name(edges *e, const char *path, const node *n);

bool edges_same_batch(const graph_tensor *a, const graph_tensor *b);
/* "[1, 64, 56, 56]" */
const char *edges_show_shape(arena *a, const graph_tensor *t);
/* NULL: the mapping does not have the key. */
const node *edges_value(const node *mapping, const char *key);

#endif
