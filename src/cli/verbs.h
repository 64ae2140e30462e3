/* One function a verb, each in a file of its own. */
#ifndef CVK_CLI_VERBS_H
#define CVK_CLI_VERBS_H

#include "cli/options.h"

#define VERB(name, about, operands, description, example) cli_exit cli_##name(const cli_options *options);
#include "cli/verbs.def"
#undef VERB

#endif
