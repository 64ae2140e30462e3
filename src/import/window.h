/* What convolutions and pools say of their axes, in the words of the model. */
#ifndef CVK_IMPORT_WINDOW_H
#define CVK_IMPORT_WINDOW_H

#include "base/terms.h"
#include "import/graph.h"

/* Of the spatial axes, the first of which is 0; those of a model are not right-aligned. */
typedef struct window {
    int axes;
    int64_t in[AXES], kernel[AXES], stride[AXES], dilation[AXES], before[AXES], after[AXES], output_padding[AXES];
    int64_t out[AXES];
} window;

/* Of a node that reads a tensor of shape N C sizes through kernels of the given sizes. False: the model does not make
 * sense, or has more axes than three. */
bool window_read(const graph_node *n, const int64_t *kernel, window *w);
/* The same of a transposed convolution. */
bool window_read_transposed(const graph_node *n, const int64_t *kernel, window *w);

#endif
