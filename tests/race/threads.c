/* Threads: sixteen ask for the same layers at once. In the first race all begin with the same layer, and must be given
 * the same kernel; in the second each goes its own way from the start, and the cache in memory is emptied now and then.
 */
#include "layers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 16 };

typedef struct race {
    const cvk_network *network;
    cvk_options options;
    bool emptied;                        /* the cache, while the race goes on */
    _Atomic(cvk_kernel *) first[LAYERS]; /* what the first to ask was given; a reference */
    pthread_barrier_t start;
    atomic_long left;
} race;

static void expect_the_same(race *r, cvk_kernel *kernel, size_t layer) {
    cvk_kernel *none = NULL;
    if (atomic_compare_exchange_strong(&r->first[layer], &none, kernel)) {
        cvk_kernel_ref(kernel);
        return;
    }
    expect(r->emptied || none == kernel, "layer %zu was compiled twice", layer);
}

static void request(race *r, size_t layer) {
    cvk_kernel *kernel;
    cvk_status status = cvk_compile(cvk_network_layer(r->network, layer), &r->options, NULL, &kernel);
    expect(status == CVK_OK, "layer %zu: %s", layer, cvk_status_text(status));
    expect_the_same(r, kernel, layer);
    layers_check(kernel, layer);
    cvk_kernel_free(kernel);
}

typedef struct runner {
    pthread_t thread;
    race *race;
    unsigned seed;
} runner;

static void *run(void *argument) {
    runner *self = argument;
    race *r = self->race;
    pthread_barrier_wait(&r->start);
    for (size_t i = 0; i < LAYERS && !r->emptied; i++) request(r, i); /* all at the same one */
    while (atomic_fetch_sub(&r->left, 1) > 0) {
        request(r, (size_t)rand_r(&self->seed) % LAYERS);
        if (r->emptied && rand_r(&self->seed) % 64 == 0) cvk_cache_clear();
    }
    return NULL;
}

/* In an empty folder. */
static void run_race(const cvk_network *network, bool emptied, long requests, unsigned seed) {
    char folder[32];
    cache_make(folder);
    race r = {.network = network,
              .options = {.struct_size = sizeof r.options, .cache_directory = folder},
              .emptied = emptied,
              .left = requests};
    runner runners[THREADS];
    pthread_barrier_init(&r.start, NULL, THREADS);
    for (unsigned i = 0; i < THREADS; i++) {
        runners[i] = (runner){.race = &r, .seed = seed + i};
        expect(pthread_create(&runners[i].thread, NULL, run, &runners[i]) == 0, "a thread");
    }
    for (int i = 0; i < THREADS; i++) pthread_join(runners[i].thread, NULL);
    pthread_barrier_destroy(&r.start);
    for (int i = 0; i < LAYERS; i++) cvk_kernel_free(atomic_exchange(&r.first[i], NULL));
    cvk_cache_clear();
    cache_remove(folder);
}

int main(void) {
    cvk_network *network = layers_make();
    long requests = amount("CVK_REQUESTS", 5000);
    unsigned seed = (unsigned)amount("CVK_SEED", 1);
    run_race(network, false, requests / 2, seed);
    run_race(network, true, requests / 2, seed);
    cvk_network_free(network);
    printf("%ld requests of %d layers from %d threads, CVK_SEED=%u\n", requests, LAYERS, THREADS, seed);
    return 0;
}
