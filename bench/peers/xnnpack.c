/* XNNPACK: its 2D convolution of f32, activations N H W C. 1D runs as 2D of height 1. Of post-ops it has bounds on the
 * output, once, after the sum. */
#include "peers/peer.h"

#include <math.h>
#include <pthreadpool.h>
#include <stdlib.h>
#include <xnnpack.h>

enum { D, H, W };

struct peer_layer {
    const peer_problem *problem;
    xnn_operator_t convolution;
    float *input, *output; /* N H W C */
};

/* Of all layers; NULL: the calling thread. */
static pthreadpool_t pool;

static bool take_threads(unsigned threads) {
    if (threads == (pool ? pthreadpool_get_threads_count(pool) : 1)) return true;
    if (pool) pthreadpool_destroy(pool);
    pool = threads > 1 ? pthreadpool_create(threads) : NULL;
    return pool || threads == 1;
}

/* It reads some bytes past what it is given. */
static float *allocate(int64_t elements) { return calloc(1, (size_t)elements * sizeof(float) + XNN_EXTRA_BYTES); }

/* From `outer` matrices of rows x columns to their transposes. */
static void transpose(const float *from, int64_t outer, int64_t rows, int64_t columns, float *to) {
    for (int64_t i = 0; i < outer; i++)
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < columns; c++) to[(i * columns + c) * rows + r] = from[(i * rows + r) * columns + c];
}

static int64_t area(const int64_t size[PEER_AXES]) { return size[H] * size[W]; }
static int64_t inputs(const peer_problem *s) { return s->batch * s->in_channels * area(s->in_size); }
static int64_t outputs(const peer_problem *s) { return s->batch * s->out_channels * area(s->out_size); }

/* What the output is kept within. */
typedef struct bounds {
    float least, greatest;
} bounds;

/* False: it has no such post-ops. */
static bool find_bounds(const peer_problem *s, bounds *to) {
    *to = (bounds){-INFINITY, INFINITY};
    if (s->post_op_count == 0) return true;
    if (s->post_op_count > 1) return false;
    switch (s->post_ops[0].kind) {
    case CVK_POST_RELU: *to = (bounds){0, INFINITY}; return true;
    case CVK_POST_RELU6: *to = (bounds){0, 6}; return true;
    case CVK_POST_CLAMP:
        *to = (bounds){(float)s->post_ops[0].a, (float)s->post_ops[0].b};
        return to->least < to->greatest;
    default: return false;
    }
}

/* It chooses instructions by what the machine has, and reorders no activations. */
static bool has(const peer_request *r) {
    if (r->problem->operation != CVK_CONVOLUTION) return false;
    const peer_problem *s = r->problem;
    return r->way == PEER_DIRECT && !peer_is_pool(s) && peer_all_are(s, CVK_F32) && s->border == CVK_PADDING_ZEROS &&
           s->rank <= 2 && !r->plain && !r->narrowed;
}

/* Weights are O H W I here, and packed by it; the copy is for nothing afterwards. */
static bool create(peer_layer *p, const peer_data *data, const bounds *b) {
    const peer_problem *s = p->problem;
    const size_t in = (size_t)(s->in_channels / s->groups), out = (size_t)(s->out_channels / s->groups);
    float *weights = allocate(s->out_channels * (int64_t)in * area(s->kernel));
    if (!weights) return false;
    transpose(data->weights, s->out_channels, (int64_t)in, area(s->kernel), weights);
    enum xnn_status status = xnn_create_convolution2d_nhwc_f32(
        (uint32_t)s->pad_before[H], (uint32_t)s->pad_after[W], (uint32_t)s->pad_after[H], (uint32_t)s->pad_before[W],
        (uint32_t)s->kernel[H], (uint32_t)s->kernel[W], (uint32_t)s->stride[H], (uint32_t)s->stride[W],
        (uint32_t)s->dilation[H], (uint32_t)s->dilation[W], (uint32_t)s->groups, in, out, (size_t)s->in_channels,
        (size_t)s->out_channels, weights, data->bias, b->least, b->greatest, 0, &p->convolution);
    free(weights);
    return status == xnn_status_success;
}

static bool make_ready(peer_layer *p, const peer_request *r, const bounds *b) {
    const peer_problem *s = p->problem;
    p->input = allocate(inputs(s));
    p->output = allocate(outputs(s));
    if (!p->input || !p->output || !create(p, &r->data, b)) return false;
    transpose(r->data.input, s->batch, s->in_channels, area(s->in_size), p->input);
    return xnn_setup_convolution2d_nhwc_f32(p->convolution, (size_t)s->batch, (size_t)s->in_size[H],
                                            (size_t)s->in_size[W], p->input, p->output, pool) == xnn_status_success;
}

static void peer_close(peer_layer *p) {
    if (p->convolution) xnn_delete_operator(p->convolution);
    free(p->input);
    free(p->output);
    free(p);
}

static peer_layer *peer_open(const peer_request *r) {
    bounds b;
    if (!has(r) || !find_bounds(r->problem, &b) || !take_threads(r->threads)) return NULL;
    if (xnn_initialize(NULL) != xnn_status_success) return NULL;
    peer_layer *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->problem = r->problem;
    if (make_ready(p, r, &b)) return p;
    peer_close(p);
    return NULL;
}

static void peer_run(peer_layer *p) { xnn_run_operator(p->convolution, pool); }

static bool peer_answer(peer_layer *p, void *output) {
    const peer_problem *s = p->problem;
    if (xnn_run_operator(p->convolution, pool) != xnn_status_success) return false;
    transpose(p->output, s->batch, area(s->out_size), s->out_channels, output);
    return true;
}

static void do_nothing(void *context, size_t i) { (void)context, (void)i; }

/* Threads spin for a while after a run, but sleep after one that asks for it. */
static void peer_rest(void) {
    if (pool)
        pthreadpool_parallelize_1d(pool, do_nothing, NULL, pthreadpool_get_threads_count(pool),
                                   PTHREADPOOL_FLAG_YIELD_WORKERS);
}

static const char *peer_variant(const peer_layer *p) { return p->problem->groups > 1 ? "nhwc grouped" : "nhwc"; }
static const char *peer_title(void) { return "XNNPACK"; }

const peer convoke_peer = {PEER_VERSION, 1 << PEER_DIRECT, peer_title,   peer_open, peer_run,
                           peer_answer,  peer_rest,        peer_variant, peer_close};
