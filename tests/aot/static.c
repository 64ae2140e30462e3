/* A program without a heap: every buffer has its size and alignment from the header's macros. C11, and C++17 as
 * static.cpp. */
#include "layers.h"

#include <stdalign.h>
#include <stdio.h>
#include <string.h>

alignas(example_block_INPUT_ALIGNMENT) static unsigned char input[example_block_INPUT_BYTES];
alignas(example_block_WEIGHTS_ALIGNMENT) static unsigned char weights[example_block_WEIGHTS_BYTES];
alignas(example_block_BIAS_ALIGNMENT) static unsigned char bias[example_block_BIAS_BYTES];
alignas(example_block_PACKED_ALIGNMENT) static unsigned char packed[example_block_PACKED_BYTES];
alignas(example_block_OUTPUT_ALIGNMENT) static unsigned char output[example_block_OUTPUT_BYTES];
#if example_block_SCRATCH_BYTES
alignas(example_block_SCRATCH_ALIGNMENT) static unsigned char scratch[example_block_SCRATCH_BYTES];
#else
static unsigned char *const scratch = NULL;
#endif
#if defined example_block_SCALE_BYTES || defined example_block_ADDEND_BYTES || example_block_WORKSPACE_BYTES != 0
#error "the layer has no such buffer"
#endif

/* Ones into a 3 x 3 filter of ones over 8 channels: 9 x 8 inside, less at the edges; and the bias. */
static int right(void) {
    float corner, inside;
    memcpy(&corner, output, sizeof corner);
    memcpy(&inside, output + (size_t)(12 * 24 + 24) * sizeof inside, sizeof inside);
    return corner == 4 * 8 + 1 && inside == 9 * 8 + 1;
}

static void fill(unsigned char *buffer, size_t bytes) {
    const float one = 1;
    for (size_t i = 0; i < bytes; i += sizeof one) memcpy(buffer + i, &one, sizeof one);
}

int main(void) {
    const cvk_kernel_info *info = &example_block;
    fill(input, sizeof input);
    fill(weights, sizeof weights);
    fill(bias, sizeof bias);
    cvk_buffers b;
    memset(&b, 0, sizeof b);
    b.struct_size = sizeof b;
    b.input.data = input;
    b.input.bytes = sizeof input;
    b.weights.data = packed;
    b.weights.bytes = sizeof packed;
    b.bias.data = bias;
    b.bias.bytes = sizeof bias;
    b.output.data = output;
    b.output.bytes = sizeof output;
    b.scratch.data = scratch;
    b.scratch.bytes = example_block_SCRATCH_BYTES;
    if (cvk_scratch_bytes(info, 1) != b.scratch.bytes) return 1;
    cvk_const_buffer dense = {weights, sizeof weights};
    cvk_buffer to = {packed, sizeof packed};
    cvk_status status = cvk_pack_weights(info, dense, to);
    if (status == CVK_OK) status = cvk_run(info, &b, NULL);
    if (status != CVK_OK) printf("%s\n", cvk_status_text(status));
    return status != CVK_OK || !right();
}
