/* What a layer does to its sums, as attributes of a oneDNN primitive: the multipliers and zero points of bytes, then
 * post-ops. A sum of oneDNN's is saturate(scale (sum + bias), post-ops, + zero point), rounded once, to nearest even.
 */
#ifndef CVK_BENCH_ONEDNN_ATTRIBUTES_H
#define CVK_BENCH_ONEDNN_ATTRIBUTES_H

#include "peers/onednn_versions.h"

static int adds(const peer_problem *s) {
    int count = 0;
    for (size_t i = 0; i < s->post_op_count; i++) count += s->post_ops[i].kind == CVK_POST_ADD;
    return count;
}

static bool gives_bytes(const peer_problem *s) { return peer_is_byte(s->output_dtype); }
static bool has_bytes(const peer_problem *s) { return peer_is_byte(s->input_dtype); }

/* Sums of bytes come out by a multiplier, unless they are what comes out. */
static bool is_scaled(const peer_problem *s) { return has_bytes(s) && !peer_is_pool(s) && s->output_dtype != CVK_S32; }

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

/* Multipliers of the addend lie behind those of the sums, and are alike. */
static bool add_addend(const peer_request *r, dnnl_post_ops_t ops) {
    const peer_problem *s = r->problem;
    if (!gives_bytes(s)) return append_sum(ops, 1, 0);
    const float *scale = r->data.scale;
    return append_sum(ops, scale[s->one_multiplier ? 1 : s->out_channels], s->addend_zero);
}

/* A zero point of the output leads to its reference implementation, an addition to its fast ones, which comes to the
 * same: of a number that is even, ties too. */
static bool adds_zero(const peer_problem *s) { return gives_bytes(s) && is_scaled(s) && s->output_zero % 2 == 0; }

static bool add_zero(const peer_problem *s, dnnl_post_ops_t ops) {
    return !adds_zero(s) || s->output_zero == 0 || append_eltwise(ops, dnnl_eltwise_linear, 1, (float)s->output_zero);
}

static bool add_post_ops(const peer_request *r, dnnl_primitive_attr_t attributes) {
    const peer_problem *s = r->problem;
    dnnl_post_ops_t ops;
    if (dnnl_post_ops_create(&ops)) return false;
    bool good = true;
    for (const cvk_post_op *op = s->post_ops; op < s->post_ops + s->post_op_count; op++)
        good = good && (op->kind == CVK_POST_ADD ? add_addend(r, ops) : add_eltwise(ops, op));
    good = good && add_zero(s, ops) && !dnnl_primitive_attr_set_post_ops(attributes, ops);
    dnnl_post_ops_destroy(ops);
    return good;
}

static bool add_zero_point(dnnl_primitive_attr_t attributes, int argument, int zero) {
    const int32_t point = zero;
    return !zero || !dnnl_primitive_attr_set_zero_points(attributes, argument, 1, 0, &point);
}

static bool add_attributes(const peer_request *r, dnnl_primitive_attr_t attributes) {
    const peer_problem *s = r->problem;
    const int64_t channels = s->one_multiplier ? 1 : s->out_channels;
    if (!add_post_ops(r, attributes)) return false;
    if (peer_is_pool(s) || !has_bytes(s)) return true;
    return (!is_scaled(s) || set_output_scales(attributes, channels, r->data.scale)) &&
           add_zero_point(attributes, DNNL_ARG_SRC, s->input_zero) &&
           add_zero_point(attributes, DNNL_ARG_DST, gives_bytes(s) && !adds_zero(s) ? s->output_zero : 0);
}

#endif
