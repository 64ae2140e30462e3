/* CSV as RFC 4180 has it: quotes around what holds a comma, a quote or the end of a line, and quotes doubled. */
#include "exchange/exchange.h"
#include "records/json.h"

#include <stdlib.h>
#include <string.h>

size_t exchange_print_csv(arena *a, const record_list *list, exchange_file *files);
bool exchange_parse_csv(arena *a, const char *bytes, size_t size, record_list *list);

static void add_quoted(text *out, const char *value) {
    if (!strpbrk(value, ",\"\n\r")) {
        text_add_bytes(out, value, strlen(value));
        return;
    }
    text_add_bytes(out, "\"", 1);
    for (; *value; value++) text_add_bytes(out, *value == '"' ? "\"\"" : value, *value == '"' ? 2 : 1);
    text_add_bytes(out, "\"", 1);
}

size_t exchange_print_csv(arena *a, const record_list *list, exchange_file *files) {
    text out = text_new(a);
    const record_field *f;
    char digits[32];
    for (int i = 0; (f = record_field_row(i)); i++) text_add(&out, "%s%s", i ? "," : "", f->name);
    for (size_t k = 0; k < list->count; k++) {
        text_add(&out, "\n");
        for (int i = 0; (f = record_field_row(i)); i++) {
            if (i) text_add(&out, ",");
            add_quoted(&out, record_get_text(&list->record[k], f, digits));
        }
    }
    text_add(&out, "\n");
    files[0] = (exchange_file){"records.csv", strdup(out.bytes)};
    return 1;
}

/* ---- reading ---- */

typedef struct reader {
    arena *arena;
    const char *at, *end;
    bool more; /* another value follows in the row */
} reader;

/* NULL: a quote that does not end. */
static const char *read_value(reader *r) {
    text value = text_new(r->arena);
    const bool quoted = r->at < r->end && *r->at == '"';
    r->at += quoted;
    for (;; r->at++) {
        if (r->at == r->end && quoted) return NULL;
        if (r->at == r->end || (!quoted && (*r->at == ',' || *r->at == '\n'))) break;
        if (quoted && *r->at == '"') {
            r->at++;
            if (r->at == r->end || *r->at != '"') break;
        }
        text_add_bytes(&value, r->at, 1);
    }
    r->more = r->at < r->end && *r->at == ',';
    if (r->at < r->end) r->at++;
    return value.bytes;
}

static const record_field *field_of(const char *name) {
    const record_field *f;
    for (int i = 0; (f = record_field_row(i)); i++)
        if (strcmp(f->name, name) == 0) break;
    return f;
}

enum { MOST_COLUMNS = 128 };

/* Columns that are not known are passed over. */
static int read_heading(reader *r, const record_field *columns[MOST_COLUMNS]) {
    int count = 0;
    do {
        const char *name = read_value(r);
        if (!name || count == MOST_COLUMNS) return 0;
        columns[count++] = field_of(name);
    } while (r->more);
    return count;
}

static bool read_row(reader *r, const record_field *const *columns, int count, record *to) {
    *to = record_new();
    for (int i = 0; i < count; i++) {
        const char *value = read_value(r);
        if (!value || r->more != (i + 1 < count)) return false;
        if (columns[i] && !record_set_text(to, columns[i], value)) return false;
    }
    return *to->layer && *to->plan;
}

bool exchange_parse_csv(arena *a, const char *bytes, size_t size, record_list *list) {
    reader r = {a, bytes, bytes + size, false};
    const record_field *columns[MOST_COLUMNS];
    const int count = read_heading(&r, columns);
    bool good = count > 0;
    while (good && r.at < r.end) {
        record one;
        good = read_row(&r, columns, count, &one);
        if (good) record_list_add(a, list, &one);
    }
    return good;
}
