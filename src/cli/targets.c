/* Names of targets, one or several, as rows. */
#include "cli/targets.h"
#include "base/text.h"
#include "cli/session.h"

#include <stdio.h>
#include <string.h>

enum { MOST_NAMES = 512, MOST_NAME = 64 };

cli_exit targets_find(const char *name, const cvk_target **to) {
    *to = target_find(name);
    if (*to) return CLI_DONE;
    if (strchr(name, ',')) {
        session_say("--target takes one target here, not `%s`; `compile` takes several", name);
        return CLI_USAGE;
    }
    const char *names[MOST_NAMES];
    size_t count = 0;
    while (count < MOST_NAMES && (names[count] = target_name((int)count))) count++;
    const char *near = text_nearest(name, names, count);
    session_say("there is no target `%s`%s%s%s", name, near ? "; did you mean `" : "", near ? near : "",
                near ? "`?" : "");
    return CLI_USAGE;
}

/* A row's place in the table: the better of two stands first. */
static int rank_of(const cvk_target *t) {
    int rank = 0;
    const cvk_target *row;
    while ((row = target_row(rank)) && strcmp(row->name, t->name) != 0) rank++;
    return rank;
}

/* Puts a row where it belongs among those before it. */
static cli_exit insert(target_list *list, const cvk_target *t, const char *name) {
    if (list->count == TARGETS_MOST) {
        session_say("--target takes %d targets at most", TARGETS_MOST);
        return CLI_USAGE;
    }
    if (list->count && !target_same_architecture(&list->row[0], t)) {
        session_say("--target: `%s` and `%s` are of different architectures; an object is of one", list->row[0].name,
                    t->name);
        return CLI_USAGE;
    }
    size_t at = list->count;
    while (at > 0 && rank_of(&list->row[at - 1]) > rank_of(t)) at--;
    if (at > 0 && rank_of(&list->row[at - 1]) == rank_of(t)) {
        session_say("--target: `%s` is `%s`, which is there already", name, t->name);
        return CLI_USAGE;
    }
    memmove(&list->row[at + 1], &list->row[at], (list->count++ - at) * sizeof list->row[0]);
    list->row[at] = *t;
    return CLI_DONE;
}

static cli_exit parse_names(const char *names, target_list *to) {
    cli_exit status = CLI_DONE;
    for (bool more = true; more && status == CLI_DONE;) {
        size_t length = strcspn(names, ",");
        char name[MOST_NAME];
        snprintf(name, sizeof name, "%.*s", (int)length, names);
        const cvk_target *t;
        status = targets_find(name, &t);
        if (status == CLI_DONE) status = insert(to, t, name);
        more = names[length] == ',';
        names += length + more;
    }
    return status;
}

static cli_exit set_triple(cvk_target *t, const char *triple) {
    cvk_status status = target_takes_triple(t, triple);
    t->triple = triple;
    if (status == CVK_OK) return CLI_DONE;
    if (status == CVK_ERROR_UNSUPPORTED) {
        session_say("--triple: objects for `%s` would need functions of its system", triple);
        return CLI_UNSUPPORTED;
    }
    session_say("--triple: `%s` is of another architecture than the target `%s`", triple, t->name);
    return CLI_USAGE;
}

cli_exit targets_parse(const char *names, const char *triple, target_list *to) {
    *to = (target_list){0};
    cli_exit status = parse_names(names, to);
    for (size_t i = 0; i < to->count && triple && status == CLI_DONE; i++) status = set_triple(&to->row[i], triple);
    return status;
}
