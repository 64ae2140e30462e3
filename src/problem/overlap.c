/* Overlap-save: counts. */
#include "problem/overlap.h"

#include "base/integers.h"

enum { LINE = 64 };

int64_t overlap_columns(int bytes) { return LINE / bytes; }

overlap overlap_of(const problem_axis *axis, int64_t size, int64_t unit) {
    overlap o = {.size = size, .span = (axis->taps - 1) * axis->tap_step + 1};
    o.hop = size == 1 ? 1 : greater(size / 2, (size - o.span + 1) / unit * unit);
    o.parts = o.span <= size - o.hop + 1 ? 1 : ceil_div(o.span, o.hop);
    o.tiles = ceil_div(axis->out, o.hop);
    o.inputs = o.tiles + o.parts - 1;
    o.covered = (o.inputs - 1) * o.hop + size;
    return o;
}
