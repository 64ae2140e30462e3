/* Post-ops by their formulas, in double, written so that no range of x cancels or overflows where the formula's value
 * is an ordinary number: 1 + erf as erfc, 1 + tanh as a logistic function, log(1 + exp) from whichever side is small.
 * At infinities they are what IEEE makes of the formula: -Inf times 0 is NaN. */
#include "judge/post.h"

#include <math.h>

static double clamp(double x, double lowest, double highest) { return x < lowest ? lowest : x > highest ? highest : x; }

static double logistic(double x) { return 1 / (1 + exp(-x)); }

static double post_add(const post_op *op, double operand, double x) {
    (void)op;
    return x + operand;
}

static double post_scale(const post_op *op, double operand, double x) {
    (void)op;
    return x * operand;
}

static double post_relu(const post_op *op, double operand, double x) {
    (void)op, (void)operand;
    return x < 0 ? 0 : x;
}

static double post_relu6(const post_op *op, double operand, double x) {
    (void)op, (void)operand;
    return clamp(x, 0, 6);
}

static double post_leaky_relu(const post_op *op, double operand, double x) {
    (void)operand;
    return x < 0 ? (double)op->a * x : x;
}

static double post_clamp(const post_op *op, double operand, double x) {
    (void)operand;
    return clamp(x, (double)op->a, (double)op->b);
}

static double post_sigmoid(const post_op *op, double operand, double x) {
    (void)op, (void)operand;
    return logistic(x);
}

static double post_tanh(const post_op *op, double operand, double x) {
    (void)op, (void)operand;
    return tanh(x);
}

static double post_silu(const post_op *op, double operand, double x) {
    (void)op, (void)operand;
    return x * logistic(x);
}

static double post_gelu(const post_op *op, double operand, double x) {
    (void)op, (void)operand;
    return x * (erfc(-x / sqrt(2)) / 2);
}

static double post_gelu_tanh(const post_op *op, double operand, double x) {
    (void)op, (void)operand;
    double t = sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
    return x * logistic(2 * t);
}

static double post_hard_swish(const post_op *op, double operand, double x) {
    (void)op, (void)operand;
    return x * clamp(x + 3, 0, 6) / 6;
}

static double post_hard_sigmoid(const post_op *op, double operand, double x) {
    (void)op, (void)operand;
    return clamp(x + 3, 0, 6) / 6;
}

static double post_elu(const post_op *op, double operand, double x) {
    (void)op, (void)operand;
    return x < 0 ? expm1(x) : x;
}

static double post_softplus(const post_op *op, double operand, double x) {
    (void)op, (void)operand;
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

typedef double post_function(const post_op *op, double operand, double x);

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
};

double post_apply(const post_op *op, double operand, double x) { return functions[op->kind](op, operand, x); }
