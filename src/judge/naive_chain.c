/* The layers of a chain one after another. What one gives stays in long double, rounded only where it is stored in a
 * type that does not hold it; how far a kernel may be from it is what the next one is in doubt of. */
#include "judge/naive.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { PIECES = 64 };

static int64_t volume(const int64_t size[AXES]) { return size[AXIS_D] * size[AXIS_H] * size[AXIS_W]; }

/* What one layer gives. */
typedef struct handed_on {
    const cvk_spec *spec;
    const naive_tensors *tensors;
    long double *value;
    double *doubt; /* NULL: not asked for */
} handed_on;

static void run_piece(void *argument, size_t piece) {
    const handed_on *h = argument;
    const int64_t channels = naive_channels(h->spec), size = naive_channel_size(h->spec), p = (int64_t)piece;
    const int64_t first = channels * p / PIECES, last = channels * (p + 1) / PIECES;
    naive_range(h->spec, h->tensors, first, last, h->value + first * size, h->doubt ? h->doubt + first * size : NULL);
}

static void run_layer(handed_on *h, const cvk_parallel_for *threads) {
    if (threads)
        threads->loop(threads->context, PIECES, run_piece, h);
    else
        for (size_t i = 0; i < PIECES; i++) run_piece(h, i);
}

static const void *after(const void *tensor, cvk_type type, int64_t elements) {
    return tensor ? (const char *)tensor + elements * type_bytes(type) : NULL;
}

/* Of the layer after one: its own tensors, and what it takes of that one. */
static naive_tensors tensors_after(const cvk_spec *s, const naive_tensors *t, const handed_on *h) {
    return (naive_tensors){.weights = after(t->weights, s->weights_type, spec_weights_elements(s)),
                           .bias = after(t->bias, spec_sum_type(s), spec_bias_elements(s)),
                           .scale = after(t->scale, spec_sum_type(s), spec_scale_elements(s)),
                           .addend = t->addend,
                           .finer = h->value,
                           .doubt = h->doubt};
}

/* Of all layers but the last. */
static int64_t outputs_between(const cvk_spec *s) {
    int64_t outputs = 0;
    for (int i = 0; i + 1 < spec_link_count(s); i++) {
        const cvk_spec link = spec_link(s, i);
        outputs += link.batch * link.out_channels * volume(link.out_size);
    }
    return outputs;
}

bool naive_begin(const cvk_spec *s, const naive_tensors *t, bool bounds, const cvk_parallel_for *threads,
                 naive_last *last) {
    *last = (naive_last){.spec = *s, .tensors = *t};
    if (!spec_is_chain(s)) return true;
    const int64_t outputs = outputs_between(s);
    long double *value = last->memory = malloc((size_t)(outputs + 1) * (sizeof *value + sizeof(double)));
    if (!value) return false;
    double *doubt = bounds ? (double *)(value + outputs) : NULL;
    last->spec = spec_link(s, 0);
    for (int i = 0; i + 1 < spec_link_count(s); i++) {
        handed_on h = {.spec = &last->spec, .tensors = &last->tensors, .value = value, .doubt = doubt};
        run_layer(&h, threads);
        const int64_t more = last->spec.batch * last->spec.out_channels * volume(last->spec.out_size);
        last->tensors = tensors_after(&last->spec, &last->tensors, &h);
        last->spec = spec_link(s, i + 1);
        value += more;
        if (doubt) doubt += more;
    }
    return true;
}

void naive_end(naive_last *last) {
    free(last->memory);
    last->memory = NULL;
}
