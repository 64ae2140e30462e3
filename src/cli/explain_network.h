/* explain of a file that says what feeds what: its steps, where their tensors lie, and how much memory that takes. */
#ifndef CVK_CLI_EXPLAIN_NETWORK_H
#define CVK_CLI_EXPLAIN_NETWORK_H

#include "cli/session.h"

/* For people, on stdout. */
cli_exit explain_network(session *s, const session_file *file);

#endif
