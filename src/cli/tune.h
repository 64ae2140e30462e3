/* What the ways to tune share: on a clock, and on a database. */
#ifndef CVK_CLI_TUNE_H
#define CVK_CLI_TUNE_H

#include "cli/session.h"
#include "tune/search.h"

/* The row of that name; anything but CLI_DONE has been said. */
cli_exit tune_strategy(const char *name, const strategy **to);

#endif
