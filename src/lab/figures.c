/* One kernel of one phase, of whose tasks each probe has its own, all run in turns.
 *
 * No clock counts cycles: rdtsc counts at a rate of its own, and the core's own changes. So cycles are counted in
 * chains of dependent instructions. A core adds two registers in one cycle, and the sum is there for the next addition:
 * that holds on every core that the targets are for, while the latencies of loads, of multiplications and of additions
 * of vectors differ. (Intel's newer cores add small constants in no time at all; registers they do not.) But additions
 * of integers run at the full clock rate, and wide multiply-adds may not. So the chain of integers serves to say how
 * many cycles, a whole number, one link of a chain of multiply-adds takes, and that chain is the clock for the others.
 *
 * A throughput is of its probe against the clock of the same round, for the clock rate may change from round to round
 * and rarely does within one; and of one of the better rounds, for a core may be shared. Bytes from caches and memory
 * are of the fastest run: others use those, too, and make runs slower, never faster. */
#include "lab/figures.h"
#include "base/clock.h"
#include "base/integers.h"
#include "lab/evict.h"
#include "lab/probe.h"
#include "nest/build.h"

#include <math.h>
#include <stdlib.h>

/* What is measured. All but the last are a nest each; memory is what a part of the third level's takes when it has been
 * sent out of the caches. */
typedef enum probed { ADDITIONS, CHAIN, FMAS, HALF_DOTS, MIXED, LOADS, STORES, LEVEL2, LEVEL3, MEMORY, PROBED } probed;
enum { NESTS = MEMORY };

enum {
    ROUNDS = 15,
    RUNS = 3,
    FEWEST_ROUNDS = 5,
    LINKS = 32,
    STREAMS = 8,
    UNROLLED = 32,
    SPARE_REGISTERS = 4,
    USUAL_LATENCY = 4
};
enum {
    CYCLES = 1 << 16,
    /* of a run, about */ NEAR_BYTES = 1 << 13,
    FAR_BYTES = 1 << 23,
    MEMORY_BYTES = 1 << 21,
    TIMES_L2 = 3
};
static const double MOST_SECONDS = 20e-3; /* of all rounds */
static const double SLOWEST = 1.25;       /* times the fastest run, undisturbed at a lower clock rate */

/* A probe: its nest, and what one task of it is made of, in whatever its figure counts. */
typedef struct work {
    nest *run;
    double amount;
    uint32_t tasks, first; /* of the phase's */
} work;

static nest_builder begin(arena *a, const cvk_target *t, const char *name) {
    return nest_begin(a, name, ENTRY_TASKS, t->vector_bytes);
}

static nest *finish(nest_builder *b) {
    build_end(b);
    return nest_finish(b);
}

static int add_input(nest_builder *b, cvk_type type, int64_t elements) {
    return nest_add_tensor(b, "input", ROLE_INPUT, type, elements, PROBE_ALIGNMENT, false);
}

static int add_output(nest_builder *b, cvk_type type, int64_t elements) {
    return nest_add_tensor(b, "output", ROLE_OUTPUT, type, elements, PROBE_ALIGNMENT, true);
}

/* Registers `to`, `count` of them, from the input: what is not known cannot be computed beforehand. */
static void load_all(nest_builder *b, int input, int to, int count, int lanes) {
    affine i = build_unrolled(b, "i", count);
    build_load(b, reg(to, i), access_at(input, affine_scale(i, lanes), 1), NULL);
    build_end(b);
}

/* To the output, so that it is not for nothing. */
static void store_all(nest_builder *b, int output, int from, int count, int lanes) {
    affine i = build_unrolled(b, "i", count);
    build_store(b, access_at(output, affine_scale(i, lanes), 1), reg(from, i), NULL);
    build_end(b);
}

/* Sums and differences in turn: LLVM makes two sums in a row one, and waits for one less. */
static work additions(arena *a, const cvk_target *t) {
    const int64_t trips = CYCLES / LINKS;
    nest_builder b = begin(a, t, "additions");
    int input = add_input(&b, TYPE_S32, 3), output = add_output(&b, TYPE_S32, 1);
    int sum = nest_add_register(&b, "sum", TYPE_S32, 1, 1), by = nest_add_register(&b, "by", TYPE_S32, 1, 2);
    register_ref x = reg(sum, affine_constant(0));
    build_task(&b, "all", 1);
    load_all(&b, input, sum, 1, 1);
    load_all(&b, input, by, 2, 1);
    build_loop(&b, "trip", trips);
    build_unrolled(&b, "i", LINKS / 2);
    build_op(&b, OP_ADD, x, x, reg(by, affine_constant(0)));
    build_op(&b, OP_SUB, x, x, reg(by, affine_constant(1)));
    build_end(&b);
    build_end(&b);
    store_all(&b, output, sum, 1, 1);
    return (work){finish(&b), (double)(trips * LINKS), 1, 0};
}

/* `count` sums, `links` of the instruction, or multiply-adds, to each a trip. */
static work multiply_adds(arena *a, const cvk_target *t, const target_dot *dot, const char *name, int count,
                          int links) {
    const cvk_type factor = dot ? dot->x : TYPE_F32;
    const int lanes = target_lanes(t, TYPE_F32), factors = dot ? dot->factors * lanes : lanes;
    const int64_t trips = CYCLES / (count > 1 ? count * links : USUAL_LATENCY * links);
    nest_builder b = begin(a, t, name);
    int input = add_input(&b, TYPE_F32, (int64_t)count * lanes),
        output = add_output(&b, TYPE_F32, (int64_t)count * lanes);
    const int64_t after = (int64_t)count * lanes * type_bytes(TYPE_F32) / type_bytes(factor);
    int seen = nest_add_part(&b, "factors", ROLE_INPUT, factor, after, factors, PROBE_ALIGNMENT, false);
    int sum = nest_add_register(&b, "sum", TYPE_F32, lanes, count),
        by = nest_add_register(&b, "by", factor, factors, 2);
    build_task(&b, "all", 1);
    load_all(&b, input, sum, count, lanes);
    load_all(&b, seen, by, 2, 0);
    build_loop(&b, "trip", trips);
    build_unrolled(&b, "link", links);
    affine i = build_unrolled(&b, "i", count);
    (dot ? build_dot : build_fma)(&b, reg(sum, i), reg(by, affine_constant(0)), reg(by, affine_constant(1)), NULL);
    build_end(&b);
    build_end(&b);
    build_end(&b);
    store_all(&b, output, sum, count, lanes);
    return (work){finish(&b), (double)(trips * links * count), 1, 0};
}

/* Of halves; NULL: the target has none. */
static const target_dot *half_dot(const cvk_target *t) {
    const target_dot *d;
    int i = 0;
    while ((d = target_dot_row(t, i)) && !type_is_float(d->x)) i++;
    return d;
}

enum { MIXED_SUMS = 8 };

/* Neighbouring lanes change places. */
static void swap_lanes(nest_builder *b, register_ref r, int lanes) {
    int pattern[NEST_MOST_LANES];
    for (int l = 0; l < lanes; l++) pattern[l] = l + 1 - 2 * (l % 2);
    build_shuffle(b, r, r, r, pattern);
}

/* A multiply-add, an addition and, where there are lanes, a shuffle, each of registers of its own. */
static work mixed(arena *a, const cvk_target *t) {
    const int lanes = target_lanes(t, TYPE_F32), kinds = lanes > 1 ? 3 : 2,
              count = (int)lesser(MIXED_SUMS, (t->registers - 2) / kinds);
    const int64_t trips = CYCLES / (count * kinds);
    nest_builder b = begin(a, t, "mixed");
    int input = add_input(&b, TYPE_F32, (int64_t)kinds * count * lanes),
        output = add_output(&b, TYPE_F32, (int64_t)kinds * count * lanes);
    int sum = nest_add_register(&b, "sum", TYPE_F32, lanes, kinds * count),
        by = nest_add_register(&b, "by", TYPE_F32, lanes, 2);
    build_task(&b, "all", 1);
    load_all(&b, input, sum, kinds * count, lanes);
    load_all(&b, input, by, 2, 0);
    build_loop(&b, "trip", trips);
    affine i = build_unrolled(&b, "i", count);
    build_fma(&b, reg(sum, i), reg(by, affine_constant(0)), reg(by, affine_constant(1)), NULL);
    build_op(&b, OP_ADD, reg(sum, affine_offset(i, count)), reg(sum, affine_offset(i, count)),
             reg(by, affine_constant(0)));
    if (kinds > 2) swap_lanes(&b, reg(sum, affine_offset(i, 2 * count)), lanes);
    build_end(&b);
    build_end(&b);
    store_all(&b, output, sum, kinds * count, lanes);
    return (work){finish(&b), (double)(trips * count * kinds), 1, 0};
}

/* Adds up vectors of integers, which even a core of a single unit for floats does as fast as it loads: `bytes` of them
 * a task. */
static work loads(arena *a, const cvk_target *t, const char *name, int64_t bytes, int unrolled, int64_t tasks) {
    const int lanes = target_lanes(t, TYPE_S32);
    const int64_t trips = bytes / (unrolled * t->vector_bytes), vectors = trips * unrolled;
    const int64_t passes = CYCLES > vectors ? CYCLES / vectors : 1;
    nest_builder b = begin(a, t, name);
    int input = add_input(&b, TYPE_S32, tasks * vectors * lanes),
        output = add_output(&b, TYPE_S32, tasks * STREAMS * lanes);
    int value = nest_add_register(&b, "value", TYPE_S32, lanes, unrolled),
        sum = nest_add_register(&b, "sum", TYPE_S32, lanes, STREAMS);
    affine task = build_task(&b, "part", tasks);
    load_all(&b, input, sum, STREAMS, lanes);
    build_loop(&b, "pass", passes);
    affine trip = build_loop(&b, "trip", trips);
    for (int i = 0; i < unrolled; i++) {
        affine vector = affine_add_scaled(affine_scale(trip, unrolled), task, vectors);
        register_ref v = reg(value, affine_constant(i)), s = reg(sum, affine_constant(i % STREAMS));
        build_load(&b, v, access_at(input, affine_scale(affine_offset(vector, i), lanes), 1), NULL);
        build_op(&b, OP_ADD, s, s, v);
    }
    build_end(&b);
    build_end(&b);
    affine i = build_unrolled(&b, "i", STREAMS);
    affine at = affine_scale(affine_add_scaled(i, task, STREAMS), lanes);
    build_store(&b, access_at(output, at, 1), reg(sum, i), NULL);
    build_end(&b);
    return (work){finish(&b), (double)(vectors * passes), (uint32_t)tasks, 0};
}

static work stores(arena *a, const cvk_target *t) {
    const int lanes = target_lanes(t, TYPE_F32);
    const int64_t trips = NEAR_BYTES / (UNROLLED * t->vector_bytes), vectors = trips * UNROLLED;
    const int64_t passes = CYCLES / vectors;
    nest_builder b = begin(a, t, "stores");
    int input = add_input(&b, TYPE_F32, lanes), output = add_output(&b, TYPE_F32, vectors * lanes);
    int value = nest_add_register(&b, "value", TYPE_F32, lanes, 1);
    build_task(&b, "all", 1);
    load_all(&b, input, value, 1, lanes);
    build_loop(&b, "pass", passes);
    affine trip = build_loop(&b, "trip", trips);
    affine i = build_unrolled(&b, "i", UNROLLED);
    affine at = affine_scale(affine_add(affine_scale(trip, UNROLLED), i), lanes);
    build_store(&b, access_at(output, at, 1), reg(value, affine_constant(0)), NULL);
    build_end(&b);
    build_end(&b);
    build_end(&b);
    return (work){finish(&b), (double)(vectors * passes), 1, 0};
}

/* Of a size at which cores share the third level, but past the second. */
static int64_t level3_parts(const cvk_target *t) {
    return ceil_div(greater(TIMES_L2 * t->l2_bytes, FAR_BYTES), MEMORY_BYTES);
}

static void make_probes(arena *a, const cvk_target *t, work to[NESTS]) {
    to[ADDITIONS] = additions(a, t);
    to[CHAIN] = multiply_adds(a, t, NULL, "chain", 1, LINKS);
    to[FMAS] = multiply_adds(a, t, NULL, "fmas", t->registers - SPARE_REGISTERS, 1);
    to[HALF_DOTS] = multiply_adds(a, t, half_dot(t), "half dots", t->registers - SPARE_REGISTERS, 1);
    to[MIXED] = mixed(a, t);
    to[LOADS] = loads(a, t, "loads", NEAR_BYTES, UNROLLED, 1);
    to[STORES] = stores(a, t);
    to[LEVEL2] = loads(a, t, "level 2", t->l2_bytes / 2, STREAMS, 1);
    to[LEVEL3] = loads(a, t, "level 3", MEMORY_BYTES, STREAMS, level3_parts(t));
}

static nest_program program(arena *a, work probes[NESTS]) {
    nest_program all = program_of(a, probes[0].run);
    for (int i = 1; i < NESTS; i++) {
        probes[i].first = probes[i - 1].first + probes[i - 1].tasks;
        all = program_with(a, &all, probes[i].run);
    }
    return all;
}

/* Seconds an amount of one, by round. */
typedef struct samples {
    double of[PROBED][ROUNDS];
    int rounds;
} samples;

/* Of a task. */
static double time_once(const probe *p, const work *w, uint32_t tasks) {
    double start = clock_seconds();
    for (uint32_t i = 0; i < tasks; i++) probe_run_task(p, 0, w->first + i);
    return (clock_seconds() - start) / tasks;
}

/* Of a few runs, the first of which finds the caches as the probe before left them. */
static double time_probe(const probe *p, const work *w) {
    double least = time_once(p, w, w->tasks);
    for (int i = 1; i < RUNS; i++) least = fmin(least, time_once(p, w, w->tasks));
    return least;
}

/* Of what is in no cache; for ever where nothing can be sent out of them. */
static double time_memory(const probe *p, const work *level3) {
    return evict_lines(p->input, MEMORY_BYTES) ? time_once(p, level3, 1) : INFINITY;
}

static void take_samples(const probe *p, const work probes[NESTS], samples *s) {
    double start = clock_seconds();
    for (int r = 0; r < ROUNDS && (r < FEWEST_ROUNDS || clock_seconds() - start < MOST_SECONDS); s->rounds = ++r) {
        for (int i = 0; i < NESTS; i++) s->of[i][r] = time_probe(p, &probes[i]) / probes[i].amount;
        s->of[MEMORY][r] = time_memory(p, &probes[LEVEL3]) / probes[LEVEL3].amount;
    }
}

static double fastest(const samples *s, probed what) {
    double least = INFINITY;
    for (int r = 0; r < s->rounds; r++) least = fmin(least, s->of[what][r]);
    return least;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How much of `what` is done in the time of one of `clock`: the third quartile of the rounds in which nothing else took
 * the core from the clock, which takes longer than a clock rate is ever reduced by. */
static double ratio(const samples *s, probed clock, probed what) {
    double each[ROUNDS];
    const double most = SLOWEST * fastest(s, clock);
    int count = 0;
    for (int r = 0; r < s->rounds; r++)
        if (s->of[clock][r] <= most) each[count++] = s->of[clock][r] / s->of[what][r];
    qsort(each, (size_t)count, sizeof *each, compare);
    return each[count * 3 / 4];
}

static double rounded(double value, double step) { return round(value / step) * step; }

/* A core has whole units, or parts of one that take several cycles; what else there seems to be is another thread's. */
static double throughput(double value) { return rounded(value, value < 0.75 ? 0.125 : 1); }

/* But loads of whole vectors may have to share what brings them, and then a core does one and a half. */
static double loads_a_cycle(double value) { return rounded(value, value < 0.75 ? 0.125 : 0.5); }

/* Additions of integers may be faster than they are where the clock slows down for wide multiply-adds, never slower. */
static double whole_latency(double additions) { return fmax(1, floor(additions + 0.25)); }

/* To one of eight steps from a power of two to the next: what is read from caches is shared with others, and varies. */
static double coarse(double value) {
    int exponent;
    double fraction = frexp(value, &exponent);
    return ldexp(round(fraction * 16), exponent - 4);
}

static machine_figures judge(const cvk_target *t, const samples *s) {
    const double latency = whole_latency(ratio(s, CHAIN, ADDITIONS)),
                 bytes = t->vector_bytes * fastest(s, CHAIN) / latency;
    return (machine_figures){.fma_a_cycle = throughput(ratio(s, CHAIN, FMAS) / latency),
                             .operations_a_cycle = throughput(ratio(s, CHAIN, MIXED) / latency),
                             .half_dots_a_cycle = throughput(ratio(s, CHAIN, HALF_DOTS) / latency),
                             .loads_a_cycle = loads_a_cycle(ratio(s, CHAIN, LOADS) / latency),
                             .stores_a_cycle = throughput(ratio(s, CHAIN, STORES) / latency),
                             .fma_latency = latency,
                             .l2_bytes_a_cycle = coarse(bytes / fastest(s, LEVEL2)),
                             .l3_bytes_a_cycle = coarse(bytes / fastest(s, LEVEL3)),
                             .memory_bytes_a_cycle = coarse(bytes / fastest(s, MEMORY))};
}

static void keep_plausible(const machine_figures *instead, machine_figures *f) {
    const figure_field *field;
    for (int i = 0; (field = figure_row(i)); i++) {
        double value = figure_get(f, i);
        if (!(value >= field->least && value <= field->most)) figure_set(f, i, figure_get(instead, i));
    }
}

/* The arena is the caller's. */
static cvk_status measure_in(arena *a, const lab *l, probe *p, machine_figures *to) {
    if (arena_guard(a)) return CVK_ERROR_MEMORY;
    work probes[NESTS];
    samples s = {.rounds = 0};
    make_probes(a, l->target, probes);
    cvk_status status = probe_open(l, &(probe_work){"figures", program(a, probes), NESTS}, p);
    if (status != CVK_OK) return status;
    take_samples(p, probes, &s);
    *to = judge(l->target, &s);
    keep_plausible(l->target->figures, to);
    return CVK_OK;
}

cvk_status figures_measure(const cvk_target *t, cvk_diagnostics *d, machine_figures *to) {
    const lab alone = {.target = t, .threads = &lab_one_thread, .diagnostics = d};
    probe p = {0};
    arena a;
    arena_init(&a);
    cvk_status status = measure_in(&a, &alone, &p, to);
    probe_close(&p);
    arena_free(&a);
    return status;
}
