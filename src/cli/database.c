/* Several folders as one list, and a list as a file. */
#include "cli/database.h"

#include "cache/entry.h"
#include "files/folders.h"
#include "files/output.h"
#include "plan/brief.h"

#include <errno.h>
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static cli_exit compile_pattern(const char *words, regex_t *pattern) {
    int wrong = regcomp(pattern, words, REG_EXTENDED | REG_NOSUB);
    if (!wrong) return CLI_DONE;
    char reason[128];
    regerror(wrong, pattern, reason, sizeof reason);
    session_say("--layer: `%s` is no regular expression: %s", words, reason);
    return CLI_USAGE;
}

cli_exit database_pick(const cli_options *o, arena *a, const record_list *from, record_list *to) {
    regex_t pattern;
    record *room = arena_array(a, record, from->count + 1); /* before the pattern owns memory */
    *to = (record_list){.record = room, .capacity = from->count + 1, .torn = from->torn, .repeats = from->repeats};
    cli_exit status = o->layer ? compile_pattern(o->layer, &pattern) : CLI_DONE;
    if (status != CLI_DONE) return status;
    for (size_t i = 0; i < from->count; i++)
        if (!o->layer || regexec(&pattern, from->record[i].name, 0, NULL, 0) == 0)
            to->record[to->count++] = from->record[i];
    if (o->layer) regfree(&pattern);
    return CLI_DONE;
}

/* A record as text, in the arena. */
static const char *line_of(arena *a, const record *r) {
    size_t most = 1024;
    for (const char *const *words = (const char *const[]){r->layer, r->plan, r->pick, r->why, r->name, r->cpu, NULL};
         *words; words++)
        most += 6 * strlen(*words);
    char *room = arena_alloc(a, most), *line = record_print(r);
    if (!line) arena_exhaust(a);
    bool fits = strlen(line) < most;
    if (fits) strcpy(room, line);
    free(line);
    if (!fits) arena_exhaust(a);
    return room;
}

static bool is_there(const uint64_t *sorted, size_t count, uint64_t hash) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && sorted[low] == hash;
}

static int by_hash(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Those of `list` that `there` has not, each once. */
static record_list without(arena *a, const record_list *list, const record_list *there) {
    record_list left = {0};
    uint64_t *hashes = arena_array(a, uint64_t, there->count + 1);
    for (size_t i = 0; i < there->count; i++) hashes[i] = entry_hash(line_of(a, &there->record[i]));
    qsort(hashes, there->count, sizeof *hashes, by_hash);
    for (size_t i = 0; i < list->count; i++)
        if (!is_there(hashes, there->count, entry_hash(line_of(a, &list->record[i]))))
            record_list_add(a, &left, &list->record[i]);
    return left;
}

cli_exit database_gather(session *s, arena *a, char *const *folders, int count, record_list *list) {
    record_list all = {0};
    for (int i = 0; i < count; i++) {
        record_list one = {0};
        cvk_status status = database_read(a, folders[i], s->diagnostics, &one);
        if (status != CVK_OK) return session_fail(s, status);
        const record_list left = all.count ? without(a, &one, &all) : one;
        for (size_t k = 0; k < left.count; k++) record_list_add(a, &all, &left.record[k]);
        all.torn += one.torn;
        all.repeats += one.repeats + (one.count - left.count);
    }
    return database_pick(s->options, a, &all, list);
}

static cli_exit make_folder(const char *folder) {
    if (folders_make(folder)) return CLI_DONE;
    session_say("%s: cannot be made: %s", folder, strerror(errno));
    return CLI_IO;
}

cli_exit database_write(session *s, arena *a, const char *folder, const record_list *list, const char **name) {
    text lines = text_new(a);
    cli_exit made = make_folder(folder);
    if (made != CLI_DONE || !list->count) return made;
    for (size_t i = 0; i < list->count; i++) text_add(&lines, "%s\n", line_of(a, &list->record[i]));
    const char *file = arena_format(a, "merged-%016" PRIx64 DATABASE_FILE_END, entry_hash(lines.bytes));
    const output_file output = {arena_format(a, "%s/%s", folder, file), lines.bytes, lines.length};
    if (name) *name = file;
    return session_fail(s, output_write(&output, 1, s->diagnostics));
}

cli_exit database_add(session *s, arena *a, const char *folder, const record_list *list) {
    record_list there = {0};
    cvk_status status = access(folder, F_OK) == 0 ? database_read(a, folder, s->diagnostics, &there) : CVK_OK;
    if (status != CVK_OK) return session_fail(s, status);
    const record_list left = without(a, list, &there);
    if (s->format == FORMAT_TEXT)
        printf("%s: %zu records, %zu of them new\n", folder, there.count + left.count, left.count);
    return database_write(s, a, folder, &left, NULL);
}

const char *database_brief(arena *a, const char *schedule) {
    layer_plan plan;
    text words = text_new(a);
    if (!*schedule || !record_plan(a, schedule, &plan)) return schedule;
    layer_plan_print_brief(&plan, &words);
    return words.bytes;
}
