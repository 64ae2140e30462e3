/* bench of files that say what feeds what: the whole, the share of each step in it, and a rival that runs the model. */
#ifndef CVK_CLI_BENCH_NETWORK_H
#define CVK_CLI_BENCH_NETWORK_H

#include "cli/session.h"

/* All files of the session, which are networks. */
cli_exit bench_networks(session *s);

#endif
