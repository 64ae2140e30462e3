/* Which variant of a layer does this machine get, and is it right? `dispatch TARGET`, or `dispatch none NAMES` where no
 * variant can run and NAMES are features that are missing from the least demanding. */
#include "layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 9, MOST_PACKED = 4096, MOST_SCRATCH = 1 << 18 };

static _Alignas(64) float packed[MOST_PACKED], scratch[MOST_SCRATCH];

/* Twice the middle of nine: every output is twice the input. */
static int right(const cvk_kernel_info *info) {
    static const float weights[9] = {[4] = 2};
    float input[SIZE * SIZE], output[SIZE * SIZE];
    for (int i = 0; i < SIZE * SIZE; i++) input[i] = (float)i;
    const cvk_buffers b = {.struct_size = sizeof b,
                           .input = {input, sizeof input},
                           .weights = {packed, sizeof packed},
                           .output = {output, sizeof output},
                           .scratch = {scratch, sizeof scratch}};
    if (cvk_pack_weights(info, (cvk_const_buffer){weights, sizeof weights}, (cvk_buffer){packed, sizeof packed}) ||
        cvk_run(info, &b, NULL))
        return 0;
    for (int i = 0; i < SIZE * SIZE; i++)
        if (output[i] != 2 * input[i]) return 0;
    return 1;
}

static int none(cvk_status status, const char *names) {
    const cvk_kernel_info *least = cross_twice.variants[cross_twice.count - 1];
    char missing[256];
    size_t length = cvk_cpu_names(least->cpu_features & ~cvk_cpu_features(), missing, sizeof missing);
    printf("%s: %s\n", cvk_status_text(status), missing);
    if (status != CVK_ERROR_CPU || length != strlen(missing) || !strstr(missing, names)) return 1;
    /* The raw call refuses too. */
    const cvk_buffers b = {.struct_size = sizeof b};
    return cvk_run(least, &b, NULL) != CVK_ERROR_CPU;
}

int main(int count, char **arguments) {
    cvk_status status = CVK_ERROR_INTERNAL;
    const cvk_kernel_info *info = cvk_select(&cross_twice, &status);
    if (count == 3) return info ? 1 : none(status, arguments[2]);
    if (count != 2 || !info || status != CVK_OK) return 1;
    printf("%s\n", info->target);
    return strcmp(info->target, arguments[1]) != 0 || !right(info) || info != cvk_select(&cross_twice, NULL);
}
