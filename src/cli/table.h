/* Rows of figures in the three formats: columns for people as the rows arrive, CSV likewise, one JSON document at the
 * end:
 * {"verb": …, extra members, "rows": [{column: value, …}], "diagnostics": […]}. */
#ifndef CVK_CLI_TABLE_H
#define CVK_CLI_TABLE_H

#include "cli/session.h"

#include <jansson.h>
#include <stdio.h>

typedef struct column {
    const char *name;
    const char *format; /* of a number, such as "%.1f"; NULL for text */
    int width;          /* on a terminal, at least; 0: not shown to people */
} column;

/* The text or, in a column of numbers, the number. A NaN is a figure that there is none of. */
typedef struct cell {
    const char *text;
    double number;
} cell;

typedef struct table {
    const column *columns;
    size_t count;
    cli_format format;
    FILE *file;
    json_t *document;
} table;

/* Writes the heading. False: out of memory. */
bool table_open(table *t, const char *verb, const column *columns, size_t count, cli_format format, FILE *file);
void table_row(table *t, const cell *cells);
/* A member of the JSON document besides the rows; takes the reference. No effect in the other formats. */
void table_extra(table *t, const char *name, json_t *value);
/* Ends the document. */
void table_close(table *t, const cvk_diagnostics *diagnostics);
/* The document of a session that could not begin: no rows, but the messages. Nothing in the other formats. */
void table_failed(const char *verb, const session *s);

#endif
