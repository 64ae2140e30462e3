/* From spec to a kernel that runs, past all caches. */
#include "lab/ready.h"
#include "judge/random_data.h"

static cvk_status load_object(session *s, const cvk_object *object, ready *r) {
    const void *info = NULL;
    cvk_status status = jit_load(object->bytes, object->size, "layer", s->diagnostics, &r->image, &info);
    r->object_bytes = object->size;
    r->info = info;
    return status;
}

static cvk_status bind_random(session *s, const cvk_spec *spec, ready *r) {
    layer_data data;
    if (!data_draw(spec, DATA_REALS, 1, &data)) return CVK_ERROR_MEMORY;
    cvk_status status = tensors_bind(spec, r->info, &data.tensors, GUARD_START, s->parallel.workers, &r->tensors);
    data_free(&data);
    return status;
}

cvk_status ready_open(session *s, const cvk_spec *spec, const cvk_plan *plan, arena *a, ready *r) {
    static const char *const symbol[] = {"layer"};
    *r = (ready){.parallel = &s->parallel};
    cvk_object object;
    cvk_status status = compile_plan(a, spec, s->target, plan, s->diagnostics, &r->unit, NULL);
    if (status == CVK_OK) status = compile_emit(&r->unit, symbol, 1, 1, EMIT_OBJECT, s->diagnostics, &object, NULL);
    if (status != CVK_OK) return status;
    status = load_object(s, &object, r);
    object_free(&object);
    return status == CVK_OK ? bind_random(s, spec, r) : status;
}

void ready_close(ready *r) {
    tensors_free(&r->tensors);
    jit_unload(&r->image);
}

static void run_ready(const void *context) {
    const ready *r = context;
    cvk_run(r->info, &r->tensors.buffers, r->parallel);
}

static void rest_ready(const void *context) { ready_rest(((const ready *)context)->parallel); }

measured ready_measured(const ready *r) { return (measured){.run = run_ready, .rest = rest_ready, .context = r}; }

static void do_nothing(void *argument, size_t index) {
    (void)argument;
    (void)index;
}

void ready_rest(const cvk_parallel_for *parallel) {
    if (parallel->workers > 1)
        pthreadpool_parallelize_1d(parallel->context, do_nothing, NULL, parallel->workers,
                                   PTHREADPOOL_FLAG_YIELD_WORKERS);
}
