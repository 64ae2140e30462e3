/* Writing records: each is one write at the end of a file, then on the disk. */
#include "records/database.h"
#include "base/write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ATTEMPTS = 100, HOST_BYTES = 64 };

struct database_writer {
    char folder[PATH_MAX], path[PATH_MAX + HOST_BYTES + 64];
    int file; /* -1: not made yet */
    off_t size;
};

database_writer *database_writer_new(const char *folder) {
    database_writer *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    snprintf(w->folder, sizeof w->folder, "%s", folder);
    w->file = -1;
    return w;
}

static cvk_status cannot(const char *path, cvk_diagnostics *d, const char *doing) {
    diag_error(d, E_FILE_WRITE, (place){.file = path}, NULL, "a record cannot be %s: %s", doing, strerror(errno));
    return CVK_ERROR_IO;
}

/* A name that sorts by time, and that no other process on any machine has: O_EXCL makes sure. */
static int open_new(database_writer *w) {
    char host[HOST_BYTES] = "";
    gethostname(host, sizeof host - 1);
    for (int i = 0; i < MOST_ATTEMPTS; i++) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        snprintf(w->path, sizeof w->path, "%s/%lld.%09ld-%s-%ld" DATABASE_FILE_END, w->folder, (long long)now.tv_sec,
                 now.tv_nsec, host, (long)getpid());
        int file = open(w->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
        if (file >= 0 || errno != EEXIST) return file;
    }
    return -1;
}

/* So that the file's name, too, outlives a loss of power. */
static bool sync_folder(const char *folder) {
    int open_folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = open_folder >= 0 && (fsync(open_folder) == 0 || errno == EINVAL);
    if (open_folder >= 0) close(open_folder);
    return done;
}

static cvk_status open_file(database_writer *w, cvk_diagnostics *d) {
    if (w->file >= 0) return CVK_OK;
    w->file = open_new(w);
    if (w->file < 0) return cannot(w->path, d, "written");
    flock(w->file, LOCK_EX | LOCK_NB);
    return sync_folder(w->folder) ? CVK_OK : cannot(w->folder, d, "kept");
}

/* What there was room for of a record is taken back, lest the next one continue its line. */
static cvk_status append_line(database_writer *w, const char *line, size_t size, cvk_diagnostics *d) {
    if (write_all(w->file, line, size) && fdatasync(w->file) == 0) {
        w->size += (off_t)size;
        return CVK_OK;
    }
    int reason = errno;
    int cut = ftruncate(w->file, w->size);
    (void)cut;
    errno = reason;
    return cannot(w->path, d, "written");
}

cvk_status database_append(database_writer *w, const record *r, cvk_diagnostics *d) {
    cvk_status status = open_file(w, d);
    if (status != CVK_OK) return status;
    char *line = record_print(r);
    if (!line) return CVK_ERROR_MEMORY;
    size_t length = strlen(line);
    line[length] = '\n'; /* in the place of the NUL */
    status = append_line(w, line, length + 1, d);
    free(line);
    return status;
}

void database_writer_free(database_writer *w) {
    if (w && w->file >= 0) close(w->file);
    free(w);
}
