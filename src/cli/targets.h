/* The targets that `compile --target A,B,…` names, best first. */
#ifndef CVK_CLI_TARGETS_H
#define CVK_CLI_TARGETS_H

#include "base/diag.h"
#include "cli/options.h"
#include "target/target.h"

enum { TARGETS_MOST = 8, TARGETS_TRIPLE = 128 };

typedef struct target_list {
    cvk_target row[TARGETS_MOST];
    size_t count;
    char triple[TARGETS_TRIPLE]; /* the rows', where the caller named one: the list stays where it is */
} target_list;

/* The row of one name; anything but CLI_DONE has been explained on stderr. */
cli_exit targets_find(const char *name, const cvk_target **to);
/* Of a list, in which a row counts once; `triple`, if not NULL, takes the place of the rows' own. What the diagnostics
 * get is for the caller to show. */
cli_exit targets_parse(const char *names, const char *triple, cvk_diagnostics *d, target_list *to);

#endif
