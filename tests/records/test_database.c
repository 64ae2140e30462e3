/* A folder of records: written, read, merged. */
#include "folder.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void write_trials(const folder *f, int64_t first, int64_t count) {
    database_writer *w = database_writer_new(f->path);
    for (int64_t i = first; i < first + count; i++) {
        record r = trial_record(i);
        cr_assert_eq(database_append(w, &r, NULL), CVK_OK);
    }
    database_writer_free(w);
}

static record_list read_all(arena *a, const folder *f) {
    record_list list = {0};
    cr_assert_eq(database_read(a, f->path, NULL, &list), CVK_OK);
    return list;
}

static void add_bytes(const char *path, const char *bytes) {
    FILE *file = fopen(path, "a");
    fputs(bytes, file);
    fclose(file);
}

Test(database, what_writers_wrote_is_read_in_their_order) {
    folder f = folder_make();
    arena a;
    arena_init(&a);
    write_trials(&f, 0, 600);
    write_trials(&f, 600, 3);
    record_list list = read_all(&a, &f);
    cr_assert_eq(list.count, 603);
    for (size_t i = 0; i < list.count; i++) cr_assert_eq(list.record[i].trial, (int64_t)i);
    cr_assert_str_eq(list.record[602].cpu, trial_record(0).cpu);
    arena_free(&a);
    folder_remove(&f);
}

Test(database, a_torn_last_line_is_counted_and_left_out) {
    folder f = folder_make();
    arena a;
    arena_init(&a);
    write_trials(&f, 0, 3);
    add_bytes(folder_file(&f, &a), "{\"layer\":\"a\",\"plan\":\"b\"}");
    record_list list = read_all(&a, &f);
    cr_assert_eq(list.count, 3);
    cr_assert_eq(list.torn, 1);
    arena_free(&a);
    folder_remove(&f);
}

Test(database, a_line_that_is_there_twice_is_one_record) {
    folder f = folder_make();
    arena a;
    arena_init(&a);
    write_trials(&f, 0, 4);
    write_trials(&f, 2, 4);
    record_list list = read_all(&a, &f);
    cr_assert_eq(list.count, 6);
    cr_assert_eq(list.repeats, 2);
    arena_free(&a);
    folder_remove(&f);
}

Test(database, other_files_are_left_alone) {
    folder f = folder_make();
    arena a;
    arena_init(&a);
    write_trials(&f, 0, 1);
    add_bytes(arena_format(&a, "%s/notes.txt", f.path), "not a record\n");
    add_bytes(arena_format(&a, "%s/.hidden.jsonl", f.path), "not a record\n");
    record_list list = read_all(&a, &f);
    cr_assert(list.count == 1 && list.torn == 0);
    arena_free(&a);
    folder_remove(&f);
}

Test(database, a_folder_that_is_not_there_is_an_error_with_its_name) {
    arena a;
    record_list list = {0};
    cvk_diagnostics *d = cvk_diagnostics_new();
    arena_init(&a);
    cr_assert_eq(database_read(&a, "/nowhere/at/all", d, &list), CVK_ERROR_IO);
    cr_assert_str_eq(cvk_diagnostics_get(d, 0)->file, "/nowhere/at/all");
    cvk_diagnostics_free(d);
    arena_free(&a);
}

/* A file may not grow past a limit: what there is room for of a record is taken back. */
Test(database, a_record_that_finds_no_room_leaves_the_others_whole) {
    folder f = folder_make();
    arena a;
    arena_init(&a);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){1000, RLIM_INFINITY});
    database_writer *w = database_writer_new(f.path);
    cvk_status status = CVK_OK;
    int64_t written = 0;
    while (written < 100) {
        record r = trial_record(written);
        if ((status = database_append(w, &r, NULL)) != CVK_OK) break;
        written++;
    }
    cr_assert_eq(status, CVK_ERROR_IO);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    record last = trial_record(100);
    cr_assert_eq(database_append(w, &last, NULL), CVK_OK);
    database_writer_free(w);
    record_list list = read_all(&a, &f);
    cr_assert_eq((int64_t)list.count, written + 1);
    cr_assert_eq(list.torn, 0);
    arena_free(&a);
    folder_remove(&f);
}

Test(database, a_file_that_is_being_written_is_not_removed) {
    folder f = folder_make();
    arena a;
    char **names;
    size_t count, kept;
    arena_init(&a);
    write_trials(&f, 0, 1);
    database_writer *w = database_writer_new(f.path);
    record r = trial_record(1);
    cr_assert_eq(database_append(w, &r, NULL), CVK_OK);
    cr_assert_eq(database_files(&a, f.path, NULL, &names, &count), CVK_OK);
    cr_assert_eq(database_remove(f.path, names, count, NULL, &kept), CVK_OK);
    cr_assert(count == 2 && kept == 1);
    database_writer_free(w);
    record_list list = read_all(&a, &f);
    cr_assert(list.count == 1 && list.record[0].trial == 1);
    arena_free(&a);
    folder_remove(&f);
}
