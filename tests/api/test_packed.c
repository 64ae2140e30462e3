/* Packed weights: do they fit the kernel they were packed for, however it was made, and no other, even of their size?
 */
#include <convoke/convoke.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, MOST_KERNELS = 8 };

static const cvk_layer BASE = {.struct_size = sizeof BASE,
                               .name = "base",
                               .spatial_rank = 2,
                               .batch = 1,
                               .in_channels = 16,
                               .out_channels = 16,
                               .input_size = {12, 12},
                               .kernel_size = {3, 3},
                               .padding = CVK_PADDING_SAME,
                               .accuracy = CVK_ACCURACY_STRICT};

static cvk_kernel *compile(const cvk_layer *layer, const char *target) {
    const cvk_options options = {.struct_size = sizeof options, .cache = CVK_CACHE_OFF, .target = target};
    cvk_spec *spec;
    cvk_kernel *kernel;
    cr_assert_eq(cvk_spec_create(layer, NULL, &spec), CVK_OK);
    cr_assert_eq(cvk_compile(spec, &options, NULL, &kernel), CVK_OK);
    cvk_spec_free(spec);
    return kernel;
}

static void *zeroed(uint64_t bytes) {
    size_t size = (size_t)(bytes / ALIGNMENT + 1) * ALIGNMENT;
    void *memory = aligned_alloc(ALIGNMENT, size);
    cr_assert_not_null(memory);
    return memset(memory, 0, size);
}

static cvk_buffer pack(const cvk_kernel_info *info) {
    const cvk_buffer packed = {zeroed(info->packed_weights.bytes), info->packed_weights.bytes};
    void *dense = zeroed(info->weights.bytes);
    cr_assert_eq(cvk_pack_weights(info, (cvk_const_buffer){dense, info->weights.bytes}, packed), CVK_OK);
    free(dense);
    return packed;
}

static cvk_status run(const cvk_kernel_info *info, cvk_buffer packed) {
    void *memory[CVK_ROLES];
    uint64_t bytes[CVK_ROLES];
    for (int i = 0; i < CVK_ROLES; i++) {
        bytes[i] = cvk_buffer_needs(info, (cvk_role)i, 0, 1).bytes;
        memory[i] = zeroed(bytes[i]);
    }
    cvk_buffers b = {
        .struct_size = sizeof b,
#define CVK_BUFFER(NAME, member, needs, access, share) .member = {memory[CVK_ROLE_##NAME], bytes[CVK_ROLE_##NAME]},
#include <convoke/buffers.def>
#undef CVK_BUFFER
    };
    b.weights = (cvk_const_buffer){packed.data, packed.bytes};
    cvk_status status = cvk_run(info, &b, NULL);
    for (int i = 0; i < CVK_ROLES; i++) free(memory[i]);
    return status;
}

/* The plan with its channels unrolled otherwise. */
static const char *another_plan(const char *plan, char *to, size_t size) {
    static const char before[] = "unroll: {ic: ";
    cr_assert(snprintf(to, size, "%s", plan) < (int)size);
    char *number = strstr(to, before);
    cr_assert_not_null(number);
    number += strlen(before);
    *number = *number == '1' ? '2' : '1';
    return to;
}

/* The same but for one thing each, which leaves the size of the packed weights alone. */
Test(packed, weights_of_another_kernel_of_equal_packed_size_are_refused) {
    cvk_layer others[MOST_KERNELS] = {BASE, BASE, BASE, BASE, BASE};
    others[0].name = "another";
    others[1].stride[0] = others[1].stride[1] = 2;
    others[2].flip_kernel = true;
    others[3].batch = 2;
    cvk_kernel *base = compile(&BASE, NULL);
    const cvk_kernel_info *info = cvk_kernel_get_info(base);
    const cvk_buffer packed = pack(info);
    char plan[512];
    others[4].schedule = another_plan(info->plan, plan, sizeof plan);
    cr_assert_eq(run(info, packed), CVK_OK, "its own");
    for (int i = 0; i < MOST_KERNELS && others[i].name; i++) {
        cvk_kernel *other = compile(&others[i], NULL);
        const cvk_kernel_info *theirs = cvk_kernel_get_info(other);
        cr_assert_eq(theirs->packed_weights.bytes, info->packed_weights.bytes, "case %d: %s", i, theirs->plan);
        cr_assert_eq(run(theirs, packed), CVK_ERROR_WEIGHTS, "case %d: %s", i, theirs->plan);
        const cvk_buffer own = pack(theirs);
        cr_assert_eq(run(theirs, own), CVK_OK, "case %d: its own", i);
        cr_assert_eq(run(info, own), CVK_ERROR_WEIGHTS, "case %d, the other way round", i);
        free(own.data);
        cvk_kernel_free(other);
    }
    free(packed.data);
    cvk_kernel_free(base);
}

Test(packed, weights_fit_the_same_kernel_however_it_was_made) {
    cvk_kernel *base = compile(&BASE, NULL);
    const cvk_kernel_info *info = cvk_kernel_get_info(base);
    const cvk_buffer packed = pack(info);
    cvk_layer same[] = {BASE, BASE, BASE};
    same[1].schedule = info->plan;
    same[2].algorithm = "direct";
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        cvk_kernel *again = compile(&same[i], i ? NULL : info->target);
        const cvk_kernel_info *theirs = cvk_kernel_get_info(again);
        cr_assert_str_eq(theirs->plan, info->plan);
        cr_assert_eq(theirs->packed_tag, info->packed_tag, "case %zu", i);
        cr_assert_eq(run(theirs, packed), CVK_OK, "case %zu", i);
        cvk_kernel_free(again);
    }
    free(packed.data);
    cvk_kernel_free(base);
}

/* So that a program which calls the kernel itself packs and runs as cvk_pack_weights and cvk_run do. */
Test(packed, the_header_is_the_tag_and_zeros_whoever_packs) {
    cvk_kernel *base = compile(&BASE, NULL);
    const cvk_kernel_info *info = cvk_kernel_get_info(base);
    const cvk_buffer packed = pack(info);
    const uint64_t header[CVK_PACKED_HEADER / sizeof(uint64_t)] = {info->packed_tag};
    cr_assert_neq(info->packed_tag, 0);
    cr_assert_eq(memcmp(packed.data, header, sizeof header), 0);
    void *dense = zeroed(info->weights.bytes), *raw = zeroed(info->packed_weights.bytes);
    memset(raw, 0xff, (size_t)info->packed_weights.bytes);
    info->pack(dense, raw);
    cr_assert_eq(memcmp(raw, packed.data, (size_t)info->packed_weights.bytes), 0);
    free(dense);
    free(raw);
    free(packed.data);
    cvk_kernel_free(base);
}
