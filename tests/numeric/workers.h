/* Cases shared among forked processes, so that a kernel that crashes or hangs ends its own process and is named. */
#ifndef NUMERIC_WORKERS_H
#define NUMERIC_WORKERS_H

#include <stdbool.h>

/* Runs one case; false, having said why, if it fails. */
typedef bool run_case(int number, void *context);

/* Runs the cases 0 .. cases - 1, or the one that CVK_CASE names, in two processes; gives up after a few failures. How
 * many there were. What `context` points to and the cases change is theirs alone, unless it is from workers_memory. */
int workers_run(int cases, run_case *run, void *context);
/* Zeroed memory that all processes share. */
void *workers_memory(unsigned long bytes);
/* What is printed if this process now crashes, or does not get further for a minute. The text is copied. */
void workers_expect_crash(const char *words);

#endif
