/* Compiles a layer stage by stage, so that each can be timed and the object weighed, and measures it in turns with the
 * FMA peak and a peer. Caches are warm: nothing is touched between the runs of a sample. */
#include "cli/timing.h"
#include "cli/data.h"
#include "cli/measure.h"
#include "cli/tensors.h"
#include "plan/brief.h"

#include <math.h>

/* A layer ready to run. */
typedef struct loaded {
    const cvk_kernel_info *info;
    jit_image image;
    tensors tensors;
    const cvk_parallel_for *parallel;
} loaded;

static cvk_status compile_object(session *s, const cvk_spec *spec, arena *a, cvk_object *object, timing *t) {
    static const char *const symbol[] = {"layer"};
    compile_unit unit;
    cvk_status status = compile_plan(a, spec, s->target, NULL, s->diagnostics, &unit, &t->times);
    if (status != CVK_OK) return status;
    text brief = text_new(a);
    plan_print_brief(&unit.plan, &brief);
    t->plan = brief.bytes;
    t->predicted = 1 / unit.predicted;
    return compile_emit(&unit, symbol, 1, 1, EMIT_OBJECT, s->diagnostics, object, &t->times);
}

static cvk_status load_object(session *s, const cvk_object *object, loaded *l, timing *t) {
    const void *info = NULL;
    double begin = measure_now();
    cvk_status status = jit_load(object->bytes, object->size, "layer", s->diagnostics, &l->image, &info);
    t->times.load = measure_now() - begin;
    t->object_bytes = (double)object->size;
    l->info = info;
    return status;
}

static cvk_status bind_random(session *s, const cvk_spec *spec, loaded *l) {
    layer_data data;
    l->parallel = &s->parallel;
    if (!data_draw(spec, DATA_REALS, 1, &data)) return CVK_ERROR_MEMORY;
    cvk_status status = tensors_bind(spec, l->info, &data.tensors, GUARD_START, s->parallel.workers, &l->tensors);
    data_free(&data);
    return status;
}

static cvk_status load_layer(session *s, const cvk_spec *spec, arena *a, loaded *l, timing *t) {
    cvk_object object;
    cvk_status status = compile_object(s, spec, a, &object, t);
    if (status != CVK_OK) return status;
    status = load_object(s, &object, l, t);
    object_free(&object);
    return status == CVK_OK ? bind_random(s, spec, l) : status;
}

static void run_kernel(const void *context) {
    const loaded *l = context;
    cvk_run(l->info, &l->tensors.buffers, l->parallel);
}

static void run_peak(const void *context) { peak_run(context); }

/* A peer's layer and how to run it, behind one pointer. */
typedef struct contender {
    const peer *peer;
    peer_layer *layer;
} contender;

static void run_contender(const void *context) {
    const contender *c = context;
    c->peer->run(c->layer);
}

static void measure_all(const cvk_spec *spec, const loaded *l, const peak *p, const contender *c, timing *t) {
    measured things[] = {
        {.run = run_kernel, .context = l}, {.run = run_peak, .context = p}, {.run = run_contender, .context = c}};
    measure(things, c->layer ? 3 : 2);
    t->seconds = things[0].seconds;
    t->gflops = 2e-9 * (double)spec_macs(spec) / t->seconds;
    t->of_peak = 1e9 * t->gflops / (p->operations / things[1].fastest);
    if (c->layer) t->peer_seconds = things[2].seconds;
}

cvk_status timing_run(session *s, const session_layer *layer, const peer *rival, const peak *p, arena *a, timing *t) {
    loaded l = {0};
    *t = (timing){.layer = layer, .plan = "", .variant = "", .peer_seconds = NAN};
    cvk_status status = load_layer(s, layer->spec, a, &l, t);
    if (status == CVK_OK && l.info->tasks) {
        contender c = {rival, rival ? rival->open(layer->spec, s->parallel.workers, &t->variant) : NULL};
        if (c.layer) t->variant = rival->variant(c.layer);
        measure_all(layer->spec, &l, p, &c, t);
        if (c.layer) rival->close(c.layer);
    }
    tensors_free(&l.tensors);
    jit_unload(&l.image);
    return status;
}

double timing_compile_seconds(const compile_times *t) {
    return t->plan + t->emit.lower + t->emit.optimise + t->emit.generate + t->load;
}
