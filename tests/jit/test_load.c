/* An object that is not what LLVM wrote for this machine is refused, and never runs the loader out of its bounds. */
#include "small_object.h"

#include "jit/kernel.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static long amount(const char *variable, long otherwise) {
    const char *given = getenv(variable);
    return given ? atol(given) : otherwise;
}

/* What gets past a checksum, a programmer's mistake or worse, meets the loader. It may load what is still sound, but
 * must neither crash nor leave its bounds; the sanitizers are watching in their builds. */
Test(load, the_loader_survives_any_object) {
    cvk_object object = small_object();
    uint64_t seed = (uint64_t)amount("CVK_SEED", 1), state = seed * 0x9e3779b97f4a7c15u;
    long refused = 0, flips = amount("CVK_FLIPS", 10000);
    for (long i = 0; i < flips; i++) {
        size_t bit = random_next(&state) % (8 * object.size);
        cvk_kernel *kernel;
        object.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        refused += kernel_load(object.bytes, object.size, SMALL, NULL, &kernel) != CVK_OK;
        object.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        cvk_kernel_free(kernel);
    }
    cr_assert_gt(refused, flips / 100, "headers and tables are checked: %ld of %ld were refused", refused, flips);
    for (size_t cut = 0; cut < object.size; cut++) {
        cvk_kernel *kernel;
        unsigned char *bytes = malloc(cut + 1);
        memcpy(bytes, object.bytes, cut);
        kernel_load(bytes, cut, SMALL, NULL, &kernel);
        cvk_kernel_free(kernel);
        free(bytes);
    }
    object_free(&object);
}

static cvk_status try_load(const cvk_object *object) {
    cvk_kernel *kernel;
    cvk_status status = kernel_load(object->bytes, object->size, SMALL, NULL, &kernel);
    cr_assert_eq(kernel != NULL, status == CVK_OK);
    cvk_kernel_free(kernel);
    return status;
}

Test(load, an_object_for_another_cpu_or_abi_is_refused) {
    cvk_object object = small_object();
    cvk_kernel_info *info = small_info(&object);
    cr_assert_eq(try_load(&object), CVK_OK);
    info->cpu_features ^= UINT64_C(1) << 62;
    cr_assert_eq(try_load(&object), CVK_ERROR_CPU, "a feature this CPU lacks");
    info->cpu_features ^= UINT64_C(1) << 62;
    info->abi_version++;
    cr_assert_eq(try_load(&object), CVK_ERROR_ABI, "another ABI");
    info->abi_version--;
    info->struct_size += 8;
    cr_assert_eq(try_load(&object), CVK_ERROR_ABI, "another description");
    info->struct_size -= 8;
    object.bytes[18] ^= 0xff; /* e_machine */
    cr_assert_eq(try_load(&object), CVK_ERROR_INTERNAL, "another kind of machine");
    object_free(&object);
}
