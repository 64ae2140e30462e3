/* A database: a folder of records, one a line in files that end in ".jsonl". Each writer has a file of its own, so
 * that processes on several machines may write to one folder without locks. A record is on the disk before the writer
 * goes on; one that was cut short by a crash is the last line of its file, and is not read. */
#ifndef CVK_RECORDS_DATABASE_H
#define CVK_RECORDS_DATABASE_H

#include "records/record.h"

#define DATABASE_FILE_END ".jsonl"

typedef struct record_list {
    record *record;
    size_t count, capacity;
    size_t torn;    /* lines that are no records */
    size_t repeats; /* lines that were there already */
} record_list;

void record_list_add(arena *a, record_list *list, const record *r);

/* The names of its files, in order. CVK_ERROR_IO: there is no such folder, or it cannot be read. */
cvk_status database_files(arena *a, const char *folder, cvk_diagnostics *d, char ***names, size_t *count);
/* Appends all records, file by file, each line once however often it is there. */
cvk_status database_read(arena *a, const char *folder, cvk_diagnostics *d, record_list *list);
/* The same of matches alone, which are few and quickly found. */
cvk_status database_read_matches(arena *a, const char *folder, cvk_diagnostics *d, record_list *list);

/* A file of a writer's own; made, in a folder that is there, when there is first something to write. Locked as long as
 * it is open, where the file system has locks. */
typedef struct database_writer database_writer;
/* NULL: out of memory. */
database_writer *database_writer_new(const char *folder);
/* On the disk when it returns. CVK_ERROR_IO: the file is as it was before. */
cvk_status database_append(database_writer *w, const record *r, cvk_diagnostics *d);
void database_writer_free(database_writer *w);

/* Removes files that no writer has open. `kept` counts the others. */
cvk_status database_remove(const char *folder, char *const *names, size_t count, cvk_diagnostics *d, size_t *kept);

#endif
