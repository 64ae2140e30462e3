/* oneDNN 2.6: the fastest of three formats of the activations, by its direct convolution or its Winograd. Weights are
 * made in the format the primitive asks for; what is in them does not matter to its speed. 1D runs as 2D of height 1.
 * Where activations are to be plain, a format that is not gets a reorder before and after the convolution. */
#include "peers/peer.h"

#include <dnnl.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_ARGUMENTS = 4, MOST_STEPS = 4, MOST_MEMORIES = 8, MOST_VARIANT = 64, LEAST_TRIALS = 5 };
static const double TRIAL_SECONDS = 0.03; /* of a variant, before the fastest is chosen */

/* A primitive with its arguments. */
typedef struct step {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t argument[MOST_ARGUMENTS];
    int arguments;
} step;

struct peer_layer {
    char variant[MOST_VARIANT];
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    step step[MOST_STEPS]; /* in their order */
    int steps;
    dnnl_memory_t memory[MOST_MEMORIES];
    int memories;
};

static const dnnl_alg_kind_t algorithms[PEER_WAYS] = {dnnl_convolution_direct, dnnl_convolution_winograd};

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
    cvk_post_kind kind;
    dnnl_alg_kind_t algorithm;
    float alpha, beta;
} eltwises[] = {
    {CVK_POST_RELU, dnnl_eltwise_relu, 0, 0},
    {CVK_POST_RELU6, dnnl_eltwise_clip, 0, 6},
    {CVK_POST_LEAKY_RELU, dnnl_eltwise_relu, 0, 0}, /* alpha and beta are the layer's */
    {CVK_POST_CLAMP, dnnl_eltwise_clip, 0, 0},
    {CVK_POST_SIGMOID, dnnl_eltwise_logistic, 0, 0},
    {CVK_POST_TANH, dnnl_eltwise_tanh, 0, 0},
    {CVK_POST_SILU, dnnl_eltwise_swish, 1, 0},
    {CVK_POST_GELU, dnnl_eltwise_gelu_erf, 0, 0},
    {CVK_POST_GELU_TANH, dnnl_eltwise_gelu_tanh, 0, 0},
    {CVK_POST_HARD_SWISH, dnnl_eltwise_hardswish, 0, 0},
    {CVK_POST_ELU, dnnl_eltwise_elu, 1, 0},
    {CVK_POST_SOFTPLUS, dnnl_eltwise_soft_relu, 1, 0},
};

static bool add_eltwise(dnnl_post_ops_t ops, const cvk_post_op *op) {
    for (size_t i = 0; i < sizeof eltwises / sizeof *eltwises; i++) {
        const struct eltwise *e = &eltwises[i];
        bool own = op->kind == CVK_POST_LEAKY_RELU || op->kind == CVK_POST_CLAMP;
        if (e->kind == op->kind)
            return !dnnl_post_ops_append_eltwise(ops, 1, e->algorithm, own ? (float)op->a : e->alpha,
                                                 own ? (float)op->b : e->beta);
    }
    return false;
}

static bool add_post_ops(const peer_problem *s, dnnl_primitive_attr_t attributes) {
    dnnl_post_ops_t ops;
    if (dnnl_post_ops_create(&ops)) return false;
    bool good = true;
    for (const cvk_post_op *op = s->post_ops; op < s->post_ops + s->post_op_count; op++)
        good = good && (op->kind == CVK_POST_ADD ? !dnnl_post_ops_append_sum(ops, 1) : add_eltwise(ops, op));
    good = good && !dnnl_primitive_attr_set_post_ops(attributes, ops);
    dnnl_post_ops_destroy(ops);
    return good;
}

static bool adds(const peer_problem *s) {
    for (size_t i = 0; i < s->post_op_count; i++)
        if (s->post_ops[i].kind == CVK_POST_ADD) return true;
    return false;
}

/* Axes as oneDNN counts them: at least two. */
static int axes_of(const peer_problem *s) { return s->rank == 3 ? 3 : 2; }

static int with_axes(const peer_problem *s, const int64_t size[PEER_AXES], dnnl_dims_t to, int at) {
    for (int i = PEER_AXES - axes_of(s); i < PEER_AXES; i++) to[at++] = size[i];
    return at;
}

static dnnl_memory_desc_t tensor(const peer_problem *s, int64_t channels, const int64_t size[PEER_AXES],
                                 dnnl_format_tag_t tag) {
    dnnl_dims_t dims = {s->batch, channels};
    dnnl_memory_desc_t to;
    dnnl_memory_desc_init_by_tag(&to, with_axes(s, size, dims, 2), dims, dnnl_f32, tag);
    return to;
}

static dnnl_memory_desc_t weights(const peer_problem *s) {
    dnnl_dims_t dims = {s->groups, s->out_channels / s->groups, s->in_channels / s->groups},
                dense = {s->out_channels, s->in_channels};
    dnnl_memory_desc_t to;
    if (s->groups > 1)
        dnnl_memory_desc_init_by_tag(&to, with_axes(s, s->kernel, dims, 3), dims, dnnl_f32, dnnl_format_tag_any);
    else
        dnnl_memory_desc_init_by_tag(&to, with_axes(s, s->kernel, dense, 2), dense, dnnl_f32, dnnl_format_tag_any);
    return to;
}

static dnnl_primitive_desc_t describe(const peer_request *r, const struct format *f, dnnl_engine_t engine,
                                      const_dnnl_primitive_attr_t attributes) {
    const peer_problem *s = r->problem;
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
    if (dnnl_dilated_convolution_forward_desc_init(&operation, dnnl_forward_inference, algorithms[r->way], &input, &w,
                                                   s->bias ? &bias : NULL, &output, stride, dilation, before, after))
        return NULL;
    return dnnl_primitive_desc_create(&to, &operation, attributes, engine, NULL) ? NULL : to;
}

/* Memory of that description, or NULL; the layer owns it. */
static dnnl_memory_t add_memory(peer_layer *p, const dnnl_memory_desc_t *description) {
    dnnl_memory_t memory;
    void *data;
    if (dnnl_memory_create(&memory, description, p->engine, DNNL_MEMORY_ALLOCATE)) return NULL;
    p->memory[p->memories++] = memory;
    if (dnnl_memory_get_data_handle(memory, &data)) return NULL;
    float *value = data;
    for (size_t i = 0; i < dnnl_memory_desc_get_size(description) / sizeof *value; i++) value[i] = 0.25F;
    return memory;
}

/* A step without arguments; takes the description. NULL: there is no such primitive. */
static step *add_step(peer_layer *p, dnnl_primitive_desc_t description) {
    step *s = &p->step[p->steps];
    bool good = !dnnl_primitive_create(&s->primitive, description);
    dnnl_primitive_desc_destroy(description);
    if (!good) return NULL;
    p->steps++;
    return s;
}

static bool add_argument(step *s, int index, dnnl_memory_t memory) {
    if (memory) s->argument[s->arguments++] = (dnnl_exec_arg_t){index, memory};
    return memory != NULL;
}

static bool add_reorder(peer_layer *p, dnnl_memory_t from, dnnl_memory_t to) {
    const dnnl_memory_desc_t *source, *target;
    dnnl_primitive_desc_t description;
    if (dnnl_memory_get_memory_desc(from, &source) || dnnl_memory_get_memory_desc(to, &target)) return false;
    if (dnnl_reorder_primitive_desc_create(&description, source, p->engine, target, p->engine, NULL)) return false;
    step *s = add_step(p, description);
    return s && add_argument(s, DNNL_ARG_FROM, from) && add_argument(s, DNNL_ARG_TO, to);
}

/* What the convolution reads or writes, and the same as its caller has it: one memory where the two agree. */
typedef struct activation {
    dnnl_memory_t inner, outer;
} activation;

static bool add_activation(peer_layer *p, const dnnl_memory_desc_t *inner, const dnnl_memory_desc_t *outer,
                           activation *to) {
    to->inner = to->outer = add_memory(p, inner);
    if (to->inner && outer && !dnnl_memory_desc_equal(inner, outer)) to->outer = add_memory(p, outer);
    return to->inner && to->outer;
}

static bool add_activations(const peer_request *r, peer_layer *p, const_dnnl_primitive_desc_t d, activation *input,
                            activation *output) {
    const peer_problem *s = r->problem;
    const dnnl_format_tag_t tag = s->rank == 3 ? dnnl_ncdhw : dnnl_nchw;
    dnnl_memory_desc_t plain_input = tensor(s, s->in_channels, s->in_size, tag);
    dnnl_memory_desc_t plain_output = tensor(s, s->out_channels, s->out_size, tag);
    return add_activation(p, dnnl_primitive_desc_query_md(d, dnnl_query_src_md, 0), r->plain ? &plain_input : NULL,
                          input) &&
           add_activation(p, dnnl_primitive_desc_query_md(d, dnnl_query_dst_md, 0), r->plain ? &plain_output : NULL,
                          output);
}

/* The convolution; takes the description. */
static bool add_convolution(const peer_problem *s, peer_layer *p, dnnl_primitive_desc_t d, dnnl_memory_t input,
                            dnnl_memory_t output) {
    dnnl_memory_t w = add_memory(p, dnnl_primitive_desc_query_md(d, dnnl_query_weights_md, 0));
    dnnl_memory_t bias = s->bias ? add_memory(p, dnnl_primitive_desc_query_md(d, dnnl_query_weights_md, 1)) : NULL;
    step *convolution = add_step(p, d);
    return convolution && add_argument(convolution, DNNL_ARG_SRC, input) &&
           add_argument(convolution, DNNL_ARG_WEIGHTS, w) && add_argument(convolution, DNNL_ARG_DST, output) &&
           (!s->bias || add_argument(convolution, DNNL_ARG_BIAS, bias));
}

/* Takes the description. An addend is what the output held before, so it is reordered as well. */
static bool add_steps(const peer_request *r, peer_layer *p, dnnl_primitive_desc_t d) {
    activation input, output;
    bool good = add_activations(r, p, d, &input, &output);
    if (good && input.inner != input.outer) good = add_reorder(p, input.outer, input.inner);
    if (good && output.inner != output.outer && adds(r->problem)) good = add_reorder(p, output.outer, output.inner);
    if (!good) {
        dnnl_primitive_desc_destroy(d);
        return false;
    }
    if (!add_convolution(r->problem, p, d, input.inner, output.inner)) return false;
    return output.inner == output.outer || add_reorder(p, output.inner, output.outer);
}

static void peer_run(peer_layer *p) {
    for (int i = 0; i < p->steps; i++)
        dnnl_primitive_execute(p->step[i].primitive, p->stream, p->step[i].arguments, p->step[i].argument);
    dnnl_stream_wait(p->stream);
}

static void peer_close(peer_layer *p) {
    if (!p) return;
    for (int i = 0; i < p->steps; i++) dnnl_primitive_destroy(p->step[i].primitive);
    for (int i = 0; i < p->memories; i++) dnnl_memory_destroy(p->memory[i]);
    if (p->stream) dnnl_stream_destroy(p->stream);
    if (p->engine) dnnl_engine_destroy(p->engine);
    free(p);
}

static void name_variant(peer_layer *p, const struct format *f, const_dnnl_primitive_desc_t d) {
    const char *implementation = "";
    dnnl_primitive_desc_query(d, dnnl_query_impl_info_str, 0, &implementation);
    snprintf(p->variant, sizeof p->variant, "%s %s", f->name, implementation);
}

/* One format made ready, or NULL. */
static peer_layer *open_format(const peer_request *r, const struct format *f) {
    peer_layer *p = calloc(1, sizeof *p);
    dnnl_primitive_attr_t attributes = NULL;
    if (!p) return NULL;
    bool good = !dnnl_engine_create(&p->engine, dnnl_cpu, 0) && !dnnl_stream_create(&p->stream, p->engine, 0) &&
                !dnnl_primitive_attr_create(&attributes) && add_post_ops(r->problem, attributes);
    dnnl_primitive_desc_t description = good ? describe(r, f, p->engine, attributes) : NULL;
    if (description) name_variant(p, f, description);
    good = description && add_steps(r, p, description);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    if (good) return p;
    peer_close(p);
    return NULL;
}

/* Seconds of the fastest run, after one to warm up. */
static double time_layer(peer_layer *p) {
    peer_run(p);
    double best = 1e30, first = omp_get_wtime();
    for (int i = 0; i < LEAST_TRIALS || omp_get_wtime() - first < TRIAL_SECONDS; i++) {
        double begin = omp_get_wtime();
        peer_run(p);
        double seconds = omp_get_wtime() - begin;
        if (seconds < best) best = seconds;
    }
    return best;
}

/* The first that the target has is the most that oneDNN may use; it takes the limit once, before its first primitive.
 */
static const struct instructions {
    uint64_t feature;
    dnnl_cpu_isa_t isa;
} instructions[] = {
    {CVK_CPU_AVX512F, dnnl_cpu_isa_all},
    {CVK_CPU_AVX2, dnnl_cpu_isa_avx2},
    {CVK_CPU_AVX, dnnl_cpu_isa_avx},
    {0, dnnl_cpu_isa_sse41},
};

static void limit_instructions(uint64_t cpu_features) {
    const struct instructions *i = instructions;
    while ((cpu_features & i->feature) != i->feature) i++;
    dnnl_set_max_cpu_isa(i->isa);
}

/* It has no convolution of f64. */
static peer_layer *peer_open(const peer_request *r) {
    if (r->problem->dtype != CVK_F32) return NULL;
    limit_instructions(r->cpu_features);
    omp_set_num_threads((int)r->threads);
    peer_layer *best = NULL;
    double best_seconds = 0;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        peer_layer *p = open_format(r, &formats[i]);
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

static void peer_rest(void) { omp_pause_resource_all(omp_pause_soft); }

static const char *peer_variant(const peer_layer *p) { return p->variant; }

const peer convoke_peer = {PEER_VERSION, "oneDNN", peer_open, peer_run, peer_rest, peer_variant, peer_close};
