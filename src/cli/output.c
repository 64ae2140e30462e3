/* Writing by temporary and rename. A signal that would end the program waits meanwhile, so that no temporary stays
 * behind. */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool write_all(int file, const char *bytes, size_t size) {
    while (size) {
        ssize_t written = write(file, bytes, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

/* The temporary's name, on the heap, or NULL. Made anew, never followed: what lies there already is nobody's but ours.
 */
static char *write_temporary(const output_file *f) {
    size_t size = strlen(f->path) + 32;
    char *name = malloc(size);
    if (!name) return NULL;
    snprintf(name, size, "%s.%ld.tmp", f->path, (long)getpid());
    unlink(name);
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    bool written = file >= 0 && write_all(file, f->bytes, f->size);
    int reason = errno;
    if (file >= 0 && close(file) != 0 && written) {
        reason = errno;
        written = false;
    }
    if (written) return name;
    if (file >= 0) unlink(name);
    free(name);
    errno = reason;
    return NULL;
}

static const char *write_and_rename(const output_file *files, size_t count, char **names) {
    const char *failed = NULL;
    size_t written = 0;
    while (!failed && written < count) {
        names[written] = write_temporary(&files[written]);
        if (names[written])
            written++;
        else
            failed = files[written].path;
    }
    int reason = errno;
    for (size_t i = 0; i < written; i++) {
        if (!failed && rename(names[i], files[i].path) != 0) {
            reason = errno;
            failed = files[i].path;
        }
        if (failed) unlink(names[i]);
        free(names[i]);
    }
    errno = reason;
    return failed;
}

const char *output_write(const output_file *files, size_t count) {
    char **names = calloc(count + 1, sizeof *names);
    if (!names) return files[0].path;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const char *failed = write_and_rename(files, count, names);
    int reason = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(names);
    errno = reason;
    return failed;
}
