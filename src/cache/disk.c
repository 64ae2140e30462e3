/* The disk cache: finds its directory, and reads and writes entries in it.
 *
 * The directory must belong to the user and be closed to others' writing, and so must an entry; symbolic links are not
 * followed. A file is written under a name nobody else has and then renamed, so a reader sees a whole entry or none,
 * whenever a writer dies. There is no fsync: should the power fail before the bytes are on disk, the entry's checksum
 * is wrong and the kernel is compiled again, which costs less than waiting for the disk each time. Files are read, not
 * mapped: one that is cut short while it is in use would end the process. */
#define _GNU_SOURCE /* secure_getenv */
#include "cache/disk.h"

#include "cache/disk_names.h"
#include "cache/entry.h"
#include "cache/evict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void say(disk_trouble *trouble, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(disk_trouble *trouble, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(trouble->words, sizeof trouble->words, format, args);
    va_end(args);
}

static bool join(char path[PATH_MAX], const char *folder, const char *rest) {
    int length = folder && folder[0] == '/' ? snprintf(path, PATH_MAX, "%s%s", folder, rest) : 0;
    if (length > 0 && length < PATH_MAX) return true;
    path[0] = 0;
    return false;
}

/* A directory that somebody named. */
static bool take(const char *who, const char *folder, char directory[PATH_MAX], disk_trouble *trouble) {
    if (join(directory, folder, "")) return true;
    say(trouble, "%s is %s: \"%s\"", who, folder[0] == '/' ? "too long a path" : "not an absolute path", folder);
    return false;
}

bool disk_cache_locate(const char *given, char directory[PATH_MAX], disk_trouble *trouble) {
    const char *environment = secure_getenv("CONVOKE_CACHE"), *xdg = secure_getenv("XDG_CACHE_HOME");
    trouble->words[0] = directory[0] = 0;
    if (environment && strcmp(environment, "off") == 0) return true;
    if (given) return take("cache_directory", given, directory, trouble);
    if (environment && *environment) return take("CONVOKE_CACHE", environment, directory, trouble);
    if (join(directory, xdg, "/convoke")) return true;
    if (xdg && *xdg) say(trouble, "XDG_CACHE_HOME is not an absolute path, and is ignored: \"%s\"", xdg);
    if (!join(directory, secure_getenv("HOME"), "/.cache/convoke"))
        say(trouble, "neither XDG_CACHE_HOME nor HOME is an absolute path");
    return true;
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

/* Why a file is not to be trusted, or NULL. */
static const char *distrust(int file, mode_t kind, struct stat *s) {
    if (fstat(file, s) != 0) return "cannot be looked at";
    if ((s->st_mode & S_IFMT) != kind) return "is no regular file";
    if (s->st_uid != geteuid()) return "belongs to another user";
    return s->st_mode & (S_IWGRP | S_IWOTH) ? "may be written by others" : NULL;
}

static bool is_link(const char *path) {
    struct stat s;
    return lstat(path, &s) == 0 && S_ISLNK(s.st_mode);
}

/* A directory that is not there is no trouble, but -1. */
static int open_directory(const char *path, disk_trouble *trouble) {
    if (!*path) return -1;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) {
        int reason = errno;
        if (is_link(path))
            say(trouble, "%s is a symbolic link", path);
        else if (reason != ENOENT)
            say(trouble, "%s: %s", path, strerror(reason));
        errno = reason;
        return -1;
    }
    struct stat s;
    const char *why = distrust(directory, S_IFDIR, &s);
    if (!why) return directory;
    say(trouble, "%s %s", path, why);
    close(directory);
    errno = EACCES;
    return -1;
}

static int make_and_open(const char *path, disk_trouble *trouble) {
    int directory = open_directory(path, trouble);
    if (directory >= 0 || errno != ENOENT || !*path) return directory;
    make_directories(path);
    directory = open_directory(path, trouble);
    if (directory < 0 && errno == ENOENT) say(trouble, "%s cannot be made", path);
    return directory;
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

static cvk_status read_entry(int file, const char *key, disk_entry *entry, disk_trouble *trouble) {
    struct stat s;
    const char *why = distrust(file, S_IFREG, &s);
    if (why) say(trouble, "the entry %s", why);
    if (why || s.st_size <= 0 || s.st_size > ENTRY_MOST_BYTES) return CVK_OK;
    size_t size = (size_t)s.st_size;
    entry->bytes = malloc(size);
    if (!entry->bytes) return CVK_ERROR_MEMORY;
    if (read_all(file, entry->bytes, size) &&
        entry_decode(entry->bytes, size, key, &entry->object, &entry->object_size))
        return CVK_OK;
    say(trouble, "the entry is damaged, or of another key");
    free(entry->bytes);
    *entry = (disk_entry){0};
    return CVK_OK;
}

static int open_entry(int directory, const char *name, disk_trouble *trouble) {
    /* O_NONBLOCK: a pipe of that name is not waited for. */
    int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 && errno == ELOOP) say(trouble, "the entry is a symbolic link");
    if (file < 0 && errno != ELOOP && errno != ENOENT) say(trouble, "the entry: %s", strerror(errno));
    return file;
}

cvk_status disk_cache_load(const disk_cache *cache, const char *key, disk_entry *entry, disk_trouble *trouble) {
    *entry = (disk_entry){0};
    trouble->words[0] = 0;
    int directory = open_directory(cache->directory, trouble);
    if (directory < 0) return CVK_OK;
    char name[ENTRY_NAME_SIZE];
    entry_name(key, name);
    int file = open_entry(directory, name, trouble);
    close(directory);
    if (file < 0) return CVK_OK;
    cvk_status status = read_entry(file, key, entry, trouble);
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

static void write_entry(int directory, const char *key, const unsigned char *bytes, size_t size,
                        disk_trouble *trouble) {
    char temporary[DISK_NAME_SIZE], name[ENTRY_NAME_SIZE];
    int file = open_temporary(directory, temporary);
    if (file < 0) {
        say(trouble, "no entry can be made: %s", strerror(errno));
        return;
    }
    entry_name(key, name);
    bool written = write_all(file, bytes, size);
    int reason = errno;
    if (close(file) != 0 && written) {
        reason = errno;
        written = false;
    }
    if (written && renameat(directory, temporary, directory, name) == 0) return;
    say(trouble, "the entry cannot be written: %s", strerror(written ? errno : reason));
    unlinkat(directory, temporary, 0);
}

void disk_cache_store(const disk_cache *cache, const char *key, const unsigned char *object, size_t object_size,
                      disk_trouble *trouble) {
    size_t size;
    trouble->words[0] = 0;
    unsigned char *bytes = entry_encode(key, object, object_size, &size);
    bool fits = bytes && size <= cache->most_bytes;
    if (bytes && !fits && *cache->directory) say(trouble, "the entry is larger than all the cache may hold");
    int directory = fits ? make_and_open(cache->directory, trouble) : -1;
    if (directory >= 0) {
        write_entry(directory, key, bytes, size, trouble);
        evict(directory, cache->most_bytes);
        close(directory);
    }
    free(bytes);
}
