/* Writes the layers of a test, and what their kernels are to compute:
 *
 *     make_cases SEED COUNT TARGET DIR
 *
 * DIR/layers.yaml holds COUNT random layers for `convoke compile`, some for any batch, and layers of bytes of all kinds
 * with all roundings, DIR/kernels.inc a line for each
 * kernel, and DIR/cases.bin, for driver.c, the buffers of each of its runs in the kernel's layouts, with the
 * interpreter's outputs and bounds. */
#include "../numeric/random_layer.h"
#include "batches.h"
#include "judge/random_data.h"
#include "judge/tensors.h"
#include "compile.h"
#include "judge/rounding.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERCENT_ANY = 20, PERCENT_ADDENDS = 40 };

typedef struct outputs {
    FILE *layers, *kernels, *cases;
} outputs;

static void stop(const char *why, const char *what) {
    fprintf(stderr, "make_cases: %s %s\n", why, what);
    exit(1);
}

static void *allocate(size_t bytes) {
    void *memory = calloc(1, bytes + 1);
    if (!memory) stop("no memory", "");
    return memory;
}

static FILE *create(const char *directory, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    if (!file) stop("cannot write", path);
    return file;
}

/* Outputs that lie in memory as the kernel's do; the fill of blocks is exactly zero. */
static void write_outputs(const cvk_spec *s, const double *values, FILE *to) {
    if (s->direction == DIRECTION_BACKWARD_WEIGHTS) {
        fwrite(values, sizeof *values, (size_t)naive_channels(s), to);
        return;
    }
    size_t bytes = (size_t)spec_output_elements(s) * sizeof(double);
    double *placed = allocate(bytes);
    int64_t at[AXES];
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t c = 0; c < s->out_channels; c++)
            for (at[AXIS_D] = 0; at[AXIS_D] < s->out_size[AXIS_D]; at[AXIS_D]++)
                for (at[AXIS_H] = 0; at[AXIS_H] < s->out_size[AXIS_H]; at[AXIS_H]++)
                    for (at[AXIS_W] = 0; at[AXIS_W] < s->out_size[AXIS_W]; at[AXIS_W]++)
                        placed[spec_offset(s->output_layout, s->out_channels, s->out_size, n, c, at)] = *values++;
    fwrite(placed, 1, bytes, to);
    free(placed);
}

/* As two doubles, for machines whose long double is no wider: the nearest one, and what it lacks. */
static void write_expected(const cvk_spec *s, const long double *values, FILE *to) {
    const int64_t count = naive_channels(s) * naive_channel_size(s);
    double *part = allocate((size_t)count * sizeof *part);
    for (int64_t i = 0; i < count; i++) part[i] = (double)values[i];
    write_outputs(s, part, to);
    for (int64_t i = 0; i < count; i++) part[i] = isfinite(part[i]) ? (double)(values[i] - part[i]) : 0;
    write_outputs(s, part, to);
    free(part);
}

/* Indices that lie in memory as the kernel's do. */
static void write_indices(const cvk_spec *s, const naive_tensors *t, FILE *to) {
    int32_t *values = allocate((size_t)(naive_channels(s) * naive_channel_size(s)) * sizeof *values), *next = values;
    int32_t *placed = allocate((size_t)spec_output_elements(s) * sizeof *placed);
    int64_t at[AXES];
    naive_places(s, t, 0, naive_channels(s), values);
    for (int64_t i = 0; i < naive_channels(s); i++)
        for (at[AXIS_D] = 0; at[AXIS_D] < s->out_size[AXIS_D]; at[AXIS_D]++)
            for (at[AXIS_H] = 0; at[AXIS_H] < s->out_size[AXIS_H]; at[AXIS_H]++)
                for (at[AXIS_W] = 0; at[AXIS_W] < s->out_size[AXIS_W]; at[AXIS_W]++)
                    placed[spec_offset(s->output_layout, s->out_channels, s->out_size, i / s->out_channels,
                                       i % s->out_channels, at)] = *next++;
    fwrite(placed, sizeof *placed, (size_t)spec_output_elements(s), to);
    free(values);
    free(placed);
}

/* Packing is the kernel's work, on its own machine. */
static void pack_nothing(const void *weights, void *packed) { (void)weights, (void)packed; }

static void write_inputs(const cvk_spec *s, const compile_unit *unit, const layer_data *data, FILE *to) {
    cvk_kernel_info info = unit->info;
    info.pack = pack_nothing;
    info.cpu_features = 0;
    tensors t;
    if (tensors_bind(s, &info, &data->tensors, GUARD_END, 1, &t)) stop("cannot bind", s->name);
    const guarded *const inputs[] = {&t.buffer[CVK_ROLE_INPUT], &t.dense,
                                     &t.buffer[CVK_ROLE_BIAS],  &t.buffer[CVK_ROLE_SCALE],
                                     &t.buffer[CVK_ROLE_SHIFT], &t.buffer[CVK_ROLE_ADDEND],
                                     &t.buffer[CVK_ROLE_GATE],  &t.buffer[CVK_ROLE_GRADIENT]};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) fwrite(inputs[i]->data, 1, inputs[i]->bytes, to);
    const guarded *output = &t.buffer[CVK_ROLE_OUTPUT];
    if (info.output.held) fwrite(output->data, 1, output->bytes, to);
    tensors_free(&t);
}

/* A run of the kernel as one of the layer `s`. Every second takes integers, which leave no room for error. */
static void write_run(const cvk_spec *s, const compile_unit *unit, uint64_t seed, FILE *to) {
    layer_data data = {0};
    double *rounding;
    if (!data_draw(s, seed % 2 ? DATA_REALS : DATA_INTEGERS, seed, &data)) stop("no memory for", s->name);
    if (!rounding_of_plan(s, &unit->plan, &data.tensors, NULL, &rounding)) stop("no memory for", s->name);
    const int64_t count = naive_channels(s) * naive_channel_size(s);
    long double *expected = allocate((size_t)count * sizeof *expected);
    double *bound = allocate((size_t)count * sizeof *bound);
    naive_tensors bounded = data.tensors;
    bounded.rounding = rounding;
    naive_run(s, &bounded, expected, bound);
    write_inputs(s, unit, &data, to);
    write_expected(s, expected, to);
    write_outputs(s, bound, to);
    if (s->indices) write_indices(s, &data.tensors, to);
    free(expected);
    free(bound);
    free(rounding);
    data_free(&data);
}

static void write_case(const compile_unit *unit, uint64_t seed, FILE *to) {
    for (int i = 0; i < (unit->spec->batch_any ? BATCHES : 1); i++) {
        const cvk_spec s = spec_of_batch(unit->spec, BATCH[i]);
        write_run(&s, unit, seed + (uint64_t)i, to);
    }
}

/* The layer for any batch; often with addends, of which those of all images stand before the next, but not where it
 * accumulates. */
static void take_any_batch(draws *d, cvk_spec *s) {
    s->batch = 1;
    s->batch_any = true;
    if (s->direction != DIRECTION_FORWARD || !draw_chance(d, PERCENT_ADDENDS) || s->accumulate ||
        !type_is_float(spec_post_type(s)))
        return;
    s->post_count = 0;
    while (s->post_count < 2) s->post[s->post_count++] = (post_op){.kind = POST_ADD};
}

static void write_spec(arena *a, const cvk_spec *spec, uint64_t seed, const cvk_target *target, const outputs *to) {
    text line = text_new(a);
    spec_print(spec, &line);
    fprintf(to->layers, "  - %s\n", line.bytes);
    fprintf(to->kernels, "KERNEL(cross_%s)\n", spec->name);
    compile_unit unit;
    if (compile_plan(a, spec, (goal){.target = target}, NULL, NULL, &unit, NULL)) stop("no plan for", line.bytes);
    write_case(&unit, seed, to->cases);
}

static void write_layer(arena *a, uint64_t seed, int number, const cvk_target *target, const outputs *to) {
    draws d = draws_for(seed, (uint64_t)number);
    cvk_spec spec = random_layer(&d, arena_format(a, "layer_%03d", number));
    if (!target_computes(target, spec_sum_type(&spec)))
        spec.input_type = spec.weights_type = spec.output_type = TYPE_F32, spec.known = NULL;
    const bool sums_images = spec.direction == DIRECTION_BACKWARD_WEIGHTS;
    if (draw_chance(&d, PERCENT_ANY) && (!sums_images || spec.weights_type == spec_sum_type(&spec)))
        take_any_batch(&d, &spec);
    memset(spec.pitch, 0, sizeof spec.pitch); /* the driver knows tensors that are whole */
    write_spec(a, &spec, seed + (uint64_t)number, target, to);
}

/* ---- layers of bytes, whatever the seed ---- */

static const char *const SHAPES[] = {
    "input: [2, 21, 5, 9], out_channels: 19, kernel_size: 3, padding: 1",
    "input: [1, 32, 6, 7], out_channels: 33, kernel_size: 1, layout: channels_last",
    "input: [1, 37, 7, 9], out_channels: 37, groups: depthwise, kernel_size: 3, padding: 1, layout: channels_last",
    "input: [1, 18, 8, 11], out_channels: 18, groups: depthwise, kernel_size: [3, 5], padding: same",
    "input: [1, 24, 6, 7], out_channels: 36, groups: 6, kernel_size: 3, padding: 1, layout: channels_last",
    "input: [1, 7, 4, 5, 6], out_channels: 20, kernel_size: [2, 3, 3], padding: [0, 1, 1], layout: blocked",
    "input: [1, 9, 5, 6], out_channels: 17, kernel_size: 4, stride: 2, padding: 1, transposed: true, layout: channels_last",
    "input: [1, 20, 30], out_channels: 16, kernel_size: 5, stride: 2, padding: causal",
    "input: [1, 70, 9, 8], out_channels: 70, groups: depthwise, kernel_size: 5, padding: 2, stride: 2, layout: channels_last",
    "input: [1, 80, 5, 7], out_channels: 80, groups: 20, kernel_size: 3, padding: 1, layout: channels_last",
};
static const char *const TYPES_OF_BYTES[] = {
    "dtype: {input: u8, weights: s8, output: u8}, quantization: {input_zero_point: 114, output_zero_point: 3",
    "dtype: s8, quantization: {input_zero_point: -7, output_zero_point: -128",
    "dtype: {input: u8, weights: s8, output: s8}, quantization: {output_zero_point: 1, multipliers: per_tensor",
};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES, BYTE_TYPES = sizeof TYPES_OF_BYTES / sizeof *TYPES_OF_BYTES };

/* Each shape with each rounding, and types in turn. */
static void write_bytes(arena *a, int shape, int rounding, const cvk_target *target, const outputs *to) {
    static const char *const ROUNDING[ROUNDINGS] = {"nearest_even", "half_up", "double"};
    const char *types = TYPES_OF_BYTES[(shape + rounding) % BYTE_TYPES];
    const char *yaml = arena_format(
        a, "{version: 1, layers: [{name: bytes_%d_%s, %s, bias: true, post_ops: [relu], %s, rounding: %s}}]}", shape,
        ROUNDING[rounding], SHAPES[shape], types, ROUNDING[rounding]);
    cvk_network *network;
    if (cvk_network_parse(yaml, strlen(yaml), "bytes", NULL, &network)) stop("not a layer:", yaml);
    write_spec(a, cvk_network_layer(network, 0), (uint64_t)(shape * ROUNDINGS + rounding), target, to);
    cvk_network_free(network);
}

int main(int count, char **arguments) {
    if (count != 5) stop("usage:", "make_cases SEED COUNT TARGET DIR");
    const cvk_target *target = target_find(arguments[3]);
    if (!target) stop("there is no target", arguments[3]);
    outputs to = {create(arguments[4], "layers.yaml"), create(arguments[4], "kernels.inc"),
                  create(arguments[4], "cases.bin")};
    fprintf(to.layers, "version: 1\nname: cross\nlayers:\n");
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) stop("no memory", "");
    for (int i = 0; i < atoi(arguments[2]); i++) {
        write_layer(&a, strtoull(arguments[1], NULL, 10), i, target, &to);
        arena_rewind(&a);
    }
    for (int i = 0; i < SHAPE_COUNT * ROUNDINGS; i++) {
        write_bytes(&a, i / ROUNDINGS, i % ROUNDINGS, target, &to);
        arena_rewind(&a);
    }
    arena_free(&a);
    return fclose(to.layers) | fclose(to.kernels) | fclose(to.cases);
}
