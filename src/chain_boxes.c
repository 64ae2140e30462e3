/* A class of boxes is one of bands on each axis. */
#include "chain_boxes.h"

#include "base/integers.h"

#include <string.h>

chain chain_of(const cvk_spec *spec) {
    chain c = {.spec = spec, .links = spec_link_count(spec), .between = spec_link(spec, 0).output_layout};
    for (int i = 0; i < c.links; i++) c.link[i] = problem_of(spec, i);
    return c;
}

const problem *chain_last(const chain *c) { return &c->link[c->links - 1]; }

bands bands_in(arena *a, const chain *c, const int band[AXES]) {
    bands b = {.classes = 1};
    for (int axis = 0; axis < AXES; axis++) {
        b.axis[axis] = bands_of(a, c->link, c->links, axis, band[axis]);
        b.classes *= b.axis[axis].count;
    }
    return b;
}

box box_of(const bands *b, int index) {
    box of;
    for (int axis = AXES - 1; axis >= 0; axis--) {
        of.axis[axis] = &b->axis[axis].band[index % b->axis[axis].count];
        index /= b->axis[axis].count;
    }
    return of;
}

int64_t boxes_in(const box *b) { return b->axis[0]->count * b->axis[1]->count * b->axis[2]->count; }

view view_between(const chain *c, const box *b, int link, int64_t groups) {
    const problem *p = &c->link[link];
    int64_t size[AXES];
    for (int axis = 0; axis < AXES; axis++) size[axis] = b->axis[axis]->link[link].axis.out;
    return view_dense(p->y.type, c->between, 1, p->y.channels, groups, size);
}

problem link_in_box(const chain *c, const box *b, int i) {
    const band_axis *const axes[AXES] = {&b->axis[0]->link[i], &b->axis[1]->link[i], &b->axis[2]->link[i]};
    problem p = problem_in_box(&c->link[i], axes);
    const int zero = p.x.zero;
    if (i > 0) p.x = view_between(c, b, i - 1, p.groups);
    if (i + 1 < c->links) p.y = view_between(c, b, i, p.groups);
    p.x.zero = zero;
    return p;
}

/* The class that most boxes are of. */
int main_class(const bands *b) {
    int most = 0;
    for (int i = 1; i < b->classes; i++) {
        const box one = box_of(b, i), other = box_of(b, most);
        if (boxes_in(&one) > boxes_in(&other)) most = i;
    }
    return most;
}

/* Bytes of scratch between layers in the largest box. */
int64_t bytes_between(const chain *c, const bands *b) {
    int64_t bytes = 0;
    for (int i = 0; i + 1 < c->links; i++) {
        int64_t of = type_bytes(c->link[i].y.type) * c->link[i].y.channels;
        for (int axis = 0; axis < AXES; axis++) of *= bands_most(&b->axis[axis], i);
        bytes += of;
    }
    return bytes;
}

/* Multiply-adds, those of halos as often as they are made; a pool counts its taps. */
static double work_in(const chain *c, const bands *b) {
    double work = 0;
    for (int i = 0; i < c->links; i++) {
        const problem *p = &c->link[i];
        double of = (double)(p->groups * p->out_channels * p->in_channels * problem_taps(p));
        for (int axis = 0; axis < AXES; axis++) of *= (double)bands_outputs(&b->axis[axis], i);
        work += of;
    }
    return work;
}

/* ---- which are worth ranking ---- */

/* What is between layers takes at most these shares of the second level. */
static const double SHARES[] = {0.125, 0.375, 0.75, 1.5};
_Static_assert(sizeof SHARES / sizeof *SHARES == CHAIN_BANDS, "a choice for each share");

enum { MOST_SIZES = 24 };

/* All of an axis, and powers of two below; of columns, which lie side by side, halves and quarters of them. */
static int sizes_of(int64_t out, int axis, int size[MOST_SIZES]) {
    int count = 0;
    size[count++] = (int)out;
    for (int64_t parts = 2; axis == AXIS_W && parts <= 4 && ceil_div(out, parts) >= 16; parts *= 2)
        size[count++] = (int)ceil_div(out, parts);
    for (int64_t n = 1; axis != AXIS_W && n < out && count < MOST_SIZES; n *= 2) size[count++] = (int)n;
    return count;
}

/* Along the one axis that there is, columns are what rows are elsewhere. */
static int sizes_along(const chain *c, int axis, int size[MOST_SIZES]) {
    const int64_t out = chain_last(c)->axis[axis].out;
    const bool line = chain_last(c)->axis[AXIS_D].out == 1 && chain_last(c)->axis[AXIS_H].out == 1;
    int count = 0;
    if (axis != AXIS_W || !line) return sizes_of(out, axis, size);
    size[count++] = (int)out;
    for (int64_t n = 16; n < out && count < MOST_SIZES; n *= 2) size[count++] = (int)n;
    return count;
}

/* Multiply-adds, and in as many what it takes to begin a box, more kinds of them, and rows that are not whole. */
static double effort_of(const chain *c, const int band[AXES], const bands *b) {
    static const double BEGINNING = 4000, KIND = 0.002, PART_OF_ROW = 0.03;
    double boxes = 1;
    for (int axis = 0; axis < AXES; axis++) boxes *= (double)ceil_div(chain_last(c)->axis[axis].out, band[axis]);
    const bool part = band[AXIS_W] < chain_last(c)->axis[AXIS_W].out;
    return work_in(c, b) * (1 + KIND * b->classes + PART_OF_ROW * part) + boxes * c->links * BEGINNING;
}

/* The least for each share. */
static void consider(const chain *c, int64_t cache, const int band[AXES], const bands *b,
                     band_choice best[CHAIN_BANDS]) {
    enum { KINDS = 10 };
    const double bytes = (double)bytes_between(c, b), work = effort_of(c, band, b);
    if (b->classes > KINDS) return;
    for (int i = 0; i < CHAIN_BANDS; i++)
        if (bytes <= SHARES[i] * (double)cache && (best[i].work == 0 || work < best[i].work)) {
            memcpy(best[i].band, band, sizeof best[i].band);
            best[i].work = work;
        }
}

void choose_bands(const chain *c, int64_t cache, band_choice best[CHAIN_BANDS]) {
    int size[AXES][MOST_SIZES], count[AXES], band[AXES];
    for (int axis = 0; axis < AXES; axis++) count[axis] = sizes_along(c, axis, size[axis]);
    arena a;
    arena_init(&a);
    if (!arena_guard(&a))
        for (int i = 0; i < count[0] * count[1] * count[2]; i++) {
            band[AXIS_D] = size[AXIS_D][i / (count[1] * count[2])];
            band[AXIS_H] = size[AXIS_H][i / count[2] % count[1]];
            band[AXIS_W] = size[AXIS_W][i % count[2]];
            arena_rewind(&a);
            const bands b = bands_in(&a, c, band);
            consider(c, cache, band, &b, best);
        }
    arena_free(&a);
}
