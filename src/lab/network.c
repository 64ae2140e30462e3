/* Each kernel once; then the table. */
#include "lab/network.h"

#include "base/clock.h"
#include "lab/measure.h"

const compile_unit *ready_network_unit(const ready_network *r, int step) { return &r->unit[r->kernels.of[step]]; }

/* Descriptions of the steps' kernels: as they are planned, or where they are loaded. */
static void make_table(arena *a, ready_network *r, const cvk_kernel_info *const *loaded) {
    const cvk_kernel_info **infos = arena_array(a, const cvk_kernel_info *, r->steps->step_count + 1);
    for (int i = 0; i < r->steps->step_count; i++) {
        const int kernel = r->kernels.of[i];
        infos[i] = loaded ? loaded[kernel] : &r->unit[kernel].info;
    }
    r->memory = network_place(a, r->steps, infos);
    r->info = network_table(a, r->steps, &r->memory, infos);
}

void ready_network_begin(arena *a, const cvk_network *file, int64_t near, ready_network *r) {
    *r = (ready_network){.steps = network_of(a, file, near)};
    r->kernels = network_kernels_of(a, r->steps);
}

static cvk_status plan_kernels(goal aim, cvk_diagnostics *d, arena *a, ready_network *r) {
    cvk_status status = CVK_OK;
    aim.step = true;
    r->unit = arena_array(a, compile_unit, r->kernels.count + 1);
    for (int i = 0; i < r->kernels.count && status == CVK_OK; i++)
        status = compile_plan(a, r->kernels.layer[i], aim, NULL, d, &r->unit[i], NULL);
    return status;
}

cvk_status ready_network_plan(goal aim, cvk_diagnostics *d, arena *a, ready_network *r) {
    const cvk_status status = plan_kernels(aim, d, a, r);
    if (status == CVK_OK) make_table(a, r, NULL);
    return status;
}

static cvk_status load_kernel(const lab *l, const compile_unit *unit, jit_image *image, const cvk_kernel_info **info) {
    static const char *const symbol[] = {"layer"};
    const void *found = NULL;
    cvk_object object;
    cvk_status status = compile_emit(unit, symbol, 1, 1, NULL, EMIT_OBJECT, l->diagnostics, &object, NULL);
    if (status == CVK_OK) status = jit_load(object.bytes, object.size, symbol[0], l->diagnostics, image, &found);
    if (status == CVK_OK || object.bytes) object_free(&object);
    *info = found;
    return status;
}

cvk_status ready_network_open(const lab *l, arena *a, ready_network *r) {
    const double start = clock_seconds();
    cvk_status status = plan_kernels(lab_goal(l), l->diagnostics, a, r);
    const cvk_kernel_info **infos = arena_array(a, const cvk_kernel_info *, r->kernels.count + 1);
    r->image = arena_array(a, jit_image, r->kernels.count + 1);
    for (int i = 0; i < r->kernels.count && status == CVK_OK; i++)
        status = load_kernel(l, &r->unit[i], &r->image[i], &infos[i]);
    r->compile_seconds = clock_seconds() - start;
    if (status == CVK_OK) make_table(a, r, infos);
    return status;
}

void ready_network_close(ready_network *r) {
    for (int i = 0; r->image && i < r->kernels.count; i++) jit_unload(&r->image[i]);
}

cvk_status ready_network_time(const ready_network *r, const cvk_network_buffers *buffers,
                              const cvk_parallel_for *threads, int runs, arena *a, double *seconds) {
    const uint32_t steps = r->info.steps;
    double *each = arena_array(a, double, steps *(uint32_t)runs + 1);
    cvk_status status = cvk_network_run(&r->info, buffers, threads); /* the first is not counted */
    for (int run = 0; run < runs && status == CVK_OK; run++)
        for (uint32_t i = 0; i < steps && status == CVK_OK; i++) {
            const double start = clock_seconds();
            status = cvk_network_run_steps(&r->info, buffers, i, i + 1, threads);
            each[i * (uint32_t)runs + (uint32_t)run] = clock_seconds() - start;
        }
    for (uint32_t i = 0; i < steps; i++) seconds[i] = measure_median(&each[i * (uint32_t)runs], (size_t)runs);
    return status;
}
