/* A rival library, timed beside convoke's kernels. One file each; to add one, add a row to the table in
 * src/cli/bench.c. */
#ifndef CVK_BENCH_PEER_H
#define CVK_BENCH_PEER_H

#include "spec/spec.h"

/* How a peer is to sum. What transforms its data saves multiplications and rounds otherwise, so it is a rival apart. */
typedef enum peer_way { PEER_DIRECT, PEER_WINOGRAD, PEER_WAYS } peer_way;

typedef struct peer_request {
    const cvk_spec *spec;
    peer_way way;
    unsigned threads;
    uint64_t cpu_features; /* CVK_CPU_* bits of the target: a peer that chooses instructions keeps to their kind */
    bool plain;            /* activations come and go as N C D H W; what a peer does to reorder them is timed */
} peer_request;

/* A layer that a peer has made ready: its best variant, with weights in that variant's own format. */
typedef struct peer_layer peer_layer;

typedef struct peer {
    const char *name, *title;                         /* what --peer takes; what it calls itself */
    peer_layer *(*open)(const peer_request *request); /* NULL: it cannot do that */
    void (*run)(peer_layer *layer);
    void (*rest)(void);                              /* ends its threads, or lets them sleep */
    const char *(*variant)(const peer_layer *layer); /* which format was the fastest, and what implements it */
    void (*close)(peer_layer *layer);
} peer;

extern const peer peer_onednn;

#endif
