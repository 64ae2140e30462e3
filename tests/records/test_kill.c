/* Writers that are killed at random points: what they said was synced is there, once, and the next goes on. */
#include "folder.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Goes on from where the database ends, and says of each record that is on the disk. */
static void write_forever(const folder *f, volatile int64_t *synced) {
    database_writer *w = database_writer_new(f->path);
    for (int64_t i = *synced;; i++) {
        record r = trial_record(i);
        if (database_append(w, &r, NULL) != CVK_OK) _exit(1);
        *synced = i + 1;
    }
}

/* A record may be there that its writer had no time to say is. */
static int64_t check(const folder *f, int64_t synced) {
    arena a;
    record_list list = {0};
    arena_init(&a);
    cr_assert_eq(database_read(&a, f->path, NULL, &list), CVK_OK);
    cr_assert_geq((int64_t)list.count, synced, "a synced record is lost");
    cr_assert_leq((int64_t)list.count, synced + 1);
    for (size_t i = 0; i < list.count; i++)
        cr_assert_eq(list.record[i].trial, (int64_t)i, "one is lost or there twice");
    int64_t count = (int64_t)list.count;
    arena_free(&a);
    return count;
}

/* A busy machine may not come to write within some milliseconds, which is what every second writer has from its start.
 */
static void wait_for_records(volatile int64_t *synced, int64_t wanted) {
    while (*synced < wanted) usleep(100);
}

Test(records_kill, no_synced_record_is_lost_and_none_is_doubled, .timeout = 100) {
    folder f = folder_make();
    unsigned seed = (unsigned)amount("CVK_SEED", 1);
    volatile int64_t *synced = mmap(NULL, sizeof *synced, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)synced, MAP_FAILED);
    for (long i = 0; i < amount("CVK_KILLS", 200); i++) {
        pid_t writer = fork();
        cr_assert_geq(writer, 0);
        if (writer == 0) write_forever(&f, synced);
        if (i % 2) wait_for_records(synced, *synced + rand_r(&seed) % 4);
        usleep((useconds_t)(rand_r(&seed) % 8000));
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
        *synced = check(&f, *synced);
    }
    cr_assert_gt(*synced, 0, "records were written at all");
    munmap((void *)synced, sizeof *synced);
    folder_remove(&f);
}
