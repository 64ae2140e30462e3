/* Reading a folder of records. */
#define _GNU_SOURCE /* memmem */
#include "records/database.h"

#include "cache/entry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static cvk_status cannot(const char *path, cvk_diagnostics *d, const char *doing, int reason) {
    diag_error(d, E_FILE_READ, (place){.file = path}, NULL, "the database cannot be %s: %s", doing, strerror(reason));
    return CVK_ERROR_IO;
}

void record_list_add(arena *a, record_list *list, const record *r) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 256;
        record *grown = arena_array(a, record, list->capacity);
        if (list->count) memcpy(grown, list->record, sizeof *grown * list->count);
        list->record = grown;
    }
    list->record[list->count++] = *r;
}

/* ---- files ---- */

static bool is_file(const struct dirent *entry) {
    const size_t length = strlen(entry->d_name), end = strlen(DATABASE_FILE_END);
    return *entry->d_name != '.' && length > end && strcmp(entry->d_name + length - end, DATABASE_FILE_END) == 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Copies the names to `room`, one after another, as far as it goes; NULL: only counts. -1: errno says why not. */
static ssize_t list_folder(const char *folder, char *room, size_t size, size_t *bytes) {
    DIR *open = opendir(folder);
    if (!open) return -1;
    ssize_t count = 0;
    *bytes = 0;
    for (const struct dirent *entry; (entry = readdir(open));) {
        const size_t length = strlen(entry->d_name) + 1;
        if (!is_file(entry) || (room && *bytes + length > size)) continue;
        if (room) memcpy(room + *bytes, entry->d_name, length);
        *bytes += length;
        count++;
    }
    closedir(open);
    return count;
}

/* Twice: nothing is taken of the arena while the folder is open. A file that appears in between is another time's. */
cvk_status database_files(arena *a, const char *folder, cvk_diagnostics *d, char ***names, size_t *count) {
    size_t bytes = 0, size;
    *count = 0;
    if (list_folder(folder, NULL, 0, &bytes) < 0) return cannot(folder, d, "opened", errno);
    size = bytes;
    char *room = arena_alloc(a, size + 1);
    ssize_t found = list_folder(folder, room, size, &bytes);
    if (found < 0) return cannot(folder, d, "opened", errno);
    *names = arena_array(a, char *, found + 1);
    for (; (ssize_t)*count < found; room += strlen(room) + 1) (*names)[(*count)++] = room;
    qsort(*names, *count, sizeof **names, by_name);
    return CVK_OK;
}

/* -1: errno says why. */
static ssize_t read_to(const char *path, char *to, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t done = 0;
    ssize_t n = file < 0 ? -1 : 1;
    while (n > 0 && done < size) {
        n = read(file, to + done, size - done);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            done += (size_t)n;
    }
    int reason = errno;
    if (file >= 0) close(file);
    errno = reason;
    return n < 0 ? -1 : (ssize_t)done;
}

/* ---- lines ---- */

/* The hashes of lines that are there already: a table with empty places, which are 0. */
typedef struct line_set {
    uint64_t *hash;
    size_t size, count;
} line_set;

/* Reading under way. */
typedef struct reading {
    arena *arena;
    const char *word; /* lines without it are passed over; NULL: none */
    line_set seen;
    record_list *list;
} reading;

/* Whether it is new. */
static bool put(line_set *s, uint64_t hash) {
    size_t at = hash % s->size;
    for (; s->hash[at]; at = (at + 1) % s->size)
        if (s->hash[at] == hash) return false;
    s->hash[at] = hash;
    s->count++;
    return true;
}

static void grow(arena *a, line_set *s) {
    if (s->size && s->count < s->size / 2) return;
    const line_set old = *s;
    *s = (line_set){.size = old.size ? 4 * old.size : 1024};
    s->hash = arena_array(a, uint64_t, s->size);
    for (size_t i = 0; i < old.size; i++)
        if (old.hash[i]) put(s, old.hash[i]);
}

static void read_line(reading *to, char *line, size_t length) {
    record r;
    if (to->word && !memmem(line, length, to->word, strlen(to->word))) return;
    line[length] = 0;
    uint64_t hash = entry_hash(line);
    grow(to->arena, &to->seen);
    if (!record_parse(to->arena, line, length, &r))
        to->list->torn++;
    else if (put(&to->seen, hash ? hash : 1))
        record_list_add(to->arena, to->list, &r);
    else
        to->list->repeats++;
}

/* Lines are those that have an end. */
static void read_lines(reading *to, char *bytes, size_t size) {
    for (char *line = bytes, *end; line < bytes + size; line = end + 1) {
        end = memchr(line, '\n', size - (size_t)(line - bytes));
        if (!end) {
            to->list->torn++;
            return;
        }
        read_line(to, line, (size_t)(end - line));
    }
}

static cvk_status read_file(reading *to, const char *path, cvk_diagnostics *d) {
    struct stat s;
    if (stat(path, &s) != 0) return cannot(path, d, "read", errno);
    char *bytes = arena_alloc(to->arena, (size_t)s.st_size + 1);
    ssize_t size = read_to(path, bytes, (size_t)s.st_size);
    if (size < 0) return cannot(path, d, "read", errno);
    read_lines(to, bytes, (size_t)size);
    return CVK_OK;
}

static cvk_status read_folder(const char *folder, cvk_diagnostics *d, reading *to) {
    char **names;
    size_t count;
    cvk_status status = database_files(to->arena, folder, d, &names, &count);
    for (size_t i = 0; i < count && status == CVK_OK; i++)
        status = read_file(to, arena_format(to->arena, "%s/%s", folder, names[i]), d);
    return status;
}

cvk_status database_read(arena *a, const char *folder, cvk_diagnostics *d, record_list *list) {
    return read_folder(folder, d, &(reading){.arena = a, .list = list});
}

/* A trial whose words are of matches is read, and left out. */
cvk_status database_read_matches(arena *a, const char *folder, cvk_diagnostics *d, record_list *list) {
    record_list found = {0};
    cvk_status status = read_folder(folder, d, &(reading){.arena = a, .word = "\"match\"", .list = &found});
    for (size_t i = 0; i < found.count; i++)
        if (found.record[i].kind == RECORD_MATCH) record_list_add(a, list, &found.record[i]);
    return status;
}

/* ---- removing ---- */

/* A writer holds its file locked; where there are no locks, nobody does. */
static bool is_being_written(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool locked = file >= 0 && flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (file >= 0) close(file);
    return locked;
}

cvk_status database_remove(const char *folder, char *const *names, size_t count, cvk_diagnostics *d, size_t *kept) {
    *kept = 0;
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (is_being_written(path))
            ++*kept;
        else if (unlink(path) != 0)
            return cannot(path, d, "removed", errno);
    }
    return CVK_OK;
}
