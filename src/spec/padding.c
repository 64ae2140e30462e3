/* Padding: the words `valid`, `same`, `same_lower`, `full` and `causal` as numbers, axis by axis. */
#include "spec/rules.h"

#include <string.h>

typedef struct pads {
    int64_t before, after;
} pads;

static int64_t span(const cvk_spec *s, int axis) { return (s->kernel[axis] - 1) * s->dilation[axis] + 1; }

/* Output = ceil(in / stride); what the last window needs beyond the input is split, the odd one going after. */
static pads pad_same(const cvk_spec *s, int axis) {
    int64_t out = (s->in_size[axis] + s->stride[axis] - 1) / s->stride[axis];
    int64_t total = (out - 1) * s->stride[axis] + span(s, axis) - s->in_size[axis];
    if (total < 0) total = 0;
    return (pads){total / 2, total - total / 2};
}

/* Of a transposed layer: output = in * stride. What comes out beyond is cropped, the odd one after; where kernels leave
 * gaps, what is missing behind the last is output padding. */
static pads crop_same(cvk_spec *s, int axis) {
    int64_t total = span(s, axis) + s->output_padding[axis] - s->stride[axis];
    if (total < 0) s->output_padding[axis] -= total, total = 0;
    return (pads){total / 2, total - total / 2};
}

static pads pad_axis(cvk_spec *s, padding_word word, int axis) {
    int64_t reach = span(s, axis) - 1;
    bool first = axis == AXES - s->rank;
    if (word == PADDING_VALID) return (pads){0, 0};
    if (word == PADDING_FULL) return (pads){reach, reach};
    if (word == PADDING_CAUSAL && first) return (pads){reach, 0};
    pads same = s->transposed ? crop_same(s, axis) : pad_same(s, axis);
    return word == PADDING_SAME_LOWER ? (pads){same.after, same.before} : same;
}

bool spec_takes_padding(const cvk_spec *s, padding_word word) {
    return !s->transposed || (word != PADDING_FULL && word != PADDING_CAUSAL);
}

void spec_resolve_padding(cvk_spec *s, padding_word word) {
    if (word == PADDING_NUMBERS) return;
    memset(s->pad_before, 0, sizeof s->pad_before);
    memset(s->pad_after, 0, sizeof s->pad_after);
    for (int axis = AXES - s->rank; axis < AXES; axis++) {
        pads p = pad_axis(s, word, axis);
        s->pad_before[axis] = p.before;
        s->pad_after[axis] = p.after;
    }
}
