/* Messages gathered on one thread, handed to another's list. */
#ifndef CVK_API_MESSAGES_H
#define CVK_API_MESSAGES_H

#include <convoke/convoke.h>

void messages_append(cvk_diagnostics *to, const cvk_diagnostics *from); /* either may be NULL */

#endif
