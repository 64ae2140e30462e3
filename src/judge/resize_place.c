/* Positions are fractions. */
#include "judge/resize_place.h"

typedef struct fraction {
    int64_t over, under;
} fraction;

static int64_t floor_of(fraction f) {
    const int64_t down = f.over / f.under;
    return down - (f.over % f.under < 0);
}

static int64_t ceiling_of(fraction f) { return -floor_of((fraction){-f.over, f.under}); }

static fraction position_of(const cvk_spec *s, int axis, int64_t o) {
    const int64_t in = s->in_size[axis], out = s->out_size[axis];
    switch (s->coordinates) {
    case COORDINATES_HALF_PIXEL: return (fraction){(2 * o + 1) * in - out, 2 * out};
    case COORDINATES_ALIGN_CORNERS: return out > 1 ? (fraction){o * (in - 1), out - 1} : (fraction){0, 1};
    default: return (fraction){o * in, out};
    }
}

static int64_t nearest(const cvk_spec *s, fraction x) {
    const fraction more = {2 * x.over + x.under, 2 * x.under}, less = {2 * x.over - x.under, 2 * x.under};
    switch (s->nearest) {
    case ROUNDING_FLOOR: return floor_of(x);
    case ROUNDING_CEIL: return ceiling_of(x);
    case ROUNDING_PREFER_CEIL: return floor_of(more);
    default: return ceiling_of(less);
    }
}

static int64_t within(int64_t i, int64_t size) { return i < 0 ? 0 : i < size ? i : size - 1; }

resize_place resize_place_of(const cvk_spec *s, int axis, int64_t o) {
    const int64_t in = s->in_size[axis];
    const fraction x = position_of(s, axis, o);
    const int64_t below = floor_of(x), rest = x.over - below * x.under, near = within(nearest(s, x), in);
    if (s->interpolation == INTERPOLATION_NEAREST) return (resize_place){{near, near}, {1, 0}, 1};
    return (resize_place){{within(below, in), within(below + 1, in)}, {x.under - rest, rest}, x.under};
}
