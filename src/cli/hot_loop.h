/* The loop that a kernel spends its time in, found in its assembly. */
#ifndef CVK_CLI_HOT_LOOP_H
#define CVK_CLI_HOT_LOOP_H

#include "base/text.h"

/* Of the loops that have none inside, the one with most multiply-adds, as text. Arena-owned; words where there is none.
 */
const char *hot_loop(arena *a, const char *assembly, size_t size);

#endif
