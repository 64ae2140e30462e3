/* Layouts by spec_offset, element by element: plain rather than fast. */
#include "judge/layouts.h"

#include <string.h>

static int64_t volume(const int64_t size[AXES]) { return size[AXIS_D] * size[AXIS_H] * size[AXIS_W]; }

channel_walk layout_walk(cvk_layout layout, int64_t channels, const int64_t size[AXES], int64_t n, int64_t c) {
    const int64_t at[2][AXES] = {{0}, {[AXIS_W] = 1}};
    int64_t first = spec_offset(layout, channels, size, n, c, at[0]);
    return (channel_walk){first, spec_offset(layout, channels, size, n, c, at[1]) - first, volume(size)};
}

/* Elements of 1, 2, 4 or 8 bytes, each some elements from the one before. */
void layout_copy_spaced(int bytes, int64_t count, const void *from, int64_t from_step, void *to, int64_t to_step) {
    for (int64_t i = 0; i < count; i++) {
        const char *one = (const char *)from + i * from_step * bytes;
        char *there = (char *)to + i * to_step * bytes;
        switch (bytes) { /* of a size that is known, a copy is an instruction */
        case 1: *there = *one; break;
        case 2: memcpy(there, one, 2); break;
        case 4: memcpy(there, one, 4); break;
        default: memcpy(there, one, 8); break;
        }
    }
}

void layout_write_pitched(cvk_layout layout, int bytes, int64_t batch, int64_t channels, int64_t pitch,
                          const int64_t size[AXES], const void *from, void *to) {
    const char *at = from;
    for (int64_t n = 0; n < batch; n++)
        for (int64_t c = 0; c < channels; c++) {
            channel_walk w = layout_walk(layout, pitch, size, n, c);
            layout_copy_spaced(bytes, w.count, at, 1, (char *)to + w.first * bytes, w.step);
            at += w.count * bytes;
        }
}

void layout_write(cvk_layout layout, int bytes, int64_t batch, int64_t channels, const int64_t size[AXES],
                  const void *from, void *to) {
    layout_write_pitched(layout, bytes, batch, channels, spec_stored(layout, channels), size, from, to);
}

void layout_read_pitched(cvk_layout layout, int bytes, int64_t batch, int64_t channels, int64_t pitch,
                         const int64_t size[AXES], const void *from, void *to) {
    char *at = to;
    for (int64_t n = 0; n < batch; n++)
        for (int64_t c = 0; c < channels; c++) {
            channel_walk w = layout_walk(layout, pitch, size, n, c);
            layout_copy_spaced(bytes, w.count, (const char *)from + w.first * bytes, w.step, at, 1);
            at += w.count * bytes;
        }
}

void layout_read(cvk_layout layout, int bytes, int64_t batch, int64_t channels, const int64_t size[AXES],
                 const void *from, void *to) {
    layout_read_pitched(layout, bytes, batch, channels, spec_stored(layout, channels), size, from, to);
}
