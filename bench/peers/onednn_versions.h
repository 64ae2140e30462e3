/* What oneDNN 2.6 and 3 say differently. */
#ifndef CVK_BENCH_ONEDNN_VERSIONS_H
#define CVK_BENCH_ONEDNN_VERSIONS_H

#include "peers/peer.h"

#include <dnnl.h>

/* A description of memory, owned; and one that somebody owns. */
typedef struct shape {
    dnnl_memory_desc_t own;
} shape;
#if DNNL_VERSION_MAJOR < 3
typedef const dnnl_memory_desc_t *const_shape;
static inline const_shape view(const shape *s) { return &s->own; }
static inline void free_shape(shape *s) { (void)s; }
static inline bool make_shape(shape *to, int axes, const dnnl_dims_t size, dnnl_data_type_t type,
                              dnnl_format_tag_t tag) {
    return !dnnl_memory_desc_init_by_tag(&to->own, axes, size, type, tag);
}
#else
typedef const_dnnl_memory_desc_t const_shape;
static inline const_shape view(const shape *s) { return s->own; }
static inline void free_shape(shape *s) {
    if (s->own) dnnl_memory_desc_destroy(s->own);
}
static inline bool make_shape(shape *to, int axes, const dnnl_dims_t size, dnnl_data_type_t type,
                              dnnl_format_tag_t tag) {
    return !dnnl_memory_desc_create_with_tag(&to->own, axes, size, type, tag);
}
#endif

/* Tensors as oneDNN names them, of either direction; `bias` may be NULL. */
typedef struct operands {
    const_shape source, weights, bias, destination;
} operands;

typedef struct geometry {
    dnnl_dims_t stride, dilation, before, after, kernel; /* kernel: of a pool */
} geometry;

/* All that a primitive is described by. */
typedef struct asked {
    dnnl_engine_t engine;
    bool winograd;
    dnnl_alg_kind_t pooling;
    operands o;
    geometry g;
    const_dnnl_primitive_attr_t attributes;
} asked;

static inline dnnl_alg_kind_t convolution_of(const asked *d) {
    return d->winograd ? dnnl_convolution_winograd : dnnl_convolution_direct;
}
static inline dnnl_alg_kind_t deconvolution_of(const asked *d) {
    return d->winograd ? dnnl_deconvolution_winograd : dnnl_deconvolution_direct;
}

/* What both versions take, in the same order. */
#define GEOMETRY d->g.stride, d->g.dilation, d->g.before, d->g.after

/* Each gives NULL where there is no such primitive. `hint`: the primitive forward. */
#if DNNL_VERSION_MAJOR < 3
static inline dnnl_primitive_desc_t described(bool bad, const void *operation, const asked *d,
                                              const_dnnl_primitive_desc_t hint) {
    dnnl_primitive_desc_t to = NULL;
    return bad || dnnl_primitive_desc_create(&to, operation, d->attributes, d->engine, hint) ? NULL : to;
}
static inline dnnl_primitive_desc_t describe_convolution(const asked *d, dnnl_prop_kind_t use) {
    dnnl_convolution_desc_t c;
    bool bad = dnnl_dilated_convolution_forward_desc_init(&c, use, convolution_of(d), d->o.source, d->o.weights,
                                                          d->o.bias, d->o.destination, GEOMETRY);
    return described(bad, &c, d, NULL);
}
static inline dnnl_primitive_desc_t describe_deconvolution(const asked *d, dnnl_prop_kind_t use) {
    dnnl_deconvolution_desc_t c;
    bool bad = dnnl_dilated_deconvolution_forward_desc_init(&c, use, deconvolution_of(d), d->o.source, d->o.weights,
                                                            d->o.bias, d->o.destination, GEOMETRY);
    return described(bad, &c, d, NULL);
}
static inline dnnl_primitive_desc_t describe_pooling(const asked *d) {
    dnnl_pooling_v2_desc_t c;
    bool bad = dnnl_pooling_v2_forward_desc_init(&c, dnnl_forward_inference, d->pooling, d->o.source, d->o.destination,
                                                 d->g.stride, d->g.kernel, d->g.dilation, d->g.before, d->g.after);
    return described(bad, &c, d, NULL);
}
static inline dnnl_primitive_desc_t describe_data_gradient(const asked *d, const_dnnl_primitive_desc_t hint) {
    dnnl_convolution_desc_t c;
    bool bad = dnnl_dilated_convolution_backward_data_desc_init(&c, convolution_of(d), d->o.source, d->o.weights,
                                                                d->o.destination, GEOMETRY);
    return described(bad, &c, d, hint);
}
static inline dnnl_primitive_desc_t describe_weights_gradient(const asked *d, const_dnnl_primitive_desc_t hint) {
    dnnl_convolution_desc_t c;
    bool bad = dnnl_dilated_convolution_backward_weights_desc_init(&c, convolution_of(d), d->o.source, d->o.weights,
                                                                   d->o.bias, d->o.destination, GEOMETRY);
    return described(bad, &c, d, hint);
}
static inline dnnl_primitive_desc_t describe_deconvolution_weights_gradient(const asked *d,
                                                                            const_dnnl_primitive_desc_t hint) {
    dnnl_deconvolution_desc_t c;
    bool bad = dnnl_dilated_deconvolution_backward_weights_desc_init(&c, deconvolution_of(d), d->o.source, d->o.weights,
                                                                     d->o.bias, d->o.destination, GEOMETRY);
    return described(bad, &c, d, hint);
}
#else
static inline dnnl_primitive_desc_t describe_convolution(const asked *d, dnnl_prop_kind_t use) {
    dnnl_primitive_desc_t to = NULL;
    bool bad = dnnl_convolution_forward_primitive_desc_create(&to, d->engine, use, convolution_of(d), d->o.source,
                                                              d->o.weights, d->o.bias, d->o.destination, GEOMETRY,
                                                              d->attributes);
    return bad ? NULL : to;
}
static inline dnnl_primitive_desc_t describe_deconvolution(const asked *d, dnnl_prop_kind_t use) {
    dnnl_primitive_desc_t to = NULL;
    bool bad = dnnl_deconvolution_forward_primitive_desc_create(&to, d->engine, use, deconvolution_of(d), d->o.source,
                                                                d->o.weights, d->o.bias, d->o.destination, GEOMETRY,
                                                                d->attributes);
    return bad ? NULL : to;
}
static inline dnnl_primitive_desc_t describe_pooling(const asked *d) {
    dnnl_primitive_desc_t to = NULL;
    bool bad = dnnl_pooling_forward_primitive_desc_create(&to, d->engine, dnnl_forward_inference, d->pooling,
                                                          d->o.source, d->o.destination, d->g.stride, d->g.kernel,
                                                          d->g.dilation, d->g.before, d->g.after, d->attributes);
    return bad ? NULL : to;
}
static inline dnnl_primitive_desc_t describe_data_gradient(const asked *d, const_dnnl_primitive_desc_t hint) {
    dnnl_primitive_desc_t to = NULL;
    bool bad = dnnl_convolution_backward_data_primitive_desc_create(
        &to, d->engine, convolution_of(d), d->o.source, d->o.weights, d->o.destination, GEOMETRY, hint, d->attributes);
    return bad ? NULL : to;
}
static inline dnnl_primitive_desc_t describe_weights_gradient(const asked *d, const_dnnl_primitive_desc_t hint) {
    dnnl_primitive_desc_t to = NULL;
    bool bad = dnnl_convolution_backward_weights_primitive_desc_create(&to, d->engine, convolution_of(d), d->o.source,
                                                                       d->o.weights, d->o.bias, d->o.destination,
                                                                       GEOMETRY, hint, d->attributes);
    return bad ? NULL : to;
}
static inline dnnl_primitive_desc_t describe_deconvolution_weights_gradient(const asked *d,
                                                                            const_dnnl_primitive_desc_t hint) {
    dnnl_primitive_desc_t to = NULL;
    bool bad = dnnl_deconvolution_backward_weights_primitive_desc_create(
        &to, d->engine, deconvolution_of(d), d->o.source, d->o.weights, d->o.bias, d->o.destination, GEOMETRY, hint,
        d->attributes);
    return bad ? NULL : to;
}
#endif
#undef GEOMETRY

static inline bool append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t algorithm, float alpha, float beta) {
#if DNNL_VERSION_MAJOR < 3
    return !dnnl_post_ops_append_eltwise(ops, 1, algorithm, alpha, beta);
#else
    return !dnnl_post_ops_append_eltwise(ops, algorithm, alpha, beta);
#endif
}

static inline bool append_sum(dnnl_post_ops_t ops, float scale, int32_t zero_point) {
#if DNNL_VERSION_MAJOR < 3
    return !dnnl_post_ops_append_sum_v3(ops, scale, zero_point, dnnl_data_type_undef);
#else
    return !dnnl_post_ops_append_sum(ops, scale, zero_point, dnnl_data_type_undef);
#endif
}

/* One for all output channels, or one for each. */
static inline bool set_output_scales(dnnl_primitive_attr_t attributes, int64_t count, const float *scale) {
#if DNNL_VERSION_MAJOR < 3
    return !dnnl_primitive_attr_set_output_scales(attributes, count, count > 1 ? 1 << 1 : 0, scale);
#else
    return (void)attributes, (void)count, (void)scale, false; /* it adds the bias behind its scales */
#endif
}

#if DNNL_VERSION_MAJOR < 3
enum { WAYS = 1 << PEER_DIRECT | 1 << PEER_WINOGRAD, KNOWS_BYTES = 1 };
static const dnnl_cpu_isa_t EVERY_ISA = dnnl_cpu_isa_all;
#define HARD_SWISH_ALPHA 0 /* it knows no other */
#define HARD_SWISH_BETA 0
#else
enum { WAYS = 1 << PEER_DIRECT, KNOWS_BYTES = 0 };
static const dnnl_cpu_isa_t EVERY_ISA = dnnl_cpu_isa_default;
#define HARD_SWISH_ALPHA (1.0F / 6)
#define HARD_SWISH_BETA 0.5F
#endif

#endif
