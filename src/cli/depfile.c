/* Words as make reads them, which ninja follows. */
#include "cli/depfile.h"
#include "cli/weights.h"
#include "records/database.h"

#include <string.h>

/* A backslash before what make would end a word at; those before a space are doubled, or they would stand for
 * themselves. */
static void add_word(text *rule, const char *path) {
    size_t slashes = 0;
    for (const char *c = path; *c; c++) {
        if (strchr(" \t", *c))
            for (; slashes; slashes--) text_add(rule, "\\");
        text_add(rule, "%s%c", *c == '$' ? "$" : strchr(" \t#:", *c) ? "\\" : "", *c);
        slashes = *c == '\\' ? slashes + 1 : 0;
    }
}

/* One dependency, in the rule and as a target of its own. */
static void depend(text *rule, text *targets, const char *path) {
    text_add(rule, " \\\n ");
    add_word(rule, path);
    add_word(targets, path);
    text_add(targets, ":\n");
}

static void depend_on_weights(const session *s, text *rule, text *targets) {
    weights_file files[WEIGHTS_FILES];
    for (size_t l = 0; l < s->layer_count; l++) {
        weights_files(rule->arena, s->layers[l].spec, s->options->baked, files);
        for (int i = 0; i < WEIGHTS_FILES; i++)
            if (files[i].taken) depend(rule, targets, files[i].path);
    }
}

/* The folder, which changes when a writer begins a file, and the files that there are. */
static void depend_on_database(const char *folder, text *rule, text *targets) {
    char **names;
    size_t count;
    depend(rule, targets, folder);
    if (database_files(rule->arena, folder, NULL, &names, &count) != CVK_OK) return;
    for (size_t i = 0; i < count; i++) depend(rule, targets, arena_format(rule->arena, "%s/%s", folder, names[i]));
}

text depfile_print(const session *s, arena *a, const output_file *outputs, size_t count) {
    text rule = text_new(a), targets = text_new(a);
    for (size_t i = 0; i < count; i++) {
        add_word(&rule, outputs[i].path);
        text_add(&rule, i + 1 < count ? " \\\n " : ":");
    }
    for (size_t i = 0; i < s->file_count; i++) depend(&rule, &targets, s->files[i].path);
    if (s->options->baked) depend_on_weights(s, &rule, &targets);
    if (s->options->tuned) depend_on_database(s->options->tuned, &rule, &targets);
    text_add(&rule, "\n%s", targets.bytes);
    return rule;
}
