/* How values of a model lie in tensors of a network: which part of N C D H W each of their axes goes through. Values
 * whose elements are only regrouped or transposed are other views of one tensor. */
#ifndef CVK_IMPORT_VIEW_H
#define CVK_IMPORT_VIEW_H

#include "base/terms.h"
#include "import/graph.h"

/* Parts of a tensor, in the order in which an axis that goes through several goes through them. Channels may be counted
 * as so many times so many: A is the outermost number of a channel, then B, and C the innermost, or the only one. */
enum {
    PART_N = 1,
    PART_A = 2,
    PART_B = 4,
    PART_C = 8,
    PART_D = 16,
    PART_H = 32,
    PART_W = 64,
    PART_CHANNELS = PART_A | PART_B | PART_C,
    PART_SPATIAL = PART_D | PART_H | PART_W
};

struct graph_view {
    const char *tensor; /* its name in the network; NULL: it is not there */
    int rank;           /* spatial axes of the tensor */
    int64_t batch, channels, size[AXES];
    int64_t outer, middle;      /* of A and B; 0: as 1 */
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

/* Of a tensor whose channels are the positions of that one, and its positions the channels, where the value lies then;
 * false: there are too many. It has no name yet. */
bool view_turn(const graph_value *v, const graph_view *view, graph_view *turned);
/* Where channels are counted in parts, of which the value goes through the outermost last: how many those are together,
 * and how it would lie in a tensor that has them innermost, which has no name yet. False: it does otherwise. */
bool view_rotate(const graph_value *v, const graph_view *view, int64_t *outermost, graph_view *rotated);
/* Where channels are on one axis they are no longer counted in parts. */
void view_join(const graph_value *v, graph_view *view);
/* Positions of a channel. */
int64_t view_positions(const graph_view *view);
/* For each element of the value, in their order, its channel and position. */
void view_places(const graph_value *v, const graph_view *view, int64_t *channel, int64_t *position);

int64_t view_size(const graph_view *view, int part);
/* The axis that goes through the channels and nothing else; -1: none does. */
int view_channel_axis(const graph_value *v, const graph_view *view);
/* The same of parts of the tensor: of those of them that are larger than 1 all, and no others. */
int view_axis_of(const graph_value *v, const graph_view *view, int parts);
/* Whether element by element they are in the same places of tensors of the same shape. */
bool views_agree(const graph_value *a, const graph_view *of_a, const graph_value *b, const graph_view *of_b);
/* Whether the value's elements are those of the tensor in a layout of arrays; which one. */
bool view_layout(const graph_value *v, const graph_view *view, cvk_layout *layout);

#endif
