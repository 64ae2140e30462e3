/* Damage: an entry of which any part is missing or changed is a miss; an object that is not what LLVM wrote is refused
 * even where the checksum is right. */
#include "folder.h"

#include "compile.h"
#include "cache/entry.h"
#include "jit/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char KEY[] = "a key\nof two lines";

static uint64_t random_next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static cvk_object compile_small(const char **name) {
    static const char yaml[] =
        "version: 1\nlayers: [{name: small, input: [1, 3, 9, 9], out_channels: 4, kernel_size: 3, "
        "padding: 1, bias: true, post_ops: [gelu]}]\n";
    cvk_network *network;
    cvk_object object;
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "", NULL, &network), CVK_OK);
    const cvk_spec *spec = cvk_network_layer(network, 0);
    cr_assert_eq(compile_layer(spec, target_host(), NULL, NULL, &object, NULL), CVK_OK);
    cvk_network_free(network);
    *name = "small";
    return object;
}

static void overwrite(const char *path, const unsigned char *bytes, size_t size) {
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

Test(cache_damage, every_truncation_and_every_addition_is_a_miss) {
    const char *name;
    cvk_object object = compile_small(&name);
    disk_cache cache = folder_make();
    disk_cache_store(&cache, KEY, object.bytes, object.size, &(disk_trouble){""});
    cr_assert(folder_finds(&cache, KEY, object.bytes, object.size), "a whole entry is found");
    char path[PATH_MAX];
    folder_entry(&cache, path);
    size_t size;
    unsigned char *bytes = entry_encode(KEY, object.bytes, object.size, &size), *longer = calloc(1, size + 64);
    memcpy(longer, bytes, size);
    for (size_t cut = 0; cut < size + 64; cut++) {
        if (cut == size) continue;
        overwrite(path, longer, cut);
        cr_assert_not(folder_finds(&cache, KEY, object.bytes, object.size), "cut to %zu of %zu bytes", cut, size);
    }
    overwrite(path, bytes, size);
    cr_assert(folder_finds(&cache, KEY, object.bytes, object.size), "the whole entry is found again");
    free(longer);
    free(bytes);
    object_free(&object);
    folder_remove(&cache);
}

Test(cache_damage, every_flipped_bit_is_a_miss) {
    const char *name;
    cvk_object object = compile_small(&name);
    disk_cache cache = folder_make();
    disk_cache_store(&cache, KEY, object.bytes, object.size, &(disk_trouble){""});
    char path[PATH_MAX];
    folder_entry(&cache, path);
    size_t size;
    unsigned char *bytes = entry_encode(KEY, object.bytes, object.size, &size);
    uint64_t seed = (uint64_t)amount("CVK_SEED", 1), state = seed * 0x9e3779b97f4a7c15u;
    for (long i = 0; i < amount("CVK_FLIPS", 10000); i++) {
        size_t bit = random_next(&state) % (8 * size);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        overwrite(path, bytes, size);
        cr_assert_not(folder_finds(&cache, KEY, object.bytes, object.size),
                      "flip %ld, bit %zu (CVK_SEED=%llu test_cache --filter cache_damage/*)", i, bit,
                      (unsigned long long)seed);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(bytes);
    object_free(&object);
    folder_remove(&cache);
}

/* What gets past a checksum, a programmer's mistake or worse, meets the loader. It may load what is still sound, but
 * must neither crash nor leave its bounds; the sanitizers are watching in their builds. */
Test(cache_damage, the_loader_survives_any_object) {
    const char *name;
    cvk_object object = compile_small(&name);
    uint64_t seed = (uint64_t)amount("CVK_SEED", 1), state = seed * 0x9e3779b97f4a7c15u;
    long refused = 0, flips = amount("CVK_FLIPS", 10000);
    for (long i = 0; i < flips; i++) {
        size_t bit = random_next(&state) % (8 * object.size);
        cvk_kernel *kernel;
        object.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        refused += kernel_load(object.bytes, object.size, name, NULL, &kernel) != CVK_OK;
        object.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        cvk_kernel_free(kernel);
    }
    cr_assert_gt(refused, flips / 100, "headers and tables are checked: %ld of %ld were refused", refused, flips);
    for (size_t cut = 0; cut < object.size; cut++) {
        cvk_kernel *kernel;
        unsigned char *bytes = malloc(cut + 1);
        memcpy(bytes, object.bytes, cut);
        kernel_load(bytes, cut, name, NULL, &kernel);
        cvk_kernel_free(kernel);
        free(bytes);
    }
    object_free(&object);
}

/* Where the kernel's description is in the object, found by its first two fields. */
static cvk_kernel_info *find_info(const cvk_object *object) {
    const uint32_t first[2] = {sizeof(cvk_kernel_info), CVK_ABI_VERSION};
    for (size_t at = 0; at + sizeof(cvk_kernel_info) <= object->size; at += 8)
        if (memcmp(object->bytes + at, first, sizeof first) == 0)
            return (cvk_kernel_info *)(void *)(object->bytes + at);
    cr_assert_fail("the object has a kernel's description");
    return NULL;
}

static cvk_status try_load(const cvk_object *object, const char *name) {
    cvk_kernel *kernel;
    cvk_status status = kernel_load(object->bytes, object->size, name, NULL, &kernel);
    cr_assert_eq(kernel != NULL, status == CVK_OK);
    cvk_kernel_free(kernel);
    return status;
}

Test(cache_damage, an_object_for_another_cpu_or_abi_is_refused) {
    const char *name;
    cvk_object object = compile_small(&name);
    cvk_kernel_info *info = find_info(&object);
    cr_assert_eq(try_load(&object, name), CVK_OK);
    info->cpu_features ^= UINT64_C(1) << 62;
    cr_assert_eq(try_load(&object, name), CVK_ERROR_CPU, "a feature this CPU lacks");
    info->cpu_features ^= UINT64_C(1) << 62;
    info->abi_version++;
    cr_assert_eq(try_load(&object, name), CVK_ERROR_ABI, "another ABI");
    info->abi_version--;
    info->struct_size += 8;
    cr_assert_eq(try_load(&object, name), CVK_ERROR_ABI, "another description");
    info->struct_size -= 8;
    object.bytes[18] ^= 0xff; /* e_machine */
    cr_assert_eq(try_load(&object, name), CVK_ERROR_INTERNAL, "another kind of machine");
    object_free(&object);
}

static cvk_kernel *compile_cached(const disk_cache *cache) {
    static const cvk_layer layer = {.struct_size = sizeof layer,
                                    .name = "cached",
                                    .spatial_rank = 1,
                                    .batch = 1,
                                    .in_channels = 1,
                                    .out_channels = 1,
                                    .input_size = {8},
                                    .kernel_size = {3}};
    const cvk_options options = {.struct_size = sizeof options, .cache_directory = cache->directory};
    cvk_spec *spec;
    cvk_kernel *kernel;
    cr_assert_eq(cvk_spec_create(&layer, NULL, &spec), CVK_OK);
    cr_assert_eq(cvk_compile(spec, &options, NULL, &kernel), CVK_OK);
    cvk_spec_free(spec);
    cvk_cache_clear();
    return kernel;
}

/* As left by a machine that shares the directory and has more features, if keys did not tell them apart. */
Test(cache_damage, an_entry_that_cannot_be_loaded_is_compiled_anew_and_replaced) {
    unsetenv("CONVOKE_CACHE");
    disk_cache cache = folder_make();
    cvk_kernel_free(compile_cached(&cache));
    char path[PATH_MAX], key[4096] = "";
    folder_entry(&cache, path);
    static unsigned char bytes[1 << 20];
    FILE *f = fopen(path, "rb");
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    uint32_t length;
    memcpy(&length, bytes + 12, sizeof length);
    cr_assert_lt(length, sizeof key);
    memcpy(key, bytes + 32, length);
    disk_entry entry;
    cr_assert_eq(disk_cache_load(&cache, key, &entry, &(disk_trouble){""}), CVK_OK);
    cr_assert_not_null(entry.object);
    cvk_object object = {(unsigned char *)(uintptr_t)entry.object, entry.object_size};
    find_info(&object)->cpu_features ^= UINT64_C(1) << 62;
    disk_cache_store(&cache, key, object.bytes, object.size, &(disk_trouble){""});
    cvk_kernel *kernel = compile_cached(&cache);
    cr_assert_eq(cvk_kernel_get_info(kernel)->cpu_features & ~cvk_cpu_features(), 0);
    cvk_kernel_free(kernel);
    f = fopen(path, "rb");
    static unsigned char again[1 << 20];
    cr_assert_eq(fread(again, 1, sizeof again, f), size);
    fclose(f);
    cr_assert_arr_eq(again, bytes, size, "the entry is as it was at first");
    free(entry.bytes);
    folder_remove(&cache);
}
