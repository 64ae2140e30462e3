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

static pads pad_axis(const cvk_spec *s, padding_word word, int axis) {
    int64_t reach = span(s, axis) - 1;
    bool first = axis == AXES - s->rank;
    pads same = pad_same(s, axis);
    if (word == PADDING_SAME_LOWER) return (pads){same.after, same.before};
    if (word == PADDING_FULL) return (pads){reach, reach};
    if (word == PADDING_CAUSAL && first) return (pads){reach, 0};
    return word == PADDING_VALID ? (pads){0, 0} : same;
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
