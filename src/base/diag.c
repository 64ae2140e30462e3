/* Diagnostics: a list of messages on the heap, because it outlives the arenas of the compiles that fill it.
 * Each entry is one block, the record and then its three strings, so a message is kept whole or not at all. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cvk_diagnostics {
    cvk_diagnostic **entry;
    size_t count, capacity;
};

cvk_diagnostics *cvk_diagnostics_new(void) { return calloc(1, sizeof(cvk_diagnostics)); }

void cvk_diagnostics_free(cvk_diagnostics *d) {
    if (!d) return;
    for (size_t i = 0; i < d->count; i++) free(d->entry[i]);
    free(d->entry);
    free(d);
}

size_t cvk_diagnostics_count(const cvk_diagnostics *d) { return d ? d->count : 0; }

const cvk_diagnostic *cvk_diagnostics_get(const cvk_diagnostics *d, size_t index) {
    return index < cvk_diagnostics_count(d) ? d->entry[index] : NULL;
}

static bool make_room(cvk_diagnostics *d) {
    if (d->count < d->capacity) return true;
    size_t capacity = d->capacity ? d->capacity * 2 : 8;
    cvk_diagnostic **entry = realloc(d->entry, capacity * sizeof *entry);
    if (!entry) return false;
    d->entry = entry;
    d->capacity = capacity;
    return true;
}

static void add(cvk_diagnostics *d, cvk_severity severity, diag_code code, place at, const char *hint,
                const char *format, va_list args) {
    if (!d || !make_room(d)) return;
    va_list again;
    va_copy(again, args);
    int printed = vsnprintf(NULL, 0, format, again);
    va_end(again);
    const char *file = at.file ? at.file : "";
    if (!hint) hint = "";
    size_t message_size = printed < 0 ? 1 : (size_t)printed + 1;
    size_t file_size = strlen(file) + 1, hint_size = strlen(hint) + 1;
    cvk_diagnostic *entry = calloc(1, sizeof *entry + message_size + file_size + hint_size);
    if (!entry) return;
    char *message = (char *)(entry + 1);
    if (printed >= 0) vsnprintf(message, message_size, format, args);
    *entry = (cvk_diagnostic){.severity = severity,
                              .code = code,
                              .file = memcpy(message + message_size, file, file_size),
                              .line = at.line,
                              .column = at.column,
                              .message = message,
                              .hint = memcpy(message + message_size + file_size, hint, hint_size)};
    d->entry[d->count++] = entry;
}

void diag_error(cvk_diagnostics *d, diag_code code, place at, const char *hint, const char *format, ...) {
    va_list args;
    va_start(args, format);
    add(d, CVK_SEVERITY_ERROR, code, at, hint, format, args);
    va_end(args);
}

void diag_note(cvk_diagnostics *d, diag_code code, place at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    add(d, CVK_SEVERITY_NOTE, code, at, NULL, format, args);
    va_end(args);
}

size_t cvk_diagnostic_format(const cvk_diagnostic *diagnostic, char *buffer, size_t size) {
    static const char *const severities[] = {"error", "warning", "note"};
    char position[32] = "";
    if (!diagnostic) {
        if (size) *buffer = '\0';
        return 0;
    }
    if (diagnostic->line) snprintf(position, sizeof position, ":%u:%u", diagnostic->line, diagnostic->column);
    int length =
        snprintf(buffer, size, "%s%s%s%s[E%04u]: %s%s%s", diagnostic->file, position,
                 *diagnostic->file || *position ? ": " : "", severities[diagnostic->severity], diagnostic->code,
                 diagnostic->message, *diagnostic->hint ? "\n  hint: " : "", diagnostic->hint);
    return length < 0 ? 0 : (size_t)length;
}
