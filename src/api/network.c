/* Many layers at once: threads take the next each until there is none. The calling thread is one of them, so a machine
 * that refuses to make threads only takes longer. Each layer has messages of its own, which are put together in the
 * order of the layers. */
#include "api/all.h"

#include "api/messages.h"
#include "api/request.h"
#include "spec/spec.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct layer_result {
    cvk_status status;
    cvk_diagnostics *diagnostics;
} layer_result;

typedef struct network_job {
    const cvk_spec *const *layers;
    const settings *settings;
    cvk_kernel **kernels;
    layer_result *results;
    size_t count;
    atomic_size_t next;
    atomic_bool failed; /* then what has not begun is left */
} network_job;

static void *work(void *argument) {
    network_job *job = argument;
    size_t i;
    while (!atomic_load(&job->failed) && (i = atomic_fetch_add(&job->next, 1)) < job->count) {
        layer_result *r = &job->results[i];
        r->status = request_kernel(job->layers[i], job->settings, r->diagnostics, &job->kernels[i]);
        if (r->status) atomic_store(&job->failed, true);
    }
    return NULL;
}

static void run_threads(network_job *job) {
    pthread_t thread[SETTINGS_MOST_THREADS];
    /* Measuring wants the machine to itself. */
    size_t most = job->settings->effort == CVK_EFFORT_MEASURE ? 1 : job->settings->threads;
    size_t wanted = most < job->count ? most : job->count, started = 0;
    while (started + 1 < wanted && pthread_create(&thread[started], NULL, work, job) == 0) started++;
    work(job);
    while (started > 0) pthread_join(thread[--started], NULL);
}

static cvk_status first_failure(const network_job *job, cvk_diagnostics *d) {
    cvk_status status = CVK_OK;
    for (size_t i = 0; i < job->count; i++) {
        messages_append(d, job->results[i].diagnostics);
        if (!status) status = job->results[i].status;
    }
    return status;
}

static cvk_status compile_all(network_job *job, cvk_diagnostics *d) {
    for (size_t i = 0; d && i < job->count; i++) {
        job->results[i].diagnostics = cvk_diagnostics_new();
        if (!job->results[i].diagnostics) return CVK_ERROR_MEMORY;
    }
    run_threads(job);
    return first_failure(job, d);
}

static void release(network_job *job, bool kernels) {
    for (size_t i = 0; i < job->count; i++) {
        cvk_diagnostics_free(job->results[i].diagnostics);
        if (!kernels) continue;
        cvk_kernel_free(job->kernels[i]);
        job->kernels[i] = NULL;
    }
    free(job->results);
}

cvk_status request_all(const cvk_spec *const *layers, size_t count, const settings *s, cvk_diagnostics *d,
                       cvk_kernel **kernels) {
    network_job job = {.layers = layers, .settings = s, .kernels = kernels, .count = count};
    job.results = calloc(count ? count : 1, sizeof *job.results);
    if (!job.results) return CVK_ERROR_MEMORY;
    cvk_status status = compile_all(&job, d);
    release(&job, status != CVK_OK);
    return status;
}

static cvk_status compile_network(const cvk_network *network, const settings *s, cvk_diagnostics *d,
                                  cvk_kernel **kernels) {
    const size_t count = network->count;
    const cvk_spec **layers = calloc(count + 1, sizeof *layers);
    if (!layers) return CVK_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) layers[i] = &network->layers[i];
    cvk_status status = request_all(layers, count, s, d, kernels);
    free(layers);
    return status;
}

cvk_status cvk_network_compile(const cvk_network *network, const cvk_options *options, cvk_diagnostics *diagnostics,
                               cvk_kernel **kernels) {
    if (!kernels) return CVK_ERROR_ARGUMENT;
    size_t count = cvk_network_count(network);
    for (size_t i = 0; i < count; i++) kernels[i] = NULL;
    if (!network) return CVK_ERROR_ARGUMENT;
    settings s;
    cvk_status status = settings_read(options, diagnostics, &s);
    if (!status) status = compile_network(network, &s, diagnostics, kernels);
    settings_free(&s);
    return status;
}
