/* Window by window, tap by tap. Padding is not there: neither does a maximum see it, nor does it add to a sum; an
 * average may count it. */
#include "judge/naive_pool.h"
#include "judge/bound.h"

#include <math.h>

/* What the taps of one window find. */
typedef struct window {
    long double sum, magnitude, greatest;
    long double doubt, most_doubt; /* of the inputs, all together and at most */
    int64_t taps, counted;         /* that are there; that an average is over */
    int64_t number;                /* of the greatest */
    bool integers;
} window;

static bool replaces(long double x, const window *w) {
    if (w->taps == 0) return true;
    return !isnan(w->greatest) && (isnan(x) || x > w->greatest);
}

static void see(window *w, long double x, int64_t number, double doubt) {
    if (replaces(x, w)) w->greatest = x, w->number = number;
    w->sum += x;
    w->magnitude += fabsl(x);
    w->doubt += doubt;
    if (doubt > w->most_doubt) w->most_doubt = doubt;
    w->integers &= truncl(x) == x;
    w->taps++;
}

static long double read_input(const cvk_spec *s, const naive_map *input, int64_t i) {
    if (input->finer) return input->finer[i];
    return type_read(s->input_type, (const char *)input->values + i * type_bytes(s->input_type)) - s->input_zero;
}

static void see_tap(const cvk_spec *s, const naive_map *input, const int64_t o[AXES], const int64_t k[AXES],
                    window *w) {
    bool inside = true, padded = true;
    int64_t number = 0;
    for (int a = 0; a < AXES; a++) {
        const int64_t i = o[a] * s->stride[a] - s->pad_before[a] + k[a] * s->dilation[a];
        inside &= i >= 0 && i < s->in_size[a];
        padded &= i < s->in_size[a] + s->pad_after[a];
        number = number * s->in_size[a] + i;
    }
    w->counted += s->count_include_pad ? padded : inside;
    if (inside) see(w, read_input(s, input, number), number, input->doubt ? input->doubt[number] : 0);
}

static window look_through(const cvk_spec *s, const naive_map *input, const int64_t o[AXES]) {
    window w = {.integers = true};
    int64_t k[AXES];
    for (k[0] = 0; k[0] < s->kernel[0]; k[0]++)
        for (k[1] = 0; k[1] < s->kernel[1]; k[1]++)
            for (k[2] = 0; k[2] < s->kernel[2]; k[2]++) see_tap(s, input, o, k, &w);
    return w;
}

/* Doubts are a part of the magnitudes, and each moves the mean by its share. */
static double bound_of_mean(const cvk_spec *s, const window *w) {
    if (isinf(w->doubt)) return INFINITY;
    const long double magnitude = w->magnitude + w->doubt;
    const bool integers = w->integers && w->doubt == 0;
    return bound_mean(spec_sum_type(s), w->taps, w->sum, magnitude, w->counted, integers) +
           (double)(w->doubt / (long double)w->counted);
}

void naive_pool_channel(const cvk_spec *s, const naive_map *input, long double *output, double *bound,
                        int32_t *places) {
    const bool average = s->kind == LAYER_AVERAGE_POOL;
    int64_t o[AXES], at = 0;
    for (o[0] = 0; o[0] < s->out_size[0]; o[0]++)
        for (o[1] = 0; o[1] < s->out_size[1]; o[1]++)
            for (o[2] = 0; o[2] < s->out_size[2]; o[2]++, at++) {
                const window w = look_through(s, input, o);
                if (output) output[at] = average ? w.sum / (long double)w.counted : w.greatest;
                if (bound) bound[at] = average ? bound_of_mean(s, &w) : (double)w.most_doubt;
                if (places) places[at] = (int32_t)w.number;
            }
}
