/* convoke print: what other programs know convoke by. */
#include "cli/print.h"
#include "base/text.h"
#include "cli/session.h"
#include "cli/verbs.h"

#include <string.h>

static void print_command_manual(void) { print_manual(-1); }

static const char *const things[] = {"schema", "targets", "cpus", "peers", "bash", "zsh", "fish", "man"};
static void (*const printers[])(void) = {print_schema, print_targets, print_cpus, print_peers,
                                         print_bash,   print_zsh,     print_fish, print_command_manual};
enum { THINGS = sizeof things / sizeof *things, MAN = THINGS - 1 };

static int find_thing(const char *word) {
    for (int i = 0; i < THINGS; i++)
        if (strcmp(things[i], word) == 0) return i;
    const char *near = text_nearest(word, things, THINGS);
    session_say("print: there is no `%s`%s%s%s", word, near ? "; did you mean `" : "", near ? near : "",
                near ? "`?" : "");
    return -1;
}

cli_exit cli_print(const cli_options *options) {
    int thing = find_thing(options->specs[0]);
    if (thing < 0) return CLI_USAGE;
    if (options->spec_count > (thing == MAN ? 2 : 1)) {
        session_say("print: `%s` is one too many", options->specs[options->spec_count - 1]);
        return CLI_USAGE;
    }
    if (options->spec_count == 1) {
        printers[thing]();
        return CLI_DONE;
    }
    int verb = verb_find(options->specs[1]);
    if (verb < 0) return CLI_USAGE;
    print_manual(verb);
    return CLI_DONE;
}
