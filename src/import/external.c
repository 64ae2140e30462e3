#include "import/external.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The model's folder; -1 as `open` has it. */
static int open_folder(const external_files *f) {
    const char *slash = strrchr(f->model, '/');
    const size_t length = slash ? (size_t)(slash - f->model) : 0;
    const char *folder = !slash ? "." : length ? arena_string(f->arena, f->model, length) : "/";
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A part of the location that is a folder or, last of all, a file; what is in the folder no longer has to be open. */
static int enter(int folder, const char *name, bool last) {
    const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (last ? O_NONBLOCK : O_DIRECTORY);
    const bool upwards = strcmp(name, "..") == 0;
    const int entered = upwards ? -1 : openat(folder, name, flags);
    const int failure = upwards ? EACCES : errno;
    close(folder);
    errno = failure;
    return entered;
}

static int open_location(const external_files *f, const char *location) {
    char *rest = arena_string(f->arena, location, strlen(location));
    int at = *rest == '/' || !*rest ? -1 : open_folder(f);
    if (*rest == '/' || !*rest) errno = EACCES;
    for (char *next; at >= 0 && rest; rest = next) {
        next = strchr(rest, '/');
        if (next) *next++ = 0;
        at = enter(at, *rest ? rest : ".", !next);
    }
    return at;
}

/* A file that was named before counts no more. */
static void count_file(external_files *f, const char *location, uint64_t bytes) {
    enum { MOST = sizeof f->known / sizeof *f->known };
    for (int i = 0; i < f->known_count; i++)
        if (strcmp(f->known[i], location) == 0) return;
    if (f->known_count == MOST) return;
    f->known[f->known_count++] = location;
    f->bytes_left += bytes;
}

static const void *read_all(external_files *f, int file, uint64_t offset, uint64_t length) {
    char *bytes = arena_alloc(f->arena, (size_t)length + 1);
    for (uint64_t got = 0; got < length;) {
        const ssize_t more = pread(file, bytes + got, (size_t)(length - got), (off_t)(offset + got));
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) return NULL;
        got += (uint64_t)more;
    }
    return bytes;
}

const void *external_read(external_files *f, const char *location, uint64_t offset, uint64_t *length,
                          const char **why) {
    struct stat info;
    const int file = open_location(f, location);
    const void *bytes = NULL;
    *why = file < 0 ? errno == ELOOP    ? "links are not followed"
                      : errno == EACCES ? "it is not in the model's folder, or may not be read"
                                        : strerror(errno)
                    : "it is not a regular file";
    if (file >= 0 && fstat(file, &info) == 0 && S_ISREG(info.st_mode)) {
        const uint64_t size = (uint64_t)info.st_size;
        count_file(f, location, size);
        if (!*length && offset <= size) *length = size - offset;
        *why = "it is not as long as the model says";
        if (offset <= size && *length <= size - offset && *length <= f->bytes_left) {
            f->bytes_left -= *length;
            bytes = read_all(f, file, offset, *length);
        }
    }
    if (file >= 0) close(file);
    return bytes;
}
