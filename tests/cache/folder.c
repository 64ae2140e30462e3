/* Folders for tests, and what is in them. */
#include "folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In memory where there is such a place: the tests write some 20,000 files. */
disk_cache folder_make(void) {
    disk_cache cache = {.directory = "/dev/shm/convoke-test-XXXXXX", .most_bytes = 1 << 20};
    if (mkdtemp(cache.directory)) return cache;
    strcpy(cache.directory, "/tmp/convoke-test-XXXXXX");
    cr_assert_not_null(mkdtemp(cache.directory));
    return cache;
}

/* Calls with each file's path until `each` says stop; hidden files too. */
static void visit(const disk_cache *cache, bool (*each)(const char *path, void *context), void *context) {
    DIR *d = opendir(cache->directory);
    cr_assert_not_null(d, "%s", cache->directory);
    const struct dirent *f;
    while ((f = readdir(d))) {
        char path[PATH_MAX + 256];
        snprintf(path, sizeof path, "%s/%s", cache->directory, f->d_name);
        if (strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0 && !each(path, context)) break;
    }
    closedir(d);
}

static bool remove_one(const char *path, void *context) {
    (void)context;
    remove(path);
    return true;
}

void folder_remove(const disk_cache *cache) {
    visit(cache, remove_one, NULL);
    rmdir(cache->directory);
}

typedef struct search {
    const char *ending;
    size_t found;
    char *path;
} search;

static bool look(const char *path, void *context) {
    search *s = context;
    size_t length = strlen(path), n = strlen(s->ending);
    if (length < n || strcmp(path + length - n, s->ending) != 0) return true;
    s->found++;
    if (s->path) snprintf(s->path, PATH_MAX, "%s", path);
    return true;
}

size_t folder_count(const disk_cache *cache, const char *ending) {
    search s = {.ending = ending};
    visit(cache, look, &s);
    return s.found;
}

void folder_entry(const disk_cache *cache, char path[PATH_MAX]) {
    search s = {.ending = ".cvk", .path = path};
    visit(cache, look, &s);
    cr_assert_eq(s.found, 1, "one entry, not %zu", s.found);
}

bool folder_finds(const disk_cache *cache, const char *key, const void *object, size_t size) {
    disk_entry entry;
    cr_assert_eq(disk_cache_load(cache, key, &entry, &(disk_trouble){""}), CVK_OK);
    if (!entry.object) return false;
    cr_assert(entry.object_size == size && memcmp(entry.object, object, size) == 0, "%s: what was stored is not found",
              key);
    free(entry.bytes);
    return true;
}

long amount(const char *variable, long otherwise) {
    const char *value = getenv(variable);
    return value ? atol(value) : otherwise;
}
