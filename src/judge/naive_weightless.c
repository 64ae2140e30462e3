/* Kind by kind what stands before post-ops, and these. */
#include "judge/naive_weightless.h"

#include "judge/naive_finish.h"
#include "judge/naive_norm.h"
#include "judge/naive_pool.h"
#include "judge/naive_resize.h"

static int64_t volume(const int64_t size[AXES]) { return size[AXIS_D] * size[AXIS_H] * size[AXIS_W]; }

static const void *element(cvk_type type, const void *tensor, int64_t i) {
    return (const char *)tensor + i * type_bytes(type);
}

static naive_map map_of(const cvk_spec *s, const naive_tensors *t, int64_t number) {
    const int64_t before = number * volume(s->in_size);
    if (!t->finer) return (naive_map){.values = element(s->input_type, t->input, before)};
    return (naive_map){.finer = t->finer + before, .doubt = t->doubt ? t->doubt + before : NULL};
}

/* Each channel by itself. */
static void pool_range(const cvk_spec *s, const naive_tensors *t, int64_t first, int64_t last, long double *output,
                       double *bound) {
    const int64_t size = naive_channel_size(s);
    for (int64_t i = first; i < last; i++, output += size) {
        const naive_map map = map_of(s, t, i);
        naive_pool_channel(s, &map, output, bound, NULL);
        if (bound) bound += size;
    }
}

/* What comes in, exactly; of bytes, from what stands for 0. */
static void identity_range(const cvk_spec *s, const void *input, int64_t first, int64_t last, long double *output,
                           double *bound) {
    const int64_t size = naive_channel_size(s);
    for (int64_t at = 0; at < (last - first) * size; at++) {
        output[at] = type_read(s->input_type, element(s->input_type, input, first * size + at)) - s->input_zero;
        if (bound) bound[at] = 0;
    }
}

typedef void range_function(const cvk_spec *s, const void *input, int64_t first, int64_t last, long double *output,
                            double *bound);

/* Of what has neither weights nor windows, before post-ops. */
static range_function *const windowless[LAYER_KINDS] = {[LAYER_IDENTITY] = identity_range,
                                                        [LAYER_GROUP_NORM] = naive_norm_range,
                                                        [LAYER_LAYER_NORM] = naive_norm_range,
                                                        [LAYER_SOFTMAX] = naive_softmax_range,
                                                        [LAYER_RESIZE] = naive_resize_range};

void naive_weightless_range(const cvk_spec *s, const naive_tensors *t, int64_t first, int64_t last, long double *output,
                            double *bound) {
    const int64_t size = naive_channel_size(s);
    if (spec_is_pool(s))
        pool_range(s, t, first, last, output, bound);
    else
        windowless[s->kind](s, t->input, first, last, output, bound);
    for (int64_t i = first; i < last; i++)
        for (int64_t at = 0; at < size; at++, output++)
            naive_finish(s, t, i / s->out_channels, i % s->out_channels, at, output, bound ? bound++ : NULL);
}

void naive_places(const cvk_spec *s, const naive_tensors *t, int64_t first, int64_t last, int32_t *places) {
    const int64_t size = naive_channel_size(s);
    for (int64_t i = first; i < last; i++, places += size) {
        const naive_map map = map_of(s, t, i);
        naive_pool_channel(s, &map, NULL, NULL, places);
    }
}
