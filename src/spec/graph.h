/* What feeds what, in a file with `inputs`: tensors, and the nodes that make them, in an order in which each reads what
 * came before. Read by spec/edges.c; arena-owned, and not changed afterwards. */
#ifndef CVK_SPEC_GRAPH_H
#define CVK_SPEC_GRAPH_H

#include "spec/graph_kind.h"
#include "spec/spec.h"

enum { GRAPH_COMES_IN = -1 }; /* the producer of an input */

typedef struct graph_tensor {
    const char *name;
    int rank;
    bool batch_any; /* `batch` is then 1 */
    int64_t batch, channels, size[AXES];
    cvk_type type;
    cvk_layout layout; /* of an input; of what a layer puts out, where `said` */
    bool said;         /* else it is for the compiler to choose */
    int producer;      /* a node, or GRAPH_COMES_IN */
    int readers;       /* edges that lead from it; outputs are no readers */
    bool broken;       /* its layer has mistakes, so nothing follows from it */
    place at;
} graph_tensor;

typedef struct graph_node {
    graph_kind kind;
    const cvk_spec *layer; /* NULL but of a layer */
    bool along_positions;  /* of a concatenation and a slice: along the first size; else along channels */
    int64_t first;         /* of a slice, the first channel, or row of the first size */
    int input_count, operand_count;
    const int *input;   /* tensors: of a concatenation in their order, of others one */
    const int *operand; /* tensors that its post-ops take, in the order of these */
    int output;         /* the tensor made */
    place at;
} graph_node;

typedef struct graph_output {
    int tensor;
    cvk_layout layout;
} graph_output;

typedef struct spec_graph {
    int tensor_count, node_count, input_count, output_count;
    graph_tensor *tensor; /* inputs first */
    graph_node *node;
    graph_output *output;
} spec_graph;

/* Elements of a tensor in memory, all its images'. */
int64_t graph_elements(const graph_tensor *t);
/* Positions of a channel. */
int64_t graph_pixels(const graph_tensor *t);
bool graph_is_output(const spec_graph *g, int tensor);

#endif
