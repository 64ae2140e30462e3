/* What an import makes of a model: layers, and what became of every node. */
#ifndef CVK_IMPORT_LAYERS_H
#define CVK_IMPORT_LAYERS_H

#include "import/graph.h"
#include "spec/spec.h"

typedef struct import_layer {
    cvk_spec spec;
    const graph_node *head;            /* whose sums it computes */
    const graph_value *input, *output; /* tensors of the model */
    const graph_value *addend[MOST_POST_OPS];
    int addends;
    int channel_axis; /* of the output, as the model has it */
    int weights_rank;
    int64_t weights_shape[2 + AXES];
    float *weights, *bias; /* dense; NULL: none */
    float *scale;          /* out_channels for each `scale`; NULL: none */
    int scales;
} import_layer;

typedef struct import_layers {
    import_layer **layer;
    size_t count;
    int64_t macs, covered; /* multiply-adds of the model, as far as shapes are known, and those of the layers */
} import_layers;

/* Makes a layer of what a node does by constants; NULL, or why it cannot. */
const char *layer_of_node(arena *a, const graph_node *n, import_layer *l);
/* Takes into the layer what follows it, as long as nothing else reads what is between. */
void layer_fold(arena *a, import_layer *l);
/* Of a node that is neither a layer nor in one. */
const char *layer_why_not(const graph_node *n);
/* A name that C takes and no layer has: the words, with other characters for those C does not take. */
const char *import_name(arena *a, const import_layers *layers, const char *words);
/* Finishes a spec; NULL, or the first thing that is wrong with it. */
const char *import_refusal(arena *a, cvk_spec *s);
/* All of it. Whatever a layer breaks of the rules of specs is why its node is left out. */
void layers_of_graph(graph *g, import_layers *layers);

#endif
