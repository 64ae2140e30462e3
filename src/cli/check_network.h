/* check of a file that says what feeds what: all of it, on random data that goes through it. */
#ifndef CVK_CLI_CHECK_NETWORK_H
#define CVK_CLI_CHECK_NETWORK_H

#include "cli/table.h"

/* A row a step, then one for the network as a whole; the table has the columns of `check`. */
cli_exit check_network(session *s, const session_file *file, table *t);

#endif
