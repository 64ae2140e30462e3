/* The monotonic clock, in seconds since some moment in the past. */
#ifndef CVK_BASE_CLOCK_H
#define CVK_BASE_CLOCK_H

double clock_seconds(void);

#endif
