/* How much faster a layer would be if the cost model knew what a clock knows. */
#ifndef CVK_CLI_REGRET_H
#define CVK_CLI_REGRET_H

#include "cli/session.h"

/* Times the chosen plan and the `options->regret` that the model ranks highest, layer by layer, and prints how much
 * longer the chosen one takes than the best. */
cli_exit regret_all(session *s, arena *a);

#endif
