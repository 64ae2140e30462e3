/* Compiles a layer a few times, with nothing else running, and measures it in turns with the FMA peak, with itself on
 * one thread, with its plan of direct sums, and with what peers have for it. */
#include "lab/timing.h"
#include "base/clock.h"
#include "judge/rounding.h"
#include "lab/cores.h"
#include "plan/brief.h"
#include "lab/ready.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COMPILES = 3 };

double timing_compile_seconds(const compile_times *t) {
    return t->plan + t->emit.lower + t->emit.optimise + t->emit.generate + t->load;
}

cvk_status timing_compile(const cvk_spec *spec, goal aim, cvk_diagnostics *d, compile_times *times) {
    *times = (compile_times){0};
    cvk_object object;
    cvk_status status = compile_layer(spec, aim, NULL, d, &object, times);
    if (status != CVK_OK) return status;
    jit_image image = {0};
    const void *info;
    double begin = clock_seconds();
    status = jit_load(object.bytes, object.size, spec->name, d, &image, &info);
    times->load = clock_seconds() - begin;
    jit_unload(&image);
    object_free(&object);
    return status;
}

static int by_seconds(const void *a, const void *b) {
    double x = timing_compile_seconds(a), y = timing_compile_seconds(b);
    return (x > y) - (x < y);
}

static cvk_status time_compiling(const lab *l, const cvk_spec *spec, compile_times *median) {
    compile_times all[COMPILES];
    lab_rest(l);
    for (int i = 0; i < COMPILES; i++) {
        cvk_status status = timing_compile(spec, lab_goal(l), l->diagnostics, &all[i]);
        if (status != CVK_OK) return status;
    }
    qsort(all, COMPILES, sizeof *all, by_seconds);
    *median = all[COMPILES / 2];
    return CVK_OK;
}

static double bytes_of(const ready *r, cvk_role role) {
    return (double)cvk_buffer_needs(r->info, role, (uint64_t)r->spec.batch, 1).bytes;
}

static void describe(const ready *r, arena *a, timing *t) {
    text brief = text_new(a);
    layer_plan_print_brief(&r->unit.plan, &brief);
    t->plan = brief.bytes;
    t->predicted = 1 / r->unit.predicted;
    t->object_bytes = (double)r->object_bytes;
    t->operations = 2 * (double)spec_macs(&r->spec);
    t->present = 2 * (double)spec_macs_of_input(&r->spec);
    t->bytes = (double)r->info->weights.bytes;
    static const cvk_role others[] = {CVK_ROLE_INPUT,  CVK_ROLE_BIAS,     CVK_ROLE_SCALE,  CVK_ROLE_ADDEND,
                                      CVK_ROLE_OUTPUT, CVK_ROLE_GRADIENT, CVK_ROLE_INDICES};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) t->bytes += bytes_of(r, others[i]);
}

/* What is measured always; then come the others, where there are any. */
enum { OURS, PEAK, ALWAYS, MOST_THINGS = ALWAYS + 2 + MOST_RIVALS };

/* A layer's contenders, and where the seconds of each go. */
typedef struct contest {
    measured things[MOST_THINGS];
    double *to[MOST_THINGS];
    size_t count;
} contest;

static void enter(contest *c, measured thing, double *seconds) {
    c->things[c->count] = thing;
    c->to[c->count++] = seconds;
}

/* Of each way, the fastest. */
static void judge_rivals(const rivals *all, const double *seconds, timing *t) {
    for (size_t i = 0; i < all->count; i++) {
        peer_timing *best = &t->peer[all->of[i].way];
        if (seconds[i] >= best->seconds) continue; /* false of NAN */
        *best = (peer_timing){seconds[i], all->of[i].variant};
    }
}

static void measure_all(const ready *r, const ready *strict, const rivals *others, const timing_setup *setup,
                        timing *t) {
    const probe *peak = &setup->peak[spec_sum_type(&r->spec)];
    const lab alone = lab_alone(r->lab);
    ready single = *r;
    single.lab = &alone;
    double peak_seconds, seconds[MOST_RIVALS];
    contest c = {.count = 0};
    enter(&c, ready_measured(r), &t->seconds);
    enter(&c, probe_measured(peak), &peak_seconds);
    if (r->lab->threads->workers > 1) enter(&c, ready_measured(&single), &t->single_seconds);
    if (strict) enter(&c, ready_measured(strict), &t->strict_seconds);
    for (size_t i = 0; i < others->count; i++) enter(&c, rival_measured(&others->of[i]), &seconds[i]);
    measure(c.things, c.count, setup->evict ? evict_run : NULL, setup->evict);
    for (size_t i = 0; i < c.count; i++) *c.to[i] = c.things[i].seconds;
    t->peak = probe_rate(peak, &c.things[PEAK]);
    if (!strict) t->strict_seconds = t->seconds;
    judge_rivals(others, seconds, t);
}

/* The layer's plan of direct sums, where the one chosen sums otherwise: else `strict` stays empty. */
static cvk_status open_strict(const lab *l, const cvk_spec *spec, const ready *r, arena *a, ready *strict) {
    cvk_spec *s = arena_copy(a, spec, sizeof *s);
    compile_unit unit;
    s->accuracy = ACCURACY_STRICT;
    if (spec->accuracy == ACCURACY_STRICT || compile_plan(a, s, lab_goal(l), NULL, NULL, &unit, NULL) ||
        rounding_is_shared(&r->unit.plan, &unit.plan))
        return CVK_OK;
    return ready_open(l, s, &unit.plan, a, strict);
}

static cvk_status find_roof(const lab *l, const timing_setup *setup, arena *a, timing *t) {
    cvk_status status = roof_reach(setup->roof, a, l, t->bytes);
    if (status == CVK_OK) t->roof_seconds = roof_seconds(setup->roof, t->peak, t->present, t->bytes);
    return status;
}

/* Of a layer that has something to do. */
static cvk_status time_ready(const lab *l, const cvk_spec *spec, const ready *r, const timing_setup *setup, arena *a,
                             timing *t) {
    ready strict = {0};
    rivals others = {.count = 0};
    describe(r, a, t);
    cvk_status status = open_strict(l, spec, r, a, &strict);
    if (status == CVK_OK) status = rivals_open(r, &setup->peers, a, &others);
    if (status == CVK_OK) measure_all(r, strict.info ? &strict : NULL, &others, setup, t);
    if (status == CVK_OK) status = find_roof(l, setup, a, t);
    t->wrong_peers = others.wrong;
    rivals_close(&others);
    ready_close(&strict);
    return status;
}

cvk_status timing_run(const lab *l, const cvk_spec *spec, const timing_setup *setup, arena *a, timing *t) {
    *t = (timing){.spec = spec, .plan = "", .single_seconds = NAN, .strict_seconds = NAN, .roof_seconds = NAN};
    for (int way = 0; way < PEER_WAYS; way++) t->peer[way] = (peer_timing){NAN, ""};
    for (size_t i = 0; i < TIMING_MOST_CORES; i++) t->expected[i] = NAN;
    ready r = {0};
    cvk_status status = time_compiling(l, spec, &t->times);
    if (status == CVK_OK) status = ready_open(l, spec, NULL, a, &r);
    if (status == CVK_OK && r.info->tasks[0]) status = time_ready(l, spec, &r, setup, a, t);
    ready_close(&r);
    if (status == CVK_OK && setup->core_count)
        status = cores_expect(l, spec, setup->pinned, setup->cores, setup->core_count, a, t->expected);
    return status;
}
