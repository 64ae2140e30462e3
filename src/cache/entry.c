/* Entries: to and from the bytes of a file. Nothing in a file is believed: lengths are checked against the file's own,
 * the key against the key that was asked for, and the checksum covers all the rest. */
#include "cache/entry.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1, ALIGNMENT = 8 };

static const char MAGIC[8] = "CONVOKE";

typedef struct header {
    char magic[8];
    uint32_t format, key_size;
    uint64_t object_size, checksum;
} header;

static size_t align(size_t size) { return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static uint64_t checksum(const unsigned char *bytes, size_t size) {
    const size_t before = offsetof(header, checksum), after = sizeof(header);
    return XXH3_64bits_withSeed(bytes + after, size - after, XXH3_64bits(bytes, before));
}

void entry_name(const char *key, char name[ENTRY_NAME_SIZE]) {
    XXH128_hash_t hash = XXH3_128bits(key, strlen(key));
    snprintf(name, ENTRY_NAME_SIZE, "%016" PRIx64 "%016" PRIx64 ".cvk", (uint64_t)hash.high64, (uint64_t)hash.low64);
}

uint64_t entry_hash(const char *key) { return XXH3_64bits(key, strlen(key)); }

unsigned char *entry_encode(const char *key, const unsigned char *object, size_t object_size, size_t *size) {
    size_t key_size = strlen(key), before = sizeof(header) + align(key_size);
    if (object_size > ENTRY_MOST_BYTES || before > ENTRY_MOST_BYTES - object_size) return NULL;
    *size = before + object_size;
    unsigned char *bytes = calloc(1, *size);
    if (!bytes) return NULL;
    header h = {.format = FORMAT, .key_size = (uint32_t)key_size, .object_size = object_size};
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    memcpy(bytes, &h, sizeof h);
    memcpy(bytes + sizeof h, key, key_size);
    memcpy(bytes + before, object, object_size);
    h.checksum = checksum(bytes, *size);
    memcpy(bytes, &h, sizeof h);
    return bytes;
}

bool entry_decode(const unsigned char *bytes, size_t size, const char *key, const unsigned char **object,
                  size_t *object_size) {
    header h;
    size_t key_size = strlen(key), before = sizeof h + align(key_size);
    if (size < before || size > ENTRY_MOST_BYTES) return false;
    memcpy(&h, bytes, sizeof h);
    if (memcmp(h.magic, MAGIC, sizeof MAGIC) != 0 || h.format != FORMAT || h.key_size != key_size ||
        h.object_size != size - before || h.checksum != checksum(bytes, size) ||
        memcmp(bytes + sizeof h, key, key_size) != 0)
        return false;
    *object = bytes + before;
    *object_size = size - before;
    return true;
}
