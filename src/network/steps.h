/* From what feeds what to steps: each a layer as it is run there, with the layouts and the neighbours that its tensors
 * have, in an order. Arena-owned, and not changed afterwards.
 *
 *     spec_graph -> fused_graph -> network_steps -> (a kernel for each step) -> network_memory -> cvk_network_info
 */
#ifndef CVK_NETWORK_STEPS_H
#define CVK_NETWORK_STEPS_H

#include "network/fuse.h"

/* What tensors lie in: one of them as a whole, or several, whose parts they may be in turn. */
typedef struct network_storage {
    cvk_space space; /* CVK_SPACE_INPUT, CVK_SPACE_OUTPUT or CVK_SPACE_WORKSPACE */
    int index;       /* of the input or output */
    int64_t bytes;   /* of an image where any batch will do */
    int first, last; /* the steps that it lives through */
} network_storage;

typedef struct network_tensor {
    const char *name;
    cvk_layout layout;
    int storage;
    int64_t channels, pixels;   /* of an image */
    int64_t pitch;              /* channels in memory of the tensor that its own are part of; else its own */
    int64_t begin, image_begin; /* in bytes into its storage, and so many more for each image of any batch */
    cvk_type type;
} network_tensor;

/* One kernel, and what it reads and writes. */
typedef struct network_step {
    const cvk_spec *spec;
    int input, output;
    int operand[POST_OPERANDS]; /* of each sort that its post-ops take the first, the others behind it; -1: none */
    network_parts parts;        /* what it was in the file; of a copy nothing */
} network_step;

typedef struct network_steps {
    const char *name;
    const spec_graph *graph;
    bool batch_any;
    int64_t batch;
    int step_count, tensor_count, storage_count;
    network_step *step;
    network_tensor *tensor; /* those of the graph first, then what was made beside */
    network_storage *storage;
} network_steps;

/* The kernels that steps need: those whose layers differ in nothing but their names have one. */
typedef struct network_kernels {
    int count;
    const cvk_spec **layer; /* of each, the first that it is for */
    int *of;                /* each step's */
} network_kernels;
/* Whether two layers differ in nothing but their names. */
bool network_alike(arena *a, const cvk_spec *one, const cvk_spec *other);
network_kernels network_kernels_of(arena *a, const network_steps *n);

/* Steps that its network has at most. */
int network_most_steps(const cvk_network *file);
/* NULL where the file says nothing of what feeds what. `near`: bytes that are written and still there when they are
 * read, which tensors between the layers of a chain are beyond (chain_near_bytes). */
const network_steps *network_of(arena *a, const cvk_network *file, int64_t near);

#endif
