/* Runs: one kernel, run by several threads at once, each with threads of its own to split it over, while the observer
 * of runs comes and goes. Every output has the bits of a run on one thread. */
#include "../numeric/threads.h"
#include "layers.h"

#include <convoke/observe.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLERS = 4, WORKERS = 3, CHANNELS = 16, SIZE = 24, ELEMENTS = CHANNELS * SIZE * SIZE };

static const char YAML[] =
    "version: 1\nlayers: [{name: shared, input: [1, 16, 24, 24], out_channels: 16, kernel_size: 3, "
    "padding: 1}]\n";

static atomic_long observed;

static void observe(const cvk_kernel_info *info, uint32_t workers, uint64_t nanoseconds) {
    expect(strcmp(info->name, "shared") == 0 && workers <= WORKERS && nanoseconds > 0, "what an observer is told");
    atomic_fetch_add(&observed, 1);
}

typedef struct shared {
    cvk_kernel_info info;
    float input[ELEMENTS];
    float *packed;
    float expected[ELEMENTS];
    long runs;
} shared;

static void run(const shared *s, float *output, const cvk_parallel_for *parallel) {
    uint64_t bytes = cvk_scratch_bytes(&s->info, WORKERS);
    void *scratch = NULL;
    expect(posix_memalign(&scratch, 64, (size_t)bytes + 64) == 0, "scratch");
    const cvk_buffers buffers = {.struct_size = sizeof buffers,
                                 .input = {s->input, sizeof s->input},
                                 .weights = {s->packed, s->info.packed_weights.bytes},
                                 .output = {output, ELEMENTS * sizeof *output},
                                 .scratch = {scratch, bytes}};
    cvk_status status = cvk_run(&s->info, &buffers, parallel);
    expect(status == CVK_OK, "%s", cvk_status_text(status));
    free(scratch);
}

static void *call(void *context) {
    const cvk_parallel_for parallel = threads_for(WORKERS);
    const shared *s = context;
    float *output = malloc(sizeof s->expected);
    for (long i = 0; i < s->runs; i++) {
        cvk_observe_runs(i % 2 ? observe : NULL);
        run(s, output, &parallel);
        expect(memcmp(output, s->expected, sizeof s->expected) == 0, "run %ld has other bits", i);
    }
    free(output);
    return NULL;
}

static void prepare(shared *s, const cvk_kernel *kernel) {
    static float weights[CHANNELS * CHANNELS * 9];
    s->info = *cvk_kernel_get_info(kernel);
    s->info.kilocycles = 0; /* small as it is, it is to be split */
    s->runs = amount("CVK_REQUESTS", 200);
    for (int i = 0; i < ELEMENTS; i++) s->input[i] = 0.001f * (float)(i % 1999) - 1;
    for (int i = 0; i < CHANNELS * CHANNELS * 9; i++) weights[i] = 0.01f * (float)(i % 101) - 0.5f;
    void *packed = NULL;
    expect(posix_memalign(&packed, 64, (size_t)s->info.packed_weights.bytes + 64) == 0, "packed weights");
    s->packed = packed;
    const cvk_buffer room = {packed, s->info.packed_weights.bytes};
    expect(cvk_pack_weights(&s->info, (cvk_const_buffer){weights, sizeof weights}, room) == CVK_OK, "packing");
    run(s, s->expected, NULL);
}

int main(void) {
    static shared s;
    const cvk_options options = {.struct_size = sizeof options, .cache = CVK_CACHE_OFF};
    cvk_network *network;
    cvk_kernel *kernel;
    expect(cvk_network_parse(YAML, strlen(YAML), "", NULL, &network) == CVK_OK, "the layer is sound");
    expect(cvk_compile(cvk_network_layer(network, 0), &options, NULL, &kernel) == CVK_OK, "the layer is compiled");
    prepare(&s, kernel);
    pthread_t callers[CALLERS];
    for (int i = 0; i < CALLERS; i++) expect(pthread_create(&callers[i], NULL, call, &s) == 0, "a thread");
    for (int i = 0; i < CALLERS; i++) pthread_join(callers[i], NULL);
    expect(observed > 0, "runs were observed");
    printf("%ld runs from each of %d threads on %d, %ld of them observed\n", s.runs, CALLERS, WORKERS, (long)observed);
    free(s.packed);
    cvk_kernel_free(kernel);
    cvk_network_free(network);
    return 0;
}
