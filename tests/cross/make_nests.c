/* Writes nests by hand for a target: make_nests TARGET DIR
 *
 * DIR/nests.o holds a kernel for each, DIR/nests.inc a line for each, NEST(symbol, what it does, type of its input, of
 * its weights, of its output, lanes), for nests.c. */
#include "emit/emit.h"
#include "nest/build.h"
#include "nest/math.h"
#include "nests.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_NESTS = 512, ALIGNMENT = 64 };

typedef struct maker {
    arena *arena;
    const cvk_target *target;
    FILE *lines;
    emit_kernel kernel[MOST_NESTS];
    size_t count;
} maker;

/* A nest under construction; tensors and registers in the order of their types. */
typedef struct draft {
    nest_builder b;
    const char *symbol;
    cvk_type a, w, y;
    int input, weights, output, lanes;
    const char *line; /* of nests.inc */
} draft;

static void stop(const char *why, const char *what) {
    fprintf(stderr, "make_nests: %s %s\n", why, what);
    exit(1);
}

static const char *const UPPER[TYPES] = {
#define CVK_TYPE(name, word, bits, kind, numpy, onnx, llvm, unit_roundoff) #name,
#include "base/types.def"
#undef CVK_TYPE
};

static draft begin(const maker *m, const char *what, cvk_type a, cvk_type w, cvk_type y, int lanes, int64_t input,
                   int64_t weights, int64_t output) {
    const char *symbol = arena_format(m->arena, "nest_%s_%s_%s_%s", what, UPPER[a], UPPER[w], UPPER[y]);
    draft d = {
        nest_begin(m->arena, symbol, ENTRY_TASKS, m->target->vector_bytes), symbol, a, w, y, 0, 0, 0, lanes, NULL};
    d.input = nest_add_tensor(&d.b, "input", ROLE_INPUT, a, input, type_bytes(a), false);
    d.weights = nest_add_tensor(&d.b, "weights", ROLE_WEIGHTS, w, weights, type_bytes(w), false);
    d.output = nest_add_tensor(&d.b, "output", ROLE_OUTPUT, y, output, type_bytes(y), true);
    d.line =
        arena_format(m->arena, "NEST(%s, %s, %s, %s, %s, %d)\n", symbol, what, UPPER[a], UPPER[w], UPPER[y], lanes);
    return d;
}

static bool computable(const maker *m, const nest *n) {
    for (int i = 0; i < n->register_count; i++)
        if (!target_computes(m->target, n->registers[i].type)) return false;
    return true;
}

static void end(maker *m, draft *d) {
    nest *n = nest_finish(&d->b);
    if (!computable(m, n)) return;
    fputs(d->line, m->lines);
    cvk_diagnostics *complaints = cvk_diagnostics_new();
    if (nest_check(n, complaints, NULL)) stop(d->symbol, cvk_diagnostics_get(complaints, 0)->message);
    cvk_diagnostics_free(complaints);
    if (m->count == MOST_NESTS) stop("too many nests", "");
    cvk_kernel_info *info = arena_new(m->arena, cvk_kernel_info);
    *info = (cvk_kernel_info){.abi_version = CVK_ABI_VERSION,
                              .name = d->symbol,
                              .target = m->target->name,
                              .plan = "",
                              .cpu_features = m->target->cpu_features,
                              .phases = 1,
                              .tasks = {(uint32_t)n->tasks}};
    m->kernel[m->count++] =
        (emit_kernel){.symbol = d->symbol, .target = m->target, .run = program_of(m->arena, n), .info = info};
}

static register_ref one(draft *d, const char *name, cvk_type type) {
    return reg(nest_add_register(&d->b, name, type, d->lanes, 1), affine_constant(0));
}

/* Vectors of all types that have their lanes in one register of the widest. */
static int lanes_of(const maker *m, cvk_type a, cvk_type b) {
    int x = target_lanes(m->target, a), y = target_lanes(m->target, b);
    return x < y ? x : y;
}

/* Whole vectors in a loop, then a vector with as many lanes as are left. */
typedef void elements_body(draft *d, affine first, const nest_range *lanes, const register_ref *r, int parameter);

static void each_vector(draft *d, elements_body *body, const register_ref *r, int parameter) {
    nest_range left = range_of(&d->b, 0, ELEMENTS % d->lanes);
    affine i = build_loop(&d->b, "i", ELEMENTS / d->lanes);
    body(d, affine_scale(i, d->lanes), NULL, r, parameter);
    build_end(&d->b);
    if (ELEMENTS % d->lanes) body(d, affine_constant(ELEMENTS - ELEMENTS % d->lanes), &left, r, parameter);
}

static void load(draft *d, register_ref to, int tensor, affine first, const nest_range *lanes) {
    build_load(&d->b, to, access_at(tensor, first, 1), lanes);
}
static void store(draft *d, affine first, register_ref from, const nest_range *lanes) {
    build_store(&d->b, access_at(d->output, first, 1), from, lanes);
}

static void convert_vector(draft *d, affine first, const nest_range *lanes, const register_ref *r, int parameter) {
    (void)parameter;
    load(d, r[0], d->input, first, lanes);
    build_convert(&d->b, r[1], r[0]);
    store(d, first, r[1], lanes);
}

static void make_conversion(maker *m, cvk_type from, cvk_type to) {
    draft d = begin(m, "CONVERT", from, from, to, lanes_of(m, from, to), ELEMENTS, ELEMENTS, ELEMENTS);
    const register_ref r[] = {one(&d, "x", from), one(&d, "y", to)};
    each_vector(&d, convert_vector, r, 0);
    end(m, &d);
}

static int zero_of(cvk_type type) { return type == TYPE_U8 ? ZERO_U8 : ZERO_S8; }

static void quantize_vector(draft *d, affine first, const nest_range *lanes, const register_ref *r, int zero) {
    load(d, r[0], d->input, first, lanes);
    build_convert_from(&d->b, r[1], r[0], zero);
    store(d, first, r[1], lanes);
}

static void make_quantization(maker *m, cvk_type from, cvk_type to) {
    draft d = begin(m, "QUANTIZE", from, from, to, lanes_of(m, from, to), ELEMENTS, ELEMENTS, ELEMENTS);
    const register_ref r[] = {one(&d, "x", from), one(&d, "y", to)};
    each_vector(&d, quantize_vector, r, zero_of(to));
    end(m, &d);
}

static void scale_vector(draft *d, affine first, const nest_range *lanes, const register_ref *r, int kind) {
    load(d, r[0], d->input, first, lanes);
    load(d, r[1], d->weights, first, lanes);
    build_const(&d->b, r[2], SPREAD);
    build_op(&d->b, OP_MUL, r[2], r[2], r[0]);
    build_op(&d->b, OP_ADD, r[2], r[2], r[1]);
    build_shift(&d->b, OP_SHIFT_RIGHT, r[2], r[2], SHIFTED);
    build_scale(&d->b, (op_kind)kind, r[3], r[0], r[1], r[2]);
    store(d, first, r[3], lanes);
}

static void make_scale(maker *m, op_kind kind, const char *what) {
    const cvk_type type = TYPE_S32;
    draft d = begin(m, what, type, type, type, target_lanes(m->target, type), ELEMENTS, ELEMENTS, ELEMENTS);
    const register_ref r[] = {one(&d, "a", type), one(&d, "b", type), one(&d, "c", type), one(&d, "y", type)};
    each_vector(&d, scale_vector, r, (int)kind);
    end(m, &d);
}

/* y = a op b, and, where there is a third operand, a. */
static void operate_on_vector(draft *d, affine first, const nest_range *lanes, const register_ref *r, int kind) {
    load(d, r[0], d->input, first, lanes);
    load(d, r[1], d->weights, first, lanes);
    if (kind == OP_SHIFT_LEFT || kind == OP_SHIFT_RIGHT)
        build_shift(&d->b, (op_kind)kind, r[2], r[0], SHIFT);
    else if (kind == OP_SELECT_NEGATIVE)
        build_select_negative(&d->b, r[2], r[0], r[1], r[0]);
    else
        build_op(&d->b, (op_kind)kind, r[2], r[0], r[1]);
    store(d, first, r[2], lanes);
}

static void make_operation(maker *m, op_kind kind, const char *what, cvk_type type) {
    if (!nest_op_takes(kind, type)) return;
    draft d = begin(m, what, type, type, type, target_lanes(m->target, type), ELEMENTS, ELEMENTS, ELEMENTS);
    const register_ref r[] = {one(&d, "a", type), one(&d, "b", type), one(&d, "y", type)};
    each_vector(&d, operate_on_vector, r, (int)kind);
    end(m, &d);
}

static void make_operations(maker *m, cvk_type type) {
    make_operation(m, OP_ADD, "ADD", type);
    make_operation(m, OP_SUB, "SUB", type);
    make_operation(m, OP_MUL, "MUL", type);
    make_operation(m, OP_DIV, "DIV", type);
    make_operation(m, OP_MIN, "MIN", type);
    make_operation(m, OP_MAX, "MAX", type);
    make_operation(m, OP_MAXIMUM, "MAXIMUM", type);
    make_operation(m, OP_GREATER, "GREATER", type);
    make_operation(m, OP_SELECT_NEGATIVE, "SELECT_NEGATIVE", type);
    make_operation(m, OP_ABS, "ABS", type);
    make_operation(m, OP_COPYSIGN, "COPYSIGN", type);
    make_operation(m, OP_EXP2I, "EXP2I", type);
    make_operation(m, OP_SHIFT_LEFT, "SHIFT_LEFT", type);
    make_operation(m, OP_SHIFT_RIGHT, "SHIFT_RIGHT", type);
}

static void number_vector(draft *d, affine first, const nest_range *lanes, const register_ref *r, int parameter) {
    (void)parameter;
    build_number(&d->b, r[0], affine_offset(affine_scale(first, STEP), -OFFSET), STEP);
    store(d, first, r[0], lanes);
}

static void make_numbers(maker *m, cvk_type type) {
    if (!nest_op_takes(OP_NUMBER, type)) return;
    draft d = begin(m, "NUMBERS", type, type, type, target_lanes(m->target, type), ELEMENTS, ELEMENTS, ELEMENTS);
    const register_ref r[] = {one(&d, "y", type)};
    each_vector(&d, number_vector, r, 0);
    end(m, &d);
}

static void call_on_vector(draft *d, affine first, const nest_range *lanes, const register_ref *r, int kind) {
    load(d, r[0], d->input, first, lanes);
    build_call(&d->b, (math_kind)kind, r[0], r[0]);
    store(d, first, r[0], lanes);
}

static void make_call(maker *m, math_kind kind, const char *what, cvk_type type) {
    if (!nest_math_exists(type)) return;
    draft d = begin(m, what, type, type, type, target_lanes(m->target, type), ELEMENTS, ELEMENTS, ELEMENTS);
    const register_ref r[] = {one(&d, "x", type)};
    each_vector(&d, call_on_vector, r, (int)kind);
    end(m, &d);
}

/* y = x w + x in f32, of halves. */
static void mixed_vector(draft *d, affine first, const nest_range *lanes, const register_ref *r, int parameter) {
    (void)parameter;
    load(d, r[0], d->input, first, lanes);
    build_convert(&d->b, r[2], r[0]);
    build_convert(&d->b, r[4], r[0]);
    load(d, r[1], d->weights, first, lanes);
    build_convert(&d->b, r[3], r[1]);
    build_fma(&d->b, r[4], r[2], r[3], NULL);
    build_convert(&d->b, r[0], r[4]);
    store(d, first, r[0], lanes);
}

static void make_mixed(maker *m, cvk_type half) {
    draft d = begin(m, "MIXED", half, half, half, target_lanes(m->target, TYPE_F32), ELEMENTS, ELEMENTS, ELEMENTS);
    const register_ref r[] = {one(&d, "x", half), one(&d, "w", half), one(&d, "x32", TYPE_F32),
                              one(&d, "w32", TYPE_F32), one(&d, "y32", TYPE_F32)};
    each_vector(&d, mixed_vector, r, 0);
    end(m, &d);
}

/* output[p][oc] = sum over ic of input[p][ic] weights[ic / n][oc][ic % n]: n = 1 by fma, but of f16, else by dot. */
static void make_product(maker *m, cvk_type a, cvk_type w, cvk_type y) {
    int n = a == TYPE_F16 ? 1 : type_bytes(y) / type_bytes(a), lanes = target_lanes(m->target, y);
    draft d = begin(m, "PRODUCT", a, w, y, lanes, POSITIONS * SUMMED, SUMMED * CHANNELS, POSITIONS * CHANNELS);
    nest_builder *b = &d.b;
    register_ref sum = one(&d, "sum", y);
    register_ref x = reg(nest_add_register(b, "x", a, n * lanes, 1), affine_constant(0));
    register_ref v = reg(nest_add_register(b, "w", w, n * lanes, 1), affine_constant(0));
    affine p = build_task(b, "p", POSITIONS), j = build_unrolled(b, "j", CHANNELS / lanes);
    build_const(b, sum, 0);
    affine g = build_loop(b, "g", SUMMED / n);
    affine from = affine_add_scaled(affine_scale(j, n * lanes), g, n * CHANNELS);
    build_splat_repeated(b, x, access_at(d.input, affine_add_scaled(affine_scale(g, n), p, SUMMED), 1), n);
    build_load(b, v, access_at(d.weights, from, 1), NULL);
    (a == y ? build_fma : build_dot)(b, sum, x, v, NULL);
    build_end(b);
    store(&d, affine_add_scaled(affine_scale(j, lanes), p, CHANNELS), sum, NULL);
    build_end(b);
    build_end(b);
    end(m, &d);
}

/* Loads of lanes 1 .. lanes - 1 by every stride, whole stores; stores of the same lanes by every stride; a rotation by
 * one lane, and lanes that are kept. Each begins where the one before has ended. */
static void make_moves(maker *m, cvk_type type) {
    int lanes = target_lanes(m->target, type), at = 0;
    draft d = begin(m, "MOVES", type, type, type, lanes, 8 * lanes, 1, 64 * lanes);
    register_ref x = one(&d, "x", type), y = one(&d, "y", type);
    nest_range inner = range_of(&d.b, 1, lanes - 1);
    for (int i = 0; i < STRIDES; i++, at += lanes) {
        build_load(&d.b, x, access_at(d.input, affine_constant(i), STRIDE[i]), &inner);
        store(&d, affine_constant(at), x, NULL);
    }
    load(&d, x, d.input, affine_constant(5), NULL);
    for (int i = 0; i < STRIDES; at += STRIDE[i++] * lanes)
        build_store(&d.b, access_at(d.output, affine_constant(at), STRIDE[i]), x, &inner);
    int *rotated = arena_array(m->arena, int, lanes);
    for (int l = 0; l < lanes; l++) rotated[l] = l + 1;
    build_shuffle(&d.b, y, x, x, rotated);
    store(&d, affine_constant(at), y, NULL);
    build_keep(&d.b, y, x, &inner);
    store(&d, affine_constant(at + lanes), y, NULL);
    end(m, &d);
}

/* A square of registers, at most 16 x 16. */
static void make_transpose(maker *m, cvk_type type) {
    int all = target_lanes(m->target, type), lanes = all < 16 ? all : 16;
    draft d = begin(m, "TRANSPOSE", type, type, type, lanes, lanes * lanes, 1, lanes * lanes);
    int square = nest_add_register(&d.b, "square", type, lanes, 2 * lanes);
    affine i = build_unrolled(&d.b, "i", lanes);
    load(&d, reg(square, i), d.input, affine_scale(i, lanes), NULL);
    build_end(&d.b);
    build_transpose(&d.b, reg(square, affine_constant(lanes)), reg(square, affine_constant(0)));
    i = build_unrolled(&d.b, "i", lanes);
    store(&d, affine_scale(i, lanes), reg(square, affine_offset(i, lanes)), NULL);
    build_end(&d.b);
    end(m, &d);
}

static void make_all(maker *m) {
    for (cvk_type type = 0; type < TYPES; type++) {
        for (cvk_type to = 0; to < TYPES; to++) make_conversion(m, type, to);
        make_quantization(m, type, TYPE_U8);
        make_quantization(m, type, TYPE_S8);
        make_operations(m, type);
        make_numbers(m, type);
        make_moves(m, type);
        make_transpose(m, type);
    }
#define NEST_MATH(name, word, ulp, formula) make_call(m, MATH_##name, #name, TYPE_F64);
#include "nest/math.def"
#undef NEST_MATH
    make_scale(m, OP_SCALE_HALF_UP, "HALF_UP");
    make_scale(m, OP_SCALE_DOUBLE, "DOUBLE");
    make_mixed(m, TYPE_F16);
    make_mixed(m, TYPE_BF16);
    make_product(m, TYPE_F32, TYPE_F32, TYPE_F32);
    make_product(m, TYPE_F16, TYPE_F16, TYPE_F32);
    make_product(m, TYPE_F64, TYPE_F64, TYPE_F64);
    make_product(m, TYPE_S32, TYPE_S32, TYPE_S32);
    make_product(m, TYPE_U8, TYPE_S8, TYPE_S32);
    make_product(m, TYPE_S8, TYPE_U8, TYPE_S32);
    make_product(m, TYPE_S8, TYPE_S8, TYPE_S32);
    make_product(m, TYPE_U8, TYPE_U8, TYPE_S32);
    make_product(m, TYPE_S16, TYPE_S16, TYPE_S32);
}

static FILE *create(const char *directory, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    if (!file) stop("cannot write", path);
    return file;
}

static int write_object(const maker *m, const char *directory) {
    cvk_diagnostics *complaints = cvk_diagnostics_new();
    cvk_object object;
    if (llvm_emit(m->kernel, m->count, 1, NULL, EMIT_OBJECT, complaints, &object, NULL))
        stop("no object:", cvk_diagnostics_get(complaints, 0)->message);
    cvk_diagnostics_free(complaints);
    FILE *file = create(directory, "nests.o");
    bool written = fwrite(object.bytes, 1, object.size, file) == object.size;
    object_free(&object);
    return fclose(file) != 0 || !written;
}

int main(int count, char **arguments) {
    if (count != 3) stop("usage:", "make_nests TARGET DIR");
    static maker m;
    m.target = target_find(arguments[1]);
    if (!m.target) stop("there is no target", arguments[1]);
    m.lines = create(arguments[2], "nests.inc");
    arena a;
    arena_init(&a);
    m.arena = &a;
    if (arena_guard(&a)) stop("no memory", "");
    make_all(&m);
    int failed = write_object(&m, arguments[2]);
    arena_free(&a);
    return fclose(m.lines) | failed;
}
