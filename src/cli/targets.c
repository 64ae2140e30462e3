/* Names of targets, one or several, as rows. */
#include "cli/targets.h"
#include "cli/session.h"
#include "emit/emit.h"
#include "lab/calibration.h"

#include <stdio.h>
#include <string.h>

enum { MOST_NAME = 64 };

cli_exit targets_find(const char *name, const cvk_target **to) {
    const cvk_target *row = target_find(name);
    *to = row ? calibration_of(row, NULL) : NULL;
    if (row) return CLI_DONE;
    if (strchr(name, ','))
        session_say("--target takes one target here, not `%s`; `compile` takes several", name);
    else
        session_say("there is no target `%s`; %s", name, target_hint(name).text);
    return CLI_USAGE;
}

/* A row's place in the table: the better of two stands first. */
static int rank_of(const cvk_target *t) {
    int rank = 0;
    const cvk_target *row;
    while ((row = target_row(rank)) && strcmp(row->name, t->name) != 0) rank++;
    return rank;
}

/* Puts a row where it belongs among those before it, once. */
static cli_exit insert(target_list *list, const cvk_target *t) {
    size_t at = list->count;
    while (at > 0 && rank_of(&list->row[at - 1]) > rank_of(t)) at--;
    if (at > 0 && rank_of(&list->row[at - 1]) == rank_of(t)) return CLI_DONE;
    if (list->count == TARGETS_MOST) {
        session_say("--target takes %d targets at most", TARGETS_MOST);
        return CLI_USAGE;
    }
    if (list->count && !target_same_architecture(&list->row[0], t)) {
        session_say("--target: `%s` and `%s` are of different architectures; an object is of one", list->row[0].name,
                    t->name);
        return CLI_USAGE;
    }
    memmove(&list->row[at + 1], &list->row[at], (list->count++ - at) * sizeof list->row[0]);
    list->row[at] = *t;
    return CLI_DONE;
}

static cli_exit insert_named(target_list *list, const char *name, size_t length, const char *names) {
    char word[MOST_NAME];
    if (length == 0) {
        session_say("--target: a name is missing in `%s`", names);
        return CLI_USAGE;
    }
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    const cvk_target *t;
    cli_exit status = targets_find(word, &t);
    return status == CLI_DONE ? insert(list, t) : status;
}

static cli_exit parse_names(const char *names, target_list *to) {
    cli_exit status = CLI_DONE;
    const char *name = names;
    for (bool more = true; more && status == CLI_DONE;) {
        size_t length = strcspn(name, ",");
        status = insert_named(to, name, length, names);
        more = name[length] == ',';
        name += length + more;
    }
    return status;
}

static cli_exit take_triple(const cvk_target *t, const char *triple) {
    cvk_status status = target_takes_triple(t, triple);
    if (status == CVK_OK) return CLI_DONE;
    if (status == CVK_ERROR_UNSUPPORTED) {
        session_say("--triple: objects for `%s` would need functions of its system", triple);
        return CLI_UNSUPPORTED;
    }
    session_say("--triple: `%s` is of another architecture than the target `%s`", triple, t->name);
    return CLI_USAGE;
}

static cli_exit set_triple(target_list *list, const char *triple, cvk_diagnostics *d) {
    cvk_status known = llvm_triple(triple, d, list->triple, sizeof list->triple);
    if (known != CVK_OK) return known == CVK_ERROR_UNSUPPORTED ? CLI_UNSUPPORTED : CLI_USAGE;
    cli_exit status = CLI_DONE;
    for (size_t i = 0; i < list->count && status == CLI_DONE; i++) {
        status = take_triple(&list->row[i], list->triple);
        list->row[i].triple = list->triple;
    }
    return status;
}

cli_exit targets_parse(const char *names, const char *triple, cvk_diagnostics *d, target_list *to) {
    *to = (target_list){0};
    cli_exit status = parse_names(names, to);
    return status == CLI_DONE && triple ? set_triple(to, triple, d) : status;
}
