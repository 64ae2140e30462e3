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

/* `help` and `help VERB`. */
static cli_exit help(int count, char **arguments) {
    if (count > 1) {
        fprintf(stderr, "convoke: `%s` is one too many\n  see `convoke help`\n", arguments[1]);
        return CLI_USAGE;
    }
    int verb = count ? verb_find(arguments[0]) : -1;
    if (count && verb < 0) return CLI_USAGE;
    if (count)
        help_verb(verb);
    else
        help_command();
    return CLI_DONE;
}

static bool is_either(const char *argument, const char *one, const char *other) {
    return strcmp(argument, one) == 0 || strcmp(argument, other) == 0;
}

static cli_exit dispatch(int count, char **arguments) {
    if (count < 2) return usage();
    if (is_either(arguments[1], "--help", "-h")) return help(0, NULL);
    if (strcmp(arguments[1], "help") == 0) return help(count - 2, arguments + 2);
    if (is_either(arguments[1], "--version", "-V")) {
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
