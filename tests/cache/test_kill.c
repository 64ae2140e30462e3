/* Writers that are killed at random points: a reader finds whole entries or none. */
#include "folder.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS = 8, SIZE = 100000 };

static void key_of(int i, char key[16]) { snprintf(key, 16, "key %d", i); }

static void fill(unsigned char object[SIZE], int i) {
    for (int at = 0; at < SIZE; at++) object[at] = (unsigned char)(at * 31 + i);
}

static void write_forever(const disk_cache *cache) {
    static unsigned char object[SIZE];
    for (int i = 0;; i = (i + 1) % KEYS) {
        char key[16];
        key_of(i, key);
        fill(object, i);
        disk_cache_store(cache, key, object, sizeof object, &(disk_trouble){""});
    }
}

/* How many of the keys are found, each with its own bytes. */
static int check(const disk_cache *cache) {
    static unsigned char object[SIZE];
    int found = 0;
    for (int i = 0; i < KEYS; i++) {
        char key[16];
        key_of(i, key);
        fill(object, i);
        found += folder_finds(cache, key, object, sizeof object);
    }
    return found;
}

Test(cache_kill, a_reader_never_sees_half_an_entry, .timeout = 100) {
    disk_cache cache = folder_make();
    cache.most_bytes = 1 << 30;
    unsigned seed = (unsigned)amount("CVK_SEED", 1);
    long found = 0, half_written = 0, most = 3000; /* microseconds that a writer has */
    for (long i = 0; i < amount("CVK_KILLS", 500); i++) {
        pid_t writer = fork();
        cr_assert_geq(writer, 0);
        if (writer == 0) write_forever(&cache);
        if (!found && i % 20 == 19 && most < 200000) most *= 2; /* on a slow machine it needs more */
        usleep((useconds_t)(rand_r(&seed) % most));
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
        found += check(&cache);
        half_written = (long)folder_count(&cache, "") - (long)folder_count(&cache, ".cvk") - 1;
    }
    cr_assert_gt(found, 0, "entries were written at all");
    cr_assert_gt(half_written, 0, "some writers were killed in the middle");
    folder_remove(&cache);
}
