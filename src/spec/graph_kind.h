/* What a node of a network is. */
#ifndef CVK_SPEC_GRAPH_KIND_H
#define CVK_SPEC_GRAPH_KIND_H

/* A layer, or what other tensors hold already, seen otherwise. */
typedef enum graph_kind {
    GRAPH_LAYER,
#define VIEW(NAME, word) GRAPH_##NAME,
#include "spec/views.def"
#undef VIEW
    GRAPH_KINDS
} graph_kind;

#endif
