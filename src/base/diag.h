/* Diagnostics: the list behind cvk_diagnostics, and how every room adds to it.
 * Codes are rows of base/codes.def, one a kind of mistake; their numbers are stable. */
#ifndef CVK_BASE_DIAG_H
#define CVK_BASE_DIAG_H

#include <convoke/convoke.h>

enum { DIAG_MOST_ERRORS = 20 }; /* a file */

typedef enum diag_code {
#define DIAG(number, name, about) E_##name = (number),
#include "base/codes.def"
#undef DIAG
} diag_code;

/* Where in a file; line and column from 1, 0 for the file as a whole. */
typedef struct place {
    const char *file;
    unsigned line, column;
} place;

/* Adds an error. `d` may be NULL: then nothing is kept. A message that finds no memory is dropped, not fatal.
 * `hint` may be NULL or "". */
void diag_error(cvk_diagnostics *d, diag_code code, place at, const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void diag_note(cvk_diagnostics *d, diag_code code, place at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
