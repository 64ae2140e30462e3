/* Nodes of a network that are no layers: tensors side by side, a part of one, one in another shape or turned round. */
#ifndef CVK_SPEC_VIEWS_H
#define CVK_SPEC_VIEWS_H

#include "spec/edges.h"

/* What a mapping of such a kind is; GRAPH_LAYER: it is of none. */
graph_kind view_kind(const node *layer);
/* Reads it, where `edges` is as far as the layers before it. */
void view_read(edges *e, graph_kind kind, const char *owner, const node *layer);

#endif
