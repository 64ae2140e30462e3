/* Several plans of a layer, timed in turns. */
#ifndef CVK_LAB_TRIAL_H
#define CVK_LAB_TRIAL_H

#include "lab/probe.h"
#include "compile.h"

typedef struct plan_time {
    double seconds; /* of a run: the median */
    double fastest;
} plan_time;

/* At most MEASURE_MOST - 1 plans. `peak`, if not NULL, is timed among them and gives the operations a second of the FMA
 * units. Times stay 0 for a layer without tasks. */
cvk_status trial_run(const lab *l, const cvk_spec *spec, const ranked_layer *plans, int count, const probe *peak,
                     arena *a, plan_time *times, double *peak_rate);

#endif
