/* Side files are written to memory until all is there. */
#include "cli/tables.h"

#include "files/output.h"

#include <stdlib.h>

static bool open_side_file(side_file *f, const char *verb, const column *columns, size_t count, const char *path,
                           cli_format format) {
    FILE *memory = path ? open_memstream(&f->bytes, &f->size) : NULL;
    if (memory && table_open(&f->table, verb, columns, count, format, memory)) f->path = path;
    return f->path == path;
}

cli_exit tables_open(session *s, const char *verb, const column *columns, size_t count, size_t more, tables *t) {
    *t = (tables){.session = s};
    const size_t shown = s->format == FORMAT_TEXT ? count + more : count;
    if (table_open(&t->shown, verb, columns, shown, s->format, stdout) &&
        open_side_file(&t->side[0], verb, columns, count, s->options->csv, FORMAT_CSV) &&
        open_side_file(&t->side[1], verb, columns, count, s->options->json, FORMAT_JSON))
        return CLI_DONE;
    return session_fail(s, CVK_ERROR_MEMORY);
}

void tables_row(tables *t, const cell *cells) {
    session_progress_end(t->session);
    table_row(&t->shown, cells);
    for (int i = 0; i < SIDE_FILES; i++)
        if (t->side[i].path) table_row(&t->side[i].table, cells);
}

void tables_extra(tables *t, const char *name, json_t *value) {
    for (int i = 0; i < SIDE_FILES; i++)
        if (t->side[i].path) table_extra(&t->side[i].table, name, json_incref(value));
    table_extra(&t->shown, name, value);
}

cli_exit tables_write_file(session *s, const char *path, const void *bytes, size_t size) {
    const output_file file = {path, bytes, size};
    return session_fail(s, output_write(&file, 1, s->diagnostics));
}

cli_exit tables_close(tables *t) {
    cli_exit worst = CLI_DONE;
    table_close(&t->shown, t->session->diagnostics);
    for (int i = 0; i < SIDE_FILES; i++) {
        side_file *f = &t->side[i];
        if (!f->path) continue;
        table_close(&f->table, t->session->diagnostics);
        fclose(f->table.file);
        worst = graver(worst, tables_write_file(t->session, f->path, f->bytes, f->size));
    }
    return worst;
}

void tables_free(tables *t) {
    for (int i = 0; i < SIDE_FILES; i++) free(t->side[i].bytes);
}
