/* Damage: an entry of which any part is missing or changed is a miss, and what cannot be loaded is compiled anew. */
#include "folder.h"

#include "../jit/small_object.h"
#include "cache/entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char KEY[] = "a key\nof two lines";

static void overwrite(const char *path, const unsigned char *bytes, size_t size) {
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

Test(cache_damage, every_truncation_and_every_addition_is_a_miss) {
    cvk_object object = small_object();
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
    cvk_object object = small_object();
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
    small_info(&object)->cpu_features ^= UINT64_C(1) << 62;
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
