/* Can a person follow what nest_print prints? The texts below are what was found good; change them with care. */
#include "by_hand.h"

#include <criterion/criterion.h>
#include <string.h>

static nest_builder begin(arena *a, const char *name, nest_entry entry) {
    arena_init(a);
    cr_assert(!arena_guard(a), "out of memory");
    return nest_begin(a, name, entry, 64);
}

static void expect_text(arena *a, nest_builder *b, const char *expected) {
    text out = text_new(a);
    nest_print(nest_finish(b), &out);
    cr_expect_str_eq(out.bytes, expected, "printed:\n%s", out.bytes);
    arena_free(a);
}

static register_ref at(int array, int64_t index) { return reg(array, affine_constant(index)); }

/* 3x3 over 128 x 28 x 28, padding 1, the left tile of 14 columns, two vectors of output channels. */
static void build_left_edge(nest_builder *b) {
    int input = nest_add_tensor(b, "input", ROLE_INPUT, TYPE_F32, 100352, 4, false);
    int weights = nest_add_tensor(b, "weights", ROLE_WEIGHTS, TYPE_F32, 147456, 64, false);
    int bias = nest_add_tensor(b, "bias", ROLE_BIAS, TYPE_F32, 128, 4, false);
    int output = nest_add_tensor(b, "output", ROLE_OUTPUT, TYPE_F32, 100352, 4, true);
    int acc = nest_add_register(b, "acc", TYPE_F32, 16, 28), w = nest_add_register(b, "w", TYPE_F32, 16, 2);
    int x = nest_add_register(b, "x", TYPE_F32, 16, 1);
    affine oc = build_task(b, "oc", 4), oh = build_task(b, "oh", 28);
    affine j = build_unrolled(b, "j", 2), c = build_unrolled(b, "c", 14);
    affine here = affine_add_scaled(c, j, 14);
    build_load(b, reg(acc, here), access_at(bias, affine_add_scaled(affine_scale(oc, 32), j, 16), 1), NULL);
    build_end(b);
    build_end(b);
    nest_range rows = range_of(b, 0, 3);
    range_clip_low(b, &rows, affine_sub(affine_constant(1), oh), 1);
    range_clip_high(b, &rows, affine_sub(affine_constant(29), oh), 1);
    affine kh = build_for(b, VARIABLE_LOOP, "kh", rows), ic = build_loop(b, "ic", 128);
    affine kw = build_unrolled(b, "kw", 3);
    affine tap = affine_add_scaled(kw, affine_add_scaled(ic, affine_add_scaled(kh, oc, 3), 128), 3);
    j = build_unrolled(b, "j", 2);
    build_load(b, reg(w, j), access_at(weights, affine_add_scaled(affine_scale(tap, 32), j, 16), 1), NULL);
    build_end(b);
    c = build_unrolled(b, "c", 14);
    affine column = affine_offset(affine_add(c, kw), -1), row = affine_offset(affine_add(oh, kh), -1);
    build_if(b, column, "column 0 has no tap kw 0");
    build_splat(b, at(x, 0), access_at(input, affine_add_scaled(ic, affine_add_scaled(column, row, 28), 128), 1));
    j = build_unrolled(b, "j", 2);
    build_fma(b, reg(acc, affine_add_scaled(c, j, 14)), at(x, 0), reg(w, j), NULL);
    for (int i = 0; i < 6; i++) build_end(b);
    j = build_unrolled(b, "j", 2);
    c = build_unrolled(b, "c", 14);
    affine pixel = affine_add_scaled(c, oh, 28), to = affine_add_scaled(affine_scale(oc, 32), pixel, 128);
    build_store(b, access_at(output, affine_add_scaled(to, j, 16), 1), reg(acc, affine_add_scaled(c, j, 14)), NULL);
    for (int i = 0; i < 4; i++) build_end(b);
}

Test(print, a_convolution_reads_like_the_loops_one_would_write) {
    arena a;
    nest_builder b = begin(&a, "res3_3x3", ENTRY_TASKS);
    build_left_edge(&b);
    expect_text(&a, &b,
                "res3_3x3: 112 tasks, vectors of 64 bytes\n"
                "const f32 input[100352], aligned to 4 bytes\n"
                "const f32 weights[147456], aligned to 64 bytes\n"
                "const f32 bias[128], aligned to 4 bytes\n"
                "f32 output[100352], aligned to 4 bytes\n"
                "v16 acc[28]\n"
                "v16 w[2]\n"
                "v16 x\n"
                "\n"
                "task oc in 0..4\n"
                "  task oh in 0..28\n"
                "    unrolled j in 0..2\n"
                "      unrolled c in 0..14\n"
                "        v16 acc[14*j + c] = load bias[32*oc + 16*j]\n"
                "    for kh in max(0, 1 - oh) .. min(3, 29 - oh)\n"
                "      for ic in 0..128\n"
                "        unrolled kw in 0..3\n"
                "          unrolled j in 0..2\n"
                "            v16 w[j] = load weights[36864*oc + 12288*kh + 96*ic + 32*kw + 16*j]\n"
                "          unrolled c in 0..14\n"
                "            if kw + c - 1 >= 0  // column 0 has no tap kw 0\n"
                "              v16 x = splat input[3584*oh + 3584*kh + 128*kw + 128*c + ic - 3712]\n"
                "              unrolled j in 0..2\n"
                "                acc[14*j + c] += x * w[j]\n"
                "    unrolled j in 0..2\n"
                "      unrolled c in 0..14\n"
                "        store output[3584*oh + 128*c + 32*oc + 16*j] = acc[14*j + c]\n");
}

Test(print, every_operation_has_its_form) {
    arena a;
    nest_builder b = begin(&a, "forms", ENTRY_TASKS);
    int in = nest_add_tensor(&b, "input", ROLE_INPUT, TYPE_F32, 64, 4, false);
    int out = nest_add_tensor(&b, "output", ROLE_OUTPUT, TYPE_F32, 64, 64, true);
    int r = nest_add_register(&b, "r", TYPE_F32, 4, 8), s = nest_add_register(&b, "s", TYPE_F32, 4, 1);
    nest_range lanes = range_of(&b, 1, 3);
    build_const(&b, at(s, 0), 0.1F);
    build_load(&b, at(r, 1), access_at(in, affine_constant(4), 1), NULL);
    build_load(&b, at(r, 1), access_at(in, affine_constant(4), 2), &lanes);
    build_load(&b, at(r, 1), access_at(in, affine_constant(12), -3), NULL);
    build_splat(&b, at(r, 2), access_at(in, affine_constant(63), 1));
    build_store(&b, access_at(out, affine_constant(0), 1), at(r, 2), NULL);
    build_store(&b, access_at(out, affine_constant(0), 1), at(r, 2), &lanes);
    build_prefetch(&b, access_at(in, affine_constant(-16), 1));
    build_fma(&b, at(r, 2), at(r, 1), at(s, 0), NULL);
    build_fma(&b, at(r, 2), at(r, 1), at(s, 0), &lanes);
    build_number(&b, at(s, 0), affine_constant(5), 2);
    build_maximum(&b, at(r, 2), at(s, 0), &lanes);
    for (op_kind kind = OP_COPY; kind <= OP_EXP2I; kind++) {
        if (kind == OP_NUMBER) continue;
        build_op(&b, kind, at(r, 0), at(r, 1), at(r, 2));
        last_op(&b)->c = at(r, 3);
    }
    build_keep(&b, at(s, 0), at(s, 0), &lanes);
    build_op(&b, OP_SHUFFLE, at(s, 0), at(r, 1), at(r, 2));
    static const int PATTERN[] = {0, 4, -1, 7};
    last_op(&b)->pattern = PATTERN;
    build_transpose(&b, at(r, 4), at(r, 0));
    build_call(&b, MATH_GELU_TANH, at(s, 0), at(s, 0));
    expect_text(&a, &b,
                "forms: 1 task, vectors of 64 bytes\n"
                "const f32 input[64], aligned to 4 bytes\n"
                "f32 output[64], aligned to 64 bytes\n"
                "v4 r[8]\n"
                "v4 s\n"
                "\n"
                "v4 s = 0.1\n"
                "v4 r[1] = load input[4]\n"
                "v4 r[1] = load input[4 + 2*lane] lanes 1..3\n"
                "v4 r[1] = load input[12 - 3*lane]\n"
                "v4 r[2] = splat input[63]\n"
                "store output[0] = r[2]\n"
                "store output[0] = r[2] lanes 1..3\n"
                "prefetch input[-16]\n"
                "r[2] += r[1] * s\n"
                "r[2] += r[1] * s lanes 1..3\n"
                "v4 s = 5 + 2*lane\n"
                "r[2] = maximum(r[2], s) lanes 1..3\n"
                "r[0] = r[1]\n"
                "r[0] = r[1] * r[2] + r[3]\n"
                "r[0] = dot(r[1], r[2]) + r[3]\n"
                "r[0] = r[1] + r[2]\n"
                "r[0] = r[1] - r[2]\n"
                "r[0] = r[1] * r[2]\n"
                "r[0] = r[1] / r[2]\n"
                "r[0] = min(r[1], r[2])\n"
                "r[0] = max(r[1], r[2])\n"
                "r[0] = maximum(r[1], r[2])\n"
                "r[0] = r[1] > r[2] ? -1 : 0\n"
                "r[0] = r[1] < 0 ? r[2] : r[3]\n"
                "r[0] = abs(r[1])\n"
                "r[0] = sqrt(r[1])\n"
                "r[0] = copysign(r[1], r[2])\n"
                "r[0] = exp2i(r[1])\n"
                "s = keep s lanes 1..3\n"
                "s = shuffle(r[1], r[2])[0 4 _ 7]\n"
                "r[4] .. = transpose r[0] ..\n"
                "s = gelu_tanh(s)\n");
}

Test(print, bounds_conditions_and_quotients_put_positive_terms_first) {
    arena a;
    nest_builder b = begin(&a, "bounds", ENTRY_PACK);
    int in = nest_add_tensor(&b, "dense", ROLE_PACK_FROM, TYPE_F32, 1000, 4, false);
    int r = nest_add_register(&b, "r", TYPE_F32, 4, 4);
    affine i = build_loop(&b, "i", 9), j = build_loop(&b, "j", 30);
    nest_range clipped = range_of(&b, -2, 7);
    range_clip_low(&b, &clipped, affine_offset(affine_scale(i, -2), 5), 3);
    range_clip_high(&b, &clipped, affine_sub(j, i), 4);
    range_clip_high(&b, &clipped, affine_scale(j, 1), 2);
    affine k = build_for(&b, VARIABLE_LOOP, "k", clipped);
    build_if(&b, affine_offset(affine_add_scaled(affine_scale(i, -1), k, 3), -1), NULL);
    affine q = build_quotient(&b, affine_offset(affine_add_scaled(i, j, 3), 3), 16), p = build_quotient(&b, j, 7);
    affine offset = affine_add_scaled(affine_add_scaled(affine_scale(k, -1), q, 16), p, -2);
    build_splat(&b, at(r, 0), access_at(in, affine_offset(offset, 100), 1));
    build_splat(&b, at(r, 0), access_at(in, affine_constant(0), 1));
    build_splat(&b, at(r, 0), access_at(in, affine_offset(affine_scale(k, -1), -1), 1));
    affine u = build_unrolled(&b, "u", 4);
    nest_range lanes = range_of(&b, 0, 4);
    range_clip_high(&b, &lanes, affine_offset(affine_scale(u, -1), 4), 1);
    build_load(&b, reg(r, u), access_at(in, i, 1), &lanes);
    for (int n = 0; n < 5; n++) build_end(&b);
    expect_text(&a, &b,
                "bounds: 1 task, vectors of 64 bytes\n"
                "const f32 dense[1000], aligned to 4 bytes\n"
                "v4 r[4]\n"
                "\n"
                "for i in 0..9\n"
                "  for j in 0..30\n"
                "    for k in max(-2, ceil((5 - 2*i)/3)) .. min(7, floor((j - i)/4), floor(j/2))\n"
                "      if 3*k - i - 1 >= 0\n"
                "        v4 r[0] = splat dense[16*floor((3*j + i + 3)/16) + 100 - 2*floor(j/7) - k]\n"
                "        v4 r[0] = splat dense[0]\n"
                "        v4 r[0] = splat dense[-k - 1]\n"
                "        unrolled u in 0..4\n"
                "          v4 r[u] = load dense[i] lanes 0 .. min(4, 4 - u)\n");
}

/* A nest of one operation of each kind, all its operands there, for every type. */
static const nest *one_of(arena *a, op_kind kind, cvk_type type) {
    nest_builder b = nest_begin(a, "one", ENTRY_TASKS, 64);
    int tensor = nest_add_tensor(&b, "output", ROLE_OUTPUT, type, 64, 64, true);
    int r = nest_add_register(&b, "r", type, 4, 8);
    static const int PATTERN[] = {0, 1, 2, 3};
    nest_range lanes = range_of(&b, 1, 3);
    build_op(&b, kind, at(r, 0), at(r, 1), at(r, 2));
    nest_op *op = last_op(&b);
    op->c = at(r, 3);
    op->at = access_at(tensor, affine_constant(0), 1);
    op->repeat = 1;
    op->pattern = PATTERN;
    op->lanes = kind == OP_KEEP ? arena_copy(a, &lanes, sizeof lanes) : NULL;
    op->math = MATH_TANH;
    if (kind == OP_TRANSPOSE) op->a = at(r, 4);
    return nest_finish(&b);
}

/* A row of the table without a form would print a blank, and two alike could not be told apart. */
Test(print, no_two_operations_print_alike) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a), "out of memory");
    const char *line[OP_KINDS];
    for (op_kind kind = 0; kind < OP_KINDS; kind++) {
        text out = text_new(&a);
        nest_print(one_of(&a, kind, TYPE_F32), &out);
        line[kind] = strstr(out.bytes, "\n\n") + 2;
        cr_expect_gt(strlen(line[kind]), 4u, "%s prints as \"%s\"", nest_op_name(kind), line[kind]);
        for (op_kind other = 0; other < kind; other++) {
            cr_expect_str_neq(line[kind], line[other], "%s and %s", nest_op_name(kind), nest_op_name(other));
            cr_expect_str_neq(nest_op_name(kind), nest_op_name(other));
        }
    }
    arena_free(&a);
}

Test(print, types_are_shown_where_they_are_not_f32) {
    arena a;
    nest_builder b = begin(&a, "typed", ENTRY_TASKS);
    int in = nest_add_tensor(&b, "input", ROLE_INPUT, TYPE_U8, 64, 4, false);
    int weights = nest_add_tensor(&b, "weights", ROLE_WEIGHTS, TYPE_S8, 64, 64, false);
    int out = nest_add_tensor(&b, "output", ROLE_OUTPUT, TYPE_BF16, 16, 2, true);
    int x = nest_add_register(&b, "x", TYPE_U8, 64, 1), w = nest_add_register(&b, "w", TYPE_S8, 64, 1);
    int sum = nest_add_register(&b, "sum", TYPE_S32, 16, 2), y = nest_add_register(&b, "y", TYPE_F32, 16, 1);
    int half = nest_add_register(&b, "half", TYPE_BF16, 16, 1), wide = nest_add_register(&b, "wide", TYPE_F64, 8, 1);
    nest_range lanes = range_of(&b, 0, 3);
    build_const(&b, at(sum, 0), 7);
    build_splat_repeated(&b, at(x, 0), access_at(in, affine_constant(8), 1), 4);
    build_load(&b, at(w, 0), access_at(weights, affine_constant(0), 1), NULL);
    build_dot(&b, at(sum, 0), at(x, 0), at(w, 0), NULL);
    build_dot(&b, at(sum, 0), at(x, 0), at(w, 0), &lanes);
    build_shift(&b, OP_SHIFT_RIGHT, at(sum, 1), at(sum, 0), 8);
    build_shift(&b, OP_SHIFT_LEFT, at(sum, 1), at(sum, 0), 2);
    build_convert(&b, at(y, 0), at(sum, 0));
    build_convert(&b, at(sum, 0), at(y, 0));
    build_convert(&b, at(half, 0), at(y, 0));
    build_convert(&b, at(y, 0), at(half, 0));
    build_convert_from(&b, at(x, 0), at(w, 0), 5);
    build_scale(&b, OP_SCALE_HALF_UP, at(sum, 0), at(sum, 0), at(sum, 1), at(sum, 1));
    build_const(&b, at(wide, 0), 0.1);
    build_const(&b, at(y, 0), 0.1);
    build_const_ratio(&b, at(half, 0), 1, 3);
    build_store(&b, access_at(out, affine_constant(0), 1), at(half, 0), NULL);
    expect_text(&a, &b,
                "typed: 1 task, vectors of 64 bytes\n"
                "const u8 input[64], aligned to 4 bytes\n"
                "const s8 weights[64], aligned to 64 bytes\n"
                "bf16 output[16], aligned to 2 bytes\n"
                "v64 u8 x\n"
                "v64 s8 w\n"
                "v16 s32 sum[2]\n"
                "v16 y\n"
                "v16 bf16 half\n"
                "v8 f64 wide\n"
                "\n"
                "v16 s32 sum[0] = 7\n"
                "v64 u8 x = splat input[8 + lane % 4]\n"
                "v64 s8 w = load weights[0]\n"
                "sum[0] += dot(x, w)\n"
                "sum[0] += dot(x, w) lanes 0..3\n"
                "sum[1] = sum[0] >> 8\n"
                "sum[1] = sum[0] << 2\n"
                "v16 y = convert sum[0], to nearest\n"
                "v16 s32 sum[0] = convert y, to nearest, saturated\n"
                "v16 bf16 half = convert y, to nearest\n"
                "v16 y = convert half\n"
                "v64 u8 x = convert w, saturated, from 5 on\n"
                "sum[0] = scale_half_up(sum[0], sum[1], sum[1])\n"
                "v8 f64 wide = 0.1\n"
                "v16 y = 0.1\n"
                "v16 bf16 half = 0.33398438\n"
                "store output[0] = half\n");
}
