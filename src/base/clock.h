/* What time it is. */
#ifndef CVK_BASE_CLOCK_H
#define CVK_BASE_CLOCK_H

#include <stdint.h>

/* Of the monotonic clock, since some moment in the past. */
double clock_seconds(void);
/* Since 1970, as the machine has it. */
int64_t clock_wall_milliseconds(void);

#endif
