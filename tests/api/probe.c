/* A program as users write them: compiles one layer, runs it N times, and says how it went and whether LLVM was loaded.
 *
 *     probe [N]  ->  "status 0 llvm 1 sum 54" */
#include <convoke/convoke.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SPEC[] =
    "version: 1\nlayers: [{name: probed, input: [1, 1, 3, 3], out_channels: 1, kernel_size: 1}]\n";

static int is_loaded(const char *library) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096];
    int found = 0;
    while (maps && fgets(line, sizeof line, maps)) found |= strstr(line, library) != NULL;
    if (maps) fclose(maps);
    return found;
}

/* The sum of the outputs where inputs are 2 and the weight is 3. */
static float run(const cvk_kernel_info *info) {
    static _Alignas(64) float packed[1 << 14], scratch[1 << 14];
    float input[9], weight = 3, output[9], sum = 0;
    for (int i = 0; i < 9; i++) input[i] = 2;
    const cvk_buffers buffers = {.struct_size = sizeof buffers,
                                 .input = {input, sizeof input},
                                 .weights = {packed, sizeof packed},
                                 .output = {output, sizeof output},
                                 .scratch = {scratch, sizeof scratch}};
    if (cvk_pack_weights(info, (cvk_const_buffer){&weight, sizeof weight}, (cvk_buffer){packed, sizeof packed}) !=
            CVK_OK ||
        cvk_run(info, &buffers, NULL) != CVK_OK)
        return -1;
    for (int i = 0; i < 9; i++) sum += output[i];
    return sum;
}

int main(int argc, char **argv) {
    int runs = argc > 1 ? atoi(argv[1]) : 1;
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_network *network;
    cvk_kernel *kernel;
    if (cvk_network_parse(SPEC, strlen(SPEC), "probe", d, &network) != CVK_OK) return 1;
    cvk_status status = cvk_compile(cvk_network_layer(network, 0), NULL, d, &kernel);
    float sum = 0;
    for (int i = 0; i < runs && status == CVK_OK; i++) sum = run(cvk_kernel_get_info(kernel));
    printf("status %d llvm %d sum %g\n", (int)status, is_loaded("libLLVM"), (double)sum);
    for (size_t i = 0; i < cvk_diagnostics_count(d); i++) {
        char line[512];
        cvk_diagnostic_format(cvk_diagnostics_get(d, i), line, sizeof line);
        printf("%s\n", line);
    }
    cvk_kernel_free(kernel);
    cvk_network_free(network);
    cvk_diagnostics_free(d);
    cvk_cache_clear();
    return 0;
}
