/* Tasks are runs of vectors; of matrices that are turned on the way, squares of as many rows and columns as lanes. */
#include "algo/sum_parts.h"

#include "algo/access.h"

enum { RUN = 64 }; /* vectors of a task */

typedef struct adding {
    nest_builder b;
    const part_sums *p;
    int parts, output, registers, square, lanes;
} adding;

static void add_vector(adding *s, affine at, const nest_range *valid) {
    nest_builder *b = &s->b;
    const register_ref sum = reg(s->registers, affine_constant(0)), one = reg(s->registers, affine_constant(1));
    build_load(b, sum, access_at(s->parts, at, 1), valid);
    affine part = build_for(b, VARIABLE_LOOP, "part", range_of(b, 1, s->p->count));
    build_load(b, one, access_at(s->parts, affine_add_scaled(at, part, s->p->elements), 1), valid);
    build_op(b, OP_ADD, sum, sum, one);
    build_end(b);
    if (s->p->accumulate) {
        build_load(b, one, access_at(s->output, at, 1), valid);
        build_op(b, OP_ADD, sum, sum, one);
    }
    build_store(b, access_at(s->output, at, 1), sum, valid);
}

static void add_all(adding *s) {
    nest_builder *b = &s->b;
    const int64_t whole = s->p->elements / s->lanes, rest = s->p->elements % s->lanes;
    const int64_t runs = ceil_div(whole, RUN);
    affine run = build_task(b, "run", runs + (rest > 0));
    nest_range r = range_of(b, 0, RUN);
    range_clip_high(b, &r, affine_offset(affine_scale(run, -RUN), whole), 1);
    affine vector = affine_add_scaled(build_for(b, VARIABLE_LOOP, "v", r), run, RUN);
    add_vector(s, affine_scale(vector, s->lanes), NULL);
    build_end(b);
    if (rest) {
        nest_range valid = range_of(b, 0, rest);
        build_if(b, affine_offset(run, -runs), "the rest");
        add_vector(s, affine_constant(whole * s->lanes), &valid);
        build_end(b);
    }
    build_end(b);
}

/* ---- across ---- */

/* Where a square begins, and how much of it there is. */
typedef struct square {
    affine group, row, column;
    int64_t rows, columns;
} square;

static affine matrix_at(const adding *s, const square *q) { return affine_scale(q->group, s->p->rows * s->p->columns); }

/* Column i of the square in the first part, or, added, in another one. */
static void load_columns(adding *s, const square *q, affine part, bool adds) {
    nest_builder *b = &s->b;
    const nest_range valid = range_of(b, 0, q->rows);
    const affine i = build_unrolled(b, "i", q->columns), column = affine_add(q->column, i);
    affine at = affine_add(affine_add_scaled(matrix_at(s, q), column, s->p->rows), q->row);
    at = affine_add_scaled(at, part, s->p->elements);
    const register_ref sum = reg(s->square, i), one = reg(s->registers, affine_constant(1));
    build_load(b, adds ? one : sum, access_at(s->parts, at, 1), &valid);
    if (adds) build_op(b, OP_ADD, sum, sum, one);
    build_end(b);
}

static void store_rows(adding *s, const square *q) {
    nest_builder *b = &s->b;
    const nest_range valid = range_of(b, 0, q->columns);
    const affine i = build_unrolled(b, "i", q->rows), row = affine_add(q->row, i);
    const affine at = affine_add(affine_add_scaled(matrix_at(s, q), row, s->p->columns), q->column);
    const register_ref sum = reg(s->square, affine_offset(i, s->lanes)), one = reg(s->registers, affine_constant(1));
    if (s->p->accumulate) {
        build_load(b, one, access_at(s->output, at, 1), &valid);
        build_op(b, OP_ADD, sum, sum, one);
    }
    build_store(b, access_at(s->output, at, 1), sum, &valid);
    build_end(b);
}

static void add_square(adding *s, const square *q) {
    nest_builder *b = &s->b;
    load_columns(s, q, affine_constant(0), false);
    load_columns(s, q, build_for(b, VARIABLE_LOOP, "part", range_of(b, 1, s->p->count)), true);
    build_end(b);
    square_turn(b, s->square, q->columns);
    store_rows(s, q);
}

/* Whole ones first, then what is left: its size, and a condition that holds there. */
static int pieces_of(const adding *s, affine number, int64_t size, int64_t piece[2], affine condition[2]) {
    const int64_t whole = size / s->lanes, rest = size % s->lanes;
    int count = 0;
    if (whole) piece[count] = s->lanes, condition[count++] = affine_offset(affine_scale(number, -1), whole - 1);
    if (rest) piece[count] = rest, condition[count++] = affine_offset(number, -whole);
    return count;
}

static void add_squares(adding *s) {
    nest_builder *b = &s->b;
    square q = {.group = build_task(b, "g", s->p->groups)};
    const affine row = build_task(b, "row", ceil_div(s->p->rows, s->lanes));
    const affine column = build_task(b, "column", ceil_div(s->p->columns, s->lanes));
    int64_t rows[2], columns[2];
    affine in_rows[2], in_columns[2];
    const int row_pieces = pieces_of(s, row, s->p->rows, rows, in_rows);
    const int column_pieces = pieces_of(s, column, s->p->columns, columns, in_columns);
    q.row = affine_scale(row, s->lanes), q.column = affine_scale(column, s->lanes);
    for (int r = 0; r < row_pieces; r++)
        for (int c = 0; c < column_pieces; c++) {
            q.rows = rows[r], q.columns = columns[c];
            build_if(b, in_rows[r], NULL);
            build_if(b, in_columns[c], NULL);
            add_square(s, &q);
            build_end(b);
            build_end(b);
        }
    for (int i = 0; i < 3; i++) build_end(b);
}

nest *sum_parts_build(arena *a, const part_sums *p, const cvk_target *target) {
    adding s = {.b = nest_begin(a, p->name, ENTRY_TASKS, target->vector_bytes), .p = p};
    s.lanes = target_lanes(target, p->sum);
    s.parts = nest_add_part(&s.b, "parts", ROLE_WORKSPACE, p->sum, p->begin, p->elements * p->count, SCRATCH_ALIGNMENT,
                            false);
    s.b.nest->tensors[s.parts].shared = true;
    s.output = nest_add_sums(&s.b, "output", ROLE_OUTPUT, p->output, p->outputs, p->accumulate);
    s.registers = nest_add_register(&s.b, "sum", p->sum, s.lanes, 2);
    if (p->across) s.square = nest_add_register(&s.b, "square", p->sum, s.lanes, 2 * s.lanes);
    (p->across ? add_squares : add_all)(&s);
    return nest_finish(&s.b);
}
