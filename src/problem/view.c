/* Views of dense tensors. */
#include "problem/view.h"

#include "base/integers.h"

enum { BLOCK = 16 }; /* channels of a block, in the blocked layout */

static int64_t row_major(int64_t step, const int64_t size[AXES], int64_t stride[AXES]) {
    for (int a = AXES - 1; a >= 0; a--) {
        stride[a] = step;
        step *= size[a];
    }
    return step;
}

view view_dense(cvk_type type, cvk_layout layout, int64_t n, int64_t channels, int64_t groups,
                const int64_t size[AXES]) {
    bool blocked = layout == CVK_BLOCKED;
    int64_t stored = blocked ? ceil_div(channels, BLOCK) * BLOCK : channels;
    view v = {.type = type,
              .channels = channels,
              .group = channels / groups,
              .block = blocked ? BLOCK : 1,
              .in_block = blocked};
    int64_t step = blocked ? BLOCK : layout == CVK_CHANNELS_LAST ? channels : 1;
    int64_t pixels = row_major(step, size, v.axis) / step;
    v.channel = layout == CVK_CHANNELS_LAST ? 1 : pixels * step;
    v.n = stored * pixels;
    v.elements = n * v.n;
    return v;
}

view view_everywhere(cvk_type type, cvk_layout layout, int64_t n, int64_t channels, int64_t groups) {
    static const int64_t ONE[AXES] = {1, 1, 1};
    view v = view_dense(type, layout, n, channels, groups, ONE);
    for (int a = 0; a < AXES; a++) v.axis[a] = 0;
    return v;
}

view view_images_along(const view *v, int axis) {
    view along = *v;
    along.axis[axis] = v->n;
    return along;
}

view view_repeated(const view *v, int64_t times) {
    view r = *v;
    r.block = times;
    r.in_block = 0;
    r.channels = v->channels * times;
    return r;
}

bool view_repeats(const view *v) { return v->block > 1 && v->in_block == 0; }

bool view_has_channels_together(const view *v) { return v->block > 1 || v->channel == 1; }

int64_t view_fill(const view *v) { return ceil_div(v->channels, v->block) * v->block - v->channels; }
