/* run of a file that says what feeds what: arrays of its inputs in, arrays of its outputs out. */
#ifndef CVK_CLI_RUN_NETWORK_H
#define CVK_CLI_RUN_NETWORK_H

#include "cli/session.h"

/* The session's one file, which is a network. */
cli_exit run_network(session *s);

#endif
