/* The line: "size seconds.nanoseconds path", and NULs up to where an object may begin. */
#include "cache/maker.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ALIGNMENT = 64, LINE = PATH_MAX + 64 };

/* False: there is no such file. */
static bool describe(const char *path, char line[LINE]) {
    struct stat s = {0};
    const bool there = !*path || stat(path, &s) == 0;
    snprintf(line, LINE, "%lld %lld.%09ld %s", (long long)s.st_size, (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec,
             path);
    return there;
}

static size_t line_bytes(const char *line) { return (strlen(line) + ALIGNMENT) / ALIGNMENT * ALIGNMENT; }

unsigned char *maker_sign(const char *path, const unsigned char *object, size_t size, size_t *signed_size) {
    char line[LINE];
    describe(path, line);
    const size_t before = line_bytes(line);
    unsigned char *bytes = calloc(1, before + size);
    if (!bytes) return NULL;
    memcpy(bytes, line, strlen(line));
    memcpy(bytes + before, object, size);
    *signed_size = before + size;
    return bytes;
}

bool maker_is_there(const unsigned char *bytes, size_t size, const unsigned char **object, size_t *object_size) {
    char now[LINE];
    if (!memchr(bytes, 0, size < LINE ? size : LINE)) return false;
    const char *line = (const char *)bytes, *first = strchr(line, ' '), *path = first ? strchr(first + 1, ' ') : NULL;
    const size_t before = line_bytes(line);
    if (!path || before > size || !describe(path + 1, now) || strcmp(now, line) != 0) return false;
    *object = bytes + before;
    *object_size = size - before;
    return true;
}
