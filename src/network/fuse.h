/* Layers that are done to each value by itself go into what makes the values, so that nothing is read and written for
 * them alone. */
#ifndef CVK_NETWORK_FUSE_H
#define CVK_NETWORK_FUSE_H

#include "spec/graph.h"

/* The layers of the file that are run as one, in the order in which that one has their arrays. */
typedef struct network_parts {
    int count;
    const cvk_spec *const *layer;
} network_parts;

/* A graph with fewer nodes, and what each of them is made of; the tensors are those of `g`, of which some are nobody's
 * any more. */
typedef struct fused_graph {
    spec_graph graph;
    network_parts *parts; /* of each node; of a concatenation none */
} fused_graph;

fused_graph network_fuse(arena *a, const spec_graph *g);

#endif
