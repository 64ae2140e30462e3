/* Is the bounds proof sound for every nest, and exact to the element where kernels need it? */
#include "random_nest.h"
#include "walk.h"

#include <criterion/criterion.h>

typedef struct reach {
    int64_t low, high;
} reach;

static void widen(void *context, const nest_op *op, int64_t offset, int64_t low, int64_t high) {
    reach *r = context;
    if (op->at.tensor < 0 || op->kind == OP_PREFETCH) return;
    for (int64_t lane = low; lane < high; lane++) {
        int64_t element = offset + lane * op->at.stride;
        if (element < r->low) r->low = element;
        if (element > r->high) r->high = element;
    }
}

static reach walked_reach(const nest *n) {
    reach r = {INT64_MAX, INT64_MIN};
    walk(n, widen, &r);
    return r;
}

Test(check, no_random_nest_reaches_an_element_that_the_proof_leaves_out) {
    uint64_t seed = random_seed(1), cases = random_cases(4000);
    for (uint64_t i = seed; i < seed + cases; i++) {
        arena a;
        arena_init(&a);
        cr_assert(!arena_guard(&a), "out of memory");
        const nest *n = random_nest(&a, i);
        nest_extent extent;
        const char *name = arena_format(&a, "CVK_SEED=%llu CVK_CASES=1 test_nest", (unsigned long long)i);
        cr_expect_eq(nest_check(n, NULL, &extent), CVK_OK, "%s: refused", name);
        reach r = walked_reach(n);
        cr_expect(r.low > r.high || (extent.low[ROLE_INPUT] <= 4 * r.low && extent.high[ROLE_INPUT] >= 4 * r.high + 3),
                  "%s: %lld..%lld reached, %lld..%lld proven", name, (long long)r.low, (long long)r.high,
                  (long long)extent.low[ROLE_INPUT], (long long)extent.high[ROLE_INPUT]);
        arena_free(&a);
    }
}

/* One convolution in one dimension: `size` inputs, and what reads them. */
typedef struct line {
    int size, kernel, stride, dilation, pad;
} line;

static int outputs_of(const line *l) {
    int span = l->size + 2 * l->pad - (l->kernel - 1) * l->dilation - 1;
    return span < 0 ? 0 : span / l->stride + 1;
}

/* A nest of one load that touches no element before `shift` and none from size + shift on. */
typedef nest *make_family(arena *a, const line *l, int64_t shift);

static nest_builder begin_family(arena *a, const line *l, int lanes, register_ref *x) {
    nest_builder b = nest_begin(a, "family", ENTRY_TASKS, 32);
    nest_add_tensor(&b, "input", ROLE_INPUT, TYPE_F32, l->size, 4, false);
    *x = reg(nest_add_register(&b, "x", TYPE_F32, lanes, 1), affine_constant(0));
    return b;
}

/* Element of output ow and tap kw, in its axis; outside 0 .. size where padding is. */
static affine position(const line *l, affine ow, affine kw) {
    affine at = affine_add_scaled(affine_constant(-l->pad), ow, l->stride);
    return affine_add_scaled(at, kw, l->dilation);
}

/* for kw in max(0, ceil((pad - stride ow) / dilation)) .. min(kernel, floor((size + pad - stride ow + …) / dilation))
 */
static nest *clipped_taps(arena *a, const line *l, int64_t shift) {
    register_ref x;
    nest_builder b = begin_family(a, l, 1, &x);
    affine ow = build_task(&b, "ow", outputs_of(l));
    affine before = affine_scale(position(l, ow, affine_constant(0)), -1);
    nest_range taps = range_of(&b, 0, l->kernel);
    range_clip_low(&b, &taps, before, l->dilation);
    range_clip_high(&b, &taps, affine_offset(before, l->size + l->dilation - 1), l->dilation);
    affine kw = build_for(&b, VARIABLE_LOOP, "kw", taps);
    build_splat(&b, x, access_at(0, affine_offset(position(l, ow, kw), shift), 1));
    build_end(&b);
    build_end(&b);
    return nest_finish(&b);
}

/* The same taps, kept by two conditions. */
static nest *conditional_taps(arena *a, const line *l, int64_t shift) {
    register_ref x;
    nest_builder b = begin_family(a, l, 1, &x);
    affine ow = build_task(&b, "ow", outputs_of(l));
    affine at = position(l, ow, build_unrolled(&b, "kw", l->kernel));
    build_if(&b, at, "not before the first column");
    build_if(&b, affine_offset(affine_scale(at, -1), l->size - 1), "nor after the last");
    build_splat(&b, x, access_at(0, affine_offset(at, shift), 1));
    for (int i = 0; i < 4; i++) build_end(&b);
    return nest_finish(&b);
}

/* Vectors of 8 columns with the last one cut to what is left, read forwards. */
static nest *lanes_to_the_end(arena *a, const line *l, int64_t shift) {
    register_ref x;
    nest_builder b = begin_family(a, l, 8, &x);
    affine first = affine_scale(build_unrolled(&b, "tile", (l->size + 7) / 8), 8);
    nest_range lanes = range_of(&b, 0, 8);
    range_clip_high(&b, &lanes, affine_offset(affine_scale(first, -1), l->size), 1);
    build_load(&b, x, access_at(0, affine_offset(first, shift), 1), &lanes);
    build_end(&b);
    return nest_finish(&b);
}

/* Vectors of 8 columns that begin before the row, with the first one cut. */
static nest *lanes_from_the_start(arena *a, const line *l, int64_t shift) {
    register_ref x;
    nest_builder b = begin_family(a, l, 8, &x);
    int tiles = (l->size + 7) / 8;
    affine first = affine_offset(affine_scale(build_unrolled(&b, "tile", tiles), 8), l->size - 8 * tiles);
    nest_range lanes = range_of(&b, 0, 8);
    range_clip_low(&b, &lanes, affine_scale(first, -1), 1);
    build_load(&b, x, access_at(0, affine_offset(first, shift), 1), &lanes);
    build_end(&b);
    return nest_finish(&b);
}

/* Every element by vectors of 4, or fewer, that run backwards and overlap. */
static nest *backwards(arena *a, const line *l, int64_t shift) {
    register_ref x;
    int lanes = l->size < 4 ? l->size : 4;
    nest_builder b = begin_family(a, l, lanes, &x);
    affine i = build_loop(&b, "i", l->size - lanes + 1);
    build_load(&b, x, access_at(0, affine_offset(i, lanes - 1 + shift), -1), NULL);
    build_end(&b);
    return nest_finish(&b);
}

/* A map of 5 columns in one row of `size`, tiles of 3 across its rows, by quotients. */
static nest *across_rows(arena *a, const line *l, int64_t shift) {
    register_ref x;
    nest_builder b = begin_family(a, l, 1, &x);
    affine p = affine_scale(build_loop(&b, "tile", (l->size + 2) / 3), 3);
    p = affine_add(p, build_unrolled(&b, "c", 3));
    build_if(&b, affine_offset(affine_scale(p, -1), l->size - 1), "inside the map");
    affine row = build_quotient(&b, p, 5), column = affine_add_scaled(p, row, -5);
    build_splat(&b, x, access_at(0, affine_offset(affine_add_scaled(column, row, 5), shift), 1));
    for (int i = 0; i < 3; i++) build_end(&b);
    return nest_finish(&b);
}

/* The remainder of p / size, p over three times size: a quotient's lowest value matters. */
static nest *remainders(arena *a, const line *l, int64_t shift) {
    register_ref x;
    nest_builder b = begin_family(a, l, 1, &x);
    affine p = build_loop(&b, "p", 3 * l->size);
    affine rest = affine_add_scaled(p, build_quotient(&b, p, l->size), -l->size);
    build_splat(&b, x, access_at(0, affine_offset(rest, shift), 1));
    build_end(&b);
    return nest_finish(&b);
}

typedef struct family {
    const char *name;
    make_family *make;
} family;

static const family FAMILY[] = {
    {"clipped taps", clipped_taps},
    {"conditional taps", conditional_taps},
    {"lanes to the end", lanes_to_the_end},
    {"lanes from the start", lanes_from_the_start},
    {"backwards", backwards},
    {"across rows", across_rows},
    {"remainders", remainders},
};
enum { FAMILIES = sizeof FAMILY / sizeof *FAMILY };

/* Accepted as it is; where it reads the last element, refused by a tensor one shorter, and where it reads the first,
 * refused when moved one down. Tells whether it read both. */
static bool expect_exact_proof(const family *f, const line *l) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a), "out of memory");
    nest *n = f->make(&a, l, 0), *lower = f->make(&a, l, -1);
    const char *name = arena_format(&a, "%s, size %d kernel %d stride %d dilation %d pad %d", f->name, l->size,
                                    l->kernel, l->stride, l->dilation, l->pad);
    reach r = walked_reach(n);
    cr_expect_eq(nest_check(n, NULL, NULL), CVK_OK, "%s: refused", name);
    cr_expect(r.low > r.high || (r.low >= 0 && r.high < l->size), "%s: the test itself reads outside", name);
    n->tensors[0].elements--;
    cr_expect(r.high != l->size - 1 || nest_check(n, NULL, NULL) != CVK_OK, "%s: one past the end accepted", name);
    cr_expect(r.low != 0 || nest_check(lower, NULL, NULL) != CVK_OK, "%s: one before the start accepted", name);
    arena_free(&a);
    return r.low == 0 && r.high == l->size - 1;
}

Test(check, the_proof_is_exact_to_the_element) {
    for (const family *f = FAMILY; f < FAMILY + FAMILIES; f++) {
        int cases = 0, full = 0;
        for (int size = 1; size <= 19; size += 3)
            for (int kernel = 1; kernel <= 4; kernel++)
                for (int stride = 1; stride <= 3; stride++)
                    for (int dilation = 1; dilation <= 3; dilation++)
                        for (int pad = 0; pad <= 4; pad += 2, cases++)
                            full += expect_exact_proof(f, &(line){size, kernel, stride, dilation, pad});
        cr_expect(2 * full > cases, "%s: only %d of %d nests reach both ends", f->name, full, cases);
    }
}
