/* What an import makes of a model: layers, and what became of every node. */
#ifndef CVK_IMPORT_LAYERS_H
#define CVK_IMPORT_LAYERS_H

#include "import/view.h"
#include "spec/spec.h"

typedef struct import_layer {
    cvk_spec spec;
    const graph_node *head;                    /* whose sums it computes */
    const graph_value *input, *output;         /* tensors of the model */
    graph_view reads, view;                    /* how they lie in tensors */
    const graph_value *operand[MOST_POST_OPS]; /* tensors that its post-ops take, in their order */
    int operands;
    float *weights, *bias; /* dense; NULL: none */
    bool bytes;            /* it is of bytes: nothing is folded into it */
    int32_t *sums;         /* its bias then */
    float *scale;          /* out_channels for each `scale` and `shift`, or multipliers of bytes; NULL: none */
    int scales;
} import_layer;

/* What makes a tensor of the network: a layer, or inputs side by side along their channels. */
typedef struct import_item {
    const char *name;
    const import_layer *layer; /* NULL: a concatenation */
    const graph_node *node;
    bool needed; /* for what the model puts out */
} import_item;

typedef struct import_output {
    const char *tensor;
    cvk_layout layout;
    const graph_value *value;
} import_output;

/* The whole model, where the language has all that it does. */
typedef struct import_network {
    bool whole;
    const graph_node *lacks; /* the first that is not there; NULL: there is none, or it is an input */
    int lacking;             /* so many nodes */
    graph_value **input;
    size_t input_count, item_count, output_count;
    import_item *item; /* each behind those that it reads */
    import_output *output;
} import_network;

typedef struct import_layers {
    import_layer **layer;
    size_t count;
    int64_t macs, covered; /* multiply-adds of the model, as far as shapes are known, and those of the layers */
    const char **name;     /* that are taken */
    size_t names, names_room;
    import_network network;
} import_layers;

/* A layer that does nothing yet to what it reads. */
void layer_begin(const graph_node *n, const graph_value *input, import_layer *l);
/* What it reads comes out. */
void layer_identity(import_layer *l);
/* Makes a layer of what a node does by constants; NULL, or why it cannot. */
const char *layer_of_node(arena *a, const graph_node *n, import_layer *l);
/* A layer of what a node does to one of its operands, and no other layer could take; NULL, or why there is none. */
const char *layer_of_step(arena *a, graph_node *n, import_layer *l);
/* Takes into the layer what follows it, as long as nothing else reads what is between. */
void layer_fold(arena *a, import_layer *l);
/* Makes a layer for each of the outputs of a node that takes a layer's channels apart; NULL, or why it cannot. */
const char *layers_split(graph *g, graph_node *n, import_layers *layers);
/* Of a node that is neither a layer nor in one. */
const char *layer_why_not(const graph_node *n);
/* A name that C takes and nothing has, which is then taken: the words, with other characters for those C does not take.
 */
const char *import_name(arena *a, import_layers *layers, const char *words);
/* Finishes a spec; NULL, or the first thing that is wrong with it. */
const char *import_refusal(arena *a, cvk_spec *s);
/* All of it. Whatever a layer breaks of the rules of specs is why its node is left out. */
void layers_of_graph(graph *g, import_layers *layers);

/* The tensors that the model's inputs are. */
void network_begin(graph *g, import_layers *layers);
/* Of a node that makes another view of a tensor, or is a concatenation; false: it is neither, or one that the language
 * has nothing for, and `why` says so. */
bool network_take_node(graph *g, graph_node *n, import_layers *layers);
/* Puts the layer's output into the network, where all that it reads is there. */
void network_add_layer(graph *g, import_layers *layers, import_layer *l);
/* In the place of one layer, several. */
void network_replace_layer(graph *g, import_layers *layers, const import_layer *whole, import_layer **part,
                           size_t parts);
/* Whether all is there, and what of it is needed. */
void network_end(graph *g, import_layers *layers);

/* The spec: the network where it is whole, else the layers one by one. */
void import_print(const char *name, const import_layers *layers, text *out);

#endif
