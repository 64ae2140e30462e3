/* The naive interpreter.
 *
 * An output row is summed strip by strip. For each tap the outputs whose input lies inside form one run, which is added
 * for all input channels at once, eight outputs at a time; with a padding mode other than zeros, the outputs left and
 * right of the run find their input through the mode's index mapping, or read its constant. What is summed is finer
 * than what is judged: products of two f32, or of what is narrower, are exact in double, so only their additions round,
 * 2^29 times finer than those of the kernels; f64 is multiplied and added in long double, 2^11 times finer. */
#include "judge/naive.h"
#include "judge/bound.h"
#include "judge/eight.h"
#include "judge/hot.h"
#include "judge/naive_gradients.h"
#include "judge/naive_nan.h"
#include "judge/naive_weightless.h"
#include "judge/naive_finish.h"
#include "judge/post.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STRIP = 64 * EIGHT };
enum { ABSENT = -1 };
enum { TYPE_FINER = TYPES, TYPE_DOUBT }; /* what a layer of a chain hands to the next: long double; double */

_Static_assert(LDBL_MANT_DIG >= DBL_MANT_DIG + 11, "the judge of f64 needs a long double that is finer");

typedef int64_t integers __attribute__((vector_size(EIGHT * sizeof(int64_t))));

/* One output channel of one image. */
typedef struct channel {
    const cvk_spec *spec;
    const naive_tensors *tensors;
    int64_t n, oc;
    cvk_type sum;         /* what kernels sum in */
    int x_type;           /* of the input */
    const void *input;    /* of the first channel of the group */
    const void *weights;  /* of this output channel, from the group's first input channel on */
    int64_t next_weights; /* elements to those of the next input channel */
    bool integers;        /* all data that reach this channel are */
    double flushed;       /* what sums may lose of numbers next to 0 */
} channel;

/* Neighbouring outputs of one row: sums, and sums of the terms' magnitudes. */
typedef struct strip {
    int64_t od, oh, first, count;
    long double sum[STRIP], magnitude[STRIP];
} strip;

static const void *element(cvk_type type, const void *tensor, int64_t i) {
    return (const char *)tensor + i * type_bytes(type);
}

/* The same of what a layer may have from another. */
static const void *input_element(int type, const void *tensor, int64_t i) {
    if (type == TYPE_FINER) return (const long double *)tensor + i;
    if (type == TYPE_DOUBT) return (const double *)tensor + i;
    return element((cvk_type)type, tensor, i);
}

static int64_t volume(const int64_t size[AXES]) { return size[AXIS_D] * size[AXIS_H] * size[AXIS_W]; }

int64_t naive_channels(const cvk_spec *s) {
    return s->direction == DIRECTION_FORWARD ? s->batch * s->out_channels : naive_gradients(s);
}

int64_t naive_channel_size(const cvk_spec *s) { return s->direction == DIRECTION_FORWARD ? volume(s->out_size) : 1; }

static int64_t modulo(int64_t i, int64_t n) { return (i % n + n) % n; }

/* Where position i of a padded axis comes from. */
static int64_t mapped(padding_mode mode, int64_t i, int64_t size) {
    if (i >= 0 && i < size) return i;
    int64_t period;
    switch (mode) {
    case PAD_REPLICATE: return i < 0 ? 0 : size - 1;
    case PAD_CIRCULAR: return modulo(i, size);
    case PAD_SYMMETRIC: i = modulo(i, 2 * size); return i < size ? i : 2 * size - 1 - i;
    case PAD_REFLECT:
        period = size > 1 ? 2 * (size - 1) : 1;
        i = modulo(i, period);
        return i < size ? i : period - i;
    default: return ABSENT;
    }
}

/* Where output position o finds tap k on an axis, before padding is considered. */
static int64_t position(const cvk_spec *s, int axis, int64_t o, int64_t k) {
    return o * s->stride[axis] + k * s->dilation[axis] - s->pad_before[axis];
}

/* One tap of `count` outputs, over all channels: x and w are those of the first channel, the outputs' inputs lie
 * `stride` apart. */
typedef struct run {
    const cvk_spec *spec;
    int x_type;
    cvk_type w_type;
    const void *x, *w;
    int64_t stride, count, channels, next_x, next_w;
} run;

/* Eight inputs at a time, as far from what stands for 0 as they are, which is 0 itself but for integers. Those past
 * `count` repeat the last one: nothing outside the row is read, and what they add up to is dropped. */
#define ADD_RUN(x_format, w_format, x_bytes, w_bytes)                                                                  \
    HOT static void add_##x_format##_##w_format(const run *r, long double *sum, long double *magnitude) {              \
        static const int64_t same[EIGHT] = {0};                                                                        \
        const double x_zero = r->spec->input_zero, w_zero = r->spec->weights_zero;                                     \
        const integers all_but_sign = (integers){0} + INT64_MAX;                                                       \
        for (int64_t i = 0; i < r->count; i += EIGHT) {                                                                \
            int64_t lanes = r->count - i < EIGHT ? r->count - i : EIGHT, at[EIGHT];                                    \
            const bool beside = r->stride == 1 && lanes == EIGHT;                                                      \
            for (int64_t l = 0; l < EIGHT; l++) at[l] = (i + (l < lanes ? l : lanes - 1)) * r->stride;                 \
            const char *x = r->x, *w = r->w;                                                                           \
            doubles s = {0}, m = {0};                                                                                  \
            for (int64_t c = 0; c < r->channels; c++, x += r->next_x * (x_bytes), w += r->next_w * (w_bytes)) {        \
                floats inputs, weights;                                                                                \
                eight_##x_format(x, at, beside, &inputs);                                                              \
                eight_##w_format(w, same, false, &weights);                                                            \
                doubles product = (__builtin_convertvector(inputs, doubles) - x_zero) * ((double)weights[0] - w_zero); \
                s += product;                                                                                          \
                m += (doubles)((integers)product & all_but_sign);                                                      \
            }                                                                                                          \
            for (int64_t l = 0; l < lanes; l++) {                                                                      \
                sum[i + l] += s[l];                                                                                    \
                magnitude[i + l] += m[l];                                                                              \
            }                                                                                                          \
        }                                                                                                              \
    }
ADD_RUN(f32, f32, 4, 4)
ADD_RUN(f32, f16, 4, 2)
ADD_RUN(f32, bf16, 4, 2)
ADD_RUN(f16, f32, 2, 4)
ADD_RUN(f16, f16, 2, 2)
ADD_RUN(f16, bf16, 2, 2)
ADD_RUN(bf16, f32, 2, 4)
ADD_RUN(bf16, f16, 2, 2)
ADD_RUN(bf16, bf16, 2, 2)
ADD_RUN(u8, u8, 1, 1)
ADD_RUN(u8, s8, 1, 1)
ADD_RUN(s8, u8, 1, 1)
ADD_RUN(s8, s8, 1, 1)

static void add_f64(const run *r, long double *sum, long double *magnitude) {
    const double *x = r->x, *w = r->w;
    for (int64_t c = 0; c < r->channels; c++, x += r->next_x, w += r->next_w)
        for (int64_t i = 0; i < r->count; i++) {
            long double product = (long double)x[i * r->stride] * (long double)*w;
            sum[i] += product;
            magnitude[i] += fabsl(product);
        }
}

/* Of what an earlier layer of a chain gave. */
static void add_finer(const run *r, long double *sum, long double *magnitude) {
    const long double *x = r->x;
    const char *w = r->w;
    for (int64_t c = 0; c < r->channels; c++, x += r->next_x, w += r->next_w * type_bytes(r->w_type)) {
        const long double weight = type_read(r->w_type, w) - r->spec->weights_zero;
        for (int64_t i = 0; i < r->count; i++) {
            const long double product = (x[i * r->stride] - r->spec->input_zero) * weight;
            sum[i] += product;
            magnitude[i] += fabsl(product);
        }
    }
}

/* What is not sure of the inputs, each times its weight: a weight of 0 makes sure of all but infinities. */
static void add_doubt(const run *r, long double *sum, long double *magnitude) {
    const double *x = r->x;
    const char *w = r->w;
    (void)magnitude;
    for (int64_t c = 0; c < r->channels; c++, x += r->next_x, w += r->next_w * type_bytes(r->w_type)) {
        const long double weight = fabsl((long double)type_read(r->w_type, w) - r->spec->weights_zero);
        for (int64_t i = 0; i < r->count; i++)
            if (x[i * r->stride] != 0) sum[i] += isinf(x[i * r->stride]) ? INFINITY : x[i * r->stride] * weight;
    }
}

typedef void add_function(const run *, long double *, long double *);

static void add_run(const run *r, long double *sum, long double *magnitude) {
    static add_function *const ADD[TYPES][TYPES] = {
        [TYPE_F64] = {[TYPE_F64] = add_f64},
        [TYPE_U8] = {[TYPE_U8] = add_u8_u8, [TYPE_S8] = add_u8_s8},
        [TYPE_S8] = {[TYPE_U8] = add_s8_u8, [TYPE_S8] = add_s8_s8},
        [TYPE_F32] = {[TYPE_F32] = add_f32_f32, [TYPE_F16] = add_f32_f16, [TYPE_BF16] = add_f32_bf16},
        [TYPE_F16] = {[TYPE_F32] = add_f16_f32, [TYPE_F16] = add_f16_f16, [TYPE_BF16] = add_f16_bf16},
        [TYPE_BF16] = {[TYPE_F32] = add_bf16_f32, [TYPE_F16] = add_bf16_f16, [TYPE_BF16] = add_bf16_bf16},
    };
    if (r->x_type == TYPE_FINER)
        add_finer(r, sum, magnitude);
    else if (r->x_type == TYPE_DOUBT)
        add_doubt(r, sum, magnitude);
    else
        ADD[r->x_type][r->w_type](r, sum, magnitude);
}

static int64_t limit(int64_t x, int64_t lowest, int64_t highest) {
    return x < lowest ? lowest : x > highest ? highest : x;
}

/* The first output whose tap lies at input position `at` or after, for a tap that output 0 finds at `start`. */
static int64_t first_from(int64_t at, int64_t start, int64_t stride) {
    return at <= start ? 0 : (at - start + stride - 1) / stride;
}

/* A tap of outputs first <= i < last, all of which read the border's constant, in every channel. */
static void add_constant(const cvk_spec *s, strip *out, run r, int64_t first, int64_t last) {
    double number;
    type_write(s->input_type, &number, s->padding_constant);
    r.x = &number;
    r.stride = r.next_x = 0;
    r.count = last - first;
    add_run(&r, out->sum + first, out->magnitude + first);
}

/* A tap of outputs first <= i < last, each of which finds its input through the padding mode. */
static void add_mapped(const cvk_spec *s, strip *out, run r, int64_t start, int64_t first, int64_t last) {
    const void *row = r.x;
    if (s->padding == PAD_CONSTANT) {
        add_constant(s, out, r, first, last);
        return;
    }
    r.count = 1;
    for (int64_t i = first; i < last; i++) {
        r.x = input_element(r.x_type, row, mapped(s->padding, start + i * r.stride, s->in_size[AXIS_W]));
        add_run(&r, out->sum + i, out->magnitude + i);
    }
}

/* Tap kw of a strip; `r` points to the row of the input and to the weight. */
static void add_tap(const cvk_spec *s, strip *out, run r, int64_t kw) {
    int64_t start = position(s, AXIS_W, out->first, kw);
    int64_t begin = limit(first_from(0, start, r.stride), 0, out->count);
    int64_t end = limit(first_from(s->in_size[AXIS_W], start, r.stride), 0, out->count);
    if (s->padding != PAD_ZEROS) {
        add_mapped(s, out, r, start, 0, begin);
        add_mapped(s, out, r, start, end, out->count);
    }
    if (begin == end) return;
    r.x = input_element(r.x_type, r.x, start + begin * r.stride);
    r.count = end - begin;
    add_run(&r, out->sum + begin, out->magnitude + begin);
}

/* The weight of a tap; flipped kernels are read backwards on every axis. */
static const void *weight(const channel *c, int64_t kd, int64_t kh, int64_t kw) {
    const int64_t *kernel = c->spec->kernel;
    int64_t at = (kd * kernel[AXIS_H] + kh) * kernel[AXIS_W] + kw;
    return element(c->spec->weights_type, c->weights, c->spec->flip_kernel ? volume(kernel) - 1 - at : at);
}

/* All taps of row kd, kh, if that row is there, or a constant. */
static void add_row(const channel *c, strip *out, int64_t kd, int64_t kh) {
    const cvk_spec *s = c->spec;
    const int64_t *in = s->in_size;
    int64_t id = mapped(s->padding, position(s, AXIS_D, out->od, kd), in[AXIS_D]);
    int64_t ih = mapped(s->padding, position(s, AXIS_H, out->oh, kh), in[AXIS_H]);
    const bool absent = id == ABSENT || ih == ABSENT;
    if (absent && s->padding != PAD_CONSTANT) return;
    run r = {.spec = s, .x_type = c->x_type, .w_type = s->weights_type, .stride = s->stride[AXIS_W]};
    if (!absent) r.x = input_element(c->x_type, c->input, (id * in[AXIS_H] + ih) * in[AXIS_W]);
    r.channels = s->in_channels / s->groups;
    r.next_x = volume(in);
    r.next_w = c->next_weights;
    for (int64_t kw = 0; kw < s->kernel[AXIS_W]; kw++) {
        r.w = weight(c, kd, kh, kw);
        if (absent)
            add_constant(s, out, r, 0, out->count);
        else
            add_tap(s, out, r, kw);
    }
}

/* ---- transposed: input i reaches output i stride + k dilation - before by tap k ---- */

/* The input that reaches output o by tap k, or ABSENT. */
static int64_t reaching(const cvk_spec *s, int axis, int64_t o, int64_t k) {
    int64_t distance = o + s->pad_before[axis] - k * s->dilation[axis], i = distance / s->stride[axis];
    return distance < 0 || distance % s->stride[axis] != 0 || i >= s->in_size[axis] ? ABSENT : i;
}

/* Whether a border of what comes out is folded back to what it repeats. */
static bool folds(const cvk_spec *s) { return s->transposed && s->padding != PAD_ZEROS; }

/* The positions that are, or repeat, output o: the next from `from` on, past the end where there is none. */
static int64_t next_repeat(const cvk_spec *s, int axis, int64_t o, int64_t from) {
    const int64_t end = s->out_size[axis] + s->pad_after[axis];
    while (from < end && mapped(s->padding, from, s->out_size[axis]) != o) from++;
    return from;
}

/* All taps that reach one position, for output i of the strip. */
static void add_position(const channel *c, strip *out, int64_t i, const int64_t at[AXES]) {
    const cvk_spec *s = c->spec;
    const int64_t *in = s->in_size;
    int64_t k[AXES], from[AXES];
    run r = {.spec = s, .x_type = c->x_type, .w_type = s->weights_type, .stride = 1, .count = 1};
    r.channels = s->in_channels / s->groups;
    r.next_x = volume(in);
    r.next_w = c->next_weights;
    for (k[0] = 0; k[0] < s->kernel[0]; k[0]++)
        for (k[1] = 0; k[1] < s->kernel[1]; k[1]++)
            for (k[2] = 0; k[2] < s->kernel[2]; k[2]++) {
                bool there = true;
                for (int a = 0; a < AXES; a++) {
                    from[a] = reaching(s, a, at[a], k[a]);
                    there &= from[a] != ABSENT;
                }
                if (!there) continue;
                r.x = input_element(c->x_type, c->input, (from[0] * in[1] + from[1]) * in[2] + from[2]);
                r.w = weight(c, k[0], k[1], k[2]);
                add_run(&r, &out->sum[i], &out->magnitude[i]);
            }
}

/* Every output on its own. */
static void add_folded(const channel *c, strip *out) {
    const cvk_spec *s = c->spec;
    const int64_t first[AXES] = {-s->pad_before[0], -s->pad_before[1], -s->pad_before[2]};
    const int64_t *size = s->out_size, *after = s->pad_after;
    int64_t p[AXES];
    for (int64_t i = 0; i < out->count; i++) {
        const int64_t o[AXES] = {out->od, out->oh, out->first + i};
        for (p[0] = next_repeat(s, 0, o[0], first[0]); p[0] < size[0] + after[0];
             p[0] = next_repeat(s, 0, o[0], p[0] + 1))
            for (p[1] = next_repeat(s, 1, o[1], first[1]); p[1] < size[1] + after[1];
                 p[1] = next_repeat(s, 1, o[1], p[1] + 1))
                for (p[2] = next_repeat(s, 2, o[2], first[2]); p[2] < size[2] + after[2];
                     p[2] = next_repeat(s, 2, o[2], p[2] + 1))
                    add_position(c, out, i, p);
    }
}

/* Tap kw of a strip, at every stride-th of its outputs; they are summed side by side first. */
static void spread_tap(const cvk_spec *s, strip *out, run r, int64_t kw) {
    long double sum[STRIP], magnitude[STRIP];
    int64_t step = s->stride[AXIS_W], first = 0;
    while (first < out->count && reaching(s, AXIS_W, out->first + first, kw) == ABSENT) first++;
    for (r.count = 0; first + r.count * step < out->count; r.count++) {
        if (reaching(s, AXIS_W, out->first + first + r.count * step, kw) == ABSENT) break;
        sum[r.count] = magnitude[r.count] = 0;
    }
    if (r.count == 0) return;
    r.x = input_element(r.x_type, r.x, reaching(s, AXIS_W, out->first + first, kw));
    add_run(&r, sum, magnitude);
    for (int64_t i = 0; i < r.count; i++) {
        out->sum[first + i * step] += sum[i];
        out->magnitude[first + i * step] += magnitude[i];
    }
}

static void spread_row(const channel *c, strip *out, int64_t kd, int64_t kh) {
    const cvk_spec *s = c->spec;
    const int64_t *in = s->in_size;
    int64_t id = reaching(s, AXIS_D, out->od, kd), ih = reaching(s, AXIS_H, out->oh, kh);
    if (id == ABSENT || ih == ABSENT) return;
    run r = {.spec = s, .x_type = c->x_type, .w_type = s->weights_type, .stride = 1, .next_x = volume(in)};
    r.channels = s->in_channels / s->groups;
    r.x = input_element(c->x_type, c->input, (id * in[AXIS_H] + ih) * in[AXIS_W]);
    r.next_w = c->next_weights;
    for (int64_t kw = 0; kw < s->kernel[AXIS_W]; kw++) {
        r.w = weight(c, kd, kh, kw);
        spread_tap(s, out, r, kw);
    }
}

/* ---- a channel ---- */

/* The most taps of an axis that reach one output: those a stride apart do. */
static int64_t most_taps(const cvk_spec *s, int axis) {
    int64_t apart = 1;
    while (s->transposed && apart * s->dilation[axis] % s->stride[axis] != 0) apart++;
    return (s->kernel[axis] + apart - 1) / apart;
}

/* The most positions of an axis that one output stands for. */
static int64_t most_repeats(const cvk_spec *s, int axis) {
    if (!folds(s)) return 1;
    if (s->padding == PAD_REPLICATE) return 1 + s->pad_before[axis] + s->pad_after[axis];
    return 1 + (s->pad_before[axis] > 0) + (s->pad_after[axis] > 0);
}

static int64_t most_terms(const cvk_spec *s) {
    int64_t taps = 1;
    for (int a = 0; a < AXES; a++) taps *= most_taps(s, a) * most_repeats(s, a);
    return s->in_channels / s->groups * taps + s->bias;
}

static double number(cvk_type type, const void *tensor, int64_t i) { return type_read(type, element(type, tensor, i)); }

static void sum_strip(const channel *c, strip *out) {
    const cvk_spec *s = c->spec;
    double bias = s->bias ? number(c->sum, c->tensors->bias, c->oc) : 0;
    for (int64_t i = 0; i < out->count; i++) {
        out->sum[i] = bias;
        out->magnitude[i] = fabs(bias);
    }
    if (folds(s)) {
        add_folded(c, out);
        return;
    }
    for (int64_t kd = 0; kd < s->kernel[AXIS_D]; kd++)
        for (int64_t kh = 0; kh < s->kernel[AXIS_H]; kh++) (s->transposed ? spread_row : add_row)(c, out, kd, kh);
}

/* As kernels sum, which add a bias modulo 2^32. */
static long double wrapped(cvk_type sum, long double value) {
    return type_is_float(sum) ? value : (long double)(int32_t)(uint32_t)(int64_t)value;
}

/* Outputs that leave NaN out, one by one; the bias is added when they are reweighed. */
static void reweigh_strip(const channel *c, const strip *out, long double *output, double *bound) {
    const cvk_spec *s = c->spec;
    static const post_op add = {.kind = POST_ADD};
    const double bias = s->bias ? number(c->sum, c->tensors->bias, c->oc) : 0;
    for (int64_t i = 0; i < out->count; i++) {
        const int64_t at[AXES] = {out->od, out->oh, out->first + i};
        output[i] = naive_without_nan(s, c->input, c->weights, at, bound ? &bound[i] : NULL);
        if (!s->bias) continue;
        if (bound) bound[i] = bound_post(c->sum, &add, bias, output[i], bound[i]);
        output[i] += bias;
    }
}

/* What the strip's sums inherit of the doubts in their inputs. */
static strip doubts_of(const channel *c, const strip *of) {
    cvk_spec bare = *c->spec;
    channel doubted = *c;
    strip doubts = {.od = of->od, .oh = of->oh, .first = of->first, .count = of->count};
    const int64_t before = (const long double *)c->input - c->tensors->finer;
    bare.bias = false;
    doubted.spec = &bare, doubted.x_type = TYPE_DOUBT, doubted.input = c->tensors->doubt + before;
    sum_strip(&doubted, &doubts);
    return doubts;
}

static void run_strip(const channel *c, strip *out, long double *output, double *bound) {
    const cvk_spec *s = c->spec;
    int64_t terms = most_terms(s);
    int64_t at = (out->od * s->out_size[AXIS_H] + out->oh) * s->out_size[AXIS_W] + out->first;
    const double *rounding = c->tensors->rounding;
    if (rounding) rounding += (c->n * s->out_channels + c->oc) * naive_channel_size(s);
    if (s->ignore_nan) {
        reweigh_strip(c, out, output + at, bound ? bound + at : NULL);
        for (int64_t i = 0; i < out->count; i++, at++)
            naive_finish(s, c->tensors, c->n, c->oc, at, &output[at], bound ? &bound[at] : NULL);
        return;
    }
    sum_strip(c, out);
    strip doubts = {.count = 0};
    if (bound && c->tensors->doubt) doubts = doubts_of(c, out);
    for (int64_t i = 0; i < out->count; i++, at++) {
        output[at] = wrapped(c->sum, out->sum[i]);
        const bool direct = !rounding || isnan(rounding[at]);
        const long double doubt = c->flushed + (doubts.count ? doubts.sum[i] : 0);
        if (bound)
            bound[at] = direct ? bound_inherited(c->sum, terms, out->magnitude[i], doubt, c->integers) : rounding[at];
        naive_finish(s, c->tensors, c->n, c->oc, at, &output[at], bound ? &bound[at] : NULL);
    }
}

static void run_channel(const channel *c, long double *output, double *bound) {
    const int64_t *size = c->spec->out_size;
    strip out;
    for (out.od = 0; out.od < size[AXIS_D]; out.od++)
        for (out.oh = 0; out.oh < size[AXIS_H]; out.oh++)
            for (out.first = 0; out.first < size[AXIS_W]; out.first += STRIP) {
                out.count = limit(size[AXIS_W] - out.first, 0, STRIP);
                run_strip(c, &out, output, bound);
            }
}

/* Where the weights of an output channel begin, and how far those of its input channels are apart. */
static void find_weights(channel *c) {
    const cvk_spec *s = c->spec;
    int64_t group_in = s->in_channels / s->groups, group_out = s->out_channels / s->groups, taps = volume(s->kernel);
    int64_t filter = c->oc * group_in;
    if (s->transposed) filter = c->oc / group_out * group_in * group_out + c->oc % group_out;
    c->weights = element(s->weights_type, c->tensors->weights, filter * taps);
    c->next_weights = s->transposed ? group_out * taps : taps;
}

static bool all_integers(cvk_type type, const void *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        const double value = type_read(type, element(type, x, i));
        if (!(trunc(value) == value)) return false;
    }
    return true;
}

static bool has_integer_input(const channel *c, int64_t n) {
    const long double *x = c->input;
    bool all = true;
    if (c->x_type != TYPE_FINER) return all_integers((cvk_type)c->x_type, c->input, n);
    for (int64_t i = 0; i < n && all; i++) all = truncl(x[i]) == x[i];
    return all;
}

static bool has_integer_weights(const channel *c) {
    const cvk_spec *s = c->spec;
    for (int64_t i = 0; i < s->in_channels / s->groups; i++)
        if (!all_integers(s->weights_type, element(s->weights_type, c->weights, i * c->next_weights),
                          volume(s->kernel)))
            return false;
    return true;
}

/* Numbers of another layer are as small as any. */
static extent input_extent(const channel *c, int64_t n) {
    const long double *x = c->input;
    if (c->x_type != TYPE_FINER) return extent_of((cvk_type)c->x_type, c->input, n);
    extent e = {0, true};
    for (int64_t i = 0; i < n; i++) e.most = fmax(e.most, (double)fabsl(x[i]));
    return e;
}

static extent weights_extent(const channel *c) {
    const cvk_spec *s = c->spec;
    extent all = {0, false};
    for (int64_t i = 0; i < s->in_channels / s->groups; i++) {
        const extent e =
            extent_of(s->weights_type, element(s->weights_type, c->weights, i * c->next_weights), volume(s->kernel));
        all = (extent){fmax(all.most, e.most), all.small || e.small};
    }
    return all;
}

void naive_range(const cvk_spec *s, const naive_tensors *t, int64_t first, int64_t last, long double *output,
                 double *bound) {
    if (s->direction != DIRECTION_FORWARD) {
        naive_gradients_range(s, t, first, last, output, bound);
        return;
    }
    if (!spec_weighs(s)) {
        naive_weightless_range(s, t, first, last, output, bound);
        return;
    }
    int64_t group_in = s->in_channels / s->groups, group_out = s->out_channels / s->groups;
    int64_t input_size = group_in * volume(s->in_size);
    bool input_integers = false;
    extent inputs = {0, false};
    const double constant = fabs(s->padding_constant);
    for (int64_t i = first; i < last; i++) {
        channel c = {.spec = s, .tensors = t, .n = i / s->out_channels, .oc = i % s->out_channels};
        c.sum = spec_sum_type(s);
        c.x_type = t->finer ? TYPE_FINER : (int)s->input_type;
        c.input = input_element(c.x_type, t->finer ? (const void *)t->finer : t->input,
                                (c.n * s->groups + c.oc / group_out) * input_size);
        find_weights(&c);
        if (bound) {
            if (i == first || c.oc % group_out == 0) {
                input_integers = has_integer_input(&c, input_size);
                inputs = input_extent(&c, input_size);
                inputs = (extent){fmax(inputs.most, constant), inputs.small || (constant > 0 && constant < 0x1p-126)};
            }
            c.integers = input_integers && trunc(s->padding_constant) == s->padding_constant &&
                         has_integer_weights(&c) && (!s->bias || all_integers(c.sum, element(c.sum, t->bias, c.oc), 1));
            if (!c.integers) c.flushed = bound_flushed(s, most_terms(s), inputs, weights_extent(&c));
        }
        int64_t at = (i - first) * naive_channel_size(s);
        run_channel(&c, output + at, bound ? bound + at : NULL);
    }
}

bool naive_run(const cvk_spec *s, const naive_tensors *t, long double *output, double *bound) {
    naive_last last;
    const bool good = naive_begin(s, t, bound != NULL, NULL, &last);
    if (good) naive_range(&last.spec, &last.tensors, 0, naive_channels(s), output, bound);
    naive_end(&last);
    return good;
}
