/* A nest of independent accumulators, enough to cover the latency of every unit, one task a thread. Floats are
 * multiplied by the same factors again and again. Of integers those would be products to be computed once; so sums are
 * a tile there, each of a product of its own, of what is loaded anew for each round. They take half of the registers:
 * with all but a few LLVM copies from one to another, and to a stack that is aligned by chance. */
#include "lab/peak.h"
#include "nest/build.h"

enum { TRIPS = 1 << 15, SPARE_REGISTERS = 4, VECTORS = 2, PLACES = 8 };

/* What is added up: products of numbers of a type, each by itself or several in one lane. */
typedef struct peak_work {
    cvk_type x, w, sum;
    int lanes, factors;
    int vectors, columns; /* of sums: a tile of them, by as many factors */
} peak_work;

static peak_work work_of(const cvk_target *t, cvk_type type) {
    const target_dot *d = target_dot_widest(t, type);
    const int lanes = target_lanes(t, type), sums = t->registers - SPARE_REGISTERS;
    if (type_is_float(type)) return (peak_work){type, type, type, lanes, 1, 1, sums};
    peak_work w = {type, type, type, lanes, 1, VECTORS, t->registers / 2 / VECTORS};
    if (d) w.x = d->x, w.w = d->w, w.factors = d->factors;
    return w;
}

static int sums_of(const peak_work *w) { return w->vectors * w->columns; }

/* Of the output, where the sums of a thread end; of the input, where they begin. */
static nest_access sum_at(const peak_work *w, int tensor, affine task, affine sum) {
    return access_at(tensor, affine_scale(affine_add_scaled(sum, task, sums_of(w)), w->lanes), 1);
}

static void load_factor(nest_builder *b, register_ref to, int tensor, affine at) {
    build_load(b, to, access_at(tensor, affine_scale(at, b->nest->registers[to.array].lanes), 1), NULL);
}

/* Rounds of a product more for each sum. */
static void add_products(nest_builder *b, const peak_work *w, int sum, register_ref x, int weights, int input) {
    const bool floats = type_is_float(w->sum);
    build_loop(b, "trip", TRIPS / PLACES);
    affine first = build_loop(b, "first", PLACES);
    affine c = build_unrolled(b, "c", w->columns);
    if (!floats) load_factor(b, x, input, affine_add(first, c));
    affine j = build_unrolled(b, "j", w->vectors);
    register_ref to = reg(sum, affine_add_scaled(j, c, w->vectors));
    (w->factors > 1 ? build_dot : build_fma)(b, to, x, reg(weights, j), NULL);
    for (int i = 0; i < 4; i++) build_end(b);
}

static nest *build_run(arena *a, const cvk_target *t, const peak_work *w, uint32_t threads) {
    nest_builder b = nest_begin(a, "peak", ENTRY_TASKS, t->vector_bytes);
    const int factors = w->lanes * w->factors, places = w->columns + PLACES;
    const int64_t sums = (int64_t)sums_of(w) * w->lanes * threads, inputs = (int64_t)places * factors;
    const int64_t after = (inputs + sums) * (type_bytes(w->sum) / type_bytes(w->w));
    int input = nest_add_tensor(&b, "input", ROLE_INPUT, w->x, inputs, PROBE_ALIGNMENT, false);
    int start = nest_add_part(&b, "start", ROLE_INPUT, w->sum, inputs, sums, PROBE_ALIGNMENT, false);
    int weights =
        nest_add_part(&b, "weights", ROLE_INPUT, w->w, after, (int64_t)w->vectors * factors, PROBE_ALIGNMENT, false);
    int output = nest_add_tensor(&b, "output", ROLE_OUTPUT, w->sum, sums, PROBE_ALIGNMENT, true);
    int sum = nest_add_register(&b, "sum", w->sum, w->lanes, sums_of(w));
    int weight = nest_add_register(&b, "w", w->w, factors, w->vectors);
    register_ref x = reg(nest_add_register(&b, "x", w->x, factors, 1), affine_constant(0));
    affine task = build_task(&b, "thread", threads);
    load_factor(&b, x, input, affine_constant(0));
    affine i = build_unrolled(&b, "j", w->vectors);
    load_factor(&b, reg(weight, i), weights, i);
    build_end(&b);
    i = build_unrolled(&b, "i", sums_of(w));
    build_load(&b, reg(sum, i), sum_at(w, start, task, i), NULL);
    build_end(&b);
    add_products(&b, w, sum, x, weight, input);
    i = build_unrolled(&b, "i", sums_of(w));
    build_store(&b, sum_at(w, output, task, i), reg(sum, i), NULL);
    build_end(&b);
    build_end(&b);
    return nest_finish(&b);
}

cvk_status peak_open(arena *a, const lab *l, cvk_type type, probe *p) {
    const uint32_t threads = l->threads->workers;
    const peak_work w = work_of(l->target, type);
    const probe_work work = {.name = "peak",
                             .run = program_of(a, build_run(a, l->target, &w, threads)),
                             .amount = 2.0 * TRIPS * sums_of(&w) * w.lanes * w.factors * threads};
    return probe_open(l, &work, p);
}
