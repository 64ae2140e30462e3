/* A tile there and back: along slices and rows vector by vector of columns, then along the columns row by row, and last
 * in squares of vectors, which are the only ones whose points meet within a vector. */
#include "algo/fft/fft.h"

int64_t fft_tile_elements(const fft *f) { return f->rows * f->pitch; }

static int64_t rows_of(const fft *f, int axis) { return axis == AXIS_D ? f->line[AXIS_H] : 1; }

/* Points along slices or rows of the tile, of a vector of columns and, of slices, a row. */
static fft_line across(const fft *f, int axis, affine row, affine vector) {
    const affine at = affine_add_scaled(affine_scale(row, f->pitch), vector, 2 * f->lanes);
    return (fft_line){f->tile, affine_offset(at, f->at), rows_of(f, axis) * f->pitch, f->lanes, NULL, NULL};
}

/* The vectors of a row. */
static fft_line along(const fft *f, affine row) {
    return (fft_line){f->tile, affine_offset(affine_scale(row, f->pitch), f->at), 2 * f->lanes, f->lanes, NULL, NULL};
}

typedef void run_lines(fft *f, int64_t points, const fft_line *from, const fft_line *to);

/* `end` stands at the far end of the axis that is folded; without it the tile does. */
static void run(fft *f, int axis, affine row, affine vector, fft_end *end, void *context, bool forward) {
    const bool columns = axis == AXIS_W;
    const fft_line own = columns ? along(f, row) : across(f, axis, row, vector);
    const fft_line other = end && axis == f->fold ? end(context, row, vector) : own;
    const int64_t points = columns ? f->vectors : f->line[axis];
    if (forward)
        fft_lines_forward(f, points, &other, &own);
    else
        fft_lines_backward(f, points, &own, &other);
}

/* Rows, or what else lines along an axis stand beside; on the way back only of those that outputs are in. */
static int64_t beside(const fft *f, int axis, bool forward) {
    const int64_t rows = f->line[AXIS_H];
    if (axis == AXIS_D) return forward ? rows : lesser(rows, f->axis[AXIS_H].hop);
    return axis == AXIS_H ? f->line[AXIS_D] : f->rows;
}

static void transform_axis(fft *f, int axis, fft_end *end, void *context, bool forward) {
    nest_builder *b = f->b;
    if (f->axis[axis].size == 1) return;
    affine row = build_loop(b, axis == AXIS_H ? "d" : "h", beside(f, axis, forward)), vector = affine_constant(0);
    if (axis == AXIS_H) row = affine_scale(row, f->line[AXIS_H]);
    if (axis != AXIS_W) vector = build_loop(b, "v", forward ? f->vectors : f->axis[AXIS_W].hop / f->lanes);
    run(f, axis, row, vector, end, context, forward);
    build_end(b);
    if (axis != AXIS_W) build_end(b);
}

/* ---- squares ---- */

static register_ref part_of(const fft *f, int array, int which, int64_t i) {
    return reg(array, affine_constant(which * f->lanes + i));
}

/* Opens the loops over squares; gives the row and the vector of a square's first, and the square's number in its row,
 * and of all. */
typedef struct square {
    affine row, vector, group, number;
} square;

static square open_squares(fft *f) {
    const int64_t of_row = f->vectors / f->lanes;
    if (of_row >= 1) {
        affine row = build_loop(f->b, "h", f->rows), group = build_loop(f->b, "square", of_row);
        return (square){row, affine_scale(group, f->lanes), group, affine_add_scaled(group, row, of_row)};
    }
    const int64_t rows = f->lanes / f->vectors;
    affine number = build_loop(f->b, "square", f->rows / rows);
    build_unrolled(f->b, "one", 1);
    return (square){affine_scale(number, rows), affine_constant(0), affine_constant(0), number};
}

static void close_squares(fft *f) {
    build_end(f->b);
    build_end(f->b);
}

/* Vector i of a square in the tile. */
static affine in_tile(const fft *f, const square *s, int64_t i) {
    const int64_t of_row = lesser(f->vectors, f->lanes);
    const affine at = affine_scale(affine_offset(s->row, i / of_row), f->pitch);
    return affine_offset(affine_add_scaled(at, affine_offset(s->vector, i % of_row), 2 * f->lanes), f->at);
}

/* Vector i of a square in its spectrum. */
static affine in_spectrum(const fft *f, const square *s, const fft_chunks *c, int64_t i) {
    const affine chunk = affine_offset(affine_scale(s->number, f->lanes / f->chunk), i / f->chunk);
    return affine_offset(affine_add_scaled(c->base, chunk, c->step), i % f->chunk * 2 * f->lanes);
}

static void move(fft *f, nest_access at, register_ref r, bool store) {
    if (store)
        build_store(f->b, at, r, NULL);
    else
        build_load(f->b, r, at, NULL);
}

static void move_tile(fft *f, const square *s, bool store) {
    for (int which = 0; which < 2; which++)
        for (int64_t i = 0; i < f->lanes; i++) {
            const affine at = affine_offset(in_tile(f, s, i), which * f->lanes);
            move(f, access_at(f->tile, at, 1), part_of(f, f->z, which, i), store);
        }
}

static void move_spectrum(fft *f, const square *s, const fft_chunks *c, bool store) {
    for (int which = 0; which < 2; which++)
        for (int64_t i = 0; i < f->lanes; i++) {
            const affine at = affine_offset(in_spectrum(f, s, c, i), which * f->lanes);
            move(f, access_at(c->tensor, at, 1), part_of(f, f->turned, which, i), store);
        }
}

static void turn(fft *f, int to, int from) {
    for (int which = 0; which < 2; which++) build_transpose(f->b, part_of(f, to, which, 0), part_of(f, from, which, 0));
}

static void squares_forward(fft *f, const fft_chunks *to) {
    const square s = open_squares(f);
    move_tile(f, &s, false);
    turn(f, f->turned, f->z);
    fft_within_forward(f, s.group);
    move_spectrum(f, &s, to, true);
    close_squares(f);
}

static void squares_backward(fft *f, const fft_chunks *from) {
    const square s = open_squares(f);
    move_spectrum(f, &s, from, false);
    fft_within_backward(f, s.group);
    turn(f, f->z, f->turned);
    move_tile(f, &s, true);
    close_squares(f);
}

void fft_forward(fft *f, fft_end *from, void *context, const fft_chunks *to) {
    for (int axis = 0; axis < AXES; axis++) transform_axis(f, axis, from, context, true);
    squares_forward(f, to);
}

void fft_backward(fft *f, const fft_chunks *from, fft_end *to, void *context) {
    squares_backward(f, from);
    for (int axis = AXES - 1; axis >= 0; axis--) transform_axis(f, axis, to, context, false);
}
