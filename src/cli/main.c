/* convoke, the command: finds the verb, reads its options, runs it, and turns what became of it into an exit status. */
#include "cli/options.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static cli_exit usage(void) {
    fprintf(stderr, "convoke: a verb is missing\n  see `convoke --help`\n");
    return CLI_USAGE;
}

static cli_exit run_verb(const char *name, int count, char **arguments) {
    int verb = verb_find(name);
    cli_options options;
    if (verb < 0 || !options_parse(verb, count, arguments, &options)) return CLI_USAGE;
    if (!options.help) return verb_at(verb)->run(&options);
    help_verb(verb);
    return CLI_DONE;
}

static cli_exit dispatch(int count, char **arguments) {
    if (count < 2) return usage();
    if (strcmp(arguments[1], "--help") == 0) {
        help_command();
        return CLI_DONE;
    }
    if (strcmp(arguments[1], "--version") == 0) {
        printf("convoke %s\n", CVK_VERSION);
        return CLI_DONE;
    }
    return run_verb(arguments[1], count - 2, arguments + 2);
}

/* What was printed may have gone nowhere: a full disk, a closed pipe. */
static cli_exit finish(cli_exit status) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    fprintf(stderr, "convoke: cannot write to standard output: %s\n", strerror(errno));
    return CLI_IO;
}

int main(int count, char **arguments) {
    /* Writing fails with a reason instead. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return (int)finish(dispatch(count, arguments));
}
