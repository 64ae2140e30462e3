/* What the builder does not offer: changing an operation after it was appended. */
#ifndef CVK_TESTS_NEST_BY_HAND_H
#define CVK_TESTS_NEST_BY_HAND_H

#include "nest/build.h"

#include <stddef.h>

/* The operation appended last, where nothing was closed since: the builder's tail is its statement's `next`. */
static inline nest_op *last_op(const nest_builder *b) {
    const char *next = (const char *)b->tail;
    return ((const nest_statement *)(const void *)(next - offsetof(nest_statement, next)))->op;
}

#endif
