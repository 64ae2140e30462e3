/* Kernels as other programs see them: names for Linux's perf, symbols for GDB. Each only where the environment asks. */
#ifndef CVK_JIT_TOOLS_H
#define CVK_JIT_TOOLS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether an environment variable is "1". */
bool tools_want(const char *variable);

/* CONVOKE_PERF_MAP=1: adds a line to /tmp/perf-PID.map, the place and format perf prescribes. */
void perf_map_add(const char *name, const void *address, size_t size);

/* CONVOKE_GDB=1: gives GDB an object whose section addresses are those in memory; the bytes are taken over and freed by
 * gdb_remove. NULL, and the bytes are freed, if there is no memory. */
typedef struct gdb_entry gdb_entry;
gdb_entry *gdb_add(unsigned char *object, size_t size);
void gdb_remove(gdb_entry *entry); /* may be NULL */

#endif
