/* What an import makes of a model: layers, and what became of every node. */
#ifndef CVK_IMPORT_LAYERS_H
#define CVK_IMPORT_LAYERS_H

#include "import/view.h"
#include "spec/graph_kind.h"
#include "spec/spec.h"

typedef struct import_layer {
    cvk_spec spec;
    const graph_node *head;                    /* whose sums it computes */
    const graph_value *input, *output;         /* tensors of the model */
    graph_view reads, view;                    /* how they lie in tensors */
    const graph_value *operand[MOST_POST_OPS]; /* tensors that its post-ops take, in their order */
    bool operand_turned[MOST_POST_OPS];
    const char *operand_tensor[MOST_POST_OPS]; /* as they are named in the network */
    int operands;
    bool turned;           /* it reads its input with channels and positions in one another's place */
    bool back;             /* and its output is to be turned back */
    bool flat;             /* and these one behind the other as channels, so that it has a number for each */
    float *weights, *bias; /* dense; NULL: none */
    bool bytes;            /* it multiplies bytes: no numbers are folded into its weights */
    int32_t *sums;         /* its bias then */
    float *scale;          /* out_channels for each multiplier of bytes, `scale` and `shift`; NULL: none */
    int scales;
    float step; /* what 1 is of the bytes that a pool has, until there is another; 0: its numbers are what they are */
} import_layer;

/* What makes a tensor of the network: a layer, or a node that is none. */
typedef struct import_item {
    const char *name;
    const import_layer *layer; /* NULL but of GRAPH_LAYER */
    const graph_node *node;
    graph_kind kind;
    const char *const *reads; /* what a node that is no layer reads */
    int read_count;
    bool along_positions; /* of a concatenation and a slice */
    int64_t from, to;     /* of a slice */
    graph_view shape;     /* of a reshape */
    bool needed;          /* for what the model puts out */
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
    size_t input_count, item_count, item_room, output_count;
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
/* A layer of what a node does to a tensor by a constant that has a number for each position, or each element; NULL, or
 * why there is none. */
const char *layer_of_numbers(arena *a, graph_node *n, import_layer *l);
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
/* Adds an item, or gives the name of one that does the same. Its own is made of `words`. */
const char *network_add_item(graph *g, import_layers *layers, const char *words, import_item item);
/* The tensors as a view says: with channels and positions in one another's place, as parts, in other shapes. Each adds
 * what is lacking, and fills in the view's name. */
void network_turn(graph *g, import_layers *layers, const graph_node *n, const graph_value *v, const graph_view *x,
                  graph_view *turned);
/* The name of the tensor in the shape of a view; its own is the tensor's and a word. */
const char *network_reshape(graph *g, import_layers *layers, const graph_node *n, const char *tensor,
                            const graph_view *to, const char *word);
/* A tensor with channels and positions, as one row, in one another's place. */
const char *network_transpose(graph *g, import_layers *layers, const graph_node *n, const char *tensor);
/* The elements of one value as those of another, of as many, whose channels lie first or last in its order; false: they
 * are in the order of no array, or images would not stay images. */
bool network_lay(graph *g, import_layers *layers, const graph_node *n, const graph_value *from, cvk_layout layout,
                 const graph_value *to, graph_view *laid);
/* The value, which goes through the groups of a tensor's channels last, in a tensor that has them so; false: it does
 * not, or they are too many. */
bool network_shuffle(graph *g, import_layers *layers, const graph_node *n, const graph_value *v, graph_view *shuffled);
/* Of a node that gives its input's elements in another shape than a view of the same tensor can say. */
bool network_counted(graph *g, graph_node *n, import_layers *layers);
/* Of a node that takes a part of a tensor, or several: NULL, or why not. */
const char *network_slice(graph *g, graph_node *n, import_layers *layers);
const char *network_split(graph *g, graph_node *n, import_layers *layers);
/* Of a node that lays tensors beside one another. */
const char *network_concat(graph *g, graph_node *n, import_layers *layers);
/* A value that the node, and no other, makes; false: it lies somewhere already. */
bool network_set_view(arena *a, const graph_node *maker, const graph_value *value, const graph_view *view);
/* Whether all is there, and what of it is needed. */
void network_end(graph *g, import_layers *layers);

/* The spec: the network where it is whole, else the layers one by one. */
void import_print(const char *name, const import_layers *layers, text *out);

#endif
