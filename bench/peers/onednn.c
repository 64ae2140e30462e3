/* oneDNN 2.6's direct convolution: the fastest of three formats of the activations. Weights are made in the format the
 * primitive asks for; what is in them does not matter to its speed. 1D runs as 2D of height 1. */
#include "peers/peer.h"

#include <dnnl.h>
#include <omp.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_ARGUMENTS = 4, MOST_DIMENSIONS = 6, TRIALS = 5 };

struct peer_layer {
    const char *variant;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t argument[MOST_ARGUMENTS];
    int arguments;
};

static const struct format {
    const char *name;
    dnnl_format_tag_t tag_2d, tag_3d;
} formats[] = {
    {"any", dnnl_format_tag_any, dnnl_format_tag_any},
    {"nhwc", dnnl_nhwc, dnnl_ndhwc},
    {"nchw", dnnl_nchw, dnnl_ncdhw},
};

/* Post-ops that oneDNN has as well; alpha and beta as it wants them. */
static const struct eltwise {
    post_kind kind;
    dnnl_alg_kind_t algorithm;
    float alpha, beta;
} eltwises[] = {
    {POST_RELU, dnnl_eltwise_relu, 0, 0},
    {POST_RELU6, dnnl_eltwise_clip, 0, 6},
    {POST_LEAKY_RELU, dnnl_eltwise_relu, 0, 0}, /* alpha and beta are the layer's */
    {POST_CLAMP, dnnl_eltwise_clip, 0, 0},
    {POST_SIGMOID, dnnl_eltwise_logistic, 0, 0},
    {POST_TANH, dnnl_eltwise_tanh, 0, 0},
    {POST_SILU, dnnl_eltwise_swish, 1, 0},
    {POST_GELU, dnnl_eltwise_gelu_erf, 0, 0},
    {POST_GELU_TANH, dnnl_eltwise_gelu_tanh, 0, 0},
    {POST_HARD_SWISH, dnnl_eltwise_hardswish, 0, 0},
    {POST_ELU, dnnl_eltwise_elu, 1, 0},
};

static bool add_eltwise(dnnl_post_ops_t ops, const post_op *op) {
    for (size_t i = 0; i < sizeof eltwises / sizeof *eltwises; i++) {
        const struct eltwise *e = &eltwises[i];
        bool own = op->kind == POST_LEAKY_RELU || op->kind == POST_CLAMP;
        if (e->kind == op->kind)
            return !dnnl_post_ops_append_eltwise(ops, 1, e->algorithm, own ? op->a : e->alpha, own ? op->b : e->beta);
    }
    return false;
}

static bool add_post_ops(const cvk_spec *s, dnnl_primitive_attr_t attributes) {
    dnnl_post_ops_t ops;
    if (dnnl_post_ops_create(&ops)) return false;
    bool good = true;
    for (int i = 0; i < s->post_count; i++)
        good =
            good && (s->post[i].kind == POST_ADD ? !dnnl_post_ops_append_sum(ops, 1) : add_eltwise(ops, &s->post[i]));
    good = good && !dnnl_primitive_attr_set_post_ops(attributes, ops);
    dnnl_post_ops_destroy(ops);
    return good;
}

/* Axes as oneDNN counts them: at least two. */
static int axes_of(const cvk_spec *s) { return s->rank == 3 ? 3 : 2; }

static int with_axes(const cvk_spec *s, const int64_t size[AXES], dnnl_dims_t to, int at) {
    for (int i = AXES - axes_of(s); i < AXES; i++) to[at++] = size[i];
    return at;
}

static dnnl_memory_desc_t tensor(const cvk_spec *s, int64_t channels, const int64_t size[AXES], dnnl_format_tag_t tag) {
    dnnl_dims_t dims = {s->batch, channels};
    dnnl_memory_desc_t to;
    dnnl_memory_desc_init_by_tag(&to, with_axes(s, size, dims, 2), dims, dnnl_f32, tag);
    return to;
}

static dnnl_memory_desc_t weights(const cvk_spec *s) {
    dnnl_dims_t dims = {s->groups, spec_group_out(s), spec_group_in(s)}, dense = {s->out_channels, s->in_channels};
    dnnl_memory_desc_t to;
    if (s->groups > 1)
        dnnl_memory_desc_init_by_tag(&to, with_axes(s, s->kernel, dims, 3), dims, dnnl_f32, dnnl_format_tag_any);
    else
        dnnl_memory_desc_init_by_tag(&to, with_axes(s, s->kernel, dense, 2), dense, dnnl_f32, dnnl_format_tag_any);
    return to;
}

static dnnl_primitive_desc_t describe(const cvk_spec *s, const struct format *f, dnnl_engine_t engine,
                                      const_dnnl_primitive_attr_t attributes) {
    dnnl_format_tag_t tag = s->rank == 3 ? f->tag_3d : f->tag_2d;
    dnnl_memory_desc_t input = tensor(s, s->in_channels, s->in_size, tag), w = weights(s), bias;
    dnnl_memory_desc_t output = tensor(s, s->out_channels, s->out_size, tag);
    dnnl_dims_t channels = {s->out_channels}, stride, dilation, before, after;
    dnnl_memory_desc_init_by_tag(&bias, 1, channels, dnnl_f32, dnnl_a);
    with_axes(s, s->stride, stride, 0);
    with_axes(s, s->dilation, dilation, 0);
    with_axes(s, s->pad_before, before, 0);
    with_axes(s, s->pad_after, after, 0);
    for (int i = 0; i < axes_of(s); i++) dilation[i]--; /* it counts the holes */
    dnnl_convolution_desc_t operation;
    dnnl_primitive_desc_t to = NULL;
    if (dnnl_dilated_convolution_forward_desc_init(&operation, dnnl_forward_inference, dnnl_convolution_direct, &input,
                                                   &w, s->bias ? &bias : NULL, &output, stride, dilation, before,
                                                   after))
        return NULL;
    return dnnl_primitive_desc_create(&to, &operation, attributes, engine, NULL) ? NULL : to;
}

static bool add_argument(peer_layer *p, int index, const dnnl_memory_desc_t *description) {
    dnnl_memory_t memory;
    void *data;
    if (dnnl_memory_create(&memory, description, p->engine, DNNL_MEMORY_ALLOCATE)) return false;
    p->argument[p->arguments++] = (dnnl_exec_arg_t){index, memory};
    if (dnnl_memory_get_data_handle(memory, &data)) return false;
    float *value = data;
    for (size_t i = 0; i < dnnl_memory_desc_get_size(description) / sizeof *value; i++) value[i] = 0.25F;
    return true;
}

static bool make_ready(const cvk_spec *s, peer_layer *p, dnnl_primitive_desc_t description) {
    const struct {
        dnnl_query_t query;
        int index;
        bool wanted;
    } wants[] = {{dnnl_query_src_md, DNNL_ARG_SRC, true},
                 {dnnl_query_weights_md, DNNL_ARG_WEIGHTS, true},
                 {dnnl_query_dst_md, DNNL_ARG_DST, true}};
    if (dnnl_primitive_create(&p->primitive, description)) return false;
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++)
        if (!add_argument(p, wants[i].index, dnnl_primitive_desc_query_md(description, wants[i].query, 0)))
            return false;
    return !s->bias ||
           add_argument(p, DNNL_ARG_BIAS, dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 1));
}

static void peer_run(peer_layer *p) {
    dnnl_primitive_execute(p->primitive, p->stream, p->arguments, p->argument);
    dnnl_stream_wait(p->stream);
}

static void peer_close(peer_layer *p) {
    if (!p) return;
    for (int i = 0; i < p->arguments; i++) dnnl_memory_destroy(p->argument[i].memory);
    if (p->primitive) dnnl_primitive_destroy(p->primitive);
    if (p->stream) dnnl_stream_destroy(p->stream);
    if (p->engine) dnnl_engine_destroy(p->engine);
    free(p);
}

/* One format made ready, or NULL. */
static peer_layer *open_format(const cvk_spec *s, const struct format *f) {
    peer_layer *p = calloc(1, sizeof *p);
    dnnl_primitive_attr_t attributes = NULL;
    if (!p) return NULL;
    p->variant = f->name;
    bool good = !dnnl_engine_create(&p->engine, dnnl_cpu, 0) && !dnnl_stream_create(&p->stream, p->engine, 0) &&
                !dnnl_primitive_attr_create(&attributes) && add_post_ops(s, attributes);
    dnnl_primitive_desc_t description = good ? describe(s, f, p->engine, attributes) : NULL;
    good = description && make_ready(s, p, description);
    if (description) dnnl_primitive_desc_destroy(description);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    if (good) return p;
    peer_close(p);
    return NULL;
}

/* Seconds of the fastest of a few runs, after one to warm up. */
static double time_layer(peer_layer *p) {
    double best = 1e30;
    for (int i = 0; i <= TRIALS; i++) {
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        peer_run(p);
        clock_gettime(CLOCK_MONOTONIC, &end);
        double seconds = (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
        if (i && seconds < best) best = seconds;
    }
    return best;
}

static peer_layer *peer_open(const cvk_spec *s, unsigned threads, const char **why) {
    *why = "it does not have this layer";
    if (s->padding != PAD_ZEROS || s->batch == 0) return NULL;
    omp_set_num_threads((int)threads);
    peer_layer *best = NULL;
    double best_seconds = 0;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        peer_layer *p = open_format(s, &formats[i]);
        if (!p) continue;
        double seconds = time_layer(p);
        peer_layer *slower = best && best_seconds <= seconds ? p : best;
        if (slower != p) {
            best = p;
            best_seconds = seconds;
        }
        peer_close(slower);
    }
    return best;
}

static const char *peer_variant(const peer_layer *p) { return p->variant; }

const peer peer_onednn = {"onednn", peer_open, peer_run, peer_variant, peer_close};
