/* Which kind of machine this is, as its system names it: what figures and records are of. */
#ifndef CVK_TARGET_MACHINE_H
#define CVK_TARGET_MACHINE_H

#include "base/text.h"

/* "AuthenticAMD, 25, 17, AMD EPYC 9354 32-Core Processor, 1": what /proc/cpuinfo says of the kind of the first CPU,
 * whatever the architecture; "" where it says nothing. */
void machine_print_cpu(text *out);

#endif
