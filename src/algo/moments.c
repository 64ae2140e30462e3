/* A part's mean m and squares q = sum (x - m)^2, of c positions, and those of parts together (Chan, Golub and LeVeque,
 * Updating formulae and a pairwise algorithm for computing sample variances, 1979):
 *
 *     mean = sum c m / sum c;  variance = sum (q + c (m - mean)^2) / sum c
 *
 * Lanes are channels where those lie side by side, else positions, whose sums come together at the end of a part. */
#include "algo/moments.h"

#include "algo/access.h"
#include "algo/lanes.h"

enum { CHAINS = 8, LEAST_PART = 64, MOST_PART = 2048, PART_BYTES = 16384 };
enum { MEAN, ONE, SPARE, TEMPORARIES };

typedef struct measuring {
    nest_builder b;
    const moments *m;
    tensor_view x;
    int lanes;
    bool channels;           /* lanes are channels */
    int64_t vectors;         /* of channels at once */
    int64_t length, parts;   /* of a part, the last of which may be shorter; so many */
    int means, squares;      /* tensors: of parts, [image][part][channel] */
    int of_groups, inverses; /* of groups, [image][channel] */
    int sums, others;        /* register arrays */
    affine n;
} measuring;

static int64_t channels_of(const measuring *s) { return s->m->x.channels; }
static register_ref other(const measuring *s, int which) { return reg(s->others, affine_constant(which)); }
static register_ref sum(const measuring *s, affine which) { return reg(s->sums, which); }

/* As many vectors together as divide all of them. */
static int64_t vectors_of(const measuring *s) {
    const int64_t whole = channels_of(s) / s->lanes;
    int64_t vectors = s->channels ? CHAINS : 1;
    while (whole % vectors != 0) vectors /= 2;
    return vectors;
}

/* As many positions as the first level keeps for the second time around. */
static int64_t part_length(const measuring *s) {
    const int64_t row = s->channels ? s->vectors * s->lanes * type_bytes(s->m->sum) : type_bytes(s->m->sum);
    int64_t length = MOST_PART;
    while (length > LEAST_PART && length * row > PART_BYTES) length /= 2;
    return lesser(length, s->m->positions);
}

static int declare(measuring *s, const char *name, int64_t begin, int64_t elements, bool writable) {
    return nest_add_part(&s->b, name, ROLE_WORKSPACE, s->m->sum, begin, elements, SCRATCH_ALIGNMENT, writable);
}

/* In the workspace: what groups have, then what parts have. */
static measuring start(arena *a, const moments *m, const cvk_target *target, bool of_parts) {
    measuring s = {.b = nest_begin(a, m->name, ENTRY_TASKS, target->vector_bytes), .m = m};
    const int64_t channels = m->n * m->x.channels;
    s.lanes = target_lanes(target, m->sum);
    s.channels = view_has_channels_together(&m->x);
    s.vectors = vectors_of(&s);
    s.length = part_length(&s);
    s.parts = ceil_div(m->positions, s.length);
    const int64_t line = SCRATCH_ALIGNMENT, plane = ceil_div(channels, line) * line;
    const int64_t behind = ceil_div(channels * s.parts, line) * line;
    s.means = declare(&s, "means", 2 * plane, channels * s.parts, of_parts);
    s.squares = declare(&s, "squares", 2 * plane + behind, channels * s.parts, of_parts);
    if (!of_parts) s.of_groups = declare(&s, "mean", 0, channels, true);
    if (!of_parts)
        s.inverses =
            nest_add_part(&s.b, "inverse", ROLE_WORKSPACE, m->sum, channels, channels, type_bytes(m->sum), true);
    s.sums = nest_add_register(&s.b, "sum", m->sum, s.lanes, CHAINS);
    s.others = nest_add_register(&s.b, "x", m->sum, s.lanes, TEMPORARIES + CHAINS);
    return s;
}

/* ---- parts ---- */

/* Vectors of channels, of the positions of a part from the first on. */
typedef struct run {
    affine channel, position; /* of the first */
    int64_t vectors;          /* of channels */
    const nest_range *valid;  /* lanes */
} run;

/* How many vectors of a channel are summed apart. */
static int64_t chains_of(const measuring *s) { return CHAINS / s->vectors; }
static int64_t positions_of_vector(const measuring *s) { return s->channels ? 1 : s->lanes; }

static register_ref mean_of(const measuring *s, affine j) { return reg(s->others, affine_offset(j, TEMPORARIES)); }

/* Vector u of channels j: its sum goes on, of the input or of the squares of what it is from the mean. */
static void add_vector(measuring *s, const run *r, affine j, affine u, affine at, bool squares) {
    nest_builder *b = &s->b;
    lane_map m = {.n = s->n, .channel = affine_add_scaled(r->channel, j, s->lanes), .valid = r->valid};
    m.at.at[AXIS_D] = m.at.at[AXIS_H] = affine_constant(0);
    m.at.at[AXIS_W] = at;
    m.channel_step = s->channels;
    m.column_step = !s->channels;
    const register_ref to = sum(s, affine_add_scaled(j, u, s->vectors));
    view_load(b, &s->x, &m, other(s, ONE), other(s, SPARE));
    if (!squares) {
        build_op(b, OP_ADD, to, to, other(s, ONE));
        return;
    }
    build_op(b, OP_SUB, other(s, ONE), other(s, ONE), mean_of(s, j));
    if (r->valid && !s->channels) build_keep(b, other(s, ONE), other(s, ONE), r->valid);
    build_fma(b, to, other(s, ONE), other(s, ONE), NULL);
}

/* `count` places from `first` of the run on, `chains` of them at a time. */
static void add_places(measuring *s, const run *r, int64_t first, int64_t count, int64_t chains, bool squares) {
    nest_builder *b = &s->b;
    const int64_t step = positions_of_vector(s);
    affine at = affine_scale(build_loop(b, "i", count / chains), chains);
    affine u = build_unrolled(b, "u", chains), j = build_unrolled(b, "j", r->vectors);
    affine number = affine_offset(affine_add(at, u), first);
    add_vector(s, r, j, u, affine_add_scaled(r->position, number, step), squares);
    for (int i = 0; i < 3; i++) build_end(b);
}

/* All positions of a part, of which there are `length`. */
static void add_part(measuring *s, const run *r, int64_t length, bool squares) {
    nest_builder *b = &s->b;
    const int64_t step = positions_of_vector(s), places = length / step, chains = chains_of(s);
    const int64_t even = places / chains * chains;
    affine i = build_unrolled(b, "i", s->vectors * chains);
    build_const(b, sum(s, i), 0);
    build_end(b);
    if (even) add_places(s, r, 0, even, chains, squares);
    if (places > even) add_places(s, r, even, places - even, 1, squares);
    if (length % step) {
        const nest_range rest = range_of(b, 0, length % step);
        const run last = {r->channel, r->position, r->vectors, &rest};
        add_places(s, &last, places, 1, 1, squares);
    }
    for (int64_t u = 1; u < chains; u++) {
        affine j = build_unrolled(b, "j", r->vectors);
        build_op(b, OP_ADD, sum(s, j), sum(s, j), sum(s, affine_offset(j, u * s->vectors)));
        build_end(b);
    }
    if (!s->channels) lanes_together(b, OP_ADD, sum(s, affine_constant(0)), other(s, SPARE));
}

static void store_part(measuring *s, const run *r, affine part, int tensor, bool squares) {
    nest_builder *b = &s->b;
    affine j = build_unrolled(b, "j", r->vectors);
    affine at = affine_add_scaled(affine_add_scaled(r->channel, j, s->lanes), part, channels_of(s));
    const nest_range one = range_of(b, 0, 1);
    at = affine_add_scaled(at, s->n, s->parts * channels_of(s));
    build_store(b, access_at(tensor, at, 1), squares ? sum(s, j) : mean_of(s, j), s->channels ? r->valid : &one);
    build_end(b);
}

static void measure_part(measuring *s, run r, affine part, int64_t length) {
    nest_builder *b = &s->b;
    add_part(s, &r, length, false);
    build_const_ratio(b, other(s, ONE), 1, length);
    affine j = build_unrolled(b, "j", r.vectors);
    build_op(b, OP_MUL, mean_of(s, j), sum(s, j), other(s, ONE));
    build_end(b);
    add_part(s, &r, length, true);
    store_part(s, &r, part, s->means, false);
    store_part(s, &r, part, s->squares, true);
}

/* Whole parts share their code. */
static void measure_run(measuring *s, run r, affine part) {
    nest_builder *b = &s->b;
    const int64_t whole = s->m->positions / s->length, rest = s->m->positions % s->length;
    r.position = affine_scale(part, s->length);
    build_if(b, affine_offset(affine_scale(part, -1), whole - 1), NULL);
    measure_part(s, r, part, s->length);
    build_end(b);
    if (!rest) return;
    build_if(b, affine_offset(part, -whole), "the rest");
    measure_part(s, r, part, rest);
    build_end(b);
}

/* Some vectors of channels, or what is left of one. */
static void measure_channels(measuring *s, affine part) {
    nest_builder *b = &s->b;
    const int64_t whole = channels_of(s) / s->lanes, rest = channels_of(s) % s->lanes, tasks = whole / s->vectors;
    affine task = build_task(b, "c", tasks + (rest > 0));
    if (whole) {
        build_if(b, affine_offset(affine_scale(task, -1), tasks - 1), NULL);
        measure_run(s, (run){.channel = affine_scale(task, s->vectors * s->lanes), .vectors = s->vectors}, part);
        build_end(b);
    }
    if (rest) {
        const nest_range valid = range_of(b, 0, rest);
        build_if(b, affine_offset(task, -tasks), "the rest");
        measure_run(s, (run){.channel = affine_constant(whole * s->lanes), .vectors = 1, .valid = &valid}, part);
        build_end(b);
    }
    build_end(b);
}

static void measure_images(measuring *s) {
    nest_builder *b = &s->b;
    s->n = build_task(b, "n", s->m->n);
    affine part = build_task(b, "part", s->parts);
    if (s->channels) {
        measure_channels(s, part);
    } else {
        measure_run(s, (run){.channel = build_task(b, "c", channels_of(s)), .vectors = 1}, part);
        build_end(b);
    }
    for (int i = 0; i < 2; i++) build_end(b);
}

nest *moments_of_parts(arena *a, const moments *m, const cvk_target *target) {
    measuring s = start(a, m, target, true);
    nest_builder *b = &s.b;
    s.x.v = m->x;
    s.x.tensor = nest_add_tensor(b, "input", ROLE_INPUT, m->x.type, m->x.elements, type_bytes(m->x.type), false);
    nest_lie_in(b, s.x.tensor, m->x.image, m->x.period, m->x.width);
    if (m->n > 0)
        measure_images(&s);
    else
        b->nest->tasks = 0;
    return nest_finish(b);
}

/* ---- groups ---- */

enum { TOTAL, AROUND, OF_LAST, MEAN_OF_GROUP, INVERSE }; /* sums of a group */

static register_ref total(const measuring *s, int which) { return reg(s->sums, affine_constant(which)); }

/* A vector of a part's channels of the group: its means are summed up, or its squares with what its means are from that
 * of the group. */
static void add_cells(measuring *s, affine at, int to, bool squares, const nest_range *valid) {
    nest_builder *b = &s->b;
    build_load(b, other(s, ONE), access_at(s->means, at, 1), valid);
    if (!squares) {
        build_op(b, OP_ADD, total(s, to), total(s, to), other(s, ONE));
        return;
    }
    build_op(b, OP_SUB, other(s, ONE), other(s, ONE), total(s, MEAN_OF_GROUP));
    if (valid) build_keep(b, other(s, ONE), other(s, ONE), valid);
    build_fma(b, total(s, to), other(s, ONE), other(s, ONE), NULL);
    build_load(b, other(s, ONE), access_at(s->squares, at, 1), valid);
    build_op(b, OP_ADD, total(s, TOTAL), total(s, TOTAL), other(s, ONE));
}

/* Parts low to high - 1. `at`: the group's first channel in the first part. */
static void add_parts(measuring *s, affine at, int64_t low, int64_t high, int to, bool squares) {
    nest_builder *b = &s->b;
    const int64_t channels = channels_of(s) / s->m->groups, rest = channels % s->lanes;
    affine part = build_for(b, VARIABLE_LOOP, "part", range_of(b, low, high));
    at = affine_add_scaled(at, part, channels_of(s));
    if (channels > rest) {
        affine v = build_loop(b, "v", channels / s->lanes);
        add_cells(s, affine_add_scaled(at, v, s->lanes), to, squares, NULL);
        build_end(b);
    }
    if (rest) {
        const nest_range valid = range_of(b, 0, rest);
        add_cells(s, affine_offset(at, channels - rest), to, squares, &valid);
    }
    build_end(b);
}

static void weigh(measuring *s, int which, int64_t positions) {
    build_const(&s->b, other(s, ONE), (double)positions);
    build_op(&s->b, OP_MUL, total(s, which), total(s, which), other(s, ONE));
}

/* Of all parts, each as often as it has positions; then by how many there are. */
static void add_group(measuring *s, affine at, bool squares) {
    nest_builder *b = &s->b;
    const int64_t whole = s->m->positions / s->length, rest = s->m->positions % s->length;
    for (int i = TOTAL; i <= OF_LAST; i++) build_const(b, total(s, i), 0);
    add_parts(s, at, 0, whole, AROUND, squares);
    weigh(s, AROUND, s->length);
    build_op(b, OP_ADD, total(s, TOTAL), total(s, TOTAL), total(s, AROUND));
    if (rest) {
        add_parts(s, at, whole, whole + 1, OF_LAST, squares);
        weigh(s, OF_LAST, rest);
        build_op(b, OP_ADD, total(s, TOTAL), total(s, TOTAL), total(s, OF_LAST));
    }
    lanes_together(b, OP_ADD, total(s, TOTAL), other(s, SPARE));
    build_const_ratio(b, other(s, ONE), 1, s->m->positions * (channels_of(s) / s->m->groups));
    build_op(b, OP_MUL, total(s, squares ? INVERSE : MEAN_OF_GROUP), total(s, TOTAL), other(s, ONE));
}

static void invert(measuring *s) {
    nest_builder *b = &s->b;
    const register_ref to = total(s, INVERSE), one = other(s, ONE);
    build_const(b, one, s->m->epsilon);
    build_op(b, OP_ADD, to, to, one);
    build_op(b, OP_SQRT, to, to, reg(-1, affine_constant(0)));
    build_const(b, one, 1);
    build_op(b, OP_DIV, to, one, to);
}

static void store_vector(measuring *s, affine at, const nest_range *valid) {
    build_store(&s->b, access_at(s->of_groups, at, 1), total(s, MEAN_OF_GROUP), valid);
    build_store(&s->b, access_at(s->inverses, at, 1), total(s, INVERSE), valid);
}

/* For each channel of the group. */
static void store_group(measuring *s, affine first) {
    nest_builder *b = &s->b;
    const int64_t channels = channels_of(s) / s->m->groups, rest = channels % s->lanes;
    if (channels > rest) {
        affine v = build_loop(b, "v", channels / s->lanes);
        store_vector(s, affine_add_scaled(first, v, s->lanes), NULL);
        build_end(b);
    }
    if (!rest) return;
    const nest_range valid = range_of(b, 0, rest);
    store_vector(s, affine_offset(first, channels - rest), &valid);
}

static void measure_groups(measuring *s) {
    nest_builder *b = &s->b;
    s->n = build_task(b, "n", s->m->n);
    affine channel = affine_scale(build_task(b, "g", s->m->groups), channels_of(s) / s->m->groups);
    affine at = affine_add_scaled(channel, s->n, s->parts * channels_of(s));
    add_group(s, at, false);
    add_group(s, at, true);
    invert(s);
    store_group(s, affine_add_scaled(channel, s->n, channels_of(s)));
    for (int i = 0; i < 2; i++) build_end(b);
}

nest *moments_of_groups(arena *a, const moments *m, const cvk_target *target) {
    measuring s = start(a, m, target, false);
    if (m->n > 0)
        measure_groups(&s);
    else
        s.b.nest->tasks = 0;
    return nest_finish(&s.b);
}
