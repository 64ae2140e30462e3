/* Jobs: a compile on a thread of its own, whose result waits to be collected. */
#include "api/messages.h"
#include "api/request.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct cvk_job {
    pthread_t thread;
    const cvk_spec *spec;
    settings settings;
    atomic_bool cancelled, done;
    pthread_mutex_t lock; /* of `joined`, and of waiting */
    bool joined;
    cvk_status status; /* these once done */
    cvk_kernel *kernel;
    cvk_diagnostics *diagnostics;
};

static void *run(void *argument) {
    cvk_job *job = argument;
    if (!atomic_load(&job->cancelled))
        job->status = request_kernel(job->spec, &job->settings, job->diagnostics, &job->kernel);
    atomic_store(&job->done, true);
    return NULL;
}

static void discard(cvk_job *job) {
    cvk_diagnostics_free(job->diagnostics);
    settings_free(&job->settings);
    cvk_kernel_free(job->kernel);
    pthread_mutex_destroy(&job->lock);
    free(job);
}

static cvk_status start(cvk_job *job, const cvk_options *options) {
    job->diagnostics = cvk_diagnostics_new();
    if (!job->diagnostics) return CVK_ERROR_MEMORY;
    /* A mistake in the options is the job's result, so that its message is not lost. */
    job->status = settings_read(options, job->diagnostics, &job->settings);
    if (job->status) atomic_store(&job->cancelled, true);
    return pthread_create(&job->thread, NULL, run, job) == 0 ? CVK_OK : CVK_ERROR_MEMORY;
}

cvk_status cvk_compile_start(const cvk_spec *spec, const cvk_options *options, cvk_job **job) {
    if (!job) return CVK_ERROR_ARGUMENT;
    *job = NULL;
    if (!spec) return CVK_ERROR_ARGUMENT;
    cvk_job *made = calloc(1, sizeof *made);
    if (!made) return CVK_ERROR_MEMORY;
    made->spec = spec;
    pthread_mutex_init(&made->lock, NULL);
    cvk_status status = start(made, options);
    if (!status)
        *job = made;
    else
        discard(made);
    return status;
}

bool cvk_job_done(const cvk_job *job) { return !job || atomic_load(&job->done); }

static void join(cvk_job *job) {
    pthread_mutex_lock(&job->lock);
    if (!job->joined) pthread_join(job->thread, NULL);
    job->joined = true;
    pthread_mutex_unlock(&job->lock);
}

cvk_status cvk_job_wait(cvk_job *job, cvk_diagnostics *diagnostics, cvk_kernel **kernel) {
    if (!kernel) return CVK_ERROR_ARGUMENT;
    *kernel = NULL;
    if (!job) return CVK_ERROR_ARGUMENT;
    join(job);
    messages_append(diagnostics, job->diagnostics);
    *kernel = cvk_kernel_ref(job->kernel);
    return job->status;
}

void cvk_job_free(cvk_job *job) {
    if (!job) return;
    atomic_store(&job->cancelled, true);
    join(job);
    discard(job);
}
