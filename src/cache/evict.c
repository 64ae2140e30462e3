/* Eviction: one process at a time, under a lock that the system drops if the process dies. An entry is as old as its
 * modification time, which a hit renews. Readers that have an evicted file open read it to its end. */
#include "cache/evict.h"

#include "cache/disk_names.h"
#include "cache/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A writer is done in far less than this many seconds. */
enum { ABANDONED_AFTER = 3600 };

typedef struct item {
    char name[DISK_NAME_SIZE];
    struct timespec used;
    uint64_t bytes;
} item;

typedef struct listing {
    item *items;
    size_t count, capacity;
    uint64_t bytes;
} listing;

static bool add(listing *l, const char *name, const struct stat *s) {
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 256;
        item *items = realloc(l->items, capacity * sizeof *items);
        if (!items) return false;
        l->items = items;
        l->capacity = capacity;
    }
    item *i = &l->items[l->count++];
    *i = (item){.used = s->st_mtim, .bytes = (uint64_t)s->st_size};
    strcpy(i->name, name);
    l->bytes += i->bytes;
    return true;
}

static bool ends_with(const char *name, const char *end) {
    size_t length = strlen(name), n = strlen(end);
    return length >= n && strcmp(name + length - n, end) == 0;
}

/* Files of ours, and no others: a user may have named a directory that has more in it. */
static bool list_one(int directory, const char *name, listing *l) {
    bool temporary = strncmp(name, DISK_TEMPORARY, strlen(DISK_TEMPORARY)) == 0;
    if (strlen(name) >= DISK_NAME_SIZE || (!temporary && !ends_with(name, DISK_ENTRY_END))) return true;
    struct stat s;
    if (fstatat(directory, name, &s, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(s.st_mode)) return true;
    if (!temporary) return add(l, name, &s);
    if (time(NULL) - s.st_mtim.tv_sec > ABANDONED_AFTER) unlinkat(directory, name, 0);
    return true;
}

static void list(int directory, listing *l) {
    int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = again < 0 ? NULL : fdopendir(again);
    if (!d) {
        if (again >= 0) close(again);
        return;
    }
    const struct dirent *found;
    while ((found = readdir(d)) && list_one(directory, found->d_name, l)) continue;
    closedir(d);
}

static int by_age(const void *x, const void *y) {
    const struct timespec *a = &((const item *)x)->used, *b = &((const item *)y)->used;
    if (a->tv_sec != b->tv_sec) return a->tv_sec < b->tv_sec ? -1 : 1;
    return (a->tv_nsec > b->tv_nsec) - (a->tv_nsec < b->tv_nsec);
}

/* Down to seven eighths, so that the next entry does not begin it all again. */
static void shrink(int directory, listing *l, uint64_t most_bytes) {
    if (l->bytes <= most_bytes) return;
    qsort(l->items, l->count, sizeof *l->items, by_age);
    for (size_t i = 0; i < l->count && l->bytes > most_bytes - most_bytes / 8; i++)
        if (unlinkat(directory, l->items[i].name, 0) == 0) l->bytes -= l->items[i].bytes;
}

void evict(int directory, uint64_t most_bytes) {
    int lock = cache_folder_lock(directory, DISK_LOCK, &(disk_trouble){""});
    if (lock < 0) return;
    listing l = {0};
    list(directory, &l);
    shrink(directory, &l, most_bytes);
    free(l.items);
    close(lock);
}
