/* Size: the directory stays within its bound, and what was used last stays longest. */
#include "folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

enum { SIZE = 10000 };

static void key_of(int i, char key[16]) { snprintf(key, 16, "key %d", i); }

static void store(const disk_cache *cache, int i) {
    unsigned char object[SIZE];
    char key[16];
    key_of(i, key);
    memset(object, i, sizeof object);
    disk_cache_store(cache, key, object, sizeof object, &(disk_trouble){""});
}

static bool finds(const disk_cache *cache, int i) {
    unsigned char object[SIZE];
    char key[16];
    key_of(i, key);
    memset(object, i, sizeof object);
    return folder_finds(cache, key, object, sizeof object);
}

static void rest(void) { usleep(2000); } /* file times are no finer than the kernel's tick */

Test(cache_evict, the_least_recently_used_go_first) {
    disk_cache cache = folder_make();
    cache.most_bytes = 10 * (SIZE + 40);
    for (int i = 0; i < 30; i++) {
        store(&cache, i);
        rest();
        cr_assert(finds(&cache, i), "the newest, %d, is kept", i);
        if (i >= 1) cr_assert(finds(&cache, 0), "entry 0, used each time, is kept when %d is stored", i);
        rest();
        cr_assert_leq(folder_count(&cache, ".cvk"), 10);
    }
    cr_assert_not(finds(&cache, 1), "entry 1, never used again, is gone");
    cr_assert_geq(folder_count(&cache, ".cvk"), 8, "no more is removed than need be");
    folder_remove(&cache);
}

Test(cache_evict, an_entry_larger_than_all_of_it_is_not_kept) {
    disk_cache cache = folder_make();
    cache.most_bytes = SIZE;
    store(&cache, 1);
    cr_assert_not(finds(&cache, 1));
    cr_assert_eq(folder_count(&cache, ".cvk"), 0);
    folder_remove(&cache);
}

Test(cache_evict, files_that_are_not_ours_are_left_alone) {
    disk_cache cache = folder_make();
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/letter.txt", cache.directory);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    cr_assert_eq(truncate(path, 1 << 20), 0);
    cache.most_bytes = 4 * SIZE;
    for (int i = 0; i < 10; i++) store(&cache, i);
    cr_assert_eq(access(path, F_OK), 0);
    folder_remove(&cache);
}

Test(cache_evict, what_a_killed_writer_left_is_removed_in_time) {
    disk_cache cache = folder_make();
    char old[PATH_MAX + 32], fresh[PATH_MAX + 32];
    snprintf(old, sizeof old, "%s/.writing-1-1-1", cache.directory);
    snprintf(fresh, sizeof fresh, "%s/.writing-2-2-2", cache.directory);
    close(open(old, O_CREAT | O_WRONLY, 0600));
    close(open(fresh, O_CREAT | O_WRONLY, 0600));
    const struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    cr_assert_eq(utimensat(AT_FDCWD, old, long_ago, 0), 0);
    store(&cache, 1);
    cr_assert_neq(access(old, F_OK), 0, "a file of long ago is gone");
    cr_assert_eq(access(fresh, F_OK), 0, "a file that may be being written is not");
    folder_remove(&cache);
}

Test(cache_evict, nobody_waits_for_somebody_elses_eviction) {
    disk_cache cache = folder_make();
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/.lock", cache.directory);
    int lock = open(path, O_CREAT | O_RDWR, 0600);
    cr_assert_eq(flock(lock, LOCK_EX), 0);
    cache.most_bytes = 4 * SIZE;
    for (int i = 0; i < 10; i++) store(&cache, i);
    cr_assert_eq(folder_count(&cache, ".cvk"), 10, "who holds the lock has not evicted yet");
    close(lock);
    store(&cache, 10);
    cr_assert_leq(folder_count(&cache, ".cvk"), 3, "the next writer does");
    folder_remove(&cache);
}
