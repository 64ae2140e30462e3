/* Ahead of time: a kernel that was compiled when this program was built.
 *
 *     convoke compile examples/layers.yaml -o .
 *     cc examples/aot.c layers.o -I. -lconvoke_rt
 *
 * The program links the runtime alone: no compiler, no LLVM, no YAML. */
#include "layers.h"

#include <stdalign.h>
#include <stdio.h>

/* A bright square on the left; the kernel finds its right edge. */
static const float picture[36] = {
    10, 10, 10, 0, 0, 0, 10, 10, 10, 0, 0, 0, 10, 10, 10, 0, 0, 0,
    10, 10, 10, 0, 0, 0, 10, 10, 10, 0, 0, 0, 10, 10, 10, 0, 0, 0,
};
static const float kernel[9] = {1, 0, -1, 1, 0, -1, 1, 0, -1};

static alignas(64) float packed[1024], scratch[65536], edges[16];

int main(void) {
    const cvk_kernel_info *info = &example_edges;
    cvk_status status =
        cvk_pack_weights(info, (cvk_const_buffer){kernel, sizeof kernel}, (cvk_buffer){packed, sizeof packed});
    cvk_buffers buffers = {.struct_size = sizeof buffers,
                           .input = {picture, sizeof picture},
                           .weights = {packed, sizeof packed},
                           .output = {edges, sizeof edges},
                           .scratch = {scratch, sizeof scratch}};
    if (status == CVK_OK) status = cvk_run(info, &buffers, NULL);
    if (status != CVK_OK) {
        fprintf(stderr, "%s: %s\n", info->name, cvk_status_text(status));
        return 1;
    }
    for (int row = 0; row < 4; row++)
        printf("%3g %3g %3g %3g\n", (double)edges[4 * row], (double)edges[4 * row + 1], (double)edges[4 * row + 2],
               (double)edges[4 * row + 3]);
    return 0;
}
