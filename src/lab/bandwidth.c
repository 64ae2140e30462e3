/* Reads a buffer over and over: one that half fills the second-level cache, and one that no cache holds. Every thread
 * reads a part of its own. */
#include "lab/bandwidth.h"
#include "lab/evict.h"
#include "nest/build.h"

enum { STREAMS = 8, L2_PASSES = 256, MEMORY_PASSES = 1 };

/* `elements`: of one thread, whole trips. */
static nest *build_run(arena *a, const cvk_target *t, uint32_t threads, int64_t elements, int passes) {
    const int lanes = target_lanes(t, TYPE_F32);
    nest_builder b = nest_begin(a, "bandwidth", ENTRY_TASKS, t->vector_bytes);
    int input = nest_add_tensor(&b, "input", ROLE_INPUT, TYPE_F32, elements * threads, PROBE_ALIGNMENT, false);
    int output =
        nest_add_tensor(&b, "output", ROLE_OUTPUT, TYPE_F32, (int64_t)STREAMS * lanes * threads, PROBE_ALIGNMENT, true);
    int value = nest_add_register(&b, "value", TYPE_F32, lanes, STREAMS),
        sum = nest_add_register(&b, "sum", TYPE_F32, lanes, STREAMS);
    affine task = build_task(&b, "thread", threads);
    affine i = build_unrolled(&b, "i", STREAMS);
    build_const(&b, reg(sum, i), 0);
    build_end(&b);
    build_loop(&b, "pass", passes);
    affine trip = build_loop(&b, "trip", elements / (STREAMS * lanes));
    i = build_unrolled(&b, "i", STREAMS);
    affine vector = affine_add(affine_scale(trip, (int64_t)STREAMS * lanes), affine_scale(i, lanes));
    build_load(&b, reg(value, i), access_at(input, affine_add(affine_scale(task, elements), vector), 1), NULL);
    build_op(&b, OP_ADD, reg(sum, i), reg(sum, i), reg(value, i));
    build_end(&b);
    build_end(&b);
    build_end(&b);
    i = build_unrolled(&b, "i", STREAMS);
    affine at = affine_add(affine_scale(task, (int64_t)STREAMS * lanes), affine_scale(i, lanes));
    build_store(&b, access_at(output, at, 1), reg(sum, i), NULL);
    build_end(&b);
    build_end(&b);
    return nest_finish(&b);
}

static cvk_status measure_level(arena *a, const lab *l, int64_t bytes, int passes, double *to) {
    const cvk_target *t = l->target;
    const int64_t whole = (int64_t)STREAMS * target_lanes(t, TYPE_F32), threads = l->threads->workers;
    const int64_t elements = (bytes / (int64_t)sizeof(float) + whole - 1) / whole * whole;
    const probe_work work = {.name = "bandwidth",
                             .run = program_of(a, build_run(a, t, l->threads->workers, elements, passes)),
                             .amount = (double)sizeof(float) * (double)(elements * threads) * passes};
    probe p;
    cvk_status status = probe_open(l, &work, &p);
    if (status == CVK_OK) {
        measured m = probe_measured(&p);
        measure(&m, 1, NULL, NULL);
        *to = probe_rate(&p, &m);
    }
    probe_close(&p);
    return status;
}

cvk_status bandwidth_measure(arena *a, const lab *l, bandwidths *to) {
    cvk_status status = measure_level(a, l, l->target->l2_bytes / 2, L2_PASSES, &to->l2);
    if (status != CVK_OK) return status;
    return measure_level(a, l, (int64_t)(evict_bytes() / l->threads->workers), MEMORY_PASSES, &to->memory);
}
