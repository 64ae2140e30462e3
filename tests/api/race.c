/* Four threads compile the same and different layers at once, anew and through the cache in memory, run what they made,
 * and share kernels of one another. A plain program, because Criterion does not run under ThreadSanitizer. */
#include <convoke/convoke.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, ROUNDS = 6, LAYERS = 2, ALIGNMENT = 64 };

static cvk_network *network;
static cvk_kernel *_Atomic shared[LAYERS]; /* the last one that a thread made of each layer */
static atomic_int failures;

static void expect(bool good, const char *what) {
    if (good) return;
    atomic_fetch_add(&failures, 1);
    fprintf(stderr, "%s\n", what);
}

static void *zeroed(uint64_t bytes) {
    size_t size = (size_t)(bytes / ALIGNMENT + 1) * ALIGNMENT;
    void *p = aligned_alloc(ALIGNMENT, size);
    return p ? memset(p, 0, size) : NULL;
}

/* Of zeros, with buffers of its own. */
static void run(const cvk_kernel_info *info) {
    const cvk_buffer_info needs[] = {info->input,  info->packed_weights, info->bias,
                                     info->output, info->scratch,        info->weights};
    enum { BUFFERS = sizeof needs / sizeof *needs };
    void *data[BUFFERS];
    for (int i = 0; i < BUFFERS; i++) data[i] = zeroed(needs[i].bytes);
    const cvk_buffers buffers = {.struct_size = sizeof buffers,
                                 .input = {data[0], needs[0].bytes},
                                 .weights = {data[1], needs[1].bytes},
                                 .bias = {data[2], needs[2].bytes},
                                 .output = {data[3], needs[3].bytes},
                                 .scratch = {data[4], needs[4].bytes}};
    const cvk_const_buffer dense = {data[5], needs[5].bytes};
    expect(cvk_pack_weights(info, dense, (cvk_buffer){data[1], needs[1].bytes}) == CVK_OK, "packing failed");
    expect(cvk_run(info, &buffers, NULL) == CVK_OK, "a run failed");
    for (int i = 0; i < BUFFERS; i++) free(data[i]);
}

static void *compile_and_share(void *argument) {
    size_t first = *(size_t *)argument;
    for (size_t i = 0; i < ROUNDS; i++) {
        size_t layer = (first + i) % LAYERS;
        const cvk_spec *spec = cvk_network_layer(network, layer);
        const cvk_options options = {.struct_size = sizeof options, .cache = i % 2 ? CVK_CACHE_MEMORY : CVK_CACHE_OFF};
        cvk_kernel *kernel;
        expect(cvk_compile(spec, &options, NULL, &kernel) == CVK_OK, "a compile failed");
        if (!kernel) continue;
        expect(strcmp(cvk_kernel_get_info(kernel)->name, cvk_spec_name(spec)) == 0, "a kernel of another layer");
        run(cvk_kernel_get_info(kernel));
        cvk_kernel *before = atomic_exchange(&shared[layer], kernel);
        if (before) run(cvk_kernel_get_info(before));
        cvk_kernel_free(before);
    }
    return NULL;
}

int main(void) {
    if (cvk_network_read(SPEC, NULL, &network) != CVK_OK) return 1;
    pthread_t threads[THREADS];
    size_t first[THREADS] = {0, 0, 1, 1};
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, compile_and_share, &first[i]);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < LAYERS; i++) cvk_kernel_free(shared[i]);
    cvk_network_free(network);
    return failures != 0;
}
