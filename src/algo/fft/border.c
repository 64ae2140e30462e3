/* The input in planes: each row by itself, whatever its border repeats, and zeros behind. */
#include "algo/fft/fft.h"

#include "algo/border.h"

typedef struct planes {
    fft *f;
    tensor_view x;
    int to;        /* tensor */
    int registers; /* a vector and a spare one; a single element and a spare one */
    int single;
    affine n, channel;
    affine at[AXES]; /* of the plane: slice and row */
    affine row;      /* in the workspace */
    double number;   /* where nothing is read */
} planes;

static void copy(planes *p, int array, affine column, const position *from, const nest_range *valid) {
    nest_builder *b = p->f->b;
    const register_ref r = reg(array, affine_constant(0)), spare = reg(array, affine_constant(1));
    const lane_map m = {p->n, p->channel, from ? *from : (position){{column, column, column}}, .column_step = 1,
                        .valid = valid};
    if (from)
        view_load(b, &p->x, &m, r, spare);
    else
        build_const(b, r, p->number);
    build_store(b, access_at(p->to, affine_add(p->row, column), 1), r, valid);
}

static void copy_at(planes *p, int64_t first, affine column, const position *from, const nest_range *valid) {
    position at = from ? *from : (position){{column, column, column}};
    if (from) at.at[AXIS_W] = affine_add(from->at[AXIS_W], column);
    copy(p, p->registers, affine_offset(column, first), from ? &at : NULL, valid);
}

/* Columns first .. first + count - 1: what stands from `from` on, or a number. */
static void copy_line(planes *p, int64_t first, int64_t count, const position *from) {
    nest_builder *b = p->f->b;
    const int64_t lanes = p->f->lanes, whole = count / lanes;
    if (whole > 0) {
        copy_at(p, first, affine_scale(build_loop(b, "v", whole), lanes), from, NULL);
        build_end(b);
    }
    if (count % lanes == 0) return;
    const nest_range rest = range_of(b, 0, count % lanes);
    copy_at(p, first, affine_constant(whole * lanes), from, &rest);
}

static void fill_line(planes *p, int64_t first, int64_t count, double number) {
    p->number = number;
    copy_line(p, first, count, NULL);
}

static double number_of(const planes *p) { return p->f->p->border == PAD_CONSTANT ? p->f->p->constant : 0; }

/* Columns of border, one by one. `first` is input column `column`. */
static void copy_border(planes *p, int64_t first, int64_t count, int64_t column, position from,
                        affine (*source)(padding_mode, affine, int64_t)) {
    nest_builder *b = p->f->b;
    if (count <= 0) return;
    if (border_is_constant(p->f->p->border)) {
        fill_line(p, first, count, number_of(p));
        return;
    }
    affine i = build_loop(b, "w", count);
    from.at[AXIS_W] = source(p->f->p->border, affine_offset(i, column), p->f->p->axis[AXIS_W].in);
    copy(p, p->single, affine_offset(i, first), &from, NULL);
    build_end(b);
}

/* What a row is: some of the input's with its border, all border, or behind whatever there is. */
typedef enum row_kind { ROW_OF_INPUT, ROW_OF_BORDER, ROW_BEHIND } row_kind;

static void copy_row(planes *p, position from, row_kind kind) {
    const problem_axis *a = &p->f->p->axis[AXIS_W];
    const int64_t all = p->f->axis[AXIS_W].covered, begin = greater(a->origin, 0);
    if (kind != ROW_OF_INPUT) {
        fill_line(p, 0, all, kind == ROW_OF_BORDER ? number_of(p) : 0);
        return;
    }
    const int64_t front = lesser(greater(-a->origin, 0), all), inside = greater(lesser(a->in - begin, all - front), 0);
    const int64_t behind = lesser(greater(axis_after(a), 0), all - front - inside), last = front + inside + behind;
    copy_border(p, 0, front, a->origin, from, border_before);
    from.at[AXIS_W] = affine_constant(begin);
    if (inside > 0) copy_line(p, front, inside, &from);
    copy_border(p, front + inside, behind, begin + inside, from, border_after);
    if (last < all) fill_line(p, last, all - last, 0);
}

/* From this axis on. */
static void copy_rows(planes *p, int axis, position from, row_kind kind) {
    nest_builder *b = p->f->b;
    if (axis >= AXIS_W || kind != ROW_OF_INPUT) {
        copy_row(p, from, kind);
        return;
    }
    const problem_axis *a = &p->f->p->axis[axis];
    const affine i = affine_offset(p->at[axis], a->origin), beyond = affine_offset(i, -a->in - axis_after(a));
    border_case cases[BORDER_CASES];
    const int count = border_cases_of(b, p->f->p->border, a->in, axis_before(a), axis_after(a), i, cases);
    for (int k = 0; k < count; k++) {
        border_open(b, cases[k].low, cases[k].high);
        from.at[axis] = cases[k].source;
        copy_rows(p, axis + 1, from, cases[k].nowhere ? ROW_OF_BORDER : ROW_OF_INPUT);
        border_close(b);
    }
    if (nest_maximum(b->nest, b->scope, beyond) < 0) return;
    build_if(b, beyond, "beyond");
    copy_rows(p, axis + 1, from, ROW_BEHIND);
    build_end(b);
}

static void declare(planes *p) {
    const problem *q = p->f->p;
    nest_builder *b = p->f->b;
    p->x.tensor = nest_add_tensor(b, "input", ROLE_INPUT, q->x.type, q->x.elements, type_bytes(q->x.type), false);
    nest_lie_in(b, p->x.tensor, q->x.image, q->x.period, q->x.width);
    p->x.v = q->x;
    p->to = nest_add_tensor(b, "planes", ROLE_WORKSPACE, q->sum, p->f->planes, SCRATCH_ALIGNMENT, true);
    p->registers = nest_add_register(b, "x", q->sum, p->f->lanes, 2);
    p->single = nest_add_register(b, "one", q->sum, 1, 2);
}

nest *fft_border(arena *a, const fft *made) {
    fft f = *made;
    nest_builder b = nest_begin(a, f.p->name, ENTRY_TASKS, f.target->vector_bytes);
    f.b = &b;
    planes p = {.f = &f};
    declare(&p);
    if (f.p->n == 0) {
        b.nest->tasks = 0;
        return nest_finish(&b);
    }
    p.n = build_task(&b, "n", f.p->n);
    affine g = build_task(&b, "g", f.p->groups), ic = build_task(&b, "ic", f.p->in_channels);
    p.channel = affine_add_scaled(ic, g, f.p->x.group);
    p.at[AXIS_D] = build_task(&b, "d", f.axis[AXIS_D].covered);
    p.at[AXIS_H] = build_task(&b, "h", f.axis[AXIS_H].covered);
    const affine row = affine_add_scaled(p.at[AXIS_H], p.at[AXIS_D], f.axis[AXIS_H].covered);
    p.row =
        affine_add_scaled(fft_plane(&f, p.n, affine_add_scaled(ic, g, f.p->in_channels)), row, f.axis[AXIS_W].covered);
    const affine zero = affine_constant(0);
    copy_rows(&p, AXIS_D, (position){{zero, zero, zero}}, ROW_OF_INPUT);
    for (int i = 0; i < 5; i++) build_end(&b);
    return nest_finish(&b);
}
