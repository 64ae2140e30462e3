/* One table three times: as it is shown, and in the files of --csv and --json, which appear whole or not at all. */
#ifndef CVK_CLI_TABLES_H
#define CVK_CLI_TABLES_H

#include "cli/table.h"

/* A table that goes to a file. */
typedef struct side_file {
    const char *path; /* NULL: not asked for */
    table table;
    char *bytes;
    size_t size;
} side_file;

enum { SIDE_FILES = 2 };

typedef struct tables {
    session *session;
    table shown;
    side_file side[SIDE_FILES];
} tables;

/* Of those columns the first `count`; people see `more` besides. */
cli_exit tables_open(session *s, const char *verb, const column *columns, size_t count, size_t more, tables *t);
void tables_row(tables *t, const cell *cells);
/* A member of all documents; takes the reference. */
void tables_extra(tables *t, const char *name, json_t *value);
/* Ends them and writes the files. */
cli_exit tables_close(tables *t);
/* Of tables that were opened or are all 0. */
void tables_free(tables *t);

/* Some other file. */
cli_exit tables_write_file(session *s, const char *path, const void *bytes, size_t size);

#endif
