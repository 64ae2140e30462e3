/* Writing: first where each path leads, and whether it may be written; then what is written through, which may wait for
 * a reader and may be interrupted; then temporaries beside the regular files, and the renames. A signal that would end
 * the program waits during the last, so that no temporary stays behind. */
#include "files/output.h"
#include "base/write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 40, NO_DESCRIPTOR = -1 };

/* Where one output goes. */
typedef struct destination {
    const output_file *output;
    char *file;      /* a path that is no symbolic link */
    int descriptor;  /* one of ours that `file` stands for, as /dev/stdout does */
    struct stat old; /* of what is there */
    bool replaces;   /* what is there is a regular file */
    bool through;    /* what is there is something else */
    char *temporary; /* what exists under another name, to be renamed */
} destination;

static cvk_status refuse(const destination *to, cvk_diagnostics *d, const char *hint, const char *why) {
    diag_error(d, E_FILE_WRITE, (place){.file = to->output->path}, hint, "cannot be written: %s", why);
    return CVK_ERROR_IO;
}

/* ---- where a path leads ---- */

static int own_descriptor(const char *path) {
    static const char *const folders[] = {"/proc/self/fd/", "/dev/fd/"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        size_t length = strlen(folders[i]);
        if (strncmp(path, folders[i], length) != 0) continue;
        char *end;
        long number = strtol(path + length, &end, 10);
        if (path[length] >= '0' && path[length] <= '9' && !*end && number <= INT_MAX) return (int)number;
    }
    return NO_DESCRIPTOR;
}

static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* `name` as it is meant in the folder that `path` is in; on the heap. */
static char *beside(const char *path, const char *name) {
    size_t folder = *name == '/' ? 0 : folder_length(path);
    char *joined = malloc(folder + strlen(name) + 1);
    if (joined) sprintf(joined, "%.*s%s", (int)folder, path, name);
    return joined;
}

/* What the link at `path` says, on the heap; NULL where there is no link there, or no memory. */
static char *read_link(const char *path) {
    char link[PATH_MAX];
    ssize_t length = readlink(path, link, sizeof link - 1);
    if (length < 0) return NULL;
    link[length] = '\0';
    return beside(path, link);
}

/* Follows links until there is none, or a descriptor of ours. */
static cvk_status follow(destination *to, cvk_diagnostics *d) {
    to->file = strdup(to->output->path);
    for (int i = 0; to->file && i <= MOST_LINKS; i++) {
        to->descriptor = own_descriptor(to->file);
        struct stat info;
        if (to->descriptor != NO_DESCRIPTOR || lstat(to->file, &info) != 0 || !S_ISLNK(info.st_mode)) return CVK_OK;
        char *next = read_link(to->file);
        free(to->file);
        to->file = next;
    }
    return to->file ? refuse(to, d, NULL, strerror(ELOOP)) : CVK_ERROR_MEMORY;
}

static cvk_status may_replace(const destination *to, cvk_diagnostics *d) {
    if (!(to->old.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)))
        return refuse(to, d, "`chmod u+w` gives it write permission", "it is read-only");
    if (faccessat(AT_FDCWD, to->file, W_OK, AT_EACCESS) != 0) return refuse(to, d, NULL, strerror(errno));
    return CVK_OK;
}

static cvk_status examine(destination *to, cvk_diagnostics *d) {
    if (to->descriptor != NO_DESCRIPTOR) {
        to->through = true;
        return CVK_OK;
    }
    if (stat(to->file, &to->old) != 0) return errno == ENOENT ? CVK_OK : refuse(to, d, NULL, strerror(errno));
    if (S_ISDIR(to->old.st_mode)) return refuse(to, d, NULL, strerror(EISDIR));
    if (S_ISSOCK(to->old.st_mode)) return refuse(to, d, NULL, "it is a socket");
    to->replaces = S_ISREG(to->old.st_mode);
    to->through = !to->replaces;
    return to->replaces ? may_replace(to, d) : CVK_OK;
}

static cvk_status check_others(const destination *all, size_t count, cvk_diagnostics *d) {
    const destination *to = &all[count];
    for (size_t i = 0; i < count; i++)
        if (!to->through && !all[i].through && strcmp(to->file, all[i].file) == 0)
            return refuse(to, d, NULL, "two outputs would be this file");
    return CVK_OK;
}

static cvk_status resolve(destination *all, size_t count, cvk_diagnostics *d) {
    cvk_status status = CVK_OK;
    for (size_t i = 0; i < count && status == CVK_OK; i++) {
        status = follow(&all[i], d);
        if (status == CVK_OK) status = examine(&all[i], d);
        if (status == CVK_OK) status = check_others(all, i, d);
    }
    return status;
}

/* ---- bytes ---- */

/* Writes and closes; errno says why not. */
static bool write_and_close(int file, const output_file *from) {
    bool written = write_all(file, from->bytes, from->size);
    int reason = errno;
    if (close(file) != 0 && written) return false;
    errno = reason;
    return written;
}

/* ---- what is no regular file ---- */

static bool write_through(const destination *to) {
    fflush(stdout); /* what was printed before comes first */
    bool ours = to->descriptor != NO_DESCRIPTOR;
    int file = ours ? fcntl(to->descriptor, F_DUPFD_CLOEXEC, 0) : open(to->file, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    return file >= 0 && write_and_close(file, to->output);
}

static cvk_status write_streams(const destination *all, size_t count, cvk_diagnostics *d) {
    for (size_t i = 0; i < count; i++)
        if (all[i].through && !write_through(&all[i])) return refuse(&all[i], d, NULL, strerror(errno));
    return CVK_OK;
}

/* ---- regular files ---- */

/* A new file in the folder of `to->file`; its name is to->temporary. */
static int create_temporary(destination *to) {
    static unsigned made;
    for (;;) {
        char name[64];
        snprintf(name, sizeof name, ".convoke-%ld-%u.tmp", (long)getpid(), made++);
        to->temporary = beside(to->file, name);
        if (!to->temporary) return -1;
        int file = open(to->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (file >= 0) return file;
        free(to->temporary);
        to->temporary = NULL;
        if (errno != EEXIST) return -1;
    }
}

/* As far as the user and the file system let us. */
static void take_over_owner_and_mode(const destination *to, int file) {
    if (!to->replaces) return;
    bool owned = fchown(file, to->old.st_uid, to->old.st_gid) == 0;
    int failed = fchmod(file, to->old.st_mode & (owned ? 07777 : 0777));
    (void)failed;
}

static cvk_status write_temporary(destination *to, cvk_diagnostics *d) {
    int file = create_temporary(to);
    if (file < 0) {
        int reason = errno, folder = (int)folder_length(to->file);
        diag_error(d, E_FILE_WRITE, (place){.file = to->output->path}, NULL,
                   "cannot be written: no file can be made in %.*s: %s", folder ? folder : 1, folder ? to->file : ".",
                   strerror(reason));
        return CVK_ERROR_IO;
    }
    take_over_owner_and_mode(to, file);
    return write_and_close(file, to->output) ? CVK_OK : refuse(to, d, NULL, strerror(errno));
}

static cvk_status rename_temporary(destination *to, cvk_diagnostics *d) {
    if (rename(to->temporary, to->file) != 0) return refuse(to, d, NULL, strerror(errno));
    free(to->temporary);
    to->temporary = NULL;
    return CVK_OK;
}

static cvk_status write_regular(destination *all, size_t count, cvk_diagnostics *d) {
    cvk_status status = CVK_OK;
    for (size_t i = 0; i < count && status == CVK_OK; i++)
        if (!all[i].through) status = write_temporary(&all[i], d);
    for (size_t i = 0; i < count && status == CVK_OK; i++)
        if (!all[i].through) status = rename_temporary(&all[i], d);
    for (size_t i = 0; i < count; i++)
        if (all[i].temporary) unlink(all[i].temporary);
    return status;
}

static cvk_status write_regular_undisturbed(destination *all, size_t count, cvk_diagnostics *d) {
    sigset_t every, before;
    sigfillset(&every);
    pthread_sigmask(SIG_BLOCK, &every, &before);
    cvk_status status = write_regular(all, count, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

cvk_status output_write(const output_file *files, size_t count, cvk_diagnostics *diagnostics) {
    destination *all = calloc(count, sizeof *all);
    if (!all) return CVK_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) all[i] = (destination){.output = &files[i], .descriptor = NO_DESCRIPTOR};
    cvk_status status = resolve(all, count, diagnostics);
    if (status == CVK_OK) status = write_streams(all, count, diagnostics);
    if (status == CVK_OK) status = write_regular_undisturbed(all, count, diagnostics);
    for (size_t i = 0; i < count; i++) {
        free(all[i].file);
        free(all[i].temporary);
    }
    free(all);
    return status;
}
