/* Report: what was found wrong with one file, on its way to the caller's diagnostics. Counts even where nobody
 * listens, tells invalid from over a limit, and stops at 20 errors. */
#ifndef CVK_SPEC_REPORT_H
#define CVK_SPEC_REPORT_H

#include "base/diag.h"

typedef struct report {
    cvk_diagnostics *list; /* may be NULL */
    bool invalid, unsupported;
    unsigned errors; /* those listed */
    struct {
        diag_code code;
        unsigned line, column;
    } listed[DIAG_MOST_ERRORS];
} report;

/* Codes 06xx mean unsupported or over a limit, all others invalid. `hint` may be NULL. */
void report_error(report *r, diag_code code, place at, const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The same, but not where this was said of this place before: a default is read again for every layer. */
void report_error_once(report *r, diag_code code, place at, const char *hint, const char *message);

/* CVK_OK, or CVK_ERROR_SPEC where anything was invalid, else CVK_ERROR_UNSUPPORTED. */
cvk_status report_status(const report *r);
static inline bool report_clean(const report *r) { return !r->invalid && !r->unsupported; }

/* What stands in a file, fit to be shown in a message: quotes and line breaks escaped, long text cut. */
typedef struct shown {
    char text[64];
} shown;
shown show_text(const char *text);

#endif
