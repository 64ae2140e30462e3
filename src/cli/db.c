/* convoke db: databases of the tuner's records listed, shown, merged and pruned. */
#include "cli/database.h"
#include "cli/session_main.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "exchange/exchange.h"
#include "files/folders.h"
#include "files/output.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- list ---- */

static const column list_columns[] = {
    {"layer", NULL, 24},    {"target", NULL, 10}, {"threads", "%.0f", 7},  {"trials", "%.0f", 6}, {"failed", "%.0f", 6},
    {"best_us", "%.1f", 9}, {"match", "%.3f", 6}, {"chance", "%.2g", 8},   {"crowned", NULL, 38}, {"convoke", NULL, 7},
    {"llvm", NULL, 7},      {"cpu", NULL, 1},     {"layer_text", NULL, 0},
};

/* Records of one key. */
typedef struct group {
    const record *key, *match;
    size_t trials, failed;
    double best_seconds;
} group;

static group *group_of(group *groups, size_t *count, const record *r) {
    for (size_t i = 0; i < *count; i++)
        if (record_same_key(groups[i].key, r)) return &groups[i];
    groups[*count] = (group){.key = r, .best_seconds = NAN};
    return &groups[(*count)++];
}

static void count_record(group *g, const record *r) {
    if (r->kind == RECORD_MATCH && (!g->match || r->time >= g->match->time)) g->match = r;
    if (r->kind != RECORD_TRIAL) return;
    g->trials++;
    g->failed += r->outcome != OUTCOME_CORRECT;
    if (r->outcome == OUTCOME_CORRECT) g->best_seconds = fmin(g->best_seconds, r->seconds);
}

static void list_group(table *t, arena *a, const group *g) {
    const record *m = g->match;
    const cell row[] = {{g->key->name, 0},
                        {g->key->target, 0},
                        {NULL, (double)g->key->threads},
                        {NULL, (double)g->trials},
                        {NULL, (double)g->failed},
                        {NULL, 1e6 * g->best_seconds},
                        {NULL, m ? m->ratio : NAN},
                        {NULL, m ? m->chance : NAN},
                        {!m           ? "no match"
                         : m->crowned ? database_brief(a, m->plan)
                                      : "the model's",
                         0},
                        {g->key->convoke, 0},
                        {g->key->llvm, 0},
                        {g->key->cpu, 0},
                        {g->key->layer, 0}};
    table_row(t, row);
}

static cli_exit list_keys(session *s, arena *a, const record_list *list) {
    table t;
    group *groups = arena_array(a, group, list->count + 1);
    size_t count = 0;
    if (!table_open(&t, "db", list_columns, sizeof list_columns / sizeof *list_columns, s->format, stdout))
        return session_fail(s, CVK_ERROR_MEMORY);
    for (size_t i = 0; i < list->count; i++) count_record(group_of(groups, &count, &list->record[i]), &list->record[i]);
    for (size_t i = 0; i < count; i++) list_group(&t, a, &groups[i]);
    table_extra(&t, "torn", json_integer((json_int_t)list->torn));
    table_extra(&t, "repeats", json_integer((json_int_t)list->repeats));
    table_close(&t, s->diagnostics);
    return CLI_DONE;
}

/* ---- show ---- */

static const column show_columns[] = {
    {"layer", NULL, 24},    {"kind", NULL, 5},  {"trial", "%.0f", 5}, {"outcome", NULL, 11}, {"us", "%.1f", 9},
    {"ratio", "%.3f", 6},   {"low", "%.3f", 6}, {"high", "%.3f", 6},  {"turns", "%.0f", 5},  {"predicted", "%.3g", 9},
    {"strategy", NULL, 10}, {"plan", NULL, 38}, {"why", NULL, 1},     {"schedule", NULL, 0},
};

static cli_exit show_records(session *s, arena *a, const record_list *list) {
    table t;
    if (!table_open(&t, "db", show_columns, sizeof show_columns / sizeof *show_columns, s->format, stdout))
        return session_fail(s, CVK_ERROR_MEMORY);
    for (size_t i = 0; i < list->count; i++) {
        const record *r = &list->record[i];
        const cell row[] = {{r->name, 0},
                            {record_kind_words[r->kind], 0},
                            {NULL, r->kind == RECORD_TRIAL ? (double)r->trial : NAN},
                            {record_outcome_words[r->outcome], 0},
                            {NULL, 1e6 * r->seconds},
                            {NULL, r->ratio},
                            {NULL, r->low},
                            {NULL, r->high},
                            {NULL, (double)r->turns},
                            {NULL, r->judged},
                            {r->strategy, 0},
                            {database_brief(a, r->plan), 0},
                            {r->why, 0},
                            {r->plan, 0}};
        table_row(&t, row);
    }
    table_close(&t, s->diagnostics);
    return CLI_DONE;
}

/* ---- merge and prune ---- */

static cli_exit need_output(const cli_options *o) {
    if (o->database_output) return CLI_DONE;
    session_say("db %s: -o says where to write to", o->specs[0]);
    return CLI_USAGE;
}

static cli_exit merge_records(session *s, arena *a, const record_list *list) {
    cli_exit status = need_output(s->options);
    return status == CLI_DONE ? database_add(s, a, s->options->database_output, list) : status;
}

/* Moves the others than that one to the front; gives their number. */
static size_t others(char **names, size_t count, const char *name) {
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) != 0) names[left++] = names[i];
    return left;
}

/* What this convoke with this LLVM has recorded goes to a new file; the files it was in go. */
static cli_exit prune_folder(session *s, arena *a, const char *folder) {
    record_list all = {0}, kept = {0};
    char **names;
    size_t count, locked;
    const record now = record_of_now(a);
    cvk_status status = database_files(a, folder, s->diagnostics, &names, &count);
    if (status == CVK_OK) status = database_read(a, folder, s->diagnostics, &all);
    if (status != CVK_OK) return session_fail(s, status);
    for (size_t i = 0; i < all.count; i++)
        if (record_same_version(&all.record[i], &now)) record_list_add(a, &kept, &all.record[i]);
    const char *name = "";
    cli_exit written = database_write(s, a, folder, &kept, &name);
    if (written != CLI_DONE) return written;
    status = database_remove(folder, names, others(names, count, name), s->diagnostics, &locked);
    if (s->format == FORMAT_TEXT)
        printf("%s: %zu records kept, %zu of other versions removed, %zu lines that were none\n", folder, kept.count,
               all.count - kept.count, all.torn);
    if (locked) session_say("%s: %zu files are being written, and stay", folder, locked);
    return session_fail(s, status);
}

/* ---- export and import ---- */

static cli_exit find_format(const cli_options *o, const exchange_format **to) {
    const exchange_format *row;
    for (int i = 0; (row = exchange_row(i)); i++)
        if (strcmp(o->form, row->word) == 0) {
            *to = row;
            return CLI_DONE;
        }
    session_say("db %s: --format is t4, kernel-tuner or csv, not `%s`", o->specs[0], o->form);
    return CLI_USAGE;
}

static cli_exit write_exports(session *s, arena *a, const exchange_file *files, size_t count) {
    const char *folder = s->options->database_output;
    output_file *outputs = arena_array(a, output_file, count + 1);
    for (size_t i = 0; i < count; i++) {
        if (!files[i].bytes) return session_fail(s, CVK_ERROR_MEMORY);
        outputs[i] =
            (output_file){arena_format(a, "%s/%s", folder, files[i].name), files[i].bytes, strlen(files[i].bytes)};
    }
    if (!folders_make(folder)) {
        session_say("%s: cannot be made: %s", folder, strerror(errno));
        return CLI_IO;
    }
    return count ? session_fail(s, output_write(outputs, count, s->diagnostics)) : CLI_DONE;
}

static cli_exit export_records(session *s, arena *a, const record_list *list) {
    const exchange_format *format = NULL;
    exchange_file *files = arena_array(a, exchange_file, EXCHANGE_MOST_FILES);
    cli_exit status = need_output(s->options);
    if (status == CLI_DONE) status = find_format(s->options, &format);
    if (status != CLI_DONE) return status;
    const size_t count = format->print(a, list, files);
    status = write_exports(s, a, files, count);
    for (size_t i = 0; i < count; i++) free(files[i].bytes);
    return status;
}

/* A file's bytes in the arena; NULL: that has been said. */
static const char *read_file(arena *a, const char *path, size_t *size) {
    struct stat about;
    if (stat(path, &about) == 0) {
        char *bytes = arena_alloc(a, (size_t)about.st_size + 1);
        FILE *file = fopen(path, "rbe");
        *size = file ? fread(bytes, 1, (size_t)about.st_size, file) : 0;
        bool good = file && !ferror(file);
        if (file) fclose(file);
        if (good) return bytes;
    }
    session_say("%s: cannot be read: %s", path, strerror(errno));
    return NULL;
}

static cli_exit import_file(session *s, arena *a, const char *path) {
    const exchange_format *format = NULL;
    record_list list = {0};
    size_t size;
    cli_exit status = need_output(s->options);
    if (status == CLI_DONE) status = find_format(s->options, &format);
    if (status != CLI_DONE) return status;
    const char *bytes = read_file(a, path, &size);
    if (!bytes) return CLI_IO;
    if (format->parse(a, bytes, size, &list)) return database_add(s, a, s->options->database_output, &list);
    session_say("%s is no %s file that convoke wrote", path, format->word);
    return CLI_INPUT;
}

/* ---- the verb ---- */

typedef struct action {
    const char *word;
    cli_exit (*of_records)(session *s, arena *a, const record_list *list); /* of all databases that are named */
    cli_exit (*of_operand)(session *s, arena *a, const char *operand);     /* or of one after another */
} action;

static const action ACTIONS[] = {
    {"list", list_keys, NULL},     {"show", show_records, NULL},     {"merge", merge_records, NULL},
    {"prune", NULL, prune_folder}, {"export", export_records, NULL}, {"import", NULL, import_file},
};

static cli_exit act(session *s, arena *a, void *context) {
    const action *what = context;
    const cli_options *o = s->options;
    cli_exit status = CLI_DONE;
    record_list list = {0};
    if (what->of_records) status = database_gather(s, a, o->specs + 1, o->spec_count - 1, &list);
    if (what->of_records && status == CLI_DONE) status = what->of_records(s, a, &list);
    for (int i = 1; what->of_operand && i < o->spec_count && status == CLI_DONE; i++)
        status = what->of_operand(s, a, o->specs[i]);
    return status;
}

static const action *find_action(const char *word) {
    const char *words[sizeof ACTIONS / sizeof *ACTIONS];
    for (size_t i = 0; i < sizeof ACTIONS / sizeof *ACTIONS; i++) {
        if (strcmp(word, ACTIONS[i].word) == 0) return &ACTIONS[i];
        words[i] = ACTIONS[i].word;
    }
    const char *near = text_nearest(word, words, sizeof words / sizeof *words);
    session_say("db knows no `%s`%s%s%s", word, near ? "\n  hint: did you mean `" : "", near ? near : "",
                near ? "`?" : "");
    return NULL;
}

cli_exit cli_db(const cli_options *options) {
    const action *what = find_action(options->specs[0]);
    if (!what) return CLI_USAGE;
    if (options->spec_count < 2) {
        session_say("db %s: a database is missing", what->word);
        return CLI_USAGE;
    }
    const bool exchanges = what->of_records == export_records || what->of_operand == import_file;
    return session_without_layers(options, exchanges ? NULL : options->form, act, (void *)what);
}
