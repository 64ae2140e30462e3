/* The targets that `compile --target A,B,…` names, best first. */
#ifndef CVK_CLI_TARGETS_H
#define CVK_CLI_TARGETS_H

#include "cli/options.h"
#include "target/target.h"

enum { TARGETS_MOST = 8 };

typedef struct target_list {
    cvk_target row[TARGETS_MOST];
    size_t count;
} target_list;

/* The row of one name; anything but CLI_DONE has been explained on stderr. */
cli_exit targets_find(const char *name, const cvk_target **to);
/* Of a list; `triple`, if not NULL, takes the place of the rows' own. */
cli_exit targets_parse(const char *names, const char *triple, target_list *to);

#endif
