/* Kernels compiled at build time compute what a loop written here computes, bit for bit: the data are small integers.
 */
#include "layers.h"

#include <stdalign.h>
#include <stdio.h>
#include <string.h>

enum { CHANNELS = 8, SIZE = 12, OUTPUTS = 24, TAPS = 9 };

static alignas(64) float input[SIZE][SIZE][CHANNELS], weights[OUTPUTS][CHANNELS][3][3], bias[OUTPUTS];
static alignas(64) float output[SIZE][SIZE][OUTPUTS], packed[1 << 16], scratch[1 << 20];

static void fill(float *to, size_t count, int period) {
    for (size_t i = 0; i < count; i++) to[i] = (float)((int)(i * 7 % (size_t)period) - period / 2);
}

static float expected(int oh, int ow, int oc) {
    float sum = bias[oc];
    for (int ic = 0; ic < CHANNELS; ic++)
        for (int tap = 0; tap < TAPS; tap++) {
            int kh = tap / 3, kw = tap % 3, ih = oh + kh - 1, iw = ow + kw - 1;
            if (ih >= 0 && ih < SIZE && iw >= 0 && iw < SIZE) sum += input[ih][iw][ic] * weights[oc][ic][kh][kw];
        }
    return sum > 0 ? sum : 0;
}

static int compare(void) {
    for (int oh = 0; oh < SIZE; oh++)
        for (int ow = 0; ow < SIZE; ow++)
            for (int oc = 0; oc < OUTPUTS; oc++)
                if (output[oh][ow][oc] != expected(oh, ow, oc)) {
                    fprintf(stderr, "output %d, %d, channel %d is %g, not %g\n", oh, ow, oc, (double)output[oh][ow][oc],
                            (double)expected(oh, ow, oc));
                    return 1;
                }
    return 0;
}

int main(void) {
    fill(&input[0][0][0], sizeof input / sizeof(float), 11);
    fill(&weights[0][0][0][0], sizeof weights / sizeof(float), 9);
    fill(bias, OUTPUTS, 5);
    const cvk_kernel_info *info = &example_block;
    if (strcmp(info->name, "block") != 0 || info->input.bytes != sizeof input || info->output.bytes != sizeof output)
        return 1;
    const cvk_buffers buffers = {.struct_size = sizeof buffers,
                                 .input = {input, sizeof input},
                                 .weights = {packed, sizeof packed},
                                 .bias = {bias, sizeof bias},
                                 .output = {output, sizeof output},
                                 .scratch = {scratch, sizeof scratch}};
    cvk_status status =
        cvk_pack_weights(info, (cvk_const_buffer){weights, sizeof weights}, (cvk_buffer){packed, sizeof packed});
    if (status == CVK_OK) status = cvk_run(info, &buffers, NULL);
    if (status == CVK_OK) return compare();
    fprintf(stderr, "%s\n", cvk_status_text(status));
    return 1;
}
