/* Post-ops by their formulas, in long double, written so that no range of x cancels or overflows where the formula's
 * value is an ordinary number: 1 + erf as erfc, 1 + tanh as a logistic function, log(1 + exp) from whichever side is
 * small. At infinities they are what IEEE makes of the formula: -Inf times 0 is NaN. */
#include "judge/post.h"

#include <math.h>

#define PI 3.14159265358979323846264338327950288L

static long double clamp(long double x, long double lowest, long double highest) {
    return x < lowest ? lowest : x > highest ? highest : x;
}

static long double logistic(long double x) { return 1 / (1 + expl(-x)); }

static long double post_add(const post_op *op, long double operand, long double x) {
    (void)op;
    return x + operand;
}

static long double post_scale(const post_op *op, long double operand, long double x) {
    (void)op;
    return x * operand;
}

static long double post_blend(const post_op *op, long double operand, long double x) {
    return (1 - (long double)op->a) * x + (long double)op->a * operand;
}

static long double post_times(const post_op *op, long double operand, long double x) {
    (void)operand;
    return (long double)op->a * x;
}

static long double post_plus(const post_op *op, long double operand, long double x) {
    (void)operand;
    return x + (long double)op->a;
}

static long double post_relu(const post_op *op, long double operand, long double x) {
    (void)op, (void)operand;
    return x < 0 ? 0 : x;
}

static long double post_relu6(const post_op *op, long double operand, long double x) {
    (void)op, (void)operand;
    return clamp(x, 0, 6);
}

static long double post_leaky_relu(const post_op *op, long double operand, long double x) {
    (void)operand;
    return x < 0 ? (long double)op->a * x : x;
}

static long double post_clamp(const post_op *op, long double operand, long double x) {
    (void)operand;
    return clamp(x, (long double)op->a, (long double)op->b);
}

static long double post_sigmoid(const post_op *op, long double operand, long double x) {
    (void)op, (void)operand;
    return logistic(x);
}

static long double post_tanh(const post_op *op, long double operand, long double x) {
    (void)op, (void)operand;
    return tanhl(x);
}

static long double post_silu(const post_op *op, long double operand, long double x) {
    (void)op, (void)operand;
    return x * logistic(x);
}

static long double post_gelu(const post_op *op, long double operand, long double x) {
    (void)op, (void)operand;
    return x * (erfcl(-x / sqrtl(2)) / 2);
}

static long double post_gelu_tanh(const post_op *op, long double operand, long double x) {
    (void)op, (void)operand;
    long double t = sqrtl(2 / PI) * (x + 0.044715L * x * x * x);
    return x * logistic(2 * t);
}

static long double post_hard_swish(const post_op *op, long double operand, long double x) {
    (void)op, (void)operand;
    return x * clamp(x + 3, 0, 6) / 6;
}

static long double post_hard_sigmoid(const post_op *op, long double operand, long double x) {
    (void)op, (void)operand;
    return clamp(x + 3, 0, 6) / 6;
}

static long double post_elu(const post_op *op, long double operand, long double x) {
    (void)op, (void)operand;
    return x < 0 ? expm1l(x) : x;
}

static long double post_softplus(const post_op *op, long double operand, long double x) {
    (void)op, (void)operand;
    return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
}

typedef long double post_function(const post_op *op, long double operand, long double x);

static post_function *const functions[POST_KINDS] = {
    [POST_ADD] = post_add,
    [POST_RELU] = post_relu,
    [POST_RELU6] = post_relu6,
    [POST_LEAKY_RELU] = post_leaky_relu,
    [POST_CLAMP] = post_clamp,
    [POST_SIGMOID] = post_sigmoid,
    [POST_TANH] = post_tanh,
    [POST_SILU] = post_silu,
    [POST_GELU] = post_gelu,
    [POST_GELU_TANH] = post_gelu_tanh,
    [POST_HARD_SWISH] = post_hard_swish,
    [POST_HARD_SIGMOID] = post_hard_sigmoid,
    [POST_ELU] = post_elu,
    [POST_SOFTPLUS] = post_softplus,
    [POST_SCALE] = post_scale,
    [POST_SHIFT] = post_add,
    [POST_MULTIPLY] = post_scale,
    [POST_GATE] = post_scale,
    [POST_BLEND] = post_blend,
    [POST_TIMES] = post_times,
    [POST_PLUS] = post_plus,
};

long double post_apply(const post_op *op, long double operand, long double x) {
    return functions[op->kind](op, operand, x);
}
