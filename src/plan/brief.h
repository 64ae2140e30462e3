/* A plan in a few words, for tables. */
#ifndef CVK_PLAN_BRIEF_H
#define CVK_PLAN_BRIEF_H

#include "plan/plan.h"

/* "direct/out_channels 32x1x14 ic1 kw packed": algorithm, lanes, the register tile's channels, slices if there are
 * several, rows and columns, what is unrolled, loops in blocks, and whether input is packed. */
void plan_print_brief(const cvk_plan *p, text *out);

#endif
