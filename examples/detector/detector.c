/* Where a picture has text: a network compiled ahead of time with its weights, on a PPM; its heat map is a PGM.
 *
 *     ./build.sh model.onnx            makes detector.o, detector.h, and this program
 *     ./detector IN.ppm OUT.pgm
 *
 * The program links the runtime alone and allocates three buffers, whose sizes the header has. */
#include "detector.h"

#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 640 }; /* of the network's input, both ways */

/* Of the red, green and blue that a network of ImageNet's pictures expects. */
static const float MEAN[3] = {0.485f, 0.456f, 0.406f}, DEVIATION[3] = {0.229f, 0.224f, 0.225f};

typedef struct picture {
    int width, height;
    unsigned char *pixels; /* height x width x 3 */
} picture;

static picture read_ppm(const char *path) {
    picture p = {0, 0, NULL};
    FILE *file = fopen(path, "rb");
    int most = 0;
    if (file && fscanf(file, "P6 %d %d %d", &p.width, &p.height, &most) == 3 && fgetc(file) != EOF && most == 255 &&
        p.width > 0 && p.height > 0 && p.width <= 1 << 14 && p.height <= 1 << 14) {
        const size_t bytes = 3 * (size_t)p.width * (size_t)p.height;
        p.pixels = malloc(bytes);
        if (p.pixels && fread(p.pixels, 1, bytes, file) != bytes) free(p.pixels), p.pixels = NULL;
    }
    if (file) fclose(file);
    return p;
}

/* The nearest pixel of `many` to the i-th of `few`. */
static int nearest(int i, int few, int many) { return (int)(((long)i * 2 + 1) * many / (2 * few)); }

/* Channels first, blue before red, as the model was trained. */
static void fill_input(const picture *p, float *x) {
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++) {
                const int row = nearest(i, SIZE, p->height), column = nearest(j, SIZE, p->width);
                const float level = p->pixels[3 * ((size_t)row * (size_t)p->width + (size_t)column) + (size_t)(2 - c)];
                *x++ = (level / 255 - MEAN[c]) / DEVIATION[c];
            }
}

/* The network's output, from 0 to 1, in the size of the picture. */
static int write_pgm(const char *path, const picture *p, const float *heat) {
    FILE *file = fopen(path, "wb");
    if (!file) return 1;
    fprintf(file, "P5\n%d %d\n255\n", p->width, p->height);
    for (int i = 0; i < p->height; i++)
        for (int j = 0; j < p->width; j++)
            fputc((int)(255 * heat[nearest(i, p->height, SIZE) * SIZE + nearest(j, p->width, SIZE)] + 0.5f), file);
    return fclose(file);
}

static int fail(const char *what, const char *why) {
    fprintf(stderr, "detector: %s: %s\n", what, why);
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 3) return fail("usage", "detector IN.ppm OUT.pgm");
    picture p = read_ppm(argv[1]);
    if (!p.pixels) return fail(argv[1], "cannot be read as a PPM of 8 bits");

    const cvk_network_info *net = &detector_network;
    const cvk_buffer_info work = cvk_network_workspace(net, 1, 1);
    float *x = aligned_alloc(64, net->input[0].bytes), *heat = aligned_alloc(64, net->output[0].bytes);
    void *workspace = aligned_alloc(64, (work.bytes + 63) / 64 * 64);
    if (!x || !heat || !workspace) return fail("memory", "there is not enough");

    fill_input(&p, x);
    const cvk_status status = cvk_network_run(net,
                                              &(cvk_network_buffers){
                                                  .struct_size = sizeof(cvk_network_buffers),
                                                  .inputs = &(cvk_const_buffer){x, net->input[0].bytes},
                                                  .outputs = &(cvk_buffer){heat, net->output[0].bytes},
                                                  .workspace = {workspace, work.bytes},
                                              },
                                              NULL);
    if (status != CVK_OK) return fail(net->name, cvk_status_text(status));
    if (write_pgm(argv[2], &p, heat)) return fail(argv[2], "cannot be written");
    free(workspace), free(heat), free(x), free(p.pixels);
    return 0;
}
