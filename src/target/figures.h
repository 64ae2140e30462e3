/* What one core of a machine does: the constants of the cost model that differ between machines. Units are in
 * target/figure_fields.def. */
#ifndef CVK_TARGET_FIGURES_H
#define CVK_TARGET_FIGURES_H

typedef struct machine_figures {
#define FIGURE(member, ...) double member;
#include "target/figure_fields.def"
#undef FIGURE
} machine_figures;

/* Where a host's own comes from: a probe, or a fit to what was recorded on it. */
typedef enum figure_origin { FIGURE_MEASURED, FIGURE_LEARNED } figure_origin;

/* The rows of figure_fields.def, for who reads, prints or compares figures one by one. */
typedef struct figure_field {
    const char *name, *unit, *about;
    double least, most; /* what is outside is no machine's */
    figure_origin how;
} figure_field;

/* NULL past the end. */
const figure_field *figure_row(int index);
double figure_get(const machine_figures *f, int index);
void figure_set(machine_figures *f, int index, double value);

#endif
