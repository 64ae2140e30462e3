/* Layers so small that compiling, not running, is what takes time. */
#include "layers.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void expect(bool sound, const char *format, ...) {
    if (sound) return;
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    _exit(1);
}

/* Layer i has i + 1 output channels of 1 x 1 kernels over three input channels. */
cvk_network *layers_make(void) {
    char yaml[8192] = "version: 1\nlayers:\n";
    size_t used = strlen(yaml);
    for (int i = 0; i < LAYERS; i++)
        used +=
            (size_t)snprintf(yaml + used, sizeof yaml - used,
                             "- {name: layer%d, input: [1, 3, 4, 5], out_channels: %d, kernel_size: 1}\n", i, i + 1);
    cvk_network *network;
    expect(cvk_network_parse(yaml, used, "race.yaml", NULL, &network) == CVK_OK, "the layers are sound");
    return network;
}

enum { PIXELS = 20, MOST_BYTES = 1 << 16 };

/* Inputs of 1, 2, 3 by channel and weights of 1 make 6 everywhere. */
void layers_check(const cvk_kernel *kernel, size_t layer) {
    const cvk_kernel_info *info = cvk_kernel_get_info(kernel);
    char name[16];
    snprintf(name, sizeof name, "layer%zu", layer);
    expect(strcmp(info->name, name) == 0 && info->output_shape[1] == (int64_t)layer + 1, "%s is %s", name, info->name);
    expect(info->packed_weights.bytes <= MOST_BYTES && info->scratch.bytes <= MOST_BYTES, "%s: larger than expected",
           name);
    static _Thread_local _Alignas(64) float packed[MOST_BYTES / 4], scratch[MOST_BYTES / 4];
    float input[3 * PIXELS], weights[3 * LAYERS], output[LAYERS * PIXELS];
    for (int i = 0; i < 3 * PIXELS; i++) input[i] = 1.0f + (float)(i / PIXELS);
    for (int i = 0; i < 3 * LAYERS; i++) weights[i] = 1;
    const cvk_const_buffer dense = {weights, sizeof weights};
    expect(cvk_pack_weights(info, dense, (cvk_buffer){packed, sizeof packed}) == CVK_OK, "%s: packing", name);
    const cvk_buffers buffers = {.struct_size = sizeof buffers,
                                 .input = {input, sizeof input},
                                 .weights = {packed, sizeof packed},
                                 .output = {output, sizeof output},
                                 .scratch = {scratch, sizeof scratch}};
    cvk_status status = cvk_run(info, &buffers, NULL);
    expect(status == CVK_OK, "%s: %s", name, cvk_status_text(status));
    for (size_t i = 0; i < (layer + 1) * PIXELS; i++)
        expect(output[i] == 6, "%s: output %zu is %g, not 6", name, i, (double)output[i]);
}

void cache_make(char folder[32]) {
    strcpy(folder, "/tmp/convoke-race-XXXXXX");
    expect(mkdtemp(folder) != NULL, "a folder for the cache");
}

void cache_remove(const char *folder) {
    DIR *d = opendir(folder);
    const struct dirent *f;
    while (d && (f = readdir(d))) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, f->d_name);
        unlink(path);
    }
    if (d) closedir(d);
    rmdir(folder);
}

long amount(const char *variable, long otherwise) {
    const char *value = getenv(variable);
    return value ? atol(value) : otherwise;
}
