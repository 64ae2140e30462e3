/* Window by window, tap by tap. Padding is not there: neither does a maximum see it, nor does it add to a sum; an
 * average may count it. */
#include "judge/naive_pool.h"
#include "judge/bound.h"

#include <math.h>

/* What the taps of one window find. */
typedef struct window {
    long double sum, magnitude, greatest;
    int64_t taps, counted; /* that are there; that an average is over */
    int64_t number;        /* of the greatest */
    bool integers;
} window;

static bool replaces(long double x, const window *w) {
    if (w->taps == 0) return true;
    return !isnan(w->greatest) && (isnan(x) || x > w->greatest);
}

static void see(window *w, double x, int64_t number) {
    if (replaces(x, w)) w->greatest = x, w->number = number;
    w->sum += x;
    w->magnitude += fabs(x);
    w->integers &= trunc(x) == x;
    w->taps++;
}

static void see_tap(const cvk_spec *s, const void *input, const int64_t o[AXES], const int64_t k[AXES], window *w) {
    bool inside = true, padded = true;
    int64_t number = 0;
    for (int a = 0; a < AXES; a++) {
        const int64_t i = o[a] * s->stride[a] - s->pad_before[a] + k[a] * s->dilation[a];
        inside &= i >= 0 && i < s->in_size[a];
        padded &= i < s->in_size[a] + s->pad_after[a];
        number = number * s->in_size[a] + i;
    }
    w->counted += s->count_include_pad ? padded : inside;
    const cvk_type type = s->input_type;
    if (inside) see(w, type_read(type, (const char *)input + number * type_bytes(type)) - s->input_zero, number);
}

static window look_through(const cvk_spec *s, const void *input, const int64_t o[AXES]) {
    window w = {.integers = true};
    int64_t k[AXES];
    for (k[0] = 0; k[0] < s->kernel[0]; k[0]++)
        for (k[1] = 0; k[1] < s->kernel[1]; k[1]++)
            for (k[2] = 0; k[2] < s->kernel[2]; k[2]++) see_tap(s, input, o, k, &w);
    return w;
}

void naive_pool_channel(const cvk_spec *s, const void *input, long double *output, double *bound, int32_t *places) {
    const bool average = s->kind == LAYER_AVERAGE_POOL;
    int64_t o[AXES], at = 0;
    for (o[0] = 0; o[0] < s->out_size[0]; o[0]++)
        for (o[1] = 0; o[1] < s->out_size[1]; o[1]++)
            for (o[2] = 0; o[2] < s->out_size[2]; o[2]++, at++) {
                const window w = look_through(s, input, o);
                if (output) output[at] = average ? w.sum / (long double)w.counted : w.greatest;
                if (bound)
                    bound[at] =
                        average ? bound_mean(spec_sum_type(s), w.taps, w.sum, w.magnitude, w.counted, w.integers) : 0;
                if (places) places[at] = (int32_t)w.number;
            }
}
