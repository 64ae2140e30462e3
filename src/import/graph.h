/* A model as an import sees it: values, which nodes read and make. Everything is in an arena. */
#ifndef CVK_IMPORT_GRAPH_H
#define CVK_IMPORT_GRAPH_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/types.h"

#include <stdbool.h>
#include <stdint.h>

enum { GRAPH_MOST_RANK = 8, GRAPH_MOST_INPUTS = 4096 };
static const double GRAPH_FAR = 0x1p127 * 1.9; /* as far as floats go, or nearly so: a bound that is none */

typedef struct graph_node graph_node;
typedef struct graph_view graph_view;
typedef struct graph_border graph_border;

typedef struct graph_value {
    const char *name;
    int rank;                       /* -1: not known, and neither is the shape */
    int64_t shape[GRAPH_MOST_RANK]; /* sizes of 0 or more */
    int64_t elements;               /* the product of the shape */
    const float *floats;            /* of a constant of floats; else NULL */
    const int64_t *ints;            /* of a constant of integers, or of sizes that shapes made known; else NULL */
    cvk_type type;                  /* of its numbers, as the model has them; of other integers s32 */
    const graph_node *maker;        /* NULL: a constant, or an input of the model */
    const graph_node *reader;       /* the last of them; NULL: none */
    int readers;                    /* an output of the model has one more */
    bool other_type;                /* an input that no tensor of a network can be */
    const graph_view *view;         /* how it lies in a tensor of the network; NULL: it is not there */
} graph_value;

/* What becomes of a node. */
typedef enum node_fate { FATE_LEFT_OUT, FATE_LAYER, FATE_FOLDED, FATE_VIEW, FATE_CONSTANT } node_fate;

struct graph_node {
    const char *name, *op; /* words of the model, or, of an activation that was written out, its operator */
    int64_t opset;         /* the version of the operators */
    int in_count, out_count;
    graph_value **in, **out; /* of an input that is left out, NULL */
    const struct Onnx__Node *source;
    double epsilon;             /* of a layer normalisation that was written out */
    graph_node *part_of;        /* the activation that was written out with it; else NULL */
    bool made;                  /* not of the model: with it an operator on bytes was written out */
    int axis;                   /* of such a node, that scales go along */
    const graph_border *border; /* of a node with windows: what was laid around its input; NULL: nothing */
    node_fate fate;
    const char *layer; /* that it is, or is folded into */
    const char *why;   /* folded as what, or why it is left out */
    int64_t macs;      /* multiply-adds; 0 also where shapes are not known */
};

typedef struct graph {
    arena *arena;
    graph_node *nodes; /* each after those that make what it reads */
    size_t node_count;
    graph_value **inputs, **outputs; /* inputs are those that no initializer is for */
    size_t input_count, output_count;
    const graph_value *unshaped; /* an input of the model without sizes; NULL: all have them */
} graph;

/* A shape that the user gave; `name` NULL: of the model's only input that is no constant. */
typedef struct graph_shape {
    const char *name;
    int rank;
    int64_t size[GRAPH_MOST_RANK];
} graph_shape;

/* Reads the bytes of a model; `path` names it in messages. Node by node shapes are then as given, nobody's yet. */
cvk_status graph_read(arena *a, const char *path, const void *bytes, size_t size, const graph_shape *shapes,
                      size_t shape_count, cvk_diagnostics *d, graph *g);
/* Attributes of a node, or what holds without one. */
int64_t node_int(const graph_node *n, const char *name, int64_t otherwise);
double node_float(const graph_node *n, const char *name, double otherwise);
const int64_t *node_ints(const graph_node *n, const char *name, int *count); /* NULL: none */
/* The integers of an attribute or, as newer models have it, of an input; NULL: none, or not known. */
const int64_t *node_list(const graph_node *n, const char *attribute, int input, int *count);
bool node_has(const graph_node *n, const char *name);
bool node_says(const graph_node *n, const char *name, const char *word);

/* A value of its own, of that shape; false where a size or their product is no tensor's. */
bool value_set_shape(graph_value *v, int rank, const int64_t *shape);
/* The n-th input or NULL. */
const graph_value *node_input(const graph_node *n, int i);
/* Values that nodes make, which is how many layers there are at most. */
size_t graph_count_made(const graph *g);
/* Who reads a value is counted anew, by nodes that are no part of others. */
void graph_count_readers(graph *g);

/* The type of the format's number for it; false: it is none of ours. */
bool graph_type(int64_t element, cvk_type *type);
/* Operators on bytes become those on numbers, between nodes that make the one of the other. */
void graph_write_out(graph *g);
/* Types of all values. */
void graph_infer_types(graph *g);
/* Shapes of all values, node by node, as far as they follow from those of the inputs. */
void graph_infer_shapes(graph *g);
/* Activations that are written out by other operators become one operator. */
void graph_recognise(graph *g);
/* A node that makes bytes of numbers that were moved about since they were bytes goes: the bytes are moved. */
void quantized_recognise(graph_node *n);
/* The end of a layer normalisation that is written out becomes one. */
void norm_recognise(arena *a, graph_node *n);

#endif
