/* A network in one call, against its layers one by one: by the same kernels, so to the last bit. */
#include "../numeric/threads.h"

#include <convoke/convoke.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void use_no_disk(void) { setenv("CONVOKE_CACHE", "off", 1); }
TestSuite(network, .init = use_no_disk);

/* A residual block and what leads to it, all in one layout, as the layers one by one have it. */
static const char RESIDUAL[] = "version: 1\n"
                               "name: residual\n"
                               "inputs: {x: {shape: [%s, 3, 18, 14], layout: channels_last}}\n"
                               "outputs: [c, y]\n"
                               "defaults: {bias: true, kernel_size: 3, padding: 1, layout: channels_last}\n"
                               "layers:\n"
                               "- {name: a, input: x, out_channels: 16, post_ops: [relu]}\n"
                               "- {name: b, input: a, out_channels: 16, post_ops: [relu]}\n"
                               "- {name: c, input: b, out_channels: 16, post_ops: [{add: a}, relu]}\n"
                               "- {name: p, kind: max_pool, input: c, kernel_size: 2, stride: 2, padding: 0}\n"
                               "- {name: y, input: p, out_channels: 10, kernel_size: 1, padding: 0}\n";
enum { LAYERS = 5, ADDS = 2 };

static void *filled(size_t bytes, unsigned seed) {
    float *to = aligned_alloc(64, (bytes + 127) / 64 * 64);
    for (size_t i = 0; i < bytes / sizeof *to; i++) to[i] = (float)((int)(i * 2654435761u + seed) >> 20) / 4096;
    return to;
}

/* A network built, with what it is run on. */
typedef struct built {
    cvk_network *file;
    cvk_compiled_network *compiled;
    const cvk_network_info *info;
    cvk_const_buffer weights[3 * LAYERS], input;
    cvk_buffer packed, output[2], workspace;
    cvk_network_buffers buffers;
} built;

static built build(const char *batch, uint64_t images, uint32_t workers) {
    char yaml[sizeof RESIDUAL + 16];
    built b = {.file = NULL};
    snprintf(yaml, sizeof yaml, RESIDUAL, batch);
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "net.yaml", NULL, &b.file), CVK_OK);
    cr_assert_eq(cvk_network_build(b.file, NULL, NULL, &b.compiled), CVK_OK);
    b.info = cvk_compiled_network_get_info(b.compiled);
    for (uint32_t i = 0; i < b.info->weights; i++)
        b.weights[i] = (cvk_const_buffer){filled(b.info->weight[i].bytes, i), b.info->weight[i].bytes};
    b.packed = (cvk_buffer){filled(b.info->packed_weights.bytes, 0), b.info->packed_weights.bytes};
    cr_assert_eq(cvk_network_pack(b.info, b.weights, b.packed), CVK_OK);
    const uint64_t times = b.info->batch_any ? images : 1;
    b.input = (cvk_const_buffer){filled(times * b.info->input->bytes, 7), times * b.info->input->bytes};
    for (int i = 0; i < 2; i++)
        b.output[i] = (cvk_buffer){filled(times * b.info->output[i].bytes, 9), times * b.info->output[i].bytes};
    b.workspace.bytes = cvk_network_workspace(b.info, images, workers).bytes;
    b.workspace.data = filled(b.workspace.bytes, 11);
    return b;
}

/* Where the buffers of `b` are. */
static cvk_network_buffers buffers_of(const built *b, uint64_t images) {
    return (cvk_network_buffers){.struct_size = sizeof b->buffers,
                                 .batch = images,
                                 .inputs = &b->input,
                                 .outputs = b->output,
                                 .weights = {b->packed.data, b->packed.bytes},
                                 .workspace = b->workspace};
}

static void discard(built *b) {
    for (uint32_t i = 0; i < b->info->weights; i++) free((void *)b->weights[i].data);
    free((void *)b->input.data);
    free(b->packed.data);
    free(b->output[0].data);
    free(b->output[1].data);
    free(b->workspace.data);
    cvk_compiled_network_free(b->compiled);
    cvk_network_free(b->file);
}

/* The arrays of a step, in the order of the table. */
static const void *array_of(const built *b, const char *layer, cvk_role role) {
    for (uint32_t i = 0; i < b->info->weights; i++) {
        const cvk_weight_info *w = &b->info->weight[i];
        if (w->role == role && strcmp(b->info->step[w->step].name, layer) == 0) return b->weights[i].data;
    }
    return NULL;
}

/* A layer by itself, with the weights that it has in the network. */
static void *run_layer(const built *b, size_t index, const void *input, const void *addend, uint64_t images) {
    const cvk_spec *spec = cvk_network_layer(b->file, index);
    cvk_kernel *kernel;
    cr_assert_eq(cvk_compile(spec, NULL, NULL, &kernel), CVK_OK);
    const cvk_kernel_info *info = cvk_kernel_get_info(kernel);
    uint64_t bytes[CVK_ROLES];
    void *own[CVK_ROLES];
    for (int i = 0; i < CVK_ROLES; i++) {
        bytes[i] = cvk_buffer_needs(info, (cvk_role)i, images, 1).bytes;
        own[i] = filled(bytes[i], 3);
    }
    const void *weights = array_of(b, info->name, CVK_ROLE_WEIGHTS), *bias = array_of(b, info->name, CVK_ROLE_BIAS);
    if (weights)
        cr_assert_eq(cvk_pack_weights(info, (cvk_const_buffer){weights, info->weights.bytes},
                                      (cvk_buffer){own[CVK_ROLE_WEIGHTS], bytes[CVK_ROLE_WEIGHTS]}),
                     CVK_OK);
    const cvk_buffers buffers = {.struct_size = sizeof buffers,
                                 .batch = images,
                                 .input = {input, bytes[CVK_ROLE_INPUT]},
                                 .weights = {own[CVK_ROLE_WEIGHTS], bytes[CVK_ROLE_WEIGHTS]},
                                 .bias = {bias, bytes[CVK_ROLE_BIAS]},
                                 .addend = {addend, bytes[CVK_ROLE_ADDEND]},
                                 .output = {own[CVK_ROLE_OUTPUT], bytes[CVK_ROLE_OUTPUT]},
                                 .scratch = {own[CVK_ROLE_SCRATCH], bytes[CVK_ROLE_SCRATCH]},
                                 .workspace = {own[CVK_ROLE_WORKSPACE], bytes[CVK_ROLE_WORKSPACE]}};
    cr_assert_eq(cvk_run(info, &buffers, NULL), CVK_OK);
    for (int i = 0; i < CVK_ROLES; i++)
        if (i != CVK_ROLE_OUTPUT) free(own[i]);
    cvk_kernel_free(kernel);
    return own[CVK_ROLE_OUTPUT];
}

static void expect_layers_agree(const built *b, uint64_t images) {
    void *value[LAYERS];
    for (size_t i = 0; i < LAYERS; i++)
        value[i] = run_layer(b, i, i ? value[i - 1] : b->input.data, i == ADDS ? value[0] : NULL, images);
    cr_expect_arr_eq(b->output[0].data, value[ADDS], b->output[0].bytes);
    cr_expect_arr_eq(b->output[1].data, value[LAYERS - 1], b->output[1].bytes);
    for (size_t i = 0; i < LAYERS; i++) free(value[i]);
}

Test(network, computes_what_its_layers_do_one_by_one_on_any_number_of_threads) {
    for (uint32_t workers = 1; workers <= 3; workers++) {
        built b = build("2", 2, workers);
        const cvk_parallel_for threads = threads_for(workers);
        const cvk_network_buffers buffers = buffers_of(&b, 0);
        for (int again = 0; again < 2; again++)
            cr_assert_eq(cvk_network_run(b.info, &buffers, workers > 1 ? &threads : NULL), CVK_OK);
        expect_layers_agree(&b, 2);
        discard(&b);
    }
}

Test(network, of_any_batch_takes_as_many_images_as_a_run_says) {
    for (uint64_t images = 0; images <= 3; images++) {
        built b = build("any", images, 1);
        const cvk_network_buffers buffers = buffers_of(&b, images);
        cr_assert_eq(cvk_network_run(b.info, &buffers, NULL), CVK_OK);
        expect_layers_agree(&b, images);
        discard(&b);
    }
}

Test(network, steps_may_be_run_one_by_one) {
    built b = build("1", 1, 1);
    const cvk_network_buffers buffers = buffers_of(&b, 1);
    for (uint32_t i = 0; i < b.info->steps; i++)
        cr_assert_eq(cvk_network_run_steps(b.info, &buffers, i, i + 1, NULL), CVK_OK);
    expect_layers_agree(&b, 1);
    cr_expect_eq(cvk_network_run_steps(b.info, &buffers, 1, b.info->steps + 1, NULL), CVK_ERROR_ARGUMENT);
    discard(&b);
}

Test(network, what_the_caller_brings_is_checked) {
    built b = build("1", 1, 1);
    const cvk_network_buffers good = buffers_of(&b, 1);
    cvk_network_buffers bad = good;
    cvk_refusal why;
    char words[200];
    bad.workspace.bytes--;
    cr_expect_eq(cvk_network_check_run(b.info, &bad, NULL, &why), CVK_ERROR_SIZE);
    cr_expect_str_eq(why.what, "workspace");
    cvk_const_buffer shorter = {b.input.data, b.input.bytes - 1};
    bad = good;
    bad.inputs = &shorter;
    cr_expect_eq(cvk_network_run(b.info, &bad, NULL), CVK_ERROR_SIZE);
    cvk_network_check_run(b.info, &bad, NULL, &why);
    cvk_refusal_text(&why, words, sizeof words);
    cr_expect_str_eq(words, "x has 3023 bytes, and the kernel needs 3024");
    bad = good;
    bad.outputs = (cvk_buffer[]){b.output[1], b.output[1]};
    cr_expect_neq(cvk_network_run(b.info, &bad, NULL), CVK_OK);
    bad = good;
    bad.batch = 2;
    cr_expect_eq(cvk_network_run(b.info, &bad, NULL), CVK_ERROR_ARGUMENT);
    bad = good;
    *(uint64_t *)b.packed.data ^= 1;
    cr_expect_eq(cvk_network_check_run(b.info, &good, NULL, &why), CVK_ERROR_WEIGHTS);
    cr_expect_eq(cvk_network_run(NULL, &good, NULL), CVK_ERROR_ARGUMENT);
    discard(&b);
}
