/* All plans are compiled and loaded before the first is timed. */
#include "lab/trial.h"
#include "lab/ready.h"

static void measure_plans(const ready *plans, int count, const probe *peak, plan_time *times, double *peak_rate) {
    measured things[MEASURE_MOST];
    for (int i = 0; i < count; i++) things[i] = ready_measured(&plans[i]);
    if (peak) things[count] = probe_measured(peak);
    measure(things, (size_t)count + (peak != NULL), NULL, NULL);
    for (int i = 0; i < count; i++) times[i] = (plan_time){things[i].seconds, things[i].fastest};
    if (peak) *peak_rate = probe_rate(peak, &things[count]);
}

cvk_status trial_run(const lab *l, const cvk_spec *spec, const ranked_layer *plans, int count, const probe *peak,
                     arena *a, plan_time *times, double *peak_rate) {
    ready *loaded = arena_array(a, ready, count);
    cvk_status status = CVK_OK;
    int opened = 0;
    while (opened < count && status == CVK_OK) {
        status = ready_open(l, spec, &plans[opened].plan, a, &loaded[opened]);
        opened++;
    }
    if (status == CVK_OK && loaded[0].info->tasks[0]) measure_plans(loaded, count, peak, times, peak_rate);
    for (int i = 0; i < opened; i++) ready_close(&loaded[i]);
    return status;
}
