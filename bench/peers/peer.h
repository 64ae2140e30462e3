/* A rival library, timed beside convoke's kernels: a shared object of its own, NAME.so, which exports one constant
 * `peer` called convoke_peer. `convoke bench --peer NAME` opens it; the command itself links no rival. What is here and
 * in convoke/convoke.h is all that the two sides share.
 *
 * To add one, write NAME.c beside this file and give it a row in bench/CMakeLists.txt and in src/cli/peers.def. */
#ifndef CVK_BENCH_PEER_H
#define CVK_BENCH_PEER_H

#include <convoke/convoke.h>

/* Raised whenever anything below changes. Objects of another version are refused. */
#define PEER_VERSION 3u

enum { PEER_AXES = 3 };

/* How a peer is to sum. What transforms its data saves multiplications and rounds otherwise, so it is a rival apart. */
typedef enum peer_way { PEER_DIRECT, PEER_WINOGRAD, PEER_WAYS } peer_way;

/* A layer padded with zeros, and not of an empty batch. Axes are D H W, right-aligned: those that the layer does not
 * have are of size 1, kernel 1, stride 1, dilation 1, without padding. */
typedef struct peer_problem {
    int rank; /* spatial axes that the layer has: 1, 2, 3 */
    int64_t batch, in_channels, out_channels, groups;
    int64_t in_size[PEER_AXES], out_size[PEER_AXES], kernel[PEER_AXES];
    int64_t stride[PEER_AXES], dilation[PEER_AXES]; /* a dilation of 1 has no holes */
    int64_t pad_before[PEER_AXES], pad_after[PEER_AXES];
    cvk_dtype dtype;
    bool bias;
    size_t post_op_count;
    const cvk_post_op *post_ops;
} peer_problem;

typedef struct peer_request {
    const peer_problem *problem;
    peer_way way;
    unsigned threads;
    uint64_t cpu_features; /* CVK_CPU_* bits of the target: a peer that chooses instructions keeps to their kind */
    bool plain;            /* activations come and go as N C D H W; what a peer does to reorder them is timed */
} peer_request;

/* A layer that a peer has made ready: its best variant, with weights in that variant's own format. */
typedef struct peer_layer peer_layer;

typedef struct peer {
    uint32_t version;                                 /* PEER_VERSION; first in every version */
    const char *title;                                /* what it calls itself */
    peer_layer *(*open)(const peer_request *request); /* NULL: it cannot do that */
    void (*run)(peer_layer *layer);
    void (*rest)(void);                              /* ends its threads, or lets them sleep */
    const char *(*variant)(const peer_layer *layer); /* which format was the fastest, and what implements it */
    void (*close)(peer_layer *layer);
} peer;

#define PEER_SYMBOL "convoke_peer"
CVK_API extern const peer convoke_peer;

#endif
