/* Compiling: one layer, a network, in the background; what is shared and what is not. */
#include "cache/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void use_no_disk(void) { setenv("CONVOKE_CACHE", "off", 1); }
TestSuite(compile, .init = use_no_disk);

/* Layers l0, l1, … of one to `count` output channels; that number `bad`, if any, has an algorithm that cannot do
 * it. */
static cvk_network *make_network(int count, int bad) {
    static char yaml[200000];
    size_t used = (size_t)snprintf(yaml, sizeof yaml, "version: 1\nlayers:\n");
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(yaml + used, sizeof yaml - used,
                                 "- {name: l%d, input: [1, 1, 4, 4], out_channels: %d, kernel_size: 1%s}\n", i,
                                 i % 4 + 1, i == bad ? ", algorithm: winograd" : "");
    cvk_network *network;
    cr_assert_eq(cvk_network_parse(yaml, used, "net.yaml", NULL, &network), CVK_OK);
    return network;
}

Test(compile, the_same_layer_is_the_same_kernel_while_it_is_cached) {
    cvk_network *network = make_network(2, -1), *again = make_network(2, -1);
    cvk_kernel *a, *b, *other, *fresh;
    const cvk_options off = {.struct_size = sizeof off, .cache = CVK_CACHE_OFF};
    cr_assert_eq(cvk_compile(cvk_network_layer(network, 0), NULL, NULL, &a), CVK_OK);
    cr_assert_eq(cvk_compile(cvk_network_layer(again, 0), NULL, NULL, &b), CVK_OK);
    cr_assert_eq(cvk_compile(cvk_network_layer(network, 1), NULL, NULL, &other), CVK_OK);
    cr_assert_eq(cvk_compile(cvk_network_layer(network, 0), &off, NULL, &fresh), CVK_OK);
    cr_assert_eq(a, b);
    cr_assert_neq(a, other);
    cr_assert_neq(a, fresh, "without a cache each is new");
    cvk_cache_clear();
    cvk_network_free(network);
    cr_assert_str_eq(cvk_kernel_get_info(a)->name, "l0", "kernels outlive the cache and the spec");
    cvk_kernel_free(a);
    cr_assert_str_eq(cvk_kernel_get_info(b)->name, "l0", "and other references");
    cvk_kernel_free(b);
    cvk_kernel_free(other);
    cvk_kernel_free(fresh);
    cvk_network_free(again);
}

Test(compile, a_whole_network_comes_in_order_on_any_number_of_threads) {
    enum { COUNT = 40 };
    cvk_network *network = make_network(COUNT, -1);
    for (unsigned threads = 0; threads < 6; threads++) {
        const cvk_options o = {.struct_size = sizeof o, .threads = threads};
        cvk_kernel *kernels[COUNT];
        cr_assert_eq(cvk_network_compile(network, &o, NULL, kernels), CVK_OK);
        for (int i = 0; i < COUNT; i++) {
            char name[16];
            snprintf(name, sizeof name, "l%d", i);
            cr_assert_str_eq(cvk_kernel_get_info(kernels[i])->name, name);
            cvk_kernel_free(kernels[i]);
        }
    }
    cvk_network_free(network);
}

Test(compile, a_network_with_a_bad_layer_gives_nothing_but_the_reason) {
    enum { COUNT = 20 };
    cvk_network *network = make_network(COUNT, 13);
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_kernel *kernels[COUNT];
    memset(kernels, 0x5a, sizeof kernels);
    cr_assert_eq(cvk_network_compile(network, NULL, d, kernels), CVK_ERROR_UNSUPPORTED);
    for (int i = 0; i < COUNT; i++) cr_assert_null(kernels[i]);
    cr_assert_eq(cvk_diagnostics_count(d), 1);
    cr_assert_not_null(strstr(cvk_diagnostics_get(d, 0)->message, "l13"));
    cr_assert_eq(cvk_network_compile(NULL, NULL, d, kernels), CVK_ERROR_ARGUMENT);
    cr_assert_eq(cvk_network_compile(network, NULL, d, NULL), CVK_ERROR_ARGUMENT);
    cvk_diagnostics_free(d);
    cvk_network_free(network);
}

Test(compile, a_job_ends_with_what_compile_would_have_given) {
    cvk_network *network = make_network(2, 1);
    cvk_job *good, *bad, *misled;
    cvk_kernel *kernel, *again, *direct;
    cvk_diagnostics *d = cvk_diagnostics_new();
    const cvk_options nonsense = {.struct_size = sizeof nonsense, .target = "z80"};
    cr_assert_eq(cvk_compile_start(cvk_network_layer(network, 0), NULL, &good), CVK_OK);
    cr_assert_eq(cvk_compile_start(cvk_network_layer(network, 1), NULL, &bad), CVK_OK);
    cr_assert_eq(cvk_compile_start(cvk_network_layer(network, 0), &nonsense, &misled), CVK_OK);
    cr_assert_eq(cvk_job_wait(good, d, &kernel), CVK_OK);
    cr_assert(cvk_job_done(good));
    cr_assert_eq(cvk_job_wait(good, d, &again), CVK_OK, "as often as one likes");
    cr_assert_eq(cvk_compile(cvk_network_layer(network, 0), NULL, NULL, &direct), CVK_OK);
    cr_assert(kernel == again && kernel == direct);
    cr_assert_eq(cvk_diagnostics_count(d), 0);
    cr_assert_eq(cvk_job_wait(bad, d, &again), CVK_ERROR_UNSUPPORTED);
    cr_assert_null(again);
    cr_assert_eq(cvk_job_wait(misled, d, &again), CVK_ERROR_UNSUPPORTED);
    cr_assert_eq(cvk_diagnostics_count(d), 2);
    cvk_job_free(good);
    cvk_job_free(bad);
    cvk_job_free(misled);
    cr_assert_str_eq(cvk_kernel_get_info(kernel)->name, "l0", "kernels outlive the job");
    for (int i = 0; i < 3; i++) cvk_kernel_free(direct);
    cvk_diagnostics_free(d);
    cvk_network_free(network);
}

Test(compile, a_job_may_be_dropped_at_any_time) {
    for (int i = 0; i < 50; i++) {
        cvk_network *network = make_network(1, -1);
        cvk_job *job;
        cr_assert_eq(cvk_compile_start(cvk_network_layer(network, 0), NULL, &job), CVK_OK);
        if (i % 2) usleep(20);
        cvk_job_free(job);
        cvk_network_free(network);
        if (i % 5 == 0) cvk_cache_clear();
    }
    cvk_job *job;
    cr_assert_eq(cvk_compile_start(NULL, NULL, &job), CVK_ERROR_ARGUMENT);
    cr_assert_null(job);
    cvk_job_free(NULL);
    cr_assert(cvk_job_done(NULL));
}

/* Data in whole numbers, so that every plan gives the same bits. */
static void run(const cvk_kernel_info *info, float *output) {
    void *packed, *scratch;
    float input[8 * 100], weights[8 * 8 * 9];
    for (int i = 0; i < 800; i++) input[i] = (float)(i % 7 - 3);
    for (int i = 0; i < 576; i++) weights[i] = (float)(i % 5 - 2);
    cr_assert_eq(posix_memalign(&packed, 64, (size_t)info->packed_weights.bytes + 64), 0);
    cr_assert_eq(posix_memalign(&scratch, 64, (size_t)info->scratch.bytes + 64), 0);
    const cvk_const_buffer dense = {weights, sizeof weights};
    const cvk_buffers buffers = {.struct_size = sizeof buffers,
                                 .input = {input, sizeof input},
                                 .weights = {packed, info->packed_weights.bytes},
                                 .output = {output, info->output.bytes},
                                 .scratch = {scratch, info->scratch.bytes}};
    cr_assert_eq(cvk_pack_weights(info, dense, (cvk_buffer){packed, info->packed_weights.bytes}), CVK_OK);
    cr_assert_eq(cvk_run(info, &buffers, NULL), CVK_OK);
    free(packed);
    free(scratch);
}

Test(compile, a_measured_plan_gives_the_same_result) {
    const cvk_layer layer = {.struct_size = sizeof layer,
                             .name = "measured",
                             .spatial_rank = 2,
                             .batch = 1,
                             .in_channels = 8,
                             .out_channels = 8,
                             .input_size = {10, 10},
                             .kernel_size = {3, 3},
                             .padding = CVK_PADDING_SAME,
                             .accuracy = CVK_ACCURACY_STRICT};
    const cvk_options measure = {.struct_size = sizeof measure, .effort = CVK_EFFORT_MEASURE};
    cvk_spec *spec;
    cvk_kernel *estimated, *measured;
    cr_assert_eq(cvk_spec_create(&layer, NULL, &spec), CVK_OK);
    cr_assert_eq(cvk_compile(spec, NULL, NULL, &estimated), CVK_OK);
    cr_assert_eq(cvk_compile(spec, &measure, NULL, &measured), CVK_OK);
    cr_assert_neq(estimated, measured);
    float a[800], b[800];
    run(cvk_kernel_get_info(estimated), a);
    run(cvk_kernel_get_info(measured), b);
    cr_assert_arr_eq(a, b, sizeof a);
    cvk_kernel_free(estimated);
    cvk_kernel_free(measured);
    cvk_spec_free(spec);
}

/* Makes a kernel of nothing: enough for a cache that only counts references. */
static cvk_status make_empty(void *context, cvk_diagnostics *d, cvk_kernel **kernel) {
    (void)d;
    ++*(int *)context;
    *kernel = calloc(1, sizeof **kernel);
    (*kernel)->references = 1;
    return CVK_OK;
}

static int made_again(int from, int to) {
    int made = 0;
    for (int i = from; i < to; i++) {
        char key[16];
        cvk_kernel *kernel;
        snprintf(key, sizeof key, "%d", i);
        cr_assert_eq(memory_cache_get(key, make_empty, &made, NULL, &kernel), CVK_OK);
        cvk_kernel_free(kernel);
    }
    return made;
}

Test(compile, memory_keeps_the_kernels_used_last) {
    enum { MANY = MEMORY_MOST_KERNELS + 100 };
    cr_assert_eq(made_again(0, MANY), MANY);
    cr_assert_eq(made_again(100, MANY), 0, "the last are kept");
    cr_assert_eq(made_again(0, 100), 100, "the first are not");
    cvk_cache_clear();
    cr_assert_eq(made_again(MANY - 10, MANY), 10);
    cvk_cache_clear();
}

/* A failure is not remembered. */
static cvk_status fail_once(void *context, cvk_diagnostics *d, cvk_kernel **kernel) {
    int *calls = context;
    return (*calls)++ ? make_empty(calls, d, kernel) : CVK_ERROR_MEMORY;
}

Test(compile, a_failure_is_not_remembered) {
    int calls = 0;
    cvk_kernel *kernel;
    cr_assert_eq(memory_cache_get("k", fail_once, &calls, NULL, &kernel), CVK_ERROR_MEMORY);
    cr_assert_null(kernel);
    cr_assert_eq(memory_cache_get("k", fail_once, &calls, NULL, &kernel), CVK_OK);
    cvk_kernel_free(kernel);
    cvk_cache_clear();
}

Test(compile, a_database_that_knows_nothing_of_a_layer_is_noted) {
    char folder[] = "/tmp/convoke-tuned-XXXXXX";
    cr_assert(mkdtemp(folder));
    cvk_network *network = make_network(2, -1);
    cvk_kernel *kernels[2], *plain;
    cvk_diagnostics *d = cvk_diagnostics_new();
    const cvk_options o = {.struct_size = sizeof o, .tuned = folder};
    cr_assert_eq(cvk_network_compile(network, &o, d, kernels), CVK_OK);
    cr_assert_eq(cvk_diagnostics_count(d), 2);
    cr_assert_eq(cvk_diagnostics_get(d, 1)->severity, CVK_SEVERITY_NOTE);
    cr_assert(strstr(cvk_diagnostics_get(d, 1)->message, "l1: the plan is the model's") != NULL);
    cr_assert_eq(cvk_compile(cvk_network_layer(network, 0), NULL, NULL, &plain), CVK_OK);
    cr_assert_eq(plain, kernels[0], "the same kernel");
    for (int i = 0; i < 2; i++) cvk_kernel_free(kernels[i]);
    cvk_kernel_free(plain);
    cvk_diagnostics_free(d);
    cvk_network_free(network);
    rmdir(folder);
}
