/* Records as values of jansson, for who puts them into documents of other forms. */
#ifndef CVK_RECORDS_JSON_H
#define CVK_RECORDS_JSON_H

#include "records/record.h"

struct json_t;

enum { RECORD_DIGITS = 9 }; /* of a number: what is read back and printed again is the same */

/* A new reference; NULL: out of memory. */
struct json_t *record_to_json(const record *r);
/* Texts go to the arena, before anything else does. False: it is no record. */
bool record_from_json(arena *a, const struct json_t *value, record *r);
/* The same from a text, as CSV has it, for one member; "" is none. False: it is none that the member takes. */
bool record_set_text(record *r, const record_field *f, const char *words);
/* A member as such a text; numbers to `digits`, which has room for 32 bytes. */
const char *record_get_text(const record *r, const record_field *f, char digits[32]);

#endif
