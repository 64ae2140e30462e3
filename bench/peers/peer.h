/* A rival library, timed beside convoke's kernels: a shared object of its own, NAME.so, which exports one constant
 * `peer` called convoke_peer. `convoke bench --peer NAME` opens it; the command itself links no rival. What is here and
 * in convoke/convoke.h is all that the two sides share.
 *
 * To add one, write NAME.c or NAME.cpp beside this file and give it a row in bench/CMakeLists.txt and in
 * src/cli/peers.def. */
#ifndef CVK_BENCH_PEER_H
#define CVK_BENCH_PEER_H

#include <convoke/convoke.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever anything below changes. Objects of another version are refused. */
#define PEER_VERSION 6u

enum { PEER_AXES = 3 };

/* How a peer is to sum. What saves multiplications is a rival apart: by transforming its data, which rounds otherwise;
 * or by taking the weights for the product of a column and a row, which is right where they are. */
typedef enum peer_way { PEER_DIRECT, PEER_WINOGRAD, PEER_SEPARABLE, PEER_WAYS } peer_way;

/* A layer, not of an empty batch. Axes are D H W, right-aligned: those that the layer does not have are of size 1,
 * kernel 1, stride 1, dilation 1, without padding. */
typedef struct peer_problem {
    cvk_operation operation; /* a pool has as many groups as channels, and no weights */
    int rank;                /* spatial axes that the layer has: 1, 2, 3 */
    int64_t batch, in_channels, out_channels, groups;
    int64_t in_size[PEER_AXES], out_size[PEER_AXES], kernel[PEER_AXES];
    int64_t stride[PEER_AXES], dilation[PEER_AXES]; /* a dilation of 1 has no holes */
    int64_t pad_before[PEER_AXES], pad_after[PEER_AXES];
    cvk_padding_mode border; /* what is beyond the input */
    bool counts_padding;     /* of an average; what a last window has beyond pad_after is never counted */
    cvk_dtype input_dtype, weights_dtype, output_dtype;     /* bias: f32, f64 of f64, s32 of integers */
    int input_zero, weights_zero, output_zero, addend_zero; /* of bytes: the number that stands for 0 */
    cvk_rounding rounding;                                  /* of sums that come out as bytes */
    bool one_multiplier;                                    /* for all channels, of sums and of each addend of bytes */
    bool bias;
    size_t post_op_count;
    const cvk_post_op *post_ops;
} peer_problem;

static inline bool peer_all_are(const peer_problem *p, cvk_dtype dtype) {
    return p->input_dtype == dtype && p->weights_dtype == dtype && p->output_dtype == dtype;
}

static inline bool peer_is_byte(cvk_dtype dtype) { return dtype == CVK_U8 || dtype == CVK_S8; }

/* Dense arrays of the problem's types in C order: input N C D H W; weights O I/groups D H W, transposed I O/groups D H
 * W; bias O; addend, of the output's type, N O D H W. Scale: of bytes the multipliers of sums, O or one of
 * them, and behind those the addend's. Of gradients of weights, `weights` are those of the output, N O D H W. What the
 * layer does not use is NULL. They stay the caller's, and last until the layer is closed. */
typedef struct peer_data {
    const void *input, *weights, *bias, *addend, *scale;
} peer_data;

static inline bool peer_is_pool(const peer_problem *p) {
    return p->operation == CVK_MAX_POOL || p->operation == CVK_AVERAGE_POOL;
}

typedef struct peer_request {
    const peer_problem *problem;
    peer_data data;
    peer_way way;
    unsigned threads;
    uint64_t cpu_features; /* CVK_CPU_* bits of the target: a peer keeps to instructions of their kind */
    bool narrowed;         /* this machine has more than those: not for a peer that cannot be told what to use */
    bool plain;            /* activations come and go as N C D H W; what a peer does to reorder them is timed */
} peer_request;

/* A layer that a peer has made ready: its best variant, with weights in that variant's own format. */
typedef struct peer_layer peer_layer;

typedef struct peer {
    uint32_t version;                                 /* PEER_VERSION; first in every version */
    unsigned ways;                                    /* a bit (1 << way) for each that it has for some layer */
    const char *(*title)(void);                       /* what it calls itself, and its version */
    peer_layer *(*open)(const peer_request *request); /* NULL: it cannot do that */
    void (*run)(peer_layer *layer);
    bool (*answer)(peer_layer *layer, void *output); /* runs on the data, and gives the output as N O D H W, or
                                                         gradients as weights are, those of the bias behind them */
    void (*rest)(void);                              /* ends its threads, or lets them sleep */
    const char *(*variant)(const peer_layer *layer); /* which format was the fastest, and what implements it */
    void (*close)(peer_layer *layer);
} peer;

#define PEER_SYMBOL "convoke_peer"
CVK_API extern const peer convoke_peer;

#ifdef __cplusplus
}
#endif

#endif
