/* Goes through a buffer over and over: one that half fills the level or, for memory, that no cache holds. Every thread
 * has a part of its own. */
#include "lab/bandwidth.h"
#include "lab/evict.h"
#include "nest/build.h"

#include <math.h>

enum { STREAMS = 8, RUN_BYTES = 1 << 26, TIMES_BEFORE = 4 };

const char *memory_level_name(memory_level level) {
    static const char *const names[LEVELS] = {"L1", "L2", "L3", "memory"};
    return names[level];
}

int64_t memory_level_holds(const lab *l, memory_level level) {
    const cvk_target *t = l->target;
    const int64_t threads = l->threads->workers;
    const int64_t holds[LEVELS] = {threads * t->l1_bytes, threads * t->l2_bytes, t->l3_bytes, INT64_MAX};
    int64_t most = 0;
    for (int i = 0; i <= (int)level; i++) most = holds[i] > most ? holds[i] : most;
    return most;
}

/* What one thread goes through: half of what it has of the level, and several times what the one before holds, where
 * that is less. */
static int64_t bytes_of_thread(const lab *l, memory_level level) {
    const int64_t threads = l->threads->workers;
    if (level == LEVEL_MEMORY) return (int64_t)evict_bytes() / threads;
    const int64_t half = memory_level_holds(l, level) / threads / 2;
    if (level == LEVEL_L1) return half;
    const int64_t several = TIMES_BEFORE * (memory_level_holds(l, (memory_level)(level - 1)) / threads);
    return several < half ? several : half;
}

/* What is gone through, by one thread. */
typedef struct walk {
    const cvk_target *target;
    uint32_t threads;
    int64_t elements; /* whole trips */
    int passes;
} walk;

static int64_t trip(const walk *w) { return (int64_t)STREAMS * target_lanes(w->target, TYPE_F32); }

static walk walk_of(const lab *l, int64_t bytes) {
    walk w = {l->target, l->threads->workers, 0, 0};
    const int64_t trips = bytes / (int64_t)sizeof(float) / trip(&w);
    w.elements = (trips > 0 ? trips : 1) * trip(&w);
    const int64_t passes = RUN_BYTES / ((int64_t)sizeof(float) * w.elements);
    w.passes = passes > 1 ? (int)passes : 1;
    return w;
}

static nest *build_loads(arena *a, const walk *w) {
    const int lanes = target_lanes(w->target, TYPE_F32);
    nest_builder b = nest_begin(a, "loads", ENTRY_TASKS, w->target->vector_bytes);
    int input = nest_add_tensor(&b, "input", ROLE_INPUT, TYPE_F32, w->elements * w->threads, PROBE_ALIGNMENT, false);
    int output = nest_add_tensor(&b, "output", ROLE_OUTPUT, TYPE_F32, trip(w) * w->threads, PROBE_ALIGNMENT, true);
    int value = nest_add_register(&b, "value", TYPE_F32, lanes, STREAMS),
        sum = nest_add_register(&b, "sum", TYPE_F32, lanes, STREAMS);
    affine task = build_task(&b, "thread", w->threads);
    affine i = build_unrolled(&b, "i", STREAMS);
    build_const(&b, reg(sum, i), 0);
    build_end(&b);
    build_loop(&b, "pass", w->passes);
    affine trips = build_loop(&b, "trip", w->elements / trip(w));
    i = build_unrolled(&b, "i", STREAMS);
    affine vector = affine_add(affine_scale(trips, trip(w)), affine_scale(i, lanes));
    build_load(&b, reg(value, i), access_at(input, affine_add(affine_scale(task, w->elements), vector), 1), NULL);
    build_op(&b, OP_ADD, reg(sum, i), reg(sum, i), reg(value, i));
    build_end(&b);
    build_end(&b);
    build_end(&b);
    i = build_unrolled(&b, "i", STREAMS);
    affine at = affine_add(affine_scale(task, trip(w)), affine_scale(i, lanes));
    build_store(&b, access_at(output, at, 1), reg(sum, i), NULL);
    build_end(&b);
    build_end(&b);
    return nest_finish(&b);
}

/* `past`: stores bypass the caches, where the target can. */
static nest *build_copies(arena *a, const walk *w, bool past) {
    const int lanes = target_lanes(w->target, TYPE_F32);
    nest_builder b = nest_begin(a, "copies", ENTRY_TASKS, w->target->vector_bytes);
    int input = nest_add_tensor(&b, "input", ROLE_INPUT, TYPE_F32, w->elements * w->threads, PROBE_ALIGNMENT, false);
    int output = nest_add_tensor(&b, "output", ROLE_OUTPUT, TYPE_F32, w->elements * w->threads, PROBE_ALIGNMENT, true);
    int value = nest_add_register(&b, "value", TYPE_F32, lanes, STREAMS);
    affine task = build_task(&b, "thread", w->threads);
    build_loop(&b, "pass", w->passes);
    affine trips = build_loop(&b, "trip", w->elements / trip(w));
    affine i = build_unrolled(&b, "i", STREAMS);
    affine vector = affine_add(affine_scale(trips, trip(w)), affine_scale(i, lanes));
    affine at = affine_add(affine_scale(task, w->elements), vector);
    build_load(&b, reg(value, i), access_at(input, at, 1), NULL);
    (past ? build_stream : build_store)(&b, access_at(output, at, 1), reg(value, i), NULL);
    build_end(&b);
    build_end(&b);
    build_end(&b);
    build_end(&b);
    return nest_finish(&b);
}

static double amount(const walk *w, int tensors) {
    return (double)sizeof(float) * (double)w->elements * w->threads * w->passes * tensors;
}

enum { LOADS, COPIES, KINDS };

static cvk_status open_probes(arena *a, const lab *l, memory_level level, probe p[KINDS]) {
    const int64_t bytes = bytes_of_thread(l, level);
    const walk whole = walk_of(l, bytes), half = walk_of(l, bytes / 2);
    const probe_work loads = {"loads", program_of(a, build_loads(a, &whole)), amount(&whole, 1)};
    const probe_work copies = {"copies", program_of(a, build_copies(a, &half, level == LEVEL_MEMORY)),
                               amount(&half, 2)};
    cvk_status status = probe_open(l, &loads, &p[LOADS]);
    return status == CVK_OK ? probe_open(l, &copies, &p[COPIES]) : status;
}

cvk_status bandwidth_measure(arena *a, const lab *l, memory_level level, double *to) {
    probe p[KINDS] = {{0}};
    cvk_status status = open_probes(a, l, level, p);
    if (status == CVK_OK) {
        measured m[KINDS] = {probe_measured(&p[LOADS]), probe_measured(&p[COPIES])};
        measure(m, KINDS, NULL, NULL);
        *to = fmax(probe_rate(&p[LOADS], &m[LOADS]), probe_rate(&p[COPIES], &m[COPIES]));
    }
    for (int i = 0; i < KINDS; i++) probe_close(&p[i]);
    return status;
}
