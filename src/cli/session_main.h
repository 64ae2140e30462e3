/* The frame of a verb that reads layers: a session opened, what the verb wants of the machine, and all closed again. */
#ifndef CVK_CLI_SESSION_MAIN_H
#define CVK_CLI_SESSION_MAIN_H

#include "cli/session.h"

typedef struct session_verb {
    cli_exit (*body)(session *s);
    const char *table; /* whose JSON document says so where the session could not begin; NULL: it writes none */
    bool runs;         /* code, so this machine has to be able to */
    bool threads;
} session_verb;

cli_exit session_main(const cli_options *options, const session_verb *verb);

/* The frame of a verb that reads none: nothing is opened but the format and the messages. */
cli_exit session_without_layers(const cli_options *options, const char *format,
                                cli_exit (*body)(session *s, arena *a, void *context), void *context);

/* Calls `body` with an arena of its own, freed after it: CVK_ERROR_MEMORY is reported when there is none left. What
 * `body` opens besides is for the caller to close, who passes it in `context`. */
cli_exit session_guarded(session *s, cli_exit (*body)(session *s, arena *a, void *context), void *context);

#endif
