/* The forward formula says which input and which output a weight connects; its gradient is the sum, over all of them,
 * of the input times the gradient of the output. The bias' is the sum of the gradients of its channel. */
#include "judge/naive_gradients.h"
#include "judge/bound.h"
#include "judge/eight.h"
#include "judge/post.h"

#include <math.h>

enum { ABSENT = -1 };

static int64_t volume(const int64_t size[AXES]) { return size[AXIS_D] * size[AXIS_H] * size[AXIS_W]; }

static int64_t weights_of(const cvk_spec *s) {
    return s->in_channels / s->groups * s->out_channels * volume(s->kernel);
}

int64_t naive_gradients(const cvk_spec *s) { return weights_of(s) + (s->bias ? s->out_channels : 0); }

static int64_t modulo(int64_t i, int64_t n) { return (i % n + n) % n; }

/* Where a border's position comes from. */
static int64_t inside(padding_mode mode, int64_t i, int64_t n) {
    if (i >= 0 && i < n) return i;
    if (mode == PAD_ZEROS || mode == PAD_CONSTANT) return ABSENT;
    if (mode == PAD_REPLICATE) return i < 0 ? 0 : n - 1;
    if (mode == PAD_CIRCULAR) return modulo(i, n);
    const int64_t period = mode == PAD_SYMMETRIC ? 2 * n : n > 1 ? 2 * n - 2 : 1, at = modulo(i, period);
    return at < n ? at : mode == PAD_SYMMETRIC ? period - 1 - at : period - at;
}

/* One weight: input channel and output channel of all groups, tap. */
typedef struct weight {
    int64_t in, out, tap[AXES];
} weight;

static weight find_weight(const cvk_spec *s, int64_t index) {
    const int64_t group_in = s->in_channels / s->groups, group_out = s->out_channels / s->groups;
    weight w;
    int64_t tap = index % volume(s->kernel), filter = index / volume(s->kernel);
    if (s->flip_kernel) tap = volume(s->kernel) - 1 - tap;
    for (int a = AXES - 1; a >= 0; tap /= s->kernel[a--]) w.tap[a] = tap % s->kernel[a];
    if (s->transposed) {
        w.in = filter / group_out;
        w.out = w.in / group_in * group_out + filter % group_out;
    } else {
        w.out = filter / group_in;
        w.in = w.out / group_out * group_in + filter % group_in;
    }
    return w;
}

typedef struct sums {
    cvk_type counted, other; /* of the sides that taps are counted from, and of the other */
    long double sum, magnitude;
    int64_t terms;
} sums;

/* Pairs of an input and a gradient, evenly spaced in both. */
typedef struct row {
    const void *x, *g;
    int64_t next_x, next_g, count;
} row;

/* An element, as a f32. */
static inline float element_f32(cvk_type type, const void *x, int64_t i) {
    const int64_t at[EIGHT] = {i, i, i, i, i, i, i, i};
    floats same;
    (type == TYPE_F16 ? eight_f16 : type == TYPE_BF16 ? eight_bf16 : eight_f32)(x, at, false, &same);
    return same[0];
}

/* Products of two f32, or of what is narrower, are exact in double, and so much finer are their sums. */
static void add_f32(sums *to, const row *r) {
    double sum = 0, magnitude = 0;
    for (int64_t i = 0; i < r->count; i++) {
        const double product =
            (double)element_f32(to->other, r->x, i * r->next_x) * (double)element_f32(to->counted, r->g, i * r->next_g);
        sum += product;
        magnitude += fabs(product);
    }
    to->sum += sum;
    to->magnitude += magnitude;
}

static void add_f64(sums *to, const row *r) {
    const double *x = r->x, *g = r->g;
    for (int64_t i = 0; i < r->count; i++) {
        const long double product = (long double)x[i * r->next_x] * (long double)g[i * r->next_g];
        to->sum += product;
        to->magnitude += fabsl(product);
    }
}

static void add_row(sums *to, const row *r) { (to->other == TYPE_F64 ? add_f64 : add_f32)(to, r); }

/* A channel of an image. */
static const void *channel(cvk_type type, const void *tensor, int64_t number, const int64_t size[AXES]) {
    return (const char *)tensor + number * volume(size) * type_bytes(type);
}

static const void *element(cvk_type type, const void *tensor, int64_t i) {
    return (const char *)tensor + i * type_bytes(type);
}

/* One weight in one image: channels of the side that taps are counted from, and of the other. */
typedef struct planes {
    const cvk_spec *spec;
    const weight *w;
    const void *counted, *other;
    const int64_t *counted_size, *other_size;
} planes;

static int64_t other_at(const planes *p, int axis, int64_t at) {
    const cvk_spec *s = p->spec;
    return at * s->stride[axis] + p->w->tap[axis] * s->dilation[axis] - s->pad_before[axis];
}

static void add_between(const planes *p, sums *to, int64_t counted, int64_t other, int64_t count) {
    const void *x = element(to->other, p->other, other), *g = element(to->counted, p->counted, counted);
    row r = {x, g, p->spec->stride[AXIS_W], 1, count};
    if (count > 0) add_row(to, &r);
}

/* Gradients that meet the border's constant. */
static void add_constant(const planes *p, sums *to, int64_t counted, int64_t count) {
    double number;
    type_write(to->other, &number, p->spec->padding_constant);
    row r = {&number, element(to->counted, p->counted, counted), 0, 1, count};
    if (count > 0) add_row(to, &r);
}

/* Along a row: those inside together, those in a border one by one. */
static void add_columns(const planes *p, sums *to, int64_t counted, int64_t other) {
    const int64_t step = p->spec->stride[AXIS_W], start = other_at(p, AXIS_W, 0), size = p->other_size[AXIS_W];
    const int64_t columns = p->counted_size[AXIS_W];
    int64_t first = start >= 0 ? 0 : (-start + step - 1) / step,
            last = start >= size ? 0 : (size - 1 - start) / step + 1;
    if (last > columns) last = columns;
    if (first > last) first = last;
    add_between(p, to, counted + first, other + start + first * step, last - first);
    if (p->spec->padding == PAD_CONSTANT) {
        add_constant(p, to, counted, first);
        add_constant(p, to, counted + last, columns - last);
        return;
    }
    for (int64_t i = 0; i < columns && p->spec->padding != PAD_ZEROS; i++)
        if (i < first || i >= last)
            add_between(p, to, counted + i, other + inside(p->spec->padding, start + i * step, size), 1);
}

static void add_image(const planes *p, sums *to) {
    const int64_t *size = p->counted_size, *far = p->other_size;
    for (int64_t d = 0; d < size[AXIS_D]; d++)
        for (int64_t h = 0; h < size[AXIS_H]; h++) {
            const int64_t od = inside(p->spec->padding, other_at(p, AXIS_D, d), far[AXIS_D]);
            const int64_t oh = inside(p->spec->padding, other_at(p, AXIS_H, h), far[AXIS_H]);
            const int64_t counted = (d * size[AXIS_H] + h) * size[AXIS_W];
            if (od != ABSENT && oh != ABSENT)
                add_columns(p, to, counted, (od * far[AXIS_H] + oh) * far[AXIS_W]);
            else if (p->spec->padding == PAD_CONSTANT)
                add_constant(p, to, counted, size[AXIS_W]);
        }
}

static sums of_weight(const cvk_spec *s, const naive_tensors *t, int64_t index) {
    const weight w = find_weight(s, index);
    sums to = {.counted = s->transposed ? s->input_type : s->output_type,
               .other = s->transposed ? s->output_type : s->input_type,
               .terms = s->batch * volume(s->transposed ? s->in_size : s->out_size)};
    for (int64_t n = 0; n < s->batch; n++) {
        const void *x = channel(s->input_type, t->input, n * s->in_channels + w.in, s->in_size);
        const void *g = channel(s->output_type, t->weights, n * s->out_channels + w.out, s->out_size);
        const planes p = s->transposed ? (planes){s, &w, x, g, s->in_size, s->out_size}
                                       : (planes){s, &w, g, x, s->out_size, s->in_size};
        add_image(&p, &to);
    }
    return to;
}

static sums of_bias(const cvk_spec *s, const naive_tensors *t, int64_t channel) {
    const int64_t pixels = volume(s->out_size);
    sums to = {.terms = s->batch * pixels};
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t i = 0; i < pixels; i++) {
            const int64_t from = (n * s->out_channels + channel) * pixels + i;
            const long double g = type_read(s->output_type, element(s->output_type, t->weights, from));
            to.sum += g;
            to.magnitude += fabsl(g);
        }
    return to;
}

void naive_add_before(const cvk_spec *s, const naive_tensors *t, int64_t i, long double *value, double *bound) {
    static const post_op add = {.kind = POST_ADD};
    const cvk_type type = spec_result_type(s);
    const double before = type_read(type, (const char *)t->before + i * type_bytes(type));
    if (bound) *bound = bound_post(spec_sum_type(s), &add, before, *value, *bound);
    *value = post_apply(&add, before, *value);
}

static bool are_integers(cvk_type type, const void *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        const double value = type_read(type, (const char *)x + i * type_bytes(type));
        if (!(trunc(value) == value)) return false;
    }
    return true;
}

void naive_gradients_range(const cvk_spec *s, const naive_tensors *t, int64_t first, int64_t last, long double *output,
                           double *bound) {
    const cvk_type sum = spec_sum_type(s);
    const bool integers = bound && trunc(s->padding_constant) == s->padding_constant &&
                          are_integers(s->input_type, t->input, s->batch * s->in_channels * volume(s->in_size)) &&
                          are_integers(s->output_type, t->weights, s->batch * s->out_channels * volume(s->out_size));
    const extent x = extent_of(s->input_type, t->input, s->batch * s->in_channels * volume(s->in_size));
    const extent w = extent_of(s->output_type, t->weights, s->batch * s->out_channels * volume(s->out_size));
    for (int64_t i = first; i < last; i++) {
        const sums to = i < weights_of(s) ? of_weight(s, t, i) : of_bias(s, t, i - weights_of(s));
        output[i - first] = to.sum;
        if (bound)
            bound[i - first] =
                bound_inherited(sum, to.terms, to.magnitude, integers ? 0 : bound_flushed(s, to.terms, x, w), integers);
        if (s->accumulate) naive_add_before(s, t, i, &output[i - first], bound ? &bound[i - first] : NULL);
        if (bound) bound_store(sum, s->weights_type, &output[i - first], &bound[i - first]);
    }
}
