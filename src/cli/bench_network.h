/* bench of a file that says what feeds what: the whole, and the share of each step in it. */
#ifndef CVK_CLI_BENCH_NETWORK_H
#define CVK_CLI_BENCH_NETWORK_H

#include "cli/session.h"

/* For people, on stdout. */
cli_exit bench_network(session *s, const session_file *file);

#endif
