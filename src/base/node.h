/* A YAML document as a tree, free of libyaml: what spec/ reads and what plan/ parses a schedule from. */
#ifndef CVK_BASE_NODE_H
#define CVK_BASE_NODE_H

#include "base/diag.h"

typedef enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING } node_kind;

/* Arena-owned. A mapping has 2n children: key, value, key, value … (keys are scalars, unique). */
typedef struct node {
    node_kind kind;
    bool quoted;      /* scalar: written in quotes, so a string and nothing else */
    const char *text; /* scalar: its text, free of NUL */
    place at;
    size_t count;
    const struct node **child;
} node;

#endif
