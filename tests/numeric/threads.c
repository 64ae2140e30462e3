#include "threads.h"

#include <pthread.h>
#include <stdbool.h>

enum { MOST_THREADS = 8 };

typedef struct share {
    cvk_parallel_body *body;
    void *argument;
    size_t index;
} share;

static void *run_share(void *argument) {
    const share *s = argument;
    s->body(s->argument, s->index);
    return NULL;
}

static void loop_on_threads(void *context, size_t n, cvk_parallel_body *body, void *argument) {
    (void)context;
    pthread_t thread[MOST_THREADS];
    bool started[MOST_THREADS];
    share shares[MOST_THREADS];
    for (size_t i = 0; i < n; i++) {
        shares[i] = (share){body, argument, i};
        started[i] = pthread_create(&thread[i], NULL, run_share, &shares[i]) == 0;
        if (!started[i]) run_share(&shares[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (started[i]) pthread_join(thread[i], NULL);
}

cvk_parallel_for threads_for(uint32_t workers) {
    return (cvk_parallel_for){loop_on_threads, NULL, workers < MOST_THREADS ? workers : MOST_THREADS};
}
