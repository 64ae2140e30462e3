/* Report: decides which errors of a file are listed and what status they add up to. */
#include "spec/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST_MESSAGE = 512 };

static bool is_limit(unsigned code) { return code / 100 == 6; }

static bool is_listed(const report *r, diag_code code, place at) {
    for (unsigned i = 0; i < r->errors && i < DIAG_MOST_ERRORS; i++)
        if (r->listed[i].code == code && r->listed[i].line == at.line && r->listed[i].column == at.column) return true;
    return false;
}

void report_error(report *r, diag_code code, place at, const char *hint, const char *format, ...) {
    bool first_unlisted = r->errors == DIAG_MOST_ERRORS;
    if (is_limit(code))
        r->unsupported = true;
    else
        r->invalid = true;
    if (r->errors > DIAG_MOST_ERRORS) return;
    if (first_unlisted) {
        r->errors++;
        diag_note(r->list, E_TOO_MANY, at, "too many errors; the rest are not listed");
        return;
    }
    char message[LONGEST_MESSAGE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    r->listed[r->errors].code = code;
    r->listed[r->errors].line = at.line;
    r->listed[r->errors++].column = at.column;
    diag_error(r->list, code, at, hint, "%s", message);
}

void report_error_once(report *r, diag_code code, place at, const char *hint, const char *message) {
    if (!is_listed(r, code, at)) report_error(r, code, at, hint, "%s", message);
}

cvk_status report_status(const report *r) {
    if (r->invalid) return CVK_ERROR_SPEC;
    return r->unsupported ? CVK_ERROR_UNSUPPORTED : CVK_OK;
}

/* One character as it is shown; `length` is how many bytes of `text` it stands for. */
static const char *escape(const char *text, size_t *length) {
    static const struct {
        char plain;
        const char *escaped;
    } escapes[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\t', "\\t"}, {'\r', "\\r"}};
    *length = 1;
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
        if (*text == escapes[i].plain) return escapes[i].escaped;
    while ((text[*length] & 0xC0) == 0x80) ++*length;
    return text;
}

shown show_text(const char *text) {
    static const char cut[] = "...";
    shown s = {.text = ""};
    size_t used = 0;
    while (*text) {
        size_t taken;
        const char *as = escape(text, &taken);
        size_t bytes = as == text ? taken : strlen(as);
        if (used + bytes + sizeof cut > sizeof s.text) {
            memcpy(s.text + used, cut, sizeof cut);
            return s;
        }
        memcpy(s.text + used, as, bytes);
        used += bytes;
        text += taken;
    }
    return s;
}
