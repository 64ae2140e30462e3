/* Do kernels with their weights in them compute, to the last bit, what kernels compute that are given the same weights?
 * Both kinds are linked into this program, from two objects. And does the filter of the textbooks find an edge? */
#include "a_layers.h"
#include "b_layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct pair {
    const cvk_kernel_info *given, *baked;
} pairs[] = {{&a_cross_dense, &b_cross_dense},           {&a_cross_strided, &b_cross_strided},
             {&a_cross_depthwise, &b_cross_depthwise},   {&a_cross_reflected, &b_cross_reflected},
             {&a_cross_winograd, &b_cross_winograd},     {&a_cross_blocked, &b_cross_blocked},
             {&a_cross_edges, &b_cross_edges},           {&a_cross_batches, &b_cross_batches},
             {&a_cross_transposed, &b_cross_transposed}, {&a_cross_gradient, &b_cross_gradient},
             {&a_cross_halves, &b_cross_halves},         {&a_cross_brains, &b_cross_brains}};

/* IMAGES: of those for any batch. */
enum { ALIGNMENT = 64, ALL_NAN = 0xff, PERIOD = 5, OUTPUTS = 16, IMAGES = 2 };

/* What weights.py writes, over and over. */
/* As f16, too, and as bf16. */
static const uint16_t halves[2][PERIOD] = {{0x3c00, 0xc000, 0x4200, 0, 0xbc00}, {0x3f80, 0xc000, 0x4040, 0, 0xbf80}};
static const float values[PERIOD] = {1, -2, 3, 0, -1}, filter[] = {1, 0, -1, 1, 0, -1, 1, 0, -1};

static float *allocate(uint64_t bytes) {
    void *memory = aligned_alloc(ALIGNMENT, ((size_t)bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT);
    if (!memory) exit(2);
    return memset(memory, ALL_NAN, (size_t)bytes);
}

static uint64_t bytes_of(const cvk_kernel_info *info, cvk_role role) {
    return cvk_buffer_needs(info, role, IMAGES, 1).bytes;
}

static cvk_const_buffer filled(uint64_t bytes, size_t skip) {
    float *memory = allocate(bytes);
    for (size_t i = 0; i < bytes / sizeof *memory; i++) memory[i] = values[(i + skip) % PERIOD];
    return (cvk_const_buffer){memory, bytes};
}

static cvk_const_buffer filled_as(cvk_dtype type, uint64_t bytes, size_t skip) {
    if (type == CVK_F32) return filled(bytes, skip);
    uint16_t *memory = (uint16_t *)allocate(bytes);
    for (size_t i = 0; i < bytes / sizeof *memory; i++) memory[i] = halves[type == CVK_BF16][(i + skip) % PERIOD];
    return (cvk_const_buffer){memory, bytes};
}

static cvk_buffer empty(uint64_t bytes) { return (cvk_buffer){allocate(bytes), bytes}; }

/* With the buffers that the description asks for and no others. */
static const float *run(const cvk_kernel_info *info, cvk_const_buffer input, cvk_const_buffer addend,
                        cvk_const_buffer weights) {
    cvk_buffer packed = empty(info->packed_weights.bytes);
    cvk_buffers b = {.struct_size = sizeof b, .batch = info->batch_any ? IMAGES : 0, .input = input, .addend = addend};
    if (info->bias.bytes) b.bias = filled(info->bias.bytes, 0);
    if (info->gradient.bytes) b.gradient = filled(info->gradient.bytes, 2);
    if (info->scale.bytes) b.scale = filled(info->scale.bytes, 1);
    if (info->weights.bytes) b.weights = (cvk_const_buffer){packed.data, packed.bytes};
    b.output = empty(bytes_of(info, CVK_ROLE_OUTPUT));
    b.scratch = empty(bytes_of(info, CVK_ROLE_SCRATCH));
    b.workspace = empty(bytes_of(info, CVK_ROLE_WORKSPACE));
    cvk_status status = cvk_pack_weights(info, weights, packed);
    if (status == CVK_OK) status = cvk_run(info, &b, NULL);
    if (status == CVK_OK) return b.output.data;
    fprintf(stderr, "%s: %s\n", info->name, cvk_status_text(status));
    exit(1);
}

static int same(const struct pair *p) {
    const cvk_kernel_info *given = p->given, *baked = p->baked;
    cvk_const_buffer input = filled_as(given->input_dtype, bytes_of(given, CVK_ROLE_INPUT), 2),
                     addend = filled_as(given->output_dtype, bytes_of(given, CVK_ROLE_ADDEND), 1);
    cvk_const_buffer weights = filled_as(given->weights_dtype, given->weights.bytes, 0), none = {NULL, 0};
    if (given == &a_cross_edges) weights.data = filter;
    if (baked->weights.bytes || baked->packed_weights.bytes || baked->bias.bytes || baked->scale.bytes) return 0;
    const float *left = run(given, input, addend, weights), *right = run(baked, input, addend, none);
    if (memcmp(left, right, (size_t)bytes_of(given, CVK_ROLE_OUTPUT)) == 0) return 1;
    fprintf(stderr, "%s: other bits; plan %s\n", given->name, given->plan);
    return 0;
}

static int finds_edges(void) {
    static const float expected[OUTPUTS] = {0, 30, 30, 0, 0, 30, 30, 0, 0, 30, 30, 0, 0, 30, 30, 0};
    cvk_buffer picture = empty(b_cross_edges.input.bytes);
    for (int i = 0; i < 36; i++) ((float *)picture.data)[i] = i % 6 < 3 ? 10 : 0;
    const cvk_const_buffer input = {picture.data, picture.bytes}, none = {NULL, 0};
    return memcmp(run(&b_cross_edges, input, none, none), expected, sizeof expected) == 0;
}

int main(void) {
    int good = 0, all = (int)(sizeof pairs / sizeof *pairs);
    for (int i = 0; i < all; i++) good += same(&pairs[i]);
    printf("%d of %d layers the same, edges %s\n", good, all, finds_edges() ? "found" : "not found");
    return good != all || !finds_edges();
}
