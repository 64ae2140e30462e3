/* A rival library, timed beside convoke's kernels. One file each; to add one, add a row to the table in
 * src/cli/bench.c. */
#ifndef CVK_BENCH_PEER_H
#define CVK_BENCH_PEER_H

#include "spec/spec.h"

/* A layer that a peer has made ready: its best variant, with weights in that variant's own format. */
typedef struct peer_layer peer_layer;

typedef struct peer {
    const char *name;
    /* NULL: it cannot do the layer, and `why` says why. */
    peer_layer *(*open)(const cvk_spec *spec, unsigned threads, const char **why);
    void (*run)(peer_layer *layer);
    const char *(*variant)(const peer_layer *layer); /* which format was the fastest */
    void (*close)(peer_layer *layer);
} peer;

extern const peer peer_onednn;

#endif
