/* Text: a string that grows in an arena. */
#ifndef CVK_BASE_TEXT_H
#define CVK_BASE_TEXT_H

#include "base/arena.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct text {
    arena *arena;
    char *bytes; /* always NUL-terminated */
    size_t length, capacity;
} text;

text text_new(arena *a);
void text_add(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(text *t, const char *bytes, size_t length);

/* The shortest decimal that reads back as the same float; '.' whatever the locale ("0.1", "1e+30", "-3"). */
void text_add_float(text *t, float value);
void text_add_double(text *t, double value); /* the same double */

/* How many single-character edits (insert, delete, replace, swap) lead from a to b; for "did you mean". */
unsigned text_distance(const char *a, const char *b);
/* The candidate nearest to `word` if it is near enough to be a slip, else NULL. */
const char *text_nearest(const char *word, const char *const *candidates, size_t n);

#endif
