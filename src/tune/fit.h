/* Learning a machine: those figures of a core that no probe measures (target/figure_fields.def), so as to make the cost
 * model tell the times which were recorded on it. */
#ifndef CVK_TUNE_FIT_H
#define CVK_TUNE_FIT_H

#include "records/database.h"
#include "target/target.h"

/* A layer, and how much longer what the model picks of its recorded plans takes than the best of them. */
typedef struct fit_layer {
    const char *name;
    int plans;
    double before, after; /* by the figures that there were, and by those fitted to the other layers alone */
    double fitted;        /* by those fitted to all */
} fit_layer;

typedef struct fit_result {
    fit_layer *layers;
    size_t count;
    machine_figures figures;    /* fitted to all layers */
    double error_before, error; /* of the predicted times, as the root of the mean square of their logarithms' errors */
    size_t ignored;             /* trials of other machines, targets and versions */
} fit_result;

/* Least squares on the logarithms of predicted over measured times, a scale a layer left free, not far from the figures
 * of `target`, which is the host as it is calibrated. Layers are left out in turns, a fifth of them at a time.
 * Everything lives in the arena. Fewer than two layers with a few trials each: count is what there is, and nothing is
 * fitted. */
void fit_figures(arena *a, const record_list *list, const cvk_target *target, fit_result *to);

#endif
