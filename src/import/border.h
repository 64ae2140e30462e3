/* What a node, Pad, lays around a tensor. */
#ifndef CVK_IMPORT_BORDER_H
#define CVK_IMPORT_BORDER_H

#include "import/graph.h"

#include "base/terms.h"

struct graph_border {
    padding_mode mode;
    double constant;                                         /* of PAD_CONSTANT, which is never 0 */
    int64_t before[GRAPH_MOST_RANK], after[GRAPH_MOST_RANK]; /* on each axis of the value; less than 0: cut off */
};

/* How much it is, and nothing else; false: it is not known. */
bool border_read_sizes(const graph_node *n, graph_border *to);
/* NULL, or why the language has no such border. */
const char *border_read(const graph_node *n, graph_border *to);
/* A node with windows takes the borders that are laid around what it reads for its own, where that comes to the same.
 */
void border_recognise(arena *a, graph_node *n);

#endif
