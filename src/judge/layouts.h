/* Arrays in logical order, N C D H W, and the layouts that kernels have them in. */
#ifndef CVK_JUDGE_LAYOUTS_H
#define CVK_JUDGE_LAYOUTS_H

#include "spec/spec.h"

/* Where the positions of one channel of one image lie: in every layout the same distance apart. */
typedef struct channel_walk {
    int64_t first, step, count;
} channel_walk;

/* `channels`: those of the tensor in memory. */
channel_walk layout_walk(cvk_layout layout, int64_t channels, const int64_t size[AXES], int64_t n, int64_t c);
/* Elements of 1, 2, 4 or 8 bytes, each some elements from the one before. */
void layout_copy_spaced(int bytes, int64_t count, const void *from, int64_t from_step, void *to, int64_t to_step);
/* A dense array in logical order to where it lies: what no channel has is left as it is. */
void layout_write(cvk_layout layout, int bytes, int64_t batch, int64_t channels, const int64_t size[AXES],
                  const void *from, void *to);
/* The same among the channels of a wider tensor. */
void layout_write_pitched(cvk_layout layout, int bytes, int64_t batch, int64_t channels, int64_t pitch,
                          const int64_t size[AXES], const void *from, void *to);
/* From where it lies to a dense array in logical order. */
void layout_read(cvk_layout layout, int bytes, int64_t batch, int64_t channels, const int64_t size[AXES],
                 const void *from, void *to);
void layout_read_pitched(cvk_layout layout, int bytes, int64_t batch, int64_t channels, int64_t pitch,
                         const int64_t size[AXES], const void *from, void *to);

#endif
