/* Tap by tap: what stands in the input, or what the border reads there, and its weight. Zeros of padding are numbers.
 */
#include "judge/naive_nan.h"
#include "judge/bound.h"

#include <math.h>

/* What the taps of one output come to. */
typedef struct window {
    long double sum, magnitude; /* of the products with numbers */
    long double met, all;       /* of the weights of those, and of all */
    long double met_magnitude, all_magnitude;
    int64_t numbers, taps;
    bool integers;
} window;

static int64_t modulo(int64_t i, int64_t n) { return (i % n + n) % n; }

/* Position i of an axis of n, inside; -1: it reads a number that is not the input's. */
static int64_t inside(padding_mode mode, int64_t i, int64_t n) {
    if (i >= 0 && i < n) return i;
    if (mode == PAD_ZEROS || mode == PAD_CONSTANT) return -1;
    if (mode == PAD_REPLICATE) return i < 0 ? 0 : n - 1;
    if (mode == PAD_CIRCULAR) return modulo(i, n);
    const int64_t period = mode == PAD_SYMMETRIC ? 2 * n : n > 1 ? 2 * n - 2 : 1, at = modulo(i, period);
    return at < n ? at : mode == PAD_SYMMETRIC ? period - 1 - at : period - at;
}

static void see(window *w, long double x, long double weight) {
    w->all += weight;
    w->all_magnitude += fabsl(weight);
    w->taps++;
    w->integers &= truncl(weight) == weight;
    if (isnan(x)) return;
    w->sum += x * weight;
    w->magnitude += fabsl(x * weight);
    w->met += weight;
    w->met_magnitude += fabsl(weight);
    w->numbers++;
    w->integers &= truncl(x) == x;
}

static double element(cvk_type type, const void *tensor, int64_t i) {
    return type_read(type, (const char *)tensor + i * type_bytes(type));
}

/* A tap in all input channels of the group. */
static void see_tap(const cvk_spec *s, const void *input, const void *weights, const int64_t o[AXES],
                    const int64_t k[AXES], window *w) {
    int64_t at = 0, tap = 0, taps = 1, pixels = 1;
    bool outside = false;
    for (int a = 0; a < AXES; a++) {
        const int64_t i = o[a] * s->stride[a] + k[a] * s->dilation[a] - s->pad_before[a];
        const int64_t from = inside(s->padding, i, s->in_size[a]);
        outside |= from < 0;
        at = at * s->in_size[a] + from;
        tap = tap * s->kernel[a] + (s->flip_kernel ? s->kernel[a] - 1 - k[a] : k[a]);
        taps *= s->kernel[a];
        pixels *= s->in_size[a];
    }
    for (int64_t c = 0; c < s->in_channels / s->groups; c++)
        see(w, outside ? s->padding_constant : element(s->input_type, input, c * pixels + at),
            element(s->weights_type, weights, c * taps + tap));
}

static double bound_of(const cvk_spec *s, const window *w) {
    const cvk_type sum = type_of_sums(s->input_type);
    const estimate numbers = {w->sum, bound_direct(sum, w->taps, w->magnitude, w->integers)};
    const estimate all = {w->all, bound_direct(sum, w->taps, w->all_magnitude, w->integers)};
    const estimate met = {w->met, w->numbers ? bound_direct(sum, w->taps, w->met_magnitude, w->integers) : 0};
    return bound_reweighed(sum, numbers, all, met, w->numbers < w->taps);
}

long double naive_without_nan(const cvk_spec *s, const void *input, const void *weights, const int64_t output[AXES],
                              double *bound) {
    window w = {.integers = true};
    int64_t k[AXES];
    for (k[0] = 0; k[0] < s->kernel[0]; k[0]++)
        for (k[1] = 0; k[1] < s->kernel[1]; k[1]++)
            for (k[2] = 0; k[2] < s->kernel[2]; k[2]++) see_tap(s, input, weights, output, k, &w);
    if (bound) *bound = bound_of(s, &w);
    return w.sum * (w.all / w.met);
}
