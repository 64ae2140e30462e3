/* Files appear whole: written under a name nobody else has and then renamed, so a reader sees a whole file or none,
 * whenever a writer dies. There is no fsync: should the power fail before the bytes are on disk, what is read then is
 * found to be damaged and made again, which costs less than waiting for the disk each time. Files are read, not mapped:
 * one that is cut short while it is in use would end the process. */
#include "cache/folder.h"
#include "base/write.h"

#include "cache/disk_names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void disk_trouble_say(disk_trouble *trouble, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(trouble->words, sizeof trouble->words, format, args);
    va_end(args);
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
int cache_folder_open(const char *path, disk_trouble *trouble) {
    if (!*path) return -1;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) {
        int reason = errno;
        if (is_link(path))
            disk_trouble_say(trouble, "%s is a symbolic link", path);
        else if (reason != ENOENT)
            disk_trouble_say(trouble, "%s: %s", path, strerror(reason));
        errno = reason;
        return -1;
    }
    struct stat s;
    const char *why = distrust(directory, S_IFDIR, &s);
    if (!why) return directory;
    disk_trouble_say(trouble, "%s %s", path, why);
    close(directory);
    errno = EACCES;
    return -1;
}

int cache_folder_make(const char *path, disk_trouble *trouble) {
    int directory = cache_folder_open(path, trouble);
    if (directory >= 0 || errno != ENOENT || !*path) return directory;
    make_directories(path);
    directory = cache_folder_open(path, trouble);
    if (directory < 0 && errno == ENOENT) disk_trouble_say(trouble, "%s cannot be made", path);
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

static int open_entry(int directory, const char *name, disk_trouble *trouble) {
    /* O_NONBLOCK: a pipe of that name is not waited for. */
    int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 && errno == ELOOP) disk_trouble_say(trouble, "the entry is a symbolic link");
    if (file < 0 && errno != ELOOP && errno != ENOENT) disk_trouble_say(trouble, "the entry: %s", strerror(errno));
    return file;
}

/* NULL and CVK_OK for what is not to be trusted, or not to be read to its end. */
static cvk_status read_open(int file, size_t most, unsigned char **bytes, size_t *size, disk_trouble *trouble) {
    struct stat s;
    const char *why = distrust(file, S_IFREG, &s);
    if (why) disk_trouble_say(trouble, "the entry %s", why);
    if (why || s.st_size <= 0 || (uint64_t)s.st_size > most) return CVK_OK;
    *size = (size_t)s.st_size;
    *bytes = malloc(*size + 1);
    if (!*bytes) return CVK_ERROR_MEMORY;
    (*bytes)[*size] = 0;
    if (read_all(file, *bytes, *size)) return CVK_OK;
    disk_trouble_say(trouble, "the entry cannot be read to its end");
    free(*bytes);
    *bytes = NULL;
    return CVK_OK;
}

cvk_status cache_folder_read(int folder, const char *name, size_t most, unsigned char **bytes, size_t *size,
                             disk_trouble *trouble) {
    *bytes = NULL;
    *size = 0;
    int file = open_entry(folder, name, trouble);
    if (file < 0) return CVK_OK;
    cvk_status status = read_open(file, most, bytes, size, trouble);
    close(file);
    return status;
}

/* A name no other thread or process has: O_EXCL makes sure. */
static int open_temporary(int directory, char name[DISK_NAME_SIZE]) {
    static atomic_uint count;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    snprintf(name, DISK_NAME_SIZE, DISK_TEMPORARY "%ld-%u-%ld", (long)getpid(), atomic_fetch_add(&count, 1), t.tv_nsec);
    return openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

bool cache_folder_write(int folder, const char *name, const void *bytes, size_t size, disk_trouble *trouble) {
    char temporary[DISK_NAME_SIZE];
    int file = open_temporary(folder, temporary);
    if (file < 0) {
        disk_trouble_say(trouble, "no entry can be made: %s", strerror(errno));
        return false;
    }
    bool written = write_all(file, bytes, size);
    int reason = errno;
    if (close(file) != 0 && written) {
        reason = errno;
        written = false;
    }
    if (written && renameat(folder, temporary, folder, name) == 0) return true;
    disk_trouble_say(trouble, "the entry cannot be written: %s", strerror(written ? errno : reason));
    unlinkat(folder, temporary, 0);
    return false;
}

int cache_folder_lock(int folder, const char *name, disk_trouble *trouble) {
    int lock = openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (lock < 0) {
        disk_trouble_say(trouble, "no lock can be made: %s", strerror(errno));
        return -1;
    }
    if (flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) disk_trouble_say(trouble, "no lock can be had: %s", strerror(errno));
    close(lock);
    return -1;
}
