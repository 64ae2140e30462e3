/* Damage: an entry of which any part is missing or changed is a miss; an object that is not what LLVM wrote is refused
 * even where the checksum is right. */
#include "folder.h"

#include "compile.h"
#include "jit/entry.h"
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
    disk_cache_store(&cache, KEY, object.bytes, object.size);
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
    disk_cache_store(&cache, KEY, object.bytes, object.size);
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
