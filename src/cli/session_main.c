/* What verbs have in common from their options to their exit status. */
#include "cli/session_main.h"
#include "cli/table.h"
#include "cli/weights.h"

static cli_exit begin(const session_verb *verb, const cli_options *options, session *s) {
    cli_exit status = session_open(options, s);
    if (status == CLI_DONE) status = weights_specialise(s);
    if (status == CLI_DONE && verb->runs) status = session_can_run(s);
    if (status == CLI_DONE && verb->threads) status = session_start_threads(s);
    if (status != CLI_DONE && verb->table) table_failed(verb->table, s);
    return status;
}

cli_exit session_main(const cli_options *options, const session_verb *verb) {
    session s;
    cli_exit status = begin(verb, options, &s);
    if (status == CLI_DONE) status = verb->body(&s);
    session_close(&s);
    return status;
}

cli_exit session_guarded(session *s, cli_exit (*body)(session *s, arena *a, void *context), void *context) {
    arena a;
    arena_init(&a);
    cli_exit status;
    if (arena_guard(&a))
        status = session_fail(s, CVK_ERROR_MEMORY);
    else
        status = body(s, &a, context);
    arena_free(&a);
    return status;
}

cli_exit session_without_layers(const cli_options *options, const char *format,
                                cli_exit (*body)(session *s, arena *a, void *context), void *context) {
    session s;
    cli_exit status = session_open_bare(options, format, &s);
    if (status == CLI_DONE) status = session_guarded(&s, body, context);
    session_close(&s);
    return status;
}
