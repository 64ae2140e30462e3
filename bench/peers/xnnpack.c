/* XNNPACK: its 2D convolution of f32, and of bytes with a multiplier a channel, activations N H W C. 1D runs as 2D of
 * height 1. Of post-ops it has bounds on the output, once, after the sum. Its bytes are s8: those of u8 become them by
 * taking 128 away, from what stands for 0 as well, which leaves every sum as it is. */
#include "peers/peer.h"

#include <math.h>
#include <pthreadpool.h>
#include <stdlib.h>
#include <xnnpack.h>

enum { D, H, W };

struct peer_layer {
    const peer_problem *problem;
    xnn_operator_t convolution;
    void *input, *output; /* N H W C */
    float *multipliers;   /* of bytes, one a channel */
};

/* Of all layers; NULL: the calling thread. */
static pthreadpool_t pool;

static bool take_threads(unsigned threads) {
    if (threads == (pool ? pthreadpool_get_threads_count(pool) : 1)) return true;
    if (pool) pthreadpool_destroy(pool);
    pool = threads > 1 ? pthreadpool_create(threads) : NULL;
    return pool || threads == 1;
}

static size_t width_of(const peer_problem *s) { return s->input_dtype == CVK_F32 ? sizeof(float) : 1; }

/* It reads some bytes past what it is given. */
static void *allocate(const peer_problem *s, int64_t elements) {
    return calloc(1, (size_t)elements * width_of(s) + XNN_EXTRA_BYTES);
}

/* From `outer` matrices of rows x columns to their transposes; bytes with some of their bits turned. */
typedef struct matrices {
    int64_t outer, rows, columns;
    unsigned char turned;
} matrices;

static void transpose_floats(const float *from, const matrices *m, float *to) {
    for (int64_t i = 0; i < m->outer; i++)
        for (int64_t r = 0; r < m->rows; r++)
            for (int64_t c = 0; c < m->columns; c++)
                to[(i * m->columns + c) * m->rows + r] = from[(i * m->rows + r) * m->columns + c];
}

static void transpose_bytes(const unsigned char *from, const matrices *m, unsigned char *to) {
    for (int64_t i = 0; i < m->outer; i++)
        for (int64_t r = 0; r < m->rows; r++)
            for (int64_t c = 0; c < m->columns; c++)
                to[(i * m->columns + c) * m->rows + r] = from[(i * m->rows + r) * m->columns + c] ^ m->turned;
}

static void transpose(const peer_problem *s, const void *from, matrices m, void *to) {
    if (width_of(s) == 1)
        transpose_bytes(from, &m, to);
    else
        transpose_floats(from, &m, to);
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

/* ---- bytes ---- */

enum { TURNED = 0x80 }; /* the bit between u8 and s8 */

static unsigned char turned(cvk_dtype type) { return type == CVK_U8 ? TURNED : 0; }
static int8_t as_s8(cvk_dtype type, int number) { return (int8_t)(type == CVK_U8 ? number - TURNED : number); }

/* A bound of the output, before what stands for 0 is added. */
static int8_t bound_of(const peer_problem *s, float bound) {
    const float least = s->output_dtype == CVK_U8 ? 0 : INT8_MIN, zero = (float)s->output_zero;
    const float at = fmaxf(least, fminf(least + UINT8_MAX, nearbyintf(bound) + zero));
    return as_s8(s->output_dtype, (int)at);
}

/* It takes products of scales, of which the input's and the output's are 1 here, below 256. */
static bool make_multipliers(peer_layer *p, const float *scale) {
    const peer_problem *s = p->problem;
    p->multipliers = malloc((size_t)s->out_channels * sizeof(float));
    for (int64_t c = 0; p->multipliers && c < s->out_channels; c++) {
        p->multipliers[c] = scale[s->one_multiplier ? 0 : c];
        if (!(p->multipliers[c] > 0 && p->multipliers[c] < 256)) return false;
    }
    return p->multipliers;
}

static bool has_bytes(const peer_problem *s) {
    return peer_is_byte(s->input_dtype) && s->weights_dtype == CVK_S8 && peer_is_byte(s->output_dtype) &&
           s->weights_zero == 0 && s->rounding == CVK_ROUNDING_NEAREST_EVEN;
}

/* ---- a layer ---- */

/* It chooses instructions by what the machine has, and reorders no activations. */
static bool has(const peer_request *r) {
    if (r->problem->operation != CVK_CONVOLUTION) return false;
    const peer_problem *s = r->problem;
    return r->way == PEER_DIRECT && !peer_is_pool(s) && (peer_all_are(s, CVK_F32) || has_bytes(s)) &&
           s->border == CVK_PADDING_ZEROS && s->rank <= 2 && !r->plain && !r->narrowed;
}

/* What both functions that create a convolution begin with. */
#define WINDOW(s)                                                                                                      \
    (uint32_t)(s)->pad_before[H], (uint32_t)(s)->pad_after[W], (uint32_t)(s)->pad_after[H],                            \
        (uint32_t)(s)->pad_before[W], (uint32_t)(s)->kernel[H], (uint32_t)(s)->kernel[W], (uint32_t)(s)->stride[H],    \
        (uint32_t)(s)->stride[W], (uint32_t)(s)->dilation[H], (uint32_t)(s)->dilation[W], (uint32_t)(s)->groups,       \
        (size_t)((s)->in_channels / (s)->groups), (size_t)((s)->out_channels / (s)->groups), (size_t)(s)->in_channels, \
        (size_t)(s)->out_channels

static bool create_floats(peer_layer *p, const peer_data *data, const bounds *b, const void *weights) {
    return xnn_create_convolution2d_nhwc_f32(WINDOW(p->problem), weights, data->bias, b->least, b->greatest, 0,
                                             &p->convolution) == xnn_status_success;
}

static bool create_bytes(peer_layer *p, const peer_data *data, const bounds *b, const void *weights) {
    const peer_problem *s = p->problem;
    return make_multipliers(p, data->scale) &&
           xnn_create_convolution2d_nhwc_qc8(WINDOW(s), as_s8(s->input_dtype, s->input_zero), 1, p->multipliers,
                                             weights, data->bias, as_s8(s->output_dtype, s->output_zero), 1,
                                             bound_of(s, b->least), bound_of(s, b->greatest), 0,
                                             &p->convolution) == xnn_status_success;
}

/* Weights are O H W I here, and packed by it; the copy is for nothing afterwards. */
static bool create(peer_layer *p, const peer_data *data, const bounds *b) {
    const peer_problem *s = p->problem;
    const int64_t in = s->in_channels / s->groups;
    void *weights = allocate(s, s->out_channels * in * area(s->kernel));
    if (!weights) return false;
    transpose(s, data->weights, (matrices){s->out_channels, in, area(s->kernel), 0}, weights);
    const bool good = (width_of(s) == 1 ? create_bytes : create_floats)(p, data, b, weights);
    free(weights);
    return good;
}

static enum xnn_status set_up(peer_layer *p) {
    const peer_problem *s = p->problem;
    const size_t images = (size_t)s->batch, height = (size_t)s->in_size[H], width = (size_t)s->in_size[W];
    if (width_of(s) == 1)
        return xnn_setup_convolution2d_nhwc_qc8(p->convolution, images, height, width, p->input, p->output, pool);
    return xnn_setup_convolution2d_nhwc_f32(p->convolution, images, height, width, p->input, p->output, pool);
}

static bool make_ready(peer_layer *p, const peer_request *r, const bounds *b) {
    const peer_problem *s = p->problem;
    const matrices m = {s->batch, s->in_channels, area(s->in_size), turned(s->input_dtype)};
    p->input = allocate(s, inputs(s));
    p->output = allocate(s, outputs(s));
    if (!p->input || !p->output || !create(p, &r->data, b)) return false;
    transpose(s, r->data.input, m, p->input);
    return set_up(p) == xnn_status_success;
}

static void peer_close(peer_layer *p) {
    if (p->convolution) xnn_delete_operator(p->convolution);
    free(p->input);
    free(p->output);
    free(p->multipliers);
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
    const matrices m = {s->batch, area(s->out_size), s->out_channels, turned(s->output_dtype)};
    transpose(s, p->output, m, output);
    return true;
}

static void do_nothing(void *context, size_t i) { (void)context, (void)i; }

/* Threads spin for a while after a run, but sleep after one that asks for it. */
static void peer_rest(void) {
    if (pool)
        pthreadpool_parallelize_1d(pool, do_nothing, NULL, pthreadpool_get_threads_count(pool),
                                   PTHREADPOOL_FLAG_YIELD_WORKERS);
}

static const char *peer_variant(const peer_layer *p) {
    static const char *const NAMES[2][2] = {{"nhwc", "nhwc grouped"}, {"nhwc qc8", "nhwc qc8 grouped"}};
    return NAMES[width_of(p->problem) == 1][p->problem->groups > 1];
}
static const char *peer_title(void) { return "XNNPACK"; }

const peer convoke_peer = {PEER_VERSION, 1 << PEER_DIRECT, peer_title,   peer_open, peer_run,
                           peer_answer,  peer_rest,        peer_variant, peer_close};
