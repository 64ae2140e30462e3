/* Does the naive interpreter compute what the language says? Against numbers from textbooks, and against a second
 * computation of small layers: the input is padded for real, with a mark on what is not there, and every output sums
 * its window. */
#include "judge/naive.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 1;

static int64_t draw(int64_t lowest, int64_t highest) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return lowest + (int64_t)((seed >> 33) % (uint64_t)(highest - lowest + 1));
}

/* The seed of a case is its number, so that it can be repeated alone: CVK_CASE=17 test_reference --filter naive/... */
static void cases(const char *test, int64_t n, void (*run)(const char *name)) {
    const char *only = getenv("CVK_CASE");
    for (int64_t i = only ? atoll(only) : 1; i <= (only ? atoll(only) : n); i++) {
        char name[96];
        snprintf(name, sizeof name, "repeat with: CVK_CASE=%lld test_reference --filter naive/%s", (long long)i, test);
        seed = (uint64_t)i * 0x9e3779b97f4a7c15u;
        run(name);
    }
}

static cvk_spec layer(int64_t height, int64_t width, int64_t kernel_height, int64_t kernel_width) {
    return (cvk_spec){
        .rank = 2,
        .batch = 1,
        .in_channels = 1,
        .out_channels = 1,
        .groups = 1,
        .in_size = {1, height, width},
        .kernel = {1, kernel_height, kernel_width},
        .stride = {1, 1, 1},
        .dilation = {1, 1, 1},
        .out_size = {1, height - kernel_height + 1, width - kernel_width + 1},
    };
}

static void expect(const cvk_spec *s, const float *x, const float *w, const float *expected) {
    const naive_tensors t = {.input = x, .weights = w};
    long double y[64];
    naive_run(s, &t, y, NULL);
    for (int64_t i = 0; i < naive_channel_size(s); i++)
        cr_assert(y[i] == (double)expected[i], "output %d is %Lg", (int)i, y[i]);
}

Test(naive, gives_the_textbooks_numbers) {
    cvk_spec same = layer(1, 6, 1, 3);
    same.pad_before[AXIS_W] = same.pad_after[AXIS_W] = 1;
    same.out_size[AXIS_W] = 6;
    const float gradient[] = {1, 0, -1, 1, 0, -1, 1, 0, -1};
    expect(&same, (const float[]){1, 2, 3, 4, 5, 6}, gradient, (const float[]){-2, -2, -2, -2, -2, 5});

    const cvk_spec valid = layer(6, 6, 3, 3);
    const float image[] = {3, 0, 1, 2, 7, 4, 1, 5, 8, 9, 3, 1, 2, 7, 2, 5, 1, 3,
                           0, 1, 3, 1, 7, 8, 4, 2, 1, 6, 2, 8, 2, 4, 5, 2, 3, 9};
    const float edges[] = {-5, -4, 0, 8, -10, -2, 2, 3, 0, -2, -4, -7, -3, -2, -3, -16};
    expect(&valid, image, gradient, edges);
}

Test(naive, flips_on_request) {
    cvk_spec s = layer(1, 5, 1, 2);
    s.flip_kernel = true;
    expect(&s, (const float[]){1, 2, 4, 8, 16}, (const float[]){1, 10}, (const float[]){12, 24, 48, 96});
}

/* A layer of random shape and its data, small integers. */
typedef struct random_layer {
    cvk_spec spec;
    float *input, *weights, *bias, *scale, *addend;
} random_layer;

static float *integers(int64_t n) {
    float *x = malloc((size_t)n * sizeof *x + 1);
    for (int64_t i = 0; i < n; i++) x[i] = (float)draw(-9, 9);
    return x;
}

static void draw_axis(cvk_spec *s, int axis) {
    s->in_size[axis] = draw(1, 9);
    s->kernel[axis] = draw(1, 4);
    s->stride[axis] = draw(1, 3);
    s->dilation[axis] = draw(1, 3);
    int64_t window = (s->kernel[axis] - 1) * s->dilation[axis] + 1, most = window + 2;
    if (s->padding == PAD_REFLECT && most >= s->in_size[axis]) most = s->in_size[axis] - 1;
    if (s->padding == PAD_CIRCULAR && most > s->in_size[axis]) most = s->in_size[axis];
    s->pad_before[axis] = draw(0, most);
    s->pad_after[axis] = draw(0, most);
    while (s->in_size[axis] + s->pad_before[axis] + s->pad_after[axis] < window) {
        s->in_size[axis]++;
    }
    int64_t room = s->in_size[axis] + s->pad_before[axis] + s->pad_after[axis] - window;
    s->out_size[axis] = room / s->stride[axis] + 1;
}

static random_layer draw_layer(void) {
    random_layer r;
    cvk_spec *s = &r.spec;
    *s = layer(1, 1, 1, 1);
    s->rank = (int)draw(1, 3);
    s->padding = (padding_mode)draw(PAD_ZEROS, PAD_CONSTANT);
    s->padding_constant = s->padding == PAD_CONSTANT ? (double)draw(-9, 9) : 0;
    s->batch = draw(0, 2);
    s->groups = draw(1, 3);
    s->in_channels = s->groups * draw(1, 3);
    s->out_channels = s->groups * draw(1, 3);
    s->bias = draw(0, 1);
    s->flip_kernel = draw(0, 3) == 0;
    for (int axis = AXES - s->rank; axis < AXES; axis++) draw_axis(s, axis);
    if (draw(0, 99) == 0) { /* wider than a strip */
        s->out_size[AXIS_W] += 1030;
        s->in_size[AXIS_W] += 1030 * s->stride[AXIS_W];
    }
    s->post_count = (int)draw(0, 4);
    const post_kind kinds[] = {POST_ADD, POST_SCALE, POST_RELU, POST_CLAMP};
    for (int i = 0; i < s->post_count; i++) s->post[i] = (post_op){kinds[draw(0, 3)], -20, 30};
    int64_t in = s->batch * s->in_channels, outputs = naive_channels(s) * naive_channel_size(s);
    int64_t taps = s->kernel[0] * s->kernel[1] * s->kernel[2];
    r.input = integers(in * s->in_size[0] * s->in_size[1] * s->in_size[2]);
    r.weights = integers(s->out_channels * (s->in_channels / s->groups) * taps);
    r.bias = integers(s->out_channels);
    r.scale = integers(s->out_channels * s->post_count);
    r.addend = integers(outputs * s->post_count);
    return r;
}

static void free_layer(random_layer *r) {
    free(r->input);
    free(r->weights);
    free(r->bias);
    free(r->scale);
    free(r->addend);
}

/* One step of the mode's rule after another, until the position lies inside; -1: there is nothing. */
static int64_t source(padding_mode mode, int64_t i, int64_t n) {
    while (i < 0 || i >= n) {
        if (mode == PAD_ZEROS || mode == PAD_CONSTANT) return -1;
        if (mode == PAD_REPLICATE) i = i < 0 ? i + 1 : i - 1;
        if (mode == PAD_CIRCULAR) i = i < 0 ? i + n : i - n;
        if (mode == PAD_SYMMETRIC) i = i < 0 ? -1 - i : 2 * n - 1 - i;
        if (mode == PAD_REFLECT) i = i < 0 ? -i : 2 * (n - 1) - i;
    }
    return i;
}

/* The padded size of an axis. */
static int64_t padded(const cvk_spec *s, int axis) {
    return s->pad_before[axis] + s->in_size[axis] + s->pad_after[axis];
}

/* One channel padded for real; NaN marks what is not there. */
static double *pad(const cvk_spec *s, const float *x) {
    const int64_t size[AXES] = {padded(s, 0), padded(s, 1), padded(s, 2)};
    double *p = malloc((size_t)(size[0] * size[1] * size[2]) * sizeof *p), *to = p;
    for (int64_t d = 0; d < size[0]; d++)
        for (int64_t h = 0; h < size[1]; h++)
            for (int64_t w = 0; w < size[2]; w++) {
                int64_t from[AXES] = {d, h, w}, at = 0;
                bool present = true;
                for (int a = 0; a < AXES; a++) {
                    from[a] = source(s->padding, from[a] - s->pad_before[a], s->in_size[a]);
                    present &= from[a] >= 0;
                    at = at * s->in_size[a] + from[a];
                }
                *to++ = present ? (double)x[at] : s->padding == PAD_CONSTANT ? s->padding_constant : (double)NAN;
            }
    return p;
}

/* The window of output `at` of a padded channel against a kernel. */
static double window(const cvk_spec *s, const double *p, const float *w, const int64_t at[AXES]) {
    int64_t taps = s->kernel[0] * s->kernel[1] * s->kernel[2];
    double sum = 0;
    for (int64_t tap = 0; tap < taps; tap++) {
        int64_t k[AXES] = {tap / (s->kernel[1] * s->kernel[2]), tap / s->kernel[2] % s->kernel[1], tap % s->kernel[2]};
        int64_t i = 0;
        for (int a = 0; a < AXES; a++) {
            int64_t step = s->flip_kernel ? s->kernel[a] - 1 - k[a] : k[a];
            i = i * padded(s, a) + at[a] * s->stride[a] + step * s->dilation[a];
        }
        if (!isnan(p[i])) sum += p[i] * (double)w[tap];
    }
    return sum;
}

static double post(const random_layer *r, double y, int64_t oc, int64_t output) {
    const cvk_spec *s = &r->spec;
    int64_t outputs = naive_channels(s) * naive_channel_size(s);
    const float *addend = r->addend + output, *scale = r->scale + oc;
    for (int i = 0; i < s->post_count; i++) {
        if (s->post[i].kind == POST_ADD) y += (double)*addend, addend += outputs;
        if (s->post[i].kind == POST_SCALE) y *= (double)*scale, scale += s->out_channels;
        if (s->post[i].kind == POST_RELU) y = fmax(y, 0);
        if (s->post[i].kind == POST_CLAMP) y = fmin(fmax(y, -20), 30);
    }
    return y;
}

/* All outputs of channel oc of image n, the second way. */
static void second_way(const random_layer *r, int64_t n, int64_t oc, double *y) {
    const cvk_spec *s = &r->spec;
    int64_t group_in = s->in_channels / s->groups, g = oc / (s->out_channels / s->groups);
    int64_t taps = s->kernel[0] * s->kernel[1] * s->kernel[2], size = naive_channel_size(s);
    int64_t in = s->in_size[0] * s->in_size[1] * s->in_size[2];
    for (int64_t i = 0; i < size; i++) y[i] = s->bias ? (double)r->bias[oc] : 0;
    for (int64_t ic = 0; ic < group_in; ic++) {
        double *p = pad(s, r->input + (n * s->in_channels + g * group_in + ic) * in);
        for (int64_t i = 0; i < size; i++) {
            int64_t at[AXES] = {i / (s->out_size[1] * s->out_size[2]), i / s->out_size[2] % s->out_size[1],
                                i % s->out_size[2]};
            y[i] += window(s, p, r->weights + (oc * group_in + ic) * taps, at);
        }
        free(p);
    }
    for (int64_t i = 0; i < size; i++) y[i] = post(r, y[i], oc, (n * s->out_channels + oc) * size + i);
}

static void agrees_with_the_second_way(const char *name) {
    random_layer r = draw_layer();
    const naive_tensors t = {
        .input = r.input, .weights = r.weights, .bias = r.bias, .scale = r.scale, .addend = r.addend};
    int64_t size = naive_channel_size(&r.spec), channels = naive_channels(&r.spec);
    long double *y = malloc((size_t)(size * channels) * sizeof *y + 1);
    double *one = malloc((size_t)size * sizeof *one);
    naive_run(&r.spec, &t, y, NULL);
    for (int64_t c = 0; c < channels; c++) {
        second_way(&r, c / r.spec.out_channels, c % r.spec.out_channels, one);
        for (int64_t i = 0; i < size; i++)
            cr_assert(y[c * size + i] == one[i], "channel %d, output %d: %Lg, not %g; %s", (int)c, (int)i,
                      y[c * size + i], one[i], name);
    }
    free(y);
    free(one);
    free_layer(&r);
}

Test(naive, agrees_with_the_second_way) { cases("agrees_with_the_second_way", 3000, agrees_with_the_second_way); }

static void ranges_make_up_the_whole(const char *name) {
    random_layer r = draw_layer();
    const naive_tensors t = {
        .input = r.input, .weights = r.weights, .bias = r.bias, .scale = r.scale, .addend = r.addend};
    int64_t size = naive_channel_size(&r.spec), channels = naive_channels(&r.spec);
    size_t bytes = (size_t)(size * channels) * sizeof(double), wide = (size_t)(size * channels) * sizeof(long double);
    long double *y = malloc(wide + 1), *y_parts = malloc(wide + 1);
    double *bound = malloc(bytes + 1), *b_parts = malloc(bytes + 1);
    float *rounded = malloc(bytes + 1);
    naive_run(&r.spec, &t, y, bound);
    for (int64_t first = 0, last; first < channels; first = last) {
        last = first + draw(1, channels - first);
        naive_range(&r.spec, &t, first, last, y_parts + first * size, b_parts + first * size);
    }
    for (int64_t i = 0; i < size * channels; i++) cr_assert(y[i] == y_parts[i], "%s", name);
    cr_assert_eq(memcmp(bound, b_parts, bytes), 0, "%s", name);
    cr_assert_eq(cvk_reference(&r.spec, r.input, r.weights, r.bias, r.scale, r.addend, rounded), CVK_OK, "%s", name);
    for (int64_t i = 0; i < size * channels; i++) cr_assert(rounded[i] == (float)y[i], "%s", name);
    free(y);
    free(bound);
    free(y_parts);
    free(b_parts);
    free(rounded);
    free_layer(&r);
}

Test(naive, ranges_make_up_the_whole) { cases("ranges_make_up_the_whole", 500, ranges_make_up_the_whole); }

Test(naive, never_multiplies_by_what_is_not_there) {
    cvk_spec s = layer(1, 3, 1, 3);
    s.pad_before[AXIS_W] = s.pad_after[AXIS_W] = 1;
    s.out_size[AXIS_W] = 3;
    expect(&s, (const float[]){1, 2, 3}, (const float[]){INFINITY, 0, 1}, (const float[]){2, INFINITY, INFINITY});
    const float x[] = {1, 2, 3}, w[] = {NAN, 0, 1};
    long double y[3];
    naive_run(&s, &(naive_tensors){.input = x, .weights = w}, y, NULL);
    cr_assert(y[0] == 2 && isnan(y[1]) && isnan(y[2]));
}

Test(naive, a_kernel_that_sees_nothing_gives_the_bias) {
    cvk_spec s = layer(1, 2, 1, 2);
    s.pad_before[AXIS_W] = s.pad_after[AXIS_W] = 7;
    s.dilation[AXIS_W] = 3;
    s.out_size[AXIS_W] = 13;
    s.bias = true;
    const float x[] = {INFINITY, NAN}, w[] = {1, 1}, b[] = {5};
    long double y[13];
    double bound[13];
    naive_run(&s, &(naive_tensors){.input = x, .weights = w, .bias = b}, y, bound);
    for (int i = 0; i < 4; i++) cr_assert(y[i] == 5 && y[12 - i] == 5, "output %d", i);
    cr_assert(isinf(y[7]) && isnan(y[8]));
}

Test(naive, the_public_reference_refuses_what_is_missing) {
    cvk_spec s = layer(1, 3, 1, 1);
    s.bias = true;
    s.post_count = 2;
    s.post[0].kind = POST_ADD;
    s.post[1].kind = POST_SCALE;
    const float x[3] = {1, 2, 3}, one[1] = {2};
    float y[3];
    cr_assert_eq(cvk_reference(&s, x, one, one, one, x, y), CVK_OK);
    cr_assert(y[0] == 10 && y[1] == 16 && y[2] == 22);
    cr_assert_eq(cvk_reference(NULL, x, one, one, one, x, y), CVK_ERROR_ARGUMENT);
    cr_assert_eq(cvk_reference(&s, NULL, one, one, one, x, y), CVK_ERROR_NULL);
    cr_assert_eq(cvk_reference(&s, x, NULL, one, one, x, y), CVK_ERROR_NULL);
    cr_assert_eq(cvk_reference(&s, x, one, NULL, one, x, y), CVK_ERROR_NULL);
    cr_assert_eq(cvk_reference(&s, x, one, one, NULL, x, y), CVK_ERROR_NULL);
    cr_assert_eq(cvk_reference(&s, x, one, one, one, NULL, y), CVK_ERROR_NULL);
    cr_assert_eq(cvk_reference(&s, x, one, one, one, x, NULL), CVK_ERROR_NULL);
    s.batch = 0;
    cr_assert_eq(cvk_reference(&s, NULL, one, one, one, NULL, NULL), CVK_OK);
}
