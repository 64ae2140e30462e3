/* A network out of an object, linked with the runtime alone: run on one thread and by a loop that goes backwards, whose
 * results are the same. */
#include "small.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 2, OUTPUTS = 3 };

static void *filled(size_t bytes, unsigned seed) {
    float *to = aligned_alloc(64, (bytes + 127) / 64 * 64);
    for (size_t i = 0; i < bytes / sizeof *to; i++) to[i] = (float)((int)(i * 2654435761u + seed) >> 20) / 4096;
    return to;
}

static void backwards(void *context, size_t n, cvk_parallel_body *body, void *argument) {
    (void)context;
    while (n > 0) body(argument, --n);
}

static cvk_status run(const cvk_network_info *n, cvk_const_buffer packed, const cvk_parallel_for *threads,
                      cvk_buffer output[OUTPUTS]) {
    const uint64_t work = cvk_network_workspace(n, IMAGES, threads ? threads->workers : 1).bytes;
    cvk_const_buffer input[2];
    for (uint32_t i = 0; i < 2; i++)
        input[i] = (cvk_const_buffer){filled(IMAGES * n->input[i].bytes, i), IMAGES * n->input[i].bytes};
    for (int i = 0; i < OUTPUTS; i++)
        output[i] = (cvk_buffer){filled(IMAGES * n->output[i].bytes, 9), IMAGES * n->output[i].bytes};
    const cvk_network_buffers b = {.struct_size = sizeof b,
                                   .batch = IMAGES,
                                   .inputs = input,
                                   .outputs = output,
                                   .weights = packed,
                                   .workspace = {filled(work, 5), work}};
    const cvk_status status = cvk_network_run(n, &b, threads);
    free((void *)input[0].data);
    free((void *)input[1].data);
    free(b.workspace.data);
    return status;
}

int main(void) {
    const cvk_network_info *n = &small_network;
    const cvk_parallel_for threads = {backwards, NULL, 3};
    cvk_const_buffer *weights = calloc(n->weights, sizeof *weights);
    cvk_buffer packed = {filled(small_network_PACKED_WEIGHTS_BYTES, 0), small_network_PACKED_WEIGHTS_BYTES};
    cvk_buffer one[OUTPUTS], three[OUTPUTS];
    for (uint32_t i = 0; i < n->weights; i++)
        weights[i] = (cvk_const_buffer){filled(n->weight[i].bytes, i), n->weight[i].bytes};
    cvk_status status = cvk_network_pack(n, weights, packed);
    const cvk_const_buffer ready = {packed.data, packed.bytes};
    if (!status) status = run(n, ready, NULL, one);
    if (!status) status = run(n, ready, &threads, three);
    printf("%s\n", cvk_status_text(status));
    for (int i = 0; i < OUTPUTS && !status; i++)
        printf("%s: %s\n", n->output[i].name,
               memcmp(one[i].data, three[i].data, one[i].bytes) ? "other bits" : "the same");
    return status != CVK_OK;
}
