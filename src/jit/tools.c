/* Wishes of the environment; a program with another's rights does not listen to them. */
#define _GNU_SOURCE /* secure_getenv */
#include "jit/tools.h"

#include <stdlib.h>
#include <string.h>

bool tools_want(const char *variable) {
    const char *value = secure_getenv(variable);
    return value && strcmp(value, "1") == 0;
}
