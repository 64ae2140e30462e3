/* Choosing a plan by measuring: for CVK_EFFORT_MEASURE. */
#ifndef CVK_API_MEASURE_H
#define CVK_API_MEASURE_H

#include "compile.h"

/* The object of whichever plan ran fastest here, on one thread, of those the cost model ranks highest; what the goal's
 * threads make of that time is the model's to say. */
cvk_status measure_object(const cvk_spec *spec, goal aim, cvk_diagnostics *d, cvk_object *object);

#endif
