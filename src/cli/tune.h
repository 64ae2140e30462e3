/* What the ways to tune share: on a clock, and on a database. */
#ifndef CVK_CLI_TUNE_H
#define CVK_CLI_TUNE_H

#include "cli/session.h"
#include "tune/search.h"

/* How long to search. */
typedef struct tune_budget {
    int trials;     /* a layer; INT_MAX: all */
    double seconds; /* of all layers; INFINITY */
} tune_budget;

/* Anything but CLI_DONE has been said. */
cli_exit tune_read_budget(const char *words, tune_budget *to);

/* `tune --simulate` and `tune --fit`. */
cli_exit tune_simulate(const cli_options *options);
cli_exit tune_fit(const cli_options *options);

/* The row of that name; anything but CLI_DONE has been said. */
cli_exit tune_strategy(const char *name, const strategy **to);

#endif
