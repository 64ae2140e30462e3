/* The disk cache: finds its directory, and reads and writes entries in it.
 *
 * The directory must belong to the user and be closed to others' writing, and so must an entry; symbolic links are not
 * followed. A file is written under a name nobody else has and then renamed, so a reader sees a whole entry or none,
 * whenever a writer dies. There is no fsync: should the power fail before the bytes are on disk, the entry's checksum
 * is wrong and the kernel is compiled again, which costs less than waiting for the disk each time. Files are read, not
 * mapped: one that is cut short while it is in use would end the process. */
#define _GNU_SOURCE /* secure_getenv */
#include "jit/disk.h"

#include "jit/disk_names.h"
#include "jit/entry.h"
#include "jit/evict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool join(char path[PATH_MAX], const char *folder, const char *rest) {
    if (!folder || folder[0] != '/') return false; /* a relative one would depend on where a program is started */
    int length = snprintf(path, PATH_MAX, "%s%s", folder, rest);
    return length > 0 && length < PATH_MAX;
}

bool disk_cache_locate(const char *given, char directory[PATH_MAX]) {
    const char *environment = secure_getenv("CONVOKE_CACHE");
    if (environment && !*environment) environment = NULL;
    bool found = false;
    if (environment && strcmp(environment, "off") == 0)
        found = false;
    else if (given || environment)
        found = join(directory, given ? given : environment, "");
    else
        found = join(directory, secure_getenv("XDG_CACHE_HOME"), "/convoke") ||
                join(directory, secure_getenv("HOME"), "/.cache/convoke");
    if (!found) directory[0] = 0;
    return found;
}

/* Makes the directory and those above it, as far as they are missing. */
static void make_directories(const char *directory) {
    char path[PATH_MAX];
    strcpy(path, directory);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    mkdir(path, 0700);
}

static bool is_ours(int file, mode_t kind, struct stat *s) {
    return fstat(file, s) == 0 && (s->st_mode & S_IFMT) == kind && s->st_uid == geteuid() &&
           !(s->st_mode & (S_IWGRP | S_IWOTH));
}

static int open_directory(const char *path) {
    if (!*path) return -1;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat s;
    if (directory < 0 || is_ours(directory, S_IFDIR, &s)) return directory;
    close(directory);
    errno = EACCES;
    return -1;
}

static int make_and_open(const char *path) {
    int directory = open_directory(path);
    if (directory >= 0 || errno != ENOENT || !*path) return directory;
    make_directories(path);
    return open_directory(path);
}

static bool read_all(int file, unsigned char *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = read(file, bytes + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

static cvk_status read_entry(int file, const char *key, disk_entry *entry) {
    struct stat s;
    if (!is_ours(file, S_IFREG, &s) || s.st_size <= 0 || s.st_size > ENTRY_MOST_BYTES) return CVK_OK;
    size_t size = (size_t)s.st_size;
    entry->bytes = malloc(size);
    if (!entry->bytes) return CVK_ERROR_MEMORY;
    if (read_all(file, entry->bytes, size) &&
        entry_decode(entry->bytes, size, key, &entry->object, &entry->object_size))
        return CVK_OK;
    free(entry->bytes);
    *entry = (disk_entry){0};
    return CVK_OK;
}

cvk_status disk_cache_load(const disk_cache *cache, const char *key, disk_entry *entry) {
    *entry = (disk_entry){0};
    int directory = open_directory(cache->directory);
    if (directory < 0) return CVK_OK;
    char name[ENTRY_NAME_SIZE];
    entry_name(key, name);
    /* O_NONBLOCK: a pipe of that name is not waited for. */
    int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    close(directory);
    if (file < 0) return CVK_OK;
    cvk_status status = read_entry(file, key, entry);
    if (entry->object) futimens(file, NULL);
    close(file);
    return status;
}

static bool write_all(int file, const unsigned char *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = write(file, bytes + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

/* A name no other thread or process has: O_EXCL makes sure. */
static int open_temporary(int directory, char name[DISK_NAME_SIZE]) {
    static atomic_uint count;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    snprintf(name, DISK_NAME_SIZE, DISK_TEMPORARY "%ld-%u-%ld", (long)getpid(), atomic_fetch_add(&count, 1), t.tv_nsec);
    return openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static void write_entry(int directory, const char *key, const unsigned char *bytes, size_t size) {
    char temporary[DISK_NAME_SIZE], name[ENTRY_NAME_SIZE];
    int file = open_temporary(directory, temporary);
    if (file < 0) return;
    entry_name(key, name);
    bool written = write_all(file, bytes, size);
    if (close(file) != 0) written = false;
    if (!written || renameat(directory, temporary, directory, name) != 0) unlinkat(directory, temporary, 0);
}

void disk_cache_store(const disk_cache *cache, const char *key, const unsigned char *object, size_t object_size) {
    size_t size;
    unsigned char *bytes = entry_encode(key, object, object_size, &size);
    int directory = bytes && size <= cache->most_bytes ? make_and_open(cache->directory) : -1;
    if (directory >= 0) {
        write_entry(directory, key, bytes, size);
        evict(directory, cache->most_bytes);
        close(directory);
    }
    free(bytes);
}
