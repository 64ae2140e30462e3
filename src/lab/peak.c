/* A nest of independent accumulators, enough to cover the latency of every FMA unit, one task a thread. */
#include "lab/peak.h"
#include "nest/build.h"

enum { TRIPS = 1 << 15, SPARE_REGISTERS = 4 };

static int accumulators(const cvk_target *t) { return t->registers - SPARE_REGISTERS; }

/* Elements of the input: two factors, then what the accumulators start from. */
static int64_t input_elements(const cvk_target *t, cvk_type type) {
    return (int64_t)(2 + accumulators(t)) * target_lanes(t, type);
}
static int64_t output_elements(const cvk_target *t, cvk_type type) {
    return (int64_t)accumulators(t) * target_lanes(t, type);
}

static nest *build_run(arena *a, const cvk_target *t, cvk_type type, uint32_t threads) {
    const int lanes = target_lanes(t, type), count = accumulators(t);
    nest_builder b = nest_begin(a, "peak", ENTRY_TASKS, t->vector_bytes);
    int input = nest_add_tensor(&b, "input", ROLE_INPUT, type, input_elements(t, type), PROBE_ALIGNMENT, false);
    int output =
        nest_add_tensor(&b, "output", ROLE_OUTPUT, type, output_elements(t, type) * threads, PROBE_ALIGNMENT, true);
    int factor = nest_add_register(&b, "factor", type, lanes, 2),
        sum = nest_add_register(&b, "sum", type, lanes, count);
    register_ref x = reg(factor, affine_constant(0)), y = reg(factor, affine_constant(1));
    affine task = build_task(&b, "thread", threads);
    build_load(&b, x, access_at(input, affine_constant(0), 1), NULL);
    build_load(&b, y, access_at(input, affine_constant(lanes), 1), NULL);
    affine i = build_unrolled(&b, "i", count);
    build_load(&b, reg(sum, i), access_at(input, affine_add(affine_constant(2 * lanes), affine_scale(i, lanes)), 1),
               NULL);
    build_end(&b);
    build_loop(&b, "trip", TRIPS);
    i = build_unrolled(&b, "i", count);
    build_fma(&b, reg(sum, i), x, y, NULL);
    build_end(&b);
    build_end(&b);
    i = build_unrolled(&b, "i", count);
    affine at = affine_add(affine_scale(task, output_elements(t, type)), affine_scale(i, lanes));
    build_store(&b, access_at(output, at, 1), reg(sum, i), NULL);
    build_end(&b);
    build_end(&b);
    return nest_finish(&b);
}

cvk_status peak_open(arena *a, const lab *l, cvk_type type, probe *p) {
    const cvk_target *t = l->target;
    const uint32_t threads = l->threads->workers;
    const probe_work work = {.name = "peak",
                             .run = program_of(a, build_run(a, t, type, threads)),
                             .amount = 2 * (double)(TRIPS * output_elements(t, type)) * threads};
    return probe_open(l, &work, p);
}
