/* Levels of a transform, two at a time. Forward, a + c b is two fused multiply-adds a part, and a - c b = 2 a - (a + c
 * b) one; back, a sum, and a difference times the conjugate. */
#include "algo/fft/fft.h"

static register_ref none(void) { return reg(-1, affine_constant(0)); }
static register_ref numbered(int array, int64_t i) { return reg(array, affine_constant(i)); }
static complex_ref point_of(const fft *f, int64_t i) {
    return (complex_ref){numbered(f->z, 2 * i), numbered(f->z, 2 * i + 1)};
}
static complex_ref constant_of(const fft *f, int i) {
    return (complex_ref){numbered(f->c, 2 * i), numbered(f->c, 2 * i + 1)};
}

/* t = -x; a sign that lowering takes into the operation that reads it. */
static register_ref minus(fft *f, register_ref x, int t) {
    const register_ref one = numbered(f->t, 5), to = numbered(f->t, t);
    build_const(f->b, one, -1);
    build_op(f->b, OP_MUL, to, x, one);
    return to;
}

static void copy(fft *f, register_ref to, register_ref from) { build_op(f->b, OP_COPY, to, from, none()); }

/* A constant times i, by names: (-im, re). */
typedef struct factor {
    complex_ref c;
    bool turned;
} factor;

/* to = a + c b. */
static void add_product(fft *f, complex_ref to, complex_ref a, factor c, complex_ref b) {
    const register_ref re = c.c.re, im = c.c.im;
    copy(f, to.re, a.re);
    copy(f, to.im, a.im);
    if (!c.turned) {
        build_fma(f->b, to.re, re, b.re, NULL);
        build_fma(f->b, to.re, minus(f, im, 4), b.im, NULL);
        build_fma(f->b, to.im, re, b.im, NULL);
        build_fma(f->b, to.im, im, b.re, NULL);
    } else {
        build_fma(f->b, to.re, minus(f, im, 4), b.re, NULL);
        build_fma(f->b, to.re, minus(f, re, 4), b.im, NULL);
        build_fma(f->b, to.im, minus(f, im, 4), b.im, NULL);
        build_fma(f->b, to.im, re, b.re, NULL);
    }
}

/* b = 2 a - u, part by part. */
static void reflect(fft *f, register_ref b, register_ref a, register_ref u) {
    const register_ref two = numbered(f->t, 5);
    const register_ref less = minus(f, u, 4);
    build_const(f->b, two, 2);
    build_fma(f->b, less, two, a, NULL);
    copy(f, b, less);
}

/* a, b = a + c b, a - c b. */
static void split(fft *f, complex_ref a, complex_ref b, factor c) {
    const complex_ref u = {numbered(f->t, 0), numbered(f->t, 1)};
    add_product(f, u, a, c, b);
    reflect(f, b.re, a.re, u.re);
    reflect(f, b.im, a.im, u.im);
    copy(f, a.re, u.re);
    copy(f, a.im, u.im);
}

/* to = conj(c) d. */
static void conjugate_product(fft *f, complex_ref to, factor c, complex_ref d) {
    const register_ref re = c.c.re, im = c.c.im;
    if (!c.turned) {
        build_op(f->b, OP_MUL, to.re, re, d.re);
        build_fma(f->b, to.re, im, d.im, NULL);
        build_op(f->b, OP_MUL, to.im, re, d.im);
        build_fma(f->b, to.im, minus(f, im, 4), d.re, NULL);
    } else { /* conj(i c) = (-im, -re) */
        build_op(f->b, OP_MUL, to.re, re, d.im);
        build_fma(f->b, to.re, minus(f, im, 4), d.re, NULL);
        build_op(f->b, OP_MUL, to.im, minus(f, im, 4), d.im);
        build_fma(f->b, to.im, minus(f, re, 4), d.re, NULL);
    }
}

/* a, b = a + b, conj(c) (a - b): twice what was split. */
static void join(fft *f, complex_ref a, complex_ref b, factor c) {
    const complex_ref d = {numbered(f->t, 0), numbered(f->t, 1)};
    build_op(f->b, OP_SUB, d.re, a.re, b.re);
    build_op(f->b, OP_SUB, d.im, a.im, b.im);
    build_op(f->b, OP_ADD, a.re, a.re, b.re);
    build_op(f->b, OP_ADD, a.im, a.im, b.im);
    conjugate_product(f, b, c, d);
}

typedef void butterfly(fft *f, const complex_ref *z);

static void split_two(fft *f, const complex_ref *z) { split(f, z[0], z[1], (factor){constant_of(f, 0), false}); }
static void join_two(fft *f, const complex_ref *z) { join(f, z[0], z[1], (factor){constant_of(f, 0), false}); }

static void split_four(fft *f, const complex_ref *z) {
    const factor c = {constant_of(f, 0), false}, d = {constant_of(f, 1), false}, id = {constant_of(f, 1), true};
    split(f, z[0], z[2], c);
    split(f, z[1], z[3], c);
    split(f, z[0], z[1], d);
    split(f, z[2], z[3], id);
}

static void join_four(fft *f, const complex_ref *z) {
    const factor c = {constant_of(f, 0), false}, d = {constant_of(f, 1), false}, id = {constant_of(f, 1), true};
    join(f, z[0], z[1], d);
    join(f, z[2], z[3], id);
    join(f, z[0], z[2], c);
    join(f, z[1], z[3], c);
}

/* ---- lines ---- */

static void load_point(fft *f, const fft_line *line, affine point, complex_ref to) {
    const affine at = affine_add_scaled(line->base, point, line->step);
    build_load(f->b, to.re, access_at(line->tensor, at, 1), NULL);
    build_load(f->b, to.im, access_at(line->tensor, affine_offset(at, line->apart), 1), NULL);
}

static void store_point(fft *f, const fft_line *line, affine point, complex_ref z) {
    if (line->store) {
        line->store(line->context, point, z);
        return;
    }
    const affine at = affine_add_scaled(line->base, point, line->step);
    build_store(f->b, access_at(line->tensor, at, 1), z.re, NULL);
    build_store(f->b, access_at(line->tensor, affine_offset(at, line->apart), 1), z.im, NULL);
}

static void load_constants(fft *f, int64_t first, affine number, int count) {
    affine i = build_unrolled(f->b, "i", count);
    const affine at = affine_offset(affine_add_scaled(i, number, count), first);
    build_splat(f->b, reg(f->c, i), access_at(f->table, at, 1));
    build_end(f->b);
}

/* A level, or two: `level` is counted from the first of these, whose nodes have so many descendants here. */
static void level_of(fft *f, const fft_levels_of *levels, int level, int radix, const fft_line *from,
                     const fft_line *to, butterfly *each) {
    nest_builder *b = f->b;
    const int64_t size = levels->points >> level, part = size / radix, *table = radix == 4 ? f->four : f->two;
    affine number = build_loop(b, "node", INT64_C(1) << level);
    load_constants(f, table[levels->first + level], affine_add_scaled(number, levels->node, INT64_C(1) << level),
                   radix);
    const affine first = affine_add(affine_scale(number, size), build_loop(b, "j", part));
    complex_ref z[4];
    for (int k = 0; k < radix; k++) {
        z[k] = point_of(f, k);
        load_point(f, from, affine_offset(first, k * part), z[k]);
    }
    each(f, z);
    for (int k = 0; k < radix; k++) store_point(f, to, affine_offset(first, k * part), z[k]);
    build_end(b);
    build_end(b);
}

void fft_lines_forward(fft *f, const fft_levels_of *levels, const fft_line *from, const fft_line *to) {
    const int count = fft_levels(levels->points);
    int l = 0;
    for (; l + 2 <= count; l += 2) level_of(f, levels, l, 4, l == 0 ? from : to, to, split_four);
    if (l < count) level_of(f, levels, l, 2, l == 0 ? from : to, to, split_two);
}

void fft_lines_backward(fft *f, const fft_levels_of *levels, const fft_line *from, const fft_line *to) {
    const int count = fft_levels(levels->points), single = count - count % 2;
    if (single < count) level_of(f, levels, single, 2, from, single == 0 ? to : from, join_two);
    for (int l = single - 2; l >= 0; l -= 2) level_of(f, levels, l, 4, from, l == 0 ? to : from, join_four);
}

/* ---- within vectors ---- */

static complex_ref turned_point(const fft *f, int64_t i) {
    return (complex_ref){numbered(f->turned, i), numbered(f->turned, f->lanes + i)};
}

/* From `*at` on, as add_group laid them. */
static void load_lanes(fft *f, affine group, int64_t at, int count) {
    affine i = build_unrolled(f->b, "i", count);
    const affine first = affine_offset(affine_scale(group, f->within_group), f->within + at);
    build_load(f->b, reg(f->c, i), access_at(f->table, affine_add_scaled(first, i, f->lanes), 1), NULL);
    build_end(f->b);
}

/* Where the constants of a level within begin. */
static int64_t before_depth(const fft *f, int depth) {
    int64_t at = 0;
    for (int d = 0; d < depth; d += 2) at += (INT64_C(1) << d) * 4 * f->lanes;
    return at;
}

static void level_within(fft *f, affine group, int depth, int radix, butterfly *each) {
    const int64_t size = f->lanes >> depth, part = size / radix;
    const int constants = radix == 4 ? 4 : 2;
    for (int64_t child = 0; child < INT64_C(1) << depth; child++) {
        load_lanes(f, group, before_depth(f, depth) + child * constants * f->lanes, constants);
        for (int64_t j = 0; j < part; j++) {
            complex_ref z[4];
            for (int k = 0; k < radix; k++) z[k] = turned_point(f, child * size + j + k * part);
            each(f, z);
        }
    }
}

void fft_within_forward(fft *f, affine group) {
    const int levels = fft_levels(f->lanes);
    int depth = 0;
    for (; depth + 2 <= levels; depth += 2) level_within(f, group, depth, 4, split_four);
    if (depth < levels) level_within(f, group, depth, 2, split_two);
}

void fft_within_backward(fft *f, affine group) {
    const int levels = fft_levels(f->lanes), single = levels - levels % 2;
    if (single < levels) level_within(f, group, single, 2, join_two);
    for (int depth = single - 2; depth >= 0; depth -= 2) level_within(f, group, depth, 4, join_four);
}
