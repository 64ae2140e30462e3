/* oneDNN, 2.6 or 3: the fastest of three formats of the activations, by its direct convolution or, in 2, its Winograd;
 * transposed by its deconvolution or as the gradient of a convolution's data; pools by its pooling. Weights are
 * reordered beforehand into the format that the primitive asks for, and gradients of weights left in its own. 1D runs
 * as 2D of height 1. Where activations are to be plain, a format that is not gets a reorder before and after the
 * convolution. */
#include "peers/onednn_attributes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* What computes an operation, by the names of its arguments: what comes in, the other that comes in, what comes out. A
 * bias comes in, or out. */
typedef enum means {
    FORWARD,
    DECONVOLUTION,
    DATA_GRADIENT,
    WEIGHTS_GRADIENT,
    DECONVOLUTION_GRADIENT,
    MAX_POOLING,
    AVERAGE_POOLING,
    MEANS
} means;

typedef struct argument {
    int name;
    dnnl_query_t query;
} argument;

static const struct means_row {
    cvk_operation operation;
    const char *name;
    argument input, other, output;
    bool gradient; /* the other is an activation: the output's gradient; and weights come out */
} means_rows[MEANS] = {
    [FORWARD] = {CVK_CONVOLUTION,
                 "",
                 {DNNL_ARG_SRC, dnnl_query_src_md},
                 {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
                 {DNNL_ARG_DST, dnnl_query_dst_md},
                 false},
    [DECONVOLUTION] = {CVK_TRANSPOSED,
                       "deconvolution ",
                       {DNNL_ARG_SRC, dnnl_query_src_md},
                       {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
                       {DNNL_ARG_DST, dnnl_query_dst_md},
                       false},
    [DATA_GRADIENT] = {CVK_TRANSPOSED,
                       "data gradient ",
                       {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
                       {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
                       {DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md},
                       false},
    [WEIGHTS_GRADIENT] = {CVK_WEIGHTS_GRADIENT,
                          "",
                          {DNNL_ARG_SRC, dnnl_query_src_md},
                          {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
                          {DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md},
                          true},
    [DECONVOLUTION_GRADIENT] = {CVK_TRANSPOSED_WEIGHTS_GRADIENT,
                                "",
                                {DNNL_ARG_SRC, dnnl_query_src_md},
                                {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
                                {DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md},
                                true},
    [MAX_POOLING] = {CVK_MAX_POOL,
                     "",
                     {DNNL_ARG_SRC, dnnl_query_src_md},
                     {0, dnnl_query_undef},
                     {DNNL_ARG_DST, dnnl_query_dst_md},
                     false},
    [AVERAGE_POOLING] = {CVK_AVERAGE_POOL,
                         "",
                         {DNNL_ARG_SRC, dnnl_query_src_md},
                         {0, dnnl_query_undef},
                         {DNNL_ARG_DST, dnnl_query_dst_md},
                         false},
};

struct peer_layer {
    char variant[MOST_VARIANT];
    const peer_problem *problem;
    const struct means_row *means;
    peer_data data;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    activation input, other, output; /* `other` of gradients; the output of those is the weights' */
    dnnl_memory_t bias;              /* NULL: there is none */
    step step[MOST_STEPS];           /* in their order */
    int steps;
    dnnl_memory_t memory[MOST_MEMORIES];
    int memories;
};

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

/* Axes as oneDNN counts them: at least two. */
static int axes_of(const peer_problem *s) { return s->rank == 3 ? 3 : 2; }

static int with_axes(const peer_problem *s, const int64_t size[PEER_AXES], dnnl_dims_t to, int at) {
    for (int i = PEER_AXES - axes_of(s); i < PEER_AXES; i++) to[at++] = size[i];
    return at;
}

static dnnl_format_tag_t tag_of(const peer_problem *s, const struct format *f) {
    return s->rank == 3 ? f->tag_3d : f->tag_2d;
}

static dnnl_data_type_t type_of(cvk_dtype dtype) {
    static const dnnl_data_type_t types[] = {[CVK_F32] = dnnl_f32, [CVK_BF16] = dnnl_bf16, [CVK_F16] = dnnl_f16,
                                             [CVK_U8] = dnnl_u8,   [CVK_S8] = dnnl_s8,     [CVK_S32] = dnnl_s32};
    return (size_t)dtype < sizeof types / sizeof *types ? types[dtype] : dnnl_data_type_undef;
}

static bool make_activation(const peer_problem *s, int64_t channels, const int64_t size[PEER_AXES], cvk_dtype type,
                            dnnl_format_tag_t tag, shape *to) {
    dnnl_dims_t dims = {s->batch, channels};
    return make_shape(to, with_axes(s, size, dims, 2), dims, type_of(type), tag);
}

static bool is_transposed(const peer_problem *s) {
    return s->operation == CVK_TRANSPOSED || s->operation == CVK_TRANSPOSED_WEIGHTS_GRADIENT;
}

static bool is_gradient(const peer_problem *s) {
    return s->operation == CVK_WEIGHTS_GRADIENT || s->operation == CVK_TRANSPOSED_WEIGHTS_GRADIENT;
}

/* Dense ones begin with output channels; transposed, with input channels. */
static dnnl_format_tag_t plain_weights(const peer_problem *s, bool transposed) {
    static const dnnl_format_tag_t tags[2][2][2] = {{{dnnl_oihw, dnnl_oidhw}, {dnnl_goihw, dnnl_goidhw}},
                                                    {{dnnl_iohw, dnnl_iodhw}, {dnnl_giohw, dnnl_giodhw}}};
    return tags[transposed][s->groups > 1][s->rank == 3];
}

/* `plain`: as the request has them; else as the convolution asks for. Of a convolution whose gradient is asked for, the
 * layer's input channels are output channels. */
static bool make_weights(const peer_problem *s, means by, bool plain, shape *to) {
    const bool turned = by == DATA_GRADIENT;
    const int64_t out = turned ? s->in_channels : s->out_channels, in = turned ? s->out_channels : s->in_channels;
    dnnl_dims_t dims = {s->groups, out / s->groups, in / s->groups}, dense = {out, in};
    const dnnl_format_tag_t tag = plain ? plain_weights(s, is_transposed(s) && !turned) : dnnl_format_tag_any;
    const dnnl_data_type_t type = type_of(s->weights_dtype);
    if (s->groups > 1) return make_shape(to, with_axes(s, s->kernel, dims, 3), dims, type, tag);
    return make_shape(to, with_axes(s, s->kernel, dense, 2), dense, type, tag);
}

static bool make_bias(const peer_problem *s, shape *to) {
    dnnl_dims_t channels = {s->out_channels};
    return make_shape(to, 1, channels, has_bytes(s) ? dnnl_s32 : dnnl_f32, dnnl_a);
}

/* Shapes of a convolution's tensors; zeroed before they are made. */
typedef struct shapes {
    shape input, weights, bias, output;
} shapes;

static void free_shapes(shapes *s) {
    shape *all[] = {&s->input, &s->weights, &s->bias, &s->output};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free_shape(all[i]);
}

static bool make_shapes(const peer_problem *s, means by, dnnl_format_tag_t tag, bool plain, shapes *to) {
    memset(to, 0, sizeof *to);
    return make_activation(s, s->in_channels, s->in_size, s->input_dtype, tag, &to->input) &&
           make_activation(s, s->out_channels, s->out_size, s->output_dtype, tag, &to->output) &&
           make_weights(s, by, plain, &to->weights) && make_bias(s, &to->bias);
}

static dnnl_alg_kind_t pooling_of(const peer_problem *s) {
    if (s->operation == CVK_MAX_POOL) return dnnl_pooling_max;
    return s->counts_padding ? dnnl_pooling_avg_include_padding : dnnl_pooling_avg_exclude_padding;
}

/* Where a pool's last window ends behind the input. It wants as much padding. */
static int64_t reach_behind(const peer_problem *s, int a) {
    const int64_t span = (s->kernel[a] - 1) * s->dilation[a] + 1;
    const int64_t reach = (s->out_size[a] - 1) * s->stride[a] + span - s->in_size[a] - s->pad_before[a];
    return reach > s->pad_after[a] ? reach : s->pad_after[a];
}

/* It would count what a last window has beyond the padding. */
static bool counts_too_much(const peer_problem *s) {
    bool beyond = false;
    for (int a = 0; a < PEER_AXES; a++) beyond |= reach_behind(s, a) > s->pad_after[a];
    return beyond && s->counts_padding;
}

static geometry geometry_of(const peer_problem *s) {
    geometry g;
    int64_t behind[PEER_AXES];
    for (int a = 0; a < PEER_AXES; a++) behind[a] = peer_is_pool(s) ? reach_behind(s, a) : s->pad_after[a];
    with_axes(s, s->kernel, g.kernel, 0);
    with_axes(s, s->stride, g.stride, 0);
    with_axes(s, s->dilation, g.dilation, 0);
    with_axes(s, s->pad_before, g.before, 0);
    with_axes(s, behind, g.after, 0);
    for (int i = 0; i < axes_of(s); i++) g.dilation[i]--; /* it counts the holes */
    return g;
}

typedef dnnl_primitive_desc_t describe_forward(const asked *d, dnnl_prop_kind_t use);
typedef dnnl_primitive_desc_t describe_backward(const asked *d, const_dnnl_primitive_desc_t hint);

/* By way of the primitive forward. */
static dnnl_primitive_desc_t describe_gradient(const asked *d, describe_forward *forward, describe_backward *backward) {
    dnnl_primitive_desc_t hint = forward(d, dnnl_forward_training), to = hint ? backward(d, hint) : NULL;
    if (hint) dnnl_primitive_desc_destroy(hint);
    return to;
}

static dnnl_primitive_desc_t describe_means(const asked *d, means by) {
    switch (by) {
    case FORWARD: return describe_convolution(d, dnnl_forward_inference);
    case DECONVOLUTION: return describe_deconvolution(d, dnnl_forward_inference);
    case DATA_GRADIENT: return describe_gradient(d, describe_convolution, describe_data_gradient);
    case MAX_POOLING:
    case AVERAGE_POOLING: return describe_pooling(d);
    case WEIGHTS_GRADIENT: return describe_gradient(d, describe_convolution, describe_weights_gradient);
    default: return describe_gradient(d, describe_deconvolution, describe_deconvolution_weights_gradient);
    }
}

static dnnl_primitive_desc_t describe(const peer_request *r, means by, const struct format *f, dnnl_engine_t engine,
                                      const_dnnl_primitive_attr_t attributes) {
    const peer_problem *s = r->problem;
    shapes all;
    dnnl_primitive_desc_t to = NULL;
    if (make_shapes(s, by, tag_of(s, f), false, &all)) {
        const bool turned = by == DATA_GRADIENT;
        const asked d = {.engine = engine,
                         .winograd = r->way == PEER_WINOGRAD,
                         .pooling = pooling_of(s),
                         .o = {.source = view(turned ? &all.output : &all.input),
                               .weights = view(&all.weights),
                               .bias = s->bias ? view(&all.bias) : NULL,
                               .destination = view(turned ? &all.input : &all.output)},
                         .g = geometry_of(s),
                         .attributes = attributes};
        to = describe_means(&d, by);
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

/* Loaded once: what is constant. */
static dnnl_memory_t add_constant(peer_layer *p, const_shape inner, const_shape plain, const void *array) {
    dnnl_memory_t memory = add_memory(p, inner, NULL);
    return memory && load(p, plain, array, memory) ? memory : NULL;
}

static const_shape wanted(const_dnnl_primitive_desc_t d, const argument *a) {
    return dnnl_primitive_desc_query_md(d, a->query, 0);
}

/* Weights come in or go out as the primitive likes them best. */
static bool add_operands(const peer_request *r, peer_layer *p, const_dnnl_primitive_desc_t d, const shapes *plain) {
    const struct means_row *m = p->means;
    const_shape input = r->plain ? view(&plain->input) : NULL, output = r->plain ? view(&plain->output) : NULL;
    bool good = add_activation(p, wanted(d, &m->input), input, &p->input);
    if (m->gradient)
        good = good && add_activation(p, wanted(d, &m->other), output, &p->other) &&
               add_activation(p, wanted(d, &m->output), NULL, &p->output);
    else
        good = good && add_activation(p, wanted(d, &m->output), output, &p->output) &&
               (peer_is_pool(p->problem) ||
                (p->other.inner = add_constant(p, wanted(d, &m->other), view(&plain->weights), p->data.weights)));
    if (!good || !p->problem->bias) return good;
    p->bias = m->gradient ? add_memory(p, view(&plain->bias), NULL)
                          : add_constant(p, view(&plain->bias), view(&plain->bias), p->data.bias);
    return p->bias != NULL;
}

static bool add_convolution(peer_layer *p, const_dnnl_primitive_desc_t d) {
    const struct means_row *m = p->means;
    step *s = &p->step[p->steps];
    if (dnnl_primitive_create(&s->primitive, d)) return false;
    p->steps++;
    return add_argument(s, m->input.name, p->input.inner) &&
           (peer_is_pool(p->problem) || add_argument(s, m->other.name, p->other.inner)) &&
           add_argument(s, m->output.name, p->output.inner) &&
           (!p->bias || add_argument(s, m->gradient ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS, p->bias));
}

/* Where the two differ, from what the caller has. */
static bool add_reorder_in(peer_layer *p, const activation *a) {
    return a->inner == a->outer || add_reorder(p, a->outer, a->inner);
}

/* An addend is what the output held before, so it is reordered as well. */
static bool add_steps(const peer_request *r, peer_layer *p, const_dnnl_primitive_desc_t d, const shapes *plain) {
    bool good = add_operands(r, p, d, plain) && add_reorder_in(p, &p->input);
    if (good && p->means->gradient) good = add_reorder_in(p, &p->other);
    if (good && adds(p->problem)) good = add_reorder_in(p, &p->output);
    good = good && add_convolution(p, d);
    return good && (p->output.inner == p->output.outer || add_reorder(p, p->output.inner, p->output.outer));
}

static dnnl_format_tag_t plain_tag(const peer_problem *s) { return s->rank == 3 ? dnnl_ncdhw : dnnl_nchw; }

static bool make_plain_shapes(const peer_layer *p, shapes *to) {
    return make_shapes(p->problem, (means)(p->means - means_rows), plain_tag(p->problem), true, to);
}

/* What runs work on: the request's input and gradient, and the addend where an output is added to. */
static bool load_activations(peer_layer *p, const shapes *plain) {
    return load(p, view(&plain->input), p->data.input, p->input.outer) &&
           (!p->means->gradient || load(p, view(&plain->output), p->data.weights, p->other.outer)) &&
           (!adds(p->problem) || load(p, view(&plain->output), p->data.addend, p->output.outer));
}

static bool make_ready(const peer_request *r, peer_layer *p, const_dnnl_primitive_desc_t d) {
    shapes plain;
    bool good = make_plain_shapes(p, &plain) && add_steps(r, p, d, &plain) && load_activations(p, &plain);
    free_shapes(&plain);
    return good;
}

static void peer_run(peer_layer *p) {
    for (int i = 0; i < p->steps; i++)
        dnnl_primitive_execute(p->step[i].primitive, p->stream, p->step[i].arguments, p->step[i].argument);
    dnnl_stream_wait(p->stream);
}

static int64_t weights_of(const peer_problem *s) {
    int64_t taps = 1;
    for (int i = 0; i < PEER_AXES; i++) taps *= s->kernel[i];
    return s->out_channels * s->in_channels / s->groups * taps;
}

/* Behind gradients of weights, those of the bias. */
static bool take_results(peer_layer *p, const shapes *plain, float *output) {
    const bool gradient = p->means->gradient;
    const_shape of = view(gradient ? &plain->weights : &plain->output);
    if (!copy_array(p, of, output, p->output.outer, true)) return false;
    return !gradient || !p->bias || copy_array(p, view(&plain->bias), output + weights_of(p->problem), p->bias, true);
}

static bool peer_answer(peer_layer *p, void *output) {
    shapes plain;
    bool good = make_plain_shapes(p, &plain) && load_activations(p, &plain);
    if (good) peer_run(p);
    good = good && take_results(p, &plain, output);
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
    snprintf(p->variant, sizeof p->variant, "%s%s %s", p->means->name, f->name, implementation);
}

/* Where it has no Winograd for a layer it may take something else instead, many times as slow; and where it has
 * nothing, its reference, a thousand times as slow, which is no rival. */
static bool is_asked_for(const peer_request *r, const peer_layer *p) {
    return (r->way != PEER_WINOGRAD || strstr(p->variant, "wino")) &&
           !(has_bytes(r->problem) && strstr(p->variant, " ref"));
}

/* One format made ready, or NULL. */
static peer_layer *open_format(const peer_request *r, means by, const struct format *f) {
    peer_layer *p = calloc(1, sizeof *p);
    dnnl_primitive_attr_t attributes = NULL;
    if (!p) return NULL;
    p->problem = r->problem, p->data = r->data, p->means = &means_rows[by];
    bool good = !dnnl_engine_create(&p->engine, dnnl_cpu, 0) && !dnnl_stream_create(&p->stream, p->engine, 0) &&
                !dnnl_primitive_attr_create(&attributes) && add_attributes(r, attributes);
    dnnl_primitive_desc_t description = good ? describe(r, by, f, p->engine, attributes) : NULL;
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
    } rows[] = {{CVK_CPU_AVX512VNNI | CVK_CPU_AVX512BF16, EVERY_ISA},
                {CVK_CPU_AVX512VNNI, dnnl_cpu_isa_avx512_core_vnni},
                {CVK_CPU_AVX512F, dnnl_cpu_isa_avx512_core},
                {CVK_CPU_AVX2, dnnl_cpu_isa_avx2},
                {CVK_CPU_AVX, dnnl_cpu_isa_avx}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((cpu_features & rows[i].feature) == rows[i].feature) return rows[i].isa;
    return dnnl_cpu_isa_sse41;
}

/* Of bytes it has what its version has attributes for: sums of u8 or s8 and s8, by multipliers in f32. Without VNNI it
 * saturates in between. */
static bool has_such_bytes(const peer_request *r) {
    const peer_problem *s = r->problem;
    if (!KNOWS_BYTES || s->border != CVK_PADDING_ZEROS) return false;
    if (peer_is_pool(s)) return s->input_zero == 0 && s->output_dtype == s->input_dtype;
    return s->weights_dtype == CVK_S8 && s->weights_zero == 0 && r->cpu_features & CVK_CPU_AVX512VNNI &&
           (!gives_bytes(s) || s->rounding == CVK_ROUNDING_NEAREST_EVEN);
}

static bool is_half(cvk_dtype dtype) { return dtype == CVK_BF16 || dtype == CVK_F16; }

/* Halves may come out as f32. */
static bool has_such_halves(const peer_problem *s) {
    return (peer_is_pool(s) || s->weights_dtype == s->input_dtype) &&
           (s->output_dtype == s->input_dtype || s->output_dtype == CVK_F32);
}

/* Gradients, and what is not direct, are of f32. */
static bool has_types(const peer_request *r) {
    const peer_problem *s = r->problem;
    if (peer_all_are(s, CVK_F32)) return true;
    if (r->way != PEER_DIRECT || is_gradient(s)) return false;
    return is_half(s->input_dtype) ? has_such_halves(s) : has_bytes(s) && has_such_bytes(r);
}

/* It has no border but zeros, and one addend; pools have none, and one way. */
static bool has(const peer_request *r) {
    const bool pool = peer_is_pool(r->problem);
    if (pool && (r->way != PEER_DIRECT || adds(r->problem) || counts_too_much(r->problem))) return false;
    return WAYS >> r->way & 1 && has_types(r) && r->problem->border == CVK_PADDING_ZEROS && adds(r->problem) <= 1 &&
           take_threads(r->threads);
}

/* Gradients of a convolution's data are sums alone. */
static bool means_for(means by, const peer_problem *s) {
    return means_rows[by].operation == s->operation &&
           (by != DATA_GRADIENT || (!s->bias && !s->post_op_count && !has_bytes(s)));
}

/* The faster of two, of which the other is closed. */
typedef struct fastest {
    peer_layer *layer;
    double seconds;
} fastest;

static void keep_faster(fastest *best, peer_layer *p) {
    if (!p) return;
    const double seconds = time_layer(p);
    const bool slower = best->layer && best->seconds <= seconds;
    peer_close(slower ? p : best->layer);
    if (!slower) *best = (fastest){p, seconds};
}

static peer_layer *peer_open(const peer_request *r) {
    if (!has(r)) return NULL;
    dnnl_set_max_cpu_isa(instructions(r->cpu_features));
    fastest best = {NULL, 0};
    for (means by = 0; by < MEANS; by++)
        for (size_t i = 0; i < sizeof formats / sizeof *formats && means_for(by, r->problem); i++)
            if (peer_is_pool(r->problem) ? formats[i].of_pools : i < CONVOLUTION_FORMATS)
                keep_faster(&best, open_format(r, by, &formats[i]));
    return best.layer;
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
