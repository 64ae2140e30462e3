/* Does nest_check hold operations to their types, and does the builder keep what a constant was rounded from? */
#include "by_hand.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* One register array a type, of 4 lanes but for bytes and s16 as dot wants them, and one operation to be made. */
typedef struct typed {
    arena arena;
    nest_builder b;
    int tensor, array[TYPES];
    cvk_diagnostics *diagnostics;
} typed;

static const int LANES[TYPES] = {[TYPE_F32] = 4, [TYPE_F64] = 4, [TYPE_F16] = 4, [TYPE_BF16] = 4,
                                 [TYPE_S8] = 16, [TYPE_U8] = 16, [TYPE_S32] = 4, [TYPE_S16] = 8};

static void set_up(typed *t) {
    arena_init(&t->arena);
    cr_assert(!arena_guard(&t->arena), "out of memory");
    t->b = nest_begin(&t->arena, "typed", ENTRY_TASKS, 16);
    t->tensor = nest_add_tensor(&t->b, "output", ROLE_OUTPUT, TYPE_S16, 64, 2, true);
    for (cvk_type type = 0; type < TYPES; type++)
        t->array[type] = nest_add_register(&t->b, type_name(type), type, LANES[type], 8);
    t->diagnostics = cvk_diagnostics_new();
}

static register_ref r(const typed *t, cvk_type type) { return reg(t->array[type], affine_constant(0)); }

/* What nest_check says; "" where it accepts. */
static const char *verdict(typed *t) {
    if (nest_check(nest_finish(&t->b), t->diagnostics, NULL) == CVK_OK) return "";
    return cvk_diagnostics_get(t->diagnostics, 0)->message;
}

static void tear_down(typed *t) {
    cvk_diagnostics_free(t->diagnostics);
    arena_free(&t->arena);
}

static nest_access at_element(const typed *t, int64_t element) {
    return access_at(t->tensor, affine_constant(element), 1);
}

static void add(typed *t, cvk_type to, cvk_type a, cvk_type b) { build_op(&t->b, OP_ADD, r(t, to), r(t, a), r(t, b)); }
static void sum_of_two_types(typed *t) { add(t, TYPE_F32, TYPE_F32, TYPE_S32); }
static void sum_into_another_type(typed *t) { add(t, TYPE_F64, TYPE_F32, TYPE_F32); }
static void sum_of_halves(typed *t) { add(t, TYPE_F16, TYPE_F16, TYPE_F16); }
static void quotient_of_integers(typed *t) { build_op(&t->b, OP_DIV, r(t, TYPE_S32), r(t, TYPE_S32), r(t, TYPE_S32)); }
static void function_of_integers(typed *t) { build_call(&t->b, MATH_TANH, r(t, TYPE_S32), r(t, TYPE_S32)); }
static void load_of_another_type(typed *t) {
    build_load(&t->b, r(t, TYPE_S16), at_element(t, 0), NULL);
    last_op(&t->b)->to = r(t, TYPE_F16);
}
static void store_of_another_type(typed *t) {
    build_store(&t->b, at_element(t, 0), r(t, TYPE_S16), NULL);
    last_op(&t->b)->a = r(t, TYPE_BF16);
}
static void load_past_the_end(typed *t) { build_load(&t->b, r(t, TYPE_S16), at_element(t, 57), NULL); }
static void splat_of_three(typed *t) { build_splat_repeated(&t->b, r(t, TYPE_S16), at_element(t, 0), 3); }
static void splat_of_none(typed *t) { build_splat_repeated(&t->b, r(t, TYPE_S16), at_element(t, 0), 0); }
static void splat_of_more_than_a_number(typed *t) { build_splat_repeated(&t->b, r(t, TYPE_S16), at_element(t, 0), 8); }
static void splat_past_the_end(typed *t) { build_splat_repeated(&t->b, r(t, TYPE_S16), at_element(t, 61), 4); }
static void shift_by_all_bits(typed *t) { build_shift(&t->b, OP_SHIFT_LEFT, r(t, TYPE_U8), r(t, TYPE_U8), 8); }
static void shift_of_floats(typed *t) { build_shift(&t->b, OP_SHIFT_RIGHT, r(t, TYPE_F32), r(t, TYPE_F32), 1); }
static void dot_of_floats(typed *t) { build_dot(&t->b, r(t, TYPE_F32), r(t, TYPE_F32), r(t, TYPE_F32), NULL); }
static void dot_of_halves(typed *t) { build_dot(&t->b, r(t, TYPE_F32), r(t, TYPE_F16), r(t, TYPE_BF16), NULL); }
static void dot_into_integers(typed *t) { build_dot(&t->b, r(t, TYPE_S32), r(t, TYPE_BF16), r(t, TYPE_BF16), NULL); }
static void dot_of_two_sizes(typed *t) { build_dot(&t->b, r(t, TYPE_S32), r(t, TYPE_S16), r(t, TYPE_S8), NULL); }
static void dot_into_bytes(typed *t) { build_dot(&t->b, r(t, TYPE_S8), r(t, TYPE_U8), r(t, TYPE_S8), NULL); }
static void dot_of_too_few(typed *t) {
    int few = nest_add_register(&t->b, "few", TYPE_U8, 8, 1);
    build_dot(&t->b, r(t, TYPE_S32), reg(few, affine_constant(0)), r(t, TYPE_S8), NULL);
}
static void conversion_of_other_width(typed *t) { build_convert(&t->b, r(t, TYPE_S8), r(t, TYPE_F32)); }
static void zero_that_is_no_byte(typed *t) { build_convert_from(&t->b, r(t, TYPE_S8), r(t, TYPE_U8), 128); }
static void zero_of_s32(typed *t) { build_convert_from(&t->b, r(t, TYPE_S32), r(t, TYPE_F32), 3); }
static void scale_of_floats(typed *t) {
    build_scale(&t->b, OP_SCALE_DOUBLE, r(t, TYPE_F32), r(t, TYPE_F32), r(t, TYPE_F32), r(t, TYPE_F32));
}
static void constant_of_no_such_number(typed *t) {
    build_const(&t->b, r(t, TYPE_S8), 1);
    last_op(&t->b)->value = 128;
}
static void constant_of_half_a_step(typed *t) {
    build_const(&t->b, r(t, TYPE_F16), 1);
    last_op(&t->b)->value = 1 + 0x1p-11;
}
static void constant_over_less_than_nothing(typed *t) {
    build_const_ratio(&t->b, r(t, TYPE_F32), 1, 3);
    last_op(&t->b)->under = -3;
}
static void register_of_no_type(typed *t) { t->b.nest->registers[2].type = TYPES; }
static void tensor_of_no_type(typed *t) { t->b.nest->tensors[0].type = TYPES; }
static void tensor_of_too_many_bytes(typed *t) { t->b.nest->tensors[0].elements = INT64_MAX / 2 + 1; }
static void loop_left_open(typed *t) { build_loop(&t->b, "i", 3); }
static void loop_closed_twice(typed *t) {
    build_loop(&t->b, "i", 3);
    build_end(&t->b);
    build_end(&t->b);
}
static void address_of_too_many_terms(typed *t) {
    affine sum = affine_constant(0);
    for (int i = 0; i <= AFFINE_MOST_TERMS; i++) sum = affine_add(sum, build_loop(&t->b, "i", 2));
    build_splat(&t->b, r(t, TYPE_S16), access_at(t->tensor, sum, 1));
    for (int i = 0; i <= AFFINE_MOST_TERMS; i++) build_end(&t->b);
}

#define MISTAKE(function, says) {#function, function, says}
static const struct mistake {
    const char *name;
    void (*make)(typed *);
    const char *says;
} MISTAKES[] = {
    MISTAKE(sum_of_two_types, "add: operands of f32 and s32"),
    MISTAKE(sum_into_another_type, "add: f32 into f64"),
    MISTAKE(sum_of_halves, "add of f16"),
    MISTAKE(quotient_of_integers, "div of s32"),
    MISTAKE(function_of_integers, "call of s32"),
    MISTAKE(load_of_another_type, "load: f16 is of f16, output of s16"),
    MISTAKE(store_of_another_type, "store: bf16 is of bf16, output of s16"),
    MISTAKE(load_past_the_end, "load reaches bytes 114..129 of output, which has 0..127"),
    MISTAKE(splat_of_three, "splat of 3 elements in turn into 8 lanes of s16"),
    MISTAKE(splat_of_none, "splat of 0 elements in turn into 8 lanes of s16"),
    MISTAKE(splat_of_more_than_a_number, "splat of 8 elements in turn into 8 lanes of s16"),
    MISTAKE(splat_past_the_end, "splat reaches bytes 122..129 of output"),
    MISTAKE(shift_by_all_bits, "shift_left of u8 by 8"),
    MISTAKE(shift_of_floats, "shift_right of f32"),
    MISTAKE(dot_of_floats, "dot of f32"),
    MISTAKE(dot_of_halves, "dot of f16 and bf16"),
    MISTAKE(dot_into_integers, "dot: sums of s32 into s32"),
    MISTAKE(dot_of_two_sizes, "dot of s16 and s8"),
    MISTAKE(dot_into_bytes, "dot: sums of s8 into s8"),
    MISTAKE(dot_of_too_few, "dot: 8 and 16 lanes and sums of 4 into 4"),
    MISTAKE(conversion_of_other_width, "convert: 4 lanes into 16"),
    MISTAKE(zero_that_is_no_byte, "convert to s8, in which 128 stands for 0"),
    MISTAKE(zero_of_s32, "convert to s32, in which 3 stands for 0"),
    MISTAKE(scale_of_floats, "scale_double of f32"),
    MISTAKE(constant_of_no_such_number, "constant 128 is no s8"),
    MISTAKE(constant_of_half_a_step, "is no f16"),
    MISTAKE(constant_over_less_than_nothing, "constant with the denominator -3"),
    MISTAKE(register_of_no_type, "register array f16 is ill-formed"),
    MISTAKE(tensor_of_no_type, "tensor output is ill-formed"),
    MISTAKE(tensor_of_too_many_bytes, "tensor output is ill-formed"),
    MISTAKE(loop_left_open, "a loop or condition is not closed"),
    MISTAKE(loop_closed_twice, "a loop or condition is closed that is not open"),
    MISTAKE(address_of_too_many_terms, "output has more than 16 terms"),
};

Test(types, operations_on_the_wrong_types_and_what_has_no_room_are_refused_with_the_reason) {
    for (size_t i = 0; i < sizeof MISTAKES / sizeof *MISTAKES; i++) {
        typed t;
        set_up(&t);
        MISTAKES[i].make(&t);
        const char *says = verdict(&t);
        cr_expect(strstr(says, MISTAKES[i].says), "%s: it says \"%s\"", MISTAKES[i].name, says);
        tear_down(&t);
    }
}

Test(types, every_conversion_and_every_product_that_widens_is_legal) {
    typed t;
    set_up(&t);
    for (cvk_type from = 0; from < TYPES; from++)
        for (cvk_type to = 0; to < TYPES; to++)
            if (LANES[from] == LANES[to]) build_convert(&t.b, r(&t, to), r(&t, from));
    for (int i = 0; i < 4; i++)
        build_dot(&t.b, r(&t, TYPE_S32), r(&t, i & 1 ? TYPE_S8 : TYPE_U8), r(&t, i & 2 ? TYPE_S8 : TYPE_U8), NULL);
    build_dot(&t.b, r(&t, TYPE_S32), r(&t, TYPE_S16), r(&t, TYPE_S16), NULL);
    build_dot(&t.b, r(&t, TYPE_F32), r(&t, TYPE_F16), r(&t, TYPE_F16), NULL);
    build_splat_repeated(&t.b, r(&t, TYPE_S16), at_element(&t, 60), 4);
    cr_expect_str_eq(verdict(&t), "");
    tear_down(&t);
}

Test(types, a_nest_has_as_many_register_arrays_as_it_wants) {
    typed t;
    set_up(&t);
    int last = 0;
    for (int i = 0; i < 100; i++) last = nest_add_register(&t.b, "more", TYPE_F32, 4, 1);
    build_const(&t.b, reg(last, affine_constant(0)), 1);
    cr_expect_eq(last, TYPES + 99);
    cr_expect_str_eq(verdict(&t), "");
    tear_down(&t);
}

Test(types, a_constant_is_rounded_to_its_register_and_remembers_its_ratio) {
    typed t;
    set_up(&t);
    build_const_ratio(&t.b, r(&t, TYPE_F32), -1, 3);
    cr_expect_eq(last_op(&t.b)->value, (double)(-1.0F / 3));
    cr_expect_eq(last_op(&t.b)->over, -1);
    cr_expect_eq(last_op(&t.b)->under, 3);
    build_const(&t.b, r(&t, TYPE_F64), 0.1);
    cr_expect_eq(last_op(&t.b)->value, 0.1);
    cr_expect_eq(last_op(&t.b)->under, 0, "exactly its value");
    build_const(&t.b, r(&t, TYPE_S8), 200);
    cr_expect_eq(last_op(&t.b)->value, 127);
    cr_expect_str_eq(verdict(&t), "");
    tear_down(&t);
}

/* By bits, which the formats' definitions give. */
Test(types, every_half_is_read_and_written_back) {
    for (cvk_type type = TYPE_F16; type <= TYPE_BF16; type++) {
        int fraction_bits = type == TYPE_F16 ? 10 : 7, bias = type == TYPE_F16 ? 15 : 127;
        for (uint32_t bits = 0; bits < 1 << 16; bits++) {
            int exponent = (int)(bits & 0x7fff) >> fraction_bits, fraction = (int)bits & ((1 << fraction_bits) - 1);
            double expected = exponent ? ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits)
                                       : ldexp(fraction, 1 - bias - fraction_bits);
            if (exponent == 0x7fff >> fraction_bits) expected = fraction ? (double)NAN : (double)INFINITY;
            uint16_t half = (uint16_t)bits, back;
            double read = type_read(type, &half);
            type_write(type, &back, read);
            bool both_nan = isnan(expected) && isnan(read);
            cr_assert(both_nan || read == (bits & 0x8000 ? -expected : expected), "%s %x", type_name(type), bits);
            cr_assert(both_nan || back == half, "%s %x becomes %x", type_name(type), bits, back);
        }
    }
}

Test(types, halves_between_two_numbers_round_to_the_even_one) {
    for (cvk_type type = TYPE_F16; type <= TYPE_BF16; type++)
        for (uint16_t bits = 0; bits < (type == TYPE_F16 ? 0x7bff : 0x7f7f); bits++) {
            uint16_t next = (uint16_t)(bits + 1), even = bits & 1 ? next : bits;
            double low = type_read(type, &bits), high = type_read(type, &next), middle = (low + high) / 2;
            cr_assert_eq(type_round(type, middle), type_read(type, &even), "%s %x", type_name(type), bits);
            cr_assert_eq(type_round(type, nextafter(middle, 0)), low, "%s %x", type_name(type), bits);
            cr_assert_eq(type_round(type, -nextafter(middle, INFINITY)), -high, "%s %x", type_name(type), bits);
        }
    cr_expect_eq(type_round(TYPE_F16, 65519.999), 65504);
    cr_expect_eq(type_round(TYPE_F16, 65520), (double)INFINITY);
    cr_expect_eq(type_round(TYPE_F32, 0x1.ffffffp127), (double)INFINITY);
    cr_expect(signbit(type_round(TYPE_BF16, -0x1p-200)), "zeros keep their sign");
}

Test(types, f32_and_integers_round_and_saturate_as_c_does_where_c_says_how) {
    static const double SOME[] = {0,        0.5,      1.5,         2.5,         -0.5,        -1.5,
                                  -2.5,     126.5,    127.5,       -128.5,      255.5,       32767.5,
                                  0x1p-149, 0x1p-150, 0x1.8p-149,  1 + 0x1p-24, 1 + 0x3p-24, 0x1.fffffep127,
                                  1e300,    -1e300,   2147483647.5};
    for (size_t i = 0; i < sizeof SOME / sizeof *SOME; i++) {
        double x = SOME[i];
        cr_expect_eq(type_round(TYPE_F32, x), (double)(float)x, "%g", x);
        double nearest = nearbyint(x);
        cr_expect_eq(type_round(TYPE_S8, x), fmin(fmax(nearest, -128), 127), "%g", x);
        cr_expect_eq(type_round(TYPE_U8, x), fmin(fmax(nearest, 0), 255), "%g", x);
        cr_expect_eq(type_round(TYPE_S16, x), fmin(fmax(nearest, -32768), 32767), "%g", x);
        cr_expect_eq(type_round(TYPE_S32, x), fmin(fmax(nearest, -2147483648.0), 2147483647), "%g", x);
        int32_t stored;
        type_write(TYPE_S32, &stored, x);
        cr_expect_eq(type_read(TYPE_S32, &stored), (double)stored);
    }
    cr_expect_eq(type_round(TYPE_S8, (double)NAN), 0);
}
