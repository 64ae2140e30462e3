/* oneDNN, 2.6 or 3: the fastest of the formats of the activations, by its direct convolution or, in 2, its Winograd; or
 * by its pooling. Weights are reordered beforehand into the format that the primitive asks for. 1D runs as 2D of
 * height 1. Where activations are to be plain, a format that is not gets a reorder before and after the convolution.
 *
 * What the two versions say differently comes first. */
#include "peers/peer.h"

#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A description of memory, owned; and one that somebody owns. */
typedef struct shape {
    dnnl_memory_desc_t own;
} shape;
#if DNNL_VERSION_MAJOR < 3
typedef const dnnl_memory_desc_t *const_shape;
static const_shape view(const shape *s) { return &s->own; }
static void free_shape(shape *s) { (void)s; }
static bool make_shape(shape *to, int axes, const dnnl_dims_t size, dnnl_format_tag_t tag) {
    return !dnnl_memory_desc_init_by_tag(&to->own, axes, size, dnnl_f32, tag);
}
#else
typedef const_dnnl_memory_desc_t const_shape;
static const_shape view(const shape *s) { return s->own; }
static void free_shape(shape *s) {
    if (s->own) dnnl_memory_desc_destroy(s->own);
}
static bool make_shape(shape *to, int axes, const dnnl_dims_t size, dnnl_format_tag_t tag) {
    return !dnnl_memory_desc_create_with_tag(&to->own, axes, size, dnnl_f32, tag);
}
#endif

/* Of a convolution; `bias` may be NULL. */
typedef struct operands {
    const_shape input, weights, bias, output;
} operands;

typedef struct geometry {
    dnnl_dims_t stride, dilation, before, after, kernel;
} geometry;

/* NULL: there is no such primitive. */
static dnnl_primitive_desc_t describe_convolution(dnnl_engine_t engine, dnnl_alg_kind_t algorithm, const operands *o,
                                                  const geometry *g, const_dnnl_primitive_attr_t attributes) {
    dnnl_primitive_desc_t to = NULL;
#if DNNL_VERSION_MAJOR < 3
    dnnl_convolution_desc_t operation;
    bool bad =
        dnnl_dilated_convolution_forward_desc_init(&operation, dnnl_forward_inference, algorithm, o->input, o->weights,
                                                   o->bias, o->output, g->stride, g->dilation, g->before, g->after) ||
        dnnl_primitive_desc_create(&to, &operation, attributes, engine, NULL);
#else
    bool bad = dnnl_convolution_forward_primitive_desc_create(&to, engine, dnnl_forward_inference, algorithm, o->input,
                                                              o->weights, o->bias, o->output, g->stride, g->dilation,
                                                              g->before, g->after, attributes);
#endif
    return bad ? NULL : to;
}

/* A pool's; `g` with the size of its windows. */
static dnnl_primitive_desc_t describe_pooling(dnnl_engine_t engine, dnnl_alg_kind_t algorithm, const operands *o,
                                              const geometry *g, const_dnnl_primitive_attr_t attributes) {
    dnnl_primitive_desc_t to = NULL;
#if DNNL_VERSION_MAJOR < 3
    dnnl_pooling_v2_desc_t operation;
    bool bad = dnnl_pooling_v2_forward_desc_init(&operation, dnnl_forward_inference, algorithm, o->input, o->output,
                                                 g->stride, g->kernel, g->dilation, g->before, g->after) ||
               dnnl_primitive_desc_create(&to, &operation, attributes, engine, NULL);
#else
    bool bad =
        dnnl_pooling_forward_primitive_desc_create(&to, engine, dnnl_forward_inference, algorithm, o->input, o->output,
                                                   g->stride, g->kernel, g->dilation, g->before, g->after, attributes);
#endif
    return bad ? NULL : to;
}

static bool append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t algorithm, float alpha, float beta) {
#if DNNL_VERSION_MAJOR < 3
    return !dnnl_post_ops_append_eltwise(ops, 1, algorithm, alpha, beta);
#else
    return !dnnl_post_ops_append_eltwise(ops, algorithm, alpha, beta);
#endif
}

static bool append_sum(dnnl_post_ops_t ops) {
#if DNNL_VERSION_MAJOR < 3
    return !dnnl_post_ops_append_sum(ops, 1);
#else
    return !dnnl_post_ops_append_sum(ops, 1, 0, dnnl_data_type_undef);
#endif
}

#if DNNL_VERSION_MAJOR < 3
enum { WAYS = 1 << PEER_DIRECT | 1 << PEER_WINOGRAD };
static const dnnl_cpu_isa_t EVERY_ISA = dnnl_cpu_isa_all;
#define HARD_SWISH_ALPHA 0 /* it knows no other */
#define HARD_SWISH_BETA 0
#else
enum { WAYS = 1 << PEER_DIRECT };
static const dnnl_cpu_isa_t EVERY_ISA = dnnl_cpu_isa_default;
#define HARD_SWISH_ALPHA (1.0F / 6)
#define HARD_SWISH_BETA 0.5F
#endif

/* Its threads are OpenMP's, or it has none. */
#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
#include <omp.h>
static bool take_threads(unsigned threads) {
    omp_set_num_threads((int)threads);
    return true;
}
static void peer_rest(void) { omp_pause_resource_all(omp_pause_soft); }
#else
static bool take_threads(unsigned threads) { return threads == 1; }
static void peer_rest(void) {}
#endif

enum { MOST_ARGUMENTS = 4, MOST_STEPS = 4, MOST_MEMORIES = 16, MOST_VARIANT = 64, LEAST_TRIALS = 2 };
static const double TRIAL_SECONDS = 0.03; /* of a variant, before the fastest is chosen */

/* A primitive with its arguments. */
typedef struct step {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t argument[MOST_ARGUMENTS];
    int arguments;
} step;

/* What the convolution reads or writes, and the same as its caller has it: one memory where the two agree. */
typedef struct activation {
    dnnl_memory_t inner, outer;
} activation;

struct peer_layer {
    char variant[MOST_VARIANT];
    const peer_problem *problem;
    peer_data data;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    activation input, output;
    step step[MOST_STEPS]; /* in their order */
    int steps;
    dnnl_memory_t memory[MOST_MEMORIES];
    int memories;
};

static dnnl_alg_kind_t algorithm_of(peer_way way) {
    return way == PEER_WINOGRAD ? dnnl_convolution_winograd : dnnl_convolution_direct;
}

static const struct format {
    const char *name;
    dnnl_format_tag_t tag_2d, tag_3d;
    bool of_pools; /* which cannot be asked what they like best */
} formats[] = {
    {"any", dnnl_format_tag_any, dnnl_format_tag_any, false},
    {"nhwc", dnnl_nhwc, dnnl_ndhwc, true},
    {"nchw", dnnl_nchw, dnnl_ncdhw, true},
    {"nChw16c", dnnl_nChw16c, dnnl_nCdhw16c, true},
    {"nChw8c", dnnl_nChw8c, dnnl_nCdhw8c, true},
};

enum { CONVOLUTION_FORMATS = 3 }; /* the first: `any` is whatever is blocked best */

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
    {CVK_POST_HARD_SWISH, dnnl_eltwise_hardswish, HARD_SWISH_ALPHA, HARD_SWISH_BETA},
    {CVK_POST_ELU, dnnl_eltwise_elu, 1, 0},
    {CVK_POST_SOFTPLUS, dnnl_eltwise_soft_relu, 1, 0},
};

static bool add_eltwise(dnnl_post_ops_t ops, const cvk_post_op *op) {
    for (size_t i = 0; i < sizeof eltwises / sizeof *eltwises; i++) {
        const struct eltwise *e = &eltwises[i];
        bool own = op->kind == CVK_POST_LEAKY_RELU || op->kind == CVK_POST_CLAMP;
        if (e->kind == op->kind)
            return append_eltwise(ops, e->algorithm, own ? (float)op->a : e->alpha, own ? (float)op->b : e->beta);
    }
    return false;
}

static bool add_post_ops(const peer_problem *s, dnnl_primitive_attr_t attributes) {
    dnnl_post_ops_t ops;
    if (dnnl_post_ops_create(&ops)) return false;
    bool good = true;
    for (const cvk_post_op *op = s->post_ops; op < s->post_ops + s->post_op_count; op++)
        good = good && (op->kind == CVK_POST_ADD ? append_sum(ops) : add_eltwise(ops, op));
    good = good && !dnnl_primitive_attr_set_post_ops(attributes, ops);
    dnnl_post_ops_destroy(ops);
    return good;
}

static int adds(const peer_problem *s) {
    int count = 0;
    for (size_t i = 0; i < s->post_op_count; i++) count += s->post_ops[i].kind == CVK_POST_ADD;
    return count;
}

/* Axes as oneDNN counts them: at least two. */
static int axes_of(const peer_problem *s) { return s->rank == 3 ? 3 : 2; }

static int with_axes(const peer_problem *s, const int64_t size[PEER_AXES], dnnl_dims_t to, int at) {
    for (int i = PEER_AXES - axes_of(s); i < PEER_AXES; i++) to[at++] = size[i];
    return at;
}

static dnnl_format_tag_t tag_of(const peer_problem *s, const struct format *f) {
    return s->rank == 3 ? f->tag_3d : f->tag_2d;
}

static bool make_activation(const peer_problem *s, int64_t channels, const int64_t size[PEER_AXES],
                            dnnl_format_tag_t tag, shape *to) {
    dnnl_dims_t dims = {s->batch, channels};
    return make_shape(to, with_axes(s, size, dims, 2), dims, tag);
}

/* `plain`: as the request has them; else as the convolution asks for. */
static bool make_weights(const peer_problem *s, bool plain, shape *to) {
    dnnl_dims_t dims = {s->groups, s->out_channels / s->groups, s->in_channels / s->groups},
                dense = {s->out_channels, s->in_channels};
    const dnnl_format_tag_t tags[2][2] = {{dnnl_oihw, dnnl_oidhw}, {dnnl_goihw, dnnl_goidhw}};
    const dnnl_format_tag_t tag = plain ? tags[s->groups > 1][s->rank == 3] : dnnl_format_tag_any;
    if (s->groups > 1) return make_shape(to, with_axes(s, s->kernel, dims, 3), dims, tag);
    return make_shape(to, with_axes(s, s->kernel, dense, 2), dense, tag);
}

static bool make_bias(const peer_problem *s, shape *to) {
    dnnl_dims_t channels = {s->out_channels};
    return make_shape(to, 1, channels, dnnl_a);
}

/* Shapes of a convolution's tensors; zeroed before they are made. */
typedef struct shapes {
    shape input, weights, bias, output;
} shapes;

static void free_shapes(shapes *s) {
    shape *all[] = {&s->input, &s->weights, &s->bias, &s->output};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free_shape(all[i]);
}

static bool make_shapes(const peer_problem *s, dnnl_format_tag_t tag, bool plain_weights, shapes *to) {
    memset(to, 0, sizeof *to);
    return make_activation(s, s->in_channels, s->in_size, tag, &to->input) &&
           make_activation(s, s->out_channels, s->out_size, tag, &to->output) &&
           make_weights(s, plain_weights, &to->weights) && make_bias(s, &to->bias);
}

static bool is_pool(const peer_problem *s) { return s->kind != CVK_LAYER_CONVOLUTION; }

static dnnl_alg_kind_t pooling_of(const peer_problem *s) {
    if (s->kind == CVK_LAYER_MAX_POOL) return dnnl_pooling_max;
    return s->counts_padding ? dnnl_pooling_avg_include_padding : dnnl_pooling_avg_exclude_padding;
}

/* It wants as much padding behind as the last window reaches; false where that is more than there is, and counts. */
static bool set_pooling(const peer_problem *s, geometry *g) {
    int64_t after[PEER_AXES];
    for (int a = 0; a < PEER_AXES; a++) {
        const int64_t span = (s->kernel[a] - 1) * s->dilation[a] + 1;
        after[a] = (s->out_size[a] - 1) * s->stride[a] + span - s->in_size[a] - s->pad_before[a];
        if (after[a] < s->pad_after[a]) after[a] = s->pad_after[a];
        if (after[a] > s->pad_after[a] && s->counts_padding) return false;
    }
    with_axes(s, after, g->after, 0);
    with_axes(s, s->kernel, g->kernel, 0);
    return true;
}

static dnnl_primitive_desc_t describe(const peer_request *r, const struct format *f, dnnl_engine_t engine,
                                      const_dnnl_primitive_attr_t attributes) {
    const peer_problem *s = r->problem;
    shapes all;
    geometry g;
    dnnl_primitive_desc_t to = NULL;
    with_axes(s, s->stride, g.stride, 0);
    with_axes(s, s->dilation, g.dilation, 0);
    with_axes(s, s->pad_before, g.before, 0);
    with_axes(s, s->pad_after, g.after, 0);
    for (int i = 0; i < axes_of(s); i++) g.dilation[i]--; /* it counts the holes */
    if (make_shapes(s, tag_of(s, f), false, &all)) {
        const operands o = {view(&all.input), view(&all.weights), s->bias ? view(&all.bias) : NULL, view(&all.output)};
        if (!is_pool(s))
            to = describe_convolution(engine, algorithm_of(r->way), &o, &g, attributes);
        else if (set_pooling(s, &g))
            to = describe_pooling(engine, pooling_of(s), &o, &g, attributes);
    }
    free_shapes(&all);
    return to;
}

/* Memory of that description, or NULL; the layer owns it. `data` NULL: memory of its own, else that. */
static dnnl_memory_t add_memory(peer_layer *p, const_shape description, void *data) {
    dnnl_memory_t memory;
    if (p->memories == MOST_MEMORIES) return NULL;
    if (dnnl_memory_create(&memory, description, p->engine, data ? data : DNNL_MEMORY_ALLOCATE)) return NULL;
    return p->memory[p->memories++] = memory;
}

/* NULL: there is no such reorder. */
static dnnl_primitive_t make_reorder(const peer_layer *p, dnnl_memory_t from, dnnl_memory_t to) {
    const_shape source, target;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t made;
    if (dnnl_memory_get_memory_desc(from, &source) || dnnl_memory_get_memory_desc(to, &target)) return NULL;
    if (dnnl_reorder_primitive_desc_create(&description, source, p->engine, target, p->engine, NULL)) return NULL;
    bool bad = dnnl_primitive_create(&made, description);
    dnnl_primitive_desc_destroy(description);
    return bad ? NULL : made;
}

/* Once, not as a step of a run. */
static bool copy(const peer_layer *p, dnnl_memory_t from, dnnl_memory_t to) {
    dnnl_primitive_t reorder = make_reorder(p, from, to);
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    if (!reorder) return false;
    bool good = !dnnl_primitive_execute(reorder, p->stream, 2, arguments) && !dnnl_stream_wait(p->stream);
    dnnl_primitive_destroy(reorder);
    return good;
}

/* Between memory in oneDNN's format and an array of the request's. */
static bool copy_array(peer_layer *p, const_shape plain, void *array, dnnl_memory_t memory, bool out) {
    const int before = p->memories;
    dnnl_memory_t of_array = add_memory(p, plain, array);
    if (!of_array) return false;
    bool good = out ? copy(p, memory, of_array) : copy(p, of_array, memory);
    dnnl_memory_destroy(of_array);
    p->memories = before;
    return good;
}

/* The request's arrays are only read. */
static bool load(peer_layer *p, const_shape plain, const void *array, dnnl_memory_t memory) {
    return copy_array(p, plain, (void *)array, memory, false);
}

static bool add_argument(step *s, int index, dnnl_memory_t memory) {
    if (memory) s->argument[s->arguments++] = (dnnl_exec_arg_t){index, memory};
    return memory != NULL;
}

static bool add_reorder(peer_layer *p, dnnl_memory_t from, dnnl_memory_t to) {
    step *s = &p->step[p->steps];
    s->primitive = make_reorder(p, from, to);
    if (!s->primitive) return false;
    p->steps++;
    return add_argument(s, DNNL_ARG_FROM, from) && add_argument(s, DNNL_ARG_TO, to);
}

/* `outer` NULL: the caller has it as the convolution does. */
static bool add_activation(peer_layer *p, const_shape inner, const_shape outer, activation *to) {
    to->inner = to->outer = add_memory(p, inner, NULL);
    if (to->inner && outer && !dnnl_memory_desc_equal(inner, outer)) to->outer = add_memory(p, outer, NULL);
    return to->inner && to->outer;
}

/* The convolution and its constant operands. */
static bool add_convolution(peer_layer *p, const_dnnl_primitive_desc_t d, const shapes *plain) {
    dnnl_memory_t weights = add_memory(p, dnnl_primitive_desc_query_md(d, dnnl_query_weights_md, 0), NULL);
    dnnl_memory_t bias = p->problem->bias ? add_memory(p, view(&plain->bias), NULL) : NULL;
    step *s = &p->step[p->steps];
    if (!weights || !load(p, view(&plain->weights), p->data.weights, weights)) return false;
    if (p->problem->bias && (!bias || !load(p, view(&plain->bias), p->data.bias, bias))) return false;
    if (dnnl_primitive_create(&s->primitive, d)) return false;
    p->steps++;
    return add_argument(s, DNNL_ARG_SRC, p->input.inner) && add_argument(s, DNNL_ARG_WEIGHTS, weights) &&
           add_argument(s, DNNL_ARG_DST, p->output.inner) && (!bias || add_argument(s, DNNL_ARG_BIAS, bias));
}

static bool add_pooling(peer_layer *p, const_dnnl_primitive_desc_t d) {
    step *s = &p->step[p->steps];
    if (dnnl_primitive_create(&s->primitive, d)) return false;
    p->steps++;
    return add_argument(s, DNNL_ARG_SRC, p->input.inner) && add_argument(s, DNNL_ARG_DST, p->output.inner);
}

/* An addend is what the output held before, so it is reordered as well. */
static bool add_steps(const peer_request *r, peer_layer *p, const_dnnl_primitive_desc_t d, const shapes *plain) {
    bool good = add_activation(p, dnnl_primitive_desc_query_md(d, dnnl_query_src_md, 0),
                               r->plain ? view(&plain->input) : NULL, &p->input) &&
                add_activation(p, dnnl_primitive_desc_query_md(d, dnnl_query_dst_md, 0),
                               r->plain ? view(&plain->output) : NULL, &p->output);
    if (good && p->input.inner != p->input.outer) good = add_reorder(p, p->input.outer, p->input.inner);
    if (good && p->output.inner != p->output.outer && adds(p->problem))
        good = add_reorder(p, p->output.outer, p->output.inner);
    good = good && (is_pool(p->problem) ? add_pooling(p, d) : add_convolution(p, d, plain));
    return good && (p->output.inner == p->output.outer || add_reorder(p, p->output.inner, p->output.outer));
}

static dnnl_format_tag_t plain_tag(const peer_problem *s) { return s->rank == 3 ? dnnl_ncdhw : dnnl_nchw; }

/* What runs work on: the request's input, and the addend where an output is added to. */
static bool load_activations(peer_layer *p, const shapes *plain) {
    return load(p, view(&plain->input), p->data.input, p->input.outer) &&
           (!adds(p->problem) || load(p, view(&plain->output), p->data.addend, p->output.outer));
}

static bool make_ready(const peer_request *r, peer_layer *p, const_dnnl_primitive_desc_t d) {
    shapes plain;
    bool good = make_shapes(p->problem, plain_tag(p->problem), true, &plain) && add_steps(r, p, d, &plain) &&
                load_activations(p, &plain);
    free_shapes(&plain);
    return good;
}

static void peer_run(peer_layer *p) {
    for (int i = 0; i < p->steps; i++)
        dnnl_primitive_execute(p->step[i].primitive, p->stream, p->step[i].arguments, p->step[i].argument);
    dnnl_stream_wait(p->stream);
}

static bool peer_answer(peer_layer *p, void *output) {
    shapes plain;
    bool good = make_shapes(p->problem, plain_tag(p->problem), true, &plain) && load_activations(p, &plain);
    if (good) peer_run(p);
    good = good && copy_array(p, view(&plain.output), output, p->output.outer, true);
    free_shapes(&plain);
    return good;
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

/* Where it has no Winograd for a layer it may take something else instead, many times as slow. */
static bool is_asked_for(const peer_request *r, const peer_layer *p) {
    return r->way != PEER_WINOGRAD || strstr(p->variant, "wino");
}

/* One format made ready, or NULL. */
static peer_layer *open_format(const peer_request *r, const struct format *f) {
    peer_layer *p = calloc(1, sizeof *p);
    dnnl_primitive_attr_t attributes = NULL;
    if (!p) return NULL;
    p->problem = r->problem, p->data = r->data;
    bool good = !dnnl_engine_create(&p->engine, dnnl_cpu, 0) && !dnnl_stream_create(&p->stream, p->engine, 0) &&
                !dnnl_primitive_attr_create(&attributes) && add_post_ops(r->problem, attributes);
    dnnl_primitive_desc_t description = good ? describe(r, f, p->engine, attributes) : NULL;
    if (description) name_variant(p, f, description);
    good = description && is_asked_for(r, p) && make_ready(r, p, description);
    if (description) dnnl_primitive_desc_destroy(description);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    if (good) return p;
    peer_close(p);
    return NULL;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of the fastest run, after one to warm up. */
static double time_layer(peer_layer *p) {
    peer_run(p);
    double best = 1e30, first = now();
    for (int i = 0; i < LEAST_TRIALS || now() - first < TRIAL_SECONDS; i++) {
        double begin = now();
        peer_run(p);
        double seconds = now() - begin;
        if (seconds < best) best = seconds;
    }
    return best;
}

/* The first that the target has is the most that oneDNN may use; it takes the limit once, before its first primitive.
 */
static dnnl_cpu_isa_t instructions(uint64_t cpu_features) {
    const struct {
        uint64_t feature;
        dnnl_cpu_isa_t isa;
    } rows[] = {{CVK_CPU_AVX512F, EVERY_ISA}, {CVK_CPU_AVX2, dnnl_cpu_isa_avx2}, {CVK_CPU_AVX, dnnl_cpu_isa_avx}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (cpu_features & rows[i].feature) return rows[i].isa;
    return dnnl_cpu_isa_sse41;
}

/* It has no convolution of f64, no border but zeros, and one addend; pools have none, and one way. */
static bool has(const peer_request *r) {
    if (is_pool(r->problem) && (r->way != PEER_DIRECT || adds(r->problem))) return false;
    return WAYS >> r->way & 1 && r->problem->dtype == CVK_F32 && r->problem->border == CVK_PADDING_ZEROS &&
           adds(r->problem) <= 1 && take_threads(r->threads);
}

static peer_layer *peer_open(const peer_request *r) {
    if (!has(r)) return NULL;
    dnnl_set_max_cpu_isa(instructions(r->cpu_features));
    peer_layer *best = NULL;
    double best_seconds = 0;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (is_pool(r->problem) ? !formats[i].of_pools : i >= CONVOLUTION_FORMATS) continue;
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

static const char *peer_variant(const peer_layer *p) { return p->variant; }

static const char *peer_title(void) {
    static char title[MOST_VARIANT];
    const dnnl_version_t *v = dnnl_version();
    snprintf(title, sizeof title, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
    return title;
}

const peer convoke_peer = {PEER_VERSION, WAYS,      peer_title,   peer_open, peer_run,
                           peer_answer,  peer_rest, peer_variant, peer_close};
