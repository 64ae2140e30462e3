/* Processes: eight share an empty directory, so that they write, read, evict and renew the same entries at once. The
 * directory is too small for all of them. */
#include "layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 8, CACHE_BYTES = 48 << 10 };

static void request(const cvk_network *network, const cvk_options *options, size_t layer) {
    cvk_kernel *kernel;
    cvk_status status = cvk_compile(cvk_network_layer(network, layer), options, NULL, &kernel);
    expect(status == CVK_OK, "layer %zu: %s", layer, cvk_status_text(status));
    layers_check(kernel, layer);
    cvk_kernel_free(kernel);
}

/* Half of the requests are for the first few layers: those stay, the others come and go. */
static void run(const char *folder, long requests, unsigned seed) {
    cvk_network *network = layers_make();
    const cvk_options options = {.struct_size = sizeof options, .cache_directory = folder, .cache_bytes = CACHE_BYTES};
    for (long i = 0; i < requests; i++) {
        size_t among = i % 2 ? 4 : LAYERS;
        request(network, &options, (size_t)rand_r(&seed) % among);
        if (i % 8 == 0) cvk_cache_clear();
    }
    cvk_cache_clear();
    cvk_network_free(network);
}

int main(void) {
    char folder[32];
    cache_make(folder);
    long requests = amount("CVK_REQUESTS", 5000);
    unsigned seed = (unsigned)amount("CVK_SEED", 1);
    for (unsigned i = 0; i < PROCESSES; i++) {
        pid_t child = fork();
        expect(child >= 0, "a process");
        if (child == 0) {
            run(folder, requests / PROCESSES, seed + i);
            _exit(0);
        }
    }
    for (int i = 0, status; i < PROCESSES; i++) {
        expect(wait(&status) > 0, "a process that ends");
        expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a process failed, CVK_SEED=%u", seed);
    }
    cache_remove(folder);
    printf("%ld requests of %d layers from %d processes, CVK_SEED=%u\n", requests, LAYERS, PROCESSES, seed);
    return 0;
}
