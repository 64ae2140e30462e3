/* Runs kernels on the machine they were compiled for, with the runtime alone, and compares: `driver cases.bin`. */
#include "batches.h"
#include "layers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cvk_kernel_info *const kernels[] = {
#define KERNEL(symbol) &symbol,
#include "kernels.inc"
#undef KERNEL
};

enum { ALIGNMENT = 64, ALL_NAN = 0xff };

static void *allocate(uint64_t bytes) {
    void *memory = aligned_alloc(ALIGNMENT, ((size_t)bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT);
    if (!memory) exit(2);
    return memset(memory, ALL_NAN, (size_t)bytes);
}

static void *take(FILE *cases, uint64_t bytes) {
    void *memory = allocate(bytes);
    if (fread(memory, 1, (size_t)bytes, cases) != bytes) exit(2);
    return memory;
}

/* What a run of that many images needs, one worker's. */
static uint64_t bytes_of(const cvk_kernel_info *info, cvk_role role, uint64_t images) {
    return cvk_buffer_needs(info, role, images, 1).bytes;
}

static cvk_const_buffer take_buffer(FILE *cases, uint64_t bytes) {
    return (cvk_const_buffer){take(cases, bytes), bytes};
}

static cvk_buffer make_buffer(uint64_t bytes) { return (cvk_buffer){allocate(bytes), bytes}; }

/* With what is added to, where the kernel adds. */
static cvk_buffer take_output(const cvk_kernel_info *info, uint64_t bytes, FILE *cases) {
    return info->output.held ? (cvk_buffer){take(cases, bytes), bytes} : make_buffer(bytes);
}

/* Expected is expected + rest. */
static int right(double got, double expected, double rest, double bound) {
    return isinf(bound) || (isnan(expected) && isnan(got)) || (got == expected && rest == 0) ||
           fabs(got - expected - rest) <= bound;
}

static size_t elements(const cvk_kernel_info *info, cvk_buffer output) {
    static const size_t SIZE[] = {
        [CVK_F32] = 4, [CVK_F64] = 8, [CVK_F16] = 2, [CVK_BF16] = 2, [CVK_S8] = 1, [CVK_U8] = 1, [CVK_S32] = 4};
    return (size_t)output.bytes / SIZE[info->output_dtype];
}

/* Sign, exponent and fraction of a half. */
static double half(uint16_t bits, int fraction_bits, int bias) {
    const int fraction = bits & ((1 << fraction_bits) - 1), exponents = 0x7fff >> fraction_bits;
    const int exponent = bits >> fraction_bits & exponents;
    double size =
        ldexp(fraction + (exponent ? 1 << fraction_bits : 0), (exponent ? exponent : 1) - bias - fraction_bits);
    if (exponent == exponents) size = fraction ? NAN : INFINITY;
    return bits & 0x8000 ? -size : size;
}

static double element(cvk_dtype type, const void *tensor, size_t i) {
    switch (type) {
    case CVK_F64: return ((const double *)tensor)[i];
    case CVK_S32: return ((const int32_t *)tensor)[i];
    case CVK_S8: return ((const int8_t *)tensor)[i];
    case CVK_U8: return ((const uint8_t *)tensor)[i];
    case CVK_F16: return half(((const uint16_t *)tensor)[i], 10, 15);
    case CVK_BF16: return half(((const uint16_t *)tensor)[i], 7, 127);
    default: return (double)((const float *)tensor)[i];
    }
}

/* How many outputs are wrong; the first is told. */
static size_t compare(const cvk_kernel_info *info, const cvk_buffers *b, const double *expected) {
    const size_t count = elements(info, b->output);
    const void *output = b->output.data;
    const double *rest = expected + count, *bound = rest + count;
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const double got = element(info->output_dtype, output, i);
        if (right(got, expected[i], rest[i], bound[i])) continue;
        if (!wrong++)
            printf("%s: output %zu of %d images is %.17g, not %.17g +- %.3g; plan %s\n", info->name, i, (int)b->batch,
                   got, expected[i], bound[i], info->plan);
    }
    return wrong;
}

/* How many indices are wrong; the first is told. */
static size_t compare_indices(const cvk_kernel_info *info, const cvk_buffers *b, const int32_t *expected) {
    const int32_t *indices = b->indices.data;
    size_t wrong = 0;
    for (size_t i = 0; i < (size_t)b->indices.bytes / sizeof *indices; i++)
        if (indices[i] != expected[i] && !wrong++)
            printf("%s: index %zu is %d, not %d; plan %s\n", info->name, i, (int)indices[i], (int)expected[i],
                   info->plan);
    return wrong;
}

static int run(const cvk_kernel_info *info, int images, FILE *cases) {
    cvk_buffers b = {.struct_size = sizeof b, .batch = (uint64_t)images};
    b.input = take_buffer(cases, bytes_of(info, CVK_ROLE_INPUT, b.batch));
    cvk_const_buffer weights = take_buffer(cases, info->weights.bytes);
    b.bias = take_buffer(cases, bytes_of(info, CVK_ROLE_BIAS, b.batch));
    b.scale = take_buffer(cases, bytes_of(info, CVK_ROLE_SCALE, b.batch));
    b.shift = take_buffer(cases, bytes_of(info, CVK_ROLE_SHIFT, b.batch));
    b.addend = take_buffer(cases, bytes_of(info, CVK_ROLE_ADDEND, b.batch));
    b.gate = take_buffer(cases, bytes_of(info, CVK_ROLE_GATE, b.batch));
    b.gradient = take_buffer(cases, bytes_of(info, CVK_ROLE_GRADIENT, b.batch));
    b.output = take_output(info, bytes_of(info, CVK_ROLE_OUTPUT, b.batch), cases);
    b.scratch = make_buffer(bytes_of(info, CVK_ROLE_SCRATCH, b.batch));
    b.workspace = make_buffer(bytes_of(info, CVK_ROLE_WORKSPACE, b.batch));
    /* and what it lacks, and bounds */
    double *expected = take(cases, 3 * sizeof *expected * elements(info, b.output));
    b.indices = make_buffer(bytes_of(info, CVK_ROLE_INDICES, b.batch));
    int32_t *places = take(cases, (size_t)b.indices.bytes);
    cvk_buffer packed = make_buffer(info->packed_weights.bytes);
    cvk_status status = cvk_pack_weights(info, weights, packed);
    b.weights = (cvk_const_buffer){packed.data, packed.bytes};
    if (status == CVK_OK) status = cvk_run(info, &b, NULL);
    if (status != CVK_OK) printf("%s: %s\n", info->name, cvk_status_text(status));
    int good = status == CVK_OK && !compare(info, &b, expected) && !compare_indices(info, &b, places);
    const void *const all[] = {b.input.data,    weights.data,   b.bias.data,   b.scale.data,   b.addend.data,
                               expected,        packed.data,    b.output.data, b.scratch.data, b.workspace.data,
                               b.gradient.data, b.indices.data, places,        b.shift.data,   b.gate.data};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free((void *)(uintptr_t)all[i]);
    return good;
}

/* In every run: one of its own batch, or of each of those that kernels for any are given. */
static int is_right(const cvk_kernel_info *info, FILE *cases) {
    int good = 1;
    if (!info->batch_any) return run(info, (int)info->input_shape[0], cases);
    for (int i = 0; i < BATCHES; i++) good &= run(info, BATCH[i], cases);
    return good;
}

int main(int count, char **arguments) {
    FILE *cases = count == 2 ? fopen(arguments[1], "rb") : NULL;
    if (!cases) return 2;
    int good = 0, any = 0, all = (int)(sizeof kernels / sizeof *kernels);
    for (int i = 0; i < all; i++) {
        good += is_right(kernels[i], cases);
        any += kernels[i]->batch_any != 0;
    }
    if (fgetc(cases) != EOF) return 2;
    fclose(cases);
    printf("%d of %d kernels right, %d of them for any batch\n", good, all, any);
    return good != all;
}
