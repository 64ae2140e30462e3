/* Does the evaluator compute with every type as ops.def says: floats as IEEE does, integers modulo 2^bits? */
#include "base/types.h"
#include "by_hand.h"
#include "judge/nest_eval.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { LANES = 8, MOST_SOURCES = 3 };

/* One operation of 8 lanes from three arrays of sources to one. */
typedef struct bench {
    arena arena;
    nest_builder b;
    int tensor[MOST_SOURCES], r[MOST_SOURCES], to;
    unsigned char from[MOST_SOURCES][64 * 8], result[64 * 8];
} bench;

/* `lanes` and `type` of the sources; the result has LANES. */
static void set_up(bench *t, const cvk_type type[MOST_SOURCES], const int lanes[MOST_SOURCES], cvk_type to) {
    static const nest_role ROLES[] = {ROLE_INPUT, ROLE_WEIGHTS, ROLE_BIAS};
    arena_init(&t->arena);
    cr_assert(!arena_guard(&t->arena), "out of memory");
    t->b = nest_begin(&t->arena, "types", ENTRY_TASKS, 64);
    for (int i = 0; i < MOST_SOURCES; i++) {
        t->tensor[i] = nest_add_tensor(&t->b, "from", ROLES[i], type[i], lanes[i], 1, false);
        t->r[i] = nest_add_register(&t->b, "r", type[i], lanes[i], 1);
        build_load(&t->b, reg(t->r[i], affine_constant(0)), access_at(t->tensor[i], affine_constant(0), 1), NULL);
    }
    t->to = nest_add_register(&t->b, "to", to, LANES, 1);
}

static void put(bench *t, int source, int lane, cvk_type type, double value) {
    type_write(type, t->from[source] + lane * type_bytes(type), value);
}

static void run(bench *t, cvk_type to, bool fused) {
    int output = nest_add_tensor(&t->b, "output", ROLE_OUTPUT, to, LANES, 1, true);
    build_store(&t->b, access_at(output, affine_constant(0), 1), reg(t->to, affine_constant(0)), NULL);
    void *tensors[ROLE_COUNT] = {[ROLE_INPUT] = t->from[0], [ROLE_WEIGHTS] = t->from[1], [ROLE_BIAS] = t->from[2]};
    tensors[ROLE_OUTPUT] = t->result;
    cr_expect_eq(nest_check(t->b.nest, NULL, NULL), CVK_OK);
    cr_expect_eq(nest_eval(t->b.nest, tensors, 0, 1, eval_as(fused)), CVK_OK);
    arena_free(&t->arena);
}

static double got(const bench *t, int lane, cvk_type to) { return type_read(to, t->result + lane * type_bytes(to)); }

/* ---- integers ---- */

/* What the formula of an operation gives before it is taken modulo 2^bits. */
static int64_t exactly(op_kind kind, int64_t a, int64_t b, int64_t c, int shift) {
    switch (kind) {
    case OP_FMA: return a * b + c;
    case OP_ADD: return a + b;
    case OP_SUB: return a - b;
    case OP_MUL: return a * b;
    case OP_MIN: return a < b ? a : b;
    case OP_MAX:
    case OP_MAXIMUM: return a > b ? a : b;
    case OP_SELECT_NEGATIVE: return a < 0 ? b : c;
    case OP_SHIFT_LEFT: return a * (INT64_C(1) << shift);
    case OP_SHIFT_RIGHT: return floor_div(a, INT64_C(1) << shift);
    default: return a;
    }
}

static int64_t wrapped(cvk_type type, int64_t value) {
    int64_t modulus = INT64_C(1) << type_rows[type].bits, rest = value % modulus;
    if (rest < 0) rest += modulus;
    return (double)rest > type_greatest(type) ? rest - modulus : rest;
}

/* Numbers of an integer type, both ends among them. */
static int64_t number(cvk_type type, int i) {
    int64_t least = (int64_t)type_least(type), greatest = (int64_t)type_greatest(type);
    const int64_t some[] = {least, greatest, 0, 1, 3, greatest / 2 + 1, least / 3, 100, 77, greatest - 1, 5};
    return some[i % 11];
}

static void expect_integer_op(cvk_type type, op_kind kind, int case_number) {
    const cvk_type types[] = {type, type, type};
    const int lanes[] = {LANES, LANES, LANES};
    int shift = case_number % type_rows[type].bits;
    int64_t x[MOST_SOURCES][LANES];
    bench t;
    set_up(&t, types, lanes, type);
    for (int s = 0; s < MOST_SOURCES; s++)
        for (int l = 0; l < LANES; l++)
            put(&t, s, l, type, (double)(x[s][l] = number(type, case_number * (s + 1) + l * (s + 2))));
    build_op(&t.b, kind, reg(t.to, affine_constant(0)), reg(t.r[0], affine_constant(0)),
             reg(t.r[1], affine_constant(0)));
    last_op(&t.b)->c = reg(t.r[2], affine_constant(0));
    last_op(&t.b)->shift = shift;
    run(&t, type, true);
    for (int l = 0; l < LANES; l++) {
        int64_t expected = wrapped(type, exactly(kind, x[0][l], x[1][l], x[2][l], shift));
        cr_expect_eq(got(&t, l, type), (double)expected, "%s %s of %lld, %lld, %lld by %d: %g, not %lld",
                     type_name(type), nest_op_name(kind), (long long)x[0][l], (long long)x[1][l], (long long)x[2][l],
                     shift, got(&t, l, type), (long long)expected);
    }
}

static const cvk_type INTEGERS[] = {TYPE_S8, TYPE_U8, TYPE_S16, TYPE_S32};

Test(types, integers_wrap) {
    static const op_kind KINDS[] = {
        OP_COPY,       OP_FMA,        OP_ADD, OP_SUB, OP_MUL, OP_MIN, OP_MAX, OP_MAXIMUM, OP_SELECT_NEGATIVE,
        OP_SHIFT_LEFT, OP_SHIFT_RIGHT};
    for (size_t i = 0; i < sizeof INTEGERS / sizeof *INTEGERS; i++)
        for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++)
            for (int n = 0; n < 40; n++) expect_integer_op(INTEGERS[i], KINDS[k], n);
}

static void expect_dot(cvk_type a, cvk_type b, int products, int case_number) {
    const cvk_type types[] = {a, b, TYPE_S32};
    const int lanes[] = {products * LANES, products * LANES, LANES};
    int64_t expected[LANES];
    bench t;
    set_up(&t, types, lanes, TYPE_S32);
    for (int l = 0; l < LANES; l++) {
        put(&t, 2, l, TYPE_S32, (double)(expected[l] = number(TYPE_S32, case_number + l)));
        for (int i = l * products; i < (l + 1) * products; i++) {
            int64_t x = number(a, case_number + i), y = number(b, 2 * case_number + 3 * i);
            put(&t, 0, i, a, (double)x);
            put(&t, 1, i, b, (double)y);
            expected[l] += x * y;
        }
    }
    build_load(&t.b, reg(t.to, affine_constant(0)), access_at(t.tensor[2], affine_constant(0), 1), NULL);
    build_dot(&t.b, reg(t.to, affine_constant(0)), reg(t.r[0], affine_constant(0)), reg(t.r[1], affine_constant(0)),
              NULL);
    run(&t, TYPE_S32, true);
    for (int l = 0; l < LANES; l++)
        cr_expect_eq(got(&t, l, TYPE_S32), (double)wrapped(TYPE_S32, expected[l]), "%s dot %s", type_name(a),
                     type_name(b));
}

Test(types, dots_are_exact_and_wrap_once) {
    for (int n = 0; n < 11; n++) {
        expect_dot(TYPE_S8, TYPE_S8, 4, n);
        expect_dot(TYPE_U8, TYPE_S8, 4, n);
        expect_dot(TYPE_S8, TYPE_U8, 4, n);
        expect_dot(TYPE_U8, TYPE_U8, 4, n);
        expect_dot(TYPE_S16, TYPE_S16, 2, n);
    }
}

/* Lane by lane: a sum so far, the factors of its first product and of its second, and what comes out. */
static const struct half_dot {
    double sum, x[2], y[2], expected;
} HALF_DOTS[LANES] = {
    {3, {2, 5}, {7, 0.5}, 19.5},
    {1, {-0x1p12, 0x1p12}, {0x1p12, 0x1p12}, 0},                   /* the second first: 1 is lost */
    {0x1p24, {1, 1}, {1, 1}, 0x1p24},                              /* not of both products together */
    {0, {0x1p-127, 1}, {0x1p100, 0x1p-100}, 0x1p-100},             /* coming in */
    {0x1p-130, {0, 0}, {1, 1}, 0},                                 /* the sum, too */
    {0x1p-126, {0x1p-64, 0}, {-0x1p-63, 0}, 0},                    /* going out */
    {0x1p-126, {0x1p-63, 0x1p-64}, {0x1p-63, -0x1p-63}, 0x1p-126}, /* in between */
    {INFINITY, {0x1p-130, 1}, {1, 1}, INFINITY},
};

Test(types, pairs_of_bf16_are_summed_the_second_first_and_what_is_next_to_0_is_0) {
    const cvk_type types[] = {TYPE_BF16, TYPE_BF16, TYPE_F32};
    const int lanes[] = {2 * LANES, 2 * LANES, LANES};
    bench t;
    set_up(&t, types, lanes, TYPE_F32);
    for (int l = 0; l < LANES; l++) {
        put(&t, 2, l, TYPE_F32, HALF_DOTS[l].sum);
        for (int i = 0; i < 2; i++) {
            put(&t, 0, 2 * l + i, TYPE_BF16, HALF_DOTS[l].x[i]);
            put(&t, 1, 2 * l + i, TYPE_BF16, HALF_DOTS[l].y[i]);
        }
    }
    build_load(&t.b, reg(t.to, affine_constant(0)), access_at(t.tensor[2], affine_constant(0), 1), NULL);
    build_dot(&t.b, reg(t.to, affine_constant(0)), reg(t.r[0], affine_constant(0)), reg(t.r[1], affine_constant(0)),
              NULL);
    run(&t, TYPE_F32, true);
    for (int l = 0; l < LANES; l++)
        cr_expect_eq(got(&t, l, TYPE_F32), HALF_DOTS[l].expected, "lane %d: %a", l, got(&t, l, TYPE_F32));
}

/* 2049 is 2^11 + 1: of f16 no number, of sums one. */
Test(types, a_product_of_f16_is_added_exactly_and_the_sum_is_rounded_once) {
    static const struct {
        double sum, x, y, expected;
    } products[LANES] = {
        {1, 2, 3, 7},
        {2048, 1, 1, 2049},
        {0, 2047, 2047, 0x3ff001p0},
        {0x1p24, 1 + 0x1p-10, 1 + 0x1p-10, 0x1p24 + 2}, /* the product rounded first would be a tie, to even */
        {0, 0x1p-24, 0x1p-24, 0x1p-48},                 /* what is below 2^-14 counts */
        {0x1p-130, 0, 1, 0x1p-130},
        {0, 65504, 65504, 65504.0 * 65504},
        {INFINITY, 1, 1, INFINITY},
    };
    const cvk_type types[] = {TYPE_F16, TYPE_F16, TYPE_F32};
    const int lanes[] = {LANES, LANES, LANES};
    bench t;
    set_up(&t, types, lanes, TYPE_F32);
    for (int l = 0; l < LANES; l++) {
        put(&t, 2, l, TYPE_F32, products[l].sum);
        put(&t, 0, l, TYPE_F16, products[l].x);
        put(&t, 1, l, TYPE_F16, products[l].y);
    }
    build_load(&t.b, reg(t.to, affine_constant(0)), access_at(t.tensor[2], affine_constant(0), 1), NULL);
    build_dot(&t.b, reg(t.to, affine_constant(0)), reg(t.r[0], affine_constant(0)), reg(t.r[1], affine_constant(0)),
              NULL);
    run(&t, TYPE_F32, true);
    for (int l = 0; l < LANES; l++)
        cr_expect_eq(got(&t, l, TYPE_F32), (float)products[l].expected, "lane %d: %a", l, got(&t, l, TYPE_F32));
}

/* ---- floats ---- */

Test(types, doubles_are_computed_in_double) {
    const cvk_type f64[] = {TYPE_F64, TYPE_F64, TYPE_F64};
    const int lanes[] = {LANES, LANES, LANES};
    const double a = 1 + 0x1p-30, c = -1 - 0x1p-29;
    for (int fused = 0; fused <= 1; fused++) {
        bench t;
        set_up(&t, f64, lanes, TYPE_F64);
        for (int l = 0; l < LANES; l++)
            put(&t, 0, l, TYPE_F64, a), put(&t, 1, l, TYPE_F64, a), put(&t, 2, l, TYPE_F64, c);
        build_op(&t.b, OP_FMA, reg(t.to, affine_constant(0)), reg(t.r[0], affine_constant(0)),
                 reg(t.r[1], affine_constant(0)));
        last_op(&t.b)->c = reg(t.r[2], affine_constant(0));
        run(&t, TYPE_F64, fused);
        cr_expect_eq(got(&t, 0, TYPE_F64), fused ? 0x1p-60 : 0, "fused %d", fused);
    }
    for (int e = -1022; e <= 1023; e += 5) {
        bench t;
        set_up(&t, f64, lanes, TYPE_F64);
        for (int l = 0; l < LANES; l++) put(&t, 0, l, TYPE_F64, e);
        build_op(&t.b, OP_EXP2I, reg(t.to, affine_constant(0)), reg(t.r[0], affine_constant(0)),
                 reg(t.r[0], affine_constant(0)));
        run(&t, TYPE_F64, true);
        cr_expect_eq(got(&t, 7, TYPE_F64), ldexp(1, e));
    }
}

/* ---- conversions ---- */

static void expect_conversion(cvk_type from, cvk_type to, const double *values) {
    const cvk_type types[] = {from, TYPE_F32, TYPE_F32};
    const int lanes[] = {LANES, LANES, LANES};
    bench t;
    set_up(&t, types, lanes, to);
    for (int l = 0; l < LANES; l++) put(&t, 0, l, from, values[l]);
    build_convert(&t.b, reg(t.to, affine_constant(0)), reg(t.r[0], affine_constant(0)));
    run(&t, to, true);
    for (int l = 0; l < LANES; l++) {
        double x = type_round(from, values[l]), expected = type_round(to, x), is = got(&t, l, to);
        cr_expect(is == expected || (isnan(is) && isnan(expected)), "%s %g is %s %g, not %g", type_name(from), x,
                  type_name(to), is, expected);
    }
}

Test(types, conversions_round_to_nearest_and_saturate) {
    static const double VALUES[][LANES] = {
        {0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5},
        {127, 127.5, 128, -128, -128.5, -129, 255.4, 255.5},
        {32767.5, -32769, 65504, 65519, 65520, 1e10, -1e10, 0x1p31},
        {INFINITY, -INFINITY, NAN, 1e300, 0x1p-24, 0x1p-25, 0x1.8p-25, 0x1p-149},
        {1 + 0x1p-9, 1 + 0x1p-8, 1 + 0x3p-9, 1 + 0x1p-11, 1 + 0x3p-11, 1 + 0x1p-24, 1 + 0x3p-24, -1 - 0x1p-12},
    };
    for (cvk_type from = 0; from < TYPES; from++)
        for (cvk_type to = 0; to < TYPES; to++)
            for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++) expect_conversion(from, to, VALUES[i]);
}

/* Of types that hold them. */
static void expect_quantized(cvk_type from, cvk_type to, int zero, const double *values) {
    const cvk_type types[] = {from, TYPE_F32, TYPE_F32};
    const int lanes[] = {LANES, LANES, LANES};
    bench t;
    set_up(&t, types, lanes, to);
    for (int l = 0; l < LANES; l++) put(&t, 0, l, from, values[l]);
    build_convert_from(&t.b, reg(t.to, affine_constant(0)), reg(t.r[0], affine_constant(0)), zero);
    run(&t, to, true);
    for (int l = 0; l < LANES; l++) {
        const double x = type_round(from, values[l]), expected = type_round(to, type_round(TYPE_S32, x) + zero);
        cr_expect_eq(got(&t, l, to), expected, "%s %g from %d on is %s %g, not %g", type_name(from), x, zero,
                     type_name(to), got(&t, l, to), expected);
    }
}

Test(types, what_stands_for_zero_is_added_after_rounding_and_before_saturating) {
    static const double VALUES[][LANES] = {{0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 52.5, 53.5},
                                           {-300, 300, -205, -204, 51, 50, 178, 179},
                                           {INFINITY, -INFINITY, NAN, 1e30, -1e30, 0x1p31, -0x1p31, 0}};
    for (cvk_type from = 0; from < TYPES; from++)
        for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++) {
            expect_quantized(from, TYPE_U8, 77, VALUES[i]);
            expect_quantized(from, TYPE_U8, 255, VALUES[i]);
            expect_quantized(from, TYPE_S8, -51, VALUES[i]);
            expect_quantized(from, TYPE_S8, -128, VALUES[i]);
        }
}

typedef struct scaling {
    op_kind kind;
    int32_t a, by, shift, y;
} scaling;

Test(types, sums_are_scaled_with_the_ties_and_ends_that_the_table_says) {
    enum { ONE = 1 << 30, LEAST = INT32_MIN, MOST = INT32_MAX };
    static const scaling CASES[] = {
        {OP_SCALE_HALF_UP, 5, ONE, 31, 3},
        {OP_SCALE_HALF_UP, -5, ONE, 31, -2},
        {OP_SCALE_HALF_UP, 5, ONE, 30, 5},
        {OP_SCALE_HALF_UP, -6, ONE, 32, -1},
        {OP_SCALE_HALF_UP, LEAST, LEAST, 1, MOST},
        {OP_SCALE_HALF_UP, LEAST, MOST, 1, LEAST},
        {OP_SCALE_HALF_UP, LEAST, LEAST, 62, 1},
        {OP_SCALE_HALF_UP, LEAST, LEAST, 1000, 1},
        {OP_SCALE_HALF_UP, 3, 1, 0, 2},
        {OP_SCALE_HALF_UP, 3, 1, -9, 2},
        {OP_SCALE_DOUBLE, 5, ONE, 0, 3},
        {OP_SCALE_DOUBLE, -5, ONE, 0, -2},
        {OP_SCALE_DOUBLE, 10, ONE, 1, 3},
        {OP_SCALE_DOUBLE, -10, ONE, 1, -3},
        {OP_SCALE_DOUBLE, LEAST, LEAST, 0, MOST},
        {OP_SCALE_DOUBLE, LEAST, LEAST, 31, 1},
        {OP_SCALE_DOUBLE, 5, ONE, -2, 10},
        {OP_SCALE_DOUBLE, ONE, ONE, -5, ONE},
        {OP_SCALE_DOUBLE, -ONE, MOST, -31, LEAST + 1},
        {OP_SCALE_DOUBLE, LEAST, MOST, 99, -1},
    };
    for (const scaling *s = CASES; s < CASES + sizeof CASES / sizeof *CASES; s++) {
        const cvk_type types[] = {TYPE_S32, TYPE_S32, TYPE_S32};
        const int lanes[] = {LANES, LANES, LANES};
        bench t;
        set_up(&t, types, lanes, TYPE_S32);
        for (int l = 0; l < LANES; l++)
            put(&t, 0, l, TYPE_S32, s->a), put(&t, 1, l, TYPE_S32, s->by), put(&t, 2, l, TYPE_S32, s->shift);
        build_scale(&t.b, s->kind, reg(t.to, affine_constant(0)), reg(t.r[0], affine_constant(0)),
                    reg(t.r[1], affine_constant(0)), reg(t.r[2], affine_constant(0)));
        run(&t, TYPE_S32, true);
        cr_expect_eq(got(&t, 3, TYPE_S32), s->y, "%s of %d by %d, shifted by %d: %g, not %d", nest_op_name(s->kind),
                     s->a, s->by, s->shift, got(&t, 3, TYPE_S32), s->y);
    }
}

/* ---- tensors of another type than the register's ---- */

static void expect_moved(cvk_type from, cvk_type through, cvk_type to, const double *values, bool splat) {
    const cvk_type types[] = {from, TYPE_F32, TYPE_F32};
    const int lanes[] = {LANES, LANES, LANES};
    bench t;
    set_up(&t, types, lanes, through);
    for (int l = 0; l < LANES; l++) put(&t, 0, l, from, values[l]);
    (splat ? build_splat(&t.b, reg(t.to, affine_constant(0)), access_at(t.tensor[0], affine_constant(3), 1))
           : build_load(&t.b, reg(t.to, affine_constant(0)), access_at(t.tensor[0], affine_constant(0), 1), NULL));
    run(&t, to, true);
    for (int l = 0; l < LANES; l++) {
        double x = type_round(from, values[splat ? 3 : l]), expected = type_round(to, type_round(through, x));
        double is = got(&t, l, to);
        cr_expect(is == expected || (isnan(is) && isnan(expected)), "%s %g by way of %s is %s %g, not %g",
                  type_name(from), x, type_name(through), type_name(to), is, expected);
    }
}

Test(types, loads_splats_and_stores_of_a_tensor_of_another_type_convert_on_the_way) {
    static const double VALUES[LANES] = {1 + 0x1p-9, -0.0, 255.5, 1 + 0x3p-8, INFINITY, -129, 65520, 0x1p-25};
    for (cvk_type from = 0; from < TYPES; from++)
        for (cvk_type through = 0; through < TYPES; through++)
            for (cvk_type to = 0; to < TYPES; to++)
                for (int splat = 0; splat < 2; splat++) expect_moved(from, through, to, VALUES, splat);
}

/* ---- what is malformed ---- */

Test(types, mixed_types_are_refused) {
    const cvk_type types[] = {TYPE_F32, TYPE_S32, TYPE_F64};
    const int lanes[] = {LANES, LANES, LANES};
    for (int i = 0; i < 3; i++) {
        bench t;
        set_up(&t, types, lanes, TYPE_F32);
        if (i == 0)
            build_op(&t.b, OP_ADD, reg(t.to, affine_constant(0)), reg(t.r[0], affine_constant(0)),
                     reg(t.r[1], affine_constant(0)));
        else
            build_load(&t.b, reg(t.r[i], affine_constant(0)), access_at(t.tensor[i], affine_constant(0), 1), NULL);
        if (i > 0) last_op(&t.b)->to = reg(t.to, affine_constant(0));
        void *tensors[ROLE_COUNT] = {[ROLE_INPUT] = t.from[0], [ROLE_WEIGHTS] = t.from[1], [ROLE_BIAS] = t.from[2]};
        cr_expect_eq(nest_eval(t.b.nest, tensors, 0, 1, EVAL_FUSED), CVK_ERROR_INTERNAL, "case %d", i);
        arena_free(&t.arena);
    }
}
