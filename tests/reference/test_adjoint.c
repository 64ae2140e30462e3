/* A convolution and the transposed one with the same weights are adjoint: <conv(x), y> = <x, conv'(y)>, of the
 * interpreter and of compiled kernels, exactly in integers. */
#include "judge/random_data.h"
#include "judge/tensors.h"
#include "compile.h"
#include "spec/rules.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static uint32_t state = 1;

static int64_t pick(int64_t low, int64_t high) {
    state = state * 1664525u + 1013904223u;
    return low + (int64_t)(state >> 8) % (high - low + 1);
}

/* Any border, and sums that f64 has exactly. */
static bool draw_forward(cvk_spec *s) {
    *s = (cvk_spec){.name = "layer", .rank = (int)pick(1, 3), .batch = pick(1, 2)};
    s->input_type = s->weights_type = s->output_type = TYPE_F64;
    s->groups = pick(0, 1) ? 1 : pick(2, 4);
    s->in_channels = s->groups * pick(1, 5);
    s->out_channels = s->groups * pick(1, 5);
    s->flip_kernel = pick(0, 3) == 0;
    s->padding = pick(0, 1) ? PAD_ZEROS : (padding_mode)pick(PAD_REFLECT, PAD_CIRCULAR);
    s->input_layout = (cvk_layout)pick(CVK_CHANNELS_FIRST, CVK_BLOCKED);
    s->output_layout = (cvk_layout)pick(CVK_CHANNELS_FIRST, CVK_BLOCKED);
    for (int a = 0; a < AXES; a++) {
        s->in_size[a] = s->kernel[a] = s->stride[a] = s->dilation[a] = 1;
        if (a < AXES - s->rank) continue;
        s->in_size[a] = pick(1, 9);
        s->kernel[a] = pick(1, 4);
        s->stride[a] = pick(1, 3);
        s->dilation[a] = pick(1, 3);
        s->pad_before[a] = pick(0, 3);
        s->pad_after[a] = pick(0, 3);
    }
    return spec_finish(s, NULL) == CVK_OK;
}

/* From what comes out to what went in. Channels trade places, weights stay as they are. */
static cvk_spec transpose_of(const cvk_spec *forward) {
    cvk_spec s = *forward;
    cr_assert_null(spec_turn_backward(&s, DIRECTION_BACKWARD_DATA));
    cr_assert_eq(spec_finish(&s, NULL), CVK_OK);
    for (int a = 0; a < AXES; a++) cr_assert_eq(s.out_size[a], forward->in_size[a]);
    return s;
}

/* The layer's output of an input and weights, both of f64. */
typedef void layer_run(const cvk_spec *s, const double *input, const double *weights, double *output);

static void interpret(const cvk_spec *s, const double *input, const double *weights, double *output) {
    cr_assert_eq(cvk_reference(s, input, weights, NULL, NULL, NULL, output), CVK_OK);
}

static void compile_and_run(const cvk_spec *s, const double *input, const double *weights, double *output) {
    const naive_tensors data = {.input = input, .weights = weights};
    cvk_kernel *kernel;
    tensors t;
    cvk_diagnostics *d = cvk_diagnostics_new();
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    text layer = text_new(&a);
    spec_print(s, &layer);
    cvk_status status = compile_kernel(s, (goal){.target = target_host()}, NULL, d, &kernel, NULL);
    cr_assert_eq(status, CVK_OK, "%s: %s", layer.bytes,
                 cvk_diagnostics_count(d) ? cvk_diagnostics_get(d, 0)->message : cvk_status_text(status));
    arena_free(&a);
    cvk_diagnostics_free(d);
    const cvk_kernel_info *info = cvk_kernel_get_info(kernel);
    cr_assert_eq(tensors_bind(s, info, &data, GUARD_END, 1, &t), CVK_OK);
    cr_assert_eq(cvk_run(info, &t.buffers, NULL), CVK_OK);
    for (int64_t i = 0; i < naive_channels(s); i++) tensors_read(&t, i, output + i * naive_channel_size(s));
    tensors_free(&t);
    cvk_kernel_free(kernel);
}

static double dot(int64_t count, const double *a, const double *b) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += a[i] * b[i];
    return sum;
}

static void expect_adjoint(const cvk_spec *forward, uint64_t seed, layer_run *run) {
    const cvk_spec back = transpose_of(forward);
    layer_data x, y;
    cr_assert(data_draw(forward, DATA_INTEGERS, seed, &x) && data_draw(&back, DATA_INTEGERS, seed + 1, &y));
    int64_t ins = naive_channels(&back) * naive_channel_size(&back);
    int64_t outs = naive_channels(forward) * naive_channel_size(forward);
    double *ahead = malloc(sizeof *ahead * (size_t)outs), *behind = malloc(sizeof *behind * (size_t)ins);
    run(forward, x.tensors.input, x.tensors.weights, ahead);
    run(&back, y.tensors.input, x.tensors.weights, behind);
    const double there = dot(outs, ahead, y.tensors.input), here = dot(ins, x.tensors.input, behind);
    cr_assert_eq(there, here, "seed %d: <conv(x), y> is %g, <x, conv'(y)> is %g", (int)seed, there, here);
    free(ahead);
    free(behind);
    data_free(&x);
    data_free(&y);
}

static void expect_all_adjoint(int layers, layer_run *run) {
    for (int i = 0; i < layers;) {
        cvk_spec s;
        state = (uint32_t)i * 2654435761u + 1 + state;
        if (draw_forward(&s)) expect_adjoint(&s, (uint64_t)i++, run);
    }
}

/* Of half the sum of squares of what comes out, whose gradient is conv'(conv(x)), one difference: a parabola's is
 * exact, and so are these small integers. */
static void expect_gradient(const cvk_spec *forward, uint64_t seed, layer_run *run) {
    const cvk_spec back = transpose_of(forward);
    layer_data x;
    cr_assert(data_draw(forward, DATA_INTEGERS, seed, &x));
    int64_t ins = naive_channels(&back) * naive_channel_size(&back);
    int64_t outs = naive_channels(forward) * naive_channel_size(forward), at = (int64_t)(seed * 7919) % ins;
    double *y = malloc(sizeof *y * (size_t)outs), *gradient = malloc(sizeof *gradient * (size_t)ins), loss[2];
    run(forward, x.tensors.input, x.tensors.weights, y);
    run(&back, y, x.tensors.weights, gradient);
    for (int side = 0; side < 2; side++) {
        ((double *)x.memory)[at] += side ? -2 : 1; /* the input comes first */
        run(forward, x.tensors.input, x.tensors.weights, y);
        loss[side] = dot(outs, y, y) / 2;
    }
    cr_assert_eq((loss[0] - loss[1]) / 2, gradient[at], "seed %d, input %d", (int)seed, (int)at);
    free(y);
    free(gradient);
    data_free(&x);
}

Test(adjoint, gradients_of_the_data_are_the_loss_s_differences) {
    for (int i = 0; i < 200;) {
        cvk_spec s;
        state = (uint32_t)i * 2654435761u + 77 + state;
        if (draw_forward(&s)) expect_gradient(&s, (uint64_t)i++, interpret);
    }
}

/* A layer's sums are linear in its weights, too: <conv_w(x), y> = <w, gradient(x, y)>. */
static void expect_adjoint_in_weights(const cvk_spec *forward, uint64_t seed, layer_run *run) {
    cvk_spec back = *forward;
    layer_data x, y;
    cr_assert_null(spec_turn_backward(&back, DIRECTION_BACKWARD_WEIGHTS));
    cr_assert(data_draw(forward, DATA_INTEGERS, seed, &x) && data_draw(&back, DATA_INTEGERS, seed + 1, &y));
    int64_t weights = spec_weights_elements(forward), outs = naive_channels(forward) * naive_channel_size(forward);
    double *ahead = malloc(sizeof *ahead * (size_t)outs);
    double *gradient = malloc(sizeof *gradient * (size_t)spec_result_elements(&back));
    run(forward, x.tensors.input, x.tensors.weights, ahead);
    run(&back, x.tensors.input, y.tensors.weights, gradient);
    cr_assert_eq(dot(outs, ahead, y.tensors.weights), dot(weights, x.tensors.weights, gradient), "seed %d", (int)seed);
    free(ahead);
    free(gradient);
    data_free(&x);
    data_free(&y);
}

/* Any border will do, and transposed layers. */
static void expect_all_adjoint_in_weights(int layers, layer_run *run) {
    for (int i = 0; i < layers;) {
        cvk_spec s;
        state = (uint32_t)i * 2654435761u + 5 + state;
        if (!draw_forward(&s)) continue;
        s.transposed = pick(0, 1);
        if (spec_finish(&s, NULL) == CVK_OK) expect_adjoint_in_weights(&s, (uint64_t)i++, run);
    }
}

Test(adjoint, interpreted_layers_and_gradients_of_their_weights_are) { expect_all_adjoint_in_weights(400, interpret); }

Test(adjoint, compiled_layers_and_gradients_of_their_weights_are) {
    expect_all_adjoint_in_weights(30, compile_and_run);
}

Test(adjoint, interpreted_layers_and_their_transposes_are) { expect_all_adjoint(400, interpret); }

Test(adjoint, compiled_layers_and_their_transposes_are) { expect_all_adjoint(30, compile_and_run); }
