/* Programs built by hand: in every phase, vector i of what it writes is made of vector `count - 1 - i` of what the
 * phase before wrote, so a phase that begins too early reads what is not there yet. They are compiled, loaded, and run
 * between guard pages on one to four threads, and with their tasks split at random; the evaluator says what is right.
 */
#include "../numeric/draw.h"
#include "../numeric/threads.h"
#include "jit/kernel.h"
#include "judge/guard.h"
#include "judge/nest_eval.h"
#include "emit/emit.h"
#include "nest/build.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NESTS = 3, MOST_VECTORS = 40, MOST_THREADS = 4, ALIGNMENT = 64, ALL_NAN = 0xff };
#define TAG UINT64_C(0x123456789)

/* ---- building ---- */

typedef struct shape {
    int phases;
    int nests[CVK_MOST_PHASES];
    int vectors; /* that each phase writes, split among its nests */
} shape;

/* Vectors first <= i < end of phase p: to[i] = p + weights[i] * from[vectors - 1 - i], by way of scratch. */
static nest *build_nest(arena *a, const cvk_target *t, const shape *s, int p, int first, int end) {
    const int64_t lanes = target_lanes(t, TYPE_F32), elements = s->vectors * lanes,
                  between = (s->phases - 1) * elements;
    nest_builder b = nest_begin(a, arena_format(a, "phase%d_from%d", p, first), ENTRY_TASKS, t->vector_bytes);
    const bool opens = p == 0, closes = p == s->phases - 1;
    int workspace = between ? nest_add_tensor(&b, "workspace", ROLE_WORKSPACE, TYPE_F32, between, ALIGNMENT, true) : -1;
    int from = opens ? nest_add_tensor(&b, "input", ROLE_INPUT, TYPE_F32, elements, 4, false) : workspace;
    int to = closes ? nest_add_tensor(&b, "output", ROLE_OUTPUT, TYPE_F32, elements, 4, true) : workspace;
    int weights = nest_add_tensor(&b, "weights", ROLE_WEIGHTS, TYPE_F32, elements, ALIGNMENT, false);
    int scratch = nest_add_tensor(&b, "scratch", ROLE_SCRATCH, TYPE_F32, lanes, ALIGNMENT, true);
    register_ref x = reg(nest_add_register(&b, "x", TYPE_F32, target_lanes(t, TYPE_F32), 1), affine_constant(0));
    register_ref w = reg(nest_add_register(&b, "w", TYPE_F32, target_lanes(t, TYPE_F32), 1), affine_constant(0));
    register_ref sum = reg(nest_add_register(&b, "sum", TYPE_F32, target_lanes(t, TYPE_F32), 1), affine_constant(0));
    affine i = affine_offset(affine_scale(build_task(&b, "i", end - first), lanes), first * lanes);
    affine opposite = affine_offset(affine_scale(i, -1), elements - lanes + (opens ? 0 : (p - 1) * elements));
    build_load(&b, x, access_at(from, opposite, 1), NULL);
    build_store(&b, access_at(scratch, affine_constant(0), 1), x, NULL);
    build_load(&b, w, access_at(weights, i, 1), NULL);
    build_load(&b, x, access_at(scratch, affine_constant(0), 1), NULL);
    build_const(&b, sum, (float)p);
    build_fma(&b, sum, x, w, NULL);
    build_store(&b, access_at(to, affine_offset(i, closes ? 0 : p * elements), 1), sum, NULL);
    build_end(&b);
    return nest_finish(&b);
}

static nest_program build_program(arena *a, const cvk_target *t, const shape *s) {
    nest_phase *phases = arena_array(a, nest_phase, s->phases);
    for (int p = 0; p < s->phases; p++) {
        nest **nests = arena_array(a, nest *, s->nests[p]);
        for (int k = 0; k < s->nests[p]; k++)
            nests[k] = build_nest(a, t, s, p, s->vectors * k / s->nests[p], s->vectors * (k + 1) / s->nests[p]);
        phases[p] = (nest_phase){s->nests[p], nests};
    }
    return (nest_program){s->phases, phases};
}

/* Copies. */
static nest *build_pack(arena *a, const cvk_target *t, const shape *s) {
    nest_builder b = nest_begin(a, "pack", ENTRY_PACK, t->vector_bytes);
    int from = nest_add_tensor(&b, "dense", ROLE_PACK_FROM, TYPE_F32, s->vectors * target_lanes(t, TYPE_F32), 4, false);
    int to =
        nest_add_tensor(&b, "packed", ROLE_PACK_TO, TYPE_F32, s->vectors * target_lanes(t, TYPE_F32), ALIGNMENT, true);
    register_ref x = reg(nest_add_register(&b, "x", TYPE_F32, target_lanes(t, TYPE_F32), 1), affine_constant(0));
    affine i = affine_scale(build_loop(&b, "i", s->vectors), target_lanes(t, TYPE_F32));
    build_load(&b, x, access_at(from, i, 1), NULL);
    build_store(&b, access_at(to, i, 1), x, NULL);
    build_end(&b);
    return nest_finish(&b);
}

static shape draw_shape(draws *d) {
    shape s = {.phases = (int)draw_from(d, 1, CVK_MOST_PHASES), .vectors = (int)draw_from(d, MOST_NESTS, MOST_VECTORS)};
    for (int p = 0; p < s.phases; p++) s.nests[p] = (int)draw_from(d, 1, MOST_NESTS);
    return s;
}

static cvk_kernel_info describe(const cvk_target *t, const nest_program *p) {
    cvk_kernel_info info = {.struct_size = sizeof info,
                            .abi_version = CVK_ABI_VERSION,
                            .name = "program",
                            .target = t->name,
                            .plan = "",
                            .packed_tag = TAG,
                            .phases = (uint32_t)p->count};
    for (int i = 0; i < p->count; i++) info.tasks[i] = (uint32_t)program_tasks(p, i);
#define CVK_BUFFER(NAME, member, needs, access, share)                                                                 \
    info.needs = (cvk_buffer_info){4 * (uint64_t)program_needs(p, ROLE_##NAME).elements,                               \
                                   (uint32_t)program_needs(p, ROLE_##NAME).alignment, 0};
#include <convoke/buffers.def>
#undef CVK_BUFFER
    info.weights = (cvk_buffer_info){info.packed_weights.bytes, 4, 0};
    info.packed_weights.bytes += CVK_PACKED_HEADER;
    return info;
}

/* ---- running ---- */

/* One program compiled, and what is right. */
typedef struct bench {
    const char *name;
    const cvk_target *target;
    nest_program program;
    cvk_kernel *kernel;
    const cvk_kernel_info *info;
    float *dense, *input, *expected;
    size_t bytes; /* of each */
    draws draws;
} bench;

typedef struct memory {
    guarded buffer[CVK_ROLES];
    cvk_buffers buffers;
} memory;

static void open_memory(const bench *t, guard_side side, uint32_t workers, memory *m) {
    for (int i = 0; i < CVK_ROLES; i++) {
        const cvk_buffer_info needs = cvk_buffer_needs(t->info, (cvk_role)i, 0, workers);
        cr_assert(guard_alloc((size_t)needs.bytes, needs.alignment, side, &m->buffer[i]));
        memset(m->buffer[i].data, ALL_NAN, m->buffer[i].bytes);
    }
    memcpy(m->buffer[CVK_ROLE_INPUT].data, t->input, t->bytes);
    m->buffers = (cvk_buffers){
        .struct_size = sizeof m->buffers,
#define CVK_BUFFER(NAME, member, needs, access, share)                                                                 \
    .member = {m->buffer[CVK_ROLE_##NAME].data, m->buffer[CVK_ROLE_##NAME].bytes},
#include <convoke/buffers.def>
#undef CVK_BUFFER
    };
    const guarded *packed = &m->buffer[CVK_ROLE_WEIGHTS];
    cr_assert_eq(
        cvk_pack_weights(t->info, (cvk_const_buffer){t->dense, t->bytes}, (cvk_buffer){packed->data, packed->bytes}),
        CVK_OK);
}

static void close_memory(const bench *t, const char *how, memory *m) {
    cr_assert_eq(memcmp(m->buffer[CVK_ROLE_OUTPUT].data, t->expected, t->bytes), 0, "%s: other bits %s", t->name, how);
    for (int i = 0; i < CVK_ROLES; i++) {
        cr_assert(guard_intact(&m->buffer[i]), "%s: wrote outside a buffer %s", t->name, how);
        guard_free(&m->buffer[i]);
    }
}

static void try_threads(bench *t) {
    for (uint32_t workers = 1; workers <= MOST_THREADS; workers++) {
        memory m;
        const cvk_parallel_for threads = threads_for(workers);
        open_memory(t, workers % 2 ? GUARD_END : GUARD_START, workers, &m);
        cr_assert_eq(cvk_run(t->info, &m.buffers, workers > 1 ? &threads : NULL), CVK_OK);
        close_memory(t, "on threads", &m);
    }
}

/* How many vectors of the output are no longer NaN. */
static uint32_t count_stored(const bench *t, const memory *m) {
    const float *output = m->buffer[CVK_ROLE_OUTPUT].data;
    const int lanes = target_lanes(t->target, TYPE_F32);
    uint32_t stored = 0;
    for (size_t i = 0; i < t->bytes / sizeof *output; i += (size_t)lanes) stored += output[i] == output[i];
    return stored;
}

/* Each phase in pieces of neighbouring tasks, which may span nests, from the last piece to the first; in the last
 * phase, where it shows, each piece does its own tasks and no other. */
static void try_pieces(bench *t) {
    memory m;
    open_memory(t, GUARD_END, 1, &m);
    const cvk_args args = {
#define CVK_BUFFER(NAME, member, needs, access, share) .member = m.buffers.member.data,
#include <convoke/buffers.def>
#undef CVK_BUFFER
    };
    for (uint32_t p = 0; p < t->info->phases; p++)
        for (uint32_t end = t->info->tasks[p]; end > 0;) {
            uint32_t begin = end - (uint32_t)draw_from(&t->draws, 0, end);
            t->info->run(&args, p, begin, end);
            end = begin;
            if (p + 1 < t->info->phases) continue;
            cr_assert_eq(count_stored(t, &m), t->info->tasks[p] - begin, "%s: other tasks", t->name);
        }
    close_memory(t, "in pieces", &m);
}

static float *fill(draws *d, size_t bytes) {
    float *numbers = malloc(bytes);
    cr_assert_not_null(numbers);
    for (size_t i = 0; i < bytes / sizeof *numbers; i++) numbers[i] = 0.37f * (float)draw_from(d, -9, 9);
    return numbers;
}

static void evaluate(bench *t) {
    float *workspace = calloc(1, (size_t)t->info->workspace.bytes + 1);
    float *scratch = calloc(1, (size_t)t->info->scratch.bytes + 1);
    void *const tensors[ROLE_COUNT] = {[ROLE_INPUT] = t->input,
                                       [ROLE_WEIGHTS] = t->dense,
                                       [ROLE_OUTPUT] = t->expected,
                                       [ROLE_SCRATCH] = scratch,
                                       [ROLE_WORKSPACE] = workspace};
    cr_assert_eq(nest_eval_program(&t->program, tensors, eval_as(t->target->fused)), CVK_OK);
    free(workspace);
    free(scratch);
}

static void load(bench *t, nest *pack) {
    nest *const packs[] = {pack};
    const cvk_kernel_info info = describe(t->target, &t->program);
    const emit_kernel kernel = {"program", t->target, t->program, {pack != NULL, packs}, &info, {0}, false};
    cvk_object object;
    cr_assert_eq(program_check(&t->program, NULL, NULL), CVK_OK);
    cr_assert_eq(llvm_emit(&kernel, 1, 1, NULL, EMIT_OBJECT, NULL, &object, NULL), CVK_OK, "%s", t->name);
    cr_assert_eq(kernel_load(object.bytes, object.size, "program", NULL, &t->kernel), CVK_OK, "%s", t->name);
    t->info = cvk_kernel_get_info(t->kernel);
    cr_assert_eq(memcmp(t->info->tasks, info.tasks, sizeof info.tasks), 0);
    object_free(&object);
}

static void try_shape(const shape *s, const char *name, draws d) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    bench t = {.name = name, .target = target_host(), .draws = d};
    t.program = build_program(&a, t.target, s);
    load(&t, build_pack(&a, t.target, s));
    t.bytes = (size_t)(s->vectors * target_lanes(t.target, TYPE_F32)) * sizeof(float);
    t.input = fill(&t.draws, t.bytes);
    t.dense = fill(&t.draws, t.bytes);
    t.expected = fill(&t.draws, t.bytes);
    evaluate(&t);
    try_threads(&t);
    try_pieces(&t);
    free(t.input);
    free(t.dense);
    free(t.expected);
    cvk_kernel_free(t.kernel);
    arena_free(&a);
}

Test(program, random_programs_give_the_same_bits_on_any_threads_and_in_any_pieces) {
    const int64_t seed = environment_number("CVK_SEED", 1), cases = environment_number("CVK_CASES", 12);
    for (int64_t i = seed; i < seed + cases; i++) {
        draws d = draws_for((uint64_t)i, 0);
        const shape s = draw_shape(&d);
        char name[64];
        snprintf(name, sizeof name, "CVK_SEED=%lld CVK_CASES=1 test_program", (long long)i);
        try_shape(&s, name, d);
    }
}

Test(program, two_phases_pass_data_through_the_workspace) {
    const shape s = {.phases = 2, .nests = {1, 1}, .vectors = 3};
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    bench t = {.name = "two phases", .target = target_host(), .draws = draws_for(1, 0)};
    t.program = build_program(&a, t.target, &s);
    load(&t, build_pack(&a, t.target, &s));
    enum { VECTORS = 3 };
    float input[VECTORS * NEST_MOST_LANES], dense[VECTORS * NEST_MOST_LANES], expected[VECTORS * NEST_MOST_LANES];
    const int lanes = target_lanes(t.target, TYPE_F32);
    for (int i = 0; i < VECTORS; i++)
        for (int l = 0; l < lanes; l++) {
            input[i * lanes + l] = (float)(i + 1);
            dense[i * lanes + l] = (float)(10 * i);
            /* The first phase leaves (2 - i) * 10 * (i + 1) at 2 - i; the second reads it there. */
            expected[i * lanes + l] = 1 + (float)(10 * i) * (float)((2 - i) * 10 * (i + 1));
        }
    t.input = input;
    t.dense = dense;
    t.expected = expected;
    t.bytes = (size_t)(VECTORS * lanes) * sizeof(float);
    cr_assert_eq(t.info->phases, 2);
    cr_assert_eq(t.info->workspace.bytes, t.bytes);
    try_threads(&t);
    try_pieces(&t);
    cvk_kernel_free(t.kernel);
    arena_free(&a);
}

/* ---- refusals ---- */

Test(program, what_no_kernel_can_run_is_refused) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    const cvk_target *t = target_host();
    const shape s = {.phases = 2, .nests = {1, 2}, .vectors = 4};
    const nest_program good = build_program(&a, t, &s);
    nest *packs[] = {build_pack(&a, t, &s)};
    nest_phase none[] = {{0, NULL}}, packing[] = {{1, packs}}, many[CVK_MOST_PHASES + 1];
    for (int i = 0; i <= CVK_MOST_PHASES; i++) many[i] = good.phase[0];
    nest *large = build_nest(&a, t, &s, 1, 0, 4);
    large->tensors[0].elements--; /* of the workspace */
    nest_phase outside[] = {good.phase[0], {1, &large}};
    const struct {
        const char *what;
        nest_program program;
        cvk_status status;
    } cases[] = {
        {"a program", good, CVK_OK},
        {"as many phases as there may be", {CVK_MOST_PHASES, many}, CVK_OK},
        {"one more", {CVK_MOST_PHASES + 1, many}, CVK_ERROR_INTERNAL},
        {"no phase", {0, NULL}, CVK_ERROR_INTERNAL},
        {"a phase without nests", {1, none}, CVK_ERROR_INTERNAL},
        {"a nest that packs", {1, packing}, CVK_ERROR_INTERNAL},
        {"a nest that leaves the workspace", {2, outside}, CVK_ERROR_INTERNAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(program_check(&cases[i].program, NULL, NULL), cases[i].status, "%s", cases[i].what);
    arena_free(&a);
}

Test(program, needs_the_largest_tensor_and_the_strictest_alignment_of_its_nests) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a));
    const cvk_target *t = target_host();
    const shape small = {.phases = 2, .nests = {1, 1}, .vectors = 4},
                large = {.phases = 2, .nests = {1, 1}, .vectors = 7};
    nest *nests[] = {build_nest(&a, t, &large, 1, 0, 7), build_nest(&a, t, &small, 1, 0, 4)};
    nests[1]->tensors[0].alignment = 2 * ALIGNMENT;
    const nest_phase phase = {2, nests};
    const nest_program p = {1, &phase};
    const program_buffer workspace = program_needs(&p, ROLE_WORKSPACE), bias = program_needs(&p, ROLE_BIAS);
    cr_assert_str_eq(workspace.name, "workspace");
    cr_assert_eq(workspace.elements, 7 * target_lanes(t, TYPE_F32));
    cr_assert_eq(workspace.bytes, workspace.elements * 4);
    cr_assert_eq(workspace.alignment, 2 * ALIGNMENT);
    cr_assert(!bias.name && bias.elements == 0 && bias.alignment == 1);
    cr_assert_eq(program_tasks(&p, 0), 11);
    arena_free(&a);
}
