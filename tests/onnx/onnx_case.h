/* Test cases of the ONNX format: a folder with a model of one Conv, ConvTranspose, ConvInteger, QLinearConv or pool,
 * its inputs and the output expected of it. */
#ifndef CVK_TESTS_ONNX_CASE_H
#define CVK_TESTS_ONNX_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct onnx_case {
    bool layer; /* some kind of convolution or pool: a folder of another sort is neither loaded nor worth a word */
    char skipped[128];                                      /* why the case was not loaded; "" if it was */
    char yaml[1024];                                        /* the layer as a spec, channels_first */
    void *input, *weights, *bias /* NULL: none */, *output; /* heap; of the layer's types; logical shapes, dense */
    float *scale;     /* multipliers of sums, one a channel or one for all; or NULL */
    int32_t *indices; /* expected beside the output, counted in the map of a channel; or NULL */
    int64_t input_elements, weights_elements, bias_elements, output_elements;
} onnx_case;

/* Reads `folder`/model.onnx and `folder`/test_data_set_0. `name` becomes the layer's. True if the case is there to be
 * run. Free it either way. */
bool onnx_case_load(const char *folder, const char *name, onnx_case *c);
void onnx_case_free(onnx_case *c);

/* Calls `run` for every case below the folder of Debian's libonnx-testdata and prints what is skipped, and why.
 * Gives the number of cases run. */
int onnx_cases_each(void (*run)(const char *name, const onnx_case *c));

#endif
