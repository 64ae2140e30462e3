/* A tile there and back: along slices and rows vector by vector of columns, then along the columns row by row, and last
 * in squares of vectors, which are the only ones whose points meet within a vector. */
#include "algo/fft/fft.h"

int64_t fft_tile_elements(const fft *f) { return f->rows * f->pitch; }

static affine row_at(const fft *f, affine row) { return affine_offset(affine_scale(row, f->pitch), f->at); }

static int64_t rows_of(const fft *f, int axis) { return axis == AXIS_D ? f->line[AXIS_H] : 1; }

/* Vectors along slices or rows of the tile, of a vector of columns and, of slices, a row. A row is in runs, with gaps.
 */
static fft_line across(const fft *f, int axis, affine row, affine run, affine vector) {
    const affine at = affine_add_scaled(affine_add_scaled(row_at(f, row), run, f->run_pitch), vector, 2 * f->lanes);
    return (fft_line){f->tile, at, rows_of(f, axis) * f->pitch, f->lanes, NULL, NULL};
}

/* The vectors of a run; one of each of a row's. */
static fft_line along(const fft *f, affine row, affine run) {
    const affine at = affine_add_scaled(row_at(f, row), run, f->run_pitch);
    return (fft_line){f->tile, at, 2 * f->lanes, f->lanes, NULL, NULL};
}

static fft_line along_runs(const fft *f, affine row, affine vector) {
    const affine at = affine_add_scaled(row_at(f, row), vector, 2 * f->lanes);
    return (fft_line){f->tile, at, f->run_pitch, f->lanes, NULL, NULL};
}

/* Where a tile is read from or stored to, and the way. */
typedef struct journey {
    fft *f;
    fft_end *end; /* stands at the far end of the axis that is folded; NULL: the tile does */
    void *context;
    bool forward;
} journey;

static void lines(const journey *j, const fft_levels_of *levels, const fft_line *own, const fft_line *other) {
    if (j->forward)
        fft_lines_forward(j->f, levels, other, own);
    else
        fft_lines_backward(j->f, levels, own, other);
}

/* Rows, or what else lines along an axis stand beside; on the way back only of those that outputs are in. */
static int64_t beside(const journey *j, int axis) {
    const fft *f = j->f;
    const int64_t rows = f->line[AXIS_H];
    if (axis == AXIS_D) return j->forward ? rows : lesser(rows, f->axis[AXIS_H].hop);
    return axis == AXIS_H ? f->line[AXIS_D] : f->rows;
}

/* Vectors of a run: on the way back those with outputs, unless these end within a row's runs. */
static int64_t columns_across(const journey *j) {
    const fft *f = j->f;
    return j->forward || f->runs > 1 ? f->run : lesser(f->run, f->axis[AXIS_W].hop / f->lanes);
}

static void transform_across(const journey *j, int axis) {
    fft *f = j->f;
    nest_builder *b = f->b;
    affine row = build_loop(b, axis == AXIS_H ? "d" : "h", beside(j, axis));
    if (axis == AXIS_H) row = affine_scale(row, f->line[AXIS_H]);
    affine run = build_loop(b, "run", f->runs), vector = build_loop(b, "v", columns_across(j));
    const fft_levels_of levels = {.points = f->line[axis], .node = affine_constant(0)};
    const fft_line own = across(f, axis, row, run, vector);
    const affine column = affine_add_scaled(vector, run, f->run);
    const fft_line other = j->end && axis == f->fold ? j->end(j->context, row, column) : own;
    lines(j, &levels, &own, &other);
    for (int i = 0; i < 3; i++) build_end(b);
}

/* The levels that bring runs together, a vector of each at a time. */
static void transform_runs(const journey *j, affine row) {
    fft *f = j->f;
    if (f->runs == 1) return;
    affine vector = build_loop(f->b, "v", f->run);
    const fft_levels_of levels = {.points = f->runs, .node = affine_constant(0)};
    const fft_line own = along_runs(f, row, vector);
    const fft_line other = j->end && f->fold == AXIS_W ? j->end(j->context, row, vector) : own;
    lines(j, &levels, &own, &other);
    build_end(f->b);
}

static void transform_run(const journey *j, affine row) {
    fft *f = j->f;
    affine run = build_loop(f->b, "run", f->runs);
    const fft_levels_of levels = {.points = f->run, .first = fft_levels(f->runs), .node = run};
    const fft_line own = along(f, row, run);
    const bool ends = j->end && f->fold == AXIS_W && f->runs == 1;
    const fft_line other = ends ? j->end(j->context, row, affine_constant(0)) : own;
    lines(j, &levels, &own, &other);
    build_end(f->b);
}

static void transform_along(const journey *j) {
    affine row = build_loop(j->f->b, "h", beside(j, AXIS_W));
    if (j->forward) transform_runs(j, row);
    transform_run(j, row);
    if (!j->forward) transform_runs(j, row);
    build_end(j->f->b);
}

static void transform_axis(const journey *j, int axis) {
    if (j->f->axis[axis].size == 1) return;
    if (axis == AXIS_W)
        transform_along(j);
    else
        transform_across(j, axis);
}

/* ---- squares ---- */

static register_ref part_of(const fft *f, int array, int which, int64_t i) {
    return reg(array, affine_constant(which * f->lanes + i));
}

/* Where a square's vectors are: its row, run and vector; its number in the row, and of all. */
typedef struct square {
    affine row, run, vector, group, number;
} square;

/* Several to a run; or of several rows each, whose vectors are too few. */
static square open_squares(fft *f) {
    nest_builder *b = f->b;
    const int64_t of_run = f->run / f->lanes, rows = of_run ? 1 : f->lanes / f->run;
    affine row = build_loop(b, "h", f->rows / rows), run = build_loop(b, "run", f->runs);
    affine vector = build_loop(b, "square", greater(of_run, 1)), group = affine_add_scaled(vector, run, of_run);
    return (square){affine_scale(row, rows), run, affine_scale(vector, f->lanes), group,
                    affine_add_scaled(group, row, greater(of_run, 1) * f->runs)};
}

static void close_squares(fft *f) {
    for (int i = 0; i < 3; i++) build_end(f->b);
}

/* Vector i of a square in the tile. */
static affine in_tile(const fft *f, const square *s, int64_t i) {
    const int64_t of_row = lesser(f->run, f->lanes);
    const affine run = affine_add_scaled(row_at(f, affine_offset(s->row, i / of_row)), s->run, f->run_pitch);
    return affine_add_scaled(run, affine_offset(s->vector, i % of_row), 2 * f->lanes);
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
    const journey j = {f, from, context, true};
    for (int axis = 0; axis < AXES; axis++) transform_axis(&j, axis);
    squares_forward(f, to);
}

void fft_backward(fft *f, const fft_chunks *from, fft_end *to, void *context) {
    const journey j = {f, to, context, false};
    squares_backward(f, from);
    for (int axis = AXES - 1; axis >= 0; axis--) transform_axis(&j, axis);
}
