/* The disk cache: finds its directory, and reads and writes entries in it. */
#define _GNU_SOURCE /* secure_getenv */
#include "cache/disk.h"

#include "cache/entry.h"
#include "cache/evict.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool join(char path[PATH_MAX], const char *folder, const char *rest) {
    int length = folder && folder[0] == '/' ? snprintf(path, PATH_MAX, "%s%s", folder, rest) : 0;
    if (length > 0 && length < PATH_MAX) return true;
    path[0] = 0;
    return false;
}

/* A directory that somebody named. */
static bool take(const char *who, const char *folder, char directory[PATH_MAX], disk_trouble *trouble) {
    if (join(directory, folder, "")) return true;
    disk_trouble_say(trouble, "%s is %s: \"%s\"", who, folder[0] == '/' ? "too long a path" : "not an absolute path",
                     folder);
    return false;
}

bool disk_cache_locate(const char *given, char directory[PATH_MAX], disk_trouble *trouble) {
    const char *environment = secure_getenv("CONVOKE_CACHE"), *xdg = secure_getenv("XDG_CACHE_HOME");
    trouble->words[0] = directory[0] = 0;
    if (environment && strcmp(environment, "off") == 0) return true;
    if (given) return take("cache_directory", given, directory, trouble);
    if (environment && *environment) return take("CONVOKE_CACHE", environment, directory, trouble);
    if (join(directory, xdg, "/convoke")) return true;
    if (xdg && *xdg) disk_trouble_say(trouble, "XDG_CACHE_HOME is not an absolute path, and is ignored: \"%s\"", xdg);
    if (!join(directory, secure_getenv("HOME"), "/.cache/convoke"))
        disk_trouble_say(trouble, "neither XDG_CACHE_HOME nor HOME is an absolute path");
    return true;
}

static cvk_status read_entry(int directory, const char *name, const char *key, disk_entry *entry,
                             disk_trouble *trouble) {
    size_t size;
    cvk_status status = cache_folder_read(directory, name, ENTRY_MOST_BYTES, &entry->bytes, &size, trouble);
    if (!entry->bytes || entry_decode(entry->bytes, size, key, &entry->object, &entry->object_size)) return status;
    disk_trouble_say(trouble, "the entry is damaged, or of another key");
    free(entry->bytes);
    *entry = (disk_entry){0};
    return CVK_OK;
}

cvk_status disk_cache_load(const disk_cache *cache, const char *key, disk_entry *entry, disk_trouble *trouble) {
    *entry = (disk_entry){0};
    trouble->words[0] = 0;
    int directory = cache_folder_open(cache->directory, trouble);
    if (directory < 0) return CVK_OK;
    char name[ENTRY_NAME_SIZE];
    entry_name(key, name);
    cvk_status status = read_entry(directory, name, key, entry, trouble);
    if (entry->object) utimensat(directory, name, NULL, AT_SYMLINK_NOFOLLOW);
    close(directory);
    return status;
}

void disk_cache_store(const disk_cache *cache, const char *key, const unsigned char *object, size_t object_size,
                      disk_trouble *trouble) {
    size_t size;
    trouble->words[0] = 0;
    unsigned char *bytes = entry_encode(key, object, object_size, &size);
    bool fits = bytes && size <= cache->most_bytes;
    if (bytes && !fits && *cache->directory)
        disk_trouble_say(trouble, "the entry is larger than all the cache may hold");
    int directory = fits ? cache_folder_make(cache->directory, trouble) : -1;
    if (directory >= 0) {
        char name[ENTRY_NAME_SIZE];
        entry_name(key, name);
        cache_folder_write(directory, name, bytes, size, trouble);
        evict(directory, cache->most_bytes);
        close(directory);
    }
    free(bytes);
}
