/* Is a nest certified where it stores each element once, and only there, and a program where each phase reads what an
 * earlier one stored? And does the refusal name element and statement? */
#include "nest/build.h"
#include "nest/stored.h"

#include <criterion/criterion.h>
#include <string.h>

enum { LANES = 8, MOST = 1 << 20 };

typedef struct bench {
    arena arena;
    nest_builder b;
    int output, r;
} bench;

static void set_up(bench *t, int64_t elements) {
    arena_init(&t->arena);
    cr_assert(!arena_guard(&t->arena), "out of memory");
    t->b = nest_begin(&t->arena, "test", ENTRY_TASKS, 4 * LANES);
    t->output = nest_add_tensor(&t->b, "output", ROLE_OUTPUT, TYPE_F32, elements, 4, true);
    t->r = nest_add_register(&t->b, "r", TYPE_F32, LANES, 1);
}

static register_ref r(const bench *t) { return reg(t->r, affine_constant(0)); }

static void store(bench *t, affine at, int64_t stride, const nest_range *lanes) {
    build_store(&t->b, access_at(t->output, at, stride), r(t), lanes);
}

/* NULL: certified. Else the refusal, which begins as given. */
static void expect(bench *t, const char *refusal) {
    const nest *n = t->b.nest;
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_status status = nest_certify_stored(&n, 1, ROLE_OUTPUT, MOST, d);
    cr_expect_eq(status, refusal ? CVK_ERROR_INTERNAL : CVK_OK, "%s", cvk_status_text(status));
    const char *message = cvk_diagnostics_count(d) ? cvk_diagnostics_get(d, 0)->message : "";
    cr_expect_str_eq(message, refusal ? refusal : "");
    cvk_diagnostics_free(d);
    arena_free(&t->arena);
}

Test(stored, rows_of_whole_and_partial_vectors_are_certified) {
    for (int64_t width = 1; width < 3 * 64; width++) {
        bench t;
        set_up(&t, 5 * width);
        affine row = affine_scale(build_task(&t.b, "row", 5), width);
        affine v = affine_scale(build_loop(&t.b, "v", (width + LANES - 1) / LANES), LANES);
        affine l = build_unrolled(&t.b, "l", LANES), at = affine_add(v, l);
        nest_range one = range_of(&t.b, 0, 1);
        build_if(&t.b, affine_offset(affine_scale(at, -1), width - 1), "inside");
        store(&t, affine_add(row, at), 1, &one);
        for (int i = 0; i < 4; i++) build_end(&t.b);
        expect(&t, NULL);
    }
}

Test(stored, strided_lanes_in_either_direction_are_certified) {
    bench t;
    set_up(&t, 2 * LANES * LANES);
    affine i = build_loop(&t.b, "i", LANES);
    store(&t, i, LANES, NULL);
    store(&t, affine_offset(i, (2 * LANES - 1) * LANES), -LANES, NULL);
    build_end(&t.b);
    expect(&t, NULL);
}

Test(stored, what_is_stored_may_be_read) {
    bench t;
    set_up(&t, LANES);
    store(&t, affine_constant(0), 1, NULL);
    build_load(&t.b, r(&t), access_at(t.output, affine_constant(0), 1), NULL);
    expect(&t, NULL);
}

Test(stored, an_element_left_out_is_named) {
    bench t;
    set_up(&t, 100);
    affine i = affine_scale(build_loop(&t.b, "i", 12), LANES);
    nest_range seven = range_of(&t.b, 0, 7);
    store(&t, i, 1, NULL);
    build_end(&t.b);
    store(&t, affine_constant(93), 1, &seven);
    expect(&t, "output[93] is stored a second time, by store output[93] = r lanes 0..7");

    set_up(&t, 100);
    i = affine_scale(build_loop(&t.b, "i", 12), LANES);
    store(&t, i, 1, NULL);
    build_end(&t.b);
    expect(&t, "output[96] is never stored");
}

Test(stored, tasks_that_overlap_are_refused) {
    bench t;
    set_up(&t, 64);
    affine task = build_task(&t.b, "task", 9);
    store(&t, affine_scale(task, 7), 1, NULL);
    build_end(&t.b);
    expect(&t, "output[7] is stored a second time, by store output[7*task] = r");
}

Test(stored, reading_too_early_is_refused) {
    bench t;
    set_up(&t, LANES);
    build_splat(&t.b, r(&t), access_at(t.output, affine_constant(3), 1));
    store(&t, affine_constant(0), 1, NULL);
    expect(&t, "output[3] is read before it is stored, by v8 r = splat output[3]");
}

Test(stored, leaving_the_tensor_is_refused) {
    bench t;
    set_up(&t, LANES);
    store(&t, affine_constant(1), 1, NULL);
    expect(&t, "output[1] is outside the tensor, by store output[1] = r");
}

Test(stored, what_another_task_stores_may_not_be_read) {
    bench t;
    set_up(&t, 2 * LANES);
    affine task = build_task(&t.b, "task", 2), first = affine_constant(0);
    store(&t, affine_scale(task, LANES), 1, NULL);
    build_load(&t.b, r(&t), access_at(t.output, first, 1), NULL);
    build_end(&t.b);
    expect(&t, "output[0] is stored by another task of the phase, by v8 r = load output[0]");
}

/* Two nests of one phase, each with half; and one of them twice. */
Test(stored, nests_of_one_phase_share_a_tensor) {
    bench t[2];
    for (int i = 0; i < 2; i++) {
        set_up(&t[i], 2 * LANES);
        store(&t[i], affine_constant(i * LANES), 1, NULL);
    }
    const nest *both[] = {t[1].b.nest, t[0].b.nest}, *twice[] = {t[0].b.nest, t[0].b.nest};
    cr_expect_eq(nest_certify_stored(both, 2, ROLE_OUTPUT, MOST, NULL), CVK_OK);
    cr_expect_eq(nest_certify_stored(twice, 2, ROLE_OUTPUT, MOST, NULL), CVK_ERROR_INTERNAL);
    for (int i = 0; i < 2; i++) arena_free(&t[i].arena);
}

Test(stored, a_tensor_too_large_is_left_alone_and_an_absent_one_is_well) {
    bench t;
    set_up(&t, MOST + 1);
    const nest *n = t.b.nest;
    cr_expect_eq(nest_certify_stored(&n, 1, ROLE_OUTPUT, MOST, NULL), CVK_ERROR_UNSUPPORTED);
    cr_expect_eq(nest_certify_stored(&n, 1, ROLE_SCRATCH, MOST, NULL), CVK_OK);
    arena_free(&t.arena);
}

/* ---- programs ---- */

/* Phases of one nest each, which has an output and a workspace of 4 vectors. */
enum { MOST_STAGES = 3, VECTORS = 4 };
enum { OUTPUT, WORKSPACE, NOTHING = -1 }; /* their tensors */

typedef struct stages {
    arena arena;
    nest_builder b[MOST_STAGES];
    int count, r;
} stages;

static void begin_stages(stages *s) {
    *s = (stages){.count = 0};
    arena_init(&s->arena);
    cr_assert(!arena_guard(&s->arena), "out of memory");
}

static nest_builder *begin_stage(stages *s, int to) {
    nest_builder *b = &s->b[s->count++];
    *b = nest_begin(&s->arena, "stage", ENTRY_TASKS, 4 * LANES);
    nest_add_tensor(b, "output", ROLE_OUTPUT, TYPE_F32, VECTORS * LANES, 4, to == OUTPUT);
    nest_add_tensor(b, "workspace", ROLE_WORKSPACE, TYPE_F32, VECTORS * LANES, 4, to == WORKSPACE);
    s->r = nest_add_register(b, "r", TYPE_F32, LANES, 1);
    return b;
}

/* A stage of as many tasks, of which each loads a vector, if `from` is a tensor, and then stores one. */
static void stage(stages *s, int64_t tasks, int from, int64_t skipped, int to) {
    nest_builder *b = begin_stage(s, to);
    const register_ref x = reg(s->r, affine_constant(0));
    affine i = affine_scale(build_task(b, "i", tasks), LANES);
    if (from >= 0) build_load(b, x, access_at(from, affine_offset(i, skipped * LANES), 1), NULL);
    build_store(b, access_at(to, i, 1), x, NULL);
    build_end(b);
}

static cvk_status certify(const stages *s, int64_t most, cvk_diagnostics *d) {
    nest *nests[MOST_STAGES];
    nest_phase phases[MOST_STAGES];
    for (int i = 0; i < s->count; i++) {
        nests[i] = s->b[i].nest;
        phases[i] = (nest_phase){1, &nests[i]};
    }
    const nest_program p = {s->count, phases};
    return program_certify_stored(&p, most, d);
}

/* NULL: certified. Else the refusal. */
static void expect_stages(stages *s, const char *refusal) {
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_status status = certify(s, MOST, d);
    cr_expect_eq(status, refusal ? CVK_ERROR_INTERNAL : CVK_OK, "%s", cvk_status_text(status));
    cr_expect_str_eq(cvk_diagnostics_count(d) ? cvk_diagnostics_get(d, 0)->message : "", refusal ? refusal : "");
    cvk_diagnostics_free(d);
    arena_free(&s->arena);
}

Test(stored, what_a_phase_reads_an_earlier_one_has_stored) {
    stages s;
    begin_stages(&s);
    stage(&s, VECTORS, NOTHING, 0, WORKSPACE);
    stage(&s, VECTORS, WORKSPACE, 0, OUTPUT);
    expect_stages(&s, NULL);

    begin_stages(&s);
    stage(&s, VECTORS - 1, NOTHING, 0, WORKSPACE);
    stage(&s, VECTORS, WORKSPACE, 0, OUTPUT);
    expect_stages(&s, "workspace[24] is read before it is stored, by v8 r = load workspace[8*i]");

    begin_stages(&s);
    stage(&s, VECTORS, WORKSPACE, 0, OUTPUT);
    stage(&s, VECTORS, NOTHING, 0, WORKSPACE);
    expect_stages(&s, "workspace[0] is read before it is stored, by v8 r = load workspace[8*i]");
}

Test(stored, a_phase_may_store_again_what_an_earlier_one_stored) {
    stages s;
    begin_stages(&s);
    for (int i = 0; i < 2; i++) stage(&s, VECTORS, NOTHING, 0, WORKSPACE);
    stage(&s, VECTORS, WORKSPACE, 0, OUTPUT);
    expect_stages(&s, NULL);
}

/* Task 0 reads what task 1 stores. */
Test(stored, a_phase_may_not_store_what_its_other_tasks_read) {
    stages s;
    begin_stages(&s);
    stage(&s, VECTORS, NOTHING, 0, OUTPUT);
    stage(&s, VECTORS, NOTHING, 0, WORKSPACE);
    stage(&s, VECTORS - 1, WORKSPACE, 1, WORKSPACE);
    expect_stages(&s, "workspace[8] is stored by the phase that reads it, by store workspace[8*i] = r");
}

Test(stored, an_output_of_an_earlier_phase_may_be_read_and_is_stored_wholly_by_the_last) {
    stages s;
    begin_stages(&s);
    stage(&s, VECTORS, NOTHING, 0, OUTPUT);
    stage(&s, VECTORS, OUTPUT, 0, WORKSPACE);
    stage(&s, VECTORS, WORKSPACE, 0, OUTPUT);
    expect_stages(&s, NULL);

    begin_stages(&s);
    stage(&s, VECTORS - 1, NOTHING, 0, OUTPUT);
    stage(&s, VECTORS, OUTPUT, 0, WORKSPACE);
    stage(&s, VECTORS, WORKSPACE, 0, OUTPUT);
    expect_stages(&s, "output[24] is read before it is stored, by v8 r = load output[8*i]");

    begin_stages(&s);
    stage(&s, VECTORS, NOTHING, 0, OUTPUT);
    stage(&s, VECTORS - 1, OUTPUT, 0, WORKSPACE);
    stage(&s, VECTORS - 1, WORKSPACE, 0, OUTPUT);
    expect_stages(&s, "output[24] is never stored");
}

Test(stored, a_workspace_too_large_or_read_too_often_is_left_alone) {
    stages s;
    begin_stages(&s);
    stage(&s, VECTORS, NOTHING, 0, WORKSPACE);
    nest_builder *b = begin_stage(&s, NOTHING);
    const register_ref x = reg(s.r, affine_constant(0));
    build_loop(b, "again", MOST + 1);
    build_load(b, x, access_at(WORKSPACE, affine_constant(0), 1), NULL);
    build_end(b);
    stage(&s, VECTORS, WORKSPACE, 0, OUTPUT);
    cr_expect_eq(certify(&s, MOST, NULL), CVK_ERROR_UNSUPPORTED);
    cr_expect_eq(certify(&s, MOST + VECTORS + 1, NULL), CVK_OK);
    cr_expect_eq(certify(&s, VECTORS * LANES - 1, NULL), CVK_ERROR_UNSUPPORTED);
    arena_free(&s.arena);
}
