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

/* Up to the last that is its own. */
static int64_t elements_of(const view *v, int64_t n, int64_t image) { return n ? (n - 1) * v->n + image : 0; }

view view_pitched(cvk_type type, cvk_layout layout, int64_t n, int64_t channels, int64_t pitch, int64_t groups,
                  const int64_t size[AXES]) {
    const bool blocked = layout == CVK_BLOCKED, last = layout == CVK_CHANNELS_LAST;
    const int64_t own = blocked ? ceil_div(channels, BLOCK) * BLOCK : channels, all = pitch ? pitch : own;
    view v = {.type = type,
              .channels = channels,
              .group = channels / groups,
              .block = blocked ? BLOCK : 1,
              .in_block = blocked};
    const int64_t step = blocked ? BLOCK : last ? all : 1;
    const int64_t pixels = row_major(step, size, v.axis) / step;
    v.channel = last ? 1 : pixels * step;
    v.n = all * pixels;
    v.elements = elements_of(&v, n, last ? (pixels - 1) * all + own : own * pixels);
    if (all == own) return v;
    v.image = v.n;
    v.period = last ? all : v.n;
    v.width = last ? own : own * pixels;
    return v;
}

view view_dense(cvk_type type, cvk_layout layout, int64_t n, int64_t channels, int64_t groups,
                const int64_t size[AXES]) {
    return view_pitched(type, layout, n, channels, 0, groups, size);
}

view view_everywhere(cvk_type type, cvk_layout layout, int64_t n, int64_t channels, int64_t groups) {
    static const int64_t ONE[AXES] = {1, 1, 1};
    view v = view_dense(type, layout, n, channels, groups, ONE);
    for (int a = 0; a < AXES; a++) v.axis[a] = 0;
    return v;
}

view view_by_channel(cvk_type type, int64_t n, int64_t channels) {
    return (view){.type = type,
                  .n = channels,
                  .channel = 1,
                  .group = 1,
                  .block = 1,
                  .channels = channels,
                  .elements = n * channels};
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

double view_bytes(const view *v) { return (double)type_bytes(v->type) * (double)v->elements; }

bool view_has_channels_together(const view *v) { return v->block > 1 || v->channel == 1; }

int64_t view_fill(const view *v) { return ceil_div(v->channels, v->block) * v->block - v->channels; }

int64_t view_element(const view *v, int64_t n, int64_t channel, const int64_t at[AXES]) {
    int64_t element = v->base + n * v->n + channel * v->channel;
    for (int a = 0; a < AXES; a++) element += at[a] * v->axis[a];
    return element;
}
