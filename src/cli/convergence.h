/* The plot of a simulation: how near to the optimum strategies are after each trial. */
#ifndef CVK_CLI_CONVERGENCE_H
#define CVK_CLI_CONVERGENCE_H

#include "base/text.h"

/* Of one strategy after each trial, over all layers and repeats. */
typedef struct convergence_curve {
    const char *name;
    const double *low, *median, *high; /* quartiles of the share of the optimum */
} convergence_curve;

typedef struct convergence {
    const convergence_curve *curves;
    size_t count;
    int trials;
    const char *title;
} convergence;

void convergence_draw(const convergence *c, text *svg);

#endif
