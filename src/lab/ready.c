/* From spec to a kernel that runs, past all caches. */
#include "lab/ready.h"

#include <math.h>

static cvk_status load_object(const lab *l, const cvk_object *object, ready *r) {
    const void *info = NULL;
    cvk_status status = jit_load(object->bytes, object->size, "layer", l->diagnostics, &r->image, &info);
    r->object_bytes = object->size;
    r->info = info;
    return status;
}

/* Multipliers are positive, and an addend has one, as in networks, and in all that peers have. */
static void tame_multipliers(const cvk_spec *s, float *scale) {
    if (spec_scaling(s) != SCALING_FLOAT || spec_is_chain(s)) return;
    for (int64_t k = 0; k < spec_scale_size(s, 0); k++) scale[k] = fabsf(scale[k]);
    for (int i = 1; i < spec_scales(s); i++) {
        scale += spec_scale_size(s, i - 1);
        for (int64_t k = 1; k < spec_scale_size(s, i); k++) scale[k] = scale[0];
    }
}

bool ready_data(const lab *l, const cvk_spec *spec, layer_data *to) {
    if (!data_draw(spec, DATA_REALS, 1, to)) return false;
    tame_multipliers(spec, (void *)(uintptr_t)to->tensors.scale);
    data_give(to, l->known);
    return true;
}

static cvk_status bind(const lab *l, const cvk_spec *spec, const naive_tensors *data, ready *r) {
    r->spec = spec_of_batch(spec, l->batch ? l->batch : 1);
    return tensors_bind(&r->spec, r->info, data, GUARD_START, l->threads->workers, &r->tensors);
}

static cvk_status bind_random(const lab *l, const cvk_spec *spec, ready *r) {
    layer_data data;
    const cvk_spec drawn = spec_of_batch(spec, l->batch ? l->batch : 1);
    if (!ready_data(l, &drawn, &data)) return CVK_ERROR_MEMORY;
    cvk_status status = bind(l, spec, &data.tensors, r);
    data_free(&data);
    return status;
}

cvk_status ready_load(const lab *l, const cvk_spec *spec, const cvk_object *object, const naive_tensors *data,
                      ready *r) {
    *r = (ready){.lab = l};
    cvk_status status = load_object(l, object, r);
    return status == CVK_OK ? bind(l, spec, data, r) : status;
}

cvk_status ready_open(const lab *l, const cvk_spec *spec, const layer_plan *plan, arena *a, ready *r) {
    static const char *const symbol[] = {"layer"};
    *r = (ready){.lab = l};
    cvk_object object;
    cvk_status status = compile_plan(a, spec, lab_goal(l), plan, l->diagnostics, &r->unit, NULL);
    if (status == CVK_OK)
        status = compile_emit(&r->unit, symbol, 1, 1, NULL, EMIT_OBJECT, l->diagnostics, &object, NULL);
    if (status != CVK_OK) return status;
    status = load_object(l, &object, r);
    object_free(&object);
    return status == CVK_OK ? bind_random(l, spec, r) : status;
}

void ready_close(ready *r) {
    tensors_free(&r->tensors);
    jit_unload(&r->image);
}

static void run_ready(const void *context) {
    const ready *r = context;
    cvk_run(r->info, &r->tensors.buffers, r->lab->threads);
}

static void rest_ready(const void *context) { lab_rest(((const ready *)context)->lab); }

measured ready_measured(const ready *r) {
    const bool alone = r->lab->threads->workers <= 1;
    return (measured){.run = run_ready, .rest = alone ? NULL : rest_ready, .context = r};
}
