/* Memory: for every n, the n-th malloc between YAML and a kernel loaded from the cache fails, and so does the n-th of
 * planning; the status says so, and nothing is leaked. LLVM is not on these ways, for it ends the process instead. */
#include "../allocations.h"
#include "compile.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char YAML[] = "version: 1\nlayers: [{name: scarce, input: [1, 3, 9, 9], out_channels: 4, kernel_size: 3, "
                           "padding: 1, bias: true, post_ops: [gelu]}]\n";

typedef cvk_status trial(cvk_diagnostics *d);

/* One trial with the n-th allocation failing; true while there was an n-th. */
static bool survives(const char *what, trial *attempt, long n) {
    long leaked;
    allocations_begin(n);
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_status status = attempt(d);
    cvk_diagnostics_free(d);
    cvk_cache_clear();
    const bool there_was = allocations_end(&leaked);
    cr_assert(status == CVK_OK || status == CVK_ERROR_MEMORY, "%s, allocation %ld: status %d", what, n, status);
    cr_assert_eq(leaked, 0, "%s, allocation %ld: %ld blocks are leaked", what, n, leaked);
    return there_was;
}

static void survives_all(const char *what, trial *attempt, long least) {
    long n = 1;
    while (survives(what, attempt, n)) n++;
    cr_expect_gt(n, least, "%s: allocations did fail, %ld of them", what, n);
}

static cvk_options options = {.struct_size = sizeof options};

static cvk_status compile_yaml(cvk_diagnostics *d) {
    cvk_network *network;
    cvk_kernel *kernel = NULL;
    cvk_status status = cvk_network_parse(YAML, strlen(YAML), "scarce.yaml", d, &network);
    if (!status) status = cvk_compile(cvk_network_layer(network, 0), &options, d, &kernel);
    cvk_kernel_free(kernel);
    cvk_network_free(network);
    return status;
}

static cvk_layer layer(void) {
    return (cvk_layer){.struct_size = sizeof(cvk_layer),
                       .name = "scarce",
                       .spatial_rank = 2,
                       .batch = 1,
                       .in_channels = 3,
                       .out_channels = 4,
                       .input_size = {9, 9},
                       .kernel_size = {3, 3},
                       .padding_before = {1, 1},
                       .padding_after = {1, 1}};
}

static cvk_status plan(cvk_diagnostics *d) {
    cvk_spec *spec;
    const cvk_layer l = layer();
    cvk_status status = cvk_spec_create(&l, d, &spec);
    arena a;
    arena_init(&a);
    compile_unit unit;
    if (!status)
        status = arena_guard(&a) ? CVK_ERROR_MEMORY
                                 : compile_plan(&a, spec, (goal){.target = target_host()}, NULL, d, &unit, NULL);
    arena_free(&a);
    cvk_spec_free(spec);
    return status;
}

static cvk_status compile_network(cvk_diagnostics *d) {
    cvk_network *network;
    cvk_kernel *kernel = NULL;
    cvk_status status = cvk_network_parse(YAML, strlen(YAML), "scarce.yaml", d, &network);
    if (!status) status = cvk_network_compile(network, &options, d, &kernel);
    cvk_kernel_free(kernel);
    cvk_network_free(network);
    return status;
}

static cvk_status run_job(cvk_diagnostics *d) {
    cvk_network *network;
    cvk_job *job = NULL;
    cvk_kernel *kernel = NULL;
    cvk_status status = cvk_network_parse(YAML, strlen(YAML), "scarce.yaml", d, &network);
    if (!status) status = cvk_compile_start(cvk_network_layer(network, 0), &options, &job);
    if (!status) status = cvk_job_wait(job, d, &kernel);
    cvk_kernel_free(kernel);
    cvk_job_free(job);
    cvk_network_free(network);
    return status;
}

Test(memory, running_out_anywhere_is_a_status) {
    char folder[] = "/tmp/convoke-memory-XXXXXX", command[64];
    cr_assert_not_null(mkdtemp(folder));
    options.cache_directory = folder;
    options.threads = 1;
    cr_assert_eq(compile_yaml(NULL), CVK_OK, "fills the cache");
    cvk_cache_clear();
    survives_all("from YAML to a kernel from the cache", compile_yaml, 8);
    survives_all("a network from the cache", compile_network, 8);
    survives_all("planning", plan, 4);
    cr_assert_eq(run_job(NULL), CVK_OK, "makes a thread whose stack the C library keeps for the next");
    cvk_cache_clear();
    survives_all("a job", run_job, 8);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}
