/* The permitted error of an f32 kernel, from rounding theory and from what the post-op functions promise. */
#include "judge/bound.h"
#include "judge/post.h"

#include <float.h>
#include <math.h>

#define UNIT_ROUNDOFF 0x1p-24  /* u of f32: half the distance from 1 to the next */
#define HALF_SMALLEST 0x1p-150 /* the most one rounding errs in the denormal range */
#define INTEGERS_EXACT 0x1p24  /* all integers up to here are f32 */

/* What a kernel's f32 post-op promises for an exact argument: |error| <= ulps · ulp(result), tails and denormal results
 * not excepted. Operations that IEEE rounds once are within half an ulp; hard_sigmoid and hard_swish round at each of
 * their steps; the functions that need exp, log or erf promise 4.
 *
 * `turn` is where the function turns from falling to rising, NAN if it never does: between turning points the
 * extremes over an interval are at its ends. */
typedef struct post_promise {
    double ulps, turn;
} post_promise;

static const post_promise promises[POST_KINDS] = {
    [POST_ADD] = {0.5, NAN},
    [POST_RELU] = {0, NAN},
    [POST_RELU6] = {0, NAN},
    [POST_LEAKY_RELU] = {0.5, 0},
    [POST_CLAMP] = {0, NAN},
    [POST_SIGMOID] = {4, NAN},
    [POST_TANH] = {4, NAN},
    [POST_SILU] = {4, -1.278464542761074},
    [POST_GELU] = {4, -0.7517915246935645},
    [POST_GELU_TANH] = {4, -0.7524614220710163},
    [POST_HARD_SWISH] = {4, -1.5},
    [POST_HARD_SIGMOID] = {4, NAN},
    [POST_ELU] = {4, NAN},
    [POST_SOFTPLUS] = {4, NAN},
    [POST_SCALE] = {0.5, NAN},
};

double bound_direct(int64_t terms, double magnitude, bool integers) {
    if (integers && magnitude < INTEGERS_EXACT) return 0;
    if (!isfinite(magnitude)) return 0; /* NaN and infinities come out as IEEE says */
    double error = (double)(terms + 2) * (UNIT_ROUNDOFF * magnitude + HALF_SMALLEST);
    return magnitude + error > (double)FLT_MAX ? INFINITY : error;
}

/* The distance between neighbouring f32 around y. */
static double ulp(double y) {
    int exponent = y == 0 ? FLT_MIN_EXP - 1 : ilogb(y);
    if (exponent < FLT_MIN_EXP - 1) exponent = FLT_MIN_EXP - 1;
    return ldexp(1, exponent - (FLT_MANT_DIG - 1));
}

/* The farthest f gets from f(x) over x - error .. x + error. */
static double spread(const post_op *op, double operand, double x, double error) {
    double turn = promises[op->kind].turn, y = post_apply(op, operand, x);
    double low = fabs(post_apply(op, operand, x - error) - y), high = fabs(post_apply(op, operand, x + error) - y);
    double most = low > high ? low : high;
    if (fabs(turn - x) < error) most = fmax(most, fabs(post_apply(op, operand, turn) - y));
    return most;
}

/* Operations that IEEE rounds once are exact where the result is an f32. */
static bool is_exact(const post_promise *promise, double error, double y) {
    return promise->ulps <= 0.5 && error == 0 && (double)(float)y == y;
}

double bound_post(const post_op *op, double operand, double x, double error) {
    const post_promise *promise = &promises[op->kind];
    double y = post_apply(op, operand, x);
    if (isinf(error)) return error;
    if (!isfinite(y)) return 0;
    if (is_exact(promise, error, y)) return error;
    if (!isfinite(x)) error = 0;
    double moved = error == 0 ? 0 : spread(op, operand, x, error);
    error = moved + promise->ulps * ulp(fabs(y) + moved);
    return fabs(y) + error > (double)FLT_MAX ? INFINITY : error;
}

double bound_ratio(double expected, double bound, float got) {
    if (isinf(bound)) return 0;
    if (isnan(expected)) return isnan(got) ? 0 : INFINITY;
    if (isinf(expected)) return (double)got == expected ? 0 : INFINITY;
    double error = fabs((double)got - expected);
    if (error == 0) return 0;
    return isnan(got) ? INFINITY : error / bound;
}
