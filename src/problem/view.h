/* Where a tensor's elements are: strides, of any sign, in elements. No layout word: what two layouts have in common
 * here they have in common everywhere after. */
#ifndef CVK_PROBLEM_VIEW_H
#define CVK_PROBLEM_VIEW_H

#include "base/terms.h"
#include "base/types.h"

#include <convoke/runtime.h>
#include <stdbool.h>
#include <stdint.h>

/* Channel c of group g is number c + g * group; number i lies at (i / block) * channel + (i % block) * in_block, where
 * block is 1 but for the blocked layout. Of weights, `channel` steps through output channels and `n` through input
 * channels. */
typedef struct view {
    cvk_type type;
    int zero;     /* the number that stands for 0, of integers */
    int64_t base; /* element of n, channel number and position 0 */
    int64_t n, channel, axis[AXES];
    int64_t group;                /* channel numbers from a group to the next */
    int64_t block, in_block;      /* 1, 0 */
    int64_t channels;             /* of all groups */
    int64_t elements;             /* of the tensor, with the fill of its last block */
    int64_t image, period, width; /* part of a wider tensor: elements from an image to the next; of every `period` the
                                     first `width` are its own. 0: it is dense */
} view;

/* The same of channels that are part of a tensor of `pitch` channels, from the first of them on; 0: of no other. */
view view_pitched(cvk_type type, cvk_layout layout, int64_t n, int64_t channels, int64_t pitch, int64_t groups,
                  const int64_t size[AXES]);
/* A dense tensor in a layout. */
view view_dense(cvk_type type, cvk_layout layout, int64_t n, int64_t channels, int64_t groups,
                const int64_t size[AXES]);

/* A dense tensor of one position, which is seen at all. */
view view_everywhere(cvk_type type, cvk_layout layout, int64_t n, int64_t channels, int64_t groups);

/* A number for each channel of an image, which is seen at all of its positions. */
view view_by_channel(cvk_type type, int64_t n, int64_t channels);

/* The view with its images, one behind the other, along an axis of which there was one position. */
view view_images_along(const view *v, int axis);

/* Each channel of a view that is not blocked as so many. */
view view_repeated(const view *v, int64_t times);
/* Whether it is such a view: `block` numbers are one element. */
bool view_repeats(const view *v);

/* The channels of a pixel lie side by side: all of them, or those of a block. */
bool view_has_channels_together(const view *v);
/* Of all its elements. */
double view_bytes(const view *v);
/* Where a view that is not blocked has an element, from the tensor's first on. */
int64_t view_element(const view *v, int64_t n, int64_t channel, const int64_t at[AXES]);
/* Channels stored beyond those that exist. */
int64_t view_fill(const view *v);

#endif
