/* Records in the forms of other tuners, and back from what was written here. Times are in milliseconds there. */
#ifndef CVK_EXCHANGE_EXCHANGE_H
#define CVK_EXCHANGE_EXCHANGE_H

#include "records/database.h"

/* A file that is to be written. */
typedef struct exchange_file {
    const char *name;
    char *bytes; /* of malloc; NULL: out of memory */
} exchange_file;

enum { EXCHANGE_MOST_FILES = 1024 };

/* A row of exchange/formats.def. */
typedef struct exchange_format {
    const char *word, *about;
    /* Gives the number of files, at most EXCHANGE_MOST_FILES; names live in the arena. */
    size_t (*print)(arena *a, const record_list *list, exchange_file *files);
    /* Appends the records of one file of that form that was written here. False: it is none. */
    bool (*parse)(arena *a, const char *bytes, size_t size, record_list *list);
} exchange_format;

/* NULL past the end. */
const exchange_format *exchange_row(int index);

/* ---- for formats ---- */

struct json_t;
/* A plan's fields by their names in plan/fields.def, "tile_oc": numbers, 0 and 1, words, and the order as words between
 * spaces. Of a layer of several problems those of each plan: "tile_oc_1" is the second's. Of a plan that this convoke
 * does not read, its text as `schedule`. A new reference. */
struct json_t *exchange_configuration(arena *a, const record *r);
/* "2026-11-29T01:40:54.123+00:00" */
const char *exchange_time(arena *a, const record *r);
/* 0 for what there is none of. */
double exchange_milliseconds(double seconds);

#endif
