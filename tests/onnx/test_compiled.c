/* Do compiled kernels give what ONNX and PyTorch expect of their own convolutions and pools? Through the public API
 * alone, but for the bound. */
#include "onnx_case.h"
#include "judge/bound.h"
#include "judge/naive.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALL_NAN = 0xff };

/* Aligned as the kernel asks; never NULL. */
static void *allocate(uint64_t bytes, uint32_t alignment) {
    void *memory = NULL;
    size_t least = alignment < sizeof(void *) ? sizeof(void *) : alignment;
    cr_assert_eq(posix_memalign(&memory, least, (size_t)bytes + 1), 0);
    return memory;
}

static void *copy_of(const void *data, const cvk_buffer_info *info) {
    void *copy = allocate(info->bytes, info->alignment);
    if (info->bytes) memcpy(copy, data, (size_t)info->bytes);
    return copy;
}

/* Packs and runs; the output is the caller's. */
static void *run_kernel(const char *name, const cvk_kernel_info *info, const onnx_case *c) {
    void *input = copy_of(c->input, &info->input);
    void *weights = copy_of(c->weights, &info->weights);
    void *bias = copy_of(c->bias, &info->bias);
    void *scale = copy_of(c->scale, &info->scale);
    void *addend = copy_of(c->addend, &info->addend);
    void *packed = allocate(info->packed_weights.bytes, info->packed_weights.alignment);
    void *scratch = allocate(info->scratch.bytes, info->scratch.alignment);
    void *workspace = allocate(info->workspace.bytes, info->workspace.alignment);
    void *output = allocate(info->output.bytes, info->output.alignment);
    int32_t *indices = allocate(info->indices.bytes, info->indices.alignment);
    const cvk_buffers buffers = {.struct_size = sizeof buffers,
                                 .input = {input, info->input.bytes},
                                 .weights = {packed, info->packed_weights.bytes},
                                 .bias = {bias, info->bias.bytes},
                                 .scale = {scale, info->scale.bytes},
                                 .addend = {addend, info->addend.bytes},
                                 .output = {output, info->output.bytes},
                                 .scratch = {scratch, cvk_scratch_bytes(info, 1)},
                                 .workspace = {workspace, info->workspace.bytes},
                                 .indices = {indices, info->indices.bytes}};
    const cvk_const_buffer dense = {weights, info->weights.bytes};
    memset(output, ALL_NAN, (size_t)info->output.bytes);
    if (info->pack)
        cr_assert_eq(cvk_pack_weights(info, dense, (cvk_buffer){packed, info->packed_weights.bytes}), CVK_OK, "%s",
                     name);
    cvk_status status = cvk_run(info, &buffers, NULL);
    cr_assert_eq(status, CVK_OK, "%s: %s", name, cvk_status_text(status));
    free(input);
    free(weights);
    free(bias);
    free(scale);
    free(packed);
    free(addend);
    free(scratch);
    free(workspace);
    for (int64_t i = 0; c->indices && i < c->output_elements; i++)
        cr_assert_eq(indices[i], c->indices[i], "%s: index %d", name, (int)i);
    free(indices);
    return output;
}

/* The kernel and the expected values are two f32 results: each may be off by the bound. */
static void expect_output(const char *name, const cvk_spec *spec, const onnx_case *c, const char *output) {
    long double *y = malloc((size_t)c->output_elements * sizeof *y);
    double *bound = malloc((size_t)c->output_elements * sizeof *bound);
    naive_run(spec,
              &(naive_tensors){
                  .input = c->input, .weights = c->weights, .bias = c->bias, .scale = c->scale, .addend = c->addend},
              y, bound);
    const cvk_type type = spec->output_type;
    for (int64_t i = 0; i < c->output_elements; i++) {
        const double got = type_read(type, output + i * type_bytes(type));
        const double expected = type_read(type, (const char *)c->output + i * type_bytes(type));
        cr_assert_leq(bound_ratio(expected, (2 + c->slack) * bound[i], got), 1, "%s: output %d is %.9g, not %.9g", name,
                      (int)i, got, expected);
    }
    free(y);
    free(bound);
}

static void run_case(const char *name, const onnx_case *c) {
    cvk_network *network;
    cvk_kernel *kernel;
    cr_assert_eq(cvk_network_parse(c->yaml, strlen(c->yaml), name, NULL, &network), CVK_OK, "%s:\n%s", name, c->yaml);
    const cvk_spec *spec = cvk_network_layer(network, 0);
    cvk_status status = cvk_compile(spec, NULL, NULL, &kernel);
    cr_assert_eq(status, CVK_OK, "%s: %s", name, cvk_status_text(status));
    const cvk_kernel_info *info = cvk_kernel_get_info(kernel);
    cr_assert_eq(info->output.bytes, (uint64_t)(c->output_elements * type_bytes(spec->output_type)),
                 "%s: the output's size", name);
    void *output = run_kernel(name, info, c);
    expect_output(name, spec, c, output);
    free(output);
    cvk_kernel_free(kernel);
    cvk_network_free(network);
}

Test(onnx, compiled_kernels_give_the_expected_outputs) {
    int cases = onnx_cases_each(run_case);
    cr_assert_geq(cases, 152, "only %d cases were found below " ONNX_TESTDATA, cases);
}
