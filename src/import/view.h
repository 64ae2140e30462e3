/* How values of a model lie in tensors of a network: which part of N C D H W each of their axes goes through. Values
 * whose elements are only regrouped or transposed are other views of one tensor. */
#ifndef CVK_IMPORT_VIEW_H
#define CVK_IMPORT_VIEW_H

#include "base/terms.h"
#include "import/graph.h"

/* Parts of a tensor, in the order in which an axis that goes through several goes through them. */
enum { PART_N = 1, PART_C = 2, PART_D = 4, PART_H = 8, PART_W = 16, PART_SPATIAL = PART_D | PART_H | PART_W };

struct graph_view {
    const char *tensor; /* its name in the network; NULL: it is not there */
    int rank;           /* spatial axes of the tensor */
    int64_t batch, channels, size[AXES];
    int parts[GRAPH_MOST_RANK]; /* of each axis of the value; 0: of an axis of size 1 */
};

/* As the value would lie with its channels first, N C and sizes, or last; false: it has no such shape. */
bool view_first(const graph_value *v, graph_view *to);
bool view_last(const graph_value *v, graph_view *to);
/* The value's view in the network; where it has none, as it would lie with its channels first. */
bool view_of(const graph_value *v, graph_view *to);
/* Whether a node gives the elements of its first input, in another shape or order of axes. */
bool view_keeps_elements(const graph_node *n);
/* How they lie then; false: otherwise than a view of the same tensor can say. */
bool view_of_node(const graph_node *n, const graph_view *input, graph_view *to);

int64_t view_size(const graph_view *view, int part);
/* The axis that goes through the channels and nothing else; -1: none does. */
int view_channel_axis(const graph_value *v, const graph_view *view);
/* Whether element by element they are in the same places of tensors of the same shape. */
bool views_agree(const graph_value *a, const graph_view *of_a, const graph_value *b, const graph_view *of_b);
/* Whether the value's elements are those of the tensor in a layout of arrays; which one. */
bool view_layout(const graph_value *v, const graph_view *view, cvk_layout *layout);

#endif
