/* What lies in each storage is kept as it lies there, so that what is part of something else, or the same seen
 * otherwise, is found by where it begins. */
#include "judge/network.h"

#include "judge/layouts.h"
#include "network/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };

static int64_t volume(const int64_t size[AXES]) { return size[AXIS_D] * size[AXIS_H] * size[AXIS_W]; }

static cvk_spec step_spec(const network_trial *t, int step) { return spec_of_batch(t->n->step[step].spec, t->batch); }

/* ---- values ---- */

static int64_t images(const network_trial *t) { return t->n->batch_any ? t->batch : t->n->batch; }

/* Where a tensor begins. */
static unsigned char *begin_of(const network_trial *t, const network_tensor *x) {
    return t->value[x->storage] + (size_t)(x->begin + x->image_begin * images(t));
}

static void take(const network_trial *t, int tensor, void *to) {
    const network_tensor *x = &t->n->tensor[tensor];
    const int64_t size[AXES] = {1, 1, x->pixels};
    layout_read_pitched(x->layout, type_bytes(x->type), images(t), x->channels, x->pitch, size, begin_of(t, x), to);
}

static void keep(const network_trial *t, int tensor, const void *from) {
    const network_tensor *x = &t->n->tensor[tensor];
    const int64_t size[AXES] = {1, 1, x->pixels};
    layout_write_pitched(x->layout, type_bytes(x->type), images(t), x->channels, x->pitch, size, from, begin_of(t, x));
}

static size_t tensor_bytes(const network_trial *t, int tensor) {
    const network_tensor *x = &t->n->tensor[tensor];
    return (size_t)(images(t) * x->channels * x->pixels * type_bytes(x->type));
}

/* Several stand one after another, which is how the interpreter wants them. */
static void *take_operands(const network_trial *t, const cvk_spec *s, int first, post_operand sort) {
    const int count = spec_operands(s, sort);
    unsigned char *all = first == NONE ? NULL : malloc((size_t)count * tensor_bytes(t, first) + 1);
    for (int i = 0; all && i < count; i++) take(t, first + i, all + (size_t)i * tensor_bytes(t, first));
    return all;
}

/* ---- data ---- */

/* Sums of so many products of numbers from -1 to 1 have about the size of one of them then. */
static void make_small(const cvk_spec *s, const layer_data *data) {
    const int64_t count = spec_weights_elements(s), terms = spec_group_in(s) * spec_taps(s);
    unsigned char *w = (unsigned char *)(uintptr_t)data->tensors.weights;
    const double factor = exp2(-floor(log2(sqrt((double)terms / 3) + 1)));
    const int bytes = type_bytes(s->weights_type);
    for (int64_t i = 0; type_is_float(s->weights_type) && i < count; i++)
        type_write(s->weights_type, w + i * bytes, factor * type_read(s->weights_type, w + i * bytes));
}

/* Of NaN, which layers are drawn that ignore it, others that read the same may make what they will. */
static void drop_nan(const cvk_spec *s, const layer_data *data) {
    unsigned char *x = (unsigned char *)(uintptr_t)data->tensors.input;
    const int64_t count = s->batch * s->in_channels * volume(s->in_size);
    for (int64_t i = 0; i < count; i++, x += type_bytes(s->input_type))
        if (isnan(type_read(s->input_type, x))) type_write(s->input_type, x, 0);
}

static bool draw_steps(network_trial *t, uint64_t seed) {
    for (int i = 0; i < t->n->step_count; i++) {
        const cvk_spec s = step_spec(t, i);
        if (!data_draw(&s, DATA_REALS, seed + (uint64_t)i, &t->data[i])) return false;
        if (spec_has_weights(&s) && !s.known) make_small(&s, &t->data[i]);
        if (s.ignore_nan) drop_nan(&s, &t->data[i]);
    }
    return true;
}

/* What a step that reads an input was drawn for it. */
static void draw_inputs(network_trial *t) {
    for (int i = t->n->step_count - 1; i >= 0; i--) {
        const network_step *s = &t->n->step[i];
        const int operand = s->operand[OPERAND_TENSOR], gate = s->operand[OPERAND_IMAGE_CHANNEL];
        if (t->n->storage[t->n->tensor[s->input].storage].space == CVK_SPACE_INPUT)
            keep(t, s->input, t->data[i].tensors.input);
        if (operand != NONE && t->n->storage[t->n->tensor[operand].storage].space == CVK_SPACE_INPUT)
            keep(t, operand, t->data[i].tensors.addend);
        if (gate != NONE && t->n->storage[t->n->tensor[gate].storage].space == CVK_SPACE_INPUT)
            keep(t, gate, t->data[i].tensors.gate);
    }
}

static size_t storage_bytes(const network_trial *t, int storage) {
    return (size_t)(t->n->storage[storage].bytes * (t->n->batch_any ? t->batch : 1));
}

cvk_status network_trial_open(const network_steps *n, const cvk_network_info *info, int64_t batch, uint64_t seed,
                              network_trial *t) {
    *t = (network_trial){.n = n, .info = info, .batch = batch};
    t->data = calloc((size_t)n->step_count + 1, sizeof *t->data);
    t->value = calloc((size_t)n->storage_count + 1, sizeof *t->value);
    if (!t->data || !t->value) return CVK_ERROR_MEMORY;
    for (int i = 0; i < n->storage_count; i++)
        if (!(t->value[i] = calloc(1, storage_bytes(t, i) + 1))) return CVK_ERROR_MEMORY;
    if (!draw_steps(t, seed)) return CVK_ERROR_MEMORY;
    draw_inputs(t);
    return CVK_OK;
}

void network_trial_close(network_trial *t) {
    for (int i = 0; t->data && i < t->n->step_count; i++) data_free(&t->data[i]);
    for (int i = 0; t->value && i < t->n->storage_count; i++) free(t->value[i]);
    free(t->data);
    free(t->value);
}

/* ---- step by step ---- */

static void keep_output(const network_trial *t, int step, const tensors *bound) {
    const cvk_spec *s = bound->spec;
    const size_t channel = (size_t)(volume(s->out_size) * type_bytes(s->output_type));
    char *dense = malloc(tensor_bytes(t, t->n->step[step].output) + 1);
    for (int64_t i = 0; dense && i < s->batch * s->out_channels; i++)
        tensors_read(bound, i, dense + (size_t)i * channel);
    if (dense) keep(t, t->n->step[step].output, dense);
    free(dense);
}

static cvk_status run_bound(const network_trial *t, int step, const cvk_spec *s, const naive_tensors *given,
                            const layer_plan *plan, guard_side side, const cvk_parallel_for *threads, verdict *v,
                            const char **words) {
    const cvk_kernel_info *kernel = t->info->step[step].kernel;
    tensors bound;
    reference expected = {0};
    cvk_status status = tensors_bind(s, kernel, given, side, threads->workers, &bound);
    if (status == CVK_OK) status = cvk_run(kernel, &bound.buffers, threads);
    if (status == CVK_OK && !reference_run(s, plan, given, threads, &expected)) status = CVK_ERROR_MEMORY;
    if (status == CVK_OK && !reference_judge(&expected, &bound, threads, v)) status = CVK_ERROR_MEMORY;
    if (status == CVK_OK && !*words) *words = v->ratio <= 1 ? tensors_damage(&bound) : "WRONG";
    if (status == CVK_OK) keep_output(t, step, &bound);
    reference_free(&expected);
    tensors_free(&bound);
    return status;
}

cvk_status network_trial_step(network_trial *t, int step, const layer_plan *plan, guard_side side,
                              const cvk_parallel_for *threads, verdict *v, const char **words) {
    const network_step *of = &t->n->step[step];
    const cvk_spec s = step_spec(t, step);
    void *input = malloc(tensor_bytes(t, of->input) + 1);
    void *addend = take_operands(t, &s, of->operand[OPERAND_TENSOR], OPERAND_TENSOR);
    void *gate = take_operands(t, &s, of->operand[OPERAND_IMAGE_CHANNEL], OPERAND_IMAGE_CHANNEL);
    cvk_status status = CVK_ERROR_MEMORY;
    if (input) {
        take(t, of->input, input);
        naive_tensors given = t->data[step].tensors;
        given.input = input;
        given.addend = addend;
        given.gate = gate;
        status = run_bound(t, step, &s, &given, plan, side, threads, v, words);
    }
    free(input);
    free(addend);
    free(gate);
    return status;
}

/* ---- at once ---- */

static cvk_status pack(const network_trial *t, const network_buffers *b) {
    cvk_const_buffer *dense = calloc(t->info->weights + 1, sizeof *dense);
    if (!dense) return CVK_ERROR_MEMORY;
    for (uint32_t i = 0; i < t->info->steps; i++) {
        const naive_tensors *of = &t->data[i].tensors;
        const void *const arrays[CVK_ROLES] = {[CVK_ROLE_WEIGHTS] = of->weights,
                                               [CVK_ROLE_BIAS] = of->bias,
                                               [CVK_ROLE_SCALE] = of->scale,
                                               [CVK_ROLE_SHIFT] = of->shift};
        network_find_arrays(t->info, i, arrays, dense);
    }
    const cvk_status status =
        cvk_network_pack(t->info, dense, (cvk_buffer){b->weights.data, t->info->packed_weights.bytes});
    free(dense);
    return status;
}

/* The storage that is an input or an output. */
static int storage_of(const network_trial *t, cvk_space space, uint32_t index) {
    for (int i = 0; i < t->n->storage_count; i++)
        if (t->n->storage[i].space == space && t->n->storage[i].index == (int)index) return i;
    return NONE;
}

static size_t bytes_of(const network_trial *t, const cvk_tensor_info *x) {
    return (size_t)(x->bytes * (uint64_t)(t->n->batch_any ? t->batch : 1));
}

static bool allocate(const network_trial *t, guard_side side, uint32_t workers, network_buffers *b) {
    const cvk_buffer_info workspace = cvk_network_workspace(t->info, (uint64_t)t->batch, workers);
    bool there =
        b->input && b->output && b->in && b->out &&
        guard_alloc((size_t)t->info->packed_weights.bytes, t->info->packed_weights.alignment, side, &b->weights) &&
        guard_alloc((size_t)workspace.bytes, workspace.alignment, side, &b->workspace);
    for (uint32_t i = 0; there && i < b->inputs; i++)
        there = guard_alloc(bytes_of(t, &t->info->input[i]), t->info->input[i].alignment, side, &b->input[i]);
    for (uint32_t i = 0; there && i < b->outputs; i++)
        there = guard_alloc(bytes_of(t, &t->info->output[i]), t->info->output[i].alignment, side, &b->output[i]);
    return there;
}

/* What is written first is all NaN. */
static void fill(const network_trial *t, network_buffers *b) {
    enum { ALL_NAN = 0xFF };
    for (uint32_t i = 0; i < b->inputs; i++) {
        memcpy(b->input[i].data, t->value[storage_of(t, CVK_SPACE_INPUT, i)], b->input[i].bytes);
        b->in[i] = (cvk_const_buffer){b->input[i].data, b->input[i].bytes};
    }
    for (uint32_t i = 0; i < b->outputs; i++) {
        memset(b->output[i].data, ALL_NAN, b->output[i].bytes);
        b->out[i] = (cvk_buffer){b->output[i].data, b->output[i].bytes};
    }
    memset(b->workspace.data, ALL_NAN, b->workspace.bytes);
}

cvk_status network_trial_bind(const network_trial *t, guard_side side, uint32_t workers, network_buffers *b) {
    *b = (network_buffers){.inputs = t->info->inputs, .outputs = t->info->outputs};
    b->input = calloc(b->inputs + 1, sizeof *b->input);
    b->output = calloc(b->outputs + 1, sizeof *b->output);
    b->in = calloc(b->inputs + 1, sizeof *b->in);
    b->out = calloc(b->outputs + 1, sizeof *b->out);
    if (!allocate(t, side, workers, b)) return CVK_ERROR_MEMORY;
    fill(t, b);
    b->buffers = (cvk_network_buffers){.struct_size = sizeof b->buffers,
                                       .batch = t->n->batch_any ? (uint64_t)t->batch : 0,
                                       .inputs = b->in,
                                       .outputs = b->out,
                                       .weights = {b->weights.data, b->weights.bytes},
                                       .workspace = {b->workspace.data, b->workspace.bytes}};
    return pack(t, b);
}

void network_buffers_free(network_buffers *b) {
    for (uint32_t i = 0; b->input && i < b->inputs; i++) guard_free(&b->input[i]);
    for (uint32_t i = 0; b->output && i < b->outputs; i++) guard_free(&b->output[i]);
    guard_free(&b->weights);
    guard_free(&b->workspace);
    free(b->input);
    free(b->output);
    free(b->in);
    free(b->out);
}

static bool are_intact(const network_buffers *b) {
    bool intact = guard_intact(&b->weights) && guard_intact(&b->workspace);
    for (uint32_t i = 0; i < b->inputs; i++) intact &= guard_intact(&b->input[i]);
    for (uint32_t i = 0; i < b->outputs; i++) intact &= guard_intact(&b->output[i]);
    return intact;
}

/* As it lies there. */
static bool is_expected(const network_trial *t, const network_buffers *b, uint32_t i) {
    return memcmp(t->value[storage_of(t, CVK_SPACE_OUTPUT, i)], b->output[i].data, b->output[i].bytes) == 0;
}

const char *network_trial_compare(const network_trial *t, const network_buffers *b) {
    if (!are_intact(b)) return "wrote outside a buffer";
    for (uint32_t i = 0; i < b->outputs; i++)
        if (!is_expected(t, b, i)) return "OTHER BITS";
    return NULL;
}
