/* One table of columns, three ways to write a row. */
#include "cli/table.h"

#include <math.h>
#include <string.h>

/* One cell for people: numbers to the right, text to the left, two spaces between columns. */
static void write_cell(const table *t, size_t i, const char *value) {
    const column *c = &t->columns[i];
    if (c->width) fprintf(t->file, c->format ? "%*s%s" : "%-*s%s", c->width, value, i + 1 < t->count ? "  " : "");
}

static void heading_text(const table *t) {
    for (size_t i = 0; i < t->count; i++) write_cell(t, i, t->columns[i].name);
    fputc('\n', t->file);
}

static void heading_csv(const table *t) {
    for (size_t i = 0; i < t->count; i++) fprintf(t->file, "%s%s", i ? "," : "", t->columns[i].name);
    fputc('\n', t->file);
}

bool table_open(table *t, const char *verb, const column *columns, size_t count, cli_format format, FILE *file) {
    *t = (table){columns, count, format, file, NULL};
    if (format == FORMAT_TEXT) heading_text(t);
    if (format == FORMAT_CSV) heading_csv(t);
    if (format != FORMAT_JSON) return true;
    t->document = json_pack("{s:s, s:[]}", "verb", verb, "rows");
    return t->document != NULL;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void format_number(const char *format, double number, char *to, size_t size) {
    snprintf(to, size, format, number);
}
#pragma GCC diagnostic pop

static void row_text(const table *t, const cell *cells) {
    for (size_t i = 0; i < t->count; i++) {
        const column *c = &t->columns[i];
        char number[48] = "-";
        if (c->format && !isnan(cells[i].number)) format_number(c->format, cells[i].number, number, sizeof number);
        write_cell(t, i, c->format ? number : cells[i].text);
    }
    fputc('\n', t->file);
    fflush(t->file);
}

/* RFC 4180: quotes around what holds a comma or a quote, and quotes doubled. */
static void write_quoted(FILE *file, const char *value) {
    if (!strpbrk(value, ",\"\n")) {
        fputs(value, file);
        return;
    }
    fputc('"', file);
    for (; *value; value++) fputs(*value == '"' ? "\"\"" : (char[]){*value, 0}, file);
    fputc('"', file);
}

static void row_csv(const table *t, const cell *cells) {
    for (size_t i = 0; i < t->count; i++) {
        if (i) fputc(',', t->file);
        if (!t->columns[i].format)
            write_quoted(t->file, cells[i].text);
        else if (!isnan(cells[i].number))
            fprintf(t->file, "%.9g", cells[i].number);
    }
    fputc('\n', t->file);
}

/* JSON has no infinities and no NaN. */
static json_t *json_number(double number) { return isfinite(number) ? json_real(number) : json_null(); }

static void row_json(const table *t, const cell *cells) {
    json_t *row = json_object();
    for (size_t i = 0; i < t->count; i++)
        json_object_set_new(row, t->columns[i].name,
                            t->columns[i].format ? json_number(cells[i].number) : json_string(cells[i].text));
    json_array_append_new(json_object_get(t->document, "rows"), row);
}

void table_row(table *t, const cell *cells) {
    static void (*const write[FORMATS])(const table *, const cell *) = {row_text, row_json, row_csv};
    write[t->format](t, cells);
}

void table_extra(table *t, const char *name, json_t *value) {
    if (t->document)
        json_object_set_new(t->document, name, value);
    else
        json_decref(value);
}

static json_t *json_diagnostics(const cvk_diagnostics *diagnostics) {
    static const char *const severities[] = {"error", "warning", "note"};
    json_t *list = json_array();
    const cvk_diagnostic *d;
    for (size_t i = 0; (d = cvk_diagnostics_get(diagnostics, i)); i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:i, s:s, s:i, s:i, s:s, s:s}", "severity", severities[d->severity],
                                        "code", (int)d->code, "file", d->file, "line", (int)d->line, "column",
                                        (int)d->column, "message", d->message, "hint", d->hint));
    return list;
}

void table_close(table *t, const cvk_diagnostics *diagnostics) {
    if (!t->document) return;
    json_object_set_new(t->document, "diagnostics", json_diagnostics(diagnostics));
    json_dumpf(t->document, t->file, JSON_INDENT(1));
    fputc('\n', t->file);
    json_decref(t->document);
    t->document = NULL;
}

void table_failed(const char *verb, const session *s) {
    table t;
    if (s->format != FORMAT_JSON || !table_open(&t, verb, NULL, 0, FORMAT_JSON, stdout)) return;
    table_close(&t, s->diagnostics);
}
