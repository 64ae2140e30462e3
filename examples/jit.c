/* Just in time: reads a spec and compiles its layers into this process, in four threads at once.
 *
 *     cc examples/jit.c -lconvoke -lconvoke_rt -lpthread
 *     ./a.out examples/layers.yaml */
#include <convoke/convoke.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, ALIGNMENT = 64 };

/* One layer on inputs of ones and weights of ones: each output counts the taps that lie inside, and adds the bias. */
typedef struct job {
    const cvk_spec *layer;
    cvk_status status;
    float first; /* output */
} job;

static float *filled(uint64_t bytes, float value) {
    float *p = aligned_alloc(ALIGNMENT, (bytes / ALIGNMENT + 1) * ALIGNMENT);
    for (uint64_t i = 0; p && i < bytes / sizeof *p; i++) p[i] = value;
    return p;
}

static cvk_status run_kernel(const cvk_kernel_info *info, float *first) {
    float *input = filled(info->input.bytes, 1), *weights = filled(info->weights.bytes, 1);
    float *packed = filled(info->packed_weights.bytes, 0), *bias = filled(info->bias.bytes, 1);
    float *output = filled(info->output.bytes, 0), *scratch = filled(cvk_scratch_bytes(info, 1), 0);
    float *workspace = filled(info->workspace.bytes, 0);
    cvk_buffers buffers = {.struct_size = sizeof buffers,
                           .input = {input, info->input.bytes},
                           .weights = {packed, info->packed_weights.bytes},
                           .bias = {bias, info->bias.bytes},
                           .output = {output, info->output.bytes},
                           .scratch = {scratch, cvk_scratch_bytes(info, 1)},
                           .workspace = {workspace, info->workspace.bytes}};
    cvk_status status = cvk_pack_weights(info, (cvk_const_buffer){weights, info->weights.bytes},
                                         (cvk_buffer){packed, info->packed_weights.bytes});
    if (status == CVK_OK) status = cvk_run(info, &buffers, NULL);
    *first = output ? output[0] : 0;
    float *all[] = {input, weights, packed, bias, output, scratch, workspace};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    return status;
}

static void *compile_and_run(void *argument) {
    job *j = argument;
    cvk_kernel *kernel;
    j->status = cvk_compile(j->layer, NULL, NULL, &kernel);
    if (j->status == CVK_OK) j->status = run_kernel(cvk_kernel_get_info(kernel), &j->first);
    cvk_kernel_free(kernel);
    return NULL;
}

static int show(const cvk_diagnostics *diagnostics) {
    char line[1024];
    for (size_t i = 0; i < cvk_diagnostics_count(diagnostics); i++) {
        cvk_diagnostic_format(cvk_diagnostics_get(diagnostics, i), line, sizeof line);
        fprintf(stderr, "%s\n", line);
    }
    return 1;
}

int main(int count, char **arguments) {
    cvk_diagnostics *diagnostics = cvk_diagnostics_new();
    cvk_network *network;
    if (count != 2 || cvk_network_read(arguments[1], diagnostics, &network) != CVK_OK) return show(diagnostics);
    job jobs[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        jobs[i] = (job){.layer = cvk_network_layer(network, i % cvk_network_count(network))};
        pthread_create(&threads[i], NULL, compile_and_run, &jobs[i]);
    }
    int wrong = 0;
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        printf("%s: %s, first output %g\n", cvk_spec_name(jobs[i].layer), cvk_status_text(jobs[i].status),
               (double)jobs[i].first);
        wrong |= jobs[i].status != CVK_OK;
    }
    cvk_network_free(network);
    cvk_diagnostics_free(diagnostics);
    return wrong;
}
