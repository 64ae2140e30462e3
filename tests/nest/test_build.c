/* Does the builder leave out what always holds, and keep everything else? Told by what is printed. */
#include "by_hand.h"

#include <criterion/criterion.h>

typedef struct bench {
    arena arena;
    nest_builder b;
    register_ref x;
} bench;

static void set_up(bench *t) {
    arena_init(&t->arena);
    cr_assert(!arena_guard(&t->arena), "out of memory");
    t->b = nest_begin(&t->arena, "built", ENTRY_TASKS, 16);
    nest_add_tensor(&t->b, "input", ROLE_INPUT, TYPE_F32, 1000, 4, false);
    t->x = reg(nest_add_register(&t->b, "x", TYPE_F32, 4, 1), affine_constant(0));
}

static void read_at(bench *t, affine offset) { build_splat(&t->b, t->x, access_at(0, offset, 1)); }

static void expect_body(bench *t, const char *body) {
    const char *head = arena_format(&t->arena,
                                    "built: %lld task%s, vectors of 16 bytes\n"
                                    "const f32 input[1000], aligned to 4 bytes\nv4 x\n\n",
                                    (long long)t->b.nest->tasks, t->b.nest->tasks == 1 ? "" : "s");
    text out = text_new(&t->arena);
    nest_print(nest_finish(&t->b), &out);
    cr_expect_str_eq(out.bytes, arena_format(&t->arena, "%s%s", head, body));
    arena_free(&t->arena);
}

Test(build, loops_of_one_trip_and_conditions_that_always_hold_leave_no_trace) {
    bench t;
    set_up(&t);
    affine once = build_task(&t.b, "once", 1), i = build_task(&t.b, "i", 9);
    affine five = build_for(&t.b, VARIABLE_LOOP, "five", range_of(&t.b, 5, 6));
    build_if(&t.b, i, "always");
    build_if(&t.b, affine_offset(i, -1), "not always");
    build_if(&t.b, affine_offset(i, -1), "again");
    read_at(&t, affine_add(affine_add(once, five), i));
    for (int k = 0; k < 6; k++) build_end(&t.b);
    expect_body(&t, "task i in 0..9\n"
                    "  if i - 1 >= 0  // not always\n"
                    "    v4 x = splat input[i + 5]\n");
}

Test(build, clips_that_hold_anyway_are_dropped_and_constant_ones_move_the_end) {
    bench t;
    set_up(&t);
    affine i = build_loop(&t.b, "i", 10);
    nest_range r = range_of(&t.b, 0, 8);
    range_clip_low(&t.b, &r, affine_offset(i, -9), 1);
    range_clip_low(&t.b, &r, affine_constant(3), 2);
    range_clip_high(&t.b, &r, affine_offset(i, 8), 1);
    range_clip_high(&t.b, &r, affine_constant(13), 2);
    range_clip_high(&t.b, &r, affine_offset(i, 1), 1);
    read_at(&t, build_for(&t.b, VARIABLE_LOOP, "j", r));
    build_end(&t.b);
    build_end(&t.b);
    expect_body(&t, "for i in 0..10\n"
                    "  for j in 2 .. min(6, i + 1)\n"
                    "    v4 x = splat input[j]\n");
}

Test(build, quotients_are_affine_where_the_remainder_is_known_to_be_small) {
    bench t;
    set_up(&t);
    affine i = build_loop(&t.b, "i", 10), c = build_unrolled(&t.b, "c", 7);
    read_at(&t, build_quotient(&t.b, affine_add_scaled(c, i, 7), 7));
    read_at(&t, build_quotient(&t.b, affine_offset(affine_add_scaled(c, i, 14), 15), 7));
    read_at(&t, build_quotient(&t.b, affine_add_scaled(c, i, 7), 6));
    read_at(&t, build_quotient(&t.b, affine_offset(affine_add_scaled(c, i, 7), 1), 7));
    affine below = build_for(&t.b, VARIABLE_LOOP, "below", range_of(&t.b, -2, 3));
    read_at(&t, build_quotient(&t.b, below, 7));
    build_end(&t.b);
    build_end(&t.b);
    build_end(&t.b);
    expect_body(&t, "for i in 0..10\n"
                    "  unrolled c in 0..7\n"
                    "    v4 x = splat input[i]\n"
                    "    v4 x = splat input[floor((14*i + c + 15)/7)]\n"
                    "    v4 x = splat input[floor((7*i + c)/6)]\n"
                    "    v4 x = splat input[floor((7*i + c + 1)/7)]\n"
                    "    for below in -2..3\n"
                    "      v4 x = splat input[floor(below/7)]\n");
}

Test(build, the_same_quotient_is_one_variable) {
    bench t;
    set_up(&t);
    affine i = build_loop(&t.b, "i", 10), q = build_quotient(&t.b, i, 3);
    affine again = build_quotient(&t.b, i, 3), other = build_quotient(&t.b, i, 4);
    cr_expect(affine_equal(&q, &again));
    cr_expect_not(affine_equal(&q, &other));
    build_end(&t.b);
    arena_free(&t.arena);
}

Test(build, values_of_affine_expressions_survive_every_operation) {
    const int64_t values[] = {3, -5, 7};
    affine x = affine_variable(0), y = affine_variable(1), z = affine_variable(2);
    affine e = affine_offset(affine_add_scaled(affine_sub(affine_scale(x, 4), y), z, -2), 11); /* 4x - y - 2z + 11 */
    cr_expect_eq(affine_value(&e, values), 12 + 5 - 14 + 11);
    affine without = affine_add(e, y);
    cr_expect_eq(without.count, 2, "what cancels is gone");
    affine substituted = affine_substitute(e, 2, affine_offset(x, 1)); /* 2x - y + 9 */
    cr_expect_eq(affine_value(&substituted, values), 6 + 5 + 9);
    cr_expect_eq(affine_coefficient(&substituted, 0), 2);
    cr_expect_eq(affine_coefficient(&substituted, 2), 0);
    affine same = affine_add(affine_scale(z, -2), affine_add_scaled(affine_offset(affine_scale(y, -1), 11), x, 4));
    cr_expect(affine_equal(&e, &same), "equal whatever the order it was made in");
    for (int64_t a = -20; a <= 20; a++)
        for (int64_t b = 1; b <= 7; b++) {
            cr_expect(floor_div(a, b) * b <= a && floor_div(a, b) * b > a - b, "floor of %lld / %lld", (long long)a,
                      (long long)b);
            cr_expect(ceil_div(a, b) * b >= a && ceil_div(a, b) * b < a + b, "ceiling of %lld / %lld", (long long)a,
                      (long long)b);
        }
}
