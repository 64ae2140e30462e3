/* The permitted error of a kernel, from rounding theory and from what the post-op functions promise. */
#include "judge/bound.h"
#include "judge/post.h"

#include <float.h>
#include <math.h>

/* What a kernel's post-op promises for an exact argument: |error| <= ulps · ulp(result), tails and denormal results
 * not excepted. Operations that IEEE rounds once are within half an ulp; hard_sigmoid and hard_swish round at each of
 * their steps; functions that nests call keep the promises of nest/math.def.
 *
 * A blend rounds 1 - a, two products and their sum, each by half an ulp at most; its ulps are those of the largest of
 * them, since the two may cancel.
 *
 * `turn` is where the function turns from falling to rising, NAN if it never does: between turning points the
 * extremes over an interval are at its ends. */
typedef struct post_promise {
    double ulps, turn;
} post_promise;

enum {
#define NEST_MATH(name, word, ulp, formula) ULP_##name = ulp,
#include "nest/math.def"
#undef NEST_MATH
    ULP_HARD = 4,
    ULP_BLEND = 2
};

static const post_promise promises[POST_KINDS] = {
    [POST_ADD] = {0.5, NAN},
    [POST_RELU] = {0, NAN},
    [POST_RELU6] = {0, NAN},
    [POST_LEAKY_RELU] = {0.5, 0},
    [POST_CLAMP] = {0, NAN},
    [POST_SIGMOID] = {ULP_SIGMOID, NAN},
    [POST_TANH] = {ULP_TANH, NAN},
    [POST_SILU] = {ULP_SILU, -1.278464542761074},
    [POST_GELU] = {ULP_GELU, -0.7517915246935645},
    [POST_GELU_TANH] = {ULP_GELU_TANH, -0.7524614220710163},
    [POST_HARD_SWISH] = {ULP_HARD, -1.5},
    [POST_HARD_SIGMOID] = {ULP_HARD, NAN},
    [POST_ELU] = {ULP_ELU, NAN},
    [POST_SOFTPLUS] = {ULP_SOFTPLUS, NAN},
    [POST_SCALE] = {0.5, NAN},
    [POST_SHIFT] = {0.5, NAN},
    [POST_MULTIPLY] = {0.5, NAN},
    [POST_GATE] = {0.5, NAN},
    [POST_BLEND] = {ULP_BLEND, NAN},
    [POST_TIMES] = {0.5, NAN},
    [POST_PLUS] = {0.5, NAN},
};

double bound_direct(cvk_type type, int64_t terms, long double magnitude, bool integers) {
    const double u = type_rows[type].unit_roundoff;
    if (integers && magnitude < 1 / u) return 0;                /* all integers below are numbers of the type */
    if (!isfinite(magnitude)) return 0;                         /* NaN and infinities come out as IEEE says */
    const long double half_smallest = type_ulp(type, 0) / 2.0L; /* the most one rounding errs in the denormal range */
    long double error = (long double)(terms + 2) * (u * magnitude + half_smallest);
    return magnitude + error > type_greatest(type) ? INFINITY : (double)error;
}

double bound_inherited(cvk_type type, int64_t terms, long double magnitude, long double doubt, bool integers) {
    if (doubt == 0) return bound_direct(type, terms, magnitude, integers);
    if (!isfinite(doubt)) return INFINITY;
    if (!isfinite(magnitude)) return 0;
    return bound_direct(type, terms, magnitude + doubt, false) + (double)doubt;
}

static const double LEAST_NORMAL = 0x1p-126;

extent extent_of(cvk_type type, const void *x, int64_t n) {
    extent e = {0, false};
    for (int64_t i = 0; i < n; i++) {
        const double size = fabs(type_read(type, (const char *)x + i * type_bytes(type)));
        e.most = fmax(e.most, size);
        e.small |= size > 0 && size < LEAST_NORMAL;
    }
    return e;
}

double bound_flushed(const cvk_spec *s, int64_t terms, extent x, extent w) {
    const double factors = (x.small ? w.most : 0) + (w.small ? x.most : 0);
    if (s->input_type != TYPE_BF16 || s->accuracy == ACCURACY_STRICT) return 0;
    return LEAST_NORMAL * ((double)(terms + 2) + (double)terms * factors);
}

double bound_mean(cvk_type type, int64_t terms, long double sum, long double magnitude, int64_t counted,
                  bool integers) {
    const double u = type_rows[type].unit_roundoff;
    const long double mean = sum / (long double)counted, half_smallest = type_ulp(type, 0) / 2.0L;
    if (!isfinite(magnitude)) return 0;
    if (integers && magnitude < 1 / u)
        return type_round(type, (double)mean) == mean ? 0 : type_ulp(type, (double)mean) / 2 * (1 + 0x1p-40);
    const long double terms_u = (long double)(terms + 1) * u;
    if (magnitude * (1 + terms_u) > type_greatest(type)) return INFINITY;
    return (double)(terms_u * magnitude / (long double)counted + half_smallest);
}

/* The farthest quotient is that of the largest numerator by the smallest denominator. */
double bound_reweighed(cvk_type type, estimate numbers, estimate all, estimate met, bool left_out) {
    const long double u = type_rows[type].unit_roundoff, least = fabsl(met.value) - met.error;
    if (!left_out) return fabsl(all.value) > all.error ? numbers.error : INFINITY;
    if (met.value == 0 && met.error == 0) return 0;
    if (!(least > 0)) return INFINITY;
    const long double exact = fabsl(numbers.value * all.value / met.value);
    const long double most =
        (fabsl(numbers.value) + numbers.error) * (fabsl(all.value) + all.error) / least * (1 + u) * (1 + u);
    if (!(most <= type_greatest(type))) return INFINITY;
    return (double)(most - exact + 2 * u * most) + 2 * type_ulp(type, 0);
}

double bound_weighed(cvk_type type, int axes, long double magnitude) {
    const long double u = type_rows[type].unit_roundoff, relative = (3 * axes + 1) * u;
    if (axes == 0 || !isfinite(magnitude)) return 0;
    if (magnitude * (1 + relative) > type_greatest(type)) return INFINITY;
    return (double)(relative * magnitude + (3 << axes) * (long double)type_ulp(type, 0));
}

double bound_normalised(cvk_type type, int64_t chain, long double x, const spread_about *set) {
    const long double u = type_rows[type].unit_roundoff, tiny = type_ulp(type, 0) / 2.0L,
                      greatest = type_greatest(type);
    const long double v = set->variance, w = v + (long double)set->epsilon, k = (long double)(chain + 8) * u;
    if (!isfinite(set->mean) || !isfinite(v)) return 0;
    const long double root = sqrtl(set->mean * set->mean + v), d = k * root + tiny;
    if (2 * root * (long double)set->count > greatest || 4 * v * (long double)set->count > greatest) return INFINITY;
    const long double moved = k * v + 4 * d * sqrtl(v) + 4 * d * d + 2 * u * w + tiny * (long double)set->count;
    if (moved >= w) return INFINITY;
    const long double inverse = 1 / sqrtl(w), most = (1 + 4 * u) / sqrtl(w - moved), from = fabsl(x - set->mean);
    return (double)(from * (most - inverse) + most * (d + u * (from + d)) + u * (from + d) * most + tiny);
}

double bound_share(cvk_type type, int64_t count, long double below, long double mean_below, long double y) {
    const long double u = type_rows[type].unit_roundoff, tiny = type_ulp(type, 0);
    if (isnan(y)) return 0;
    if (isinf(below)) return 0;
    const long double relative = (fabsl(below) + mean_below + 4 * ULP_DECAY + (long double)(count + 3)) * u;
    return (double)(y * relative * (1 + relative) + (ULP_DECAY + 1) * tiny);
}

/* The farthest f gets from f(x) over x - error .. x + error. */
static double spread(const post_op *op, long double operand, long double x, double error) {
    const double turn = promises[op->kind].turn;
    const long double y = post_apply(op, operand, x);
    long double low = fabsl(post_apply(op, operand, x - error) - y);
    long double high = fabsl(post_apply(op, operand, x + error) - y), most = low > high ? low : high;
    if (fabsl(turn - x) < error) most = fmaxl(most, fabsl(post_apply(op, operand, turn) - y));
    return (double)most;
}

/* Operations that IEEE rounds once are exact where the result is a number of the type. */
static bool is_exact(cvk_type type, const post_promise *promise, double error, long double y) {
    return promise->ulps <= 0.5 && error == 0 && type_round(type, (double)y) == y;
}

/* So many units in the last place about y. Half of the least f64 is no double: the least one stands for it. */
static double rounding(cvk_type type, double ulps, double y) {
    const double error = ulps * type_ulp(type, y);
    return ulps > 0 && error == 0 ? DBL_TRUE_MIN : error;
}

/* Of the numbers that a step rounds. */
static long double largest(const post_op *op, long double operand, long double x, long double y) {
    if (op->kind != POST_BLEND) return fabsl(y);
    return fmaxl(fabsl(y), fmaxl(fabsl(x), fabsl((long double)op->a * operand)));
}

double bound_post(cvk_type type, const post_op *op, long double operand, long double x, double error) {
    const post_promise *promise = &promises[op->kind];
    const long double y = post_apply(op, operand, x);
    if (isinf(error)) return error;
    if (!isfinite(y)) return 0;
    if (is_exact(type, promise, error, y)) return error;
    if (!isfinite(x)) error = 0;
    double moved = error == 0 ? 0 : spread(op, operand, x, error);
    error = moved + rounding(type, promise->ulps, (double)largest(op, operand, x, y) + moved);
    return fabsl(y) + error > type_greatest(type) ? INFINITY : error;
}

/* From where on a type rounds to infinity: half a unit beyond the greatest number. */
static double overflow_of(cvk_type type) { return type_greatest(type) + type_ulp(type, type_greatest(type)) / 2; }

void bound_store(cvk_type sum, cvk_type type, long double *value, double *error) {
    if (sum == type || isinf(*error) || !isfinite(*value)) return;
    const long double size = fabsl(*value);
    if (*error == 0) {
        *value = type_round(type, (double)*value);
    } else if (size - *error >= overflow_of(type)) {
        *value = copysignl(INFINITY, *value);
        *error = 0;
    } else if (size + *error >= overflow_of(type)) {
        *error = INFINITY;
    } else {
        *error += type_ulp(type, (double)size + *error) / 2;
    }
}

double bound_ratio(long double expected, double bound, double got) {
    if (isinf(bound)) return 0;
    if (isnan(expected)) return isnan(got) ? 0 : INFINITY;
    if (isinf(expected)) return got == expected ? 0 : INFINITY;
    long double error = fabsl(got - expected);
    if (error == 0) return 0;
    return isnan(got) ? INFINITY : (double)(error / bound);
}

void verdict_worsen(verdict *v, const verdict *by) {
    if (by->ratio > v->ratio) v->ratio = by->ratio;
    if (by->error > v->error) v->error = by->error;
}

int64_t bound_judge(cvk_type type, int64_t count, const long double *expected, const double *bound, const void *got,
                    verdict *v) {
    int64_t wrong = -1;
    for (int64_t i = 0; i < count; i++) {
        double value = type_read(type, (const char *)got + i * type_bytes(type));
        double ratio = bound_ratio(expected[i], bound[i], value), error = (double)fabsl(value - expected[i]);
        if (ratio > 0) verdict_worsen(v, &(verdict){isnan(error) ? INFINITY : error, ratio});
        if (ratio > 1 && wrong < 0) wrong = i;
    }
    return wrong;
}
